"""Parameters as Flax' cells have them. Flax itself is not needed: its arrays are read by NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.asked import asked
from ..autodiff.calling import numbers, shortened
from ..unfold.recipe import Cell
from .layouts import put_together, taken_apart
from .modules import named_as_flax, read_modules

Array = NDArray[Any]
DEEPEST = 20


@asked
def to_flax(cell: Cell, params: Mapping[str, Array]) -> dict[str, Any]:
    """Parameters in the form of Flax: ``{"OptimizedLSTMCell_0": {"ii": {"kernel": ...}}, "Dense_0": ...}``.

    One layer without a head is the dict of its cell alone: ``{"ii": {"kernel": ...}, ...}``. LSTMCell and
    OptimizedLSTMCell have the same. Their carry is (c, h), the other way round than the state (s, c) here.

    Parameters
    ----------
    cell : callable
        Of Guo, IRNN, LSTM and GRU, or a stack of them.
    params : mapping of str to ndarray
        Its parameters.

    Raises
    ------
    ValueError
        If Flax has no such layer.
    """
    found: dict[str, Any] = {}
    for name, array in named_as_flax(*taken_apart(cell, params, "Flax")).items():
        *path, last = name.split(".")
        place = found
        for part in path:
            place = place.setdefault(part, {})
        place[last] = np.array(array, order="C")
    return found


@asked
def from_flax(variables: Mapping[str, Any], *, cell: Cell | None = None) -> tuple[Any, dict[str, Array]]:
    """The cell and the parameters of such a dict, with ``"params"`` around it or not.

    Parameters
    ----------
    variables : mapping of str to mapping
        SimpleCell, LSTMCell, OptimizedLSTMCell or GRUCell, one or several that are numbered, and a Dense above.
    cell : callable, optional
        What the dict does not say: the activation of a SimpleCell, and that of the head.

    Raises
    ------
    ValueError
        If it does not hold one network of these, or does not say all.
    """
    flat: dict[str, Array] = {}
    _flatten(variables, "", flat, 0)
    found = read_modules(flat, "Flax", None)
    return put_together(found.layers, found.head, "Flax", cell)


def _flatten(part: Any, at: str, flat: dict[str, Array], depth: int) -> None:
    if not isinstance(part, Mapping):
        flat[at] = numbers(part, f"variables[{at!r}]")
        return
    for name, each in part.items():
        if not isinstance(name, str) or depth > DEEPEST:
            raise ValueError(f"variables has {shortened(name)} in it: names are strings, one dict in another")
        _flatten(each, f"{at}.{name}" if at else name, flat, depth + 1)
