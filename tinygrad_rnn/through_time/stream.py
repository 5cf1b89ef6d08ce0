"""What the methods here have in common: they read a stream, step by step, and yield gradients on the way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
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
class Carry:
    """What a stream that was stopped after a window needs in order to go on as if it had not been.

    Attributes
    ----------
    last : int
        The last time step that was read.
    first : int
        The first time step that a window to come may have to go back to.
    states : tuple
        The states before `first` and before the steps that follow it, in the cell's structure: as many as there are
        steps at which the next window may begin.
    """

    last: int
    first: int
    states: tuple[Any, ...]


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
    keep : callable, optional
        Makes the `carry`.
    """

    first: int
    last: int
    loss: float
    grads: Mapping[str, Array]
    state: Any
    carried: Mapping[str, Array] = field(default_factory=dict, kw_only=True)
    keep: Callable[[], Carry] | None = field(default=None, kw_only=True, repr=False)

    @property
    def carry(self) -> Carry:
        """What `truncated` is given in order to go on behind this window, see its `carry`.

        It is read from the network, which the next window takes over.

        Raises
        ------
        ValueError
            If the stream has gone on since, or no stream can go on behind this window.
        """
        if self.keep is None:
            raise ValueError(
                f"there is no carry of the window of the steps {self.first} to {self.last}: streams of `truncated` "
                "can be stopped and gone on with"
            )
        return self.keep()

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


def blocks(
    x: Iterable[Any], d: Iterable[Any], size: int, past: int = 0, start: int = 0
) -> Iterator[tuple[int, int, Array, Array]]:
    """A stream in blocks of `size` steps, each with up to `past` steps before it; the last one may be shorter.

    Of what has a slice, such as a whole array or one that stays on disk, they are slices. What comes step by step is
    gathered. The first `start` steps are passed over, but for those before a block.

    Yields
    ------
    last, new, x, d
        The last time step, how many steps are new, and the arrays, (steps, B, ...).

    Raises
    ------
    TypeError, ShapeError, ValueError
        See `stream`.
    """
    if _sliced(x, d):
        whole: tuple[Any, Any] = x, d
        T = len(whole[0])
        for first in range(start, T, size):
            inside = slice(max(0, first - past), first + size)
            block = [np.asanyarray(each[inside]) for each in whole]
            yield min(first + size, T), min(size, T - first), block[0], block[1]
        return
    steps, last, known = stream(x, d), start, list[Array]()
    before = deque(islice(steps, start), maxlen=past)
    if before:
        known = _stacked(before)
    while gathered := list(islice(steps, size)):
        last += len(gathered)
        block = _stacked(gathered)
        if known and past:
            block = [np.concatenate([old[-past:], new]) for old, new in zip(known, block, strict=True)]
        known = block
        yield last, len(gathered), block[0], block[1]


def _stacked(steps: Iterable[tuple[int, Array, Array]]) -> list[Array]:
    return [np.stack(each) for each in list(zip(*steps, strict=True))[1:]]


def _sliced(x: Any, d: Any) -> bool:
    """Whether two whole streams are as they should be, and are read by slices."""
    if not all(hasattr(each, "shape") and hasattr(each, "__getitem__") for each in (x, d)):
        return False
    return len(x.shape) == len(d.shape) == 3 and x.shape[:2] == d.shape[:2] and 0 not in (*x.shape, *d.shape)


def _steps(name: str, given: Any) -> Iterator[Any]:
    try:
        return iter(given)
    except TypeError:
        raise TypeError(
            f"{name}={shortened(given)}: a stream is an array {name}[t, p, ...], or an iterable of its time steps"
        ) from None
