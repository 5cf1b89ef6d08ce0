"""The tape as a networkx graph: made when asked for, never walked for numbers."""

from __future__ import annotations

from typing import Any

import networkx as nx

from ..autodiff import Tape
from ..autodiff.asked import asked


@asked
def graph(tape: Tape) -> nx.MultiDiGraph[Any]:
    """The tape as a frozen `networkx.MultiDiGraph`.

    A node is its tape index, with attributes ``name``, ``t``, ``op`` (``leaf`` for a leaf) and
    ``role``. An edge runs from a parent to the node that reads it; its key is the argument's number,
    so that ``x * x`` has two edges.
    """
    g: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
    for node in tape:
        g.add_node(node.index, name=node.name, t=node.t, op=node.op.name if node.op else "leaf", role=node.role)
        for slot, parent in enumerate(node.parents):
            g.add_edge(parent.index, node.index, key=slot)
    return nx.freeze(g)
