"""What the methods here have in common: they read a stream, step by step, and yield gradients on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import ShapeError
from ..autodiff.calling import shortened

Array = NDArray[Any]
_ENDED = object()


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A stretch of a stream, and the gradient that a method has found at its end.

    Attributes
    ----------
    first, last : int
        Its first and last time step, counted from 1 over the whole stream.
    loss : float
        The cost that the gradient is of.
    grads : mapping of str to ndarray
        dC / d weight by name.
    state : ndarray or tuple
        The state after the last step, in the cell's structure.
    carried : mapping of str to ndarray
        What the method takes along to the next window besides the state, such as an influence.
    """

    first: int
    last: int
    loss: float
    grads: Mapping[str, Array]
    state: Any
    carried: Mapping[str, Array] = field(default_factory=dict, kw_only=True)

    @property
    def carried_bytes(self) -> int:
        """How much memory that takes."""
        return sum(array.nbytes for array in self.carried.values())


def stream(x: Iterable[Any], d: Iterable[Any]) -> Iterator[tuple[int, Array, Array]]:
    """Time, input (B, l) and target (B, o) of each step of a stream; nothing is read before it is needed.

    Parameters
    ----------
    x, d : array_like (T, B, l) and (T, B, o), or iterables of (B, l) and of (B, o)
        The inputs and the targets, however many there are.

    Yields
    ------
    t, x, d
        The arrays are copies: a window holds steps for a while, and a source may write into one array again and again.

    Raises
    ------
    TypeError
        If there is nothing to go through.
    ShapeError
        If a step has other axes or sizes than these, or no sample, or no unit.
    ValueError
        If there is no step at all, or one of the two ends before the other.
    """
    shapes: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    t = 0
    for t, (x_now, d_now) in enumerate(zip_longest(_steps("x", x), _steps("d", d), fillvalue=_ENDED), 1):
        if x_now is _ENDED or d_now is _ENDED:
            short, long = ("x", "d") if x_now is _ENDED else ("d", "x")
            raise ValueError(f"the stream {short} has ended after t={t - 1} and {long} goes on: they must be as long")
        x_t, d_t = np.array(x_now), np.array(d_now)
        if not x_t.size or not d_t.size:
            raise ShapeError(
                f"at t={t} of the stream x is {x_t.shape} and d is {d_t.shape}: there must be at least one sample and "
                "one unit"
            )
        shapes = shapes or (x_t.shape, d_t.shape)
        if x_t.ndim != 2 or d_t.ndim != 2 or len(x_t) != len(d_t) or (x_t.shape, d_t.shape) != shapes:
            raise ShapeError(
                f"at t={t} of the stream x is {x_t.shape} and d is {d_t.shape}: they must be x[p, i] and d[p, k], with "
                f"as many samples p, and as at t=1, where they are {shapes[0]} and {shapes[1]}"
            )
        yield t, x_t, d_t
    if not t:
        raise ValueError("the stream is empty: x and d must have at least one time step")


def blocks(x: Iterable[Any], d: Iterable[Any], size: int, past: int = 0) -> Iterator[tuple[int, int, Array, Array]]:
    """A stream in blocks of `size` steps, each with up to `past` steps before it; the last one may be shorter.

    Of whole arrays they are slices. What comes step by step is gathered.

    Yields
    ------
    last, new, x, d
        The last time step, how many steps are new, and the arrays, (steps, B, ...).

    Raises
    ------
    TypeError, ShapeError, ValueError
        See `stream`.
    """
    if isinstance(x, np.ndarray) and isinstance(d, np.ndarray) and _whole(x, d):
        for first in range(0, len(x), size):
            inside = slice(max(0, first - past), first + size)
            yield min(first + size, len(x)), min(size, len(x) - first), x[inside], d[inside]
        return
    steps, last, known = stream(x, d), 0, list[Array]()
    while gathered := list(islice(steps, size)):
        last += len(gathered)
        block = [np.stack(each) for each in list(zip(*gathered, strict=True))[1:]]
        if known and past:
            block = [np.concatenate([old[-past:], new]) for old, new in zip(known, block, strict=True)]
        known = block
        yield last, len(gathered), block[0], block[1]


def _whole(x: Array, d: Array) -> bool:
    """Whether two arrays are streams as they should be."""
    return x.ndim == d.ndim == 3 and x.shape[:2] == d.shape[:2] and bool(x.size and d.size)


def _steps(name: str, given: Any) -> Iterator[Any]:
    try:
        return iter(given)
    except TypeError:
        raise TypeError(
            f"{name}={shortened(given)}: a stream is an array {name}[t, p, ...], or an iterable of its time steps"
        ) from None
