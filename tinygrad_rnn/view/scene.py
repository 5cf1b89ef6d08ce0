"""What a picture is made of, before anybody has decided how to draw it. Lengths are in points, y upwards."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

Point = tuple[float, float]
MARGIN = 16  # around everything
BETWEEN = " " * 6  # between what stands in a caption
CUT = "scissors"  # in a legend, instead of a colour


@dataclass(frozen=True)
class Box:
    """A node of the tape: a rounded box with its name, and small lines of numbers below the name."""

    id: str
    name: str
    x: float
    y: float
    width: float
    height: float
    kind: str
    numbers: tuple[tuple[str, str], ...] = ()  # (kind, text), kind is value, cotangent or caption
    tooltip: str = ""
    fill: str = ""  # its own colour, where it is not that of its kind
    border: str = ""
    ink: str = ""  # of all that is written in it

    @property
    def left(self) -> Point:
        """The middle of the left side."""
        return self.x - self.width / 2, self.y

    @property
    def right(self) -> Point:
        """The middle of the right side."""
        return self.x + self.width / 2, self.y

    @property
    def top(self) -> Point:
        """The middle of the upper side."""
        return self.x, self.y + self.height / 2

    @property
    def bottom(self) -> Point:
        """The middle of the lower side."""
        return self.x, self.y - self.height / 2


@dataclass(frozen=True)
class Line:
    """An edge of the tape, from a parent to the node that reads it, along these points."""

    id: str
    source: str
    target: str
    points: tuple[Point, ...]
    kind: str = "data"
    color: str = ""
    label: str = ""
    width: float = 0.0  # its own width, where it is not that of its kind
    cut: bool = False  # whether nothing comes back along it: scissors stand on it
    backward: bool = False  # whether it is drawn from its end to its start, as the error runs
    carries: tuple[str, ...] = ()  # in a figure, the op-slot of all that comes back along it

    @property
    def start(self) -> str:
        """The box where the drawn line begins."""
        return self.target if self.backward else self.source

    @property
    def end(self) -> str:
        """The box where the drawn line ends, with its arrowhead."""
        return self.source if self.backward else self.target

    @property
    def where_cut(self) -> Point:
        """Where the scissors stand: in the middle of its longest upright stretch, or of its longest at all."""
        stretches = list(pairwise(self.points))
        upright = [(a, b) for a, b in stretches if abs(a[0] - b[0]) < 1 and abs(a[1] - b[1]) > 24]
        a, b = max(upright or stretches, key=lambda ends: math.dist(*ends))
        return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2

    @property
    def way(self) -> tuple[Point, ...]:
        """The points from start to end."""
        return self.points[::-1] if self.backward else self.points


@dataclass(frozen=True)
class Frame:
    """A box around the nodes that belong together, with a title above them."""

    id: str
    title: str
    left: float
    bottom: float
    right: float
    top: float
    members: tuple[str, ...]
    at: float | None = None  # where the middle of the title stands, if not in that of the frame


@dataclass(frozen=True)
class Scene:
    """A whole picture: boxes, lines, frames, and a caption below."""

    title: str
    description: str
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    frames: tuple[Frame, ...]
    caption: str = ""
    colors: dict[str, str] = field(default_factory=dict)  # box id to the colour of its weight
    legend: tuple[tuple[str, str], ...] = ()  # colours and what they mean

    @property
    def signs(self) -> tuple[tuple[str, str], ...]:
        """The legend, with the scissors if any stand on a line."""
        cut = ((CUT, "cut: no error comes back"),) if any(line.cut for line in self.lines) else ()
        return (*self.legend, *cut)

    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right and top of everything, with a margin."""
        xs = [b.x - b.width / 2 for b in self.boxes] + [b.x + b.width / 2 for b in self.boxes]
        ys = [b.y - b.height / 2 for b in self.boxes] + [b.y + b.height / 2 for b in self.boxes]
        for frame in self.frames:
            xs += [frame.left, frame.right]
            ys += [frame.bottom, frame.top]
        for line in self.lines:
            xs += [x for x, _ in line.points]
            ys += [y for _, y in line.points]
        below = 24 * bool(self.caption) + 26 * bool(self.signs)
        left, right = min(xs) - MARGIN, max(xs) + MARGIN
        words = max(5.6 * len(self.caption), sum(24 + 5.4 * len(text) for _, text in self.signs))
        spare = max(0.0, words + MARGIN - (right - left)) / 2
        return left - spare, min(ys) - MARGIN - below, right + spare, max(ys) + MARGIN
