"""Ops written down: the value and the shares in symbols, in LaTeX, and one entry of them with its numbers, as terms.

An op whose formula holds entry by entry says it once, as its author reads it, in LaTeX. It is read here, once, into
terms, in which the numbers of an entry then stand for the names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import numpy as np

from .op import Array, Index, Op
from .worked import Part, Term, total

_TOKEN = re.compile(r"<\w+>|\d+(?:\.\d+)?(?:e[+-]?\d+)?|inf|\\operatorname\{\w+\}|\\[a-z]+|\S")
_PRODUCT = {r"\odot": "·", r"\cdot": "·", "/": "/"}
_COMPARED = {">": ">", "<": "<", "=": "=", r"\neq": "≠"}
_FUNCTIONS = {rf"\{name}": name for name in ("tanh", "exp", "ln", "max", "min")}
_FUNCTIONS |= {r"\sigma": "σ", r"\sqrt": "√", r"\operatorname{sgn}": "sgn"}
SUM, PRODUCT = re.compile(r" [-+] |^-"), re.compile(r"\\odot|\\cdot|\\,|\\sum| / ")
_BRACKETS = {"(": ")", "{": "}", "[": "]", "|": "|"}


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
    return f"({latex})" if SUM.search(outside(latex)) or PRODUCT.search(outside(latex)) else latex


def outside(latex: str) -> str:
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
        beside = ("", "") if SUM.search(outside(arg)) else ("| [-+] ",) * 2
        alone = re.compile(rf"(^|[(\[]|\\lVert {beside[0]}){mark}(?=$|[)\]]| \\rVert{beside[1]})")
        text = alone.sub(lambda found, arg=arg: found[1] + arg, text)  # type: ignore[misc]
        text = text.replace(mark, grouped(arg))
    return text


def value_entry(op: Op, index: Index, args: Sequence[Array]) -> Part:
    """Entry `index` of the value, with its numbers.

    An op that says nothing else works entry by entry: its formula then holds for the numbers too.
    """
    if op.unit is not None:
        return op.unit(index, *args)
    holes = _holes(len(args))
    formula = None if op.moves else terms(value(op, holes))
    if formula is None:
        return float(op.value(*args)[index])
    return _with_numbers(formula, index, dict(zip(holes, args, strict=True)))


def share_entry(op: Op, slot: int, index: Index, g: Array, y: Array, args: Sequence[Array]) -> Part:
    """Entry `index` of the share of argument `slot`, with its numbers."""
    named = {} if slot in op.rules else {"slot": slot}
    rule = op.rules.get(slot) or op.rules[None]
    if rule.unit is not None:
        return rule.unit(index, g, y, *args, **named)
    holes = _holes(len(args))
    formula = None if op.moves else terms(share(op, slot, "<g>", "<y>", holes))
    if formula is None:
        return float(np.asarray(op.share(slot, g, y, args))[index])
    return _with_numbers(formula, index, dict(zip(["<g>", "<y>", *holes], [g, y, *args], strict=True)))


def _holes(count: int) -> list[str]:
    """What stands for the arguments in a formula that is to be read."""
    return [f"<{k}>" for k in range(count)]


def _with_numbers(formula: Part, index: Index, arrays: dict[str, Array]) -> Part:
    """The formula with the entries of arrays in it."""
    if isinstance(formula, Term):
        return Term(formula.sign, tuple(_with_numbers(part, index, arrays) for part in formula.parts))
    array = arrays.get(formula) if isinstance(formula, str) else None
    return formula if array is None else float(array[index if array.ndim else ()])


@cache
def terms(latex: str) -> Part | None:
    """An op's formula as terms, ``<0>``, ``<g>``, ... standing for its numbers; None if it is not one of numbers."""
    tokens = [*_TOKEN.findall(latex), ""][::-1]
    try:
        found = _compared(tokens)
    except (KeyError, IndexError):
        return None
    return found if tokens == [""] else None


def _compared(tokens: list[str]) -> Part:
    parts, sign = [_sum(tokens)], ""
    while tokens[-1] in _COMPARED:
        sign = _COMPARED[tokens.pop()]
        parts.append(_sum(tokens))
    return Term(sign, tuple(parts)) if sign else parts[0]


def _sum(tokens: list[str]) -> Part:
    found = [_product(tokens)]
    while tokens[-1] in ("+", "-"):
        if tokens.pop() == "+":
            found.append(_product(tokens))
        else:
            found = [Term("−", (total(found), _product(tokens)))]
    return total(found)


def _product(tokens: list[str]) -> Part:
    found = _factor(tokens)
    while tokens[-1] in _PRODUCT:
        found = Term(_PRODUCT[tokens.pop()], (found, _factor(tokens)))
    return found


def _factor(tokens: list[str]) -> Part:
    if tokens[-1] == "-":
        tokens.pop()
        return Term("negative", (_factor(tokens),))
    found = _atom(tokens)
    if tokens[-1] == "^":
        tokens.pop()
        found = Term("^", (found, _atom(tokens)))
    return found


def _atom(tokens: list[str]) -> Part:
    token = tokens.pop()
    if token[:1] == "<" or token == "inf" or token[:1].isdigit():
        return token
    if token in _FUNCTIONS:
        return Term(_FUNCTIONS[token], _between(tokens, tokens.pop()))
    (inside,) = _between(tokens, token)
    return Term("abs", (inside,)) if token == "|" else inside


def _between(tokens: list[str], bracket: str) -> tuple[Part, ...]:
    """What stands between brackets, parted by commas."""
    found = [_compared(tokens)]
    while tokens[-1] == ",":
        tokens.pop()
        found.append(_compared(tokens))
    if tokens.pop() != _BRACKETS[bracket]:
        raise KeyError(bracket)
    return tuple(found)
