"""A flow graph and its transpose, one above the other: the same places, the same gains, every branch turned round."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import networkx as nx

from ..autodiff.asked import asked
from ..through_time.transposition import flow, transposed
from .overlay import short
from .picture import Picture
from .scene import Box, Frame, Line, Point, Scene

WIDE, TALL = 80.0, 40.0
ROW = 98.0  # from row to row
GAP = 12.0  # between units of one row
MOST_BOXES = 150
COLORS = ("#0B5394", "#B3261E")  # forwards, turned round


@asked
def draw_flow(graph: nx.DiGraph[Any]) -> Picture:
    """Draw a flow graph above its transpose: a column for each time step, a box for each number, a gain on each branch.

    In the boxes stands what a 1 at the source of the graph becomes, and a 1 at the source of its transpose.

    Parameters
    ----------
    graph : networkx.DiGraph
        Made by `tinygrad_rnn.flow_graph`, or its transpose.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If there are more numbers than a picture can show.
    """
    if len(graph) > MOST_BOXES:
        raise ValueError(
            f"the flow graph has {len(graph)} nodes, and nobody could read a picture of more than {MOST_BOXES}: "
            "take fewer time steps, samples and units, such as x[:3, :1] and 2 hidden units"
        )
    forwards = transposed(graph) if graph.graph["transposed"] else graph
    place = _places(forwards)
    below = max(y for _, y in place.values()) + 2.8 * ROW
    panels = [_Panel(forwards, place, 0.0, "a"), _Panel(transposed(forwards), place, -below, "b")]
    return Picture(
        Scene(
            title="A flow graph and its transpose",
            description=(
                f"Above, the flow graph that carries the influence of {_label(forwards, forwards.graph['source'])} to "
                "the cost; below it the same graph with every branch turned round. Each column is a time step. Both "
                "have the same transfer, "
                f"{_written(panels[0].end)} and {_written(panels[1].end)}."
            ),
            boxes=tuple(box for panel in panels for box in panel.boxes),
            lines=tuple(line for panel in panels for line in panel.lines),
            frames=tuple(frame for panel in panels for frame in panel.frames),
            caption="in a box: what a 1 at the source has become      on a line: its gain",
        )
    )


def _places(graph: nx.DiGraph[Any]) -> dict[Any, Point]:
    """Columns by time, rows by the longest way within a step; the source lower left, the sink upper right."""
    # What belongs to one node of the tape stands in one row, whether or not the source reaches it.
    row: dict[int, int] = {}
    cells: dict[tuple[int, int], list[Any]] = defaultdict(list)
    for index in sorted({index for index, _ in graph}):
        own = [node for node in graph if node[0] == index]
        t = graph.nodes[own[0]]["t"]
        if t is not None:
            inside = [a[0] for node in own for a in graph.predecessors(node) if graph.nodes[a]["t"] == t]
            row[index] = max((row[a] + 1 for a in inside), default=0)
            cells[t, row[index]] += own
    widest = max(len(members) for members in cells.values())
    pitch = widest * (WIDE + GAP) + 96
    place: dict[Any, Point] = {}
    for (t, r), members in cells.items():
        for k, node in enumerate(sorted(members)):
            place[node] = (t * pitch + (k - (len(members) - 1) / 2) * (WIDE + GAP), r * ROW)
    first = min(t for t, _ in cells)
    top = (max(r for _, r in cells) + 1) * ROW
    last = max(t for t, _ in cells)
    place.setdefault(graph.graph["source"], (first * pitch - pitch / 2 - WIDE, -ROW))
    for k, node in enumerate([n for n in graph if n not in place]):
        place[node] = (last * pitch + pitch / 2 + WIDE + k * (WIDE + 4 * GAP), top)
    return place


def _label(graph: nx.DiGraph[Any], node: Any) -> str:
    """A number's name, its indices counted from 1 as in the mathematics; of a single sample, the unit alone."""
    attributes, source = graph.nodes[node], graph.graph["sink" if graph.graph["transposed"] else "source"]
    name, parenthesis, time = str(attributes["name"]).partition("(")
    units = [n[1] for n, of in graph.nodes(data=True) if not _of_weight(of, graph.nodes[source]["name"])]
    single = not any(entry[0] for entry in units if len(entry) > 1)
    entry = attributes["entry"]
    if single and len(entry) > 1 and not _of_weight(attributes, graph.nodes[source]["name"]):
        entry = entry[1:]
    shown = ",".join(str(i + 1) for i in entry)
    return f"{name}{f'[{shown}]' if shown else ''}{parenthesis}{time}"


def _of_weight(attributes: dict[str, Any], weight: str) -> bool:
    return str(attributes["name"]).partition("(")[0] == weight


def _written(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


class _Panel:
    """One of the two graphs, at its places moved up or down."""

    def __init__(self, graph: nx.DiGraph[Any], place: dict[Any, Point], up: float, prefix: str) -> None:
        self.graph, self.prefix = graph, prefix
        self.values = flow(graph, {graph.graph["source"]: 1.0})
        self.end = self.values[graph.graph["sink"]]
        self.place = {node: (x, y + up) for node, (x, y) in place.items()}
        self.box = {node: self._box(node) for node in graph}
        self.boxes = [*self.box.values(), self._heading()]
        self.lines = [self._line(a, b, e["gain"]) for a, b, e in graph.edges(data=True)]
        self.frames = self._frames()

    def _id(self, node: Any) -> str:
        index, entry = node
        return "_".join([f"{self.prefix}{index}", *map(str, entry)])

    def _box(self, node: Any) -> Box:
        x, y = self.place[node]
        end = node in (self.graph.graph["source"], self.graph.graph["sink"])
        sums = self.graph.in_degree(node) > 1
        tooltip = f"{_label(self.graph, node)} = {self.values[node]:.6g}, {'a sum' if sums else 'one branch comes in'}"
        shown = (("cotangent" if self.graph.graph["transposed"] else "value", _written(self.values[node])),)
        return Box(
            self._id(node), _label(self.graph, node), x, y, WIDE, TALL, "weight" if end else "op", shown, tooltip
        )

    def _heading(self) -> Box:
        turned = self.graph.graph["transposed"]
        text = "turned round: backpropagation through time" if turned else "forwards: real-time recurrent learning"
        x = min(x for x, _ in self.place.values()) + 165 - WIDE / 2
        y = max(y for _, y in self.place.values()) + 0.7 * ROW
        arrives = f"arrives at {_label(self.graph, self.graph.graph['sink'])}: {self.end:.6g}".replace("-", "−")
        kind = "cotangent" if turned else "value"
        return Box(f"{self.prefix}_heading", text, x, y, 330, TALL, "leaf", ((kind, arrives),))

    def _line(self, a: Any, b: Any, gain: float) -> Line:
        turned = self.graph.graph["transposed"]
        low, high = (self.box[b], self.box[a]) if turned else (self.box[a], self.box[b])
        timeless = self.graph.nodes[b if turned else a]["t"] is None
        gathered = self.graph.nodes[a if turned else b]["t"] is None
        points: list[Point]
        if timeless and not gathered:
            points = [low.right, (high.x, low.y), high.bottom]
        elif gathered:
            points = [low.top, (low.x, high.y), high.left] if not timeless else [low.right, high.left]
        elif low.x < high.x and low.y > high.y:  # to the next step: in the free band below the states
            points = [(low.right[0] - 12, low.bottom[1]), (high.x - 8, high.top[1])]
        else:
            points = [low.top, high.bottom]
        color = COLORS[turned]
        ahead = self.graph.edges[a, b]["delay"]
        return Line(
            f"{self.box[a].id}-{self.box[b].id}",
            self.box[a].id,
            self.box[b].id,
            tuple(points[::-1] if turned else points),
            "state" if ahead else "data",
            color,
            short(gain),
        )

    def _frames(self) -> list[Frame]:
        steps: dict[int, list[Box]] = defaultdict(list)
        for node, box in self.box.items():
            if self.graph.nodes[node]["t"] is not None:
                steps[self.graph.nodes[node]["t"]].append(box)
        low = min(b.bottom[1] for boxes in steps.values() for b in boxes) - 14
        high = max(b.top[1] for boxes in steps.values() for b in boxes) + 30
        return [
            Frame(
                f"{self.prefix}t{t}",
                f"t = {t}",
                min(b.left[0] for b in boxes) - 12,
                low,
                max(b.right[0] for b in boxes) + 12,
                high,
                tuple(b.id for b in boxes),
            )
            for t, boxes in sorted(steps.items())
        ]
