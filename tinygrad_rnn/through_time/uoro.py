"""Unbiased online recurrent optimization: an influence of rank one, random, and right on average."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import BatchedValues, Node, record_pullback, record_pushforward
from ..autodiff.asked import asked
from ..unfold.losses import known_loss
from ..unfold.recipe import Cell, Loss
from ..unfold.structure import flatten
from .single_step import SingleStep, SingleSteps, by_part, needed, only_arrays, state_of
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
    of_weights, of_state = np.empty(0), list[Array]()
    for t, x_t, d_t in stream(x, d):
        if t == 1:
            steps = SingleSteps(cell, params, loss, only_arrays(s0), len(x_t), RankOne)
            state = steps.start
            of_state = [np.zeros_like(s) for s in flatten(state)]
            of_weights = np.zeros(sum(np.size(w) for w in params.values()), of_state[0].dtype)
        rank_one, leaves = steps.record(params, t, x_t, d_t, state)
        signs = [rng.choice([-1.0, 1.0], s.shape).astype(s.dtype) for s in of_state]
        now = rank_one.values(leaves, of_state, signs)
        state = state_of(now, rank_one.step, state)
        grads, of_state, of_weights = rank_one.carried_on(now, of_state, of_weights, signs)
        several = len(of_state) > 1
        carried = {by_part(several, "s", k): s for k, s in enumerate(of_state)} | rank_one.by_name(of_weights)
        yield Window(t, t, float(now[rank_one.step.cost]), rank_one.by_name(grads), state, carried=carried)


class RankOne:
    """A step, and behind it as nodes: how the state's vector moves, and what comes back from two errors.

    The errors stand in an axis in front of all that comes back: that of the cost, and random signs nu of the new state.
    """

    def __init__(self, step: SingleStep) -> None:
        tape = step.tape
        self.step = step
        self.seeds = [tape.leaf(np.zeros_like(s.value), active=False) for s in step.before]
        to_state = needed(step.nodes, step.parts)
        self.moved = record_pushforward(tape, to_state, dict(zip(step.before, self.seeds, strict=True)))
        self.one = tape.leaf(np.ones_like(step.cost.value), active=False)
        self.signs = [tape.leaf(np.ones_like(s.value), active=False) for s in step.parts]
        roots = {step.cost: [self.one]}
        for part, nu in zip(step.parts, self.signs, strict=True):
            roots.setdefault(part, []).append(nu)
        back = record_pullback(tape, step.nodes, roots)
        self.back = {n: g for n in (*step.before, *step.weights.values()) if (g := back[n]) is not None}
        ends = np.cumsum([w.value.size for w in step.weights.values()]).tolist()
        self._places = dict(zip(step.weights, map(slice, [0, *ends], ends), strict=True))
        moved = [self.moved[part] for part in step.parts if part in self.moved]
        self._played = needed(tape.nodes, [step.cost, *step.parts, *moved, *self.back.values()])

    def values(self, leaves: Mapping[Node, Array], of_state: Sequence[Array], signs: Sequence[Array]) -> BatchedValues:
        """Everything that is computed at this step, given the state's vector and the signs."""
        first = np.array([1, 0], self.step.cost.value.dtype)
        second = first[::-1]
        given = {**leaves, **dict(zip(self.seeds, of_state, strict=True)), self.one: first}
        given |= {leaf: np.multiply.outer(second, nu) for leaf, nu in zip(self.signs, signs, strict=True)}
        return BatchedValues(self.step.tape.values, given).run(self._played)

    def carried_on(
        self, now: BatchedValues, of_state: Sequence[Array], of_weights: Array, signs: Sequence[Array]
    ) -> tuple[Array, list[Array], Array]:
        """The estimated gradient of the step's cost, and the two vectors after the step.

        They are ``rho_0 J s + rho_1 nu`` and ``w / rho_0 + (nu^T ds/dw) / rho_1``, of the state's vector s and the
        weights' vector w, with the state's Jacobian J. The cost moves along the state's vector by as much as its error
        has in common with that vector.
        """

        def received(node: Node) -> Array:
            return now[self.back[node]] if node in self.back else np.zeros((2, *node.shape), node.value.dtype)

        step = self.step
        forwards = [now[self.moved[s]] if s in self.moved else np.zeros_like(s.value) for s in step.parts]
        along = sum(np.vdot(received(b)[0], s) for b, s in zip(step.before, of_state, strict=True))
        from_cost, from_state = np.concatenate([received(w).reshape(2, -1) for w in step.weights.values()], axis=1)
        rho_0, rho_1 = _scale([of_weights], forwards), _scale([from_state], signs)
        return (
            from_cost + along * of_weights,
            [rho_0 * s + rho_1 * nu for s, nu in zip(forwards, signs, strict=True)],
            of_weights / rho_0 + from_state / rho_1,
        )

    def by_name(self, of_weights: Array) -> dict[str, Array]:
        """What stands in one vector, weight by weight."""
        return {name: of_weights[at].reshape(self.step.weights[name].shape) for name, at in self._places.items()}


def _scale(above: Any, below: Any) -> Any:
    """The root of the quotient of two lengths: it gives both vectors one length. Any number serves if one is zero."""
    a, b = (np.sqrt(sum(np.vdot(v, v) for v in vectors)) for vectors in (above, below))
    return np.sqrt(a / b) if a > 0 and b > 0 else a.dtype.type(1)
