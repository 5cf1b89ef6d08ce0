"""Ops in LaTeX: the value and the shares in symbols, and one entry of them with its numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from .notation import factor, number
from .op import Array, Index, Op


def value(op: Op, args: Sequence[str]) -> str:
    """The value, with the arguments called `args`."""
    return op.latex(*args) if callable(op.latex) else op.latex.format(*args)


def share(op: Op, slot: int, g: str, y: str, args: Sequence[str]) -> str:
    """The share of argument `slot`, `g` and `y` being the names of cotangent and value."""
    named = {} if slot in op.rules else {"slot": slot}
    latex = (op.rules.get(slot) or op.rules[None]).latex
    return latex(*args, g=g, y=y, **named) if callable(latex) else latex.format(*args, g=g, y=y)


def value_entry(op: Op, index: Index, args: Sequence[Array]) -> str:
    """Entry `index` of the value, with its numbers.

    An op that says nothing else works entry by entry: its formula then holds for the numbers too.
    """
    if op.unit is not None:
        return op.unit(index, *args)
    if op.moves:
        return number(float(op.value(*args)[index]))
    return _scalar(value(op, [_entry(a, index) for a in args]))


def share_entry(op: Op, slot: int, index: Index, g: Array, y: Array, args: Sequence[Array]) -> str:
    """Entry `index` of the share of argument `slot`, with its numbers."""
    named = {} if slot in op.rules else {"slot": slot}
    rule = op.rules.get(slot) or op.rules[None]
    if rule.unit is not None:
        return rule.unit(index, g, y, *args, **named)
    if op.moves:
        return number(float(np.asarray(op.share(slot, g, y, args))[index]))
    at = [_entry(a, index) for a in (g, y, *args)]
    return _scalar(share(op, slot, at[0], at[1], at[2:]))


def _entry(array: Array, index: Index) -> str:
    return factor(float(array[index if array.ndim else ()]))


def _scalar(latex: str) -> str:
    return re.sub(r"\(\((−[^()]*)\)\)", r"(\1)", latex.replace(r"\odot", r"\cdot"))
