"""Working out again what a formula with numbers says: the check of what is shown, and what a wrong answer lacks."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable

_FUNCTIONS: dict[str, Callable[..., float]] = {
    "tanh": math.tanh,
    "exp": math.exp,
    "ln": math.log,
    "sqrt": math.sqrt,
    "max": max,
    "min": min,
    "abs": abs,
    "sgn": lambda v: math.copysign(1, v) if v else 0.0,
    "sigma": lambda v: 1 / (1 + math.exp(-v)),
}
_OPERATORS: dict[type[ast.AST], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
}
_WRITTEN = [
    ("−", "-"), ("·", "*"), ("½ ", "0.5*"), ("²", "**2"), ("≠", "!="), (" = ", " == "),
    ("σ", "sigma"), ("√", "sqrt"), ("[", "("), ("]", ")"),
]  # fmt: skip
_COMPARED: dict[type[ast.AST], Callable[[float, float], bool]] = {
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
    ast.GtE: operator.ge,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_NUMBER = r"\d+(?:\.\d+)?(?:e[+-]?\d+)?"


def evaluate(text: str) -> float:
    """The value of a formula with numbers, as the steps show it: ``0.3 · (−0.2) + tanh(0.1)``.

    Raises
    ------
    ValueError
        If there is something in it that is no number and no known function.
    """
    written = text
    for shown, meant in _WRITTEN:
        written = written.replace(shown, meant)
    written = re.sub(rf"\be\^(-?{_NUMBER})", r"exp(\1)", written)
    written = re.sub(r"\be\^\(", "exp(", written)
    written = re.sub(rf"\b(ln|sqrt) ?(-?{_NUMBER})", r"\1(\2)", written)
    written = re.sub(r"\bln \(", "ln(", written).replace("^", "**")
    written = re.sub(r"\|([^|]*)\|", r"abs(\1)", written)
    written = re.sub(rf"(?<![\w.])({_NUMBER}) (?=[\w(])", r"\1*", written)  # a factor of its own: 0.5 (...)
    try:
        return _value(ast.parse(written.strip(), mode="eval").body)
    except (SyntaxError, KeyError, TypeError):
        raise ValueError(f"this is no formula of numbers alone: {text}") from None
    except (ArithmeticError, ValueError):  # such as ln 0: there is no number
        return math.nan


def terms(text: str) -> list[str]:
    """The terms of a sum, split where no bracket is open; one if it is no sum."""
    found, depth = [""], 0
    for word in re.split(r"( \+ )", text):
        if word == " + " and not depth:
            found.append("")
            continue
        depth += word.count("(") - word.count(")")
        found[-1] += word
    return found


def _value(tree: ast.AST) -> float:
    match tree:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Name(id="inf" | "nan" as name):
            return float(name)
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_value(left), _value(right))
        case ast.UnaryOp(op=op, operand=operand):
            return _OPERATORS[type(op)](_value(operand))
        case ast.Compare(left=left, ops=ops, comparators=rest):  # Iverson's brackets: 1 where it holds
            values = [_value(part) for part in (left, *rest)]
            return float(all(_COMPARED[type(op)](a, b) for op, a, b in zip(ops, values, values[1:], strict=False)))
        case ast.Call(func=ast.Name(id=name), args=args):
            return _FUNCTIONS[name](*map(_value, args))
    raise KeyError(type(tree).__name__)
