"""The network at the level of Guo's figures: inputs, states and outputs, and the matrices on the lines between them.

Made from the tape: everything between two layers is drawn together to a line, and the matrices that are met on the
way stand on it. Source: Guo (2013), Figures 1 and 2.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace

from ..autodiff import Node
from ..autodiff.notation import plain, symbol
from ..autodiff.traits import is_tie, product_with
from ..unfold import Unfolded
from ..unfold.structure import flatten
from .folded import DELAY, at_any_time, delays
from .layout import Column, Edge, Item, Placed, place
from .overlay import GREY, Overlay
from .palette import PALETTE
from .scene import BETWEEN, Scene
from .unfolding import Steps, text_width, tooltip

WIDE, TALL, SMALL = 104.0, 46.0, 46.0


Met = tuple[Node, Node, int]  # a copy of a matrix, the op that multiplies it, and which argument it is
Slot = tuple[int, int]  # an op, and which argument it reads


@dataclass(frozen=True)
class Way:
    """One layer reads another, and what comes back on the way: all that goes through the same matrix, or through none.

    Attributes
    ----------
    reader : (Node, int)
        The first op on the way, and which argument the source is.
    matrix : (Node, Node, int) or None
        The first one that is met.
    edges : frozenset of (int, int)
        All that the way is made of.
    """

    source: Node
    target: Node
    reader: tuple[Node, int]
    matrix: Met | None = None
    edges: frozenset[Slot] = frozenset()

    @property
    def key(self) -> tuple[int, int | None]:
        """What tells it from other ways to its target."""
        return self.source.index, self.matrix[0].index if self.matrix else None

    def on(self, node: Node, slot: int, matrix: int | None) -> Way:
        """The way, one op further: this op reads it as this argument, and multiplies it with the one of the matrix."""
        met = None if matrix is None else (node.parents[matrix], node, matrix)
        edges = {(node.index, n) for n in (slot, matrix) if n is not None}
        return replace(self, target=node, matrix=self.matrix or met, edges=self.edges | edges)


class Layers:
    """The layers of a network, step by step.

    Parameters
    ----------
    net : Unfolded
        The network.
    overlay : Overlay
        What is written into the boxes.
    """

    def __init__(self, net: Unfolded, overlay: Overlay) -> None:
        self.net, self.overlay, self.steps = net, overlay, Steps(net)
        weights = list(net.weights.values())
        if len(weights) > len(PALETTE):  # the biases, which are not drawn, would take colours from the matrices
            weights.sort(key=lambda w: len(w.shape) != 2)
        self.color = {w.index: PALETTE[i % len(PALETTE)] for i, w in enumerate(weights)}
        self.ends: dict[str, tuple[Node, int]] = {}
        overlay.ends = self.ends
        self.name: Callable[[Node], str] = str
        self._found: dict[int, tuple[list[Node], list[Way]]] = {}  # the layers of a step, and the ways to them

    def layers(self, t: int) -> list[Node]:
        """Input, states and output of a time step, each once, and what else a matrix of its own multiplies."""
        if t == 0:
            return list(dict.fromkeys(flatten(self.net.states[0])))
        return self._of_step(t)[0]

    def ways(self, t: int) -> list[Way]:
        """What the layers of a time step read, of this step or an earlier one."""
        return self._of_step(t)[1]

    def _of_step(self, t: int) -> tuple[list[Node], list[Way]]:
        if t not in self._found:
            states = [s for s in flatten(self.net.states[t]) if s.t == t]
            layers = {n.index: n for n in (self.net.inputs[t - 1], *states, self.net.outputs[t - 1]) if n.t == t}
            hidden: dict[int, Node] | None = None
            while hidden is None or hidden:
                ways = self._ways(t, layers.keys())
                hidden = self._hidden(t, layers.keys(), ways)
                layers |= hidden
            self._found[t] = [layers[index] for index in sorted(layers)], ways
        return self._found[t]

    def _ways(self, t: int, layers: Container[int]) -> list[Way]:
        found: list[Way] = []
        origins: dict[int, dict[tuple[int, int | None], Way]] = {}
        for node in self.steps.at(t):
            mine: dict[tuple[int, int | None], Way] = {}
            for slot, parent in enumerate(node.parents):
                if parent.t is None or self.is_copy(parent):
                    continue
                matrix = self._beside(node, slot)
                here = parent.t != t or parent.index in layers
                before = [Way(parent, node, (node, slot))] if here else origins.get(parent.index, {}).values()
                for way in (way.on(node, slot, matrix) for way in before):
                    known = mine.get(way.key, way)
                    mine[way.key] = replace(known, edges=known.edges | way.edges)
            if node.index in layers:
                found += mine.values()
            origins[node.index] = mine
        return found

    def _hidden(self, t: int, layers: Container[int], ways: Sequence[Way]) -> dict[int, Node]:
        """What is multiplied on a way by a matrix that no way meets first: a layer, so that each matrix has a place."""
        on_ways = {edge for way in ways for edge in way.edges}
        first = {way.key[1] for way in ways}
        found = {}
        for node in self.steps.at(t):
            for slot, parent in enumerate(node.parents):
                matrix = self._beside(node, slot) if (node.index, slot) in on_ways else None
                inside = parent.t == t and parent.index not in layers and not self.is_copy(parent)
                if inside and matrix is not None and node.parents[matrix].index not in first:
                    found[parent.index] = parent
        return found

    def is_copy(self, node: Node) -> bool:
        """Whether a node is a weight at a time step."""
        return is_tie(node) and node.parents[0].index in self.color

    def _beside(self, node: Node, slot: int) -> int | None:
        """The argument that holds the matrix with which a node multiplies another of its arguments, if there is one."""
        product = product_with(node, slot)
        other = None if product is None else product.beside(slot)
        return other if other is not None and self.is_copy(node.parents[other]) else None

    # ---- boxes

    def look(self, nodes: Sequence[Node], ways: Sequence[Way]) -> None:
        """Let the overlay see what is drawn."""
        met = [way.matrix[0] for way in ways if way.matrix]
        copies = {copy.index: copy.parents[0] for copy in met}
        times = sorted({node.t for node in nodes if node.t})
        readers = [node for t in times for node in self.steps.at(t)]
        self.overlay.look(self.net, [*nodes, *met], copies, self.color, readers)

    def item(self, node: Node) -> Item:
        """The box of a layer."""
        numbers, name = self.overlay.numbers(node), self.name(node)
        width = max(WIDE, text_width(name), *(10 + 5.2 * len(text) for _, text in numbers))
        height = max(TALL, 13 * (1 + len(numbers)) + 10)
        kind = "leaf" if node.op is None else "op"
        fill, border, ink = self.overlay.style(node)
        shown = f"n{node.index}", name, width, height, kind, numbers, tooltip(node)
        return Item(*shown, fill=fill, border=border, ink=ink)

    def matrix(self, copy: Node, number: int) -> Item:
        """The box of a matrix on a line."""
        name, numbers = self.name(copy), self.overlay.numbers(copy)
        width = max(SMALL, text_width(name) - 4, *(10 + 5.2 * len(text) for _, text in numbers))
        fill, border, ink = self.overlay.style(copy)
        color = self.color[copy.parents[0].index]
        shown = f"n{copy.index}" + (f"x{number}" if number else ""), name, width, 13.0 * (1 + len(numbers)) + 10
        return Item(*shown, "copy", numbers, tooltip(copy), fill=fill, border=border or color, ink=ink or color)

    def lines(self, ways: Sequence[Way], items: list[Item], source_of: Callable[[Node], str]) -> list[Edge]:
        """The lines of these ways; the boxes of their matrices are put into `items`, each before its target."""
        edges: list[Edge] = []
        boxes: dict[tuple[int, int | None], Item] = {}  # what leaves a layer through one matrix has one box of it
        stems: set[str] = set()
        for way in ways:
            source = source_of(way.source)
            target, kind = f"n{way.target.index}", "state" if way.source.t != way.target.t else "data"
            stem = f"w{way.source.index}-{way.target.index}"
            if stem in stems:  # another way between the two
                stem += f"-by{way.key[1] or ''}"
            stems.add(stem)
            if way.matrix is None:
                self.ends[stem] = way.reader
                edges.append(Edge(stem, source, target, kind))
                continue
            copy, op, slot = way.matrix
            if way.key not in boxes:
                box = boxes[way.key] = self.matrix(copy, sum(matrix == copy.index for _, matrix in boxes))
                items.insert(next(k for k, item in enumerate(items) if item.id == target), box)
                product = product_with(op, slot)
                assert product is not None  # as `_beside` has seen
                self.ends[stem] = op, product.beside(slot)
                edges.append(Edge(stem, source, box.id, f"{kind} stem"))
            self.ends[f"{stem}-m"] = op, slot
            edges.append(Edge(f"{stem}-m", boxes[way.key].id, target, kind))
        return edges

    def scene(self, placed: Placed, title: str, description: str, caption: str) -> Scene:
        """The scene of what has been placed."""
        boxes, lines = tuple(placed.boxes.values()), [self.overlay.drawn(line) for line in placed.lines]
        return Scene(
            title,
            f"{description} {self.overlay.description}".strip(),
            boxes,
            tuple(sorted(lines, key=lambda line: line.color != GREY)),
            tuple(placed.frames),
            BETWEEN.join([caption] * bool(caption) + self.overlay.said(boxes, lines)),
            legend=self.overlay.legend,
        )


def folded(net: Unfolded, overlay: Overlay) -> Scene:
    """Guo's Figure 1: input, state and output, and the state of the step before, which is a copy of the state."""
    made, parts, t = Layers(net, overlay), delays(net), min(2, net.T)
    made.name = lambda node: at_any_time(node, t)
    layers, ways = made.layers(t), made.ways(t)
    made.look(layers, ways)
    items = [made.item(node) for node in layers]
    before, delayed = flatten(net.states[t - 1]), []
    for k, (s, (_, state)) in enumerate(zip(before, parts, strict=True)):
        if state is not None and any(way.source is s for way in ways):
            name = plain(symbol(state.name, "t − 1"))
            numbers = (("elided", f"{DELAY}: a copy"),)
            delayed.append(
                (s, state, Item(f"z{k}", name, WIDE, TALL, "delay", numbers, "", like=f"n{state.index}", below=1))
            )
    names = {s.index: item.id for s, _, item in delayed}
    others = [s for s in dict.fromkeys(before) if s.index not in names and any(way.source is s for way in ways)]
    edges = made.lines(ways, items, lambda node: names.get(node.index, f"n{node.index}"))
    edges += [Edge(f"d{k}", f"n{state.index}", item.id, "copy") for k, (_, state, item) in enumerate(delayed)]
    first = [item for _, _, item in delayed] + [made.item(s) for s in others]
    placed = place([Column("before", "", first), Column("step", f"one time step, {net.T:,} times", items)], edges)
    return made.scene(
        placed,
        f"A recurrent network, folded: its layers, for {net.T} time steps",
        "Input at the bottom, output at the top; the state is copied and read one step later. The matrices stand on "
        "the lines. As Guo (2013), Figure 1.",
        "",
    )


def staircase(net: Unfolded, overlay: Overlay, of: int, copies: int) -> Scene:
    """Guo's Figure 2: one output, and what it depends on through so many copies of the network."""
    made = Layers(net, overlay)
    first = max(1, of - copies + 1)
    ways = [way for t in range(first, of + 1) for way in made.ways(t)]
    needed, kept = {net.outputs[of - 1].index}, []
    for way in reversed(ways):
        if way.target.index in needed:
            needed.add(way.source.index)
            kept.append(way)
    kept.reverse()
    ends = [end for way in kept for end in (way.source, way.target)]
    found = {node.index: node for node in (net.outputs[of - 1], *ends)}
    nodes = [found[index] for index in sorted(found)]
    made.look(nodes, kept)
    items = [made.item(n) for n in nodes]
    edges = made.lines(kept, items, lambda node: f"n{node.index}")
    earlier = f"      {first - 1} earlier copies are not drawn" if first > 1 else ""
    return made.scene(
        place([Column("t0", "", []), Column("stairs", "", items)], edges),
        f"What the output of time step {of} depends on",
        f"The output of time step {of} at the top; below it, step by step, the states and inputs that it depends on, "
        f"through {of - first + 1} copies of the network. As Guo (2013), Figure 2.",
        f"one output and {of - first} extra copies of the network{earlier}",
    )
