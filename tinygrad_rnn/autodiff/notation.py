"""How names, numbers and formulas are written: LaTeX first, plain text made from it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_LATEX_SPECIAL = {c: rf"\{c}" for c in "#$%&{}_"} | {"\\": r"\backslash ", "^": r"\hat{}", "~": r"\sim "}

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


def number(value: float) -> str:
    """A number as it is shown everywhere: three decimals, or a power of ten where these say too little."""
    if value != 0 and (abs(value) < 0.0005 or abs(value) >= 10000):
        return f"{value:.2e}".replace("-", "−")
    return f"{value:.3f}".replace("-", "−")


def summed(terms: Iterable[Iterable[float]]) -> str:
    """A sum of products with its numbers in it: ``0.100·0.200 + 1.000·0.300``."""
    return r" + ".join(r" \cdot ".join(factor(f) for f in term) for term in terms)


def factor(value: float) -> str:
    """A number as it stands in a product: in parentheses if it is negative."""
    text = number(value)
    return f"({text})" if text.startswith("−") else text


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


def array(values: Any, rows: int = 6, width: int = 6) -> str:
    """An array in plain text: a scalar, a row in brackets, or rows one below the other, their numbers in columns."""
    if values.ndim == 0:
        return number(float(values))
    width = max(width, *(len(number(float(v))) for v in values[:rows].flat)) if values.size else width
    if values.ndim == 1:
        return "[ " + "  ".join(f"{number(float(v)):>{width}}" for v in values) + " ]"
    if len(values) == 1:
        return array(values[0], rows, width)
    shown = [array(v, rows, width) for v in values[:rows]]
    if len(values) > rows:
        shown.append(f"({len(values) - rows} more rows)")
    return "\n".join(shown)
