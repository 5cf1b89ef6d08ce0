"""How high everything stands: rows that steps have in common, with room between them for the lines that run there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from .rows import RIGHT, PlacedStep
from .steps import steps_of
from .traffic import Traffic
from .wanted import END

TRACK = 9.0  # between lines that run side by side


class Rows:
    """The heights of rows that several steps have in common."""

    def __init__(self, steps: Iterable[PlacedStep], ties: Mapping[int, float], bottom: float = 0.0) -> None:
        half: dict[int, float] = {}
        ins: dict[int, float] = {}
        outs: dict[int, float] = {}
        slants: dict[int, float] = {}
        for s in steps:
            for k in s.x:
                _keep_larger(half, {s.row[k]: s.half_height(k)})
            _keep_larger(ins, {row: len(found) for row, found in s.track_in.items()})
            _keep_larger(outs, {row: len(found) for row, found in s.track_out.items()})
            _keep_larger(slants, {row: s.slant(row) for row in range(s.height)})
        self.count = 1 + max(half, default=0)
        self.half = [half.get(r, 26.0) for r in range(self.count)]
        self.ins = [int(ins.get(r, 0) + ties.get(r, 0)) for r in range(self.count)]
        self.outs = [int(outs.get(r, 0)) for r in range(self.count)]
        self.y: list[float] = []
        y = bottom
        for r in range(self.count):
            if r:
                between = min(64.0, max(36.0, 0.2 * slants.get(r - 1, 0.0)))
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


class Heights:
    """The places within all steps, and how high their rows are.

    Attributes
    ----------
    steps : dict of int to PlacedStep
        The places within each column that has any.
    tie_track : dict of (int, str) to int
        The tracks of ties that cannot come straight from the right, by column and target.
    bottom, top : float
        Where the frames of the steps begin and end.
    """

    def __init__(self, traffic: Traffic) -> None:
        self.where, self.steps = traffic.where, steps_of(traffic)
        self.tie_track: dict[tuple[int, str], int] = {}
        needed: dict[int, float] = {}
        end_needed: dict[int, float] = {}
        for c, ties in traffic.ties.items():
            if c in self.steps:
                _keep_larger(end_needed if c == END else needed, self._ties_below(c, ties, traffic))
        self.rows = Rows([s for c, s in self.steps.items() if c != END], needed)
        last = self.rows.count - 1
        self.bottom = self.rows.floor(0) - TRACK * self.rows.ins[0] - 14
        self.top = self.rows.ceiling(last) + TRACK * self.rows.outs[last] + 34
        base = self.top + 28 + 10 * len(traffic.far)
        self.end_rows = Rows([self.steps[END]] if END in self.steps else [], end_needed, base)

    def _ties_below(self, c: int, ties: Mapping[str, Iterable[str]], traffic: Traffic) -> dict[int, int]:
        """Let ties to stacks that do not stand at the right of their row run below it: how many, by row."""
        counted: dict[int, int] = defaultdict(int)
        for targets in ties.values():
            for target in targets:
                s, k = self.steps[c], traffic.where[target][1]
                if traffic.item[target].beside and not s.alone(k, RIGHT):
                    row = s.row[k]
                    self.tie_track[c, target] = len(s.track_in[row]) + counted[row]
                    counted[row] += 1
        return counted

    def rows_of(self, c: int) -> Rows:
        """The rows that a column has part in."""
        return self.end_rows if c == END else self.rows

    def y(self, name: str) -> float:
        """The height of the middle of a box."""
        c, k = self.where[name]
        if c not in self.steps:
            return (self.rows.y[0] + self.rows.y[-1]) / 2
        s = self.steps[c]
        return self.rows_of(c).y[s.row[k]] + s.lift[k]

    def between_tracks(self) -> tuple[float, float]:
        """The heights between which all lines from step to step run."""
        rows, last = self.rows, self.rows.count - 1
        below = rows.track_in(0, rows.ins[0]) if rows.ins[0] else rows.floor(0)
        return below, rows.track_out(last, rows.outs[last]) if rows.outs[last] else rows.ceiling(last)


def _keep_larger(into: dict[int, float], values: Mapping[int, float]) -> None:
    for row, value in values.items():
        into[row] = max(into.get(row, 0.0), value)
