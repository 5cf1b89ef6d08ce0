"""Folding: the cell on a tape of its own, once, with what comes from the step before and the step after as delays.

The folded graph is the schedule of the plan: forwards, the state is read with a delay of one step;
backwards, the error that comes back through the state is read from one step ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, Tape, ops

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
    before, state : Node
        The state of the step before, and the state it computes.
    after : Node
        The error that comes back through the state from the step after.
    cost : Node
        The step's cost.
    cotangents : mapping of int to Node
        The cotangent of each node that has one, by the node's index.
    """

    tape: Tape
    size: int
    first: int
    weights: Mapping[str, Node]
    x: Node
    d: Node
    before: Node
    state: Node
    after: Node
    cost: Node
    cotangents: Mapping[int, Node]

    def graph(self) -> nx.MultiDiGraph[Any]:
        """The step's own nodes, the state of the step before merged into the state it is a copy of.

        An edge has the attribute ``delay``: 1 where a state is read one step later, else 0.
        """
        merged = {self.before.index: self.state.index}
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


def fold_step(
    step: Callable[[Mapping[str, Node], Node, Node], tuple[Node, Node]],
    loss: Callable[[Node, Node], Node],
    weights: Mapping[str, Array],
    x: Array,
    d: Array,
    s: Array,
    equations: Mapping[Any, str],
    cost_share: float,
) -> Folded:
    """Record one time step and its backward pass.

    Parameters
    ----------
    step : callable
        ``step(weights, x, state before) -> (state, output)`` records the cell.
    loss : callable
        ``loss(output, target) -> cost`` records the cost.
    weights : mapping of str to ndarray
        The weights' values.
    x, d, s : ndarray
        The first step's input and target, and the initial state.
    equations : mapping
        Passed to the tape.
    cost_share : float
        What the step's cost weighs in the whole: 1, or 1/T for a mean.
    """
    tape = Tape(equations)
    leaves = {name: tape.leaf(value, name) for name, value in weights.items()}
    before = tape.leaf(s, "s", t=0)
    first = len(tape)
    with tape.step(1):
        x_leaf = tape.leaf(x, "x", active=False)
        state, y = step(leaves, x_leaf, before)
        d_leaf = tape.leaf(d, "d", active=False)
        cost = loss(y, d_leaf)
    size = len(tape)
    after = tape.leaf(np.zeros_like(state.value), "later", active=False)
    share = tape.leaf(np.full((), cost_share, cost.value.dtype), "share", active=False)
    seeds: dict[int, list[Node]] = {}
    seeds.setdefault(state.index, []).append(after)
    seeds.setdefault(cost.index, []).append(share)
    return Folded(
        tape, size, first, leaves, x_leaf, d_leaf, before, state, after, cost, record_pullback(tape, size, seeds)
    )


def record_pullback(tape: Tape, size: int, seeds: Mapping[int, Sequence[Node]]) -> dict[int, Node]:
    """Record the backward pass of a tape's first nodes as nodes of the same tape.

    Parameters
    ----------
    tape : Tape
        The tape.
    size : int
        How many of its nodes are to be gone back through.
    seeds : mapping of int to sequence of Node
        What each root's cotangent starts with, by the root's index.

    Returns
    -------
    dict of int to Node
        The cotangent of each node that error reaches, by the node's index.
    """
    shares: dict[int, list[Node]] = {index: list(nodes) for index, nodes in seeds.items()}
    cotangents: dict[int, Node] = {}
    for node in reversed(tape.nodes[:size]):
        arrived = shares.get(node.index)
        if not arrived:
            continue
        g = arrived[0] if len(arrived) == 1 else ops.add(*arrived)
        cotangents[node.index] = g
        if node.op is None:
            continue
        for slot, parent in enumerate(node.parents):
            if parent.active and slot not in node.op.only_read:
                share = node.op.share(slot, g, node, node.parents)  # type: ignore[arg-type]  # rules take nodes too
                shares.setdefault(parent.index, []).append(share)
    return cotangents


def steps_differ(tape: Tape, steps: int) -> str:
    """Why the time steps of a tape are not copies of one step; empty if they are.

    A node's role is its place in its step. Copies of one role have the same op, and parents of the same
    roles, at the same time or one step earlier.
    """
    last = steps if tape.odd_step is not None else min(steps, 2)
    columns: list[list[Node]] = [[] for _ in range(steps + 1)]
    for node in tape:
        if node.t is not None and node.t > 0:
            columns[node.t].append(node)
    pattern = columns[min(2, steps)]
    for t in range(2, last + 1):
        if len(columns[t]) != len(pattern):
            return f"step {t} has {len(columns[t])} nodes and step 2 has {len(pattern)}"
        for node, like in zip(columns[t], pattern, strict=True):
            if node.op is not like.op or node.shape != like.shape:
                return f"{node} is computed by another op, or has another shape, than {like}"
            for p, q in zip(node.parents, like.parents, strict=True):
                if p.t is None or q.t is None:
                    if p is not q:
                        return f"{node} reads {p} where {like} reads {q}"
                elif (p.role, t - p.t) != (q.role, 2 - q.t):
                    return f"{node} reads {p} where {like} reads {q}"
                elif t - p.t > 1:
                    return f"{node} reads {p}, from more than one step before"
    for node in tape:  # numbers may have been set since they were recorded
        if node.op is None and node.t is not None and node.t > 0 and node.name not in ("x", "d"):
            like = pattern[node.role]
            if not np.array_equal(node.value, like.value):
                return f"{node} is another number than {like}"
    first = columns[1]
    if [n.op for n in first] != [n.op for n in pattern]:
        return "the first step is computed by other ops than the second"
    return ""
