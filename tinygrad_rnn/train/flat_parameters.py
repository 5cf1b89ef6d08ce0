"""All parameters in one vector, which an optimiser goes through in blocks of one size, whatever the parameters' are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

BLOCK = 2**16  # bytes: what an optimiser makes of a block stays in a processor's cache, and in memory that is at hand


class FlatParameters:
    """Parameters that lie one behind the other.

    Parameters
    ----------
    params : mapping of str to ndarray
        The parameters; they are copied, in this order.

    Attributes
    ----------
    vector : ndarray
        All their entries.
    params : dict of str to ndarray
        The same memory, by name and in shape.
    blocks : dict of str to ndarray
        The same memory once more, block by block: ``"0"``, ``"1"``, ...
    """

    def __init__(self, params: Mapping[str, Array]) -> None:
        self.vector = np.concatenate([w.ravel() for w in params.values()])
        self.params: dict[str, Array] = {}
        at = 0
        for name, w in params.items():
            self.params[name] = self.vector[at : at + w.size].reshape(w.shape)
            at += w.size
        self.blocks = self.cut(self.vector)

    def cut(self, vector: Array) -> dict[str, Array]:
        """A vector as long as this one in its blocks."""
        size = BLOCK // self.vector.itemsize
        return {str(k): vector[first : first + size] for k, first in enumerate(range(0, len(vector), size))}

    def gathered(self, grads: Mapping[str, Array], out: Array) -> Array:
        """The gradients of all parameters, in their order."""
        return np.concatenate([grads[name].ravel() for name in self.params], out=out)

    def name_of(self, place: int) -> str:
        """The parameter that an entry belongs to."""
        for name, w in self.params.items():
            if place < w.size:
                return name
            place -= w.size
        raise IndexError(place)
