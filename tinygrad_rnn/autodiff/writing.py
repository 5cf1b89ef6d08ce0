"""Ops in LaTeX: the value and the shares in symbols, and one entry of them with its numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from .notation import factor, number
from .op import Array, Index, Op


def value(op: Op, args: Sequence[str]) -> str:
    """The value, with the arguments called `args`."""
    marks = _marks(args)
    return _filled(op.latex(*marks) if callable(op.latex) else op.latex.format(*marks), marks, args)


def share(op: Op, slot: int, g: str, y: str, args: Sequence[str]) -> str:
    """The share of argument `slot`, `g` and `y` being the names of cotangent and value."""
    named = {} if slot in op.rules else {"slot": slot}
    latex = (op.rules.get(slot) or op.rules[None]).latex
    args = [g, y, *args]
    marks = _marks(args)
    told = {"g": marks[0], "y": marks[1], **(named if callable(latex) else {})}
    return _filled(latex(*marks[2:], **told) if callable(latex) else latex.format(*marks[2:], **told), marks, args)


def grouped(latex: str) -> str:
    """A formula as it stands in another one: in parentheses if it is a sum or a product."""
    return f"({latex})" if SUM.search(_outside(latex)) or PRODUCT.search(_outside(latex)) else latex


SUM, PRODUCT = re.compile(r" [-+] |^-"), re.compile(r"\\odot|\\cdot|\\,|\\sum| / ")


def _outside(latex: str) -> str:
    """What stands outside of all brackets."""
    inner, outer = "", latex
    while inner != outer:
        inner, outer = outer, re.sub(r"\{[^{}()\[\]]*\}|\([^{}()\[\]]*\)|\[[^{}()\[\]]*\]", "", outer)
    return outer


def _marks(args: Sequence[str]) -> list[str]:
    """What stands for the arguments until it is known what stands beside them."""
    return [f"\0{k}\0" for k in range(len(args))]


def _filled(text: str, marks: Sequence[str], args: Sequence[str]) -> str:
    """The text with the arguments in place of their marks, in parentheses where they need some."""
    for mark, arg in zip(marks, args, strict=True):
        beside = ("", "") if SUM.search(_outside(arg)) else ("| [-+] ",) * 2
        alone = re.compile(rf"(^|[(\[]|\\lVert {beside[0]}){mark}(?=$|[)\]]| \\rVert{beside[1]})")
        text = alone.sub(lambda found, arg=arg: found[1] + arg, text)  # type: ignore[misc]
        text = text.replace(mark, grouped(arg))
    return text


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
