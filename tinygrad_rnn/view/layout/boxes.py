"""Boxes in their places, and the frames around those that belong together."""

from __future__ import annotations

from collections.abc import Mapping

from ..scene import Box, Frame
from .heights import Heights
from .traffic import Traffic
from .wanted import END, Item
from .widths import Widths


def boxes_of(traffic: Traffic, heights: Heights, widths: Widths) -> dict[str, Box]:
    """All boxes, in the order of recording; what all steps share stands below the first column."""
    boxes: dict[str, Box] = {}
    for c in (*range(len(traffic.columns)), END):
        for k, item in enumerate(traffic.items(c)):
            if traffic.elided(c):
                low, high = heights.between_tracks()
                left, right = widths.frame_x[c]
                boxes[item.id] = _box(item, widths.origin[c], (low + high) / 2, right - left, high - low)
                continue
            s = heights.steps[c]
            boxes[item.id] = _box(item, widths.origin[c] + s.x[k], heights.y(item.id), s.parts[k].width, item.height)
    left, _ = widths.frame_x[0]
    y = heights.bottom - 52
    widest = max((item.width for item in traffic.shared), default=0.0)
    for item in traffic.shared:
        y -= item.height / 2
        boxes[item.id] = _box(item, left + 10 + widest / 2, y, widest, item.height)
        y -= item.height / 2 + 7
    return boxes


def _box(item: Item, x: float, y: float, width: float, height: float) -> Box:
    look = item.fill, item.border, item.ink
    return Box(item.id, item.name, x, y, width, height, item.kind, item.numbers, item.tooltip, *look)


def frames_of(traffic: Traffic, heights: Heights, widths: Widths, boxes: Mapping[str, Box]) -> list[Frame]:
    """The frames of the steps that have a title, and the one around the weights."""
    frames = []
    for c, column in enumerate(traffic.columns):
        if column.title and not column.elided:
            left, right = widths.frame_x[c]
            names = tuple(item.id for item in column.items)
            lines = [widths.lane_top(item.id) for item in column.items if item.id in traffic.up]
            at = _free(lines, left, right, 3.2 * len(column.title) + 4)
            frames.append(Frame(column.id, column.title, left, heights.bottom, right, heights.top, names, at))
    weights = [boxes[item.id] for item in traffic.shared if item.kind == "weight"]
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
    return frames


def _free(lines: list[float], left: float, right: float, half: float) -> float:
    """Where a title can stand that no line to the sum of the costs runs through; in the middle, if it can."""
    middle = (left + right) / 2
    places = [
        middle,
        left + half + 10,
        *(x + side * (half + 6) for x in lines for side in (-1, 1)),
        right - half - 10,
    ]
    return next((x for x in places if all(abs(x - line) > half + 4 for line in lines)), middle)
