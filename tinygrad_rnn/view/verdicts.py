"""What is wrong with an answer: the first thing that is, named, and not just that something is."""

from __future__ import annotations

import copy
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .exercises import Exercise, Slip

CLOCKS = ("t", "τ", "z")  # letters that count steps: of a cost, of a copy, of the lag between them
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


def judge(exercise: Exercise, names: dict[str, Any], path: Path, solution: str) -> Verdict:
    """Hold what a learner has written against what is right."""
    written = names.get(exercise.name)
    if exercise.name not in names or written is None or written is Ellipsis:
        return Verdict(exercise.name, EMPTY, hints=exercise.hints)
    if exercise.cases and not callable(written):
        return Verdict(exercise.name, WRONG, says=f"{exercise.name} must be a function")
    answers = _defined(solution)
    for case in exercise.cases or [()]:
        try:
            yours = written(*copy.deepcopy(case)) if exercise.cases else written
        except NotImplementedError:
            return Verdict(exercise.name, EMPTY, hints=exercise.hints)
        except BaseException as error:
            return Verdict(exercise.name, ERROR, exercise.equation, says=told(error, path), hints=exercise.hints)
        if yours is None or yours is Ellipsis:
            return Verdict(exercise.name, EMPTY, hints=exercise.hints)
        right = exercise.oracle(*copy.deepcopy(case)) if exercise.oracle else _answer(answers, exercise, case)
        wrong = _compare(exercise, case, yours, right, solution)
        if wrong:
            return wrong
    return Verdict(exercise.name, RIGHT)


def _defined(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "solution"}
    exec(compile(source, "solution", "exec"), names)
    return names


def _answer(names: dict[str, Any], exercise: Exercise, case: tuple[Any, ...]) -> Any:
    return names[exercise.name](*copy.deepcopy(case)) if exercise.cases else names[exercise.name]


def _compare(exercise: Exercise, case: tuple[Any, ...], yours: Any, right: Any, solution: str) -> Verdict | None:
    """What is wrong with an answer, or None."""

    def verdict(says: str, t: int | None = None, slip: Slip | None = None, term: str = "") -> Verdict:
        source = slip or exercise
        equation = (slip.equation if slip else "") or exercise.equation
        term = slip.term if slip else term
        return Verdict(exercise.name, WRONG, equation, t, term, says, source.hints, exercise.axes[:1] or "t")

    if isinstance(right, str):
        if isinstance(yours, str) and yours.strip().lower() == right.lower():
            return None
        return verdict(f"{yours!r} is not right", slip=_known(exercise, case, yours, solution))
    try:
        got, true = np.asarray(yours, dtype=float), np.asarray(right, dtype=float)
    except (TypeError, ValueError):
        return verdict(f"{exercise.name} gives {type(yours).__name__}; it must give numbers of shape {np.shape(right)}")
    slip = _known(exercise, case, got, solution)
    if got.shape != true.shape:
        turned = got.T.shape == true.shape and _close(got.T, true, exercise.rtol)
        axes = f", [{', '.join(exercise.axes)}]" if exercise.axes else ""
        says = f"the shape is {got.shape} and must be {true.shape}{axes}" + ("; it is the transpose" * turned)
        if not exercise.cases:
            says = f"{_shown(got)} is not right"
        return verdict(says, slip=slip, term="the transpose" if turned else "the shape")
    if _close(got, true, exercise.rtol):
        return None
    if not exercise.cases:
        return verdict(f"{_shown(got)} is not right", slip=slip)
    at = _first_wrong(exercise, got, true)
    t = at[0] + exercise.first_t if exercise.axes[:1] in CLOCKS else None
    counted = [k + 1 for k in at] if t is None else [t, *(k + 1 for k in at[1:])]
    place = ", ".join(f"{letter} = {k}" for letter, k in zip(exercise.axes, counted, strict=False))
    says = f"at {place} you have" if place else "you have"
    says += f" {float(got[at]):.6g}, and {float(true[at]):.6g} is right"
    term = ""
    if slip is None:
        ratio = _ratio(got, true)
        if ratio is not None and abs(ratio + 1) < 1e-6:
            term = "the sign"
        elif ratio is not None and got.size > 1:  # between two single numbers there is always a factor
            term = f"a factor: everything is {ratio:.6g} times what is right"
        elif got.ndim == 2 and got.shape[0] == got.shape[1] and _close(got.T, true, exercise.rtol):
            term = "the transpose"
    return verdict(says, t, slip, term)


def _known(exercise: Exercise, case: tuple[Any, ...], yours: Any, solution: str) -> Slip | None:
    """The typical mistake that gives just this answer."""
    for slip in exercise.slips:
        try:
            would = _answer(_defined(solution.replace(slip.old, slip.new)), exercise, case)
        except Exception:  # with these shapes, this mistake cannot even be computed
            continue
        if isinstance(would, str) or isinstance(yours, str):
            if isinstance(would, str) and isinstance(yours, str) and would == yours:
                return slip
        elif np.shape(would) == np.shape(yours) and _close(
            np.asarray(yours), np.asarray(would, dtype=float), exercise.rtol
        ):
            return slip
    return None


def _off(a: Any, b: Any, rtol: float) -> Any:
    """Where two arrays differ by more than a part of the largest entry."""
    return ~np.isclose(a, b, rtol=0, atol=rtol * max(1e-3, float(np.abs(b).max(initial=0.0))))


def _close(a: Any, b: Any, rtol: float = 1e-7) -> bool:
    return not _off(a, b, rtol).any()


def _first_wrong(exercise: Exercise, got: Any, true: Any) -> tuple[int, ...]:
    """The first entry that is wrong: along time in the order of the computation, then in the order of the indices."""
    wrong = np.argwhere(_off(got, true, exercise.rtol))
    if exercise.axes[:1] in CLOCKS and exercise.backwards:
        wrong = wrong[wrong[:, 0] == wrong[:, 0].max()]
    return tuple(int(k) for k in wrong[0]) if len(wrong) else (0,) * true.ndim


def _ratio(got: Any, true: Any) -> float | None:
    """The one factor between two arrays, or None."""
    size = float((true * true).sum())
    ratio = float((got * true).sum() / size) if size else 0.0
    return ratio if ratio and np.isfinite(ratio) and _close(got, ratio * true) else None


def _shown(value: Any) -> str:
    return f"{value:g}" if value.ndim == 0 else str(tuple(float(v) if v % 1 else int(v) for v in value.flat))


def told(error: BaseException, path: Path) -> str:
    """An error of the learner's file in one line, with the line of that file."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    where = f"line {lines[-1]}" if lines else "your file"
    if isinstance(error, SystemExit):
        return f"{where} ends the program: take exit() out"
    text = str(error).split("\n")[0]
    return f"{where} raises {type(error).__name__}{': ' if text else ''}{text}"
