"""A reader's guess at a step's number: right or, if not, what it lacks. The page's script says the same."""

from __future__ import annotations

from dataclasses import replace

from .trace import Moment


def question(m: Moment) -> str:
    """What is asked before the step is shown; empty if there is nothing to ask."""
    if m.value is None:
        return ""
    return f"What is {f'entry {m.entry} of ' if m.entry else ''}the result? (Enter shows it) "


def veiled(m: Moment) -> Moment:
    """The step without what is asked for."""
    return replace(m, result=(m.result[0], "?"), after="?" if m.after else "", worked="?")


def judge(m: Moment, said: str) -> str:
    """The verdict on a guess; it begins with ``Right`` if it is right."""
    try:
        guess = float(said.strip().replace("−", "-").replace(",", "."))
    except ValueError:
        return "Write a number, such as −0.25."
    value = m.value or 0.0
    if _near(guess, value):
        return f"Right: {m.worked.rpartition(' = ')[2]}."
    if _near(guess, -value):
        return "The size is right, the sign is not."
    for term, worth in m.terms:
        if _near(guess, value - worth):
            return f"One term is missing: {term}."
    for term, worth in m.terms:
        if _near(guess, value - 2 * worth):
            return f"One term has the wrong sign: {term}."
    return f"Not {said.strip()}. Work out {m.text} with the numbers of the step before."


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= max(0.0051, 0.02 * abs(b))
