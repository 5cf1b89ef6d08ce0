"""What optimisers and clipping are given, checked in one place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.calling import shortened

Array = NDArray[Any]


def above_zero(what: str, value: float) -> float:
    """The value, a finite number above 0; ValueError otherwise."""
    return _number(what, value, "a number above 0", is_number(value) and 0 < value < float("inf"))


def not_negative(what: str, value: float) -> float:
    """The value, a finite number that is not below 0; ValueError otherwise."""
    return _number(what, value, "a number from 0 up", is_number(value) and 0 <= value < float("inf"))


def share(what: str, value: float) -> float:
    """The value, at least 0 and below 1; ValueError otherwise."""
    return _number(what, value, "a number of at least 0 and below 1", is_number(value) and 0 <= value < 1)


def either(what: str, value: bool) -> bool:
    """The value, True or False; ValueError otherwise."""
    if not isinstance(value, bool | np.bool):
        raise ValueError(f"{what}={shortened(value)}: it must be True or False")
    return bool(value)


def is_number(value: Any) -> bool:
    """Whether a value is one real number that an array can hold, and no truth value."""
    real = isinstance(value, Real) and not isinstance(value, bool | np.bool)
    return real and not (isinstance(value, int) and abs(value) >= 2**63)


def _number(what: str, value: float, must_be: str, fits: bool) -> float:
    if not fits:
        raise ValueError(f"{what}={shortened(value)}: it must be {must_be}")
    return value


def mapping(what: str, value: Any) -> None:
    """Refuse what has no names, such as a list of arrays."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{what} is of type {type(value).__name__}: it must be arrays by name, such as {{'U': ...}}")


def gradient(name: str, g: Any) -> Array:
    """The gradient of a parameter as a plain array of finite floats; ValueError if it is anything else."""
    g = floats(name, g)
    # A dot product looks at all of it at once; where it overflows, each entry is looked at.
    if not (math.isfinite(np.vdot(g, g)) or np.isfinite(g).all()):
        raise ValueError(f"the gradient of {name} is not finite; net.first_bad() says where that comes from")
    return g


def floats(name: str, g: Any) -> Array:
    """The gradient of a parameter as a plain array of floats, which need not be finite; ValueError otherwise."""
    if not isinstance(g, np.ndarray | np.floating) or isinstance(g, np.ma.MaskedArray) or g.dtype.kind != "f":
        kind = g.dtype.name if isinstance(g, np.ndarray | np.generic) else ""
        what = f"an array of {kind}" if kind and not isinstance(g, np.ma.MaskedArray) else f"of type {type(g).__name__}"
        raise ValueError(f"the gradient of {name} is {what}: it must be an array of floats")
    return np.asarray(g)
