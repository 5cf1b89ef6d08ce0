"""Numbers brought to a size that a network learns well, by what the training part says alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Scaler:
    """``(value - shift) / size``, column by column, and back.

    Attributes
    ----------
    shift, size : ndarray of shape (n,)
        What is taken away, and by what is divided.
    """

    shift: Array
    size: Array

    def there(self, values: Array) -> Array:
        """The scaled values."""
        return (values - self.shift) / self.size

    def back(self, scaled: Array) -> Array:
        """The values in their own unit."""
        return scaled * self.size + self.shift

    def as_words(self) -> dict[str, list[float]]:
        """What is written down; no digit is lost."""
        return {"shift": self.shift.tolist(), "size": self.size.tolist()}


def scaler(kind: str, values: Array) -> Scaler:
    """The scaler of a training part, (N, n).

    A column that is the same in all rows is shifted and keeps its size: there is nothing to divide by.

    Parameters
    ----------
    kind : {"standard", "minmax", "none"}
        Mean 0 and standard deviation 1; from 0 to 1; or as they are.
    values : ndarray of shape (N, n)
        The training part, and nothing else.

    Raises
    ------
    ValueError
        If its numbers are so large or small that their spread is lost.
    """
    n = values.shape[1]
    if kind == "none":
        return Scaler(np.zeros(n), np.ones(n))
    same = (values == values[0]).all(axis=0)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if kind == "minmax":
            shift, size = values.min(axis=0), np.ptp(values, axis=0)
        else:
            shift, size = values.mean(axis=0), values.std(axis=0)
    lost = ~same & ~(np.isfinite(shift) & np.isfinite(size) & (size >= np.finfo(float).tiny))
    if lost.any():
        column = values[:, np.argmax(lost)]
        raise ValueError(
            f"scale={kind!r}: column {np.argmax(lost) + 1} goes from {column.min():g} to {column.max():g}, and the "
            "squares of such numbers are beyond what a float holds: give it in another unit"
        )
    return Scaler(np.where(same, values[0], shift), np.where(same, 1.0, size))


def from_words(words: Mapping[str, Any]) -> Scaler:
    """The scaler that was written down."""
    return Scaler(np.array(words["shift"], dtype=float), np.array(words["size"], dtype=float))
