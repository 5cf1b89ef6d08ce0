"""Exercises: what a lesson asks.

A lesson's exercises are a folder ``lessons/exercises/NN`` with three files: ``blank.py`` is what a learner starts from,
``solution.py`` is right, and ``check.py`` lists an `Exercise` for each name that the learner writes. Typical mistakes
are `Slip` objects: edits of the solution, so that what a mistake gives is computed and not written down.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..exchange.files import write_whole
from ..view.lessons import FOLDERS


@dataclass(frozen=True)
class Slip:
    """A typical mistake.

    Attributes
    ----------
    old, new : str
        The edit of the solution that makes it.
    term : str
        What is wrong, named as it is in the equation.
    hints : tuple of str
        What to tell a learner who made it, clearer each time.
    first : int or None
        The time step at which it shows first in the first case.
    equation : str
        The equation, if it is another one than the exercise's.
    """

    old: str
    new: str
    term: str
    hints: tuple[str, ...]
    first: int | None = None
    equation: str = ""

    def made_in(self, solution: str) -> str:
        """The solution with this mistake in it."""
        return solution.replace(self.old, self.new)


@dataclass(frozen=True)
class Exercise:
    """One name that a learner writes: a function, or a value that is to be predicted.

    Attributes
    ----------
    name : str
        The name.
    asks : str
        What it must be, in one line.
    equation : str
        The equation it is about, such as ``(26)``.
    cases : sequence of tuple
        The arguments it is tried with; empty for a value.
    oracle : callable or None
        The right answer for these arguments; that of the solution if there is no other witness.
    axes : str
        A letter for each axis of the answer: ``tpj``. A first axis ``t``, ``τ`` or ``z`` is time: that of a cost, that
        of a copy, or the lag between the two.
    first_t : int
        The time of the first entry along it.
    backwards : bool
        Whether time is gone through from the last step to the first.
    rtol : float
        How far off an answer may be, as a part of the largest entry; more where numbers are measured.
    hints : tuple of str
        For a mistake that is none of the slips.
    slips : tuple of Slip
        The mistakes that are known.
    parts : mapping from str to str
        What pieces of the solution are called, where a verdict would else name them by the letters that they read.
    """

    name: str
    asks: str
    equation: str
    hints: tuple[str, ...]
    cases: Sequence[tuple[Any, ...]] = ()
    oracle: Callable[..., Any] | None = None
    axes: str = ""
    first_t: int = 1
    backwards: bool = False
    rtol: float = 1e-7
    slips: tuple[Slip, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Folder:
    """The exercises of one lesson."""

    path: Path

    @property
    def number(self) -> int:
        """The lesson's number."""
        return int(self.path.name)

    @property
    def blank(self) -> str:
        """What a learner starts from."""
        return (self.path / "blank.py").read_text(encoding="utf-8")

    @property
    def solution(self) -> str:
        """A file that is right."""
        return (self.path / "solution.py").read_text(encoding="utf-8")

    @property
    def exercises(self) -> tuple[Exercise, ...]:
        """What ``check.py`` lists."""
        return tuple(runpy.run_path(str(self.path / "check.py"))["EXERCISES"])

    @property
    def invitation(self) -> str:
        """What stands below the lesson, in Markdown: what is asked, and how to begin."""
        asked = [f"{k}. `{e.name}`: {e.asks}" for k, e in enumerate(self.exercises, start=1)]
        return "\n".join(
            [
                "## Your turn",
                "",
                *asked,
                "",
                f"`tinygrad-rnn exercise {self.number} --start` writes a file for you to fill in.",
                f"`tinygrad-rnn exercise {self.number} --check` names the first thing in it that is wrong.",
            ]
        )

    def start(self, path: Path) -> Path:
        """Write the blank file.

        Raises
        ------
        FileExistsError
            If there is such a file: nobody's work is overwritten.
        """
        return write_whole(path, self.blank.encode)


def folders() -> list[Folder]:
    """The exercises there are, in the order of the lessons."""
    for place in FOLDERS:
        found = sorted(place.glob("exercises/[0-9][0-9]"))
        if found:
            return [Folder(path) for path in found]
    return []


def defined(source: str) -> dict[str, Any]:
    """The names that a solution defines."""
    names: dict[str, Any] = {"__name__": "solution"}
    exec(compile(source, "solution", "exec"), names)
    return names
