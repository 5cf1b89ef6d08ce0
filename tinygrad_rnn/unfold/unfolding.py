"""Unfolding: one copy of the network for each time step, all copies tied to one set of weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, ops
from ..autodiff.asked import asked
from ..autodiff.collector import collector_at_rest
from .losses import known_loss, refuse_without_weight
from .paying import Paying, check_reduction, named_steps
from .recipe import Cell, Loss, Recipe, Recorded, masked_equations
from .recording import Recording
from .structure import flatten, rebuild
from .unfolded import Unfolded
from .validation import (
    as_mask,
    check_keep,
    check_untied,
    initial_state,
    same_dtype,
    samples_first,
    sequences,
    turned,
    without_padding,
)

Array = NDArray[Any]


@asked
def unfold(
    cell: Cell,
    params: Mapping[str, Any],
    x: Any,
    d: Any,
    *,
    loss: str | Loss = "cross_entropy",
    reduction: str = "sum",
    s0: Any = None,
    mask: Any = None,
    losses: Iterable[int] | str | None = None,
    weights: Any = None,
    batch_first: bool | None = None,
    input_grads: bool = False,
    untied: bool = False,
    finite: bool = False,
    keep: str = "needed",
) -> Unfolded:
    """Unfold a recurrent network over a batch of sequences: one copy of the cell for each time step.

    Parameters
    ----------
    cell : callable
        ``cell(params, x, s) -> (s, y)``, see `tinygrad_rnn.unfold.cells`. The state s is a node, or a tuple of
        nodes or of such tuples; it comes out with the structure with which it goes in.
    params : mapping of str to ndarray
        The weights, by name.
    x : array_like, (T, B, l)
        The inputs ``x[t, p, i]``: time first, then samples.
    d : array_like, (T, B, o)
        The targets ``d[t, p, k]``.
    loss : {"cross_entropy", "squared_error"} or callable
        The cost of one time step, ``loss(y, d)``; it is summed over the samples. The squared error is half the
        sum of squares, Guo (2013), eq. (5). With a mask or with weights, ``loss(y, d, weight)``: a node (B, 1), what
        each sample's cost is multiplied by, 0 for one that is over.
    reduction : {"sum", "mean", "own_mean"}
        Whether the costs of the time steps are summed, as in Guo, or averaged: divided by T, also where some
        samples are over before; by the number of `losses`, if these are named. ``"own_mean"`` divides each sample's
        costs by the number of its own steps that count, and sums over the samples.
    s0 : array_like, (B, m), or str, optional
        The initial state s(0); what the cell says, such as zeros, if none is given. A name means that parameter,
        of shape (m,), repeated over the samples: an initial state that is trained. For a cell whose state is a
        tuple, a tuple of these.
    mask : array_like, (T, B), optional
        For sequences of different lengths: 1 where sample p has a step t, 0 where it is over. Then its state is
        handed on as it is and it pays nothing; what stands there in x and d, even NaN, is not looked at. A 0 may also
        stand between ones: that step is passed over, as if the sequence went on without it.
    losses : iterable of int, or "last", optional
        The time steps whose costs count, from 1 to T, such as the newest ones of a window; all if none are named.
        ``"last"`` counts the last step alone, with a mask each sample's own.
    weights : array_like, (T, B), optional
        What the cost of sample p at step t is multiplied by, from 0 up, on top of all that. An average still divides
        by a number of steps, not by the sum of the weights.
    batch_first : bool, optional
        Whether x, d, mask and weights come with the samples first, (B, T, ...), here and at each replay. Where only
        one time step would be left to several samples, say False if that is meant: else a warning asks.
    input_grads : bool
        Whether the inputs have gradients, see `Unfolded.input_grads`.
    untied : bool
        Whether each time step has weights of its own, as Guo's section 4 considers: every parameter but an initial
        state has an axis of length T in front, see `tinygrad_rnn.untie`. Time and memory grow with T squared.
    finite : bool
        Whether a NaN or an infinity that comes in or arises, now or later, is an error.
    keep : {"needed", "all"}
        What a replay keeps of each time step: the states, the factors of the gradients and what the backward pass
        reads; or every value and every cotangent, which takes more time and memory. What is not kept is computed
        again, from what is, when somebody asks for it.

    Returns
    -------
    Unfolded
        The network, its forward pass done.

    Raises
    ------
    ShapeError
        If arrays do not fit together.
    ValueError
        If `loss`, `reduction` or `keep` is unknown, if `s0` names no parameter, if a mask holds more than 0 and 1, if
        `losses` names no time step, or none of a sample that has some, or if a weight is negative or not finite.
    TapeError
        If `finite` is set and a number is not; the first one is named.

    Notes
    -----
    Source: Guo (2013), section 3 and Figure 2.
    """
    known_loss(loss)
    check_reduction(reduction, "own_mean")
    check_keep(keep)
    if batch_first:
        x, d, mask, weights = (
            samples_first(what, name) for what, name in ((x, "x"), (d, "d"), (mask, "mask"), (weights, "weights"))
        )
    x, d = sequences(x, d)
    turned(x.shape, batch_first)
    x, d, present = np.array(x), np.array(d), None
    if mask is not None:
        present = as_mask(mask, x.shape[:2], x.dtype)
        x, d = without_padding(x, present), without_padding(d, present)
    if callable(loss) and (mask is not None or weights is not None):
        refuse_without_weight(loss)
    paying = Paying(named_steps(len(x), losses), reduction, mask is not None, weights is not None)
    data = {"x": x, "d": d} | ({} if present is None else {"mask": present})
    pays = paying.of_samples(present, weights, x.shape[:2], x.dtype)
    if pays is not None:
        data["weight"] = pays
    s0 = initial_state(cell, params, s0, x.shape[1])
    recipe = Recipe(
        cell,
        known_loss(loss, paying.by_sample),
        paying.shares(len(x)),
        frozenset(s for s in flatten(s0) if isinstance(s, str)),
        untied,
        input_grads,
    )
    return _recorded(params, recipe, data, s0, paying, batch_first=bool(batch_first), finite=finite, keep=keep)


def with_weights(net: Unfolded, params: Mapping[str, Array]) -> Unfolded:
    """The same network over the same data with other weights, recorded anew; `net` stays as it is.

    Parameters
    ----------
    net : Unfolded
        The network.
    params : mapping of str to ndarray
        Its weights, all of them.

    Raises
    ------
    ShapeError
        If arrays do not fit together.
    """
    parts = zip(net.trained, flatten(net.states[0]), strict=True)
    s0 = rebuild(net.states[0], [name or part.value for name, part in parts])
    data = {what: np.stack([leaf.value for leaf in leaves]) for what, leaves in net._data.items()}
    made = _recorded(
        params,
        net._recipe,
        data,
        s0,
        net._paying,
        batch_first=net._batch_first,
        finite=net.finite,
        keep=net.keep,
    )
    made.cuts = net.cuts
    return made


def _recorded(
    params: Mapping[str, Any],
    recipe: Recipe,
    data: Mapping[str, Array],
    s0: Any,
    paying: Paying,
    *,
    batch_first: bool,
    finite: bool,
    keep: str,
) -> Unfolded:
    """Record every time step, on data that were looked at."""
    x, d = data["x"], data["d"]
    equations = getattr(recipe.cell, "equations", {})
    tape = Recording(masked_equations(equations) if "mask" in data else equations)
    leaves = {name: tape.leaf(value, name) for name, value in params.items()}
    tape.parameters = params
    given = [s for s in flatten(s0) if not isinstance(s, str)]
    same_dtype(leaves, {"x": x, "d": d} | {f"s0{f'[{k}]' if k else ''}": s for k, s in enumerate(given)})
    of_steps = {name: leaf for name, leaf in leaves.items() if name not in recipe.initial}
    if recipe.untied:
        check_untied(of_steps, len(x))
    with tape.step(0):
        # Provisional names, for messages: a part of s(0) is called what the cell calls it one step later.
        names = [f"s[{k}]" for k in range(len(flatten(s0)))] if isinstance(s0, tuple) else ["s"]
        parts = zip(flatten(s0), names, strict=True)
        before = s0 = rebuild(s0, [_first(tape, leaves, s, x.shape[1], name) for s, name in parts])
    steps: list[Recorded] = []
    with collector_at_rest():
        for t in range(1, len(x) + 1):
            now = {what: whole[t - 1] for what, whole in data.items()}
            steps.append(recipe.record(tape, t, of_steps, now, before))
            before = steps[-1].state
    for first, later in zip(flatten(s0), flatten(steps[0].state), strict=True):
        first.name = later.name or first.name
    counted = [step.cost for step, share in zip(steps, recipe.shares, strict=True) if share]
    averaged = recipe.shares.max() < 1
    cost = ops.add(*counted, name="C_sum" if averaged else "C")
    if averaged:
        name = "1/T" if len(counted) == len(x) else "share"
        cost = ops.multiply(cost, tape.leaf(np.full((), 1 / len(counted), x.dtype), name, active=False), name="C")
    net = Unfolded(tape, params, leaves, steps, s0, cost, recipe, paying, batch_first)
    net.finite = finite
    net.keep = keep
    net._refuse_bad()
    return net


def _first(tape: Recording, weights: Mapping[str, Node], s: Any, n_samples: int, name: str) -> Node:
    """A part of s(0): an array as it is, or a parameter repeated over the samples."""
    if not isinstance(s, str):
        return tape.leaf(s, name)
    row = weights[s]
    return ops.broadcast(row, source=row.shape, to=(n_samples, *row.shape), name=name)
