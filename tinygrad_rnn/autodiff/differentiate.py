"""The backward pass as nodes of the tape: a derivative that can be looked at, drawn and differentiated again.

The rules of the ops are called with nodes instead of arrays, so there is nothing here to derive twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

import numpy as np

from . import ops

if TYPE_CHECKING:
    from .tape import Node, Tape


def record_pullback(
    tape: Tape,
    size: int,
    seeds: Mapping[int, Sequence[Node]],
    through: Collection[int] | None = None,
    share: Callable[[Node, int, Node], Node | None] | None = None,
) -> dict[int, Node]:
    """Record the backward pass of a tape's first nodes as nodes of the same tape.

    What is computed from a node stands at the node's time.

    Parameters
    ----------
    tape : Tape
        The tape.
    size : int
        How many of its nodes are to be gone back through.
    seeds : mapping of int to sequence of Node
        What each root's cotangent starts with, by the root's index.
    through : collection of int, optional
        The indices of the nodes to which error is sent; all that can receive it if none are named.
    share : callable, optional
        ``share(node, slot, g)``: what a node hands to its argument `slot`, or None for nothing, for methods that hand
        on less than the rules of the ops would.

    Returns
    -------
    dict of int to Node
        The cotangent of each node that error reaches, by the node's index.
    """
    shares: dict[int, list[Node]] = {index: list(nodes) for index, nodes in seeds.items()}
    cotangents: dict[int, Node] = {}
    for node in reversed(tape.nodes[:size]):
        arrived = shares.pop(node.index, None)
        if not arrived:
            continue
        with nullcontext() if node.t is None or tape.in_step else tape.step(node.t):
            g = arrived[0] if len(arrived) == 1 else ops.add(*arrived)
            if node.name and not g.name and g.index >= size:
                g.name = f"∂{node.name}"
            cotangents[node.index] = g
            for slot, parent in enumerate(node.parents):
                sent = parent.active and (through is None or parent.index in through) and not tape.is_cut(node, parent)
                if sent and node.op is not None and slot not in node.op.only_read:
                    handed = share(node, slot, g) if share else by_rule(node, slot, g)
                    if handed is not None:
                        shares.setdefault(parent.index, []).append(handed)
    return cotangents


def by_rule(node: Node, slot: int, g: Node, args: Sequence[Node] | None = None) -> Node:
    """What the rule of a node's op hands to its argument `slot`, as a node; for other arguments, if some are given."""
    assert node.op is not None  # a leaf hands nothing on
    return node.op.share(slot, g, node, args or node.parents)  # type: ignore[arg-type]  # rules take nodes too


def differentiate(tape: Tape, root: Node, with_respect_to: Sequence[Node], seed: Node) -> list[Node]:
    """Record what comes back from `root`, and give the cotangents of the nodes asked for."""
    reached = {node.index for node in with_respect_to}
    for node in tape.nodes[: root.index + 1]:
        if node.op is not None and node.index not in reached:
            read = node.op.only_read
            if any(p.index in reached for slot, p in enumerate(node.parents) if slot not in read):
                reached.add(node.index)
    found = record_pullback(tape, root.index + 1, {root.index: [seed]}, reached)
    return [
        found[node.index] if node.index in found else tape.leaf(np.zeros_like(node.value), "0", active=False)
        for node in with_respect_to
    ]
