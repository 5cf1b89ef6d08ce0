"""Where everything stands: time runs left to right, one column a step; within a step data runs upwards.

No layout engine is asked: positions follow from what is read by what. Lines run in lanes of their own. Between two
rows, those that stay in the step; between two columns, those that go from step to step; below all columns, those
that tie copies to their weight; above, those that go to the sum of the costs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

from .rows import BESIDE, LEFT, RIGHT, WIRE, Part, Step, merged, step
from .scene import Box, Frame, Line, Point

TRACK = 9.0  # between lines that run side by side
PAD = 16.0  # between a frame and what is in it
STUB = 7.0  # how far a line runs straight out of a box
SIDE = 14.0  # between lines that end at the left or right side of a box

SHARED, END = -1, -2  # the columns of what all steps share, and of what comes after all steps


@dataclass(slots=True)
class Item:
    """A box that wants a place.

    Attributes
    ----------
    beside : bool
        Whether it stands beside what reads it.
    first : bool
        Whether it is an input, at the bottom of its step.
    like : str
        The id of the box in the next column whose row it shares, as s(0) does that of s(1).
    below : int
        So many rows lower.
    """

    id: str
    name: str
    width: float
    height: float
    kind: str
    numbers: tuple[tuple[str, str], ...] = ()
    tooltip: str = ""
    beside: bool = False
    first: bool = False
    like: str = ""
    below: int = 0
    fill: str = ""
    border: str = ""
    ink: str = ""


@dataclass(slots=True)
class Edge:
    """A line that wants a way.

    Attributes
    ----------
    like : str
        The box whose height a line out of an elided column keeps.
    again : int
        How many arguments before this one are the same node, as in ``x * x``.
    """

    id: str
    source: str
    target: str
    kind: str = "data"
    color: str = ""
    like: str = ""
    again: int = 0


@dataclass(slots=True)
class Column:
    """What stands in one time step, in the order of recording; an elided one has a single box, as tall as the rest."""

    id: str
    title: str
    items: list[Item]
    elided: bool = False


@dataclass
class Placed:
    """Boxes, lines and frames in their places."""

    boxes: dict[str, Box] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)


def place(
    columns: Sequence[Column], edges: Sequence[Edge], shared: Sequence[Item] = (), end: Sequence[Item] = ()
) -> Placed:
    """Find a place for every box and a way for every line.

    Parameters
    ----------
    columns : sequence of Column
        The steps from left to right; the first one is that of the initial states, and may be empty.
    edges : sequence of Edge
        Who is read by whom; in the order of a reader's arguments.
    shared : sequence of Item
        What all steps share: the weights.
    end : sequence of Item
        What comes after all steps, as the sum of the costs.
    """
    return _Layout(columns, edges, shared, end).placed


class _Rows:
    """The heights of rows that several steps have in common."""

    def __init__(self, steps: Iterable[Step], ties: dict[int, int], bottom: float = 0.0) -> None:
        half: dict[int, float] = {}
        ins: dict[int, float] = {}
        outs: dict[int, float] = {}
        spans: dict[int, float] = {}
        for s in steps:
            for k in s.x:
                merged(half, {s.row[k]: s.half_height(k)})
            merged(ins, {row: len(found) for row, found in s.track_in.items()})
            merged(outs, {row: len(found) for row, found in s.track_out.items()})
            for r, row in enumerate(s.order):
                for spot in row:
                    x = s.lane[spot[1], r] if spot[0] == "lane" else s.x[spot[1]]
                    ends = [s.lane[k, r + 1] if kind == "lane" else s.x[k] for kind, k in s._up[r].get(spot, [])]
                    merged(spans, {r: max((abs(x - e) for e in ends), default=0.0)})
        self.count = 1 + max(half, default=0)
        self.half = [half.get(r, 26.0) for r in range(self.count)]
        self.ins = [int(ins.get(r, 0)) + ties.get(r, 0) for r in range(self.count)]
        self.outs = [int(outs.get(r, 0)) for r in range(self.count)]
        self.y: list[float] = []
        y = bottom
        for r in range(self.count):
            if r:
                between = min(64.0, max(36.0, 0.2 * spans.get(r - 1, 0.0)))
                y += self.half[r - 1] + TRACK * (self.outs[r - 1] + self.ins[r]) + between + self.half[r]
            else:
                y += self.half[0]
            self.y.append(y)

    def floor(self, r: int) -> float:
        """The lower edge of a row's boxes."""
        return self.y[r] - self.half[r]

    def ceiling(self, r: int) -> float:
        """The upper edge of a row's boxes."""
        return self.y[r] + self.half[r]

    def track_in(self, r: int, number: int) -> float:
        """A line's height below a row."""
        return self.floor(r) - 10 - TRACK * number

    def track_out(self, r: int, number: int) -> float:
        """A line's height above a row."""
        return self.ceiling(r) + 10 + TRACK * number


class _Layout:
    def __init__(
        self, columns: Sequence[Column], edges: Sequence[Edge], shared: Sequence[Item], end: Sequence[Item]
    ) -> None:
        self.columns, self.edges, self.shared, self.end = columns, edges, shared, end
        self.placed = Placed()
        self.item: dict[str, Item] = {}
        self.where: dict[str, tuple[int, int]] = {}  # column and place in it
        members: list[tuple[int, Sequence[Item]]] = [(SHARED, shared), (END, end)]
        members += [(c, column.items) for c, column in enumerate(columns)]
        for c, items in members:
            for k, item in enumerate(items):
                self.item[item.id], self.where[item.id] = item, (c, k)
        self._look_at_edges()
        self.steps: dict[int, Step] = {}
        self._place_steps()
        self._heights()
        self._gutters()
        self._widths()
        self._boxes()
        self._frames()
        for edge in edges:
            points = self._way(edge)
            self.placed.lines.append(Line(edge.id, edge.source, edge.target, _straight(points), edge.kind, edge.color))

    # ---- what is read by what

    def _look_at_edges(self) -> None:
        self.reads: dict[str, list[str]] = defaultdict(list)  # within a column
        self.slot: dict[str, int] = {}  # by edge, the number of the argument among those of the same column
        self.enter: dict[str, list[int]] = defaultdict(list)
        self.leave: dict[str, set[int]] = defaultdict(set)
        self.up: set[str] = set()
        self.sources: dict[tuple[str, int], list[str]] = defaultdict(list)  # what enters a box at a side
        self.crossing: dict[int, set[str]] = defaultdict(set)  # by gutter, the sources of the lines in it
        self.ties: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))  # column, weight: targets
        self.far: list[str] = []  # sources of lines that pass above columns
        for e in self.edges:
            a, b = self.where[e.source][0], self.where[e.target][0]
            if a == b:
                self.slot[e.id] = len(self.reads[e.target])
                self.reads[e.target].append(e.source)
            elif a == SHARED:
                if not self.item[e.target].beside:
                    self._enters(e, RIGHT)
                if e.target not in self.ties[b][e.source]:
                    self.ties[b][e.source].append(e.target)
            elif b == END:
                self.up.add(e.source)
                self._enters(e, LEFT)
            elif a == END:
                self.leave[e.source].add(LEFT)
                self._enters(e, LEFT)
                self.crossing[b].add(_net(e))
            else:
                side = RIGHT if b > a or abs(b - a) > 1 else LEFT
                self.leave[e.source].add(side)
                self._enters(e, RIGHT if b == a - 1 else LEFT)
                if abs(b - a) > 1:
                    self.crossing[a + 1].add(_net(e))
                    self.crossing[b].add(_net(e))
                    if _net(e) not in self.far:
                        self.far.append(_net(e))
                else:
                    self.crossing[max(a, b)].add(_net(e))

    def _enters(self, e: Edge, side: int) -> None:
        if self._run(e) not in self.sources[e.target, side]:
            self.sources[e.target, side].append(self._run(e))
            self.enter[e.target].append(side)

    def _run(self, e: Edge) -> str:
        """What a line runs into its box together with: the terms of a sum over time come in as one line."""
        above = self.where[e.target][0] == END and self.where[e.source][0] != SHARED
        return "above" if above else f"{_net(e)}#{e.again}"

    # ---- steps

    def _place_steps(self) -> None:
        """Place the parts of each step; steps that are alike share their places."""
        kinds: dict[Any, list[int]] = defaultdict(list)
        local: dict[int, list[tuple[int, ...]]] = {}
        for c in [*range(1, len(self.columns)), END, 0]:  # the initial states last: their rows are those of others
            items = self.end if c == END else self.columns[c].items
            local[c] = [tuple(self.where[p][1] for p in self.reads[item.id]) for item in items]
            if items and not (c >= 0 and self.columns[c].elided):
                shape = tuple((reads, i.beside, i.first) for reads, i in zip(local[c], items, strict=True))
                kinds[min(c, 1), shape].append(c)
        for alike in kinds.values():
            self._place_alike(alike, local[alike[0]])

    def _place_alike(self, alike: list[int], reads: list[tuple[int, ...]]) -> None:
        members = [self.end if c == END else self.columns[c].items for c in alike]
        parts = []
        for k, same in enumerate(zip(*members, strict=True)):
            ids = [item.id for item in same]
            rows = [max(0, self._row_of(item.like) - item.below) for item in same if item.like]
            most: list[int] = max([self.enter.get(i, []) for i in ids], key=len)
            parts.append(
                Part(
                    max(item.width for item in same),
                    max(item.height for item in same),
                    reads[k],
                    same[0].beside,
                    same[0].first,
                    rows[0] if rows else None,
                    tuple(sorted(most)),
                    tuple(sorted(set().union(*(self.leave[i] for i in ids if i in self.leave)))),
                    any(i in self.up for i in ids),
                )
            )
        placed = step(tuple(parts))
        for c in alike:
            self.steps[c] = placed

    def _row_of(self, like: str) -> int:
        c, k = self.where[like]
        return self.steps[c].row[k]

    # ---- heights

    def _heights(self) -> None:
        # Ties to stacks that do not stand at the right of their row run below it.
        self.tie_track: dict[tuple[int, str], int] = {}
        needed: dict[int, int] = {}
        end_needed: dict[int, int] = {}
        for c, ties in self.ties.items():
            if c not in self.steps:
                continue
            counted: dict[int, int] = defaultdict(int)
            for targets in ties.values():
                for target in targets:
                    s, k = self.steps[c], self.where[target][1]
                    if self.item[target].beside and not self._open(s, k):
                        row = s.row[k]
                        self.tie_track[c, target] = len(s.track_in[row]) + counted[row]
                        counted[row] += 1
            merged(end_needed if c == END else needed, counted)  # type: ignore[arg-type]
        self.rows = _Rows([s for c, s in self.steps.items() if c != END], needed)
        last = self.rows.count - 1
        self.top = self.rows.ceiling(last) + TRACK * self.rows.outs[last] + 34
        base = self.top + 28 + 10 * len(self.far)
        self.end_rows = _Rows([self.steps[END]] if END in self.steps else [], end_needed, base)

    @staticmethod
    def _open(s: Step, k: int) -> bool:
        """Whether no box stands to the right of a part that stands beside another."""
        host = s.host.get(k)
        if host is None:
            return s.alone(k, RIGHT)
        row = s.order[s.row[host]]
        return not any(kind == "box" for kind, _ in row[row.index(("box", host)) + 1 :])

    def _rows_of(self, c: int) -> _Rows:
        return self.end_rows if c == END else self.rows

    def _y(self, name: str) -> float:
        c, k = self.where[name]
        if c not in self.steps:
            return (self.rows.y[0] + self.rows.y[-1]) / 2
        s = self.steps[c]
        return self._rows_of(c).y[s.row[k]] + s.lift[k]

    # ---- from column to column

    def _gutters(self) -> None:
        """The order of the lines between two columns: that in which they cross least."""
        self.track: dict[tuple[int, str], int] = {}
        known: dict[object, tuple[int, ...]] = {}
        for g, nets in self.crossing.items():
            spans = {net: ([], []) for net in sorted(nets, key=self._order)}  # type: ignore[var-annotated]
            for e in self.edges_in[g]:
                out, into = self._exit_height(e), self._entry_height(e)
                spans[_net(e)][0 if self.where[e.source][0] < g or self.where[e.source][0] == END else 1].append(out)
                spans[_net(e)][1 if self.where[e.target][0] >= g else 0].append(into)
            key = tuple((tuple(sorted(set(a))), tuple(sorted(set(b)))) for a, b in spans.values())
            if key not in known:
                known[key] = _fewest_crossings(key)
            for net, place in zip(spans, known[key], strict=True):
                self.track[g, net] = place

    @property
    def edges_in(self) -> dict[int, list[Edge]]:
        """The lines in each gutter."""
        if not hasattr(self, "_edges_in"):
            found: dict[int, list[Edge]] = defaultdict(list)
            for e in self.edges:
                a, b = self.where[e.source][0], self.where[e.target][0]
                if a == b or SHARED in (a, b) or b == END:
                    continue
                if a == END or abs(a - b) == 1:
                    found[b if a == END else max(a, b)].append(e)
                else:
                    found[a + 1].append(e)
                    found[b].append(e)
            self._edges_in = found
        return self._edges_in

    def _order(self, net: str) -> tuple[int, int]:
        return self.where[net.partition("|")[0]]

    def _exit_height(self, e: Edge) -> float:
        a, b = self.where[e.source][0], self.where[e.target][0]
        return self._exit(e.like or e.source, LEFT if a == END or b == a - 1 else RIGHT)[1]

    def _entry_height(self, e: Edge) -> float:
        if self._elided(self.where[e.target][0]):
            return self._exit_height(e)
        return self._entry(e)[1]

    def _elided(self, c: int) -> bool:
        return c >= 0 and self.columns[c].elided

    def _exit(self, name: str, side: int) -> tuple[list[tuple[float, float]], float]:
        """The way of a line out of a box to the side of its column, from x = 0 of its column, and its height there."""
        c, k = self.where[name]
        if c not in self.steps:
            return [], self._y(name)
        s, rows, y = self.steps[c], self._rows_of(c), self._y(name)
        edge = s.x[k] + side * s.parts[k].width / 2
        if s.alone(k, side):
            return [(edge, y)], y
        row = s.row[k]
        if k in s.host:  # past its stack, above the row
            track = rows.track_out(row, len(s.track_out[row]))
            x, y = s.wire[k] + BESIDE, y + 2 * BESIDE
            return [(s.x[k] + s.parts[k].width / 2, y), (x, y), (x, track)], track
        if (k, side) not in s.track_out[row]:
            track = rows.track_out(row, len(s.track_out[row]))
            return [(s.x[k], y + s.parts[k].height / 2), (s.x[k], track)], track
        track, x = rows.track_out(row, s.track_out[row].index((k, side))), s.side_out[k, side]
        return [(x, y + s.parts[k].height / 2), (x, track)], track

    def _entry(self, e: Edge) -> tuple[list[tuple[float, float]], float]:
        """The way of a line from the side of a column into a box, and its height at that side."""
        name = e.target
        c, k = self.where[name]
        a = self.where[e.source][0]
        side = RIGHT if a == SHARED or (c != END and a == c + 1) else LEFT
        s, rows, y = self.steps[c], self._rows_of(c), self._y(name)
        nets = self.sources[name, side]
        if s.alone(k, side):
            number = nets.index(self._run(e))
            dy = SIDE * ((len(nets) - 1) / 2 - number)
            room = s.parts[k].height - 12
            if len(nets) > 1:
                dy *= min(1.0, room / (SIDE * (len(nets) - 1)))
            if self._line_passes(c, s.row[k], side, _net(e), name):
                # Lines from the left give way downwards, lines from the right upwards: so they do not meet either.
                dy += side * (0.0 if len(nets) % 2 == 0 else SIDE / 2 if len(nets) > 1 else SIDE * 0.8)
                dy = min(max(dy, -s.parts[k].height / 2 + 4), s.parts[k].height / 2 - 4)
            if abs(dy) < 0.5:
                dy = 0.0
            return [(s.x[k] + side * s.parts[k].width / 2, y + dy)], y + dy
        row = s.row[k]
        number = nets.index(self._run(e))
        track, x = rows.track_in(row, s.track_in[row].index((k, side, number))), s.side_in[k, side, number]
        return [(x, track), (x, y - s.parts[k].height / 2)], track

    def _line_passes(self, c: int, row: int, side: int, net: str, name: str) -> bool:
        """Whether another line runs straight out at the height of this row, where a line is to come in."""
        if c == END:
            return False
        if side in self.leave.get(name, ()):
            return True
        beside = c + side
        if beside not in self.steps or beside == END:
            return False
        s = self.steps[beside]
        items = self.columns[beside].items
        return any(
            s.row[k] == row and -side in self.leave.get(items[k].id, ()) and s.alone(k, -side) and items[k].id != net
            for k in s.x
            if k not in s.host
        )

    # ---- widths

    def _widths(self) -> None:
        self.origin: dict[int, float] = {}
        self.frame_x: dict[int, tuple[float, float]] = {}
        self.tie_wire: dict[tuple[int, str], float] = {}
        x = 0.0
        for c, column in enumerate(self.columns):
            ties = self.ties.get(c, {})
            if c:
                x += 26 + 10 * len(self.crossing.get(c, ()))
            if column.elided:
                width = max([column.items[0].width, 8.0 * len(ties) + 20])
                self.origin[c] = x + width / 2
                for n, weight in enumerate(ties):
                    self.tie_wire[c, weight] = self.origin[c] + 8 * (n - (len(ties) - 1) / 2)
                self.frame_x[c] = x, x + width
                x += width
                continue
            if c not in self.steps:
                self.origin[c] = x
                self.frame_x[c] = x, x
                continue
            left, right = self.steps[c].bounds
            pad = PAD if column.title else 0
            self.origin[c] = x + pad - left
            inner = self.origin[c] + right
            self._tie_wires(c, inner + 8)
            self.frame_x[c] = x, inner + 8 + WIRE * len(ties) + (8 if column.title else 0)
            x = self.frame_x[c][1]
        if END in self.steps:
            left, right = self.steps[END].bounds
            last = max((self._lane_top(name) for name in self.up), default=0.0)
            self.origin[END] = max(last + 34, x - (right - left)) - left
            self._tie_wires(END, max(self.origin[END] + right, x) + 8)

    def _tie_wires(self, c: int, x: float) -> None:
        ties = self.ties.get(c, {})
        lowest = sorted(ties, key=lambda weight: min(self._y(target) for target in ties[weight]))
        for n, weight in enumerate(lowest):
            self.tie_wire[c, weight] = x + WIRE * n

    def _lane_top(self, name: str) -> float:
        """Where a line leaves the top of its column."""
        c, k = self.where[name]
        if c not in self.steps:
            return self.origin.get(c, 0.0)
        s = self.steps[c]
        if s.row[k] == s.height - 1:
            return self.origin[c] + (s.wire[k] + BESIDE if k in s.host else s.out[k, ("lane", k)])
        return self.origin[c] + s.lane[k, s.height - 1]

    # ---- boxes and frames

    def _boxes(self) -> None:
        left = self.frame_x[0][0]
        bottom = self.rows.floor(0) - TRACK * self.rows.ins[0] - 14
        self.bottom = bottom
        for c, column in [*enumerate(self.columns), (END, None)]:
            items = self.end if column is None else column.items
            for k, item in enumerate(items):
                if column is not None and column.elided:
                    low, high = self._between_tracks()
                    x, y, height = self.origin[c], (low + high) / 2, high - low
                    self._box(item, x, y, self.frame_x[c][1] - self.frame_x[c][0], height)
                    continue
                s = self.steps[c]
                self._box(item, self.origin[c] + s.x[k], self._y(item.id), s.parts[k].width, item.height)
        y = bottom - 52
        widest = max((item.width for item in self.shared), default=0.0)
        for item in self.shared:
            y -= item.height / 2
            self._box(item, left + 10 + widest / 2, y, widest, item.height)
            y -= item.height / 2 + 7

    def _box(self, item: Item, x: float, y: float, width: float, height: float) -> None:
        look = item.fill, item.border, item.ink
        self.placed.boxes[item.id] = Box(
            item.id, item.name, x, y, width, height, item.kind, item.numbers, item.tooltip, *look
        )

    def _between_tracks(self) -> tuple[float, float]:
        """The heights between which all lines from step to step run."""
        rows, last = self.rows, self.rows.count - 1
        below = rows.track_in(0, rows.ins[0]) if rows.ins[0] else rows.floor(0)
        return below, rows.track_out(last, rows.outs[last]) if rows.outs[last] else rows.ceiling(last)

    def _frames(self) -> None:
        boxes, frames = self.placed.boxes, self.placed.frames
        for c, column in enumerate(self.columns):
            if column.title and not column.elided:
                left, right = self.frame_x[c]
                names = tuple(item.id for item in column.items)
                at = self._free(c, left, right, 3.2 * len(column.title) + 4)
                frames.append(Frame(column.id, column.title, left, self.bottom, right, self.top, names, at))
        weights = [boxes[item.id] for item in self.shared if item.kind == "weight"]
        if weights:
            frames.append(
                Frame(
                    "weights",
                    "one set of weights",
                    min(b.left[0] for b in weights) - 12,
                    min(b.bottom[1] for b in weights) - 12,
                    max(b.right[0] for b in weights) + 12,
                    max(b.top[1] for b in weights) + 26,
                    tuple(b.id for b in weights),
                    sum(b.x for b in weights) / len(weights),
                )
            )

    def _free(self, c: int, left: float, right: float, half: float) -> float:
        """Where a title can stand that no line to the sum of the costs runs through; in the middle, if it can."""
        lines = [self._lane_top(item.id) for item in self.columns[c].items if item.id in self.up]
        middle = (left + right) / 2
        places = [
            middle,
            left + half + 10,
            *(x + side * (half + 6) for x in lines for side in (-1, 1)),
            right - half - 10,
        ]
        return next((x for x in places if all(abs(x - line) > half + 4 for line in lines)), middle)

    # ---- ways

    def _way(self, e: Edge) -> list[Point]:
        a, b = self.where[e.source][0], self.where[e.target][0]
        if a == b:
            return self._within(e)
        if a == SHARED:
            return self._tie(e)
        if b == END:
            return self._upwards(e)
        return self._across(e)

    def _within(self, e: Edge) -> list[Point]:
        (c, u), (_, v) = self.where[e.source], self.where[e.target]
        s, rows, x0 = self.steps[c], self._rows_of(c), self.origin[c]
        a, b = self.placed.boxes[e.source], self.placed.boxes[e.target]
        slot = self.slot[e.id]
        twice = 8.0 * s.parts[v].reads[:slot].count(u)
        if s.host.get(u) == v:
            return [(a.left[0], a.y + twice), (b.right[0], _port(a, b) + twice)]
        port, row, goal = x0 + s.into.get((v, slot), s.x[v]), s.row[u], s.row[v]
        if v in s.host:  # it stands beside another: in at its left side, from below
            port = b.left[0] - 10
        points: list[Point] = []
        if u in s.host:
            wire, y = x0 + s.wire[u] + BESIDE, a.y + 2 * BESIDE
            points += [(a.right[0], y), (wire, y)]
            if row == goal:
                track = rows.track_in(row, 0)
                return [*points, (wire, track), (port, track), b.bottom if v in s.host else (port, b.bottom[1])]
            points.append((wire, rows.ceiling(row)))
        else:
            nearest = ("box", v) if goal == row + 1 and v not in s.host else s.spot(u, row + 1)
            x = x0 + s.out.get((u, nearest), s.x[u])
            points += [(x, a.top[1]), (x, rows.ceiling(row))]
        x = points[-1][0]
        for r in range(row, goal):
            high = rows.ceiling(r) + TRACK * rows.outs[r] + STUB
            low = rows.floor(r + 1) - TRACK * rows.ins[r + 1] - STUB - 4
            nxt = port if r + 1 == goal else x0 + s.lane[u, r + 1]
            points += [(x, high), (nxt, low)]
            if r + 1 < goal:
                points += [(nxt, rows.ceiling(r + 1))]
            x = nxt
        if v in s.host:
            return [*points, (port, b.y), b.left]
        return [*points, (port, b.bottom[1])]

    def _tie(self, e: Edge) -> list[Point]:
        """From the weight along its rail, then up at the right of the step, into the copy."""
        a, b = self.placed.boxes[e.source], self.placed.boxes[e.target]
        c, k = self.where[e.target]
        wire = self.tie_wire[c, e.source]
        if self._elided(c):
            return [a.right, (wire, a.y), (wire, b.bottom[1])]
        start = [a.right, (wire, a.y)]
        s, x0 = self.steps[c], self.origin[c]
        if not self.item[e.target].beside:
            way, y = self._entry(e)
            return [*start, (wire, y), *((x0 + x, at) for x, at in way)]
        if (c, e.target) not in self.tie_track:
            return [*start, (wire, b.y), b.right]
        track = self._rows_of(c).track_in(s.row[k], self.tie_track[c, e.target])
        beside = x0 + s.wire.get(k, s.x[k])
        return [*start, (wire, track), (beside, track), (beside, b.y), b.right]

    def _upwards(self, e: Edge) -> list[Point]:
        c, u = self.where[e.source]
        a = self.placed.boxes[e.source]
        way, y = self._entry(e)
        ends = [(self.origin[END] + x, at) for x, at in way]
        if self._elided(c) or c not in self.steps:
            return [a.top, (a.x, y), *ends]
        s, rows, x0 = self.steps[c], self._rows_of(c), self.origin[c]
        row = s.row[u]
        if u in s.host:
            x, y_out = x0 + s.wire[u] + BESIDE, a.y + 2 * BESIDE
            points = [(a.right[0], y_out), (x, y_out)]
        else:
            x = x0 + s.out[u, ("lane", u)]
            points = [(x, a.top[1])]
        points.append((x, rows.ceiling(row)))
        for r in range(row, s.height - 1):
            nxt = x0 + s.lane[u, r + 1]
            points += [
                (x, rows.ceiling(r) + TRACK * rows.outs[r] + STUB),
                (nxt, rows.floor(r + 1) - TRACK * rows.ins[r + 1] - STUB - 4),
                (nxt, rows.ceiling(r + 1)),
            ]
            x = nxt
        return [*points, (x, y), *ends]

    def _across(self, e: Edge) -> list[Point]:
        a, b = self.where[e.source][0], self.where[e.target][0]
        net = _net(e)
        out_side = LEFT if a == END or b == a - 1 else RIGHT
        way_out, y = self._exit(e.source, out_side)
        points: list[Point] = [(self.origin[a] + x, at) for x, at in way_out]
        if self._elided(a):
            y = self._exit_height(e)
            points = [(self.placed.boxes[e.source].x + out_side * self.placed.boxes[e.source].width / 2, y)]
        if abs(b - a) > 1 and a != END:
            first, rail = self._gutter_x(a + 1, net), self.top + 16 + 10 * self.far.index(net)
            points += [(first, y), (first, rail)]
            y = rail
        gutter = max(a, b) if abs(b - a) == 1 and a != END else b
        x = self._gutter_x(gutter, net)
        if self._elided(b):
            box = self.placed.boxes[e.target]
            if abs(b - a) > 1:  # from above
                return [*points, (x, y), (x, box.y), (box.x - out_side * box.width / 2, box.y)]
            return [*points, (box.x - out_side * box.width / 2, y)]
        if self.item[e.target].below and self._free_above(e.target, y):
            box = self.placed.boxes[e.target]
            return [*points, (box.x, y), box.top]
        way_in, y_in = self._entry(e)
        return [*points, (x, y), (x, y_in), *((self.origin[b] + at, up) for at, up in way_in)]

    def _free_above(self, name: str, y: float) -> bool:
        """Whether a line at this height comes to a box from above without meeting another one of its column."""
        here = self.where[name][0]
        boxes = [self.placed.boxes[item.id] for item in self.columns[here].items]
        return y > self.placed.boxes[name].top[1] + STUB and not any(abs(b.y - y) <= b.height / 2 + 2 for b in boxes)

    def _gutter_x(self, g: int, net: str) -> float:
        return self.frame_x[g][0] - 13 - 10 * (len(self.crossing[g]) - 1 - self.track[g, net])


def _net(e: Edge) -> str:
    """Lines that come from the same box run together."""
    return f"{e.source}|{e.like}" if e.like else e.source


def _port(a: Box, b: Box) -> float:
    """Where the line of what stands beside a box enters it: spread over the right side, in the order of the stack."""
    return b.y + max(-b.height / 2 + 8, min(b.height / 2 - 8, (a.y - b.y) * 0.4))


def _fewest_crossings(spans: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]) -> tuple[int, ...]:
    """Places for the lines between two columns, given the heights at which each comes in and goes out."""
    if len(spans) > 6:
        return tuple(range(len(spans)))

    def crossings(order: tuple[int, ...]) -> float:
        total = 0.0
        for one, (ins, outs) in enumerate(spans):
            low, high = min(ins + outs), max(ins + outs)
            for other, (their_ins, their_outs) in enumerate(spans):
                if one != other:
                    passing = their_ins if order[other] > order[one] else their_outs
                    total += sum(low < y < high for y in passing)
                    total += 5 * sum(y in (*outs,) for y in their_ins if order[other] > order[one])
        return total

    return min(permutations(range(len(spans))), key=crossings)


def _straight(points: Sequence[Point]) -> tuple[Point, ...]:
    """The points without those that lie on the way from one neighbour to the other."""
    kept: list[Point] = []
    for point in points:
        if kept and abs(kept[-1][0] - point[0]) < 0.05 and abs(kept[-1][1] - point[1]) < 0.05:
            continue
        while len(kept) > 1 and _between(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return tuple(kept)


def _between(a: Point, b: Point, c: Point) -> bool:
    (ax, ay), (bx, by), (cx, cy) = a, b, c
    turned = abs((bx - ax) * (cy - by) - (by - ay) * (cx - bx))
    return turned < 0.02 and (bx - ax) * (cx - bx) + (by - ay) * (cy - by) >= 0
