"""Minima of a map, counted by how far one has to climb out of each.

A point that is lower than its neighbours need not be a minimum of the surface: a valley that runs obliquely through a
grid has many such points, one where it passes close by a grid point. So a minimum counts by its prominence, the height
of the lowest pass to lower ground above it; and a count is held against the one on a grid half as fine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import ShapeError
from ..autodiff.asked import asked
from ..autodiff.calling import numbers

Array = NDArray[Any]
SMALLEST = 5  # points a side: every second one of them still has a neighbour on each side


@dataclass(frozen=True, eq=False)
class Minima:
    """The minima of a map.

    Attributes
    ----------
    at : tuple of (int, int)
        Where they are, the deepest one first.
    prominences : ndarray
        How high above each the lowest pass to lower ground is, as a share of the map's range; 1 for the deepest one.
    coarser : int
        How many there are on every second point of the map.
    """

    at: tuple[tuple[int, int], ...]
    prominences: Array
    coarser: int

    def __len__(self) -> int:
        return len(self.at)

    @property
    def converged(self) -> bool:
        """Whether the grid half as fine has as many."""
        return len(self) == self.coarser

    def __str__(self) -> str:
        if self.converged:
            return f"{len(self)} {'minimum' if len(self) == 1 else 'minima'}, as on a grid half as fine"
        return (
            f"no number of minima: {len(self)} on this grid and {self.coarser} on one half as fine. Only how the count "
            "changes with the grid says something"
        )

    __repr__ = __str__


@asked
def minima(cost: Any, prominence: float = 0.01) -> Minima:
    """The minima of a map that lie deeper than their surroundings by a share of the map's range.

    Parameters
    ----------
    cost : array_like, (n, m)
        The map. All eight points around a point are its neighbours.
    prominence : float
        How far one has to climb out of a minimum at least, as a share of the range of the map, below 1.

    Returns
    -------
    Minima
        A lowest point on the edge of the map, where it was cut off, is none.

    Raises
    ------
    ShapeError
        If the map has fewer than 5 points a side.
    ValueError
        If a number of it is not finite, or the prominence is not from 0 up and below 1.

    Notes
    -----
    These are what mathematical morphology calls h-minima, away from the edge.
    """
    array = numbers(cost, "cost").astype(float)
    if array.ndim != 2 or min(array.shape) < SMALLEST:
        raise ShapeError(f"minima: cost is {array.shape}: it must be a map of {SMALLEST} points a side or more")
    if not np.isfinite(array).all():
        raise ValueError("minima: cost holds a number that is not finite: cut the map, or put a ceiling, numpy.fmin")
    if not 0 <= prominence < 1:
        raise ValueError(f"minima: prominence={prominence}: it is a share of the map's range, from 0 up and below 1")
    fine = _inside(array, prominence)
    return Minima(
        tuple((int(i), int(j)) for i, j, _ in fine),
        np.array([share for *_, share in fine]),
        len(_inside(array[::2, ::2], prominence)),
    )


def _inside(cost: Array, prominence: float) -> list[tuple[int, int, float]]:
    """The minima that are deep enough and not on the edge, the deepest one first, with their prominences."""
    places, depths = basins(cost)
    span = float(np.ptp(cost)) or 1.0
    i, j = np.unravel_index(places, cost.shape)
    inside = (i > 0) & (j > 0) & (i < cost.shape[0] - 1) & (j < cost.shape[1] - 1)
    deep = np.flatnonzero(inside & (depths > prominence * span))
    deep = deep[np.argsort(cost.flat[places[deep]], kind="stable")]
    return [(int(i[k]), int(j[k]), float(depths[k] / span)) for k in deep]


def basins(cost: Array) -> tuple[Array, Array]:
    """Every lowest point of a map, by its place in the flat array, and how high the lowest pass to lower ground is.

    From every point one comes down, always to the lowest neighbour, to one lowest point: the points that do are its
    basin. Below a height, points are connected if and only if their basins are, by passes below that height: so all is
    known from the lowest pass between any two basins, and these are joined in the order of their passes.
    """
    order = np.empty(cost.size, int)
    order[np.argsort(cost, axis=None, kind="stable")] = np.arange(cost.size)  # equal heights have an order too
    rank = order.reshape(cost.shape)
    lowest, down = rank.copy(), np.arange(cost.size).reshape(cost.shape)
    here = down.copy()
    pairs = [_beside(here, di, dj) for di, dj in ((0, 1), (1, 0), (1, 1), (1, -1))]
    for one, other in [*pairs, *(pair[::-1] for pair in pairs)]:
        lower = order[other] < lowest.flat[one]
        lowest.flat[one[lower]], down.flat[one[lower]] = order[other[lower]], other[lower]
    bottom = down.ravel()
    while (bottom[bottom] != bottom).any():
        bottom = bottom[bottom]
    places = np.flatnonzero(bottom == here.ravel())
    a, b = (np.concatenate(ends) for ends in zip(*pairs, strict=True))
    between = bottom[a] != bottom[b]
    a, b = a[between], b[between]
    height = np.maximum(cost.flat[a], cost.flat[b])
    depths = np.full(cost.size, float(np.ptp(cost)))
    root = {int(p): int(p) for p in places}
    for k in np.argsort(height, kind="stable"):
        roots = (_root(root, int(bottom[a[k]])), _root(root, int(bottom[b[k]])))
        deep, shallow = sorted(roots, key=order.__getitem__)
        if deep != shallow:
            depths[shallow], root[shallow] = height[k] - cost.flat[shallow], deep
    return places, depths[places]


def _beside(here: Array, di: int, dj: int) -> tuple[Array, Array]:
    """All pairs of points of which the second one stands so many rows and columns further on."""
    rows, columns = here.shape
    first = here[: rows - di, max(0, -dj) : columns - max(0, dj)]
    second = here[di:, max(0, dj) : columns - max(0, -dj)]
    return first.ravel(), second.ravel()


def _root(root: dict[int, int], p: int) -> int:
    """The basin that one was joined to; on the way, what was passed is led there directly."""
    while root[p] != p:
        root[p] = p = root[root[p]]
    return p
