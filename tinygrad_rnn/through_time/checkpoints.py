"""Checkpointing: the gradient of the whole cost, few states kept, and the steps between them played again.

Backwards, a segment of the sequence needs the values of all its steps. They are computed again, from the last
state that was kept before it. Which states to keep is the schedule.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.asked import asked
from ..unfold import Unfolded, unfold
from ..unfold.gradients import cotangent
from ..unfold.losses import known_loss
from ..unfold.paying import check_reduction
from ..unfold.recipe import Cell, Loss
from ..unfold.structure import flatten, rebuild
from ..unfold.validation import check_cell, initial_state, sequences
from .pieces import refuse_unless_copies
from .single_step import with_rows
from .stream import Window

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Checkpointed(Window):
    """The gradient of a whole sequence, and what it took.

    Attributes
    ----------
    initial : ndarray or tuple
        dC / d s(0), in the cell's structure.
    plays : int
        How many forward passes over a segment were played.
    steps : int
        How many time steps were played in these, once or again.
    kept : int
        The largest number of states that were kept at one time, s(0) among them.
    """

    initial: Any
    plays: int
    steps: int
    kept: int


class Checkpoints:
    """The gradient that `unfold` and `backward` give, exactly, without storing all time steps at once.

    A sequence is cut into segments of `every` time steps, and one network of that length is replayed wherever it
    is needed. Without `memory`, the state before each segment is kept, and each segment but the last is played
    twice: with segments of sqrt(T) steps both kinds of memory are of the order of sqrt(T). With `memory`, at most
    that many states are kept, and segments are played again as seldom as that allows, see `fewest_plays`.

    Whatever `memory` is, the same numbers come out, bit for bit. To those of one network of all T steps they are
    equal up to rounding: a gradient is the sum of those of the segments, from the last one to the first. The cell
    must compute the same at every time step: one that is seen to count or to draw is refused. All samples have all
    steps: there is no mask.

    Parameters
    ----------
    cell, params, loss, reduction
        As for `unfold`. The parameters may be changed in place between calls.
    every : int, optional
        The length of a segment; if neither it nor `memory` is given, the square root of T, rounded up. 1 if only
        `memory` is given. Longer segments are quicker.
    memory : int, optional
        How many states may be kept, s(0) included; as many as there are segments if it is not given.

    Raises
    ------
    ValueError
        If `every` or `memory` is not a positive integer, or `reduction` is unknown.

    Notes
    -----
    Sources: Chen et al. (2016), the square root; Gruslys et al. (2016), section 3.1, the schedule for states.
    """

    @asked
    def __init__(
        self,
        cell: Cell,
        params: Mapping[str, Any],
        *,
        every: int | None = None,
        memory: int | None = None,
        loss: str | Loss = "cross_entropy",
        reduction: str = "sum",
    ) -> None:
        for name, value in (("every", every), ("memory", memory)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1):
                raise ValueError(f"{name}={value!r}: it is an integer from 1 up")
        check_cell(cell)
        known_loss(loss)
        check_reduction(reduction)
        self.cell, self.params, self.loss, self.reduction = cell, params, loss, reduction
        self.every, self.memory = every, memory
        self._nets: dict[Any, Unfolded] = {}  # by the shapes of a segment's data: recorded once

    @asked
    def __call__(self, x: Any, d: Any, *, s0: Any = None) -> Checkpointed:
        """The gradient of the cost of a sequence.

        Parameters
        ----------
        x, d, s0
            As for `unfold`.

        Raises
        ------
        ShapeError, ValueError
            See `unfold`.
        """
        x, d = sequences(x, d)
        T = len(x)
        length = self.every or (1 if self.memory else math.isqrt(T - 1) + 1)
        start = initial_state(self.cell, self.params, s0, x.shape[1])
        trained = [s if isinstance(s, str) else "" for s in flatten(start)]
        segments = _Segments(
            partial(self._net, again=length < T), x, d, length, with_rows(start, self.params, x.shape[1])
        )
        try:
            loss, grads, initial, state, kept = segments.gradient(self.memory or len(segments))
        except BaseException:  # such as Ctrl-C: what a network has then may be half of this sequence's
            self._nets.clear()
            raise
        for name, error in zip(trained, flatten(initial), strict=True):
            if name:
                grads[name] = grads[name] + error.sum(axis=0)
        if self.reduction == "mean":
            loss, grads = loss / T, {name: g / g.dtype.type(T) for name, g in grads.items()}
            initial = rebuild(initial, [g / g.dtype.type(T) for g in flatten(initial)])
        return Checkpointed(1, T, loss, grads, state, initial, segments.plays, segments.steps, kept)

    def _net(self, x: Array, d: Array, s0: Any, again: bool) -> Unfolded:
        """The network for a segment with such data, not played yet; whether other segments are played by it, too."""
        key = (x.shape, x.dtype, d.shape, d.dtype)
        again = again or key in self._nets
        if key not in self._nets:
            self._nets[key] = unfold(self.cell, self.params, x, d, loss=self.loss, s0=s0, batch_first=False)
        if again:
            refuse_unless_copies(self._nets[key], "a checkpointed pass", "unfold() the whole sequence instead")
        return self._nets[key]


@asked
def checkpointed(
    cell: Cell,
    params: Mapping[str, Any],
    x: Any,
    d: Any,
    *,
    every: int | None = None,
    memory: int | None = None,
    loss: str | Loss = "cross_entropy",
    reduction: str = "sum",
    s0: Any = None,
) -> Checkpointed:
    """The gradient of one sequence with few states kept: `Checkpoints`, called once.

    Parameters
    ----------
    cell, params, x, d, loss, reduction, s0
        As for `unfold`.
    every, memory
        As for `Checkpoints`.

    Raises
    ------
    ShapeError, ValueError
        See `Checkpoints`.
    """
    return Checkpoints(cell, params, every=every, memory=memory, loss=loss, reduction=reduction)(x, d, s0=s0)


@asked
def fewest_plays(segments: int, memory: int) -> int:
    """How many segments must be played forwards to go back through all of them, C(t, m).

    ``C(t, m) = min over y of y + C(t - y, m - 1) + C(y, m)``: play y segments, keep the state there, go back through
    what lies behind it with a state less to keep, then through the y segments. ``C(t, 1) = t (t + 1) / 2``, and
    ``C(t, m) = 2t - 1`` where every state can be kept. The solution is a sum: ``(m + r - 2 choose m - 1)`` segments
    are played the r-th time, for r = 1, 2, ..., as far as there are segments.

    Parameters
    ----------
    segments, memory : int
        How many segments there are, and how many states may be kept, the one before the first included.

    Raises
    ------
    ValueError
        If there is a negative number of segments, no state, or one of the two is no integer.

    Notes
    -----
    Source: Gruslys et al. (2016), section 3.1; the sum: Griewank and Walther (2000), proposition 1.
    """
    for name, given, least in (("segments", segments, 0), ("memory", memory, 1)):
        if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < least:
            raise ValueError(f"{name}={given!r}: it is an integer from {least} up")
    if memory == 1:
        return segments * (segments + 1) // 2
    plays, r = 0, 1
    while segments > 0:
        some = min(segments, math.comb(memory + r - 2, memory - 1))
        plays, segments, r = plays + r * some, segments - some, r + 1
    return plays


def first_cut(segments: int, memory: int) -> int:
    """After how many segments to keep the next state: the first y that is best in `fewest_plays`."""
    if memory == 1:
        return segments - 1
    if memory >= segments:
        return 1

    def worse(y: int) -> bool:
        return plays(y) <= plays(y + 1)

    def plays(y: int) -> int:
        return y + fewest_plays(segments - y, memory - 1) + fewest_plays(y, memory)

    return bisect_left(range(1, segments - 1), True, key=worse) + 1  # it falls, then rises


class _Segments:
    """A sequence in segments, and the passes over them, counted."""

    def __init__(
        self, net: Callable[[Array, Array, Any], Unfolded], x: Array, d: Array, length: int, start: Any
    ) -> None:
        self._net = net
        self.x, self.d, self.length, self.start = x, d, length, start
        self.plays = self.steps = 0

    def __len__(self) -> int:
        return math.ceil(len(self.x) / self.length)

    def carry(self, segment: int, state: Any) -> Any:
        """The state after a segment, from the state before it."""
        net, x, _ = self._at(segment)
        return net.carry(x, s0=state)

    def play(self, segment: int, state: Any) -> Unfolded:
        """The forward pass over a segment, from the state before it, to go back through."""
        net, x, d = self._at(segment)
        net.replay(x, d, s0=state)
        return net

    def _at(self, segment: int) -> tuple[Unfolded, Array, Array]:
        """The network for a segment, and its data; it is counted as played."""
        data = slice(segment * self.length, (segment + 1) * self.length)
        x, d = self.x[data], self.d[data]
        self.plays += 1
        self.steps += len(x)
        return self._net(x, d, self.start), x, d

    def gradient(self, memory: int) -> tuple[float, dict[str, Array], Any, Any, int]:
        """Back from the last segment to the first, with the schedule's plays between.

        Returns the cost, the gradients, dC / d s(0), s(T), and the largest number of states kept.
        """
        grads: dict[str, Array] = {}
        loss, last, later = 0.0, None, None
        kept, most = {0: self.start}, 1
        rest = [(0, len(self), memory)]  # segments to go back through yet: the first, how many, states for them
        while rest:
            begin, count, free = rest.pop()
            state = kept[begin]
            cut = first_cut(count, free) if count > 1 else 0
            for segment in range(begin, begin + cut):
                state = self.carry(segment, state)
            if cut:
                rest.append((begin, cut, free))
            else:
                del kept[begin]
            if count - cut > 1:
                kept[begin + cut] = state
                most = max(most, len(kept))
                rest.append((begin + cut, count - cut, free - 1))
                continue
            net = self.play(begin + cut, state)
            net.backward(later=later)
            last = net.last_state if last is None else last
            later = rebuild(self.start, [cotangent(s) for s in flatten(net.states[0])])
            loss += net.loss
            for name, g in net.grads.items():
                grads[name] = grads[name] + g if name in grads else g
        return loss, grads, later, last, most
