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
    """
    n = values.shape[1]
    if kind == "none":
        return Scaler(np.zeros(n), np.ones(n))
    if kind == "minmax":
        shift, size = values.min(axis=0), np.ptp(values, axis=0)
    else:
        shift, size = values.mean(axis=0), values.std(axis=0)
    same = np.ptp(values, axis=0) == 0
    return Scaler(np.where(same, values[0], shift), np.where(same | (size == 0), 1.0, size))


def from_words(words: Mapping[str, Any]) -> Scaler:
    """The scaler that was written down."""
    return Scaler(np.array(words["shift"], dtype=float), np.array(words["size"], dtype=float))
