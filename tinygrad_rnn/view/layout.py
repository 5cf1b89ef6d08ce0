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

from ..autodiff import Node, Tape, ops
from ..autodiff.notation import number, plain
from ..unfold import Unfolded
from ..unfold.structure import flatten
from .palette import PALETTE
from .scene import Box, Frame, Line, Point, Scene

WIDE, TALL = 118.0, 52.0  # a box on the main way
SMALL = 72.0  # the width of a weight's box
LINE = 13.0  # the height of a line of numbers
ROW = 98.0  # from row to row
GAP = 26.0  # between a box and what stands beside it
WIRE = 8.0  # between the wires that tie the copies, in the channel at the right of a step


class Fragment:
    """What was recorded of a network, as much of it as a picture needs: for a tape whose network was never finished.

    Raises
    ------
    ValueError
        If nothing was recorded of any time step.
    """

    def __init__(self, tape: Tape) -> None:
        steps = [n for n in tape if n.t]
        if not steps:
            raise ValueError("nothing stands on this tape at any time step, so there is nothing to draw")
        self.tape = tape
        self.T = max(n.t or 0 for n in steps)
        self.weights = {str(n): n for n in tape if n.op is None and n.t is None and n.active}
        self.inputs = tuple(n for n in steps if n.op is None and n.role == 0)
        initial = [n for n in tape if n.t == 0]
        # An initial state stands beside the state that follows it, or, where that is not there, beside what reads it.
        after = [[n for n in steps if n.name == s.name] + [n for n in steps if s in n.parents] + [s] for s in initial]
        self.states = tuple(initial), tuple(found[0] for found in after)


def unfolded(net: Unfolded | Fragment, overlay: str | None, captions: Mapping[str, Sequence[str]]) -> Scene:
    """The scene of an unfolded network: a column for each time step."""
    return _Unfolding(net, overlay, captions).scene()


class _Unfolding:
    def __init__(self, net: Unfolded | Fragment, overlay: str | None, captions: Mapping[str, Sequence[str]]) -> None:
        self.net = net
        self.overlay = overlay
        self.captions = captions
        self.root = net.tape.swept
        self.boxes: dict[int, Box] = {}
        weights = list(net.weights.values())
        self.color = {w.index: PALETTE[i % len(PALETTE)] for i, w in enumerate(weights)}
        self.copies: dict[int, Node] = {}  # the copies of weights, and the weight of each
        self.columns: dict[int, list[Node]] = defaultdict(list)
        for node in net.tape:
            if node.op is ops.copy and node.parents[0].index in self.color:
                self.copies[node.index] = node.parents[0]
            if node.t is not None and node.t > 0:
                self.columns[node.t].append(node)
        readers = [(p.index, slot in n.op.only_read) for n in net.tape if n.op for slot, p in enumerate(n.parents)]
        self.only_read = {i for i, aside in readers if aside} - {i for i, aside in readers if not aside}
        self.small = max([SMALL, *(_width(str(n)) for n in net.tape if n.index in self.copies)])
        self.row = self._rows()
        self.main, self.stacks = self._arrange()
        self.height = self._row_heights()
        widest = max(len(members) for members in self.main.values())
        # From a column's middle to the right edge of its boxes, and to its channel of wires.
        self.reach = (widest * (WIDE + 12) - 12) / 2
        self.side = self.reach + GAP + (max(self.small, WIDE - 10) if self.stacks else 0) + 18
        self.pitch = self.side + WIRE * len(weights) + 2 * GAP + self.reach

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

    def _arrange(self) -> tuple[dict[tuple[int, int], list[Node]], dict[tuple[int, int], list[Node]]]:
        """What stands on the main way, and what stands beside it, by time and row."""
        main: dict[tuple[int, int], list[Node]] = defaultdict(list)
        stacks: dict[tuple[int, int], list[Node]] = defaultdict(list)
        inputs = {x.index for x in self.net.inputs}
        for t, nodes in self.columns.items():
            reader = {p.index: node for node in reversed(nodes) for p in node.parents}
            for node in nodes:
                by = reader.get(node.index)
                # Weight copies stand beside what reads them, and so does what comes in half-way, as targets do.
                beside = node.index in self.copies or (node.op is None and node.index not in inputs)
                if beside and by is not None and by.index in self.row:
                    stacks[t, self.row[by.index]].append(node)
                else:
                    main[t, self.row.get(node.index, 0)].append(node)
        return main, stacks

    def _row_heights(self) -> dict[int, float]:
        """How high each row stands: far enough from the one below for the stacks beside both."""
        tall: dict[int, float] = defaultdict(lambda: TALL)
        for (_, row), members in self.stacks.items():
            tall[row] = max(tall[row], sum(self._box_height(n) + 5 for n in members))
        heights, y = {}, 0.0
        for row in range(max(row for _, row in self.main) + 1):
            if row:
                y += max(ROW, (tall[row - 1] + tall[row]) / 2 + 14)
            heights[row] = y
        return heights

    def scene(self) -> Scene:
        net = self.net
        for t in self.columns:
            self._place_column(t)
        top = max(b.top[1] for b in self.boxes.values())
        frames = [self._frame(t, nodes, top) for t, nodes in self.columns.items()]
        frames += self._place_weights(frames[0].bottom)
        self._place_rest(top)
        lines = [self._line(parent, node, slot) for node in net.tape for slot, parent in enumerate(node.parents)]
        legend = {
            "black: values": self.overlay in ("value", "both"),
            f"∂, red: d{self.root or 'C'} / d box": self.overlay in ("gradient", "both"),
            "‖·‖: Euclidean length": self.overlay is not None,
            "—: not computed yet": self.overlay is not None,
        }
        caption = "      ".join(text for text, shown in legend.items() if shown)
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

    def _place_column(self, t: int) -> None:
        for (at, row), members in self.main.items():
            if at == t:
                for k, node in enumerate(members):
                    x = self._center(t) + (k - (len(members) - 1) / 2) * (WIDE + 12)
                    self._box(node, x, self.height[row], WIDE)
        for (at, row), members in self.stacks.items():
            if at != t:
                continue
            heights = [self._box_height(n) for n in members]
            y = self.height[row] + (sum(heights) + 5 * (len(members) - 1)) / 2
            for node, height in zip(members, heights, strict=True):
                wide = self.small if node.index in self.copies else WIDE - 10
                self._box(node, self._center(t) + self.reach + GAP + wide / 2, y - height / 2, wide)
                y -= height + 5

    def _caption(self, node: Node) -> str:
        texts = self.captions.get(node.name, ())
        return texts[node.t - 1] if node.t and node.t <= len(texts) else ""

    def _numbers(self, node: Node) -> tuple[tuple[str, str], ...]:
        """The lines below a node's name. A weight and its copies show one line, their length."""
        shared = node.index in self.copies or node.index in self.color
        numbers = [("caption", self._caption(node))] if self._caption(node) else []
        if self.overlay == "value" or (self.overlay == "both" and not shared):
            known = self.net.tape.computed(node)
            numbers.append(("value", (length(node.value) if shared else summary(node.value)) if known else "—"))
        if self.overlay in ("gradient", "both"):
            numbers.append(("cotangent", self._cotangent(node, shared)))
        return tuple(numbers)

    def _cotangent(self, node: Node, shared: bool) -> str:
        if not node.active or node.index in self.only_read:
            return ""
        if node.cotangent is None:
            # Once the error has come all the way back, a node before its root that got none has none.
            return "∂ 0" if self.root is not None and node.index <= self.root.index else "∂ —"
        g = np.asarray(node.cotangent)
        return "∂ " + (length(g) if shared else summary(g))

    def _box_height(self, node: Node) -> float:
        needed = LINE * (1 + len(self._numbers(node))) + 10
        small = node.index in self.copies or node.index in self.color
        return needed if small else max(TALL, needed)

    def _box(self, node: Node, x: float, y: float, width: float) -> None:
        kind = "leaf" if node.op is None else "op"
        kind = "weight" if node.index in self.color else "copy" if node.index in self.copies else kind
        self.boxes[node.index] = Box(
            f"n{node.index}",
            str(node),
            x,
            y,
            width,
            self._box_height(node),
            kind,
            self._numbers(node),
            self._tooltip(node),
        )

    def _tooltip(self, node: Node) -> str:
        equation = f"  ({node.equation})" if node.equation else ""
        formula = plain(node.formula) if len(node.parents) < 8 else f"{node}, from {len(node.parents)} nodes"
        return f"{formula}   {node.value.shape}{equation}"

    def _frame(self, t: int, nodes: list[Node], top: float) -> Frame:
        boxes = [self.boxes[n.index] for n in nodes]
        return Frame(
            f"t{t}",
            f"t = {t}",
            min(self._center(t) - self.reach, *(b.left[0] for b in boxes)) - 16,
            min(b.bottom[1] for b in boxes) - 12,
            self._center(t) + self.side + WIRE * len(self.color),
            top + 34,
            tuple(b.id for b in boxes),
        )

    def _place_weights(self, bottom: float) -> list[Frame]:
        weights = list(self.net.weights.values())
        if not weights:
            return []
        left = self._center(1) - self.reach - WIDE / 2 - 2 * GAP
        y = bottom - 52
        for w in weights:
            self._box(w, left, y, WIDE - 10)
            y -= self.boxes[w.index].height + 7
        boxes = [self.boxes[w.index] for w in weights]
        frame = Frame(
            "weights",
            "one set of weights",
            left - WIDE / 2 - 10,
            min(b.bottom[1] for b in boxes) - 12,
            left + WIDE / 2 + 10,
            max(b.top[1] for b in boxes) + 26,
            tuple(b.id for b in boxes),
        )
        return [frame]

    def _place_rest(self, top: float) -> None:
        """The initial state at the left; the total cost, and what it needs, at the upper right."""
        for s0, s1 in zip(flatten(self.net.states[0]), flatten(self.net.states[1]), strict=True):
            row = self.row.get(s1.index, 0)
            self._box(s0, self._center(1) - self.reach - WIDE / 2 - 2 * GAP, self.height[row], WIDE)
        rest = [n for n in self.net.tape if n.index not in self.boxes]
        x, y = self._center(self.net.T) + self.side - WIDE / 2 + WIRE * len(self.color), top + 84
        for k, node in enumerate(n for n in rest if n.op is not None):
            self._box(node, x + k * (WIDE + 2 * GAP), y, WIDE)
        for k, node in enumerate(n for n in rest if n.op is None):
            self._box(node, x + (k + 1) * (WIDE + 2 * GAP), y - ROW, WIDE)

    # ---- lines

    def _line(self, parent: Node, node: Node, slot: int) -> Line:
        a, b = self.boxes[parent.index], self.boxes[node.index]
        color, kind = "", "data"
        points: list[Point]
        if node.index in self.copies:
            points, color, kind = self._tie(parent, node), self.color[parent.index], "tie"
        elif parent.index in self.copies:
            points, color = [a.left, (b.right[0], self._port(a, b))], self.color[self.copies[parent.index].index]
        elif node.t is None:
            points = self._to_total(parent, node)
        elif parent.t != node.t:
            points, kind = self._recurrence(a, b), "state"
        elif a.x > b.x and a.y == b.y:
            points = [a.left, b.right]
        elif a.y == b.y:
            points = [a.right, b.left]
        elif self.row.get(node.index, 0) - self.row.get(parent.index, 0) > 1 and a.x == b.x:
            side = a.x - WIDE / 2 - 10
            points = [a.left, (side, a.y), (side, b.y), b.left]
        else:
            points = [a.top, b.bottom]
        # `x * x` reads one node twice: two lines, side by side.
        aside = 8.0 * sum(p is parent for p in node.parents[:slot])
        points = [(x + aside, y + aside) for x, y in points]
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
            return "  ".join(f"{v + 0.0:.0f}".replace("-", "−") for v in values.flat)  # + 0.0: no "−0"
        shown = "  ".join(short(float(v)) for v in values.flat)
        if len(shown) <= 27:  # what a box has room for
            return shown
    return length(values)


def _width(name: str) -> float:
    """How wide a box must be for a name, in points."""
    return 7.5 * len(name) + 14


def length(values: Any) -> str:
    """The Euclidean length of an array, as it is written in a box."""
    return f"‖·‖ {number(float(np.linalg.norm(values)))}"


def short(value: float) -> str:
    """A number with two decimals, or one digit and a power of ten where two decimals say nothing."""
    if (value and abs(value) < 0.005) or abs(value) >= 1000:
        return f"{value:.0e}".replace("-", "−").replace("e−0", "e−").replace("e+0", "e")
    return f"{value:.2f}".replace("-", "−")
