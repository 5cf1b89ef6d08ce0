"""One time step in rows: what stands above what, beside what, and where lines may pass between.

A node's row is the longest way to it within its step. A line that passes a row has a lane of its own there, which
takes part in the order and the places like a narrow box, so no line crosses a box. Rows are ordered so that few lines
cross, and places are chosen so that lines run straight up. Source: Sugiyama, Tagawa and Toda (1981), "Methods for
visual understanding of hierarchical system structures"; Gansner et al. (1993), "A technique for drawing directed
graphs", sections 2 to 4.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

GAP = 26.0  # between a box and what stands beside it
APART = 22.0  # between neighbours in a row
LANE = 14.0  # the room of a line that passes a row
PORT = 16.0  # between lines that end at one side of a box
STACKED = 5.0  # between boxes that stand beside the same one
WIRE = 8.0  # between the lines at the right of a stack
BESIDE = 4.0  # between the line that comes to a box in a stack and the one that leaves it

NARROW = 80.0

LEFT, RIGHT = -1, 1
Spot = tuple[str, int]  # ("box", part) or ("lane", the part that the line comes from)
# How far from the middle of a side a line would meet it, and where it is noted.
Want = tuple[float, dict[Any, float], Any]


@dataclass(frozen=True)
class StepPart:
    """A box in a step, as far as its place depends on it.

    Attributes
    ----------
    width, height : float
        Its size.
    reads : tuple of int
        The parts of the same step that it reads, in the order of its arguments.
    beside : bool
        Whether it stands beside the box that reads it, as a weight's copy does.
    first : bool
        Whether it is an input, at the bottom.
    row : int or None
        The row where it must stand.
    enter, leave : tuple of int
        The sides, LEFT or RIGHT, from which lines of other steps come, one for each line, and to which its own go.
    up : bool
        Whether it is read by what stands above all steps.
    """

    width: float
    height: float
    reads: tuple[int, ...] = ()
    beside: bool = False
    first: bool = False
    row: int | None = None
    enter: tuple[int, ...] = ()
    leave: tuple[int, ...] = ()
    up: bool = False


class PlacedStep:
    """The parts of a step in their places, around x = 0; y is a matter of all steps together.

    Attributes
    ----------
    row : dict of int to int
        The row of each part; those beside another are in its row.
    x : dict of int to float
        The middle of each part.
    lift : dict of int to float
        How far the middle of each part is above that of its row.
    lane : dict of (int, int) to float
        Where the line from a part passes a row.
    host : dict of int to int
        For a part that stands beside another, the other one.
    wire : dict of int to float
        For a part beside another, where a line runs past its stack, to or from its right side.
    """

    def __init__(self, parts: Sequence[StepPart]) -> None:
        self.parts = parts
        self.readers: dict[int, list[int]] = defaultdict(list)
        for k, part in enumerate(parts):
            for p in part.reads:
                self.readers[p].append(k)
        self.host: dict[int, int] = {}
        self.row = self._rows()
        self.stack: dict[int, list[int]] = defaultdict(list)
        for k, host in self.host.items():
            self.stack[host].append(k)
            self.row[k] = self.row[host]
        self.height = 1 + max(self.row.values(), default=0)
        self.order = self._lanes()
        self._links()
        self._sort()
        self._extents()
        self.x: dict[int, float] = {}
        self.lane: dict[tuple[int, int], float] = {}
        self.lift: dict[int, float] = defaultdict(float)
        self.wire: dict[int, float] = {}
        self._place()
        self._ports()

    # ---- rows

    def _rows(self) -> dict[int, int]:
        parts = self.parts
        row: dict[int, int] = {}
        main = [k for k, part in enumerate(parts) if not (part.beside and self.readers[k])]
        free = set()  # what no way from an input leads to: it may stand as high as its readers let it
        for k in main:
            part = parts[k]
            below = [row[p] for p in part.reads if p in row]
            row[k] = 1 + max(below, default=-1 if part.first or not (part.reads or part.enter) else 0)
            if part.row is not None:
                row[k] = part.row
            elif not part.first and all(p in free or p not in row for p in part.reads):
                free.add(k)
        for k in reversed(main):
            above = [row[r] for r in self.readers[k] if r in row]
            if k in free and above:
                row[k] = max(0, min(above) - 1)
        for k in range(len(parts)):
            if k not in row:
                hosts = [r for r in self.readers[k] if r in row]
                if hosts:
                    self.host[k] = min(hosts, key=lambda r: (row[r], r))
                else:  # read only by what itself stands beside something
                    row[k] = 0
        used = {r: n for n, r in enumerate(sorted(set(row.values())))}
        return row if any(p.row is not None for p in parts) else {k: used[r] for k, r in row.items()}

    def reach(self, k: int) -> int:
        """The highest row below which the line from a part must pass every row."""
        top = max((self.row[r] for r in self.readers[k] if self.host.get(k) != r), default=-1)
        return self.height if self.parts[k].up else top

    def _lanes(self) -> list[list[Spot]]:
        order: list[list[Spot]] = [[] for _ in range(self.height)]
        for k in range(len(self.parts)):
            for row in range(self.row[k] + 1, self.reach(k)):
                order[row].append(("lane", k))
        for k in self.row:
            if k not in self.host:
                order[self.row[k]].append(("box", k))
        return order

    def spot(self, k: int, row: int) -> Spot:
        """What stands in a row for the line from part k: its box, or that of its host, or its lane."""
        return ("box", self.host.get(k, k)) if row == self.row[k] else ("lane", k)

    def _links(self) -> None:
        """Which spots of the row above each spot is tied to by a line."""
        self._up: list[dict[Spot, list[Spot]]] = [defaultdict(list) for _ in range(self.height)]
        self._down: list[dict[Spot, list[Spot]]] = [defaultdict(list) for _ in range(self.height)]
        for k in range(len(self.parts)):
            for row in range(self.row[k], min(self.reach(k), self.height - 1)):
                below = self.spot(k, row)
                above = [("box", r) for r in self.readers[k] if self.row[r] == row + 1 and self.host.get(k) != r]
                if row + 1 < self.reach(k):
                    above.append(("lane", k))
                for spot in above:
                    self._up[row][below].append(spot)
                    self._down[row + 1][spot].append(below)

    # ---- order

    def _sort(self) -> None:
        starts = []
        for upwards in (True, False):
            rows = [list(row) for row in self.order]
            for _ in range(3):
                for r in range(self.height) if upwards else reversed(range(self.height)):
                    self._by_neighbours(rows, r, self._down if upwards else self._up, -1 if upwards else 1)
            starts.append(self._improved(rows))
        self.order = min(starts, key=self._cost)

    @staticmethod
    def _by_neighbours(rows: list[list[Spot]], r: int, links: list[dict[Spot, list[Spot]]], step: int) -> None:
        if not 0 <= r + step < len(rows):
            return
        place = {spot: k for k, spot in enumerate(rows[r + step])}
        now = {spot: k for k, spot in enumerate(rows[r])}

        def middle(spot: Spot) -> float:
            near = [place[n] for n in links[r][spot]]
            return sum(near) / len(near) if near else now[spot] * len(place) / max(1, len(now))

        rows[r].sort(key=lambda spot: (middle(spot), now[spot]))

    def _improved(self, rows: list[list[Spot]]) -> list[list[Spot]]:
        """Exchange neighbours as long as that helps."""
        for _ in range(12):
            better = False
            for r, row in enumerate(rows):
                for width in range(1, len(row)):
                    for k in range(len(row) - width):
                        before = self._row_cost(rows, r)
                        moved = row.pop(k + width)
                        row.insert(k, moved)
                        if self._row_cost(rows, r) < before - 1e-9:
                            better = True
                        else:
                            row.insert(k + width, row.pop(k))
            if not better:
                break
        return rows

    def _cost(self, rows: list[list[Spot]]) -> float:
        return sum(self._crossings(rows, r) + self._awkward(rows[r]) for r in range(len(rows)))

    def _row_cost(self, rows: list[list[Spot]], r: int) -> float:
        return self._crossings(rows, r - 1) + self._crossings(rows, r) + self._awkward(rows[r])

    def _crossings(self, rows: list[list[Spot]], r: int) -> int:
        """How many lines cross between row r and the one above."""
        if not 0 <= r < len(rows) - 1:
            return 0
        place = {spot: k for k, spot in enumerate(rows[r + 1])}
        ends = [[place[n] for n in self._up[r][spot]] for spot in rows[r]]
        return sum(a > b for k, left in enumerate(ends) for right in ends[k + 1 :] for a in left for b in right)

    def _awkward(self, row: Sequence[Spot]) -> float:
        """What stands in the way of the lines that come from other steps or go there."""
        total = 0.0
        for k, (kind, part) in enumerate(row):
            if kind == "lane":
                continue
            left, right = row[:k], row[k + 1 :]
            sides = {*self.parts[part].enter, *self.parts[part].leave}
            for side, others in ((LEFT, left), (RIGHT, right)):
                if side in sides:
                    total += sum(2.5 if other == "box" else 0.4 for other, _ in others)
            if self.stack.get(part):
                total += 1.2 * sum(other == "box" for other, _ in right) + 0.2 * len(right)
        return total

    def alone(self, k: int, side: int) -> bool:
        """Whether no box stands between a part and that side of the step."""
        row = self.order[self.row[k]]
        at = row.index(("box", self.host.get(k, k)))
        if side == LEFT:
            return k not in self.host and not any(kind == "box" for kind, _ in row[:at])
        return not self.stack.get(k) and not any(kind == "box" for kind, _ in row[at + 1 :])

    # ---- places

    def _extents(self) -> None:
        """How far each box reaches to the left and to the right of its middle, with what stands beside it."""
        self.left: dict[Spot, float] = {}
        self.right: dict[Spot, float] = {}
        for row in self.order:
            for kind, k in row:
                if kind == "lane":
                    self.left[kind, k] = self.right[kind, k] = LANE / 2
                    continue
                half = self.parts[k].width / 2
                stack = self.stack.get(k, [])
                widest = max((self.parts[s].width for s in stack), default=0.0)
                self.left[kind, k] = half
                self.right[kind, k] = half + (GAP + widest + 6 + WIRE * len(stack) if stack else 0)

    def _room(self, a: Spot, b: Spot) -> float:
        apart = APART if a[0] == b[0] == "box" else 8.0
        return self.right[a] + self.left[b] + apart

    def _place(self) -> None:
        at: list[dict[Spot, float]] = []
        for row in self.order:
            x, places = 0.0, {}
            for k, spot in enumerate(row):
                x += self._room(row[k - 1], spot) if k else 0
                places[spot] = x
            at.append({spot: v - x / 2 for spot, v in places.items()})
        for sweep in range(9):
            both = sweep == 8
            for r in range(self.height) if sweep % 2 == 0 else reversed(range(self.height)):
                links = ([self._down] if sweep % 2 == 0 or both else []) + ([self._up] if sweep % 2 or both else [])
                wanted = []
                for spot in self.order[r]:
                    near = []
                    for link in links:
                        for other in link[r][spot]:
                            # Boxes stand above each other first; a line that passes a row runs straight next.
                            weight = {"boxbox": 4, "lanelane": 6}.get(spot[0] + other[0], 1)
                            near.append((at[r + (1 if link is self._up else -1)][other], float(weight)))
                    wanted.append(near or [(at[r][spot], 0.1)])
                rooms = [self._room(a, b) for a, b in pairwise(self.order[r])]
                at[r] = dict(zip(self.order[r], spread(wanted, rooms), strict=True))
        for r, places in enumerate(at):
            for (kind, k), x in places.items():
                if kind == "lane":
                    self.lane[k, r] = x
                else:
                    self.x[k] = x
        for host, stack in self.stack.items():
            tall = sum(self.parts[k].height for k in stack) + STACKED * (len(stack) - 1)
            edge = self.x[host] + self.parts[host].width / 2 + GAP
            widest = max(self.parts[k].width for k in stack)
            for n, k in enumerate(stack):
                self.x[k] = edge + self.parts[k].width / 2
                self.lift[k] = tall / 2 - self.parts[k].height / 2
                tall -= 2 * (self.parts[k].height + STACKED)
                # The lowest one's line runs nearest to the stack, so that the lines do not cross.
                self.wire[k] = edge + widest + 8 + WIRE * (len(stack) - 1 - n)
        lefts = [self.x[k] - self.left["box", k] for k in self.x if k not in self.host]
        rights = [self.x[k] + self.right["box", k] for k in self.x if k not in self.host]
        lanes = list(self.lane.values())
        self.bounds = min([*lefts, *(x - 6 for x in lanes)]), max([*rights, *(x + 6 for x in lanes)])

    def slant(self, row: int) -> float:
        """How far the line that runs sideways most does so between a row and the one above it."""
        far = [0.0]
        for kind, k in self.order[row]:
            x = self.lane[k, row] if kind == "lane" else self.x[k]
            above = self._up[row].get((kind, k), [])
            far += [abs(x - (self.lane[n, row + 1] if to == "lane" else self.x[n])) for to, n in above]
        return max(far)

    def half_height(self, k: int) -> float:
        """Half the height of a box with what stands beside it."""
        stack = self.stack.get(k, [])
        tall = sum(self.parts[s].height + STACKED for s in stack) - STACKED
        return max(self.parts[k].height, tall) / 2

    # ---- ports

    def exit_x(self, k: int, row: int) -> float:
        """Where the line from part k passes a row, or leaves the box it comes from."""
        if row > self.row[k]:
            return self.lane[k, row]
        return self.wire[k] + BESIDE if k in self.host else self.x[k]

    def _ports(self) -> None:
        """Where lines leave the upper sides of boxes, and where they enter the lower ones."""
        self.out: dict[tuple[int, Spot], float] = {}  # (part, the spot in the next row) to x
        self.into: dict[tuple[int, int], float] = {}  # (part, number of the argument) to x
        # By row, the lines from outside, (part, side, number), and those that go there, (part, side).
        self.track_in: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        self.track_out: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self.side_in: dict[tuple[int, int, int], float] = {}
        self.side_out: dict[tuple[int, int], float] = {}
        for k in sorted(self.row, key=lambda k: self.x[k]):  # the nearest to the left is on the uppermost track
            if k in self.host:
                continue
            part, row = self.parts[k], self.row[k]
            half = part.width / 2 - 8
            wants: list[Want] = []
            for slot, p in enumerate(part.reads):
                if self.host.get(p) == k:
                    continue
                at = half  # of a box that stands beside another one of this row
                if row != self.row[p]:
                    width = 0.0 if row - 1 > self.row[p] or p in self.host else _side(self.parts[p])
                    at = self._facing(self.x[k], _side(part), self.exit_x(p, row - 1), width)
                wants.append((at, self.into, (k, slot)))
            for side in (LEFT, RIGHT):
                for number in range(0 if self.alone(k, side) else part.enter.count(side)):
                    self.track_in[row].append((k, side, number))
                    wants.append((side * (half + 1 - 0.1 * number), self.side_in, (k, side, number)))
            self._space(wants, self.x[k], half)
            wants = []
            above = set(self._up[row].get(("box", k), [])) if row < self.height - 1 else set()
            mine = {("box", r) for r in self.readers[k]} | {("lane", k)}
            for spot in sorted(above & mine):
                x = self.lane[k, row + 1] if spot[0] == "lane" else self.x[spot[1]]
                width = 0.0 if spot[0] == "lane" else _side(self.parts[spot[1]])
                wants.append((self._facing(self.x[k], _side(part), x, width), self.out, (k, spot)))
            if part.up and row == self.height - 1:
                wants.append((0.0, self.out, (k, ("lane", k))))
            for side in (LEFT, RIGHT):
                if side in part.leave and not self.alone(k, side):
                    self.track_out[row].append((k, side))
                    wants.append((side * (half + 1), self.side_out, (k, side)))
            self._space(wants, self.x[k], half)

    @staticmethod
    def _facing(x: float, half: float, other: float, width: float) -> float:
        """Where on a side that reaches `half` from x a line to another side goes straight, or nearly so."""
        low, high = max(x - half, other - width), min(x + half, other + width)
        if low <= high:
            return (low + high) / 2 - x
        return max(-half, min(half, other - x))

    @staticmethod
    def _space(wants: list[Want], x: float, half: float) -> None:
        """Note where each line meets the side of a box, apart from each other."""
        wants.sort(key=lambda want: want[0])
        last = len(wants) - 1
        apart = min(PORT, 2 * half / max(1, last))
        places = spread([[(want, 1.0)] for want, _, _ in wants], [apart] * last)
        for k, ((_, found, key), place) in enumerate(zip(wants, places, strict=True)):
            found[key] = x + max(apart * k - half, min(half - apart * (last - k), place))


def _side(part: StepPart) -> float:
    """How far from its middle lines may end at a box; at a narrow one they end in the middle."""
    return part.width / 2 - 8 if part.width >= NARROW else 0.0


@lru_cache(maxsize=64)
def step(parts: tuple[StepPart, ...]) -> PlacedStep:
    """The places of a step's parts; steps that are alike are placed once."""
    return PlacedStep(parts)


def spread(wanted: Sequence[Sequence[tuple[float, float]]], rooms: Sequence[float]) -> list[float]:
    """Places as near as can be to those wanted, in order, and so far apart.

    Parameters
    ----------
    wanted : sequence of sequences of (place, weight)
        For each thing, where it would like to be.
    rooms : sequence of float
        The least distance of each from the next.

    Notes
    -----
    It minimizes the sum of the weighted distances, by pooling neighbours that get in each other's way. Source: Best
    and Chakravarti (1990), "Active set algorithms for isotonic regression".
    """
    if not wanted:
        return []
    shift, shifts = 0.0, [0.0]
    for room in rooms:
        shift += room
        shifts.append(shift)
    blocks: list[tuple[list[tuple[float, float]], int, float]] = []  # their wishes, their number, their place
    for points, offset in zip(wanted, shifts, strict=True):
        pool, count = [(place - offset, weight) for place, weight in points], 1
        while blocks and blocks[-1][2] > _median(pool):
            before, number, _ = blocks.pop()
            pool, count = before + pool, number + count
        blocks.append((pool, count, _median(pool)))
    places = [place for _, count, place in blocks for _ in range(count)]
    return [place + offset for place, offset in zip(places, shifts, strict=True)]


def _median(points: Iterable[tuple[float, float]]) -> float:
    """The middle of the places where as much weight lies to the left as to the right."""
    ordered = sorted(points)
    half, so_far = sum(weight for _, weight in ordered) / 2, 0.0
    for k, (place, weight) in enumerate(ordered):
        so_far += weight
        if abs(so_far - half) < 1e-9 and k + 1 < len(ordered):
            return (place + ordered[k + 1][0]) / 2
        if so_far > half:
            return place
    return ordered[-1][0]
