"""Real-time recurrent learning: the gradient carried forwards in time, by tangents, without a look back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import BatchedValues, Node, record_pushforward
from ..autodiff.asked import asked
from ..unfold.losses import known_loss
from ..unfold.recipe import Cell, Loss
from ..unfold.structure import flatten
from .single_step import SingleStep, SingleSteps, by_part, needed, reached, state_of
from .stream import Window, stream

Array = NDArray[Any]
Influence = dict[tuple[str, int], Array]  # of a weight on a part of the state; what is not there is zero
AT_ONCE = 32768  # numbers in the disturbances of one weight that are played at once, however small the state is


@asked
def rtrl(
    cell: Cell, params: Mapping[str, Any], x: Any, d: Any, *, loss: str | Loss = "cross_entropy", s0: Any = None
) -> Iterator[Window]:
    """Real-time recurrent learning: at each time step the whole gradient of C(t), without a memory of the past.

    The influence of every weight on the state, ``M(t) = ds(t) / d theta``, is carried along: the tangents of one
    step take it from M(t-1) to M(t), and on to the cost. Its size is that of the state times the number P of weights
    that act on it: for m hidden units and one sample a step takes O(m^2 P) time and O(m P) memory, however long the
    stream.

    Parameters
    ----------
    cell : callable
        See `tinygrad_rnn.unfold`.
    params : mapping of str to ndarray
        The weights. They are read anew at each step and never written to. Who changes them between two steps
        gets the usual online algorithm: the influence that is carried along was that of the old weights.
    x, d : array_like (T, B, l) and (T, B, o), or iterables of (B, l) and of (B, o)
        The inputs and the targets. Of an iterable, nothing is read before it is needed.
    loss : {"cross_entropy", "squared_error"} or callable
        The cost of one time step.
    s0 : array_like, (B, m), or str, optional
        The initial state; see `tinygrad_rnn.unfold`.

    Yields
    ------
    Window
        For each time step, ``first = last = t``, and the gradient of C(t) alone: with the weights at rest the sum
        over t is the gradient of the whole. `carried` holds M(t): ``carried["U"][j, h, p, i]`` is the influence of
        U[j, h] on s[p, i]; of a state in several parts, ``"U[0]"`` that on the first one. An influence that is
        zero throughout is left out.

    Raises
    ------
    ShapeError, ValueError
        If arrays do not fit together, the stream is empty, or `loss` is unknown.
    TapeError
        If an op has no rule for tangents.

    Notes
    -----
    Source: Williams and Zipser (1989), there for one layer of units; here for any cell, by the rules of its ops.
    Robinson and Fallside (1987) carry the same influence for streams without end.
    """
    known_loss(loss)
    return _run(cell, params, x, d, loss, s0)


def _run(cell: Cell, params: Mapping[str, Any], x: Any, d: Any, loss: str | Loss, s0: Any) -> Iterator[Window]:
    influence: Influence = {}
    for t, x_t, d_t in stream(x, d):
        if t == 1:
            steps = SingleSteps(cell, params, loss, s0, len(x_t), _Disturbed)
            state = steps.start
            influence = _of_initial_states(flatten(s0), flatten(state))
        disturbed, leaves = steps.record(params, t, x_t, d_t, state)
        step, now = disturbed.step, disturbed.values(leaves)
        state = state_of(now, step, state)
        grads, influence = disturbed.carried_on(now, influence)
        several = len(step.parts) > 1
        carried = {
            by_part(several, name, k): m.reshape(*step.weights[name].shape, *m.shape[1:])
            for (name, k), m in influence.items()
        }
        yield Window(t, t, float(now[step.cost]), grads, state, carried=carried)


def _of_initial_states(names: list[Any], parts: list[Array]) -> Influence:
    """What a parameter has to do with a state that starts from it: each entry is its own, in every sample."""
    return {
        (name, k): np.repeat(np.eye(s.shape[1], dtype=s.dtype)[:, None], len(s), axis=1)
        for k, (name, s) in enumerate(zip(names, parts, strict=False))
        if isinstance(name, str)
    }


class _Disturbed:
    """A step, and behind it what disturbances of its weights and of the state before it do, as nodes."""

    def __init__(self, step: SingleStep) -> None:
        tape = step.tape
        self.step = step
        self.seeds = {
            n: tape.leaf(np.zeros_like(n.value), active=False) for n in (*step.weights.values(), *step.before)
        }
        self.moved = record_pushforward(tape, step.nodes, self.seeds)
        wanted = [step.cost, *step.parts]
        played = needed(tape.nodes, wanted + [self.moved[n] for n in wanted if n in self.moved])
        moving = reached(tape, self.seeds.values())
        self._moving = [n for n in played if n in moving]
        self._still = [n for n in played if n not in moving]

    def values(self, leaves: Mapping[Node, Array]) -> BatchedValues:
        """Everything that is the same for all disturbances."""
        return BatchedValues(self.step.tape.values, leaves).run(self._still)

    def carried_on(self, now: BatchedValues, before: Influence) -> tuple[dict[str, Array], Influence]:
        """The gradient of the step's cost, and the influence after the step.

        The tangents of one weight's entries stand in an axis in front, as many at a time as the state has entries, or
        few numbers in all: so the disturbances of the weight itself, one entry each, take no more memory than
        the influence.
        """
        step, size = self.step, sum(s.value.size for s in self.step.parts)
        grads: dict[str, Array] = {}
        after: Influence = {}
        for name, w in step.weights.items():
            gradient = np.zeros(w.value.size, w.value.dtype)
            many = max(size, AT_ONCE // w.value.size)
            for start in range(0, w.value.size, many):
                chosen = slice(start, min(start + many, w.value.size))
                one_by_one = np.eye(chosen.stop - start, w.value.size, start, w.value.dtype).reshape(-1, *w.shape)
                given = {self.seeds[w]: one_by_one}
                for k, s in enumerate(step.before):
                    if (name, k) in before:
                        given[self.seeds[s]] = before[name, k][chosen]
                found = BatchedValues(now, given).run(self._moving).changed
                if (dcost := found.get(self.moved.get(step.cost))) is not None:
                    gradient[chosen] = dcost
                for k, part in enumerate(step.parts):
                    if (dpart := found.get(self.moved.get(part))) is not None:
                        whole = after.setdefault((name, k), np.zeros((w.value.size, *part.shape), w.value.dtype))
                        whole[chosen] = dpart
            grads[name] = gradient.reshape(w.shape)
        return grads, after
