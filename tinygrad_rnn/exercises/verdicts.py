"""What is wrong with an answer: the first thing that is, named, and not just that something is."""

from __future__ import annotations

import math
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import kinds
from .causes import (
    CLOCKS,
    Stopped,
    Tried,
    answer,
    causes_of,
    described,
    is_close,
    is_equal,
    is_finite,
    off,
    pairs_of,
    places,
    right_answer,
    slips_of,
)
from .exercise import Exercise, Slip, defined

MOST_SAID = 300  # characters of an error's own text, or of an answer
UNKNOWN = "; which mistake this is, is not known"
RIGHT, EMPTY, WRONG, ERROR, LATE = "right", "not written yet", "wrong", "stopped", "not reached"


@dataclass(frozen=True)
class Verdict:
    """What the check says of one exercise.

    Attributes
    ----------
    name, status : str
        Which exercise, and one of ``right``, ``not written yet``, ``wrong``, ``stopped``, ``not reached``.
    equation, term : str
        What is wrong, where it is known.
    t : int or None
        The first time step that is wrong, in the order of the computation.
    clock : str
        The letter that counts it.
    says : str
        What was found, in a sentence.
    hints : tuple of str
        From a nudge to nearly the answer.
    """

    name: str
    status: str
    equation: str = ""
    t: int | None = None
    term: str = ""
    says: str = ""
    hints: tuple[str, ...] = ()
    clock: str = "t"


def judge(exercise: Exercise, names: dict[str, Any], path: Path, solution: str, seconds: float = math.inf) -> Verdict:
    """Hold what a learner has written against what is right; no cause is looked for after so many seconds."""
    written, answers = names.get(exercise.name), defined(solution)
    if written is None or written is Ellipsis or (exercise.cases and kinds.is_blank(written)):
        return Verdict(exercise.name, EMPTY, hints=exercise.hints)
    if exercise.cases:
        kind = kinds.of_function(exercise.name, written, answers[exercise.name], exercise.cases[0])
        if kind:
            return _verdict(exercise, kind.says, term=kind.term)
    remark = ""
    for number, case in enumerate(exercise.cases or [()]):
        yours = answer(written, case) if exercise.cases else written
        right = right_answer(exercise, case, answers)
        if isinstance(yours, Stopped):
            return _stopped(exercise, yours.error, path, kinds.given(written, case), right)
        kind = kinds.of_answer(exercise.name, yours, right, exercise.axes, written)
        if kind:
            return _verdict(exercise, kind.says, term=kind.term)
        if not is_equal(yours, right, exercise.rtol):
            others = [c for k, c in enumerate(exercise.cases) if k != number]
            more = [Tried(c, answer(written, c), right_answer(exercise, c, answers)) for c in others]
            return _wrong(exercise, [Tried(case, yours, right), *more], solution, time.monotonic() + seconds)
        remark = remark or kinds.remark(yours, right)
    return Verdict(exercise.name, RIGHT, says=remark)


def _verdict(
    exercise: Exercise, says: str, t: int | None = None, slips: tuple[Slip, ...] = (), term: str = ""
) -> Verdict:
    equation = " or ".join(dict.fromkeys(slip.equation or exercise.equation for slip in slips)) or exercise.equation
    term = ", or ".join(dict.fromkeys(slip.term for slip in slips)) or term
    hints = slips[0].hints if slips else exercise.hints
    return Verdict(exercise.name, WRONG, equation, t, term, says, hints, exercise.axes[:1] or "t")


def _stopped(exercise: Exercise, error: BaseException, path: Path, given: str, right: Any) -> Verdict:
    """The function raised an error."""
    if isinstance(error, NotImplementedError):
        return Verdict(exercise.name, EMPTY, hints=exercise.hints)
    says = f"{told(error, path)}. It was called with {given}, and must give {kinds.wanted(right, exercise.axes)}"
    return Verdict(exercise.name, ERROR, exercise.equation, term="an error", says=says, hints=exercise.hints)


def _wrong(exercise: Exercise, tries: list[Tried], solution: str, until: float) -> Verdict:
    """What is wrong with an answer, the first of the tries."""
    _, yours, right = tries[0]
    slips = tuple(slips_of(exercise, tries, solution))
    if isinstance(right, str):
        return _verdict(exercise, f"{_beginning(repr(yours))} is not right{'' if slips else UNKNOWN}", slips=slips)
    got, true = np.asarray(yours, dtype=float), np.asarray(right, dtype=float)
    if not exercise.cases:
        term = "" if slips else places(exercise, got, true, solution)
        says = f"{_shown(got)} is not right" + ("" if slips or term else UNKNOWN)
        return _verdict(exercise, says, slips=slips, term=term)
    causes = causes_of(exercise, tries, solution, until) if is_finite(got) else []
    if got.shape != true.shape:
        kind = kinds.of_shape(got, true, exercise.axes, exercise.first_t, lambda a, b: is_close(a, b, exercise.rtol))
        term = ", or ".join(causes) if causes and kind.term == "the shape" else kind.term
        return _verdict(exercise, kind.says, slips=slips, term=term)
    at = _first_wrong(exercise, got, true)
    t = at[0] + exercise.first_t if exercise.axes[:1] in CLOCKS else None
    counted = [k + 1 for k in at] if t is None else [t, *(k + 1 for k in at[1:])]
    place = ", ".join(f"{letter} = {k}" for letter, k in zip(exercise.axes, counted, strict=False))
    says = f"at {place} you have" if place else "you have"
    says += f" {float(got[at]):.6g}, and {float(true[at]):.6g} is right"
    if slips:
        others = [cause for cause in causes if cause not in [slip.term for slip in slips]]
        return _verdict(exercise, says + (f"; the same comes of: {', or '.join(others)}" if others else ""), t, slips)
    if not is_finite(got):
        first = got[at] if not np.isfinite(got[at]) else got[~np.isfinite(got)][0]
        term = "no number" if np.isnan(first) else "a number without end"
        says += f"; {first:g} comes of 0/0, of a root or logarithm of less than 0, or of what has overflowed"
        return _verdict(exercise, says, t, term=term)
    causes = causes or pairs_of(exercise, tries, solution, until)
    term = ", or ".join(causes) or described(tries)
    return _verdict(exercise, says + ("" if term else UNKNOWN), t, term=term)


def _first_wrong(exercise: Exercise, got: Any, true: Any) -> tuple[int, ...]:
    """The first entry that is wrong: along time in the order of the computation, then in the order of the indices."""
    wrong = np.argwhere(off(got, true, exercise.rtol))
    if exercise.axes[:1] in CLOCKS and exercise.backwards:
        wrong = wrong[wrong[:, 0] == wrong[:, 0].max()]
    return tuple(int(k) for k in wrong[0]) if len(wrong) else (0,) * true.ndim


def _shown(value: Any) -> str:
    if value.ndim == 0:
        return f"{value:g}"
    return _beginning(str(tuple(float(v) if v % 1 else int(v) for v in value.flat)))


def _beginning(text: str) -> str:
    return text if len(text) <= MOST_SAID else f"{text[:MOST_SAID]} ..."


def told(error: BaseException, path: Path) -> str:
    """An error of the learner's file in one line, with the line of that file."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    where = f"line {lines[-1]}" if lines else "your file"
    if isinstance(error, SystemExit):
        return f"{where} ends the program: take exit() out"
    text = _beginning(str(error).split("\n")[0])
    return f"{where} raises {type(error).__name__}{': ' if text else ''}{text}"
