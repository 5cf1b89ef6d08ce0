"""What a replay computes: of a folded network, the nodes that somebody needs, the loops in factored form."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import networkx as nx

from ..autodiff import Node, ops
from .factors import Factored
from .fold import Folded, summands

Terms = list[tuple[str, tuple[Node, ...]]]


class Needed:
    """The nodes that are computed, in order, and how they depend on each other.

    Parameters
    ----------
    folded : Folded
        One time step, forwards and backwards.

    Attributes
    ----------
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
    unmade : set of int
        Cotangents that are computed only if somebody asks for them.
    for_states : set of int
        The step's nodes that a state is computed from, and the states.
    together : list of list of Node
        Factors that are best kept at equal distances.
    """

    def __init__(self, folded: Folded) -> None:
        self.folded = folded
        self.nodes = folded.tape.nodes
        self.previous = {b.index: s.index for b, s in zip(folded.before, folded.state, strict=True)}
        errors = [folded.cotangents.get(b.index) for b in folded.before]
        self.next = {a.index: g.index for a, g in zip(folded.after, errors, strict=True) if g is not None}
        self.same = self._same()
        self.together: list[list[Node]] = []
        self.unmade = self._factor_out()
        self.timeless = folded.timeless()
        self.terms = {name: self.terms_of(folded.cotangents.get(w.index)) for name, w in folded.weights.items()}
        self.played = [n for n in self.nodes[: folded.size] if n.op is not None]
        self.for_states = self._for_states()
        self.played_back = self._played_back()
        self.position = {n.index: k for k, n in enumerate([*self.played, *self.played_back])}

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

    def _factor_out(self) -> set[int]:
        """Bring the loops of the backward pass in factored form; the nodes that are computed only if asked for."""
        roots, derived = self._roots(), set[int]()
        used = [self.nodes[i] for i in sorted(self._with_what_they_read(roots)) if i >= self.folded.size]
        g = self.graph([n for n in used if n.op is not None])
        for members in nx.strongly_connected_components(g):
            if len(members) > 1:
                loop = [self.nodes[i] for i in sorted(members)]
                factored = Factored(self.folded.tape, loop, partial(self._stands_in, members), self.real)
                read = {self.real(p).index for n in used if n.index not in factored.derived for p in n.parents}
                factored.write([self.nodes[i] for i in factored.derived if i in read | roots])
                derived |= set(factored.derived)
                self.same |= factored.replaced
                self.together += factored.together
        for i in self.same:
            while self.same[i] in self.same:
                self.same[i] = self.same[self.same[i]]
        return derived - self._with_what_they_read(self._roots()) - set(self.same)

    def _stands_in(self, loop: set[int], n: Node) -> bool:
        return self.source_of(n) in loop

    def _played_back(self) -> list[Node]:
        f = self.folded
        wanted = {self.real(n).index for terms in self.terms.values() for _, nodes in terms for n in nodes}
        weights = {w.index for w in f.weights.values()}
        copies = {n.index for n in self.nodes[: f.size] if n.op is ops.copy}
        kept = {self.real(g).index for i, g in f.cotangents.items() if i not in weights | copies}
        # What is computed only if asked for must find what it is computed from.
        self.sources = self._with_what_they_read(kept & self.unmade) - self.unmade
        played = self._with_what_they_read(wanted | (kept - self.unmade))
        g = self.graph([self.nodes[i] for i in played if i >= f.size and self.nodes[i].op is not None], delays=False)
        return [self.nodes[i] for i in nx.lexicographical_topological_sort(g)]

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
