"""The error surface: the cost over two weights, or over the plane that two directions span in the space of all weights.

A slice is what one can see. What is a minimum along it need not be one: the other weights may lead out of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import ShapeError
from ..autodiff.asked import asked, room_for
from ..autodiff.calling import numbers, shortened
from ..unfold import Unfolded, with_weights
from .many_weights import AT_ONCE, ManyWeights
from .minima import SMALLEST, Minima, minima

Array = NDArray[Any]
LARGEST = 1e300  # how far a grid can reach in numbers
Direction = Mapping[str, Array]
ENTRY = re.compile(r"(?P<name>.+?)\[\s*(?P<entry>\d+(?:\s*,\s*\d+)*)\s*\]")


@dataclass(frozen=True, eq=False)
class Surface:
    """A slice of an error surface, made by `surface`. Entry ``[i, j]`` is the point ``axes[0][i], axes[1][j]``.

    Attributes
    ----------
    names : tuple of str
        What the axes are.
    axes : tuple of ndarray, (n,) and (m,)
        Values of the two weights; along directions, how many times each of them is added.
    cost : ndarray, (n, m)
        The cost.
    directions : tuple of mapping of str to ndarray
        What one unit along each axis adds to the weights.
    center : mapping of str to ndarray
        The weights in the middle.
    """

    names: tuple[str, str]
    axes: tuple[Array, Array]
    cost: Array
    directions: tuple[Direction, Direction]
    center: Direction
    _steps: tuple[Array, Array]
    _many: ManyWeights
    _net: Unfolded

    @cached_property
    def _gradients(self) -> tuple[Array, Array]:
        """What the gradients have to say, computed when it is first asked for."""
        slopes, whole = np.empty((2, *self.cost.shape)), np.empty(self.cost.shape)
        for rows, given in _by_rows(self.center, self.directions, self._steps):
            grads = self._many.at(given).grads
            with np.errstate(over="ignore", invalid="ignore"):
                for k, direction in enumerate(self.directions):
                    slopes[k, rows] = sum(_over_own(g * direction[name], direction[name]) for name, g in grads.items())
                whole[rows] = np.sqrt(sum(_over_own(g**2, self.center[name]) for name, g in grads.items()))
        return _read_only(slopes), _read_only(whole)

    @property
    def slopes(self) -> Array:
        """The derivatives of the cost along the two axes, (2, n, m)."""
        return self._gradients[0]

    @property
    def whole_gradient(self) -> Array:
        """The length of the gradient in all weights of the network, not in the two of the slice, (n, m)."""
        return self._gradients[1]

    @property
    def gradient(self) -> Array:
        """The length of the gradient within the slice, (n, m)."""
        return np.hypot(*self.slopes)

    @property
    def lowest(self) -> tuple[int, int]:
        """The point with the smallest cost; ValueError if there is no finite one."""
        return self._place(np.nanargmin, self.cost)

    @property
    def steepest(self) -> tuple[int, int]:
        """The point with the longest gradient within the slice; ValueError if there is no finite cost."""
        return self._place(np.nanargmax, self.gradient)

    def _place(self, best: Callable[[Array], Any], values: Array) -> tuple[int, int]:
        if np.isnan(values).all() or not np.isfinite(self.cost).any():
            raise ValueError(
                "the cost, or its gradient, is finite at no point of this surface, so none is the lowest or the "
                "steepest: draw it around other weights, or with a smaller radius"
            )
        i, j = np.unravel_index(best(values), self.cost.shape)
        return int(i), int(j)

    @property
    def jumps(self) -> tuple[Array, Array]:
        """How much the length of the gradient changes from a point to the next one, along each axis."""
        return np.abs(np.diff(self.gradient, axis=0)), np.abs(np.diff(self.gradient, axis=1))

    @property
    def roughness(self) -> float:
        """The jump that one in a hundred exceeds, in units of the median length of the gradient: 0 on a plane."""
        jumps = np.concatenate([each.ravel() for each in self.jumps])
        median = float(np.median(self.gradient))
        largest = float(np.quantile(jumps, 0.99))
        return largest / median if median else float(largest > 0) * np.inf

    @asked
    def minima(self, prominence: float = 0.01) -> Minima:
        """The minima of the slice, on this grid and on one half as fine; see `tinygrad_rnn.experiments.minima`."""
        return minima(self.cost, prominence)

    def params(self, at: Sequence[int]) -> dict[str, Array]:
        """The weights at a point of the grid, in arrays of their own.

        Raises
        ------
        ValueError
            If there is no such point.
        """
        i, j = self._checked(at)
        a, b = self._steps[0][i], self._steps[1][j]
        first, second = self.directions
        return {name: (w + a * first[name] + b * second[name]).astype(w.dtype) for name, w in self.center.items()}

    def net_at(self, at: Sequence[int]) -> Unfolded:
        """The network unfolded at a point of the grid, to be stepped through: ``tg.player(surface.net_at((i, j)))``.

        Raises
        ------
        ValueError
            If there is no such point.
        """
        return with_weights(self._net, self.params(at))

    def _checked(self, at: Any) -> tuple[int, int]:
        rows, columns = self.cost.shape
        whole = isinstance(at, Sequence) and len(at) == 2 and all(isinstance(k, int | np.integer) for k in at)
        if not whole or not (0 <= at[0] < rows and 0 <= at[1] < columns):
            raise ValueError(f"at={shortened(at)}: a point is (i, j), from (0, 0) to ({rows - 1}, {columns - 1})")
        return int(at[0]), int(at[1])

    def __repr__(self) -> str:
        return (
            f"<error surface over {self.names[0]} and {self.names[1]}, {self.cost.shape[0]} x {self.cost.shape[1]} "
            f"points, cost {np.nanmin(self.cost):.3g} to {np.nanmax(self.cost):.3g}>"
        )


@asked
def surface(
    net: Unfolded,
    along: Any = None,
    *,
    radius: Any = 1.0,
    points: int = 101,
    rng: int | np.random.Generator | None = 0,
) -> Surface:
    """The cost of a network, and its gradient, on a grid about the weights that it has. The network stays as it is.

    Parameters
    ----------
    net : Unfolded
        The network, its forward pass done: the cell, the data and what the cost is are its own.
    along : pair of str or mapping, optional
        The two axes. A text names one weight, such as ``"U[0, 1]"``, or ``"b"`` where that has one entry. A mapping
        of names to arrays is a direction: what is added to the weights, nothing to those that it does not name. If
        nothing is given, two random directions, see `filter_direction`.
    radius : float or pair of float
        How far the grid reaches from the middle to each side, one number or one for each axis.
    points : int
        How many points a side, an odd number: then the middle is one, and every second one makes a grid half as fine.
    rng : int or numpy.random.Generator, optional
        Where random directions come from.

    Returns
    -------
    Surface

    Raises
    ------
    ValueError
        If `along` is no pair, or names no single weight; if a radius is not above 0 and finite; if `points` is even or
        less than 5; see `at_weights` for what the network must be.
    ShapeError
        If a direction has not the shape of its weight.

    Notes
    -----
    Source of filter-normalised directions: Li, Xu, Taylor, Studer and Goldstein (2018), section 4.
    """
    whole = isinstance(points, int | np.integer) and not isinstance(points, bool)
    if not whole or points < SMALLEST or points % 2 == 0:
        raise ValueError(f"surface: points={shortened(points)}: it is an odd number from {SMALLEST} up, such as 101")
    reach = _radii(radius)
    many = ManyWeights(net)
    center = {name: leaf.value.copy() for name, leaf in net.weights.items()}
    own = with_weights(net, center)  # with these data, whatever becomes of the network
    rng = np.random.default_rng(rng)
    names, directions, middle = _axes(along, center, rng)
    room_for("surface: the map", (points, points, 4), "pass fewer points")
    steps = tuple(np.linspace(-r, r, points) for r in reach)
    cost = np.empty((points, points), net.cost.value.dtype)
    for rows, given in _by_rows(center, directions, (steps[0], steps[1])):
        cost[rows] = many.at(given, gradients=False).cost
    axes = tuple(at + grid for at, grid in zip(middle, steps, strict=True))
    for array in (cost, *axes, *steps):
        _read_only(array)
    return Surface(
        names, (axes[0], axes[1]), cost, directions, MappingProxyType(center), (steps[0], steps[1]), many, own
    )


@asked
def filter_direction(params: Mapping[str, Any], rng: int | np.random.Generator | None = 0) -> dict[str, Array]:
    """A random direction in which each unit's incoming weights move as far as they are long, and biases stay.

    Without this, how rough a slice looks is a matter of how large the weights are.

    Parameters
    ----------
    params : mapping of str to ndarray
        The weights, by name.
    rng : int or numpy.random.Generator, optional
        Where the direction comes from.

    Returns
    -------
    dict of str to ndarray
        A direction: each row of a matrix has the length of that row of the weights; what has fewer axes is zero.

    Notes
    -----
    Source: Li, Xu, Taylor, Studer and Goldstein (2018), section 4.
    """
    rng = np.random.default_rng(rng)
    found = {}
    for name, given in params.items():
        w = numbers(given, f"params[{name!r}]").astype(float)
        found[name] = np.zeros_like(w)
        if w.ndim > 1:
            drawn = rng.normal(size=w.shape)
            axes = tuple(range(1, w.ndim))
            lengths = [np.sqrt((each**2).sum(axis=axes, keepdims=True)) for each in (w, drawn)]
            found[name] = drawn * lengths[0] / lengths[1]
    return found


def _radii(radius: Any) -> tuple[float, float]:
    pair = radius if isinstance(radius, Sequence) and not isinstance(radius, str) else (radius, radius)
    if len(pair) != 2:
        raise ValueError(f"surface: radius={shortened(radius)}: it is one number, or one for each of the two axes")
    for r in pair:
        real = isinstance(r, int | float | np.integer | np.floating) and not isinstance(r, bool)
        if not real or not 0 < r < LARGEST:
            raise ValueError(f"surface: radius={shortened(radius)}: the grid reaches so far, above 0 and finite")
    return float(pair[0]), float(pair[1])


def _axes(
    along: Any, center: Direction, rng: np.random.Generator
) -> tuple[tuple[str, str], tuple[Direction, Direction], tuple[float, float]]:
    """For each axis its name, its direction, and the value in the middle."""
    if along is None:
        along = [filter_direction(center, rng) for _ in range(2)]
        if not any(d.any() for each in along for d in each.values()):
            raise ValueError(
                "surface: no weight has two axes, so there is no random direction: say along which weights"
            )
    if not isinstance(along, Sequence) or isinstance(along, str) or len(along) != 2:
        raise ValueError(f"surface: along={shortened(along)}: it is a pair, two weights' names or two directions")
    first, second = (
        _one_weight(each, center) if isinstance(each, str) else _direction(each, center, f"direction {k}")
        for k, each in enumerate(along, 1)
    )
    if first[0] == second[0]:
        raise ValueError(f"surface: along={shortened(along)}: both are {first[0]}, and a slice has two axes")
    return (first[0], second[0]), (first[1], second[1]), (first[2], second[2])


def _one_weight(said: str, center: Direction) -> tuple[str, Direction, float]:
    read = ENTRY.fullmatch(said)
    name = read["name"] if read and said not in center else said
    if name not in center:
        raise ValueError(f"surface: along names {said!r}; the network's weights are {', '.join(center)}")
    w = center[name]
    entry = tuple(map(int, read["entry"].split(","))) if read and said not in center else (0,) * w.ndim
    fits = len(entry) == w.ndim and all(k < n for k, n in zip(entry, w.shape, strict=True))
    if not fits or (said == name and w.size != 1):
        example = f"{name}[{', '.join('0' * w.ndim)}]"
        raise ValueError(f"surface: along names {said!r}, and {name} is {w.shape}: name one entry, such as {example!r}")
    direction = {other: np.zeros_like(v) for other, v in center.items()}
    direction[name][entry] = 1
    return said, MappingProxyType(direction), float(w[entry])


def _direction(given: Any, center: Direction, name: str) -> tuple[str, Direction, float]:
    if not isinstance(given, Mapping) or not given:
        raise ValueError(
            f"surface: along has {shortened(given)}: an axis is a weight's name, or a direction, arrays by name"
        )
    direction = {other: np.zeros_like(w) for other, w in center.items()}
    for weight, values in given.items():
        if weight not in center:
            raise ValueError(f"surface: {name} names {weight!r}; the network's weights are {', '.join(center)}")
        array = numbers(values, f"{name}[{weight!r}]")
        if array.shape != center[weight].shape or not np.isfinite(array).all():
            raise ShapeError(
                f"surface: {name} has {weight} {array.shape}: it must be finite numbers, {center[weight].shape}"
            )
        direction[weight][...] = array
    if not any(d.any() for d in direction.values()):
        raise ValueError(f"surface: {name} is zero everywhere, and leads nowhere")
    return name, MappingProxyType(direction), 0.0


def _by_rows(
    center: Direction, directions: tuple[Direction, Direction], steps: tuple[Array, Array]
) -> Iterator[tuple[slice, dict[str, Array]]]:
    """The weights of some rows of the grid at a time, those that vary."""
    size = sum(w.size for w in center.values())
    together = max(1, 16 * AT_ONCE // (size * len(steps[1])))
    for first in range(0, len(steps[0]), together):
        rows = slice(first, first + together)
        moved = {name: _moved(w, [d[name] for d in directions], steps[0][rows], steps[1]) for name, w in center.items()}
        yield rows, {name: w for name, w in moved.items() if w is not None}


def _moved(w: Array, directions: list[Array], a: Array, b: Array) -> Array | None:
    """A weight at each point of some rows of the grid; None if it is the same at all of them."""
    if not any(d.any() for d in directions):
        return None
    return w + np.multiply.outer(a, directions[0])[:, None] + np.multiply.outer(b, directions[1])[None]


def _over_own(values: Array, like: Array) -> Array:
    """Summed over a weight's own axes."""
    return np.asarray(values.sum(axis=tuple(range(values.ndim - like.ndim, values.ndim))))


def _read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array
