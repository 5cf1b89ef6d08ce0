"""A reader's guess at a step's number: right or, if not, what it lacks. The terminal and the page ask here."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from .trace import Moment

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
    found = [each for each in _foreseen(m) if math.isfinite(1.02 * each[0])]
    first = {number: (number, kind, what) for number, kind, what in reversed(found)}
    return [each for each in found if first[each[0]] == each]


def otherwise(m: Moment) -> str:
    """What is said about a guess that is none of these."""
    return f"Work out {m.text} with the numbers of the step before."


def judge(m: Moment, said: str) -> str:
    """The verdict on what a reader has typed."""
    try:
        guess = float(said.strip().replace("−", "-").replace(",", "."))
    except ValueError:
        return "Write a number, such as −0.25."
    verdicts = (answer.verdict for answer in answers(m) if answer.low <= guess <= answer.high)
    return next(verdicts, f"Not {said.strip()}. {otherwise(m)}")


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
    """Near enough is what somebody gets who rounds to two decimals, or to two digits, on the way."""
    off = max(0.0051, 0.02 * abs(number))
    return number - off, number + off
