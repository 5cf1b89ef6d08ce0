"""Where columns begin and end, and the upright lines between them."""

from __future__ import annotations

from .doors import Doors
from .gutters import tracks
from .heights import Heights
from .rows import BESIDE, WIRE
from .traffic import Traffic
from .wanted import END, Net

PAD = 16.0  # between a frame and what is in it


class Widths:
    """The columns from left to right, with room for the lines between them.

    Attributes
    ----------
    origin : dict of int to float
        Where x = 0 of the places in its step is, for each column; the middle of an elided one.
    frame_x : dict of int to (float, float)
        The left and the right side of each column.
    tie_wire : dict of (int, str) to float
        Where a weight's line goes up at a column.
    """

    def __init__(self, traffic: Traffic, heights: Heights, doors: Doors) -> None:
        self.traffic, self.heights = traffic, heights
        self.track = tracks(traffic, doors)
        self.origin: dict[int, float] = {}
        self.frame_x: dict[int, tuple[float, float]] = {}
        self.tie_wire: dict[tuple[int, str], float] = {}
        x = 0.0
        for c, column in enumerate(traffic.columns):
            ties = traffic.ties.get(c, {})
            if c:
                x += 26 + 10 * len(traffic.crossing.get(c, ()))
            if column.elided:
                width = max([column.items[0].width, 8.0 * len(ties) + 20])
                self.origin[c] = x + width / 2
                for n, weight in enumerate(ties):
                    self.tie_wire[c, weight] = self.origin[c] + 8 * (n - (len(ties) - 1) / 2)
                self.frame_x[c] = x, x + width
                x += width
                continue
            if c not in heights.steps:
                self.origin[c] = x
                self.frame_x[c] = x, x
                continue
            left, right = heights.steps[c].bounds
            pad = PAD if column.title else 0
            self.origin[c] = x + pad - left
            inner = self.origin[c] + right
            self._tie_wires(c, inner + 8)
            self.frame_x[c] = x, inner + 8 + WIRE * len(ties) + (8 if column.title else 0)
            x = self.frame_x[c][1]
        if END in heights.steps:
            left, right = heights.steps[END].bounds
            last = max((self.lane_top(name) for name in traffic.up), default=0.0)
            self.origin[END] = max(last + 34, x - (right - left)) - left
            self._tie_wires(END, max(self.origin[END] + right, x) + 8)

    def _tie_wires(self, c: int, x: float) -> None:
        ties = self.traffic.ties.get(c, {})
        lowest = sorted(ties, key=lambda weight: min(self.heights.y(target) for target in ties[weight]))
        for n, weight in enumerate(lowest):
            self.tie_wire[c, weight] = x + WIRE * n

    def lane_top(self, name: str) -> float:
        """Where a line leaves the top of its column."""
        c, k = self.traffic.where[name]
        if c not in self.heights.steps:
            return self.origin.get(c, 0.0)
        s = self.heights.steps[c]
        if s.row[k] == s.height - 1:
            return self.origin[c] + (s.wire[k] + BESIDE if k in s.host else s.out[k, ("lane", k)])
        return self.origin[c] + s.lane[k, s.height - 1]

    def gutter_x(self, c: int, net: Net) -> float:
        """Where a net runs between a column and the one before it."""
        return self.frame_x[c][0] - 13 - 10 * (len(self.traffic.crossing[c]) - 1 - self.track[c, net])
