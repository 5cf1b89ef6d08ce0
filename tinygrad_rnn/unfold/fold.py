"""Folding: the cell on a tape of its own, once, with what comes from the step before and the step after as delays.

A program is compiled from the folded graph: forwards, the state is read with a delay of one step;
backwards, the error that comes back through the state is read from one step ahead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, ops, record_pullback
from ..replay import Delay, Folded
from .recipe import Recipe, Recorded
from .recording import Recording
from .structure import flatten, rebuild

Array = NDArray[Any]


def fold_step(
    recipe: Recipe,
    weights: Mapping[str, Array],
    data: Mapping[str, Array],
    s: Any,
    equations: Mapping[Any, str],
    watch: bool = False,
) -> Folded:
    """Record one time step and its backward pass.

    Parameters
    ----------
    recipe : Recipe
        The cell and the loss.
    weights : mapping of str to ndarray
        The weights' values.
    data : mapping of str to ndarray
        The first step's data, see `Recipe.record`.
    s : ndarray or tuple
        The initial state, in the cell's structure.
    equations : mapping
        Passed to the tape.
    watch : bool
        See `Recording`.
    """
    tape = Recording(equations, watch)
    leaves = {name: tape.leaf(value, name) for name, value in weights.items()}
    before = [tape.leaf(part, "s", t=0) for part in flatten(s)]
    first = len(tape)
    step = recipe.record(tape, 1, leaves, data, rebuild(s, before))
    size = len(tape)
    state = flatten(step.state)
    for part, later in zip(before, state, strict=True):
        part.name = later.name or part.name
    after = [tape.leaf(np.zeros_like(part.value), "later", active=False) for part in state]
    shares = recipe.shares.astype(step.cost.value.dtype)
    share = tape.leaf(shares[0], "share", active=False)
    seeds: dict[Node, list[Node]] = {}
    for part, error in zip(state, after, strict=True):
        if part.active:
            seeds.setdefault(part, []).append(error)
    seeds.setdefault(step.cost, []).append(share)
    back = record_pullback(tape, tape.nodes[:size], seeds)
    cotangents = {node.index: g for node in tape.nodes[:size] if (g := back.totals[node.index]) is not None}
    for part in before:
        if cotangents.get(part.index) in after:  # handed back as it came: a row of its own, as all that is handed on
            cotangents[part.index] = ops.identity(cotangents[part.index])
    errors = [cotangents.get(part.index) for part in before]
    delays = [Delay(part, now, -1) for part, now in zip(before, state, strict=True)]
    delays += [Delay(a, error, 1) for a, error in zip(after, errors, strict=True) if error is not None]
    return Folded(
        tape=tape,
        size=size,
        first=first,
        weights=leaves,
        data=step.data,
        before=tuple(before),
        state=tuple(state),
        after=tuple(after),
        cost=step.cost,
        share=share,
        shares=shares,
        delays=tuple(delays),
        gradients={name: cotangents[w.index] for name, w in leaves.items() if w.index in cotangents},
        values={node.index: node for node in tape.nodes[:size]},
        cotangents=cotangents,
    )


@dataclass(frozen=True)
class Different:
    """Why the time steps of a network are not copies of one step; it reads as the reason.

    Attributes
    ----------
    reason : str
        In words.
    called_again : bool
        Whether the steps that were recorded are alike, and the cell did something else when it was called once more.
    """

    reason: str
    called_again: bool = False

    def __str__(self) -> str:
        return self.reason


def steps_differ(tape: Recording, size: int, steps: Sequence[Recorded]) -> str:
    """Why the time steps of a tape's first `size` nodes are not copies of one step; empty if they are.

    A node's role is its place in its step. Copies of one role have the same op, and parents of the same
    roles, at the same time or one step earlier; the roles at time 0 are those of the state's parts.
    """
    columns: list[list[Node]] = [[] for _ in range(len(steps) + 1)]
    for node in tape.nodes[:size]:
        if node.t is not None:
            columns[node.t].append(node)
    data = {n.index for step in steps for n in step.data.values()}
    states = [s.role for s in flatten(steps[0].state)]

    def read(p: Node, t: int) -> tuple[int, int]:
        """The role of a parent, and how many steps before its reader it stands."""
        return (p.role, t - p.t) if p.t else (states[p.role], t)

    # The tape has compared the later steps with each other while it recorded them.
    usual = min(2, len(steps))
    last = len(steps) if tape.odd_step is not None else usual
    for t in range(1, last + 1):
        if len(columns[t]) != len(columns[usual]):
            return f"step {t} has {len(columns[t])} nodes and step {usual} has {len(columns[usual])}"
        for node, like in zip(columns[t], columns[usual], strict=True):
            if node.op is not like.op or node.shape != like.shape:
                return f"{node} is computed by another op, or has another shape, than {like}"
            for p, q in zip(node.parents, like.parents, strict=True):
                if p.t is None or q.t is None:
                    if p is not q:
                        return f"{node} reads {p} where {like} reads {q}"
                elif read(p, t) != read(q, usual):
                    return f"{node} reads {p} where {like} reads {q}"
                elif t - p.t > 1:
                    return f"{node} reads {p}, from more than one step before"
    for node in tape.nodes[:size]:  # numbers may have been set since they were recorded
        if node.op is None and node.t and node.index not in data:
            like = columns[usual][node.role]
            if not np.array_equal(node.value, like.value):
                return f"{node} is another number than {like}"
    return ""


def fold_all(
    recipe: Recipe,
    steps: Sequence[Recorded],
    weights: Mapping[str, Node],
    s0: Any,
    size: int,
    watch: bool = False,
) -> Folded | Different:
    """One time step and its backward pass, or why it is not every step's.

    The steps are the first `size` nodes of their tape, and `weights` and `s0` what they start from, in nodes.
    """
    first = steps[0]
    tape = first.cost.tape
    different = steps_differ(tape, size, steps)
    if not different and tape.looked is not None:
        different = f"the cell looked at the value of {tape.looked}, and does something else where it is another number"
    if different:
        return Different(different)
    folded = fold_step(
        recipe,
        {name: leaf.value for name, leaf in weights.items() if name not in recipe.initial},
        # Copies: a view of one row would keep the data of all steps.
        {what: leaf.value.copy() for what, leaf in first.data.items()},
        rebuild(s0, [s.value for s in flatten(s0)]),
        tape.equations,
        watch,
    )
    data = {n.role for n in first.data.values()}
    again = folded.tape.nodes[folded.first : folded.size]
    step = [n for n in tape.nodes[:size] if n.t == 1]
    alike = len(step) == len(again) and all(
        n.op is m.op and (n.op is not None or n.role in data or np.array_equal(n.value, m.value))
        for n, m in zip(step, again, strict=True)
    )
    return folded if alike else Different("the cell computed something else when it was called again", True)
