"""Unbiased online recurrent optimization: an influence of rank one, random, and right on average."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, ops
from ..autodiff.asked import asked
from ..unfold.losses import known_loss
from ..unfold.recipe import Cell, Loss
from ..unfold.structure import flatten
from .moment import Moment, only_arrays, prepared
from .stream import Window, stream

Array = NDArray[Any]


@asked
def uoro(
    cell: Cell,
    params: Mapping[str, Any],
    x: Any,
    d: Any,
    *,
    loss: str | Loss = "cross_entropy",
    s0: Any = None,
    rng: int | np.random.Generator | None = None,
) -> Iterator[Window]:
    """Unbiased online recurrent optimization: a noisy gradient of C(t) at each time step, right on average.

    The influence M(t) of `rtrl` is replaced by a product of two vectors, one of the state's size and one of the
    weights', whose mean over random signs is M(t). A step takes O(P) time and memory.

    Parameters
    ----------
    cell, params, x, d, loss, s0
        See `rtrl`; the initial state is an array, not a parameter.
    rng : int or numpy.random.Generator, optional
        Where the signs come from; the same integer gives the same signs.

    Yields
    ------
    Window
        For each time step, the estimate for C(t) alone. `carried` holds the two vectors: the state's under ``"s"``, or
        ``"s[0]"``, ... for one in several parts, the weights' under their names. All samples share them.

    Raises
    ------
    ShapeError, ValueError
        If arrays do not fit together, the stream is empty, or `loss` is unknown.

    Notes
    -----
    Source: Tallec and Ollivier (2018), "Unbiased online recurrent optimization", with the scales that keep the two
    vectors of one length and so make the noise small.
    """
    known_loss(loss)
    return _run(cell, params, x, d, loss, s0, np.random.default_rng(rng))


def _run(
    cell: Cell, params: Mapping[str, Any], x: Any, d: Any, loss: str | Loss, s0: Any, rng: np.random.Generator
) -> Iterator[Window]:
    of_weights: dict[str, Array] = {}
    of_state: list[Array] = []
    for t, x_t, d_t in stream(x, d):
        if t == 1:
            steps, state = prepared(cell, params, loss, only_arrays(s0), len(x_t))
            of_state = [np.zeros_like(s) for s in flatten(state)]
            of_weights = {name: np.zeros_like(w) for name, w in params.items()}
        moment = steps.record(params, t, x_t, d_t, state)
        state = moment.state
        signs = [rng.choice([-1.0, 1.0], s.shape).astype(s.dtype) for s in of_state]
        grads, of_state, of_weights = carried_on(moment, of_state, of_weights, signs)
        several = len(of_state) > 1
        carried = {f"s[{k}]" if several else "s": s for k, s in enumerate(of_state)} | of_weights
        yield Window(t, t, float(moment.cost.value), grads, state, carried=carried)


def carried_on(
    moment: Moment, of_state: list[Array], of_weights: Mapping[str, Array], signs: list[Array]
) -> tuple[dict[str, Array], list[Array], dict[str, Array]]:
    """The estimated gradient of the step's cost, and the two vectors after the step.

    They are ``rho_0 J s + rho_1 nu`` and ``w / rho_0 + (nu^T ds/dw) / rho_1``, of the state's vector s and the weights'
    vector w, with the state's Jacobian J and random signs nu.
    """
    tape = moment.tape
    moved = tape.tangents(dict(zip(moment.before, of_state, strict=True)))
    forwards = [moved[part] for part in moment.parts]
    along = moved[moment.cost]
    tape.backward(moment.cost)
    grads = {name: _received(w) + along * of_weights[name] for name, w in moment.weights.items()}
    terms = [(part * nu).sum() for part, nu in zip(moment.parts, signs, strict=True)]
    tape.backward(ops.add(*terms))
    immediate = {name: _received(w) for name, w in moment.weights.items()}
    rho_0 = _scale(of_weights.values(), forwards)
    rho_1 = _scale(immediate.values(), signs)
    return (
        grads,
        [rho_0 * s + rho_1 * nu for s, nu in zip(forwards, signs, strict=True)],
        {name: w / rho_0 + immediate[name] / rho_1 for name, w in of_weights.items()},
    )


def _received(w: Node) -> Array:
    return np.zeros_like(w.value) if w.cotangent is None else np.array(w.cotangent)


def _scale(above: Any, below: Any) -> Any:
    """The root of the quotient of two lengths: it gives both vectors one length. Any number serves if one is zero."""
    a, b = (np.sqrt(sum(np.vdot(v, v) for v in vectors)) for vectors in (above, below))
    return np.sqrt(a / b) if a > 0 and b > 0 else a.dtype.type(1)
