"""Doors of a column: how a line comes from its side into a box, and from a box to its side."""

from __future__ import annotations

from ..scene import Point
from .heights import Heights
from .rows import BESIDE, LEFT, RIGHT
from .traffic import Traffic
from .wanted import END, SHARED, Edge, Net

SIDE = 14.0  # between lines that end at the left or right side of a box


class Doors:
    """The ways between a box and the side of its column; x = 0 is that of the places in its step."""

    def __init__(self, traffic: Traffic, heights: Heights) -> None:
        self.traffic, self.heights, self.steps = traffic, heights, heights.steps

    def out(self, name: str, side: int) -> tuple[list[Point], float]:
        """The way of a line out of a box to the side of its column, from x = 0 of its column, and its height there."""
        c, k = self.traffic.where[name]
        if c not in self.steps:
            return [], self.heights.y(name)
        s, rows, y = self.steps[c], self.heights.rows_of(c), self.heights.y(name)
        edge = s.x[k] + side * s.parts[k].width / 2
        if s.alone(k, side):
            return [(edge, y)], y
        row = s.row[k]
        if k in s.host:  # past its stack, above the row
            track = rows.track_out(row, len(s.track_out[row]))
            x, y = s.wire[k] + BESIDE, y + 2 * BESIDE
            return [(s.x[k] + s.parts[k].width / 2, y), (x, y), (x, track)], track
        tracks = [*s.track_out[row], (k, side)]  # the last one is that of a line which has none of its own
        track, x = rows.track_out(row, tracks.index((k, side))), s.side_out.get((k, side), s.x[k])
        return [(x, y + s.parts[k].height / 2), (x, track)], track

    def into(self, e: Edge) -> tuple[list[Point], float]:
        """The way of a line from the side of a column into a box, and its height at that side."""
        name = e.target
        c, k = self.traffic.where[name]
        a, _ = self.traffic.ends(e)
        side = RIGHT if a == SHARED or (c != END and a == c + 1) else LEFT
        s, rows, y = self.steps[c], self.heights.rows_of(c), self.heights.y(name)
        nets = self.traffic.sources[name, side]
        if s.alone(k, side):
            number = nets.index(self.traffic.run(e))
            dy = SIDE * ((len(nets) - 1) / 2 - number)
            room = s.parts[k].height - 12
            if len(nets) > 1:
                dy *= min(1.0, room / (SIDE * (len(nets) - 1)))
            if self._line_passes(c, s.row[k], side, e.net, name):
                # Lines from the left give way downwards, lines from the right upwards: so they do not meet either.
                dy += side * (0.0 if len(nets) % 2 == 0 else SIDE / 2 if len(nets) > 1 else SIDE * 0.8)
                dy = min(max(dy, -s.parts[k].height / 2 + 4), s.parts[k].height / 2 - 4)
            if abs(dy) < 0.5:
                dy = 0.0
            return [(s.x[k] + side * s.parts[k].width / 2, y + dy)], y + dy
        row = s.row[k]
        number = nets.index(self.traffic.run(e))
        track, x = rows.track_in(row, s.track_in[row].index((k, side, number))), s.side_in[k, side, number]
        return [(x, track), (x, y - s.parts[k].height / 2)], track

    def _line_passes(self, c: int, row: int, side: int, net: Net, name: str) -> bool:
        """Whether another line runs straight out at the height of this row, where a line is to come in."""
        if c == END:
            return False
        leave = self.traffic.leave
        if side in leave.get(name, ()):
            return True
        beside = c + side
        if beside not in self.steps or beside == END:
            return False
        s = self.steps[beside]
        items = self.traffic.items(beside)
        return any(
            s.row[k] == row and -side in leave.get(items[k].id, ()) and s.alone(k, -side) and (items[k].id, "") != net
            for k in s.x
            if k not in s.host
        )

    def height_out(self, e: Edge) -> float:
        """Where a line leaves the side of its column, or of the one that its elided column stands for."""
        a, b = self.traffic.ends(e)
        return self.out(e.like or e.source, LEFT if a == END or b == a - 1 else RIGHT)[1]

    def height_in(self, e: Edge) -> float:
        """Where a line comes in at the side of its column; into an elided one it runs straight."""
        if self.traffic.elided(self.traffic.where[e.target][0]):
            return self.height_out(e)
        return self.into(e)[1]
