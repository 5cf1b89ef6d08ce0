"""What gives just the numbers of a wrong answer.

A cause is named only if it gives exactly these numbers, for all arguments that the exercise is tried with. Causes are
the typical mistakes that the exercise lists (`Slip`), what can be done to a right answer as a whole, the solution with
any one of its rules changed (`sweep`), and, if it is none of them, two of these at once. Several that give the same
numbers are all named.
"""

from __future__ import annotations

import copy
import inspect
import itertools
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

import numpy as np

from .exercise import Exercise, Slip, defined
from .sweep import CLIPS, WHEN, changes

CLOCKS = ("t", "τ", "z")  # letters that count steps: of a cost, of a copy, of the lag between them
MOST_VALUES = 5  # codes, such as right, missing and wrong; more values are numbers
_T = TypeVar("_T")


class Tried(NamedTuple):
    """What came of one try: the arguments, the learner's answer and the right one."""

    case: tuple[Any, ...]
    yours: Any
    right: Any


class Stopped(NamedTuple):
    """In place of an answer: the function did not give one."""

    error: BaseException


def answer(function: Callable[..., Any], case: tuple[Any, ...]) -> Any:
    """What a function gives, or that it was stopped; what it does to its arguments, it does to copies."""
    try:
        return function(*copy.deepcopy(case))
    except BaseException as error:
        return Stopped(error)


def right_answer(exercise: Exercise, case: tuple[Any, ...], answers: dict[str, Any]) -> Any:
    """What is right: the oracle's answer or, where there is none, the solution's."""
    if exercise.oracle:
        return exercise.oracle(*copy.deepcopy(case))
    return answers[exercise.name](*copy.deepcopy(case)) if exercise.cases else answers[exercise.name]


def slips_of(exercise: Exercise, tries: list[Tried], solution: str) -> Iterator[Slip]:
    """The typical mistakes that give just these answers."""
    for slip in exercise.slips:
        if _gives(_with(exercise, solution, slip), tries, exercise.rtol):
            yield slip


def _with(exercise: Exercise, solution: str, *slips: Slip) -> Callable[..., Any]:
    """What a solution with such mistakes defines, as a function."""
    for slip in slips:
        solution = slip.made_in(solution)
    try:
        would = defined(solution)[exercise.name]
    except Exception as error:  # two edits may not make a program together
        stopped = Stopped(error)
        return lambda *_: stopped
    return would if exercise.cases else lambda: would


def causes_of(exercise: Exercise, tries: list[Tried], solution: str, until: float) -> list[str]:
    """What else gives just these answers, each cause once."""
    wholes = list(_of_a_whole(exercise, tries, defined(solution)[exercise.name]))
    found = [term for term, would in wholes if _alike(tries, would, exercise.rtol)]
    largest = {float(np.abs(t.yours).max()) for t in tries if is_finite(t.yours) and np.size(t.yours) > 1}
    clips = () if _are_counts(tries) else (*CLIPS, *largest - {0.0})
    for change in _in_time(changes(solution, exercise.name, exercise.parts, clips), until):
        is_told = any(term.startswith(change.term) or change.term in _in_some_passes(term) for term in found)
        is_sign = "the sign" in found and change.term.endswith("its sign")
        if not is_told and not is_sign and _gives(change.call, tries, exercise.rtol):
            found.append(change.term)
    return list(dict.fromkeys(found))


def _in_some_passes(term: str) -> list[str]:
    return [term + when for when in WHEN.values()]


def pairs_of(exercise: Exercise, tries: list[Tried], solution: str, until: float) -> list[str]:
    """Two mistakes at once that give just these answers.

    They are thousands, so a few whole numbers are met by chance. What people write most is looked at first, and what is
    found there is all: further pairs are the same two in other words.
    """
    if not _are_counts(tries):
        for pairs in (_two_slips, _one_in_a_whole, _one_beside_a_slip):
            found = list(dict.fromkeys(pairs(exercise, tries, solution, until)))
            if found:
                return found
    return []


def _two_slips(exercise: Exercise, tries: list[Tried], solution: str, until: float) -> Iterator[str]:
    for first, second in _in_time(itertools.combinations(exercise.slips, 2), until):
        for one, other in ((first, second), (second, first)):
            is_possible = other.old in one.made_in(solution)
            if is_possible and _gives(_with(exercise, solution, one, other), tries, exercise.rtol):
                yield f"{first.term}, and {second.term}"


def _one_in_a_whole(exercise: Exercise, tries: list[Tried], solution: str, until: float) -> Iterator[str]:
    wholes = list(_of_a_whole(exercise, tries, defined(solution)[exercise.name]))
    slips = ((slip.term, _with(exercise, solution, slip)) for slip in exercise.slips)
    rules = ((change.term, change.call) for change in changes(solution, exercise.name, exercise.parts, ()))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for term, call in _in_time(itertools.chain(slips, rules), until):
            halves = [tried._replace(right=answer(call, tried.case)) for tried in tries]
            if not any(isinstance(half.right, Stopped) or not is_finite(half.right) for half in halves):
                yield from (f"{term}, and {whole}" for whole, w in wholes if _alike(halves, w, exercise.rtol))


def _one_beside_a_slip(exercise: Exercise, tries: list[Tried], solution: str, until: float) -> Iterator[str]:
    for slip in exercise.slips:
        for change in _in_time(changes(slip.made_in(solution), exercise.name, exercise.parts, ()), until):
            if _gives(change.call, tries, exercise.rtol):
                yield f"{slip.term}, and {change.term}"


def _are_counts(tries: list[Tried]) -> bool:
    """Whether all that is asked for is whole numbers."""
    return all(is_finite(tried.right) and not (np.asarray(tried.right) % 1).any() for tried in tries)


def _in_time(found: Iterable[_T], until: float) -> Iterator[_T]:
    return itertools.takewhile(lambda _: time.monotonic() < until, found)


def _gives(call: Callable[..., Any], tries: list[Tried], rtol: float) -> bool:
    """Whether a function gives a learner's answers; a changed one may divide by zero, and says so to nobody."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return _alike(tries, lambda tried: answer(call, tried.case), rtol)


def _is_answer(tried: Tried) -> bool:
    """Whether a try says something of the cause: one that was stopped, or has another shape than is asked, need not."""
    return not isinstance(tried.yours, Stopped) and (isinstance(tried.right, str) or _has_shape(tried))


def _has_shape(tried: Tried) -> bool:
    try:
        return np.shape(tried.yours) == np.shape(tried.right)
    except ValueError:  # a list of unlike parts has none
        return False


def _of_a_whole(
    exercise: Exercise, tries: list[Tried], function: Callable[..., Any]
) -> Iterator[tuple[str, Callable[[Tried], Any]]]:
    """What can be done to a right answer as a whole."""
    yield "the sign", lambda tried: -tried.right
    ndim, axes = np.ndim(tries[0].right), exercise.axes
    for order in itertools.permutations(range(ndim)):
        if order != tuple(range(ndim)):
            letters = ", ".join(axes[k] for k in order) if axes else ""
            yield "the transpose" if ndim == 2 else f"the order of the axes: it is [{letters}]", _permuted(order)
    for axis in range(ndim):
        what = axes[axis] if axes else f"axis {axis}"
        of = "time" if axis == 0 and what in CLOCKS else "the entries" if ndim == 1 else f"the entries along {what}"
        yield f"the order of {of}: it is turned round", _turned(axis)
    if ndim and min(np.shape(tried.right)[0] for tried in tries) > 2:
        what = "time step" if axes[:1] in CLOCKS else "place"
        late = f"the {what}: everything comes one too late"
        yield late, lambda tried: np.concatenate([np.asarray(tried.yours)[:1], tried.right[:-1]])
        early = f"the {what}: everything comes one too early"
        yield early, lambda tried: np.concatenate([tried.right[1:], np.asarray(tried.yours)[-1:]])
    if ndim:
        of_first, of_last = exercise.first_t, exercise.first_t + len(tries[0].right) - 1
        what = axes[:1] or "entry"
        yield f"the first step, {what} = {of_first}: it is left at zero", _zeroed(0)
        yield f"the last step, {what} = {of_last}: it is left at zero", _zeroed(-1)
    if _are_counts(tries):
        values = sorted({float(v) for tried in tries for v in np.unique(tried.right)})
        for one, other in itertools.combinations(values, 2) if len(values) <= MOST_VALUES else ():
            yield f"the numbers {one:g} and {other:g}: each stands in the other's place", _exchanged(one, other)
        return
    seen: set[tuple[float, ...]] = set()
    for number, letter in enumerate(inspect.signature(function).parameters):
        for what, count in _counts(letter, tries[0].case[number]):
            sizes = tuple(count(tried.case[number]) for tried in tries)
            many = sizes[0]
            if many > 1 and sizes not in seen:
                seen.add(sizes)
                mean = f"a mean in place of the sum: everything is divided by {many:g}, {what}"
                yield mean, _scaled(number, count, -1)
                total = f"a sum in place of the mean: everything is multiplied by {many:g}, {what}"
                yield total, _scaled(number, count, 1)


def _counts(letter: str, given: Any) -> Iterator[tuple[str, Callable[[Any], float]]]:
    """What a sum may be divided by: the sizes of what was given, and whole numbers."""
    if isinstance(given, np.ndarray):
        for several in range(1, given.ndim + 1):
            for axes in itertools.combinations(range(given.ndim), several):
                which = f"axis {axes[0]}" if several == 1 else f"the axes {axes}"
                yield f"the size of {letter} along {which}", _size(axes)
    elif isinstance(given, list):
        yield f"the length of {letter}", lambda value: float(len(value))
    elif isinstance(given, int):
        yield letter, float
        yield f"{letter} + 1", lambda value: value + 1.0


def _size(axes: tuple[int, ...]) -> Callable[[Any], float]:
    return lambda value: float(np.prod([value.shape[k] for k in axes]))


def _turned(axis: int) -> Callable[[Tried], Any]:
    return lambda tried: np.flip(tried.right, axis)


def _zeroed(row: int) -> Callable[[Tried], Any]:
    def would(tried: Tried) -> Any:
        changed = np.array(tried.right, dtype=float)
        changed[row] = 0.0
        return changed

    return would


def _exchanged(one: float, other: float) -> Callable[[Tried], Any]:
    return lambda tried: np.select([tried.right == one, tried.right == other], [other, one], tried.right)


def _permuted(order: tuple[int, ...]) -> Callable[[Tried], Any]:
    return lambda tried: np.transpose(tried.right, order)


def _scaled(number: int, count: Callable[[Any], float], power: int) -> Callable[[Tried], Any]:
    return lambda tried: tried.right * count(tried.case[number]) ** power


def _alike(tries: list[Tried], would: Callable[[Tried], Any], rtol: float) -> bool:
    """Whether a cause gives a learner's answers, in the try that is wrong and all others that tell."""
    for tried in tries:
        if tried is tries[0] or _is_answer(tried):
            try:
                if not is_equal(tried.yours, would(tried), rtol):
                    return False
            except (ValueError, TypeError, IndexError):  # it cannot be done to what is right
                return False
    return True


def described(tries: list[Tried]) -> str:
    """What holds of all numbers, where the cause is not known."""
    known = [tried for tried in tries if _is_answer(tried)]
    if sum(np.size(tried.right) for tried in known) < 2:  # between two single numbers there is always a factor
        return ""
    pairs = [(np.asarray(tried.yours, dtype=float), np.asarray(tried.right, dtype=float)) for tried in known]
    factors = [_ratio(got, true) for got, true in pairs]
    if factors[0] is not None and all(k is not None and np.isclose(k, factors[0]) for k in factors):
        return f"a factor: everything is {factors[0]:.6g} times what is right"
    first = float((pairs[0][0] - pairs[0][1]).flat[0])
    if first and all(is_close(got - first, true) for got, true in pairs):
        return f"a number that is added: everything is {abs(first):.6g} too {'large' if first > 0 else 'small'}"
    return ""


def places(exercise: Exercise, got: Any, true: Any, solution: str) -> str:
    """Which of several predicted numbers are wrong, as the mistakes call them that change one of them alone."""
    if got.ndim != 1 or true.ndim != 1:
        return ""
    if len(got) != len(true):
        return f"the number of entries: {len(got)} in place of {len(true)}"
    if sorted(got) == sorted(true):
        return "the order of the entries"
    called: dict[int, str] = {}
    for slip in exercise.slips:
        would = np.asarray(defined(slip.made_in(solution))[exercise.name], dtype=float)
        changed = np.flatnonzero(would != true) if would.shape == true.shape else np.zeros(0, int)
        if len(changed) == 1:
            called[int(changed[0])] = slip.term
    return ", ".join(called.get(int(k), f"entry {k + 1}") for k in np.flatnonzero(got != true))


# ---- numbers


def is_equal(yours: Any, would: Any, rtol: float) -> bool:
    """Whether two answers are the same."""
    if isinstance(would, str) or isinstance(yours, str):
        return isinstance(would, str) and isinstance(yours, str) and yours.strip().lower() == would.lower()
    try:
        got, true = np.asarray(yours, dtype=float), np.asarray(would, dtype=float)
    except (TypeError, ValueError):
        return False
    return got.shape == true.shape and is_close(got, true, rtol)


def is_finite(value: Any) -> bool:
    """Whether an answer has numbers alone, and none that is NaN or without end."""
    try:
        return bool(np.isfinite(np.asarray(value, dtype=float)).all())
    except (TypeError, ValueError):
        return False


def off(a: Any, b: Any, rtol: float) -> Any:
    """Where two arrays differ by more than a part of the largest entry."""
    largest = float(np.abs(b[np.isfinite(b)]).max(initial=0.0))
    return ~np.isclose(a, b, rtol=0, atol=rtol * max(1e-3, largest))


def is_close(a: Any, b: Any, rtol: float = 1e-7) -> bool:
    """Whether two arrays are the same."""
    return not off(a, b, rtol).any()


def _ratio(got: Any, true: Any) -> float | None:
    """The one factor between two arrays, or None."""
    size = float((true * true).sum())
    ratio = float((got * true).sum() / size) if size else 0.0
    return ratio if ratio and np.isfinite(ratio) and is_close(got, ratio * true) else None
