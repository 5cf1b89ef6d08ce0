"""Folding: the cell on a tape of its own, once, with what comes from the step before and the step after as delays.

The folded graph is the schedule of the plan: forwards, the state is read with a delay of one step;
backwards, the error that comes back through the state is read from one step ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, Tape, ops, record_pullback
from .recipe import Recipe, Recorded
from .recording import Recording
from .structure import flatten, rebuild

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Folded:
    """One time step of a network, forwards and backwards, on one tape.

    Attributes
    ----------
    tape : Tape
        The step's nodes, then the nodes of its backward pass.
    size : int
        How many nodes are the step's own.
    first : int
        The index of its first node that belongs to a time step; the weights stand before it.
    weights : mapping of str to Node
        The weights.
    x, d : Node
        The step's input and target.
    mask : Node or None
        Which samples have this step, where sequences differ in length.
    before, state : tuple of Node
        The parts of the state of the step before, and of the state it computes.
    after : tuple of Node
        The error that comes back through each part of the state from the step after.
    cost : Node
        The step's cost.
    share : Node
        What the step's cost weighs in the whole: the error starts from it.
    shares : ndarray, (T,)
        Its value at each time step.
    cotangents : mapping of int to Node
        The cotangent of each node that has one, by the node's index.
    """

    tape: Tape
    size: int
    first: int
    weights: Mapping[str, Node]
    x: Node
    d: Node
    mask: Node | None
    before: tuple[Node, ...]
    state: tuple[Node, ...]
    after: tuple[Node, ...]
    cost: Node
    share: Node
    shares: Array
    cotangents: Mapping[int, Node]

    def graph(self) -> nx.MultiDiGraph[Any]:
        """The step's own nodes, the state of the step before merged into the state it is a copy of.

        An edge has the attribute ``delay``: 1 where a state is read one step later, else 0.
        """
        read = {b.index for b in self.before}
        merged = {b.index: s.index for b, s in zip(self.before, self.state, strict=True) if s.index not in read}
        g: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
        for node in self.tape.nodes[: self.size]:
            if node.index in merged:
                continue
            g.add_node(node.index, name=node.name, op=node.op.name if node.op else "leaf")
        for node in self.tape.nodes[: self.size]:
            for slot, parent in enumerate(node.parents):
                delay = int(parent.index in merged)
                g.add_edge(merged.get(parent.index, parent.index), node.index, key=slot, delay=delay)
        return nx.freeze(g)

    @property
    def data(self) -> dict[str, Node]:
        """The step's data by name: x, d and, where there is one, the mask."""
        return {"x": self.x, "d": self.d} | ({} if self.mask is None else {"mask": self.mask})

    def timeless(self, but: Iterable[int] = ()) -> set[int]:
        """The nodes that are the same at every time step: weights, numbers, and what only reads those.

        `but` names other leaves that are not.
        """
        changing = {n.index for n in (*self.data.values(), *self.before, *self.after)}.union(but)
        if (self.shares != self.shares[0]).any():
            changing.add(self.share.index)
        found: set[int] = set()
        for n in self.tape:
            if n.index not in changing and all(p.index in found for p in n.parents):
                found.add(n.index)
        return found

    def obstacle(self) -> str:
        """Why the copies of the state cannot lie side by side; empty if they can."""
        states = [s.index for s in self.state]
        errors = [self.cotangents[b.index].index for b in self.before if b.index in self.cotangents]
        if {b.index for b in self.before}.intersection(states):
            return "the cell hands its state on as it is"
        if len(set(states)) < len(states):
            return "two parts of the state are one node"
        if self.timeless().intersection(states):
            return "a part of the state is the same at every step"
        if {a.index for a in self.after}.intersection(errors):
            return "the error of a part of the state is handed back as it is"
        return ""


def fold_step(
    recipe: Recipe,
    weights: Mapping[str, Array],
    data: tuple[Array, Array, Array | None],
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
    data : (x, d, mask)
        The first step's input, target and mask.
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
    return Folded(
        tape,
        size,
        first,
        leaves,
        step.x,
        step.d,
        step.mask,
        tuple(before),
        tuple(state),
        tuple(after),
        step.cost,
        share,
        shares,
        cotangents,
    )


def summands(g: Node, real: Callable[[Node], Node]) -> list[tuple[str, tuple[Node, ...]]]:
    """What a weight's cotangent in one step adds up from: products of factors, sums over samples, or arrays.

    A product is the sum over the samples p of ``left[p, j] * right[p, i]``. Over time, it is one product of
    the factors' copies; `real` names the node whose value a node's is.
    """
    g = real(g)
    if g.op is ops.add:
        return [term for p in g.parents for term in summands(p, real)]
    if g.op is ops.copy:
        return summands(g.parents[0], real)
    if g.op is ops.outer:
        return [("product", g.parents)]
    if g.op is ops.transpose and real(g.parents[0]).op is ops.outer:
        return [("product", real(g.parents[0]).parents[::-1])]
    if g.op is not None and g.op.name == "sum" and g.op.settings["axis"] == (-2,) and g.parents[0].ndim == 2:
        return [("samples", g.parents)]
    return [("array", (g,))]


def steps_differ(tape: Recording, size: int, steps: Sequence[Recorded]) -> str:
    """Why the time steps of a tape's first `size` nodes are not copies of one step; empty if they are.

    A node's role is its place in its step. Copies of one role have the same op, and parents of the same
    roles, at the same time or one step earlier; the roles at time 0 are those of the state's parts.
    """
    columns: list[list[Node]] = [[] for _ in range(len(steps) + 1)]
    for node in tape.nodes[:size]:
        if node.t is not None:
            columns[node.t].append(node)
    data = {n.index for step in steps for n in (step.x, step.d, step.mask) if n is not None}
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
) -> Folded | str:
    """One time step and its backward pass, or in words why it is not every step's.

    The steps are the first `size` nodes of their tape, and `weights` and `s0` what they start from, in nodes.
    """
    first = steps[0]
    tape = first.x.tape
    different = steps_differ(tape, size, steps)
    if different:
        return different
    folded = fold_step(
        recipe,
        {name: leaf.value for name, leaf in weights.items() if name not in recipe.initial},
        # Copies: a view of one row would keep the data of all steps.
        (first.x.value.copy(), first.d.value.copy(), None if first.mask is None else first.mask.value),
        rebuild(s0, [s.value for s in flatten(s0)]),
        tape.equations,
        watch,
    )
    step = [n.op for n in tape.nodes[:size] if n.t == 1]
    if step != [n.op for n in folded.tape.nodes[folded.first : folded.size]]:
        return "the cell computed something else when it was called again"
    return folded
