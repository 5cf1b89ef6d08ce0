"""What a picture is made of, before anybody has decided how to draw it. Lengths are in points, y upwards."""

from __future__ import annotations

from dataclasses import dataclass, field

Point = tuple[float, float]


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

    def bounds(self, margin: float = 16) -> tuple[float, float, float, float]:
        """Left, bottom, right and top of everything, with a margin."""
        xs = [b.x - b.width / 2 for b in self.boxes] + [b.x + b.width / 2 for b in self.boxes]
        ys = [b.y - b.height / 2 for b in self.boxes] + [b.y + b.height / 2 for b in self.boxes]
        for frame in self.frames:
            xs += [frame.left, frame.right]
            ys += [frame.bottom, frame.top]
        for line in self.lines:
            xs += [x for x, _ in line.points]
            ys += [y for _, y in line.points]
        below = 24 if self.caption else 0
        return min(xs) - margin, min(ys) - margin - below, max(xs) + margin, max(ys) + margin
