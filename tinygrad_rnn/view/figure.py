"""The network as textbooks unroll it: a column a step, states on one line, a matrix on the line that it stands for.

Source: Goodfellow, Bengio and Courville (2016), Deep Learning, Figure 10.3.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Literal

from ..autodiff import Node
from ..autodiff.notation import plain, symbol
from ..unfold import Unfolded
from ..unfold.structure import flatten
from . import svg
from .layers import Layers
from .overlay import GREY, Overlay, Shares, Written
from .scene import Box, Frame, Line, Point, Scene
from .unfolding import tooltip

READABLE, ENDS = 8, 3  # so many steps are all drawn; of more, so many at either end
TALL, SMALL = 26.0, 21.0  # the heights of a layer's box and of a matrix's
ROOM = 11.0  # for a line between two boxes
LANE = 7.0  # between lines side by side
PORT = 6.0  # how far beside the middle of a box a second line comes in
LETTER, WORD = 7.5, 5.2  # the widths of a letter of a name and of a number

Edge = tuple[int, int]  # an op, and which argument it reads
Met = tuple[Node, Node, int]  # a copy, the op that multiplies it, and which argument it is


@dataclass(frozen=True)
class Column:
    """A time step, or those that are left out between two."""

    kind: Literal["t", "gap"]
    first: int
    last: int


@dataclass(frozen=True)
class Figure:
    """The picture, and what a page needs to know of it.

    Attributes
    ----------
    scene : Scene
        What is drawn, and where.
    columns : tuple of Column
        From left to right.
    left, pitch : float
        Where the first column begins and how wide each is, as parts of the width.
    width, height : float
        Of the whole, in points.
    boxes : mapping of str to str
        For each node of a step that is shown, the id of the box in which it is drawn: a layer's has all ops that lead
        to it, a matrix's copy its own, a bias's is that of its reader.
    carried : mapping of str to tuple of str
        For each line the ``op-slot`` of what it carries back.
    via : mapping of str to str
        For each line that leaves a matrix, the box of the matrix.
    """

    scene: Scene
    columns: tuple[Column, ...]
    left: float
    pitch: float
    boxes: Mapping[str, str]
    carried: Mapping[str, tuple[str, ...]]
    via: Mapping[str, str]

    @cached_property
    def _drawing(self) -> svg.Drawing:
        return svg.own(self.scene)

    @property
    def width(self) -> float:
        """In points."""
        return self._drawing.width

    @property
    def height(self) -> float:
        """In points."""
        return self._drawing.height

    def svg(self, prefix: str = "") -> str:
        """The inside of an SVG element of this size.

        Parameters
        ----------
        prefix : str
            What to put before each id, so that no other part of a page has it.
        """

        def said(found: re.Match[str]) -> str:
            data = f' data-c="{" ".join(self.carried[found[1]])}"' if found[1] in self.carried else ""
            data += f' data-via="{prefix}{self.via[found[1]]}"' if found[1] in self.via else ""
            return f'<g id="{prefix}{found[1]}"{data}'

        return re.sub(r'<g id="([^"]+)"', said, self._drawing.body)


def figure(net: Unfolded, *, limit: int = READABLE) -> Figure:
    """The picture for a page.

    Parameters
    ----------
    net : Unfolded
        The network.
    limit : int
        So many time steps are all drawn; of more, the first and the last three.
    """
    T = net.T
    shown = range(1, T + 1) if max(limit, 2 * ENDS) >= T else [*range(1, ENDS + 1), *range(T - ENDS + 1, T + 1)]
    return unrolled(net, Overlay({}), shown)


def unrolled(net: Unfolded, overlay: Overlay, shown: Sequence[int]) -> Figure:
    """The picture of the time steps that are shown."""
    if isinstance(overlay, Written):  # the boxes have no room for numbers
        overlay = Overlay(overlay.captions, overlay.of)
    return _Unrolled(net, overlay, shown).figure()


@dataclass
class _Road:
    """Ways from one layer that meet the same matrix first, or none, to all their targets."""

    source: Node
    met: tuple[Met, ...]  # the matrices that stand on it, one behind the other
    reader: Edge
    targets: dict[Node, set[Edge]] = field(default_factory=dict)  # with what each carries back


class _Step:
    """What is drawn of a time step: its layers, the cost on top, and the roads that lead to them.

    Attributes
    ----------
    home : dict of int to Node
        For each node but the matrices, the layer in whose box it is drawn; those of earlier steps among them.
    """

    def __init__(self, made: Layers, t: int, home: dict[int, Node]) -> None:
        self.made, self.t, self.home, self.nodes = made, t, home, made.net.tape.nodes
        self.cost = made.net.losses[t - 1]
        self.layers = made.layers(t) + [self.cost] * (t in made.net.counted)
        self.ways = made.ways(t)
        self.matrices = {copy.index for way in self.ways for copy, _, _ in way.matrices}
        for layer in self.layers:
            self._gather(layer)
        # What was recorded after the network, such as a derivative, is not drawn.
        self.own = [node for node in made.steps.at(t) if node.index <= self.cost.index]
        after = made.steps.at(t + 1) if t < made.net.T else ()
        used = {*self.home, *(p.index for node in after for p in node.parents)}
        self.read = [node for node in self.own if node.index in used]
        for node in self.own:  # what only the next step reads, or nobody
            if not self._has_place(node):
                homes = [self.home[p.index] for p in node.parents if p.t == t and p.index in self.home]
                self.home[node.index] = max(homes, key=lambda layer: layer.index, default=self.layers[0])
        self.roads = self._roads()
        drawn = {copy.index for road in self.roads for copy, _, _ in road.met}
        for node in self.own:  # a matrix without a place of its own is drawn with its first reader
            self.home |= {
                p.index: self.home[node.index]
                for p in node.parents
                if p.index in self.matrices - drawn and p.index not in self.home
            }
        self.matrices = drawn
        self.roads += self._others()

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

    def _leads_out(self, edge: Edge) -> bool:
        """Whether an op and its argument are drawn in two boxes."""
        op, slot = self.nodes[edge[0]], edge[1]
        return self.home.get(op.index) is not self.home.get(op.parents[slot].index)

    def _roads(self) -> list[_Road]:
        found: dict[tuple[int, int | None], _Road] = {}
        for way in self.ways:
            source, op = self.home.get(way.source.index, way.source), way.reader
            road = found.setdefault((source.index, way.key[1]), _Road(source, way.matrices, (op[0].index, op[1])))
            if road.targets and way.target not in road.targets:
                road.met = road.met[:1]
            road.targets.setdefault(way.target, set()).update(filter(self._leads_out, way.edges))
        return list(found.values())

    def _others(self) -> list[_Road]:
        """What lies on no way: what the cost reads, and what leaves a box that no layer came into."""
        known = {edge for road in self.roads for edges in road.targets.values() for edge in edges}
        found: dict[tuple[int, int], _Road] = {}
        for node in self.read:
            for slot, parent in enumerate(node.parents):
                edge, target = (node.index, slot), self.home.get(node.index)
                source = self.home.get(parent.index)
                carries = parent.active and node.op is not None and slot not in node.op.only_read
                if target is None or source is target or not carries or edge in known:
                    continue
                for road in self.roads:  # the matrix stands already
                    if any(copy is parent for copy, _, _ in road.met):
                        road.targets.setdefault(target, set()).add(edge)
                        break
                if source is None:
                    continue
                road = found.setdefault((source.index, target.index), _Road(source, (), edge))
                road.targets.setdefault(target, set()).add(edge)
        return list(found.values())


class _Unrolled:
    """Finds a place for every box and a way for every line, and draws them."""

    def __init__(self, net: Unfolded, overlay: Overlay, shown: Sequence[int]) -> None:
        self.net, self.overlay, self.shown = net, overlay, shown
        self.made = Layers(net, overlay)
        self.first = self.made.layers(0)
        self.home = {node.index: node for node in self.first}
        for s in self.first:
            self.home.update((p.index, s) for p in s.parents if p.t == 0)
        self.columns = list(self._columns())
        # What the first step of a gap reads is what the lines into the gap carry.
        self.entering = {c.first: _Step(self.made, c.first, self.home) for c in self.columns if c.kind == "gap"}
        self.steps = {t: _Step(self.made, t, self.home) for t in shown}
        self.boxes: list[Box] = []
        self.lines: list[Line] = []
        self.carried: dict[str, tuple[str, ...]] = {}
        self.via: dict[str, str] = {}
        nodes = [*self.first, *(n for step in self.steps.values() for n in step.layers)]
        self.made.look(nodes, [way for step in self.steps.values() for way in step.ways])
        self._find_rows()
        self._find_places()

    def _columns(self) -> Iterator[Column]:
        for a, b in pairwise((0, *self.shown, self.net.T + 1)):
            if b - a > 1:
                yield Column("gap", a + 1, b - 1)
            if b <= self.net.T:
                yield Column("t", b, b)

    # ---- rows

    def _find_rows(self) -> None:
        """Layers in the order of their recording, as in the step that has most; the cost on top."""
        model = max(self.steps.values(), key=lambda step: (len(step.layers), step.t))
        keys = [self._key(n, model) for n in model.layers]
        self.row: dict[int, int] = {}
        for step in self.steps.values():
            after = len(keys)
            for key in reversed([self._key(n, step) for n in step.layers]):
                if key not in keys:
                    keys.insert(after, key)
                after = keys.index(key)
        for step in self.steps.values():
            self.row.update((n.index, keys.index(self._key(n, step))) for n in step.layers)
        for s in self.first:
            parts = [k for k, part in enumerate(flatten(self.net.states[0])) if part is s]
            rows = [keys.index(("s", k)) for k in parts if ("s", k) in keys]
            self.row[s.index] = rows[0] if rows else 0
        self.top = len(keys) - 1
        self.highest = self.top - (("C", 0) in keys)  # but for the cost

    def _key(self, node: Node, step: _Step) -> tuple[str, int]:
        """What a layer is in every step: the input, a part of the state, the output, the cost."""
        if node is step.cost:
            return "C", 0
        if node is self.net.inputs[step.t - 1]:
            return "x", 0
        parts = flatten(self.net.states[step.t])
        return next((("s", k) for k, part in enumerate(parts) if part is node), ("y", 0))

    def _row(self, node: Node) -> int:
        """The row of a layer, also of one in a step that is left out."""
        if node.index in self.row:
            return self.row[node.index]
        parts = flatten(self.net.states[node.t or 0])
        like = flatten(self.net.states[self.shown[-1]])
        return next(
            (self.row[n.index] for s, n in zip(parts, like, strict=True) if s is node and n.index in self.row), 1
        )

    # ---- places

    def _find_places(self) -> None:
        """How wide and high everything must be, so that all steps have the same places."""
        self.words = {c.first: _gap_words(c) for c in self.columns if c.kind == "gap"}
        copies = [copy for step in self.steps.values() for road in step.roads for copy, _, _ in road.met]
        layers = [n for step in self.steps.values() for n in step.layers]
        widths = [LETTER * len(self.name(n)) + 4 for n in (*self.first, *layers)]
        widths += [WORD * len(text) + 8 for words in self.words.values() for _, text in words]
        widths += [WORD * len(text) + 8 for n in layers for _, text in self._numbers(n)]
        self.wide = max(42.0, *widths)
        self.small = max(
            [34.0]
            + [LETTER * len(self.name(n)) + 3 for n in copies]
            + [WORD * len(text) + 6 for n in copies for _, text in self._numbers(n)]
        )
        self.tall: dict[int, float] = defaultdict(lambda: TALL)
        for n in layers:
            row = self.row[n.index]
            self.tall[row] = max(self.tall[row], TALL + 12 * len(self._numbers(n)))
        self.low = SMALL + 12 * max((len(self._numbers(n)) for n in copies), default=0)
        self.exits: dict[int, int] = {}  # rows whose lines leave beside their row, each with its lane
        self.entries: dict[int, int] = {}  # and rows that are come to from beside
        self.track: dict[tuple[int, int], tuple[int, float]] = {}  # by step and road: band, and height above its row
        self.straight: dict[tuple[int, int], int] = {}  # by step and row: the road that runs on it
        filled: dict[int, float] = defaultdict(float)
        lanes, series, within = 0, 0, self.wide
        upright: dict[int, float] = defaultdict(lambda: 20.0)
        for step in self.steps.values():
            used: dict[int, float] = defaultdict(lambda: 8.0)
            beside, standing = 0, defaultdict(list)
            for k, road in enumerate(step.roads):
                row, goals = self._row(road.source), [self.row[n.index] for n in road.targets]
                if road.source.t == step.t:
                    standing[row].append(road)
                    beside += sum(goal != row + 1 for goal in goals)
                    slant = ROOM if len(standing[row]) > 1 else 0.0
                    upright[row] = max(upright[row], len(road.met) * (self.low + ROOM) + ROOM + slant)
                    continue
                series = max(series, len(road.met))
                if self._straight(step, k, road, row, goals):
                    for goal in goals:
                        if goal != row:
                            self.entries.setdefault(goal, len(self.entries))
                    continue
                band = row if all(goal >= row for goal in goals) else row - 1
                height = self.low + 5 if road.met else LANE
                self.track[step.t, k] = band, used[band] + height / 2
                used[band] += height
                self.exits.setdefault(row, len(self.exits))
                for goal in goals:
                    self.entries.setdefault(goal, len(self.entries))
            for band, height in used.items():
                filled[band] = max(filled[band], height)
            lanes = max(lanes, beside)
            within = max([within] + [sum(self._item_width(road) for road in each) for each in standing.values()])
        self.series = series * self.small + max(0, series - 1) * ROOM
        self.half = within / 2
        exits = ROOM if not self.exits else 6 + LANE * len(self.exits)
        entries = ROOM if not self.entries else 10 + LANE * len(self.entries)
        # A column begins in the middle of the first matrix before it.
        middle = self.small / 2 if series else 4.0
        self.before = self.half + entries + max(self.series, 8.0) - middle
        self.after = self.half + 9 * lanes + exits + middle
        self.right = self.half + 9 * lanes
        self.pitch = self.before + self.after
        self.x = {0: 9.0 * lanes} | {c.first: self.pitch * (k + 1) for k, c in enumerate(self.columns)}
        self.y: dict[int, float] = {}
        y = 0.0
        for row in range(self.top + 1):
            self.y[row] = y + self.tall[row] / 2
            y += self.tall[row] + max(upright[row], filled[row] + 4 if filled[row] else 0.0)
        self.ceiling = self.y[self.top] + self.tall[self.top] / 2

    def _item_width(self, road: _Road) -> float:
        return self.small + 6 if road.met else 12.0

    def _straight(self, step: _Step, k: int, road: _Road, row: int, goals: Sequence[int]) -> bool:
        """Whether a road runs on the row of its source: the first with a matrix, or if there is none, the first."""
        if row not in goals or self._is_far(step, road):
            return False
        here = step.t, row
        if here not in self.straight:
            alike = [
                (not other.met, n)
                for n, other in enumerate(step.roads)
                if other.source.t != step.t
                and self._row(other.source) == row
                and row in [self.row[target.index] for target in other.targets]
                and not self._is_far(step, other)
            ]
            self.straight[here] = min(alike)[1]
        return self.straight[here] == k

    def _is_far(self, step: _Step, road: _Road) -> bool:
        """Whether a road passes a column."""
        return self._column(step.t) - self._column(road.source.t or 0) > 1

    def _column(self, t: int) -> int:
        return next((k + 1 for k, c in enumerate(self.columns) if c.first <= t <= c.last), 0)

    def name(self, node: Node) -> str:
        """What stands in a box; a state and an output without a name have the usual letters."""
        if node.name or node.op is None:
            return str(node)
        parts = [k for k, part in enumerate(flatten(self.net.states[node.t or 0])) if part is node]
        several = len(flatten(self.net.states[0])) > 1
        letter = (f"s_{parts[0] + 1}" if several else "s") if parts else "y"
        return plain(symbol(letter, node.t))

    def _numbers(self, node: Node) -> tuple[tuple[str, str], ...]:
        """What has room below a name: a word of the caller's, and a copy's share."""
        share = isinstance(self.overlay, Shares) and self.made.is_copy(node)
        return tuple((kind, text) for kind, text in self.overlay.numbers(node) if text and (share or kind == "caption"))

    # ---- drawing

    def figure(self) -> Figure:
        """All of it."""
        frames = []
        for node in self.first:
            self._layer(node, self.x[0])
        for column in self.columns:
            if column.kind == "gap":
                self._gap(column)
                continue
            t, step = column.first, self.steps[column.first]
            for node in step.layers:
                self._layer(node, self.x[t])
            self._within(step)
            for k, road in enumerate(step.roads):
                if road.source.t != t:
                    self._across(step, k, road)
            left, right = self.x[t] - self.before + 1.5, self.x[t] + self.after - 1.5
            inside = tuple(b.id for b in self.boxes if left <= b.left[0] and b.right[0] <= right)
            frames.append(Frame(f"t{t}", f"t = {t}", left, -8, right, self.ceiling + 24, inside, self.x[t]))
        left_out = [f"{c.first} to {c.last}" for c in self.columns if c.kind == "gap"]
        missing = f" Time steps {' and '.join(left_out)} are left out." if left_out else ""
        scene = Scene(
            f"A recurrent network, unrolled over {self.net.T} time steps",
            "A column for each time step, from left to right: the input below, the state above it, output and cost on "
            "top. Each copy of a matrix stands on the line that it is multiplied on, from state to state between the "
            f"columns.{missing} {self.overlay.description}".rstrip(),
            tuple(self.boxes),
            tuple(sorted(map(self.overlay.drawn, self.lines), key=lambda line: line.color != GREY)),
            tuple(frames),
            "" if type(self.overlay) is Overlay else self.overlay.caption,
            legend=self.overlay.legend,
        )
        begin = min([b.left[0] for b in self.boxes] + [f.left for f in frames]) - svg.PAD
        width = svg.own(scene).width
        homes = {f"n{index}": f"n{layer.index}" for index, layer in self.home.items() if layer.index in self.row}
        copies = {f"n{index}": f"n{index}" for step in self.steps.values() for index in step.matrices}
        standing = {box.id for box in self.boxes}
        copies = {name: box for name, box in copies.items() if box in standing}
        return Figure(
            scene,
            tuple(self.columns),
            (self.pitch - self.before - begin) / width,
            self.pitch / width,
            homes | copies,
            self.carried,
            self.via,
        )

    def _layer(self, node: Node, x: float) -> None:
        row = self._row(node)
        kind = "leaf" if node.op is None else "cost" if node is self.net.losses[(node.t or 0) - 1] else "op"
        numbers = self._numbers(node)
        self.boxes.append(
            Box(
                f"n{node.index}",
                self.name(node),
                x,
                self.y[row],
                self.wide,
                TALL + 12 * len(numbers),
                kind,
                numbers,
                tooltip(node),
                *self.overlay.style(self._seen(node)),
            )
        )

    def _seen(self, layer: Node) -> Node:
        """What colours a layer's box: the layer, or an op in its box that error reaches though the layer gets none."""
        reached = self.overlay.reached
        if reached is None or layer.index in reached:
            return layer
        inside = (self.net.tape.nodes[k] for k, home in self.home.items() if home is layer and k in reached)
        return next(inside, layer)

    def _matrix(self, met: Met, x: float, y: float) -> Box:
        copy = met[0]
        standing = sum(box.id.partition("x")[0] == f"n{copy.index}" for box in self.boxes)
        fill, border, ink = self.overlay.style(copy)
        color = self.made.color[copy.parents[0].index]
        numbers = self._numbers(copy)
        self.boxes.append(
            Box(
                f"n{copy.index}" + (f"x{standing}" if standing else ""),
                self.name(copy),
                x,
                y,
                self.small,
                SMALL + 12 * len(numbers),
                "copy",
                numbers,
                tooltip(copy),
                fill,
                border or color,
                ink or color,
            )
        )
        return self.boxes[-1]

    def _line(self, source: str, target: str, points: Sequence[Point], kind: str, ends: Edge, edges: set[Edge]) -> None:
        stem = f"w{source.removeprefix('n')}-{target.removeprefix('n')}"
        again = sum(line.id.partition("_")[0] == stem for line in self.lines)
        id = f"{stem}_{again}" if again else stem
        self.lines.append(Line(id, source, target, tuple(points), kind))
        op, slot = ends
        self.made.ends[id] = self.net.tape.nodes[op], slot
        self.carried[id] = tuple(f"{op}-{slot}" for op, slot in sorted(edges))

    def _within(self, step: _Step) -> None:
        """The roads of a step, each upright if it leads to the next row, else past the boxes between, on the right."""
        standing: dict[int, list[_Road]] = defaultdict(list)
        for road in step.roads:
            if road.source.t == step.t:
                standing[self.row[road.source.index]].append(road)
        lane = 0
        for row, roads in standing.items():
            roads.sort(key=lambda road: max(self.row[n.index] for n in road.targets))
            floor, roof = self.y[row] + self.tall[row] / 2, self.y[row + 1] - self.tall[row + 1] / 2
            x = self.x[step.t] - sum(map(self._item_width, roads)) / 2
            spread = min(1.0, (self.wide / 2 - 7) / max(1.0, self.half - 10))
            for k, road in enumerate(roads):
                x += self._item_width(road) / 2
                port = self.x[step.t] + (x - self.x[step.t]) * spread
                last, at = self._stand(road, x, [(port, floor)], floor, roof)
                for target, edges in road.targets.items():
                    goal = self.row[target.index]
                    if goal == row + 1:
                        points = [*at, (x, roof - 9), (port, roof)] if x != port else [*at, (port, roof)]
                    else:
                        lane += 1
                        right, into = self.x[step.t] + self.half + 9 * lane - 1, self.y[goal] - PORT
                        end = (self.x[step.t] + self.wide / 2, into)
                        if road.met and k == len(roads) - 1:
                            y = at[0][1] - self.low / 2
                            start = [(x + self.small / 2, y), (right, y)]
                        else:
                            y = roof - 3 - 3 * k if road.met else floor + 4 + 4 * k
                            start = [*at, (x, y), (right, y)] if road.met else [at[0], (port, y), (right, y)]
                        points = [*start, (right, into), end]
                    self._line(last, f"n{target.index}", points, "data", self._ends(road), edges)
                    if road.met:
                        self.via[self.lines[-1].id] = last
                x += self._item_width(road) / 2

    def _stand(self, road: _Road, x: float, start: list[Point], floor: float, roof: float) -> tuple[str, list[Point]]:
        """Put the matrices of a road one above the other; the last box on it, and where the line goes on."""
        name = f"n{road.source.index}"
        if not road.met:
            return name, start if start[-1][0] == x else [*start, (x, floor + 9)]
        at = start
        every = set().union(*road.targets.values())
        for k, met in enumerate(road.met):
            y = floor + (roof - floor) * (k + 0.5) / len(road.met)
            box = self._matrix(met, x, y)
            bend = [] if at[-1][0] == x else [(x, at[-1][1] + 9)]
            edges = self._of_stem(road) if not k else every
            self._line(
                name,
                box.id,
                [*at, *bend, box.bottom],
                "data stem",
                road.reader if not k else (met[1].index, met[2]),
                edges,
            )
            name, at = box.id, [box.top]
        return name, at

    def _ends(self, road: _Road) -> Edge:
        return (road.met[-1][1].index, road.met[-1][2]) if road.met else road.reader

    def _of_stem(self, road: _Road) -> set[Edge]:
        """What reads the source itself."""
        nodes = self.net.tape.nodes
        return {
            (op, slot)
            for edges in road.targets.values()
            for op, slot in edges
            if self.home.get(nodes[op].parents[slot].index) is road.source
        }

    def _source(self, road: _Road) -> tuple[str, float, int]:
        """Where a road from an earlier step comes from: its box, how far to the right that ends, and its column."""
        t = road.source.t or 0
        column = self._column(t)
        if column and self.columns[column - 1].kind == "gap":
            first = self.columns[column - 1].first
            return f"gap{first}", self.x[first] + self.wide / 2, column
        return f"n{road.source.index}", self.x[t] + self.wide / 2, column

    def _across(self, step: _Step, k: int, road: _Road) -> None:
        """A road from an earlier step: on the row of its source, or on a track of its own between the columns."""
        name, edge, column = self._source(road)
        x, row = self.x[step.t], self._row(road.source)
        y, middle = self.y[row], x - self.before
        at: list[Point] = [(edge, y)]
        high = y
        if (step.t, k) in self.track:
            band, above = self.track[step.t, k]
            high = self.y[band] + self.tall[band] / 2 + above
            out = 2 + LANE * (self.exits[row] + 0.6)
            leave = self.x[self._first(column)] + (self.right if column else self.half) + out
            at.append((leave, y))
            if self._column(step.t) - column > 1:  # past the columns between, just above their boxes
                over = y + self.tall[row] / 2 + (3 if column % 2 else 6)
                leave = x - self.pitch + self.right + out + 3
                at += [(at[-1][0], over), (leave, over)]
            at.append((leave, high))
        every = set().union(*road.targets.values())
        for n, met in enumerate(road.met):
            box = self._matrix(met, middle + n * (self.small + ROOM), high)
            edges = self._of_stem(road) if not n else every
            ends = road.reader if not n else (met[1].index, met[2])
            self._line(name, box.id, [*at, box.left], "state stem", ends, edges)
            name, at = box.id, [box.right]
        for target, edges in road.targets.items():
            goal = self.row[target.index]
            left, into = x - self.wide / 2, self.y[goal]
            points = [*at, (left, into)]
            if high != into:
                into += PORT if high > into else -PORT
                lane = x - self.half - 10 - LANE * self.entries[goal]
                points = [*at, (lane, high), (lane, into), (left, into)]
            self._line(name, f"n{target.index}", points, "state", self._ends(road), edges)
            if road.met:
                self.via[self.lines[-1].id] = name

    def _first(self, column: int) -> int:
        return self.columns[column - 1].first if column else 0

    def _gap(self, column: Column) -> None:
        """The box of the steps that are left out, and the lines into it."""
        x, low, high = (
            self.x[column.first],
            self.y[0] - self.tall[0] / 2,
            self.y[self.highest] + self.tall[self.highest] / 2,
        )
        name = f"gap{column.first}"
        what = f"time steps {column.first} to {column.last} are left out"
        words = self.words[column.first]
        self.boxes.append(Box(name, "…", x, (low + high) / 2, self.wide, high - low, "elided", words, what))
        into: dict[Node, set[Edge]] = defaultdict(set)
        for road in self.entering[column.first].roads:
            if road.source.t == column.first - 1:
                into[road.source] |= self._of_stem(road)
        for source, edges in into.items():
            if edges:
                y = self.y[self._row(source)]
                points = [(self.x[self._first(self._column(source.t or 0))] + self.wide / 2, y), (x - self.wide / 2, y)]
                self._line(f"n{source.index}", name, points, "state", min(edges), edges)


def _gap_words(column: Column) -> tuple[tuple[str, str], ...]:
    count = column.last - column.first + 1
    span = f"{column.first} … {column.last}" if count > 1 else str(column.first)
    words = span, f"{count:,} steps" if count > 1 else "one step", "not drawn"
    return tuple((f"elided-{k}", text) for k, text in enumerate(words))
