"""Choices, entry by entry: the larger number, the one that a condition names, the nearest one within bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..op import Array, op
from . import activations, arguments, elementary


@op(label="max", latex=r"\max({0}, {1})", ufuncs=[(np.maximum,)], numpy="np.maximum({0}, {1})")
def maximum(a: Array, b: Array, out: Array | None = None) -> Array:
    """The larger of two arrays of one shape, entry by entry; where they are equal, each gets half the error."""
    return np.maximum(a, b, out=out)


maximum.checked(arguments.same_shape)


@maximum.vjp(0, latex=r"{g} \odot (0.5 + 0.5 \odot \operatorname{{sgn}}({0} - {1}))")
def _(g: Any, y: Any, a: Any, b: Any) -> Any:
    return g * (0.5 + 0.5 * elementary.sign(a - b))


@maximum.vjp(1, latex=r"{g} \odot (0.5 + 0.5 \odot \operatorname{{sgn}}({1} - {0}))")
def _(g: Any, y: Any, a: Any, b: Any) -> Any:
    return g * (0.5 + 0.5 * elementary.sign(b - a))


@maximum.jvp(0)
def _(da: Any, y: Any, a: Any, b: Any) -> Any:
    return da * (0.5 + 0.5 * elementary.sign(a - b))


@maximum.jvp(1)
def _(db: Any, y: Any, a: Any, b: Any) -> Any:
    return db * (0.5 + 0.5 * elementary.sign(b - a))


@op(label="where", latex=r"[{0} \neq 0] \odot {1} + [{0} = 0] \odot {2}", numpy="np.where({0} != 0, {1}, {2})")
def where(condition: Array, a: Array, b: Array, out: Array | None = None) -> Array:
    """The entry of `a` where the condition is not 0, else that of `b`. The condition gets no error."""
    if out is None:
        return np.where(condition != 0, a, b)
    np.copyto(out, b)
    np.copyto(out, a, where=condition != 0)
    return out


where.checked(arguments.same_shape)
where.reads(0)


@where.vjp(1, latex=r"[{0} \neq 0] \odot {g}")
def _(g: Any, y: Any, condition: Any, a: Any, b: Any) -> Any:
    return where(condition, g, 0 * g)


@where.vjp(2, latex=r"[{0} = 0] \odot {g}")
def _(g: Any, y: Any, condition: Any, a: Any, b: Any) -> Any:
    return where(condition, 0 * g, g)


@where.jvp(1)
def _(da: Any, y: Any, condition: Any, a: Any, b: Any) -> Any:
    return where(condition, da, 0 * da)


@where.jvp(2)
def _(db: Any, y: Any, condition: Any, a: Any, b: Any) -> Any:
    return where(condition, 0 * db, db)


@op(
    label="clip",
    latex=lambda x, low, high: rf"\min(\max({x}, {low:g}), {high:g})",
    numpy=lambda x, low, high: f"np.clip({x}, {arguments.number(low)}, {arguments.number(high)})",
)
def clip(x: Array, low: float, high: float, out: Array | None = None) -> Array:
    """The nearest number between `low` and `high`; its slope is 1 between them, and 0 at them and beyond."""
    return np.clip(x, low, high, out=out)


@clip.checked
def _(names: Sequence[object], args: Sequence[Array], low: float, high: float) -> str | None:
    return None if low < high else f"{names[0]} is clipped between {low:g} and {high:g}: low must be below high."


def _between(x: Any, low: float, high: float) -> Any:
    return activations.is_positive(x - low) * activations.is_positive(high - x)


@clip.vjp(0, latex=lambda x, g, y, low, high: rf"{g} \odot [{low:g} < {x} < {high:g}]")
def _(g: Any, y: Any, x: Any, low: float, high: float) -> Any:
    return g * _between(x, low, high)


@clip.jvp(0)
def _(dx: Any, y: Any, x: Any, low: float, high: float) -> Any:
    return dx * _between(x, low, high)
