"""The errors of the tape: values that do not fit, questions asked at the wrong moment, nodes used as arrays.

They carry a note, shown below the message, with the line of the reader's own code that led to them. It is
looked up when an error is made, and costs nothing before.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePath
from types import FrameType
from typing import Any, TypeVar

PACKAGE = __name__.partition(".")[0]
WRITTEN_LIKE_A_USERS = {"cells", "losses"}  # parts of the package that hold what a user could have written

E = TypeVar("E", bound=BaseException)


class _Noted(Exception):  # noqa: N818  no error of its own: what the two have in common
    """Notes where it arose, and may hold what had been recorded until then."""

    tape: Any = None

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        noted(self)


class ShapeError(_Noted, ValueError):
    """Arrays that an op cannot combine: says what was given, what must hold and what to do.

    Attributes
    ----------
    tape : Tape or None
        What had been recorded, if it arose while a time step was being recorded: `tinygrad_rnn.draw` draws it.
    """


class TapeError(_Noted, RuntimeError):
    """A question the tape cannot answer in its present state, and what to do first.

    Attributes
    ----------
    tape : Tape or None
        What had been recorded, if it arose while a time step was being recorded: `tinygrad_rnn.draw` draws it.
    """


class UsageError(_Noted, TypeError):
    """An op that is not called so, or a node in the hands of code that takes it for an array; and what to write.

    Attributes
    ----------
    tape : Tape or None
        What had been recorded, if it arose while a time step was being recorded: `tinygrad_rnn.draw` draws it.
    """


def noted(error: E) -> E:
    """The error, with a note of the lines of a cell and of the user's that led to it."""
    for line in source_lines(sys._getframe(1)):
        error.add_note(f"  in {line}")
    return error


def users_level() -> int:
    """The `stacklevel` with which a warning of the calling function names the user's line."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] == PACKAGE:
        level, frame = level + 1, frame.f_back
    return level


def keep(error: BaseException, tape: Any) -> None:
    """Let an error that arose in a time step say what had been recorded: every error, a user's own, too."""
    if getattr(error, "tape", None) is None:
        error.__dict__["tape"] = tape
        tape.broken_off = f"{type(error).__name__}: {error}".split("\n")[0]
        error.add_note("  What was recorded until then can be drawn: tinygrad_rnn.draw(error.tape)")


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of a program.

    Attributes
    ----------
    function : str
        The function it stands in; empty outside functions.
    file : str
        The file's name, without its folder.
    line : int
        Its number, from 1.
    text : str
        The line itself; empty if it cannot be read.
    """

    function: str
    file: str
    line: int
    text: str

    def __str__(self) -> str:
        function = f"{self.function}, " if self.function else ""
        return f"{function}{self.file}:{self.line}{': ' if self.text else ''}{self.text}"


def source_lines(frame: FrameType | None, until: Collection[str] = ()) -> list[SourceLine]:
    """The innermost line of a cell or a loss, if it is the package's own, and the innermost line of the user's.

    Nothing is looked for beyond a function of the package that is named in `until`.
    """
    lines: list[SourceLine] = []
    while frame is not None:
        top, _, rest = str(frame.f_globals.get("__name__", "")).partition(".")
        if top != PACKAGE:
            return [*lines, _source_line(frame)]
        if frame.f_code.co_qualname in until:
            return lines
        if not lines and WRITTEN_LIKE_A_USERS.intersection(rest.split(".")):
            lines.append(_source_line(frame))
        frame = frame.f_back
    return lines


def _source_line(frame: FrameType) -> SourceLine:
    code = frame.f_code
    function = "" if code.co_name == "<module>" else code.co_qualname.rpartition("<locals>.")[2]
    text = linecache.getline(code.co_filename, frame.f_lineno, frame.f_globals).strip()
    return SourceLine(function, PurePath(code.co_filename).name, frame.f_lineno, text)
