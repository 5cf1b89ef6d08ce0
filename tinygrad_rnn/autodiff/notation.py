"""How names, numbers and formulas are written: LaTeX first, plain text made from it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

import numpy as np

_LATEX_SPECIAL = {c: rf"\{c}" for c in "#$%&{}_"} | {"\\": r"\backslash ", "^": r"\hat{}", "~": r"\sim "}

ROWS = 6  # of an array

_PLAIN = {
    r"\odot": "⊙",
    r"\cdot": "·",
    r"\sum": "Σ",
    r"\ln": "ln ",
    r"\delta": "δ",
    r"\tanh": "tanh",
    r"\exp": "exp",
    r"\sqrt": "√",
    r"\max": "max",
    r"\min": "min",
    r"\neq": "≠",
    r"\text": "",
    r"\sigma": "σ",
    r"\partial ": "∂",
    r"\top": "ᵀ",
    r"\lVert": "‖",
    r"\rVert": "‖",
    r"\bigl": "",
    r"\bigr": "",
    r"\langle": "⟨",
    r"\rangle": "⟩",
    r"\backslash": "\\",
    r"\tfrac12": "½",
    r"\tfrac1n": "1/n",
    r"\,": " ",
    r"\;": " ",
    r"\operatorname": "",
    r"\mathrm": "",
    "-": "−",
}
_SUBSCRIPT = dict(zip("0123456789aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True)) | {",": ","}
_SUPERSCRIPT = {"2": "²", "ᵀ": "ᵀ", "*": "*"}


def number(value: float, more: int = 0) -> str:
    """A number as it is shown everywhere: three decimals, or a power of ten where these say too little.

    It has `more` digits if they say something.
    """
    if more and rounded(value) == value:
        more = 0
    return (f"{value:.{2 + more}e}" if _by_power(value) else f"{value:.{3 + more}f}").replace("-", "−")


def rounded(value: float, more: int = 0) -> float:
    """The same number as it is read off."""
    return float(f"{value:.{2 + more}e}") if _by_power(value) else round(value, 3 + more)


def half_a_digit(value: float) -> float:
    """How far a number may be from what is shown of it; a little more, as half a digit has no exact double."""
    return (0.5 + 1e-9) * (10.0 ** (int(f"{value:.2e}".partition("e")[2]) - 2) if _by_power(value) else 1e-3)


def _by_power(value: float) -> bool:
    return 0 < abs(value) < 0.0005 or 10000 <= abs(value) < math.inf


def symbol(name: str, t: int | str | None = None) -> str:
    """A node's name in LaTeX: ``net_j`` at time 2 is ``net`` with the subscript j, of (2); ``b_j_1`` has j,1."""
    if name.startswith("∂"):
        return r"\partial " + symbol(name[1:], t)
    base, *subscripts = name.split("_")
    # One subscript, and numbers beside it, such as a layer's; more would be somebody's own way to name things.
    words = [part for part in subscripts if not part.isdigit()]
    if not base.isascii() or not base.isalnum() or not all(part.isalnum() for part in subscripts) or len(words) > 1:
        written = r"\mathrm{" + "".join(_LATEX_SPECIAL.get(c, c) for c in name) + "}"
    else:
        written = base if len(base) == 1 else rf"\mathrm{{{base}}}"
        written += f"_{{{','.join(subscripts)}}}" if subscripts else ""
    return written if t is None else f"{written}({t})"


def is_number(name: str) -> bool:
    """Whether a constant is called by its number."""
    return re.fullmatch(r"-?\d+(\.\d+)?(e[-+]\d+)?", name, re.ASCII) is not None


def plain(latex: str) -> str:
    """The same formula in plain text, for a terminal or a label: ``netⱼ(2)``."""
    text = re.sub(r"\\frac\{((?:[^{}]|\{[^{}]*\})*)\}\{((?:[^{}]|\{[^{}]*\})*)\}", r"\1/\2", latex)
    for macro, sign in _PLAIN.items():
        text = text.replace(macro, sign)
    text = re.sub(r"(?<!\\)_\{([^{}]*)\}|(?<!\\)_(\w)", lambda m: _shift(m[1] or m[2], _SUBSCRIPT, "_"), text)
    text = re.sub(r"\^\{([^{}]*)\}|\^(\S)", lambda m: _shift(m[1] or m[2], _SUPERSCRIPT, "^"), text)
    text = re.sub(r"(?<!\\)[{}]", "", text)
    return re.sub(r"\\([#$%&{}_])", r"\1", re.sub(r"  +", " ", text))


def scripts(text: str) -> list[tuple[str, bool]]:
    """A name in plain text as runs, each with whether it stands below the line: net, j and (2) of ``netⱼ(2)``."""
    runs: list[tuple[str, bool]] = []
    for found in _RUNS.finditer(text):
        if found["base"]:
            runs += [(found["base"], False), (found["sub"], True)]
        else:
            runs.append((found[0].translate(_LETTERS), found["low"] is not None))
    return runs


_LETTERS = {ord(sign): letter for letter, sign in _SUBSCRIPT.items() if letter != ","}
_LOW = "".join(map(chr, _LETTERS))
# A mark between letters is that of a subscript for which there are no signs; two marks are somebody's own way to name.
_RUNS = re.compile(
    rf"(?P<low>[{_LOW}][{_LOW},]*)"
    r"|(?<!\w)(?P<base>[A-Za-z0-9]+)_(?P<sub>[A-Za-z0-9]+(?:,[A-Za-z0-9]+)*)(?!\w)"
    rf"|(?:(?![{_LOW}])\w)+|.",
    re.DOTALL,
)


def _shift(text: str, table: dict[str, str], mark: str) -> str:
    return "".join(table[c] for c in text) if all(c in table for c in text) else mark + text


def aligned(column: Sequence[str]) -> list[str]:
    """Numbers with spaces behind them where others have more digits, so that their points stand one below the other."""
    more = [_more_digits(text) for text in column]
    most = max(more, default=0)
    return [text + " " * (most - k) for text, k in zip(column, more, strict=True)]


def _more_digits(text: str) -> int:
    digits, power, _ = text.partition(".")[2].partition("e")
    return len(digits) - (2 if power else 3) if digits else 0


def array(values: Any, more: Iterable[int] = repeat(0)) -> str:
    """An array in plain text: a scalar, a row in brackets, or rows one below the other, their numbers in columns.

    Its entries have so many `more` digits, one after the other, of the rows that are shown.
    """
    shown = values[:ROWS] if values.ndim > 1 else values
    cells = aligned([number(float(v), k) for v, k in zip(shown.flat, more, strict=False)])
    if not values.ndim:
        return cells[0]
    width = max(6, *map(len, cells)) if cells else 6
    return _laid_out(np.array([f"{cell:>{width}}" for cell in cells], object).reshape(shown.shape), len(values))


def _laid_out(cells: Any, count: int) -> str:
    if cells.ndim == 1:
        return f"[ {'  '.join(cells)} ]"
    if count == 1:
        return _laid_out(cells[0], len(cells[0]))
    shown = [_laid_out(row, len(row)) for row in cells[:ROWS]]
    return "\n".join([*shown, f"({count - ROWS} more rows)"] if count > ROWS else shown)
