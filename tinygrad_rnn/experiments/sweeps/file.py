"""The file of a sweep: one line of JSON for each point that is done, written by one process, and only ever added to."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ...autodiff.calling import shortened

if sys.platform != "win32":
    import fcntl

SURROGATES = re.compile("[\ud800-\udfff]")  # halves of characters, as names of files have that are no UTF-8
BEGINS = '{"key": "'  # each line, and so what is left of a line whose writer was killed

Point = Mapping[str, Any]
Record = dict[str, Any]


def of_numpy(value: Any) -> Any:
    """What JSON has for a number or an array of NumPy's."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{shortened(value)} is no number, text, list or dict, so no line of a file can hold it")


def in_json(value: Any) -> str:
    """What a value is known by: its JSON, names in order. No digit of a number is lost."""
    return json.dumps(value, sort_keys=True, default=of_numpy)


def key_of(point: Point) -> str:
    """What a point is known by in short: the SHA-256 of its JSON.

    Raises
    ------
    TypeError, ValueError
        If it has no JSON of its own.
    """
    _refuse_names_that_are_none(point)
    return hashlib.sha256(in_json(point).encode()).hexdigest()


def _refuse_names_that_are_none(value: Any) -> None:
    """Raise TypeError for a dict with names that are no texts: in JSON 1 and "1" would be one, and so two points."""
    if isinstance(value, Mapping):
        if other := [name for name in value if not isinstance(name, str)]:
            raise TypeError(f"{shortened(other[0])} is a name in a dict, and must be a text")
        value = value.values()
    if not isinstance(value, str | bytes | np.ndarray) and isinstance(value, Iterable):
        for each in value:
            _refuse_names_that_are_none(each)


class RunsFile:
    """The file, read once and then added to.

    Parameters
    ----------
    path : pathlib.Path
        The file; it need not be there.
    function : str
        What the points are arguments of.

    Attributes
    ----------
    done : dict of str to dict
        The last record of each point, by its key.

    Raises
    ------
    ValueError
        If the file holds something else, or the points of another function.
    """

    def __init__(self, path: Path, function: str) -> None:
        self.path, self.function = path, function
        self.done: dict[str, Record] = {}
        content = path.read_bytes() if path.is_file() else b""  # a device may have no end
        for number, line in enumerate(content.decode(errors="replace").split("\n"), start=1):
            record = self._record(line, number)
            if record is not None:
                self.done[record["key"]] = record
        self._torn = not content.endswith(b"\n") and bool(content)

    def _record(self, line: str, number: int) -> Record | None:
        if not line or BEGINS.startswith(line):
            return None
        if line.startswith(BEGINS):
            try:
                record: Record = json.loads(line)
            except (ValueError, RecursionError):  # its writer was killed: the point is done once more
                return None
            if record.get("function") == self.function:
                if not _is_whole(record):
                    raise ValueError(
                        f"{self.path}, line {number}: this is no record of a sweep, which has its point, whether it "
                        "is ok, and a result or an error: take the line out, or name another file with out="
                    )
                return record
            raise ValueError(
                f"{self.path}, line {number}: this is a point of {record.get('function')}, and what is to be run is "
                f"{self.function}. Name another file with out="
            )
        raise ValueError(
            f"{self.path}, line {number}: this is no line of a sweep, {shortened(line)}. A sweep adds to files of its "
            "own only: name another one with out="
        )

    @contextmanager
    def open(self) -> Iterator[None]:
        """Hold the file, so that nobody else adds to it.

        Raises
        ------
        BlockingIOError
            If another process does.
        """
        with self.path.open("ab") as self._file:
            if sys.platform != "win32":
                try:
                    fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise BlockingIOError(
                        error.errno, "another sweep is adding to this file: wait for it, or end it", str(self.path)
                    ) from None
                except OSError:  # a file system that knows no locks
                    pass
            if self._torn:
                self._file.write(b"\n")
            yield

    def add(self, line: str) -> Record:
        """Keep a record, in one write, so that a reader sees whole lines."""
        record: Record = json.loads(line)
        self._file.write(line.encode() + b"\n")
        self._file.flush()
        self.done[record["key"]] = record
        return record


def _is_whole(record: Record) -> bool:
    error = record.get("error")
    return (
        isinstance(record["key"], str)
        and isinstance(record.get("point"), dict)
        and (
            (record.get("ok") is True and "result" in record)
            or (
                record.get("ok") is False
                and isinstance(error, dict)
                and all(isinstance(error.get(what), str) for what in ("type", "text", "where"))
            )
        )
    )


def line_of(key: str, function: str, point: Point, seconds: float, **found: Any) -> str:
    """The line of a point.

    Raises
    ------
    TypeError, ValueError
        If what was found has no JSON.
    """
    record = {"key": key, "function": function, "point": point, **found, "seconds": round(seconds, 6)}
    line = json.dumps({**record, "pid": os.getpid()}, default=of_numpy, ensure_ascii=False)
    return SURROGATES.sub(lambda half: f"\\u{ord(half[0]):04x}", line)
