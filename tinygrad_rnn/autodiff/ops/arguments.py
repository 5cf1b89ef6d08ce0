"""What is wrong with the arguments of an op: checks that several families share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..op import Array


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
