"""The way of each line, once all boxes are in their places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..scene import Box, Point
from .doors import Doors
from .heights import TRACK, Heights
from .rows import BESIDE, LEFT, RIGHT, Spot
from .traffic import Traffic
from .wanted import END, SHARED, Edge
from .widths import Widths

STUB = 7.0  # how far a line runs straight out of a box


class Ways:
    """Four kinds of ways: within a step, from a weight to its copy, up to the sum of the costs, from step to step."""

    def __init__(
        self, traffic: Traffic, heights: Heights, doors: Doors, widths: Widths, boxes: Mapping[str, Box]
    ) -> None:
        self.traffic, self.heights, self.doors, self.widths, self.boxes = traffic, heights, doors, widths, boxes

    def of(self, e: Edge) -> tuple[Point, ...]:
        """The points that a line runs along, from its source to its target."""
        return _straight(self._way(e))

    def _way(self, e: Edge) -> list[Point]:
        a, b = self.traffic.ends(e)
        if a == b:
            return self._within(e)
        if a == SHARED:
            return self._tie(e)
        if b == END:
            return self._upwards(e)
        return self._across(e)

    def _within(self, e: Edge) -> list[Point]:
        (c, u), (_, v) = self.traffic.where[e.source], self.traffic.where[e.target]
        s, rows, x0 = self.heights.steps[c], self.heights.rows_of(c), self.widths.origin[c]
        a, b = self.boxes[e.source], self.boxes[e.target]
        slot = self.traffic.slot[e.id]
        twice = 8.0 * s.parts[v].reads[:slot].count(u)
        if s.host.get(u) == v:
            return [(a.left[0], a.y + twice), (b.right[0], _port(a, b) + twice)]
        # What stands beside another box is entered at its left side, from below.
        port = b.left[0] - 10 if v in s.host else x0 + s.into.get((v, slot), s.x[v])
        row, goal = s.row[u], s.row[v]
        if row == goal:  # out of a stack
            *way, (x, _) = self._out_of(e.source, ("box", v))
            track = rows.track_in(row, 0)
            return [*way, (x, track), (port, track), b.bottom if v in s.host else (port, b.bottom[1])]
        way = self._out_of(e.source, ("box", v) if goal == row + 1 and v not in s.host else s.spot(u, row + 1))
        way += self._climb(e.source, way[-1][0], goal, port)
        return [*way, (port, b.y), b.left] if v in s.host else [*way, (port, b.bottom[1])]

    def _out_of(self, name: str, spot: Spot) -> list[Point]:
        """To the upper edge of a box's row: out of its top towards a spot, or past the stack that it stands in."""
        c, u = self.traffic.where[name]
        s, x0, a = self.heights.steps[c], self.widths.origin[c], self.boxes[name]
        ceiling = self.heights.rows_of(c).ceiling(s.row[u])
        if u in s.host:
            x, y = x0 + s.wire[u] + BESIDE, a.y + 2 * BESIDE
            return [(a.right[0], y), (x, y), (x, ceiling)]
        x = x0 + s.out.get((u, spot), s.x[u])
        return [(x, a.top[1]), (x, ceiling)]

    def _climb(self, name: str, x: float, goal: int, port: float | None = None) -> list[Point]:
        """From the upper edge of a box's row through its lanes, past the goal, or to a port below it."""
        c, u = self.traffic.where[name]
        s, rows, x0 = self.heights.steps[c], self.heights.rows_of(c), self.widths.origin[c]
        way: list[Point] = []
        for r in range(s.row[u] + 1, goal + 1):
            way.append((x, rows.ceiling(r - 1) + TRACK * rows.outs[r - 1] + STUB))
            x = port if port is not None and r == goal else x0 + s.lane[u, r]
            way += [(x, rows.floor(r) - TRACK * rows.ins[r] - STUB - 4), (x, rows.ceiling(r))]
        return way if port is None else way[:-1]

    def _tie(self, e: Edge) -> list[Point]:
        """From the weight along its rail, then up at the right of the step, into the copy."""
        a, b = self.boxes[e.source], self.boxes[e.target]
        c, k = self.traffic.where[e.target]
        wire = self.widths.tie_wire[c, e.source]
        if self.traffic.elided(c):
            return [a.right, (wire, a.y), (wire, b.bottom[1])]
        start = [a.right, (wire, a.y)]
        s, x0 = self.heights.steps[c], self.widths.origin[c]
        if not self.traffic.item[e.target].beside:
            way, y = self.doors.into(e)
            return [*start, (wire, y), *((x0 + x, at) for x, at in way)]
        if (c, e.target) not in self.heights.tie_track:
            return [*start, (wire, b.y), b.right]
        track = self.heights.rows_of(c).track_in(s.row[k], self.heights.tie_track[c, e.target])
        beside = x0 + s.wire.get(k, s.x[k])
        return [*start, (wire, track), (beside, track), (beside, b.y), b.right]

    def _upwards(self, e: Edge) -> list[Point]:
        c, u = self.traffic.where[e.source]
        a = self.boxes[e.source]
        way, y = self.doors.into(e)
        ends = [(self.widths.origin[END] + x, at) for x, at in way]
        if self.traffic.elided(c) or c not in self.heights.steps:
            return [a.top, (a.x, y), *ends]
        way_out = self._out_of(e.source, ("lane", u))
        way_out += self._climb(e.source, way_out[-1][0], self.heights.steps[c].height - 1)
        return [*way_out, (way_out[-1][0], y), *ends]

    def _across(self, e: Edge) -> list[Point]:
        a, b = self.traffic.ends(e)
        net = e.net
        out_side = LEFT if a == END or b == a - 1 else RIGHT
        way_out, y = self.doors.out(e.source, out_side)
        points: list[Point] = [(self.widths.origin[a] + x, at) for x, at in way_out]
        if self.traffic.elided(a):
            y = self.doors.height_out(e)
            points = [(self.boxes[e.source].x + out_side * self.boxes[e.source].width / 2, y)]
        if abs(b - a) > 1 and a != END:
            first, rail = self.widths.gutter_x(a + 1, net), self.heights.top + 16 + 10 * self.traffic.far.index(net)
            points += [(first, y), (first, rail)]
            y = rail
        gutter = max(a, b) if abs(b - a) == 1 and a != END else b
        x = self.widths.gutter_x(gutter, net)
        if self.traffic.elided(b):
            box = self.boxes[e.target]
            if abs(b - a) > 1:  # from above
                return [*points, (x, y), (x, box.y), (box.x - out_side * box.width / 2, box.y)]
            return [*points, (box.x - out_side * box.width / 2, y)]
        if self.traffic.item[e.target].below and self._free_above(e.target, y):
            box = self.boxes[e.target]
            return [*points, (box.x, y), box.top]
        way_in, y_in = self.doors.into(e)
        return [*points, (x, y), (x, y_in), *((self.widths.origin[b] + at, up) for at, up in way_in)]

    def _free_above(self, name: str, y: float) -> bool:
        """Whether a line at this height comes to a box from above without meeting another one of its column."""
        here = self.traffic.where[name][0]
        boxes = [self.boxes[item.id] for item in self.traffic.items(here)]
        return y > self.boxes[name].top[1] + STUB and not any(abs(b.y - y) <= b.height / 2 + 2 for b in boxes)


def _port(a: Box, b: Box) -> float:
    """Where the line of what stands beside a box enters it: spread over the right side, in the order of the stack."""
    return b.y + max(-b.height / 2 + 8, min(b.height / 2 - 8, (a.y - b.y) * 0.4))


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
