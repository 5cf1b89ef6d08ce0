"""Where everything stands: time runs left to right, one column a step; within a step data runs upwards.

No layout engine is asked: positions follow from the tape. A node's row is the longest way to it
within its own step. Weight copies stand to the right of what reads them, and lines that tie them to
their one weight run in a channel of their own below the columns, so that the sum of the copies'
gradients can be followed with a finger.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..autodiff import Node
from ..autodiff.notation import number, plain
from ..unfold import Unfolded
from .scene import Box, Frame, Line, Point, Scene

WIDE, TALL = 118.0, 52.0  # a box on the main way
SMALL = 72.0  # the width of a weight's box
LINE = 13.0  # the height of a line of numbers
ROW = 98.0  # from row to row
GAP = 26.0  # between a box and what stands beside it
WIRE = 8.0  # between the wires that tie the copies, in the channel at the right of a step
# Okabe and Ito's palette: told apart by most readers with colour-blindness, and in grey by lightness.
PALETTE = ("#0072B2", "#D55E00", "#8C6BB1", "#009E73", "#B08A00", "#56B4E9", "#CC79A7", "#666666")


def unfolded(net: Unfolded, overlay: str | None, captions: Mapping[str, Sequence[str]]) -> Scene:
    """The scene of an unfolded network: a column for each time step."""
    return _Unfolding(net, overlay, captions).scene()


class _Unfolding:
    def __init__(self, net: Unfolded, overlay: str | None, captions: Mapping[str, Sequence[str]]) -> None:
        self.net = net
        self.overlay = overlay
        self.captions = captions
        self.swept = net.tape.swept is not None
        self.boxes: dict[int, Box] = {}
        self.copies: dict[int, Node] = {}
        weights = list(net.weights.values())
        self.color = {w.index: PALETTE[i % len(PALETTE)] for i, w in enumerate(weights)}
        self.columns: dict[int, list[Node]] = defaultdict(list)
        for node in net.tape:
            if node.op is not None and node.op.name == "copy":
                self.copies[node.index] = node.parents[0]
            if node.t is not None and node.t > 0:
                self.columns[node.t].append(node)
        readers = [(p.index, slot in n.op.only_read) for n in net.tape if n.op for slot, p in enumerate(n.parents)]
        self.only_read = {i for i, aside in readers if aside} - {i for i, aside in readers if not aside}
        self.row = self._rows()
        self.side = WIDE / 2 + GAP + SMALL + 18  # from a column's middle to its channel of wires
        self.pitch = self.side + WIRE * len(weights) + 2 * GAP + WIDE / 2

    def _rows(self) -> dict[int, int]:
        """The row of every node that stands on the main way: the longest way to it within its step."""
        row: dict[int, int] = {}
        for nodes in self.columns.values():
            here = {n.index for n in nodes}
            for node in nodes:
                before = [row[p.index] for p in node.parents if p.index in here and p.index in row]
                if node.index not in self.copies:
                    row[node.index] = 1 + max(before, default=0 if node.op else -1)
        return row

    def scene(self) -> Scene:
        net = self.net
        for t, nodes in self.columns.items():
            self._place_column(t, nodes)
        top = max(b.top[1] for b in self.boxes.values())
        frames = [self._frame(t, nodes, top) for t, nodes in self.columns.items()]
        frames.append(self._place_weights(frames[0].bottom))
        self._place_rest(top)
        lines = [self._line(parent, node, slot) for node in net.tape for slot, parent in enumerate(node.parents)]
        told = {"value": "black: values", "gradient": "∂, red: dC / d box", "‖": "‖·‖: Euclidean length"}
        shown = [told[o] for o in ("value", "gradient") if self.overlay in (o, "both")]
        caption = "      ".join([*shown, told["‖"], "—: not computed yet"]) if shown else ""
        return Scene(
            title=f"A recurrent network unfolded over {net.T} time steps",
            description=(
                f"{net.T} columns, one for each time step, from left to right. In each column the input at the "
                "bottom, the state above it, the output and the cost at the top; the state of each step feeds the "
                f"next. The weights {', '.join(str(w) for w in net.weights.values())} stand once below the columns, "
                "tied to a copy in every step."
            ),
            boxes=tuple(self.boxes.values()),
            lines=tuple(lines),
            frames=tuple(frames),
            caption=caption,
            colors={f"n{i}": self.color[w.index] for i, w in self.copies.items()}
            | {f"n{i}": c for i, c in self.color.items()},
        )

    # ---- boxes

    def _center(self, t: int) -> float:
        return (t - 1) * self.pitch

    def _place_column(self, t: int, nodes: list[Node]) -> None:
        readers = {p.index: node for node in reversed(nodes) for p in node.parents}
        stacks: dict[int, list[Node]] = defaultdict(list)
        main: dict[int, list[Node]] = defaultdict(list)
        for node in nodes:
            reader = readers.get(node.index)
            beside = node.index in self.copies or (node.op is None and reader is not None and reader.op is not None)
            if beside and reader is not None and self._is_aside(node, reader):
                stacks[self.row[reader.index]].append(node)
            else:
                main[self.row.get(node.index, 0)].append(node)
        for row, members in main.items():
            for k, node in enumerate(members):
                x = self._center(t) + (k - (len(members) - 1) / 2) * (WIDE + 12)
                self._box(node, x, row * ROW, WIDE, TALL)
        for row, members in stacks.items():
            height = LINE * (1 + self._lines(members[0])) + 8
            for k, node in enumerate(members):
                y = row * ROW + ((len(members) - 1) / 2 - k) * (height + 5)
                wide = SMALL if node.index in self.copies else WIDE - 10
                self._box(node, self._center(t) + WIDE / 2 + GAP + wide / 2, y, wide, height)

    def _is_aside(self, node: Node, reader: Node) -> bool:
        """Whether a node stands beside its reader: weight copies, and inputs that come in half-way, as targets do."""
        return node.index in self.copies or self.row[reader.index] > 1

    def _lines(self, node: Node) -> int:
        wanted = {None: 0, "value": 1, "gradient": 1}.get(self.overlay, 2)
        if node.index in self.copies or node.index in self.color:
            wanted = min(wanted, 1)
        return wanted + bool(self._caption(node))

    def _caption(self, node: Node) -> str:
        texts = self.captions.get(node.name, ())
        return texts[node.t - 1] if node.t and node.t <= len(texts) else ""

    def _box(self, node: Node, x: float, y: float, width: float, height: float) -> None:
        copy_or_weight = node.index in self.copies or node.index in self.color
        numbers: list[tuple[str, str]] = []
        caption = self._caption(node)
        if caption:
            numbers.append(("caption", caption))
        if self.overlay in ("value", "both") and not (copy_or_weight and self.overlay == "both"):
            numbers.append(("value", length(node.value) if copy_or_weight else summary(node.value)))
        if self.overlay in ("gradient", "both"):
            numbers.append(("cotangent", self._cotangent(node)))
        kind = (
            "weight"
            if node.index in self.color
            else "copy"
            if node.index in self.copies
            else ("leaf" if node.op is None else "op")
        )
        height = max(height, LINE * (1 + len(numbers)) + 10)
        self.boxes[node.index] = Box(
            f"n{node.index}", str(node), x, y, width, height, kind, tuple(numbers), self._tooltip(node)
        )

    def _cotangent(self, node: Node) -> str:
        if not node.active or node.index in self.only_read:
            return ""
        if node.cotangent is None:
            return "∂ 0" if self.swept else "∂ —"
        g = np.asarray(node.cotangent)
        return "∂ " + (length(g) if node.index in self.copies or node.index in self.color else summary(g))

    def _tooltip(self, node: Node) -> str:
        equation = f"  ({node.equation})" if node.equation else ""
        formula = plain(node.formula) if len(node.parents) < 8 else f"{node}, from {len(node.parents)} nodes"
        return f"{formula}   {node.value.shape}{equation}"

    def _frame(self, t: int, nodes: list[Node], top: float) -> Frame:
        boxes = [self.boxes[n.index] for n in nodes]
        return Frame(
            f"t{t}",
            f"t = {t}",
            min(b.left[0] for b in boxes) - 16,
            min(b.bottom[1] for b in boxes) - 12,
            self._center(t) + self.side + WIRE * len(self.color),
            top + 34,
            tuple(b.id for b in boxes),
        )

    def _place_weights(self, bottom: float) -> Frame:
        weights = list(self.net.weights.values())
        left = self._center(1) - WIDE - 2 * GAP
        y = bottom - 52
        for w in weights:
            self._box(w, left, y, WIDE - 10, LINE)
            y -= self.boxes[w.index].height + 7
        boxes = [self.boxes[w.index] for w in weights]
        return Frame(
            "weights",
            "one set of weights",
            left - WIDE / 2 - 10,
            min(b.bottom[1] for b in boxes) - 12,
            left + WIDE / 2 + 10,
            max(b.top[1] for b in boxes) + 26,
            tuple(b.id for b in boxes),
        )

    def _place_rest(self, top: float) -> None:
        """The initial state at the left; the total cost, and what it needs, at the upper right."""
        s0 = self.net.states[0]
        self._box(s0, self._center(1) - WIDE - 2 * GAP, self.row[self.net.states[1].index] * ROW, WIDE, TALL)
        rest = [n for n in self.net.tape if n.index not in self.boxes]
        x, y = self._center(self.net.T) + self.side - WIDE / 2 + WIRE * len(self.color), top + 84
        for k, node in enumerate(n for n in rest if n.op is not None):
            self._box(node, x + k * (WIDE + 2 * GAP), y, WIDE, TALL)
        for k, node in enumerate(n for n in rest if n.op is None):
            self._box(node, x + (k + 1) * (WIDE + 2 * GAP), y - ROW, WIDE, TALL)

    # ---- lines

    def _line(self, parent: Node, node: Node, slot: int) -> Line:
        a, b = self.boxes[parent.index], self.boxes[node.index]
        color, kind = "", "data"
        points: list[Point]
        if parent.index in self.color:
            points, color, kind = self._tie(parent, node), self.color[parent.index], "tie"
        elif parent.index in self.copies:
            points, color = (
                [a.left, (b.right[0], self._port(a, b))],
                self.color[self.copies[parent.index].index],
            )
        elif node.t is None:
            points = self._to_total(parent, node)
        elif parent.t != node.t:
            points, kind = self._recurrence(a, b), "state"
        elif a.y == b.y:
            points = [a.left, b.right]
        elif self.row[node.index] - self.row[parent.index] > 1 and a.x == b.x:
            side = a.x - WIDE / 2 - 10
            points = [a.left, (side, a.y), (side, b.y), b.left]
        else:
            points = [a.top, b.bottom]
        return Line(f"e{node.index}-{slot}", a.id, b.id, tuple(points), kind, color)

    def _port(self, a: Box, b: Box) -> float:
        """Where a copy's line enters its reader: spread over the right side, in the order of the stack."""
        return b.y + max(-b.height / 2 + 8, min(b.height / 2 - 8, (a.y - b.y) * 0.4))

    def _recurrence(self, a: Box, b: Box) -> list[Point]:
        turn = b.left[0] - 2 * GAP + 8
        return [a.right, (turn, a.y), (turn, b.y), b.left]

    def _tie(self, weight: Node, copy: Node) -> list[Point]:
        """From the weight along its rail, then up the channel at the right of the step, into the copy."""
        a, b = self.boxes[weight.index], self.boxes[copy.index]
        order = list(self.color).index(weight.index)
        channel = self._center(copy.t or 1) + self.side + WIRE * order
        return [a.right, (channel, a.y), (channel, b.y), b.right]

    def _to_total(self, parent: Node, node: Node) -> list[Point]:
        a, b = self.boxes[parent.index], self.boxes[node.index]
        if parent.t is None:
            return [a.right, b.left] if a.y == b.y else [a.top, b.bottom]
        return [a.top, (a.x, b.y), b.left]


def summary(values: Any) -> str:
    """An array in a few characters: its numbers if there are at most four, else their length as a vector."""
    if values.size <= 4:
        if np.all(values == np.round(values)) and np.all(np.abs(values) < 100):
            return "  ".join(f"{v:.0f}".replace("-", "−") for v in values.flat)
        return "  ".join(short(float(v)) for v in values.flat)
    return length(values)


def length(values: Any) -> str:
    """The Euclidean length of an array, as it is written in a box."""
    return f"‖·‖ {number(float(np.linalg.norm(values)))}"


def short(value: float) -> str:
    """A number with two decimals, or one digit and a power of ten where two decimals say nothing."""
    if (value and abs(value) < 0.005) or abs(value) >= 1000:
        return f"{value:.0e}".replace("-", "−").replace("e−0", "e−").replace("e+0", "e")
    return f"{value:.2f}".replace("-", "−")
