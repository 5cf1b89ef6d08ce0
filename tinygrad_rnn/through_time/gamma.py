"""Backpropagation through time in a memory of fixed size, however far back it goes.

To go back h steps, BPTT(h) stores the last h inputs and states: they stand in tapped delay lines, one tap a step.
Here the lines are gamma memories. K taps, the newest step included, reach (K - 1) / mu steps back, and what is far
away is blurred.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..autodiff import Node, ShapeError
from ..autodiff.asked import asked
from ..unfold import Unfolded, unfold
from ..unfold.gradients import cotangent
from ..unfold.losses import known_loss
from ..unfold.recipe import Cell, Loss
from ..unfold.structure import copied, flatten, rebuild
from ..unfold.validation import initial_state
from .pieces import refuse_unless_copies
from .single_step import only_arrays
from .stream import Window, stream

Array = NDArray[Any]
NUMBER = int | float | np.integer | np.floating


class GammaMemory:
    """A delay line whose taps leak: ``g_k(t) = (1 - mu) g_k(t-1) + mu g_{k-1}(t-1)``, and g_0 is the signal.

    Tap k is the signal, delayed by k / mu steps on the average and smeared out; the weights of what it mixes add up to
    1. With mu = 1 it is the signal k steps ago, exactly.

    Parameters
    ----------
    taps : int
        K, how many taps there are, g_0 included.
    mu : float
        How much of a tap moves on in a step, above 0 and up to 1.

    Attributes
    ----------
    values : ndarray, (K, ...)
        The taps. Before the first signal there are none; the first one fills them all.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    Source: de Vries and Principe (1992), the gamma model.
    """

    @asked
    def __init__(self, taps: int, mu: float) -> None:
        if isinstance(taps, bool) or not isinstance(taps, int | np.integer) or taps < 1:
            raise ValueError(f"taps={taps!r}: a memory has a number of taps from 1 up")
        if not isinstance(mu, NUMBER) or not 0 < mu <= 1:
            raise ValueError(f"mu={mu!r}: it must be above 0 and at most 1, where the memory is a plain delay line")
        self.taps, self.mu = int(taps), float(mu)
        self.values = np.empty(0)

    @property
    def depth(self) -> int:
        """The longest whole delay that can be read, in steps."""
        return math.floor((self.taps - 1) / self.mu * (1 + 1e-12))

    @asked
    def push(self, signal: ArrayLike) -> None:
        """Take in the signal of the next time step.

        Raises
        ------
        ShapeError
            If it has another shape than the first one.
        """
        signal = np.asarray(signal)
        if not self.values.size:  # integers would round what the taps mix
            first = signal.astype(np.result_type(signal, np.float16), copy=False)
            self.values = np.repeat(first[None], self.taps, axis=0)
            return
        if signal.shape != self.values.shape[1:]:
            raise ShapeError(
                f"the signal is {signal.shape} now and was {self.values.shape[1:]}: a line holds one shape"
            )
        mu = self.values.dtype.type(self.mu)
        self.values[1:] = (1 - mu) * self.values[1:] + mu * self.values[:-1]
        self.values[0] = signal

    @asked
    def read(self, delay: float) -> Array:
        """What the signal was `delay` steps ago, on the average: between two taps, in proportion.

        Raises
        ------
        ValueError
            If the delay is not one from 0 to `depth`, or nothing was taken in yet.
        """
        known = isinstance(delay, NUMBER) and not isinstance(delay, bool) and 0 <= delay <= self.depth
        if not known or not self.values.size:
            raise ValueError(f"delay={delay!r}: this memory, {self.taps} taps, holds delays from 0 to {self.depth}")
        at = min(self.mu * delay, self.taps - 1.0)
        k = math.floor(at)
        if at == k:
            return self.values[k].copy()
        part = self.values.dtype.type(at - k)
        return (1 - part) * self.values[k] + part * self.values[k + 1]


@asked
def fixed_memory(
    cell: Cell,
    params: Mapping[str, Any],
    x: Iterable[Any],
    d: Iterable[Any],
    *,
    taps: int,
    mu: float,
    loss: str | Loss = "cross_entropy",
    s0: Any = None,
) -> Iterator[Window]:
    """The gradient of each cost C(t), back through as many steps as gamma memories of `taps` taps reach.

    Exact are the newest step and, with mu = 1, everything: it is then BPTT(h) with h = `taps`, the sum over the last h
    copies. With mu < 1 the error still goes back step by step, through 1 + (taps - 1) / mu copies, but each copy sees
    the input and the state that the memories hold for it: smeared out, the more the further back.

    Parameters
    ----------
    cell, params, loss
        As for `unfold`. The parameters may be changed in place between two gradients.
    x, d
        See `stream`; nothing is read before it is needed.
    taps, mu
        See `GammaMemory`.
    s0 : ndarray (B, m), or tuple of these, optional
        The initial state; what the cell says if none is given.

    Yields
    ------
    Window
        For each time step: the copies gone back through, C(t), its gradient, and s(t).

    Raises
    ------
    ValueError
        If `taps`, `mu`, `loss` or the stream is not what it must be, or `s0` names a parameter.

    Notes
    -----
    After Principe, Kuo and de Vries (1993), who put the delay lines of the activations and of the errors into gamma
    memories. Here only the newest error starts, as in BPTT(h), and it is carried from copy to copy: it needs no line.
    How the memory is read between its taps is this library's choice.
    """
    GammaMemory(taps, mu)  # refuses what is out of range, before the stream begins
    known_loss(loss)
    only_arrays(s0)

    def run() -> Iterator[Window]:
        lines: list[GammaMemory] = []
        nets: list[Unfolded] = []
        state = None
        for t, x_t, d_t in stream(x, d):
            if not nets:
                state = initial_state(cell, params, s0, len(x_t))
                pays, silent = (
                    unfold(cell, params, x_t[None], d_t[None], loss=l, s0=state, batch_first=False)
                    for l in (loss, _nothing)
                )
                nets = [pays, silent]
                for net in nets:
                    refuse_unless_copies(net, "fixed_memory", "rtrl takes any cell")
                lines = [GammaMemory(taps, mu) for _ in (x_t, *flatten(state))]
            for line, signal in zip(lines, (x_t, *flatten(state)), strict=True):
                line.push(signal)
            copies = min(t, 1 + lines[0].depth)
            grads: dict[str, Array] = {}
            later = None
            for delay in range(copies):
                x_then, *s_then = [line.read(delay) for line in lines]
                net = nets[min(delay, 1)]  # the newest copy pays, the others hand on its error
                net.replay(x_then[None], d_t[None], s0=rebuild(state, s_then))
                net.backward(later=later)
                later = rebuild(state, [cotangent(s) for s in flatten(net.states[0])])
                for name, g in net.grads.items():
                    grads[name] = grads[name] + g if name in grads else g
            state = nets[0].last_state
            yield Window(t - copies + 1, t, nets[0].loss, grads, copied(state))

    return run()


def _nothing(y: Node, _d: Node) -> Any:
    """No cost: the error of this step comes from later ones alone."""
    return (0.0 * y).sum()
