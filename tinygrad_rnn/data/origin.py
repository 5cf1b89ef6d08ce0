"""Where data came from: enough to read them once more, and to tell whether they are still the same."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .files import Source


@dataclass(frozen=True, slots=True)
class Origin:
    """The file that data were read from, and how.

    Attributes
    ----------
    path : str
        The file, from the root on; empty if what was read has no name, as the standard input.
    bytes : int
        How many it had.
    sha256 : str
        Their hash.
    settings : mapping of str to Any
        The arguments that it was read with, where they are not as usual.
    content : str
        The hash of what was read: of data that somebody has changed since, it is another one.
    """

    path: str
    bytes: int
    sha256: str
    settings: Mapping[str, Any]
    content: str


def origin(source: Source, raw: bytes, content: str, **settings: Any) -> Origin:
    """What is to be known of a file that was read."""
    path = str(Path(os.path.abspath(source))) if isinstance(source, str | os.PathLike) else ""  # noqa: PTH100  a link stays one
    given = {name: value for name, value in settings.items() if value is not None}
    return Origin(path, len(raw), hashlib.sha256(raw).hexdigest(), given, content)


def hash_of(*parts: Any) -> str:
    """A hash of arrays, and of texts, or several in a row."""
    found = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            found.update(f"{part.dtype.str}{part.shape}".encode())
            found.update(np.ascontiguousarray(part).data)
        else:
            text = part if isinstance(part, str) else repr(part)
            found.update(f"{len(text)} ".encode())
            found.update(text.encode("utf-8", "surrogatepass"))
    return found.hexdigest()
