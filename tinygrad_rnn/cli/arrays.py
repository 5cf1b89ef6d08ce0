"""The arrays and words that a file holds, by name: what a stranger may have sent is measured before it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.refusal import shown
from ..exchange.npz import AXES, read_npz
from ..view.foreign import Twice, parsed, text_of

Array = NDArray[np.float64]

MOST = 2**26  # bytes of all arrays together, as they are computed with


def arrays(path: Path) -> dict[str, Array | str]:
    """What a file of NumPy's (.npz) or of JSON holds, by name: arrays of numbers, and words.

    Raises
    ------
    ValueError
        If it is damaged, too large, or holds anything else; pickles are not read.
    OSError
        If the system does not read it.
    """
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            return _of_json(path)
        found = read_npz(file, MOST, beside=8)
    return {name: a if isinstance(a, str) else a.astype(np.float64, copy=False) for name, a in found.items()}


def _of_json(path: Path) -> dict[str, Array | str]:
    try:
        data = parsed(text_of(path))
    except UnicodeDecodeError:
        raise ValueError("it is neither an .npz file nor JSON in UTF-8") from None
    if not isinstance(data, dict):
        raise ValueError('it is JSON, but no object {"x": ..., ...}')
    if isinstance(data, Twice):
        raise ValueError(f"{shown(data.name)} stands there twice")
    return {name: value if isinstance(value, str) else _from_lists(name, value) for name, value in data.items()}


def _from_lists(name: str, value: Any) -> Array:
    shape = _shape(name, value)
    found = np.empty(shape)
    found[...] = value
    return found


def _shape(name: str, value: Any, depth: int = 0) -> tuple[int, ...]:
    """The shape of lists in lists of numbers."""
    if isinstance(value, int | float):
        return ()
    if not isinstance(value, list):
        raise ValueError(f"{shown(name)} holds what is no number")
    if depth == AXES:
        raise ValueError(f"{shown(name)} has more than {AXES} axes")
    shapes = {_shape(name, each, depth + 1) for each in value}
    if len(shapes) > 1:
        raise ValueError(f"{shown(name)} has rows of different lengths")
    return (len(value), *(shapes.pop() if shapes else ()))
