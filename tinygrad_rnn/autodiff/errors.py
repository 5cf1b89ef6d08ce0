"""The two errors of the tape: values that do not fit, and questions asked at the wrong moment.

Both carry a note, shown below the message, with the line of the reader's own code that led to them. It is
looked up when an error is made, and costs nothing before.
"""

from __future__ import annotations

import linecache
import sys
from pathlib import PurePath
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from .tape import Tape

PACKAGE = __name__.partition(".")[0]
WRITTEN_LIKE_A_USERS = {"cells", "losses"}  # parts of the package that hold what a user could have written

E = TypeVar("E", bound=BaseException)


class ShapeError(ValueError):
    """Arrays that an op cannot combine: says what was given, what must hold and what to do.

    Attributes
    ----------
    tape : Tape or None
        What had been recorded, if it arose while a time step was being recorded: `tinygrad_rnn.draw` draws it.
    """

    tape: Tape | None = None

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        noted(self)


class TapeError(RuntimeError):
    """A question the tape cannot answer in its present state, and what to do first.

    Attributes
    ----------
    tape : Tape or None
        What had been recorded, if it arose while a time step was being recorded: `tinygrad_rnn.draw` draws it.
    """

    tape: Tape | None = None

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        noted(self)


def noted(error: E) -> E:
    """The error, with a note of the lines of a cell and of the user's that led to it."""
    for line in _lines(sys._getframe(1)):
        error.add_note(line)
    return error


def keep(error: BaseException, tape: Tape) -> None:
    """Let an error that arose in a time step say what had been recorded: every error, a user's own, too."""
    if getattr(error, "tape", None) is None:
        error.__dict__["tape"] = tape
        error.add_note("  What was recorded until then can be drawn: tinygrad_rnn.draw(error.tape)")


def _lines(frame: FrameType | None) -> list[str]:
    """The innermost line of a cell or a loss, if it is the package's own, and the innermost line of the user's."""
    lines: list[str] = []
    while frame is not None:
        top, _, rest = str(frame.f_globals.get("__name__", "")).partition(".")
        if top != PACKAGE:
            return [*lines, _line(frame)]
        if not lines and WRITTEN_LIKE_A_USERS.intersection(rest.split(".")):
            lines.append(_line(frame))
        frame = frame.f_back
    return lines


def _line(frame: FrameType) -> str:
    code = frame.f_code
    function = "" if code.co_name == "<module>" else f"{code.co_qualname.rpartition('<locals>.')[2]}, "
    text = linecache.getline(code.co_filename, frame.f_lineno, frame.f_globals).strip()
    return f"  in {function}{PurePath(code.co_filename).name}:{frame.f_lineno}{': ' if text else ''}{text}"
