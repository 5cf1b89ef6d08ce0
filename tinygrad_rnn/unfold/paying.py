"""Which costs count, and how much: each time step's in the whole, and each sample's within its step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import ShapeError
from ..autodiff.calling import as_array, shortened

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Paying:
    """How the costs are put together; see `unfold`, whose arguments these are.

    Attributes
    ----------
    steps : tuple of int, or str
        The time steps whose costs count, or "last".
    reduction : str
        "sum", "mean" or "own_mean".
    masked, weighted : bool
        Whether there is a mask, and whether weights were given.
    """

    steps: tuple[int, ...] | str
    reduction: str
    masked: bool
    weighted: bool

    @property
    def own_steps(self) -> bool:
        """Whether each sample has steps of its own that count, or are counted."""
        return self.masked and (self.steps == "last" or self.reduction == "own_mean")

    @property
    def by_sample(self) -> bool:
        """Whether samples pay differently within a step, beyond what a mask says."""
        return self.weighted or self.own_steps

    def shares(self, T: int) -> Array:
        """What each time step's cost weighs in the whole, (T,)."""
        counts = self._counts(T)
        return counts if self.reduction == "sum" or self.own_steps else counts / np.count_nonzero(counts)

    def _counts(self, T: int) -> Array:
        counts = np.zeros(T)
        if isinstance(self.steps, str):  # the last one, which may be any step of a sample
            counts[0 if self.masked else T - 1 :] = 1
        else:
            counts[[t - 1 for t in self.steps]] = 1
        return counts

    def of_samples(self, present: Array | None, weights: Any, shape: tuple[int, int], dtype: Any) -> Array | None:
        """What each sample's cost is multiplied by within its step, (T, B, 1); None if by what the mask says alone.

        Parameters
        ----------
        present : ndarray (T, B, 1) or None
            The mask.
        weights : array_like (T, B), optional
            The weights as they were given.
        shape, dtype
            Of x: (T, B), and the type of its numbers.

        Raises
        ------
        ShapeError
            If the weights are not (T, B).
        ValueError
            If one is negative or not finite, or if no step counts of a sample that has some.
        """
        given = None if weights is None else as_weights(weights, shape, dtype)
        if present is None:
            return given
        counts = self._counts(len(present))[:, None, None] * present
        if self.steps == "last":
            counts = counts * (np.cumsum(present[::-1], axis=0)[::-1] == 1)
        unpaid = np.flatnonzero(present.any(axis=0) & ~counts.any(axis=0))
        if unpaid.size and weights is None:
            raise ValueError(
                f"losses={list(self.steps)}: by the mask, the samples {unpaid.tolist()} (counted from 0) have none of "
                'these steps, and would pay nothing. losses="last" counts each sample\'s own last step; to leave them '
                "out all the same, say so by weights="
            )
        if not self.by_sample:
            return None
        pays = counts if given is None else counts * given
        if self.reduction == "own_mean":
            pays = pays / np.maximum(counts.sum(axis=0), 1)
        return pays.astype(dtype)


def named_steps(T: int, losses: Iterable[int] | str | None) -> tuple[int, ...] | str:
    """The time steps whose costs count, checked: all if none are named.

    Raises
    ------
    ValueError
        If something else than time steps is named, or nothing.
    """
    if isinstance(losses, str):
        if losses != "last":
            raise ValueError(f'losses={losses!r}: it names time steps, or is "last", each sample\'s own last step')
        return losses
    steps = tuple(range(1, T + 1) if losses is None else losses)
    for t in steps:
        if isinstance(t, bool) or not isinstance(t, int | np.integer) or not 1 <= t <= T:
            raise ValueError(f"losses names {shortened(t)}: it names time steps, integers from 1 to {T}")
    if not steps:
        raise ValueError("losses is empty: name at least one time step whose cost counts")
    return steps


def check_reduction(reduction: str, *more: str) -> None:
    """Raise ValueError if it is not a way to combine the costs over time: "sum", "mean", or one of the others named."""
    if reduction not in ("sum", "mean", *more):
        others = "".join(f", or by {way!r}" for way in more)
        raise ValueError(
            f"reduction={reduction!r}: the costs over time are combined by 'sum' or by 'mean'{others}; say which"
        )


def as_weights(weights: Any, shape: tuple[int, int], dtype: Any) -> Array:
    """Weights as they go on the tape, (T, B, 1)."""
    array = as_array(weights, "weights")
    if array.shape != shape:
        raise ShapeError(
            f"weights is {array.shape} and x has {shape[0]} time steps of {shape[1]} samples: weights[t, p] must be "
            f"{shape}, what the cost of sample p at step t is multiplied by"
        )
    with np.errstate(over="ignore"):
        pays = array.astype(dtype) if array.dtype.kind in "biuf" else None
    if pays is None or not np.isfinite(pays).all() or (pays < 0).any():
        raise ValueError(
            f"weights holds a number that is negative, no real number, or not finite in {np.dtype(dtype)}: the cost of "
            "sample p at step t is multiplied by weights[t, p], from 0 up"
        )
    return pays[..., None]
