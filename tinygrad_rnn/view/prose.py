"""The text of a lesson where nobody can draw its formulas, and where pictures are files."""

from __future__ import annotations

import re
from pathlib import Path

from ..autodiff.notation import plain

_WIDE = "\0"  # stands for a wide space until all others are made single
# What a formula in prose has and a formula of the tape has not.
_PROSE = {
    "eta": "η",
    "tau": "τ",
    "theta": "θ",
    "gamma": "γ",
    "rho": "ρ",
    "Delta": "Δ",
    "varepsilon": "ε",
    "partial": "∂",
    "ldots": "...",
    "quad": _WIDE,
    "qquad": _WIDE,
    "alpha": "α",
    "beta": "β",
    "kappa": "κ",
    "lambda": "λ",
    "mu": "μ",
    **dict.fromkeys(["Big", "big", "left", "right"], ""),
}


def in_a_terminal(markdown: str, picture: Path | None = None) -> str:
    """The text as it is said where pictures are files: a page's are moved, these are opened."""
    what = picture.as_posix() if picture else "the picture"
    moved = re.compile(r"\b([Mm])ove the picture(?: sideways)?")
    return plain_math(moved.sub(lambda found: f"{'Open' if found[1] == 'M' else 'open'} {what}", markdown))


def plain_math(markdown: str) -> str:
    """Markdown whose formulas are plain text, for a place that cannot draw them."""
    markdown = re.sub(r"\$\$(.*?)\$\$", lambda m: f"```text\n{_plain_lines(m[1])}\n```", markdown, flags=re.DOTALL)
    return re.sub(r"\$([^$]+?)\$", lambda m: _plain(" ".join(m[1].split())), markdown)


def _plain_lines(latex: str) -> str:
    latex = re.sub(r"\\(begin|end)\{\w+\*?\}", "", latex)
    rows = [row.replace("&=", "=").replace("&", r"\qquad ") for row in latex.split(r"\\")]
    return "\n".join(_plain(" ".join(row.split())).strip() for row in rows)


def _plain(latex: str) -> str:
    """A formula of the text as plain text."""
    latex = re.sub(r"\\tag\{(\w+)\}", rf"{_WIDE}(\1)", latex)
    latex = re.sub(r"\\(Delta|partial) ", lambda m: _PROSE[m[1]], latex)
    latex = re.sub(r"\\([a-zA-Z]+)", lambda m: _PROSE.get(m[1], m[0]), latex)
    latex = re.sub(r"\\text\{([^{}]*)\}", r"\1", latex)
    latex = re.sub(r"\\sum_(\{[^{}]*\}|\w)(?:\^(\{[^{}]*\}|\w))?", _limits, latex)
    latex = latex.replace("∂^+", "∂⁺")
    latex = re.sub(r"\\mathrm\{(\w+)\}", r"\1", latex)
    latex = re.sub(r"\^\{([^{}]*[^{}0-9T*][^{}]*)\}", lambda m: m[0] if "top" in m[1] else f"^({m[1]})", latex)
    inner = re.compile(r"\\frac\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}")
    while inner.search(latex):
        latex = inner.sub(lambda m: f"{_grouped(m[1])}/{_grouped(m[2])}", latex)
    return re.sub(rf" *{_WIDE}[ {_WIDE}]*", "    ", plain(latex))


def _limits(sum_: re.Match[str]) -> str:
    """The limits of a sum, written behind it: ``Σ(z = 0..T)``; one letter stays a subscript."""
    low, high = (sum_[1] or "").strip("{}"), (sum_[2] or "").strip("{}")
    if len(low) == 1:
        return rf"\sum_{low} "
    return rf"\sum({low}{'..' * bool(high)}{high}) "


def _grouped(part: str) -> str:
    """A part of a fraction, in parentheses if it is a sum or a product."""
    bare = re.sub(r"^[∂d]⁺? ?", "", part.strip())
    return f"({part.strip()})" if re.search(r"[ +\-]", bare) else part.strip()
