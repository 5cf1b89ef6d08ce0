"""Which boxes a time step has in a textbook's figure, what is drawn in each, and which roads lead from one to another.

A road says what comes back along it: an op and its argument that are drawn in two boxes are an edge of some road, so a
figure leaves out no error.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..autodiff import Node
from .layers import Layers, Met, Slot


@dataclass
class Road:
    """Ways from one layer that meet the same matrix first, or none, to all their targets.

    Attributes
    ----------
    reader : (int, int)
        The first op on it, and which argument the source is.
    targets : dict of Node to set of (int, int)
        The layers that it leads to, with the edges whose errors come back from there.
    """

    source: Node
    met: Met | None
    reader: Slot
    targets: dict[Node, set[Slot]] = field(default_factory=dict)

    @property
    def edges(self) -> set[Slot]:
        """All that comes back along it."""
        return set().union(*self.targets.values())


class StepRoads:
    """What is drawn of a time step.

    Parameters
    ----------
    made : Layers
        The network.
    t : int
        The time step.
    home : dict of int to Node
        For each node of earlier steps the layer in whose box it is drawn; those of this step are added. A matrix that
        stands on a road has a box of its own and is not among them.

    Attributes
    ----------
    layers : list of Node
        In the order of recording; the cost is the last, where it is counted.
    roads : list of Road
        What leads to them.
    """

    def __init__(self, made: Layers, t: int, home: dict[int, Node]) -> None:
        self.made, self.t, self.home = made, t, home
        self.cost = made.net.losses[t - 1]
        self.layers = made.layers(t) + [self.cost] * (t in made.net.counted)
        self.ways = made.ways(t)
        self.matrices = {way.matrix[0].index for way in self.ways if way.matrix}
        for layer in self.layers:
            self._gather(layer)
        # What was recorded after the network, such as a derivative, is not drawn.
        self._nodes = [node for node in made.steps.at(t) if node.index <= self.cost.index]
        later = made.steps.at(t + 1) if t < made.net.T else ()
        read = {node.index for node in self._nodes if node.index in home}
        read |= {parent.index for node in later for parent in node.parents}
        for node in self._nodes:  # what only the next step reads, or nobody: with the highest box that it reads
            if not self._has_place(node):
                homes = [home[p.index] for p in node.parents if p.t == t and p.index in home]
                home[node.index] = max(homes, key=lambda layer: layer.index, default=self.layers[0])
        self.roads = self._roads()
        self.roads += self._others(read)

    def _has_place(self, node: Node) -> bool:
        return node.index in self.home or node.index in self.matrices

    def _gather(self, layer: Node) -> None:
        """Put what leads to a layer, and to none before it, into its box."""
        self.home[layer.index] = layer
        todo = [layer]
        while todo:
            for parent in todo.pop().parents:
                if parent.t == self.t and not self._has_place(parent):
                    self.home[parent.index] = layer
                    todo.append(parent)

    def _leads_out(self, edge: Slot) -> bool:
        """Whether an op and its argument are drawn in two boxes."""
        op = self.made.net.tape.nodes[edge[0]]
        return self.home.get(op.index) is not self.home.get(op.parents[edge[1]].index)

    def _roads(self) -> list[Road]:
        found: dict[tuple[int, int | None], Road] = {}
        for way in self.ways:
            source, (op, slot) = self.home.get(way.source.index, way.source), way.reader
            road = found.setdefault((source.index, way.key[1]), Road(source, way.matrix, (op.index, slot)))
            road.targets.setdefault(way.target, set()).update(filter(self._leads_out, way.edges))
        return list(found.values())

    def _others(self, read: set[int]) -> list[Road]:
        """What lies on no way: what the cost reads, and what leaves a box that it came into without its layer."""
        known = {edge for road in self.roads for edge in road.edges}
        standing = {road.met[0].index: road for road in self.roads if road.met}
        found: dict[tuple[int, int], Road] = {}
        for node, slot in ((n, slot) for n in self._nodes if n.index in read for slot in range(len(n.parents))):
            edge, parent, target = (node.index, slot), node.parents[slot], self.home[node.index]
            source, aside = self.home.get(parent.index), node.op is not None and slot in node.op.only_read
            if not parent.active or aside or edge in known or source is target:
                continue
            if source is not None:
                key = source.index, target.index
                found.setdefault(key, Road(source, None, edge)).targets.setdefault(target, set()).add(edge)
            elif parent.index in standing:
                standing[parent.index].targets.setdefault(target, set()).add(edge)
        return list(found.values())
