"""The network as textbooks unroll it: a column a step, states on one line, a matrix on the line that it stands for.

Source: Goodfellow, Bengio and Courville (2016), Deep Learning, Figure 10.3.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

from ..autodiff import Node
from ..unfold import Unfolded
from ..unfold.structure import flatten
from . import svg
from .layers import Layers, Slot
from .overlay import GREY, Overlay, Shares, Written
from .roads import Road, StepRoads
from .scene import BETWEEN, Box, Frame, Line, Point, Scene
from .unfolding import tooltip

READABLE, ENDS = 8, 3  # so many steps are all drawn; of more, so many at either end
TALL, SMALL = 26.0, 21.0  # the heights of a layer's box and of a matrix's
ROOM = 11.0  # for a line between two boxes
LANE = 7.0  # between lines side by side
WIRE = 9.0  # between upright lines past the boxes of a step
PORT = 6.0  # how far beside the middle of a box a second line comes in
LETTER, WORD = 7.5, 5.2  # the widths of a letter of a name and of a number


@dataclass(frozen=True)
class Stretch:
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
    columns : tuple of Stretch
        From left to right.
    begin, step : float
        Where the first column begins and how wide each is, in points.
    left, pitch : float
        The same, as parts of the width.
    width, height : float
        Of the whole, in points.
    boxes : mapping of str to str
        For each node of a step that is shown, the id of the box in which it is drawn: a layer's has all ops that lead
        to it, a matrix's copy its own, a bias's is that of its reader.
    """

    scene: Scene
    columns: tuple[Stretch, ...]
    begin: float
    step: float
    boxes: Mapping[str, str]

    @cached_property
    def _drawing(self) -> svg.Drawing:
        return svg.drawing(self.scene)

    @property
    def left(self) -> float:
        """As a part of the width."""
        return self.begin / self.width

    @property
    def pitch(self) -> float:
        """As a part of the width."""
        return self.step / self.width

    @property
    def width(self) -> float:
        """In points."""
        return self._drawing.width

    @property
    def height(self) -> float:
        """In points."""
        return self._drawing.height


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


def unrolled(net: Unfolded, overlay: Overlay, shown: Sequence[int], numbers: bool = False) -> Figure:
    """The picture of the time steps that are shown, with all numbers of the overlay or those that need no room."""
    if isinstance(overlay, Written) and not numbers:
        overlay = Overlay(overlay.captions, overlay.of)
    return _Unrolled(net, overlay, shown, numbers).figure()


class _Unrolled:
    """Finds a place for every box and a way for every line, and draws them."""

    def __init__(self, net: Unfolded, overlay: Overlay, shown: Sequence[int], numbers: bool) -> None:
        self.net, self.overlay, self.shown = net, overlay, shown
        self.made = Layers(net, overlay)
        self.first = self.made.layers(0)
        home = {node.index: node for node in self.first}
        home |= {p.index: s for s in self.first for p in s.parents if p.t == 0}
        self.columns = list(self._columns())
        self.column = {t: k + 1 for k, c in enumerate(self.columns) for t in range(c.first, c.last + 1)} | {0: 0}
        # What the first step of a gap reads is what the lines into the gap carry.
        self.gaps = {c.first: StepRoads(self.made, c.first, home) for c in self.columns if c.kind == "gap"}
        self.steps = {t: StepRoads(self.made, t, home) for t in shown}
        self.home, self.layers = home, [n for step in self.steps.values() for n in step.layers]
        self.made.look([*self.first, *self.layers], [way for step in self.steps.values() for way in step.ways])
        self.copies = [road.met[0] for step in self.steps.values() for road in step.roads if road.met]
        self.numbers = {n.index: self._numbers(n, numbers) for n in (*self.first, *self.layers, *self.copies)}
        reached = self.overlay.reached or ()
        self.lit = {layer.index: net.tape.nodes[k] for k, layer in home.items() if k in reached}
        self.boxes: dict[str, Box] = {}
        self.lines: dict[str, Line] = {}
        self.frames: list[Frame] = []
        self.again: Counter[str] = Counter()  # boxes of a copy, lines between two boxes
        self._find_rows()
        self._find_sizes()
        self._find_tracks()
        self._find_places()

    def _columns(self) -> Iterator[Stretch]:
        for a, b in pairwise((0, *self.shown, self.net.T + 1)):
            if b - a > 1:
                yield Stretch("gap", a + 1, b - 1)
            if b <= self.net.T:
                yield Stretch("t", b, b)

    # ---- rows

    def _find_rows(self) -> None:
        """Layers in the order of their recording, first as in the step that has most; the cost on top."""
        keys: list[tuple[str, int]] = []
        for step in sorted(self.steps.values(), key=lambda step: -len(step.layers)):
            after = len(keys)
            for key in reversed([self._key(n, step) for n in step.layers]):
                if key not in keys:
                    keys.insert(after, key)
                after = keys.index(key)
        self.row = {n.index: keys.index(self._key(n, step)) for step in self.steps.values() for n in step.layers}
        parts = flatten(self.net.states[0])
        for s in self.first:
            rows = [keys.index(("s", k)) for k, part in enumerate(parts) if part is s and ("s", k) in keys]
            self.row[s.index] = rows[0] if rows else 0
        self.top = len(keys) - 1
        self.highest = self.top - (("C", 0) in keys)  # but for the cost

    def _key(self, node: Node, step: StepRoads) -> tuple[str, int]:
        """What a layer is in every step: the input, a part of the state, the output, the cost, or a hidden layer."""
        if node is step.cost:
            return "C", 0
        if node is self.net.inputs[step.t - 1]:
            return "x", 0
        other = ("y", 0) if node is self.net.outputs[step.t - 1] else ("h", node.role)
        return next((("s", k) for k, part in enumerate(flatten(self.net.states[step.t])) if part is node), other)

    def _row(self, node: Node) -> int:
        """The row of a layer, also of one in a step that is left out."""
        if node.index in self.row:
            return self.row[node.index]
        parts = zip(flatten(self.net.states[node.t or 0]), flatten(self.net.states[self.shown[-1]]), strict=True)
        return next((self.row[like.index] for part, like in parts if part is node and like.index in self.row), 0)

    def _goals(self, road: Road) -> list[int]:
        """The rows that a road leads to."""
        return [self.row[target.index] for target in road.targets]

    def _standing(self, step: StepRoads) -> dict[int, list[Road]]:
        """The roads within a step, by the row from which they rise."""
        found: dict[int, list[Road]] = defaultdict(list)
        for road in step.roads:
            if road.source.t == step.t:
                found[self.row[road.source.index]].append(road)
        return found

    # ---- places

    def _find_sizes(self) -> None:
        """How large boxes are: layers as wide as the widest, rows as high as the highest."""
        self.words = {c.first: _gap_words(c) for c in self.columns if c.kind == "gap"}
        boxes = [*self.first, *self.layers]
        wide = [LETTER * len(str(n)) + 4 for n in boxes]
        wide += [WORD * len(text) + 8 for n in boxes for _, text in self.numbers[n.index]]
        wide += [WORD * len(text) + 8 for words in self.words.values() for _, text in words]
        small = [LETTER * len(str(n)) + 3 for n in self.copies]
        small += [WORD * len(text) + 6 for n in self.copies for _, text in self.numbers[n.index]]
        self.wide, self.small = max([42.0, *wide]), max([34.0, *small])
        self.low = SMALL + 12 * max((len(self.numbers[n.index]) for n in self.copies), default=0)
        self.tall: dict[int, float] = defaultdict(lambda: TALL)
        for n in boxes:
            row = self.row[n.index]
            self.tall[row] = max(self.tall[row], TALL + 12 * len(self.numbers[n.index]))

    def _find_tracks(self) -> None:
        """Which roads run on the row of their source, and in which lanes the others go past the boxes."""
        self.exits: dict[int, int] = {}  # rows whose lines leave them, each with its lane before the matrices
        self.entries: dict[int, int] = {}  # and rows that are come to from others, with theirs behind the matrices
        self.track: dict[tuple[int, int], tuple[int, float]] = {}  # by step and road: a row, and how far above it
        self.spare: dict[int, float] = defaultdict(lambda: 20.0)  # the height that is wanted above a row
        self.lanes, self.half = 0, self.wide / 2
        for step in self.steps.values():
            used: dict[int, float] = defaultdict(lambda: 8.0)
            straight = self._straight(step)
            for k, road in enumerate(step.roads):
                if road.source.t == step.t:
                    continue
                row, goals = self._row(road.source), self._goals(road)
                for goal in goals:
                    if straight.get(row) != k or goal != row:
                        self.entries.setdefault(goal, len(self.entries))
                if straight.get(row) != k:
                    self.exits.setdefault(row, len(self.exits))
                    below = row if all(goal >= row for goal in goals) else row - 1
                    height = self.low + 5 if road.met else LANE
                    self.track[step.t, k] = below, used[below] + height / 2
                    used[below] += height
            standing = self._standing(step)
            for row, roads in standing.items():
                matrix = self.low + ROOM if any(road.met for road in roads) else 0.0
                used[row] = max(used[row], matrix + ROOM * (1 + (len(roads) > 1)) - 4)
                self.half = max(self.half, sum(map(self._item_width, roads)) / 2)
            for row, height in used.items():
                self.spare[row] = max(self.spare[row], height + 4)
            past = sum(goal > row + 1 for row, roads in standing.items() for r in roads for goal in self._goals(r))
            self.lanes = max(self.lanes, past)

    def _straight(self, step: StepRoads) -> dict[int, int]:
        """By row, the road that runs straight on it to the same row: the first with a matrix, or else the first."""
        found: dict[int, int] = {}
        for k, road in enumerate(step.roads):
            row = self._row(road.source)
            next_to = self.column[step.t] - self.column[road.source.t or 0] == 1
            better = row not in found or (road.met and not step.roads[found[row]].met)
            if next_to and better and row in self._goals(road):
                found[row] = k
        return found

    def _item_width(self, road: Road) -> float:
        return self.small + 6 if road.met else 12.0

    def _find_places(self) -> None:
        """Where columns and rows stand. A column begins in the middle of the matrices before its boxes."""
        self.scissors = 0.0 if self.net.tape.through is None else 7.0  # the room on either side
        exits = 2 * self.scissors + (6 + LANE * len(self.exits) if self.exits else ROOM)
        entries = 10 + LANE * len(self.entries) if self.entries else ROOM
        between = any(road.met and road.source.t != t for t, step in self.steps.items() for road in step.roads)
        half = self.small / 2 if between else 4.0
        self.right = self.half + WIRE * self.lanes
        self.before, self.after = half + entries + self.half, self.right + exits + half
        self.pitch = self.before + self.after
        self.x = {0: WIRE * self.lanes} | {c.first: self.pitch * (k + 1) for k, c in enumerate(self.columns)}
        self.y: dict[int, float] = {}
        y = 0.0
        for row in range(self.top + 1):
            self.y[row] = y + self.tall[row] / 2
            y += self.tall[row] + self.spare[row]

    def _above(self, row: int) -> float:
        """The upper edge of a row's boxes."""
        return self.y[row] + self.tall[row] / 2

    # ---- what stands in boxes

    def _numbers(self, node: Node, all_: bool) -> tuple[tuple[str, str], ...]:
        """The lines below a name; if there is no room for all, a word of the caller's, and a copy's share."""
        every = all_ or (isinstance(self.overlay, Shares) and self.made.is_copy(node))
        return tuple((kind, text) for kind, text in self.overlay.numbers(node) if text and (every or kind == "caption"))

    def _layer(self, node: Node, x: float) -> None:
        kind = "leaf" if node.op is None else "cost" if node is self.net.losses[(node.t or 0) - 1] else "op"
        numbers = self.numbers[node.index]
        # An output gets no error where the cost reads what it was computed from; what stands in its box does.
        seen = node if node.index in (self.overlay.reached or ()) else self.lit.get(node.index, node)
        look = self.overlay.style(seen)
        place, size = (x, self.y[self._row(node)]), (self.wide, TALL + 12 * len(numbers))
        id = f"n{node.index}"
        self.boxes[id] = Box(id, str(node), *place, *size, kind, numbers, tooltip(node), *look)

    def _matrix(self, copy: Node, x: float, y: float) -> Box:
        id, again = f"n{copy.index}", self.again[f"n{copy.index}"]
        self.again[id] += 1
        id += f"x{again}" if again else ""
        fill, border, ink = self.overlay.style(copy)
        color, numbers = self.made.color[copy.parents[0].index], self.numbers[copy.index]
        look = fill, border or color, ink or color
        size = self.small, SMALL + 12 * len(numbers)
        self.boxes[id] = Box(id, str(copy), x, y, *size, "copy", numbers, tooltip(copy), *look)
        return self.boxes[id]

    # ---- drawing

    def figure(self) -> Figure:
        """All of it."""
        for node in self.first:
            self._layer(node, self.x[0])
        for column in self.columns:
            if column.kind == "gap":
                self._gap(column)
            else:
                self._step(self.steps[column.first])
        left_out = [f"{c.first} to {c.last}" for c in self.columns if c.kind == "gap"]
        missing = f" Time steps {' and '.join(left_out)} are left out." if left_out else ""
        boxes = tuple(self.boxes.values())
        lines = sorted(map(self.overlay.drawn, self.lines.values()), key=lambda line: line.color != GREY)
        scene = Scene(
            f"A recurrent network, unrolled over {self.net.T} time steps",
            "A column for each time step, from left to right: the input below, the state above it, output and cost on "
            "top. Each copy of a matrix stands on the line that it is multiplied on, from state to state between the "
            f"columns.{missing} {self.overlay.description}".rstrip(),
            boxes,
            tuple(lines),
            tuple(self.frames),
            BETWEEN.join(self.overlay.said(boxes, lines)),
            legend=self.overlay.legend,
        )
        begin = min([box.left[0] for box in self.boxes.values()] + [frame.left for frame in self.frames]) - svg.PAD
        drawn_in = {
            f"n{index}": f"n{layer.index}" for index, layer in self.home.items() if f"n{layer.index}" in self.boxes
        }
        drawn_in |= {f"n{index}": f"n{index}" for step in self.steps.values() for index in step.matrices}
        left = self.pitch - self.before - begin
        return Figure(scene, tuple(self.columns), left, self.pitch, drawn_in)

    def _step(self, step: StepRoads) -> None:
        x, t = self.x[step.t], step.t
        for node in step.layers:
            self._layer(node, x)
        inside = [*(f"n{node.index}" for node in step.layers), *self._within(step)]
        for k, road in enumerate(step.roads):
            if road.source.t != t:
                self._across(step, k, road)
        left, right, top = x - self.before + 1.5, x + self.after - 1.5, self._above(self.top) + 24
        self.frames.append(Frame(f"t{t}", f"t = {t}", left, -8, right, top, tuple(inside), x))

    def _line(self, source: str, target: str, points: Sequence[Point], kind: str, ends: Slot, edges: set[Slot]) -> None:
        id = f"w{source.removeprefix('n')}-{target.removeprefix('n')}"
        self.again[id] += 1
        id += f"_{self.again[id] - 1}" if self.again[id] > 1 else ""
        carries = tuple(f"{op}-{slot}" for op, slot in sorted(edges))
        self.lines[id] = Line(id, source, target, tuple(points), kind, carries=carries)
        self.made.ends[id] = self.net.tape.nodes[ends[0]], ends[1]

    def _stand(self, road: Road, source: str, at: list[Point], place: Point, kind: str) -> tuple[str, list[Point]]:
        """Put the matrix of a road at its place, if it has one: the last box on it, and the points where it goes on."""
        if road.met is None:
            return source, at
        box = self._matrix(road.met[0], *place)
        enter, leave = (box.bottom, box.top) if kind == "data" else (box.left, box.right)
        self._line(source, box.id, [*at, enter], f"{kind} stem", road.reader, self._of_source(road))
        return box.id, [leave]

    def _ends(self, road: Road) -> Slot:
        """What reads the matrix of a road; of a road without, its source."""
        return (road.met[1].index, road.met[2]) if road.met else road.reader

    def _of_source(self, road: Road) -> set[Slot]:
        """What reads the box that a road comes from."""
        nodes = self.net.tape.nodes
        return {e for e in road.edges if self.home.get(nodes[e[0]].parents[e[1]].index) is road.source}

    def _within(self, step: StepRoads) -> Iterator[str]:
        """The roads of a step, each upright if it leads to the next row, else past the boxes between, on the right.

        The boxes of their matrices are handed back.
        """
        lane, middle = 0, self.x[step.t]
        spread = min(1.0, (self.wide / 2 - 7) / max(1.0, self.half - 10))
        for row, roads in self._standing(step).items():
            roads.sort(key=lambda road: max(self._goals(road)))
            floor, roof = self._above(row), self.y[row + 1] - self.tall[row + 1] / 2
            x = middle - sum(map(self._item_width, roads)) / 2
            for k, road in enumerate(roads):
                x += self._item_width(road) / 2
                port = middle + (x - middle) * spread
                start: list[Point] = [(port, floor)] if port == x else [(port, floor), (x, floor + 9)]
                name, at = self._stand(road, f"n{road.source.index}", start, (x, (floor + roof) / 2), "data")
                if road.met:
                    yield name
                for target, edges in road.targets.items():
                    goal = self.row[target.index]
                    if goal == row + 1:
                        points = [*at, (port, roof)] if port == x else [*at, (x, roof - 9), (port, roof)]
                    else:
                        lane += 1
                        right, into = middle + self.half + WIRE * lane - 1, self.y[goal] - PORT
                        if not road.met:
                            out = [(port, floor), (port, floor + 4 + 4 * k)]
                        elif k == len(roads) - 1:
                            out = [self.boxes[name].right]
                        else:
                            out = [*at, (x, roof - 3 - 3 * k)]
                        points = [*out, (right, out[-1][1]), (right, into), (middle + self.wide / 2, into)]
                    self._line(name, f"n{target.index}", points, "data", self._ends(road), edges)
                x += self._item_width(road) / 2

    def _across(self, step: StepRoads, k: int, road: Road) -> None:
        """A road from an earlier step: on the row of its source, or on a track of its own between the columns."""
        column, x, row = self.column[road.source.t or 0], self.x[step.t], self._row(road.source)
        name = f"n{road.source.index}"
        if name not in self.boxes:
            name = f"gap{self.columns[column - 1].first}"
        y = high = self.y[row]
        at: list[Point] = [(self.boxes[name].right[0], y)]
        if (step.t, k) in self.track:
            below, above = self.track[step.t, k]
            high = self._above(below) + above
            lane = 2 + self.scissors + LANE * (self.exits[row] + 0.6)
            out = self.boxes[name].x + (self.right if column else self.half) + lane
            at.append((out, y))
            if self.column[step.t] - column > 1:  # past the columns between, just above their boxes
                over, out = self._above(row) + (3 if column % 2 else 6), x - self.pitch + self.right + lane + 3
                at += [(at[-1][0], over), (out, over)]
            at.append((out, high))
        name, at = self._stand(road, name, at, (x - self.before, high), "state")
        for target, edges in road.targets.items():
            goal = self.row[target.index]
            left, into = x - self.wide / 2, self.y[goal]
            points = [*at, (left, into)]
            if high != into:
                into += PORT if high > into else -PORT
                behind = x - self.half - 10 - LANE * self.entries[goal]
                points = [*at, (behind, high), (behind, into), (left, into)]
            self._line(name, f"n{target.index}", points, "state", self._ends(road), edges)

    def _gap(self, column: Stretch) -> None:
        """The box of the steps that are left out, and the lines into it."""
        low, high = self.y[0] - self.tall[0] / 2, self._above(self.highest)
        id, place = f"gap{column.first}", (self.x[column.first], (low + high) / 2, self.wide, high - low)
        what = f"time steps {column.first} to {column.last} are left out"
        gap = self.boxes[id] = Box(id, "…", *place, "elided", self.words[column.first], what)
        into: dict[Node, set[Slot]] = defaultdict(set)
        for road in self.gaps[column.first].roads:
            if road.source.t == column.first - 1:
                into[road.source] |= self._of_source(road)
        for source, edges in into.items():
            if edges:
                box = self.boxes[f"n{source.index}"]
                self._line(box.id, id, [box.right, (gap.left[0], box.y)], "state", min(edges), edges)


def _gap_words(column: Stretch) -> tuple[tuple[str, str], ...]:
    count = column.last - column.first + 1
    span = f"{column.first} … {column.last}" if count > 1 else str(column.first)
    words = span, f"{count:,} steps" if count > 1 else "one step", "not drawn"
    return tuple((f"elided-{k}", text) for k, text in enumerate(words))
