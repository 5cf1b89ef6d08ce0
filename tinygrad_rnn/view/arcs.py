"""A tape without time steps as what it is, a list: its nodes in a row, an arc over the row for each thing read."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from ..autodiff import Node, Tape, writing
from ..autodiff.notation import plain
from .overlay import length, summary
from .scene import BETWEEN, Box, Line, Point, Scene
from .text import called

End = tuple[Node, Node, int]  # an end of an arc: who is read, who reads, and in which argument

GAP = 30.0
LETTER = 6.0  # about the width of a letter of a formula
LEVEL = 17.0  # from one arc to the next one above it
BELOW = 74.0  # from the row down to the constants


def listed(tape: Tape, overlay: str | None) -> Scene:
    """The scene of a tape: nodes from left to right as they were recorded, constants under what reads them.

    Raises
    ------
    ValueError
        If the tape is empty.
    """
    if not len(tape):
        raise ValueError("nothing has been recorded on this tape yet, so there is nothing to draw")
    boxes: dict[int, Box] = {}
    reader = {p.index: node.index for node in reversed(tape.nodes) for p in node.parents}
    below = {n.index: reader[n.index] for n in tape if n.op is None and not n.active and n.index in reader}
    right = 0.0
    for node in tape:
        if node.index not in below:
            texts = _numbers(node, overlay)
            width = max([64.0, *(LETTER * len(text) + 16 for _, text in texts)])
            boxes[node.index] = _box(node, right + width / 2, 0.0, width, texts)
            right += width + GAP
    for index, by in below.items():
        beside = sum(boxes[other].x > boxes[by].x - 1 for other, b in below.items() if b == by and other in boxes)
        boxes[index] = _box(tape[index], boxes[by].x + 52 * beside, -BELOW, 46.0, ())
    ends = [(p, node, slot) for node in tape for slot, p in enumerate(node.parents)]
    lines = _arcs([end for end in ends if end[0].index not in below], boxes)
    lines += [
        _line(p, node, slot, _upwards(boxes[p.index], boxes[node.index])) for p, node, slot in ends if p.index in below
    ]
    legend = {
        "black: values": overlay in ("values", "both"),
        f"∂, red: d{called(tape.swept, 'the last node')} / d box": overlay in ("cotangents", "both"),
        "—: not computed yet": overlay in ("cotangents", "both") and tape.swept is None,
    }
    return Scene(
        title=f"A tape of {len(tape)} nodes",
        description="The nodes in the order in which they were recorded, from left to right; an arc leads from each "
        "node to every node that reads it, so all arcs lead to the right.",
        boxes=tuple(boxes[node.index] for node in tape),
        lines=tuple(lines),
        frames=(),
        caption=BETWEEN.join(text for text, shown in legend.items() if shown),
    )


def _numbers(node: Node, overlay: str | None) -> tuple[tuple[str, str], ...]:
    """Below a node's name: how it was computed, its value, and what came back to it."""
    lines = []
    if node.op is not None:
        many = len(node.parents) > 4  # more names than a box has room for
        text = (
            f"from {len(node.parents)} nodes"
            if many
            else plain(writing.value(node.op, [p.latex for p in node.parents]))
        )
        lines.append(("caption", text.replace("⊙", "·")))  # a sign that many fonts lack
    if overlay in ("values", "both"):
        lines.append(("value", _short(node.value) if node.tape.computed(node) else "—"))
    if overlay in ("cotangents", "both") and node.active:
        lines.append(("cotangent", _cotangent(node)))
    return tuple(lines)


def _cotangent(node: Node) -> str:
    root = node.tape.swept
    if node.cotangent is None:
        return "∂ 0" if root is not None and node.index <= root.index else "∂ —"
    return "∂ " + _short(np.asarray(node.cotangent))


def _short(values: Any) -> str:
    return summary(values) if values.size <= 4 else length(values)


def _box(node: Node, x: float, y: float, width: float, lines: tuple[tuple[str, str], ...]) -> Box:
    height = 32.0 + 12 * len(lines)
    kind = "op" if node.op is not None else "leaf"
    return Box(f"n{node.index}", str(node), x, y, width, height, kind, lines, f"{plain(node.formula)}   {node.shape}")


def _arcs(ends: list[End], boxes: dict[int, Box]) -> list[Line]:
    """An arc for each end, short ones low, and none on top of another."""
    # The nearest reader's arc leaves furthest to the right, that of the nearest one read arrives furthest to the left.
    leaving = _ports(sorted(ends, key=lambda e: (e[1].index, e[2])), 0)
    arriving = _ports(sorted(ends, key=lambda e: (-e[0].index, e[2])), 1)
    lanes: list[list[tuple[float, float]]] = []
    lines = {}
    roof = max(box.top[1] for box in boxes.values())
    for end in sorted(ends, key=lambda e: (e[1].index - e[0].index, e[0].index, e[2])):
        p, node, slot = end
        a, b = boxes[p.index], boxes[node.index]
        k, n = leaving[end]
        start = a.x + a.width * (0.36 - 0.6 * k / n)
        k, n = arriving[end]
        stop = b.x - b.width * (0.36 - 0.6 * k / n)
        lane = next((i for i, taken in enumerate(lanes) if all(stop < x or y < start for x, y in taken)), len(lanes))
        if lane == len(lanes):
            lanes.append([])
        lanes[lane].append((start, stop))
        high = roof + LEVEL * (lane + 1)
        lines[end] = _line(p, node, slot, [(start, a.top[1]), (start, high), (stop, high), (stop, b.top[1])])
    return [lines[end] for end in ends]


def _ports(ends: list[End], side: int) -> dict[End, tuple[int, int]]:
    """For each end its number among those at the same box, and how many there are."""
    at: dict[int, list[End]] = defaultdict(list)
    for end in ends:
        at[end[:2][side].index].append(end)
    return {end: (k, len(found)) for found in at.values() for k, end in enumerate(found)}


def _upwards(a: Box, b: Box) -> list[Point]:
    return [a.top, (a.x, b.bottom[1])] if abs(a.x - b.x) < b.width / 2 else [a.top, (a.x, b.y), b.right]


def _line(p: Node, node: Node, slot: int, points: list[Point]) -> Line:
    return Line(f"e{node.index}-{slot}", f"n{p.index}", f"n{node.index}", tuple(points))
