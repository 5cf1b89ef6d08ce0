"""What a scene looks like: every box, word and line of it as a mark on paper, with its colours, fonts and curves.

Whoever writes a picture as SVG or for Graphviz writes these marks, and decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Sequence
from typing import NamedTuple

from .scene import CUT, Box, Frame, Line, Point, Scene

SERIF_ITALIC, SANS = "Times-Italic", "Helvetica"
INK = {"value": "#333333", "cotangent": "#B3261E", "caption": "#0B5394", "elided": "#555555"}
FILL = {"leaf": "#F1F1EE", "elided": "#F6F6F2"}  # the others are white
OUTLINE = {"unit": "ellipse", "label": "square", "tile": "square"}  # the others are rounded
PEN = {"tie": 0.9, "state": 2.0, "copy": 1.4, "error": 1.4}
DASHED = ("tie", "copy", "error")
# Blade, handle, handle, blade: one stroke through the screw at (0, 0), so that no font need have a sign for it.
SCISSORS = (
    *((6.5, 8.5), (4.5, 5.5), (2, 2.5), (0, 0)),
    *((-2, -2.5), (-2.5, -8), (-6, -8), (-9, -8), (-7.5, -3), (0, 0)),
    *((7.5, -3), (9, -8), (6, -8), (2.5, -8), (2, -2.5), (0, 0)),
    *((-2, 2.5), (-4.5, 5.5), (-6.5, 8.5)),
)
CORNER = 9.0
ARROW = 7.0
LABEL = 0.3  # where on the last stretch of a line its label stands: nearer to where it comes from, lines lie apart


class Words(NamedTuple):
    """A line of writing, or several, around a point."""

    text: str
    at: Point
    size: float = 10.0
    ink: str = "#555555"
    font: str = SANS


class Mark(NamedTuple):
    """A shape around a point with what is written in it; without an outline, the writing alone."""

    id: str
    classes: str
    at: Point
    width: float
    height: float
    words: Words | None = None
    outline: str = ""  # rounded, square or ellipse
    fill: str = "#FFFFFF"
    color: str = "#444444"
    pen: float = 1.0
    tooltip: str = ""


class Curve(NamedTuple):
    """A cubic curve from one mark to another, with an arrowhead where it has a tip.

    What comes back along it, and the matrix that it leaves, a page is told.
    """

    id: str
    classes: str
    tail: str
    head: str
    points: tuple[Point, ...]
    tip: Point | None = None
    color: str = "#444444"
    pen: float = 1.0
    dashed: bool = False
    carries: tuple[str, ...] = ()
    via: str = ""


class Marks(NamedTuple):
    """All of a picture: the frames at the back, each with the marks in it, then the curves, then all other marks."""

    frames: tuple[tuple[Mark, tuple[Mark, ...]], ...]
    curves: tuple[Curve, ...]
    others: tuple[Mark, ...]


def marks(scene: Scene) -> Marks:
    """The marks that a scene is made of."""
    left, bottom, right, _ = scene.bounds()
    middle = (left + right) / 2
    boxes = {box.id: tuple(_box(box, scene.colors.get(box.id, ""))) for box in scene.boxes}
    inside = {name for frame in scene.frames for name in frame.members}
    frames = tuple((_frame(f), tuple(mark for name in f.members for mark in boxes[name])) for f in scene.frames)
    free = [mark for name, found in boxes.items() if name not in inside for mark in found]
    copies = {box.id for box in scene.boxes if box.kind == "copy"}
    drawn = [each for line in scene.lines for each in _line(line, copies)]
    drawn += _legend(scene.signs, middle, bottom + (40 if scene.caption else 16))
    if scene.caption:
        drawn.append(_plain("caption", scene.caption, (middle, bottom + 14), _width(scene.caption, 11), size=11))
    curves = tuple(each for each in drawn if isinstance(each, Curve))
    return Marks(frames, curves, (*free, *(each for each in drawn if isinstance(each, Mark))))


def _frame(frame: Frame) -> Mark:
    x, y = (frame.left + frame.right) / 2, (frame.bottom + frame.top) / 2
    title = Words(frame.title, (x if frame.at is None else frame.at, frame.top - 12), 12, "#333333")
    size = frame.right - frame.left, frame.top - frame.bottom
    return Mark(frame.id, "", (x, y), *size, title, "rounded", "#FBFBF8", "#C9C9C2")


def _box(box: Box, color: str) -> Iterator[Mark]:
    outline, at = OUTLINE.get(box.kind, "rounded"), (box.x, box.y)
    border = box.border or color or "#444444" if box.kind != "label" else "#FFFFFF"
    look = outline, box.fill or FILL.get(box.kind, "#FFFFFF"), border, 1.4 if color else 1.0
    yield Mark(box.id, box.kind, at, box.width, box.height, None, *look, box.tooltip)
    numbers = [(kind, text) for kind, text in box.numbers if text]
    spare = box.height - 17 * bool(box.name) - 12 * len(numbers) - (0 if box.name else 3)
    y = box.y + box.height / 2 - spare / 2 - (9 if box.name else -7)
    name = box.name.replace("⊙", "·")  # a sign that many fonts lack
    lines = [("name", name, y, 15.0, color or "#111111", SERIF_ITALIC)] if name else []
    lines += [
        (kind, text, y - 15 - 12 * k, 10.0, INK[kind.partition("-")[0]], SANS) for k, (kind, text) in enumerate(numbers)
    ]
    for kind, text, height, size, ink, font in lines:
        words = Words(text, (box.x, height), size, box.ink or ink, font)
        yield Mark(f"{box.id}_{kind}", f"number {kind}", words.at, box.width, 12, words)


def _line(line: Line, copies: Container[str]) -> Iterator[Mark | Curve]:
    kind, _, stem = line.kind.partition(" ")  # a stem runs on behind the box that it ends at, so it has no arrowhead
    color, pen = line.color or "#444444", round(line.width, 1) or PEN.get(kind, 1.0)
    points, tip = _curve(line.way, not stem), None if stem else line.way[-1]
    told = line.carries, line.source if line.carries and line.source in copies else ""
    yield Curve(line.id, line.kind, line.start, line.end, points, tip, color, pen, kind in DASHED, *told)
    if line.cut:
        yield from _scissors(f"{line.id}_cut", line.where_cut)
    if line.label:
        at = _towards(line.points[-2], line.points[-1], LABEL * math.dist(line.points[-2], line.points[-1]))
        words = Words(line.label, at, 9, color)
        size = 5 * len(line.label) + 2, 10
        yield Mark(f"{line.id}_label", "number label", at, *size, words, "square", "#FFFFFF", "#FFFFFF")


def _legend(legend: Sequence[tuple[str, str]], middle: float, y: float) -> Iterator[Mark | Curve]:
    """Patches of colour with what they mean, in a row."""
    widths = [24 + 5.4 * len(text) for _, text in legend]
    x = middle - sum(widths) / 2
    for k, ((color, text), width) in enumerate(zip(legend, widths, strict=True)):
        if color == CUT:
            yield from _scissors(f"legend{k}", (x + 6, y))
        else:
            yield Mark(f"legend{k}", "number legend", (x + 6, y), 11, 11, None, "square", color, "#777777")
        yield _plain(f"legend{k}_text", text, (x + 14 + 2.7 * len(text), y), width)
        x += width


def _scissors(name: str, at: Point) -> Iterator[Mark | Curve]:
    """A mark where a line is cut: the curve of a line, from a mark without writing to itself."""
    yield _plain(name, "", at, 18)
    points = tuple((at[0] + x, at[1] + y) for x, y in SCISSORS)
    yield Curve(f"{name}_mark", "scissors", name, name, points, color=INK["cotangent"], pen=1.6)


def _plain(name: str, text: str, at: Point, width: float, size: float = 10) -> Mark:
    return Mark(name, "number legend", at, width, size + 2, Words(text, at, size))


def _width(text: str, size: float) -> float:
    """About how wide a text is in Helvetica: a space and a thin letter take half the room of the others."""
    return max(sum(0.28 if c in " .,:;|‖·()il" else 0.56 for c in line) for line in text.split("\n")) * size


def _curve(points: Sequence[Point], arrow: bool) -> tuple[Point, ...]:
    """The points as a cubic curve with rounded corners, which ends before the last one if an arrowhead is to follow."""
    way = [*points[:-1], _towards(points[-1], points[-2], ARROW if arrow else 0)]
    curve = [way[0]]
    for before, corner, after in zip(way, way[1:], way[2:], strict=False):
        radius = min(CORNER, math.dist(before, corner) / 2, math.dist(corner, after) / 2)
        start, end = _towards(corner, before, radius), _towards(corner, after, radius)
        curve += [curve[-1], start, start, corner, corner, end]
    return (*curve, curve[-1], way[-1], way[-1])


def _towards(start: Point, goal: Point, distance: float) -> Point:
    length = math.dist(start, goal)
    if not length:
        return start
    part = distance / length
    return start[0] + (goal[0] - start[0]) * part, start[1] + (goal[1] - start[1]) * part
