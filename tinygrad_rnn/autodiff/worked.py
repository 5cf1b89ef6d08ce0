"""A formula with its numbers: terms, from which its text is written and its value is computed again."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Union

import numpy as np
from numpy.typing import NDArray

from .notation import ROWS, half_a_digit, number, rounded

MOST = 12  # more digits than are shown anyway: a number in double precision has hardly more


class Term(NamedTuple):
    """What is done with some parts.

    Attributes
    ----------
    sign : str
        A key of `VALUES`.
    parts : tuple
        What it is done with: terms, numbers, which are shown as they are rounded, and the formula's own constants,
        which are texts.
    """

    sign: str
    parts: tuple[Part, ...]


Part = Union[Term, float, str]  # noqa: UP007  a name that is defined below itself stands in a text


def _iverson(holds: Callable[[float, float], bool]) -> Callable[..., float]:
    """Iverson's brackets: 1 where it holds from each to the next, else 0."""
    return lambda *values: float(all(holds(a, b) for a, b in pairwise(values)))


VALUES: dict[str, Callable[..., float]] = {
    "+": lambda *terms: sum(terms),
    "−": operator.sub,
    "·": lambda *factors: math.prod(factors),
    "/": operator.truediv,
    "^": math.pow,
    "e^": math.exp,
    "ln": math.log,
    "√": math.sqrt,
    "½": lambda v: 0.5 * v,
    "negative": operator.neg,
    "abs": abs,
    "sgn": lambda v: math.copysign(1, v) if v else 0.0,
    "σ": lambda v: 0.5 * math.tanh(0.5 * v) + 0.5,
    "tanh": math.tanh,
    "exp": math.exp,
    "max": max,
    "min": min,
    ">": _iverson(operator.gt),
    "<": _iverson(operator.lt),
    "=": _iverson(operator.eq),
    "≠": _iverson(operator.ne),
}
_BETWEEN = {"+": 1, "−": 1, "·": 2, "/": 2}  # how tightly what stands between its parts binds them
_BINDS = _BETWEEN | {"negative": 2, "½": 2} | dict.fromkeys(["^", "e^", "ln", "√"], 3)
_ALONE = 4  # what needs no brackets anywhere


def total(terms: Iterable[Part]) -> Part:
    """The sum of the terms."""
    found = tuple(terms)
    return Term("+", found) if len(found) > 1 else found[0] if found else "0"


def times(*factors: float) -> Term:
    """The product of some numbers."""
    return Term("·", tuple(map(float, factors)))


def dot(left: Iterable[float], right: Iterable[float]) -> Part:
    """The sum of products, number by number."""
    return total(times(a, b) for a, b in zip(left, right, strict=True))


def computed(part: Part, more: int) -> float:
    """The value, its numbers taken as they are shown with so many more digits than anyway; nan if it has none."""
    try:
        return _computed(part, more)
    except (ArithmeticError, ValueError):  # such as ln 0
        return math.nan


def _computed(part: Part, more: int) -> float:
    if isinstance(part, Term):
        return VALUES[part[0]](*[_computed(p, more) for p in part[1]])
    return float(part) if isinstance(part, str) else rounded(part, more)


def text(part: Part, more: int = 0) -> str:
    """The formula in plain text, its numbers with so many more digits than anyway."""
    if isinstance(part, str):
        return part
    if isinstance(part, float):
        return number(part, more)
    sign, parts = part
    if sign in _BETWEEN:
        binds = _BETWEEN[sign]
        return f" {sign} ".join(_operand(p, binds + (k > 0), more, k == 0) for k, p in enumerate(parts))
    match sign:
        case "negative":
            return f"−{_operand(parts[0], 3, more)}"
        case "½":
            return f"½ {_operand(parts[0], 3, more)}"
        case "^":
            power = "²" if parts[1] == "2" else f"^{text(parts[1], more)}"
            return f"{_operand(parts[0], _ALONE, more)}{power}"
        case "e^":
            return f"e^{text(parts[0], more)}"
        case "ln" | "√":
            return f"{sign.replace('ln', 'ln ')}{_operand(parts[0], _ALONE, more)}"
        case "abs":
            return f"|{text(parts[0], more)}|"
        case ">" | "<" | "=" | "≠":
            return f"[{f' {sign} '.join(text(p, more) for p in parts)}]"
    return f"{sign}({', '.join(text(p, more) for p in parts)})"


def _operand(part: Part, binds: int, more: int, first: bool = False) -> str:
    """A part as it stands beside a sign: in brackets if it is bound less tightly, or begins with a sign of its own."""
    written, is_term = text(part, more), isinstance(part, Term)
    loose = isinstance(part, Term) and _BINDS.get(part.sign, _ALONE) < binds
    return f"({written})" if loose or (written.startswith("−") and not (first and is_term)) else written


class Worked(NamedTuple):
    """A formula with its numbers, and how many more digits of them are shown than anyway."""

    formula: Part
    more: int

    def __str__(self) -> str:
        return text(self.formula, self.more)

    @property
    def terms(self) -> tuple[tuple[str, float], ...]:
        """The terms as they stand in the text, each with its value, if it is a sum; what has no value is left out."""
        if not isinstance(self.formula, Term) or self.formula.sign != "+":
            return ()
        each = ((_operand(term, 1, self.more), computed(term, self.more)) for term in self.formula.parts)
        return tuple((text, value) for text, value in each if math.isfinite(value))


def worked(formula: Part, value: float) -> Worked:
    """The formula with as many digits as it takes to give `value`."""
    return Worked(formula, closing((formula, value)))


def closing(*lines: tuple[Part, float]) -> int:
    """How many more digits close some formulas: from what is then shown, each gives its value as that is shown.

    A value that no digits give, such as one that rounding has left over, is not waited for.
    """
    wanted = [(formula, rounded(value), half_a_digit(value)) for formula, value in lines if math.isfinite(value)]
    if not _open(wanted, 0):
        return 0
    never = _open(wanted, MOST)
    wanted = [line for line in wanted if line not in never]
    return next(more for more in range(MOST + 1) if not _open(wanted, more))


def _open(lines: Iterable[tuple[Part, float, float]], more: int) -> list[tuple[Part, float, float]]:
    """The formulas that give another number than is shown, with so many more digits."""
    return [line for line in lines if not abs(computed(line[0], more) - line[1]) <= line[2]]


def closing_each(summands: Sequence[NDArray[Any]], whole: NDArray[Any]) -> list[int]:
    """The same for each entry of a sum of arrays, one after the other, of the rows that `array` shows."""
    each = np.array([(a[:ROWS] if a.ndim > 1 else a).ravel() for a in (*summands, whole)], float)
    found = np.full(each.shape[1], -1)
    # Most are closed by two digits more at most, which is seen of all at once: a wide layer has thousands of entries.
    with np.errstate(all="ignore"):
        decimal = ((np.abs(each) >= 0.0005) & (np.abs(each) < 10000) | (each == 0)).all(axis=0)
        for more in (2, 1, 0):
            scaled = each[:-1] * 10.0 ** (3 + more)
            surely = decimal & (np.abs(np.abs([*scaled, each[-1] * 1000]) % 1 - 0.5) > 1e-4).all(axis=0)
            off = np.rint(scaled).sum(axis=0) / 10.0**more - np.rint(each[-1] * 1000)
            found[surely & (np.abs(off) < 0.5)] = more
    return [
        int(known) if known >= 0 else closing((total(terms), value))
        for known, (*terms, value) in zip(found, each.T.tolist(), strict=True)
    ]
