"""One time step of a network, forwards and backwards, as data: what a program is compiled from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import networkx as nx
from numpy.typing import NDArray

from ..autodiff import Node, Tape

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Delay:
    """What is read of another time step.

    Attributes
    ----------
    read : Node
        The leaf that stands for it.
    written : Node
        What it is a copy of.
    ahead : int
        How many steps later that stands: -1 for a state, +1 for an error that comes back.
    """

    read: Node
    written: Node
    ahead: int


@dataclass(frozen=True, eq=False)
class Folded:
    """One time step, forwards and backwards, on one tape; what comes from the steps beside it as delays.

    A pass makes a new one of it and leaves this one as it is. The order of the tape is an order in which everything can
    be played.

    Attributes
    ----------
    tape : Tape
        The step's nodes, then the nodes of its backward pass.
    size : int
        How many nodes are the step's own.
    first : int
        As it was recorded, the index of its first node that belongs to a time step; the weights stand before it.
    weights, data : mapping of str to Node
        The weights; the step's data: x, d and, where there is one, the mask.
    before, state : tuple of Node
        The parts of the state of the step before, and of the state it computes.
    after : tuple of Node
        For each part of the state, what the error from beyond the last step is added to: a leaf that is read of
        the step after, or what has taken it into a sum.
    cost : Node
        The step's cost.
    share : Node
        What the step's cost weighs in the whole: the error starts from it.
    shares : ndarray, (T,)
        Its value at each time step.
    delays : tuple of Delay
        What the step reads of the step before it and of the step after it.
    gradients : mapping of str to Node
        By a weight's name, what the step adds to its gradient; none where no error comes.
    values, cotangents : mapping of int to Node
        By the index of a node of the step, as it was recorded: who has its value, and its cotangent, now.
    """

    tape: Tape
    size: int
    first: int
    weights: Mapping[str, Node]
    data: Mapping[str, Node]
    before: tuple[Node, ...]
    state: tuple[Node, ...]
    after: tuple[Node, ...]
    cost: Node
    share: Node
    shares: Array
    delays: tuple[Delay, ...]
    gradients: Mapping[str, Node]
    values: Mapping[int, Node]
    cotangents: Mapping[int, Node]

    def __post_init__(self) -> None:
        for name in ("weights", "data", "gradients", "values", "cotangents"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def dtype(self) -> Any:
        """Of all numbers."""
        return self.shares.dtype

    @property
    def samples(self) -> int:
        """How many sequences are played at once."""
        return int(self.data["x"].shape[0])

    @cached_property
    def delayed(self) -> dict[Node, Delay]:
        """The delays by the leaf that reads them."""
        return {d.read: d for d in self.delays}

    def source(self, n: Node) -> Node:
        """What a node is a copy of, at the same time or a step away."""
        return self.delayed[n].written if n in self.delayed else n

    @cached_property
    def invariant(self) -> frozenset[Node]:
        """The nodes that are the same at every time step: weights, numbers, and what only reads those.

        What is handed on from step to step is none of them: it has a row for each step, as whoever reads it expects.
        """
        changing = {*self.data.values(), *self.before, *self.after, *self.delayed, *(d.written for d in self.delays)}
        if (self.shares != self.shares[0]).any():
            changing.add(self.share)
        found: set[Node] = set()
        for n in self.tape:
            if n not in changing and found.issuperset(n.parents):
                found.add(n)
        return frozenset(found)

    def graph(self) -> nx.MultiDiGraph[Any]:
        """The step's own nodes, the state of the step before merged into the state it is a copy of.

        An edge has the attribute ``delay``: 1 where a state is read one step later, else 0.
        """
        pairs = zip(self.before, self.state, strict=True)
        merged = {b.index: s.index for b, s in pairs if s not in self.before}
        g: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
        own = [n for n in self.tape.nodes[: self.size] if n.index not in merged]
        for node in own:
            g.add_node(node.index, name=node.name, op=node.op.name if node.op else "leaf")
        for node in own:
            for slot, parent in enumerate(node.parents):
                source = merged.get(parent.index, parent.index)
                g.add_edge(source, node.index, key=slot, delay=int(parent.index in merged))
        return nx.freeze(g)

    def obstacle(self) -> str:
        """Why the copies of the state cannot lie side by side; empty if they can."""
        given = {*self.data.values(), *self.before}
        if any(s not in given and self.invariant.issuperset(s.parents) for s in self.state):
            return "a part of the state is the same at every step"
        return ""


def with_what_they_read(nodes: Iterable[Node]) -> set[Node]:
    """The nodes, and all that they are computed from in the same step."""
    rest = list(nodes)
    found = set(rest)
    while rest:
        new = set(rest.pop().parents) - found
        found |= new
        rest += new
    return found
