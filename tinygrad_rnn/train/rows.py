"""A sequence cut into rows that are read side by side, and characters as rows of zeros and a one, made when read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def side_by_side(sequence: Array, rows: int) -> Array:
    """The sequence in so many rows of the same length, time first: (N // rows, rows, ...); the rest is left out."""
    length = len(sequence) // rows
    cut = sequence[: length * rows].reshape(rows, length, *sequence.shape[1:])
    return np.ascontiguousarray(cut.swapaxes(0, 1))


class OneHot:
    """Codes (T, B) as a sequence (T, B, K) of which slices are made when they are asked for.

    All at once would take K times the memory of the text.

    Parameters
    ----------
    codes : ndarray of int, (T, B)
        Which symbol stands where.
    symbols : int
        How many there are, K.
    dtype : str
        That of the ones.
    """

    def __init__(self, codes: Array, symbols: int, dtype: str) -> None:
        self.codes, self.dtype = codes, np.dtype(dtype)
        self.shape = (*codes.shape, symbols)
        # The rows of the identity matrix, each a look at the same zeros around one 1.
        around = np.zeros(2 * symbols - 1, self.dtype)
        around[symbols - 1] = 1
        self._rows = np.lib.stride_tricks.sliding_window_view(around, symbols)[::-1]

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, piece: slice) -> Array:
        return self._rows[self.codes[piece]]
