"""Real-time recurrent learning: the gradient carried forwards in time, by tangents, without a look back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import play_copies, record_pushforward
from ..autodiff.asked import asked
from ..unfold.losses import known_loss
from ..unfold.recipe import Cell, Loss
from ..unfold.structure import flatten
from .moment import Moment, prepared
from .stream import Window, stream

Array = NDArray[Any]
Influence = dict[tuple[str, int], Array]  # of a weight on a part of the state; what is not there is zero


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
            steps, state = prepared(cell, params, loss, s0, len(x_t))
            influence = _of_initial_states(flatten(s0), flatten(state))
        moment = steps.record(params, t, x_t, d_t, state)
        state = moment.state
        grads, influence = _carried_on(moment, influence)
        yield Window(t, t, float(moment.cost.value), grads, state, carried=_by_name(moment, influence))


def _of_initial_states(names: list[Any], parts: list[Array]) -> Influence:
    """What a parameter has to do with a state that starts from it: each entry is its own, in every sample."""
    return {
        (name, k): np.repeat(np.eye(s.shape[1], dtype=s.dtype)[:, None], len(s), axis=1)
        for k, (name, s) in enumerate(zip(names, parts, strict=False))
        if isinstance(name, str)
    }


def _carried_on(moment: Moment, before: Influence) -> tuple[dict[str, Array], Influence]:
    """The gradient of the step's cost, and the influence after the step.

    The tangents of one weight's entries stand in an axis in front, as many at a time as the state has entries: so
    the disturbances of the weight itself, one entry each, take no more memory than the influence.
    """
    tape, many = moment.tape, sum(s.value.size for s in moment.parts)
    disturbed = (*moment.weights.values(), *moment.before)
    seeds = {n: tape.leaf(np.zeros_like(n.value), active=False) for n in disturbed}
    first = len(tape)
    moved = record_pushforward(tape, tape.nodes[: moment.size], seeds)
    program = tape.nodes[first:]
    grads: dict[str, Array] = {}
    after: Influence = {}
    for name, w in moment.weights.items():
        gradient = np.zeros(w.value.size, w.value.dtype)
        for start in range(0, w.value.size, many):
            chosen = slice(start, min(start + many, w.value.size))
            given = {seeds[w]: _one_by_one(w.value, chosen)}
            for k, s in enumerate(moment.before):
                if (name, k) in before:
                    given[seeds[s]] = before[name, k][chosen]
            values = play_copies(tape.values, program, given)
            found = {n: values.get(moved[n]) for n in (moment.cost, *moment.parts) if n in moved}
            if found.get(moment.cost) is not None:
                gradient[chosen] = found[moment.cost]
            for k, part in enumerate(moment.parts):
                if found.get(part) is not None:
                    whole = after.setdefault((name, k), np.zeros((w.value.size, *part.shape), w.value.dtype))
                    whole[chosen] = found[part]
        grads[name] = gradient.reshape(w.shape)
    return grads, after


def _one_by_one(w: Array, chosen: slice) -> Array:
    """Disturbances of single entries of a weight, one entry each, (number of them, *the weight's shape)."""
    at = np.arange(chosen.start, chosen.stop)
    ones = np.zeros((len(at), w.size), w.dtype)
    ones[at - chosen.start, at] = 1
    return ones.reshape(len(at), *w.shape)


def _by_name(moment: Moment, influence: Influence) -> dict[str, Array]:
    several = len(moment.parts) > 1
    return {
        f"{name}[{k}]" if several else name: m.reshape(*moment.weights[name].shape, *m.shape[1:])
        for (name, k), m in influence.items()
    }
