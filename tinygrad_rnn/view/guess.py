"""A reader's guess at a step's number: right or, if not, what it lacks. The terminal and the page ask here."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from .trace import Moment

# How far off is near enough, by itself and as a part of the number: who rounds to two decimals, or to two digits, on
# the way gets there.
NEAR = 0.0051, 0.02
SAYS = (
    "Right: {}.",
    "The size is right, the sign is not.",
    "One term is missing: {}.",
    "One term has the wrong sign: {}.",
)


class Answer(NamedTuple):
    """A span of numbers, and the verdict on a guess that lies in it; it begins with ``Right`` if it is right."""

    low: float
    high: float
    verdict: str


def question(m: Moment) -> str:
    """What is asked before the step is shown; empty if there is nothing to ask."""
    if m.value is None:
        return ""
    return f"What is {f'entry {m.entry} of ' if m.entry else ''}the result?"


def veiled(m: Moment) -> Moment:
    """The step without what is asked for."""
    return replace(m, result=(m.result[0], "?"), after="?" if m.after else "", worked="?")


def answers(m: Moment) -> list[Answer]:
    """The guesses that are foreseen, the likeliest first: the first one whose span a guess lies in is meant."""
    return [Answer(*_near(number), SAYS[kind].format(what)) for number, kind, what in foreseen(m)]


def foreseen(m: Moment) -> list[tuple[float, int, str]]:
    """The numbers that are foreseen, which of `SAYS` each means, and of what: each number once."""
    found = [each for each in _foreseen(m) if all(map(math.isfinite, _near(each[0])))]
    first = {number: (number, kind, what) for number, kind, what in reversed(found)}
    return [each for each in found if first[each[0]] == each]


def judge(m: Moment, said: str) -> str:
    """The verdict on what a reader has typed."""
    try:
        guess = float(said.strip().replace("−", "-").replace(",", "."))
    except ValueError:
        return "Write a number, such as −0.25."
    verdicts = (answer.verdict for answer in answers(m) if answer.low <= guess <= answer.high)
    return next(verdicts, f"Not {said.strip()}. Work out {m.text} with the numbers of the step before.")


def _foreseen(m: Moment) -> Iterator[tuple[float, int, str]]:
    if m.value is None:
        return
    yield m.value, 0, m.worked.rpartition(" = ")[2]
    yield -m.value, 1, ""
    for term, worth in m.terms:
        yield m.value - worth, 2, term
    for term, worth in m.terms:
        yield m.value - 2 * worth, 3, term


def _near(number: float) -> tuple[float, float]:
    off = max(NEAR[0], NEAR[1] * abs(number))
    return number - off, number + off
