"""What a replay computes: of a folded network, the nodes that somebody needs, the loops in factored form."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import networkx as nx
import numpy as np

from ..autodiff import Node, ops
from .factors import Factored
from .fold import Folded, summands

# Their value is their argument's own memory, seen differently: no buffer, no call.
VIEWS = {"copy", "broadcast", "reshape", "transpose", "part"}

Terms = list[tuple[str, tuple[Node, ...]]]


class Needed:
    """The nodes that are computed, in order, and how they depend on each other.

    Parameters
    ----------
    folded : Folded
        One time step, forwards and backwards.
    keep_all : bool
        Whether every value and every cotangent is computed and kept, and not only what gradients need.

    Attributes
    ----------
    nodes : list of Node
        Of the folded step, by index.
    previous : dict of int to int
        By the index of a part of the state before, that of the state it is a copy of.
    next : dict of int to int
        By the index of what comes back from the step after, that of the error it is a copy of.
    same : dict of int to int
        By the index of a node, that of another one with its value.
    timeless : set of int
        The nodes that are the same at every time step.
    terms : dict of str to list
        What a weight's gradient is the sum of, by its name.
    played, played_back : list of Node
        What is computed, forwards and backwards, an argument before its readers.
    position : dict of int to int
        By a node's index, when it is computed.
    beyond : dict of int to int
        By the index of an error that adds up products of this step and the next, that of the leaf for what comes back
        from beyond the last step.
    kept : set of int
        The nodes whose copies all keep a place: those that a step hands on to the next, factors of gradients, and what
        the backward pass reads of the forward pass. Everything else is computed again if somebody asks for it.
    loops : dict of int to int
        The nodes that are played copy by copy, and the number of the loop they belong to.
    for_states : set of int
        The step's nodes that a state is computed from, and the states.
    together : list of list of Node
        Factors that are best kept at equal distances.
    """

    def __init__(self, folded: Folded, keep_all: bool = False) -> None:
        self.folded = folded
        self._keep_all = keep_all
        self.nodes = folded.tape.nodes
        self.previous = {b.index: s.index for b, s in zip(folded.before, folded.state, strict=True)}
        errors = [folded.cotangents.get(b.index) for b in folded.before]
        self.next = {a.index: g.index for a, g in zip(folded.after, errors, strict=True) if g is not None}
        self.same = self._same()
        self.together: list[list[Node]] = []
        self._factor_out()
        self.beyond: dict[int, int] = {}
        self._join_products()
        self.timeless = folded.timeless(self.next)
        self.terms = {name: self.terms_of(folded.cotangents.get(w.index)) for name, w in folded.weights.items()}
        self.played = [n for n in self.nodes[: folded.size] if n.op is not None]
        self.for_states = self._for_states()
        self.played_back = self._played_back()
        self.position = {n.index: k for k, n in enumerate([*self.played, *self.played_back])}
        self.kept = self._kept()
        self.loops = {i: k for k, loop in enumerate(self._loops()) for i in loop}

    def _same(self) -> dict[int, int]:
        """Products with the number 1 are their other factor."""
        same: dict[int, int] = {}
        for n in self.nodes:
            if n.op is ops.multiply:
                for one, other in (n.parents, n.parents[::-1]):
                    if self._is_one(one):
                        same[n.index] = same.get(other.index, other.index)
                        break
        return same

    def _is_one(self, node: Node) -> bool:
        while node.op is not None and node.op.name in ("broadcast", "copy"):
            node = node.parents[0]
        return node is self.folded.share and bool((self.folded.shares == 1).all())

    def real(self, node: Node) -> Node:
        """The node whose value this one's is."""
        return self.nodes[self.same.get(node.index, node.index)]

    def terms_of(self, g: Node | None) -> Terms:
        """What a weight's gradient is the sum of, over time: products of factors, sums over samples, or arrays."""
        return [] if g is None else summands(g, self.real)

    def _roots(self) -> set[int]:
        """The nodes for whose sake the others are computed: factors of gradients, and what goes back a step."""
        terms = [self.terms_of(self.folded.cotangents.get(w.index)) for w in self.folded.weights.values()]
        roots = {self.real(n).index for some in terms for _, nodes in some for n in nodes}
        return roots | {self.real(self.nodes[i]).index for i in self.next.values()}

    def _with_what_they_read(self, wanted: set[int]) -> set[int]:
        """The nodes, and those of the backward pass that they depend on."""
        rest, found = list(wanted), set(wanted)
        while rest:
            for p in self.nodes[rest.pop()].parents:
                i = self.real(p).index
                if i >= self.folded.size and i not in found:
                    found.add(i)
                    rest.append(i)
        return found

    def _factor_out(self) -> None:
        """Bring the loops of the backward pass in factored form."""
        roots, used = self._roots(), self._used()
        g = self.graph([n for n in used if n.op is not None])
        for members in nx.strongly_connected_components(g):
            if len(members) > 1:
                loop = [self.nodes[i] for i in sorted(members)]
                factored = Factored(self.folded.tape, loop, partial(self._stands_in, members), self.real)
                read = {self.real(p).index for n in used if n.index not in factored.derived for p in n.parents}
                factored.write([self.nodes[i] for i in factored.derived if i in read | roots])
                self.same |= factored.replaced
                self.together += factored.together
        for i in self.same:
            while self.same[i] in self.same:
                self.same[i] = self.same[self.same[i]]

    def _join_products(self) -> None:
        """Let an error take its products with weights, of this step and from the step after, in one sum.

        ``ds(t) = dnet_j(t+1) U + dnet_k(t) W``: what passes from step to step is then dnet_j, and not what it is times
        U. For one sample alone, see `Concatenated`.
        """
        constant = self.folded.timeless()
        readers: dict[int, list[Node]] = {}
        for n in self._used():
            for p in n.parents:
                readers.setdefault(self.real(p).index, []).append(n)
        for after in self.folded.after if self.folded.x.shape[0] == 1 else []:
            by = readers.get(after.index, [])
            if after.index not in self.next or len(by) != 1 or by[0].op is not ops.add or by[0].index in self.same:
                continue
            (total,), error = by, self.nodes[self.next[after.index]]
            alone = list(self.next.values()).count(error.index) == 1  # two parts of the state may have one error
            if not alone or self.real(error) is not error or error.index in readers:
                continue
            come_back = [self.real(p) for p in (error.parents if error.op is ops.add else [error])]
            here = [p for p in total.parents if p is not after]
            known = [p for p in here if self._is_product(p, constant) and readers[self.real(p).index] == [total]]
            products = [p for p in come_back if self._is_product(p, constant)]
            if len(products) == 1 and len(known) == 1 and len(here) == 1:
                self._in_one_sum(total, after, products[0], self.real(known[0]), come_back)

    def _is_product(self, p: Node, constant: set[int]) -> bool:
        n = self.real(p)
        return n.op is ops.matmul and n.index >= self.folded.size and self.real(n.parents[1]).index in constant

    def _in_one_sum(self, total: Node, after: Node, later: Node, now: Node, come_back: Sequence[Node]) -> None:
        tape = self.folded.tape
        del self.next[after.index]

        def from_next(p: Node) -> Node:
            leaf = tape.leaf(np.zeros_like(p.value), f"{p.name}(t+1)" if p.name else "later", active=False)
            self.next[leaf.index] = p.index
            return leaf

        (g, w), (h, v) = later.parents, now.parents
        others = [p for p in come_back if p is not later]
        both = ops.linear(
            from_next(self.real(g)), ops.transpose(w), h, ops.transpose(v), name="" if others else total.name
        )
        self.beyond[both.index] = after.index
        whole = ops.add(both, *map(from_next, others), name=total.name) if others else both
        self.same[total.index] = whole.index

    def _used(self) -> list[Node]:
        """The nodes of the backward pass for whose sake something is computed."""
        return [self.nodes[i] for i in sorted(self._with_what_they_read(self._roots())) if i >= self.folded.size]

    def _stands_in(self, loop: set[int], n: Node) -> bool:
        return self.source_of(n) in loop

    def _played_back(self) -> list[Node]:
        """What the gradients are made of; with `keep_all`, every cotangent too."""
        wanted = self._roots()
        if self._keep_all:
            wanted |= self._cotangents()
        played = self._with_what_they_read(wanted)
        back = [self.nodes[i] for i in played if i >= self.folded.size and self.nodes[i].op is not None]
        g = self.graph(back, delays=False)
        return [self.nodes[i] for i in nx.lexicographical_topological_sort(g)]

    def _cotangents(self) -> set[int]:
        """What a node of the step has for a cotangent; of a weight, that of its one leaf is a sum over time."""
        f = self.folded
        apart = {w.index for w in f.weights.values()} | {n.index for n in self.nodes[: f.size] if n.op is ops.copy}
        return {self.real(g).index for i, g in f.cotangents.items() if i not in apart}

    def _kept(self) -> set[int]:
        f = self.folded
        read = {self.real(p).index for n in self.played_back for p in n.parents}
        kept = {i for i in read if i < f.size} | self._roots() | set(self.previous.values()) | {f.cost.index}
        if self._keep_all:
            kept |= self._cotangents() | {n.index for n in self.played}
        return self._with_what_they_look_into(kept)

    def _with_what_they_look_into(self, kept: set[int]) -> set[int]:
        """The nodes, and those whose numbers they only look into: they are there as long as these are."""
        rest, found = list(kept), set(kept)
        while rest:
            n = self.nodes[rest.pop()]
            if n.op is not None and n.op.name in VIEWS:
                source = self.real(n.parents[0]).index
                found.add(source)
                rest.append(source)
        return found

    def _loops(self) -> list[set[int]]:
        """The recurrences: what depends on itself, a step away."""
        loops = []
        for played in (self.played, self.played_back):
            g = self.graph(played)
            found = nx.strongly_connected_components(g)
            loops += [c for c in found if len(c) > 1 or g.has_edge(*list(c) * 2)]
        return loops

    def _for_states(self) -> set[int]:
        wanted = {s.index for s in self.folded.state}
        for n in reversed(self.nodes[: self.folded.size]):
            if n.index in wanted:
                wanted.update(p.index for p in n.parents)
        return wanted

    def graph(self, nodes: Sequence[Node], delays: bool = True) -> nx.DiGraph[Any]:
        """What reads what among these nodes, at the same time or, with `delays`, a step away."""
        inside = {n.index for n in nodes}
        g: nx.DiGraph[Any] = nx.DiGraph()
        g.add_nodes_from(inside)
        for n in nodes:
            for p in n.parents:
                i = self.source_of(p) if delays else self.real(p).index
                if i in inside:
                    g.add_edge(i, n.index)
        return g

    def source_of(self, p: Node) -> int:
        """The folded node that an argument is a copy of, at the same time or a step away."""
        i = self.real(p).index
        i = self.previous.get(i, self.next.get(i, i))
        return self.same.get(i, i)
