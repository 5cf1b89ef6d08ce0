"""Liveness: which nodes a replay computes, which of them keep every copy, and which wait for the step beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx

from ..autodiff import Node
from ..autodiff.traits import Summand, is_tie, is_view, summands
from .folded import Folded, with_what_they_read


@dataclass(frozen=True)
class Liveness:
    """The nodes that are computed, in order, and how they depend on each other.

    Attributes
    ----------
    forward, backward : tuple of Node
        What is computed, forwards and backwards, an argument before its readers.
    terms : dict of str to list
        What a weight's gradient is the sum of, by its name.
    roots : frozenset of Node
        For whose sake the backward pass is played: factors of gradients, and what goes back a step.
    kept : frozenset of Node
        The nodes whose copies all keep a place: those that a step hands on, factors of gradients, and what
        the backward pass reads of the forward pass. Everything else is computed again if somebody asks for it.
    loops : dict of Node to int
        The nodes that are played copy by copy, as they depend on themselves, a step away; and the number of the loop
        they belong to.
    for_states : frozenset of Node
        The states, and what they are computed from.
    readers : dict of Node to list
        Who reads a node, of those that are computed.
    """

    forward: tuple[Node, ...]
    backward: tuple[Node, ...]
    terms: dict[str, list[Summand]]
    roots: frozenset[Node]
    kept: frozenset[Node]
    loops: dict[Node, int]
    for_states: frozenset[Node]
    readers: dict[Node, list[Node]]

    @property
    def played(self) -> tuple[Node, ...]:
        """All that is computed."""
        return (*self.forward, *self.backward)


def liveness(folded: Folded, keep_all: bool = False) -> Liveness:
    """What a replay of the step computes and keeps; with `keep_all`, every value and every cotangent."""
    terms = {name: summands(folded.gradients[name]) for name in folded.weights if name in folded.gradients}
    handed = [{d.written for d in folded.delays if d.ahead == ahead} for ahead in (-1, 1)]
    roots = {n for some in terms.values() for term in some for n in term.nodes} | handed[1]
    wanted = roots | (_cotangents(folded) if keep_all else set())
    needed = with_what_they_read(wanted)
    backward = tuple(n for n in folded.tape.nodes[folded.size :] if n in needed and n.op is not None)
    own = set(folded.tape.nodes[: folded.size])
    read = {p for n in backward for p in n.parents if p in own}
    states = {*folded.state, *handed[0]}
    all_values = set(folded.values.values()) if keep_all else set()
    needed = with_what_they_read({folded.cost, *states, *read, *all_values})
    forward = tuple(n for n in folded.tape.nodes[: folded.size] if n in needed and n.op is not None)
    readers: dict[Node, list[Node]] = {}
    for n in (*forward, *backward):
        for p in dict.fromkeys(n.parents):
            readers.setdefault(p, []).append(n)
    kept = with_what_they_look_into({*read, *wanted, *states, folded.cost, *all_values})
    loops = {n: k for k, loop in enumerate([*_loops(folded, forward), *_loops(folded, backward)]) for n in loop}
    for_states = frozenset(with_what_they_read(states))
    return Liveness(forward, backward, terms, frozenset(roots), kept, loops, for_states, readers)


def _cotangents(folded: Folded) -> set[Node]:
    """The cotangents of the step's nodes; of a weight, that of its one leaf is a sum over time."""
    apart = {w.index for w in folded.weights.values()}
    return {g for i, g in folded.cotangents.items() if i not in apart and not is_tie(folded.values[i])}


def with_what_they_look_into(nodes: Iterable[Node]) -> frozenset[Node]:
    """The nodes, and those whose numbers they only look into: they are there as long as these are."""
    found = set(nodes)
    rest = list(found)
    while rest:
        n = rest.pop()
        if is_view(n) and n.parents[0] not in found:
            found.add(n.parents[0])
            rest.append(n.parents[0])
    return frozenset(found)


def _loops(folded: Folded, played: Sequence[Node]) -> list[set[Node]]:
    """The recurrences: what depends on itself, a step away."""
    g = dependencies(folded, played)
    return [c for c in nx.strongly_connected_components(g) if len(c) > 1 or g.has_edge(*list(c) * 2)]


def dependencies(folded: Folded, played: Sequence[Node]) -> nx.DiGraph[Any]:
    """What reads what among these nodes, at the same time or a step away."""
    inside = set(played)
    g: nx.DiGraph[Any] = nx.DiGraph()
    g.add_nodes_from(played)
    for n in played:
        g.add_edges_from((s, n) for s in map(folded.source, n.parents) if s in inside)
    return g
