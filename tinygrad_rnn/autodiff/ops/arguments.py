"""What is wrong with the arguments of an op: checks that several families share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..calling import from_last as counted_from_last
from ..calling import shape_of
from ..errors import ShapeError
from ..op import Array


def number(value: float) -> str:
    """A setting as it stands in a line of Python: 2 and not 2.0, and infinity by its name."""
    text = repr(int(value) if value == int(value) else float(value)) if np.isfinite(value) else repr(float(value))
    return text.replace("inf", "np.inf")


def same_shape(names: Sequence[object], args: Sequence[Array]) -> str | None:
    """What is wrong if the arguments do not all have one shape."""
    for name, a in zip(names[1:], args[1:], strict=True):
        if a.shape != args[0].shape:
            return (
                f"{names[0]} is {args[0].shape} and {name} is {a.shape}: both must have one shape. "
                "Nothing is broadcast in silence: reshape or repeat the smaller one first."
            )
    return None


def from_last(names: Sequence[object], args: Sequence[Array], axis: Any, keepdims: bool = False) -> str | None:
    """What is wrong if an axis is not one of the last ones, counted from the end."""
    wrong = [k for k in (axis if isinstance(axis, tuple) else (axis,)) if not -args[0].ndim <= k < 0]
    if wrong:
        return (
            f"{names[0]} is {args[0].shape} and the axis is {wrong[0]}: axes are counted from the last one, -1, -2, ..."
        )
    return None


def something(names: Sequence[object], args: Sequence[Array]) -> str | None:
    """What is wrong if there is nothing along the last axis."""
    shape = args[0].shape
    return None if shape and shape[-1] else f"{names[0]} is {shape}: there must be something along the last axis."


def last_axis_only(net: Any, axis: Any = -1) -> tuple[list[Any], dict[str, Any]]:
    """The call of an op that goes along the last axis: another axis is refused, with the way out."""
    shape = shape_of(net)
    if counted_from_last(shape, axis) != (-1,):
        raise ShapeError(
            f"axis={axis} of an array {shape}: it goes along the last axis only, -1. "
            "Turn a matrix before and after: softmax(x.T).T"
        )
    return [net], {}
