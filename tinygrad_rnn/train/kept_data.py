"""The data of a run, so kept that they can be read once more: in the file they came from, or in a copy beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Table, Text, table, text
from ..data.files import refuse_what_is_no_file
from ..exchange.arrays import read_arrays, write_arrays
from ..exchange.files import write_whole
from .folder import TABLE, TEXT, RunFolder


def keep_data(data: Text | Table, folder: RunFolder) -> dict[str, Any]:
    """How data can be read once more.

    What is in no file, or was changed after it had been read, is copied into the folder.
    """
    origin = data.origin
    if origin is not None and origin.path and origin.content == data.content:
        return {"path": origin.path, "bytes": origin.bytes, "sha256": origin.sha256, "settings": dict(origin.settings)}
    if isinstance(data, Text):
        file = folder.path / TEXT
        content = data.text.encode("utf-8", "surrogatepass")
        write_whole(file, lambda: content, overwrite=True, durable=True)
    else:
        file = folder.path / TABLE
        arrays = {"values": data.values, "targets": data.targets, "gaps": np.asarray(data.gaps, bool)}
        words = {what: json.dumps(getattr(data, what)) for what in ("columns", "target", "dates")}
        write_arrays(file, arrays, words, overwrite=True)
    raw = file.read_bytes()
    return {"copy": file.name, "bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}


def read_data(kind: str, said: Mapping[str, Any], known: Mapping[str, Any], folder: RunFolder) -> Text | Table:
    """The data of a run.

    Parameters
    ----------
    kind : {"text", "series"}
        What they are.
    said : mapping
        What `keep_data` has said.
    known : mapping
        What the run knows of them, such as the alphabet.
    folder : RunFolder
        The run's folder.

    Raises
    ------
    ValueError
        If the file has changed, or is no file any more.
    OSError
        If it cannot be read.
    """
    path = folder.path / said["copy"] if "copy" in said else Path(said["path"])
    refuse_what_is_no_file(path)
    raw = path.read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if found != said["sha256"]:
        raise ValueError(
            f"{path} has changed since the run began: sha256 was {said['sha256']}, with {said['bytes']:,} bytes, and "
            f"is {found}, with {len(raw):,}. Put the old file back, or begin another run"
        )
    if "copy" not in said:
        return text(path, **said["settings"]) if kind == "text" else table(path, **said["settings"])
    if kind == "text":
        return Text(raw.decode("utf-8", "surrogatepass"), tuple(known["alphabet"]), ())
    arrays, words = read_arrays(path)
    columns, target, dates = (tuple(json.loads(words[what])) for what in ("columns", "target", "dates"))
    return Table(columns, arrays["values"], target, arrays["targets"], dates, arrays["gaps"], ())
