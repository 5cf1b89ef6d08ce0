"""Unfolding: one copy of the network for each time step, all copies tied to one set of weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, ops
from ..autodiff.asked import asked
from ..autodiff.tape import collector_at_rest
from .losses import known_loss
from .recipe import Cell, Loss, Recipe, Recorded, masked_equations
from .recording import Recording
from .structure import flatten, rebuild
from .unfolded import Unfolded
from .validation import (
    as_mask,
    check_keep,
    check_reduction,
    check_untied,
    initial_state,
    same_dtype,
    sequences,
    shares,
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
    losses: Iterable[int] | None = None,
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
        sum of squares, Guo (2013), eq. (5). With a mask, ``loss(y, d, mask)``: the mask is a node (B, 1), and
        who is over must pay nothing.
    reduction : {"sum", "mean"}
        Whether the costs of the time steps are summed, as in Guo, or averaged: divided by T, also where some
        samples are over before; by the number of `losses`, if these are named.
    s0 : array_like, (B, m), or str, optional
        The initial state s(0); what the cell says, such as zeros, if none is given. A name means that parameter,
        of shape (m,), repeated over the samples: an initial state that is trained. For a cell whose state is a
        tuple, a tuple of these.
    mask : array_like, (T, B), optional
        For sequences of different lengths: 1 where sample p has a step t, 0 where it is over. Then its state is
        handed on as it is and it pays nothing; what stands there in x and d, even NaN, is not looked at.
    losses : iterable of int, optional
        The time steps whose costs count, from 1 to T, such as the newest ones of a window; all if none are named.
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
        If `loss`, `reduction` or `keep` is unknown, if `s0` names no parameter, if a mask holds more than 0 and 1, or
        if `losses` names no time step.
    TapeError
        If `finite` is set and a number is not; the first one is named.

    Notes
    -----
    Source: Guo (2013), section 3 and Figure 2.
    """
    pays = known_loss(loss)
    check_reduction(reduction)
    check_keep(keep)
    x, d = sequences(x, d)
    x, d, present = np.array(x), np.array(d), None
    if mask is not None:
        present = as_mask(mask, x.shape[:2], x.dtype)
        x, d = without_padding(x, present), without_padding(d, present)
    s0 = initial_state(cell, params, s0, x.shape[1])
    equations = getattr(cell, "equations", {})
    tape = Recording(equations if mask is None else masked_equations(equations))
    weights = {name: tape.leaf(value, name) for name, value in params.items()}
    tape.parameters = params
    given = [s for s in flatten(s0) if not isinstance(s, str)]
    same_dtype(weights, {"x": x, "d": d} | {f"s0{f'[{k}]' if k else ''}": s for k, s in enumerate(given)})
    recipe = Recipe(
        cell,
        pays,
        shares(len(x), losses, reduction),
        frozenset(s for s in flatten(s0) if isinstance(s, str)),
        untied,
    )
    of_steps = {name: leaf for name, leaf in weights.items() if name not in recipe.initial}
    if untied:
        check_untied(of_steps, len(x))
    with tape.step(0):
        # Provisional names, for messages: a part of s(0) is called what the cell calls it one step later.
        names = [f"s[{k}]" for k in range(len(flatten(s0)))] if isinstance(s0, tuple) else ["s"]
        parts = zip(flatten(s0), names, strict=True)
        before = s0 = rebuild(s0, [_first(tape, weights, s, x.shape[1], name) for s, name in parts])
    steps: list[Recorded] = []
    with collector_at_rest():
        for t in range(1, len(x) + 1):
            now = x[t - 1], d[t - 1], None if present is None else present[t - 1]
            steps.append(recipe.record(tape, t, of_steps, now, before))
            before = steps[-1].state
    for first, later in zip(flatten(s0), flatten(steps[0].state), strict=True):
        first.name = later.name or first.name
    counted = [step.cost for step, share in zip(steps, recipe.shares, strict=True) if share]
    cost = ops.add(*counted, name="C" if reduction == "sum" else "C_sum")
    if reduction == "mean":
        name = "1/T" if len(counted) == len(x) else "share"
        cost = ops.multiply(cost, tape.leaf(np.full((), 1 / len(counted), x.dtype), name, active=False), name="C")
    net = Unfolded(tape, params, weights, steps, s0, cost, recipe)
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
