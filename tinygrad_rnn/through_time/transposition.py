"""Two networks of signals: one carries a weight's influence forwards, its transpose is backpropagation through time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, ShapeError
from ..autodiff.asked import asked, kinds_of, refuse_unless
from ..autodiff.calling import shortened
from ..autodiff.traits import is_tie
from ..unfold import Unfolded

Array = NDArray[Any]


@asked
def flow_graph(net: Unfolded, weight: str, entry: tuple[int, ...]) -> nx.DiGraph[Any]:
    """The linearised signal-flow graph that carries the influence of one entry of a weight to the cost.

    Every number of the network that depends on a weight is a node; a branch multiplies what flows along it by its
    gain, a node adds up what flows in. The gains are the slopes of the ops at the values that the network
    has now; a `cut` cuts nothing here. A 1 at the source arrives at the sink as dC / d entry: this is real-time
    recurrent learning.

    Parameters
    ----------
    net : Unfolded
        The network.
    weight : str
        The weight's name.
    entry : tuple of int
        Which entry of it.

    Returns
    -------
    networkx.DiGraph
        Frozen. A node is a pair: the index of a node of the tape, and an entry of it. Its attributes are ``name``,
        ``entry`` and ``t``; a branch has a ``gain`` and a ``delay`` in time steps. ``graph["source"]`` is the weight's
        entry, ``graph["sink"]`` the cost.

    Raises
    ------
    KeyError
        If there is no weight of that name.
    ShapeError
        If it has no such entry.

    Notes
    -----
    Source: Beaufays and Wan (1994), "Relating real-time backpropagation and backpropagation-through-time: an
    application of flow graph interreciprocity", Neural Computation 6. Their accumulator is C here.
    """
    if weight not in net.weights:
        raise KeyError(f"there is no parameter {weight!r}; there are {', '.join(net.weights)}")
    w = net.weights[weight]
    entry = tuple(entry) if isinstance(entry, Sequence) else (entry,)
    if len(entry) != len(w.shape) or not all(
        isinstance(i, int | np.integer) and 0 <= i < n for i, n in zip(entry, w.shape, strict=False)
    ):
        raise ShapeError(
            f"{weight} is {w.shape} and has no entry {shortened(entry)}: give one index for each axis, from 0 up"
        )
    source, sink = (w.index, tuple(entry)), (net.cost.index, ())
    of_weights = {leaf.index for leaf in net.weights.values()}
    entries: dict[int, list[tuple[int, ...]]] = {w.index: [tuple(entry)]}
    g: nx.DiGraph[Any] = nx.DiGraph(source=source, sink=sink, transposed=False)
    _add(g, w, entries[w.index])
    for node in net.tape.nodes[: net.cost.index + 1]:
        if node.op is None or not node.active:
            continue
        if is_tie(node) and node.parents[0].index in of_weights:  # of this weight one entry, of others none
            entries[node.index] = entries.get(node.parents[0].index, [])
        else:
            entries[node.index] = list(np.ndindex(*node.shape))
        _add(g, node, entries[node.index])
        args = [p.value for p in node.parents]
        for slot, parent in enumerate(node.parents):
            if slot in node.op.only_read:
                continue
            for moved in entries.get(parent.index, []):
                disturbed = np.zeros_like(parent.value)
                disturbed[moved] = 1
                gains = np.asarray(node.op.push(slot, disturbed, node.value, args))
                for reached in entries[node.index]:
                    _branch(g, (parent, moved), (node, reached), float(gains[reached]))
    g.remove_nodes_from(set(g) - nx.ancestors(g, sink) - {source, sink})
    return nx.freeze(g)


def _add(g: nx.DiGraph[Any], node: Node, entries: list[tuple[int, ...]]) -> None:
    for entry in entries:
        g.add_node((node.index, entry), name=str(node), entry=entry, t=node.t)


def _branch(
    g: nx.DiGraph[Any], start: tuple[Node, tuple[int, ...]], end: tuple[Node, tuple[int, ...]], gain: float
) -> None:
    """A branch with this gain, or that much more on the branch there is: `x * x` hands on twice."""
    a, b = (start[0].index, start[1]), (end[0].index, end[1])
    if gain:
        before = g.edges[a, b]["gain"] if g.has_edge(a, b) else 0.0
        delay = end[0].t - start[0].t if start[0].t is not None and end[0].t is not None else 0
        g.add_edge(a, b, gain=before + gain, delay=delay)


@asked
def transposed(graph: nx.DiGraph[Any]) -> nx.DiGraph[Any]:
    """The transposed flow graph: every branch turned round, its gain kept; source and sink exchanged.

    Where the graph branches, it sums, and where it sums, it branches; a delay becomes an advance, so it is played
    from the last step to the first. It has the same transfer as the graph, by interreciprocity. A -1 at its source,
    the cost, arrives at every net input as Guo's delta, whatever weight the graph was made for: it is backpropagation
    through time.

    Returns
    -------
    networkx.DiGraph
        Frozen, with the same nodes.

    Notes
    -----
    Source: Beaufays and Wan (1994).
    """
    ends = {"source": graph.graph["sink"], "sink": graph.graph["source"]}
    g: nx.DiGraph[Any] = nx.DiGraph(**ends, transposed=not graph.graph["transposed"])
    g.add_nodes_from(graph.nodes(data=True))
    g.add_edges_from((b, a, {"gain": e["gain"], "delay": -e["delay"]}) for a, b, e in graph.edges(data=True))
    return nx.freeze(g)


@asked
def flow(graph: nx.DiGraph[Any], injected: Mapping[Any, float]) -> dict[Any, float]:
    """The value of every node when these numbers are put in at some of them.

    Parameters
    ----------
    graph : networkx.DiGraph
        Made by `flow_graph` or `transposed`.
    injected : mapping of node to float
        What comes in from outside.

    Raises
    ------
    KeyError
        If the graph has no such node.
    """
    missing = [node for node in injected if node not in graph]
    if missing:
        raise KeyError(f"the flow graph has no node {shortened(missing[0])}: a node is (index on the tape, entry)")
    for node, value in injected.items():
        refuse_unless(f"flow: injected[{node}]", value, kinds_of("float"))
    values: dict[Any, float] = {}
    for node in nx.topological_sort(graph):
        arriving = (values[a] * branch["gain"] for a, _, branch in graph.in_edges(node, data=True))
        values[node] = injected.get(node, 0.0) + sum(arriving)
    return values


@asked
def transfer(graph: nx.DiGraph[Any]) -> float:
    """What arrives at the sink when a 1 is put in at the source."""
    return flow(graph, {graph.graph["source"]: 1.0})[graph.graph["sink"]]
