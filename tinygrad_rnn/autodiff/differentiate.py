"""The backward pass as nodes of the tape: a derivative that can be looked at, drawn and differentiated again.

The rules of the ops are called with nodes instead of arrays, so there is nothing here to derive twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from . import ops
from .chain import by_jvp, by_rule, pullback, pushforward
from .node import Node
from .passes import Cotangents


def record_pullback(
    tape: Any,
    nodes: Sequence[Node],
    seeds: Mapping[Node, Sequence[Node]],
    through: Callable[[Node, int], bool] | None = None,
    hand: Callable[[Node, int, Node, Node, Sequence[Node]], Node | None] = by_rule,
) -> Cotangents[Node]:
    """Record the backward pass of a tape's first nodes as nodes of the same tape.

    What is computed from a node stands beside it, at its time.

    Parameters
    ----------
    tape : Tape
        The tape.
    nodes : sequence of Node
        Its first nodes, which are gone back through.
    seeds : mapping of Node to sequence of Node
        What each root's cotangent starts with.
    through, hand : callable, optional
        See `pullback`.

    Returns
    -------
    Cotangents
        The cotangent of each node that error reaches, a node.
    """
    first = len(nodes)

    def total(node: Node, shares: Sequence[Node]) -> Node:
        g = _summed(tape, node, shares)
        if node.name and not g.name and g.index >= first:
            g.name = f"∂{node.name}"
        return g

    def handed(node: Node, slot: int, g: Node, y: Node, args: Sequence[Node]) -> Node | None:
        with tape.beside(node):
            return hand(node, slot, g, y, args)

    back = Cotangents(first, seeds)
    for _ in pullback(nodes, back, _itself, total, through, handed):
        pass
    return back


def record_pushforward(tape: Any, nodes: Sequence[Node], seeds: Mapping[Node, Node]) -> dict[Node, Node]:
    """Record forward mode over a tape's first nodes as nodes of the same tape.

    What is recorded can be played for many disturbances at once, see `ValuesWith`.

    Parameters
    ----------
    tape : Tape
        The tape.
    nodes : sequence of Node
        Its first nodes, which are gone through.
    seeds : mapping of Node to Node
        The tangent of each node that is disturbed.

    Returns
    -------
    dict of Node to Node
        The tangent of each node that the disturbance reaches.
    """
    moved = dict(seeds)

    def pushed(node: Node, slot: int, dx: Node, y: Node, args: Sequence[Node]) -> Node:
        with tape.beside(node):
            return by_jvp(node, slot, dx, y, args)

    for _ in pushforward(nodes, moved, _itself, lambda node, pushes: _summed(tape, node, pushes), pushed):
        pass
    return moved


def differentiate(tape: Any, root: Node, with_respect_to: Sequence[Node], seed: Node) -> list[Node]:
    """Record what comes back from `root`, and give the cotangents of the nodes asked for."""
    nodes = tape.nodes[: root.index + 1]
    reached = set(with_respect_to)
    for node in nodes:
        if node.op is not None and node not in reached:
            read = node.op.only_read
            if any(p in reached for slot, p in enumerate(node.parents) if slot not in read):
                reached.add(node)
    allowed = tape.through

    def through(node: Node, slot: int) -> bool:
        return node.parents[slot] in reached and (allowed is None or bool(allowed(node, slot)))

    found = record_pullback(tape, nodes, {root: [seed]}, through)
    return [
        tape.leaf(np.zeros_like(node.value), "0", active=False) if g is None else g
        for node, g in ((node, found.totals[node.index]) for node in with_respect_to)
    ]


def _summed(tape: Any, node: Node, terms: Sequence[Node]) -> Node:
    if len(terms) == 1:
        return terms[0]
    with tape.beside(node):
        total: Node = ops.add(*terms)
        return total


def _itself(node: Node) -> Node:
    return node
