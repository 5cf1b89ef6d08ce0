"""Working out again what a step shows, as a reader does with a calculator: from the text of its formula alone."""

import ast
import math
import operator
import re

import numpy as np

from tinygrad_rnn.autodiff.notation import number
from tinygrad_rnn.view.trace import MOST_WORKED

_FUNCTIONS = {
    "tanh": math.tanh,
    "exp": math.exp,
    "ln": math.log,
    "sqrt": math.sqrt,
    "max": max,
    "min": min,
    "abs": abs,
    "sgn": lambda v: math.copysign(1, v) if v else 0.0,
    "sigma": lambda v: 0.5 * math.tanh(v / 2) + 0.5,  # nothing overflows
}
_OPERATORS = {
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
_COMPARED = {
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
    ast.GtE: operator.ge,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_NUMBER = r"\d+(?:\.\d+)?(?:e[+-]?\d+)?"


NUMBERS = re.compile(r"−?(?:\d+\.\d+(?:e[+−]\d+)?|inf|nan)")


def evaluate(text):
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


def _value(tree):
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


def wrong(step):
    """What of a step's entries cannot be worked out again from the digits shown: line by line; empty if all can."""
    if step.node.op is None:
        return ""
    shape = step.value.shape
    entries = list(np.ndindex(*shape)) if step.value.size <= MOST_WORKED else [step.largest()]
    lines = [(step.unit(index), float(step.value[index])) for index in entries]
    return "\n".join(f"{step.text}: {line} = {number(value)}" for line, value in lines if not closes(line, value))


def closes(line, value):
    """Whether what is shown gives, rounded like the value, what is shown of it."""
    return not math.isfinite(value) or gives(evaluate(line), number(value))


def gives(value, shown):
    """Whether a value is shown so."""
    digits, _, power = shown.replace("−", "-").partition("e")
    half = 0.5 * 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
    return abs(value - read(shown)[0]) <= half * (1 + 1e-6)


def read(text):
    """The numbers of an array or of a line of a table."""
    return [float(found.replace("−", "-")) for found in NUMBERS.findall(text)]


def add_up(*summands, whole):
    """Whether entries as they are shown, arrays in texts, give the entries of another one as these are shown."""
    return all(
        gives(sum(terms), shown)
        for *terms, shown in zip(*map(read, summands), NUMBERS.findall(whole), strict=True)
        if math.isfinite(read(shown)[0])
    )


def open_sums(shown):
    """What of a trace does not add up from the digits shown: what a step adds to what had come, and the ledgers."""
    found = [m.text for m in shown.moments if m.before and not add_up(m.before, m.result[1], whole=m.after)]
    for account in shown.accounts:
        if account.columns != ("‖share‖",):  # lengths do not add up
            for arrives, _ in account.sums:
                *rows, (_, cells) = account.after(arrives)
                if not add_up(*(" ".join(row) for _, row in rows if row), whole=" ".join(cells)):
                    found.append(f"{account.weight} after step {arrives}")
    return found
