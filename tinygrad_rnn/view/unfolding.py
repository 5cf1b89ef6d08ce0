"""The unfolded network as boxes and lines: a column for each time step that is shown, read off the tape."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from ..autodiff import Node
from ..autodiff.notation import plain
from ..autodiff.traits import is_tie
from ..unfold import Unfolded
from ..unfold.structure import flatten
from .fragment import Fragment
from .layout import Column, Edge, Item, Placed, place
from .overlay import GREY, Overlay
from .palette import PALETTE
from .scene import BETWEEN, Scene

WIDE, TALL = 118.0, 52.0  # a box on the main way
WIDEST = 150.0  # up to here all boxes follow the widest
SMALL = 72.0  # the width of a weight's box
LINE = 13.0  # the height of a line of numbers
ELIDED = "elided"


class Steps:
    """The nodes of a network by time step; those of a step are found without a walk over all of them."""

    def __init__(self, net: Unfolded | Fragment) -> None:
        self.net = net
        self.nodes = net.tape.nodes
        self.whole = isinstance(net, Unfolded) and net.tape.nodes[-1] is net.cost
        self._by_time: dict[int | None, list[Node]] = defaultdict(list)
        if not self.whole:
            for node in self.nodes:
                self._by_time[node.t].append(node)

    def at(self, t: int) -> Sequence[Node]:
        """The nodes of a time step, 0 for what comes before the first one."""
        if not self.whole:
            return self._by_time[t]
        net = self.net
        assert isinstance(net, Unfolded)
        if t == 0:
            return [n for n in self.nodes[: net.inputs[0].index] if n.t == 0]
        return self.nodes[net.inputs[t - 1].index : net.losses[t - 1].index + 1]

    @property
    def timeless(self) -> list[Node]:
        """The nodes of no time step, but for the weights."""
        weights = {w.index for w in self.net.weights.values()}
        if not self.whole:
            return [n for n in self._by_time[None] if n.index not in weights]
        net = self.net
        assert isinstance(net, Unfolded)
        found = [*self.nodes[: net.inputs[0].index], *self.nodes[net.losses[-1].index + 1 :]]
        return [n for n in found if n.t is None and n.index not in weights]


def unfolded(net: Unfolded | Fragment, overlay: Overlay, shown: Sequence[int]) -> Scene:
    """The scene of an unfolded network.

    Parameters
    ----------
    net : Unfolded or Fragment
        The network.
    overlay : Overlay
        What is written into the boxes, and how they are coloured.
    shown : sequence of int
        The time steps that have a column, in order; what lies between is said in words.
    """
    return Unfolding(net, overlay, shown).scene()


class Unfolding:
    """Boxes and lines for the nodes of the time steps that are shown."""

    def __init__(self, net: Unfolded | Fragment, overlay: Overlay, shown: Sequence[int]) -> None:
        self.net, self.overlay, self.shown = net, overlay, shown
        self.steps = Steps(net)
        self.weights = list(net.weights.values())
        self.color = {w.index: PALETTE[i % len(PALETTE)] for i, w in enumerate(self.weights)}
        self.times = {t: list(self.steps.at(t)) for t in (0, *shown)}
        self.timeless = self.steps.timeless
        nodes = [n for column in self.times.values() for n in column]
        self.copies = {n.index: n.parents[0] for n in nodes if self._is_copy(n)}
        self.inputs = {net.inputs[t - 1].index for t in shown if t <= len(net.inputs)}
        overlay.look(net, [*nodes, *self.timeless, *self.weights], self.copies, self.color)
        self.small = max([SMALL, *(text_width(str(n)) for n in nodes if n.index in self.copies)])
        self.here = {n.index for n in (*nodes, *self.timeless, *self.weights)}
        self.gaps: list[tuple[int, int]] = []
        self.ends: dict[str, tuple[Node, int]] = {}
        overlay.ends = self.ends

    def _is_copy(self, node: Node) -> bool:
        return is_tie(node) and node.parents[0].index in self.color

    def scene(self) -> Scene:
        """The scene, see `unfolded`."""
        net = self.net
        self.gaps = [(a, b) for a, b in pairwise((0, *self.shown, net.T + 1)) if b - a > 1]
        columns, edges = self._columns(), self._edges()
        read_by_steps = {p.index for t in self.times for n in self.times[t] for p in n.parents}
        constants = [n for n in self.timeless if n.op is None and n.index in read_by_steps]
        end = [self._item(n) for n in self.timeless if n not in constants]
        _evened([item for column in columns if not column.elided for item in column.items])
        shared = [self._item(n) for n in (*self.weights, *constants)]
        placed = place(columns, edges, shared, end)
        return self._scene(placed)

    def _scene(self, placed: Placed) -> Scene:
        boxes, lines = tuple(placed.boxes.values()), [self.overlay.drawn(line) for line in placed.lines]
        net, left_out = self.net, [f"{a + 1} to {b - 1}" for a, b in self.gaps]
        elided = f" Time steps {' and '.join(left_out)} are left out." if left_out else ""
        return Scene(
            title=f"A recurrent network unfolded over {net.T} time steps",
            description=(
                f"{len(self.shown)} columns, one for each time step, from left to right. In each column the input at "
                "the bottom, the state above it, the output and the cost at the top; the state of each step feeds the "
                f"next. The weights {', '.join(str(w) for w in self.weights)} stand once below the columns, "
                f"tied to a copy in every step.{elided} {self.overlay.description}"
            ).strip(),
            boxes=boxes,
            # What is grey lies at the back: lines to one box run together.
            lines=tuple(sorted(lines, key=lambda line: line.color != GREY)),
            frames=tuple(placed.frames),
            caption=BETWEEN.join([*self.overlay.said(boxes, lines), *filter(None, [self.overlay.trouble])]),
            legend=self.overlay.legend,
            colors={f"n{i}": self.color[w.index] for i, w in self.copies.items()}
            | {f"n{i}": c for i, c in self.color.items()},
        )

    # ---- boxes

    def _columns(self) -> list[Column]:
        like = self._like()
        columns = [Column("t0", "", [self._item(n, like.get(n.index, "")) for n in self.times[0]])]
        for t, after in zip(self.shown, (*self.shown[1:], self.net.T + 1), strict=True):
            if t == self.shown[0] and t > 1:
                columns.append(gap_column(0, t))
            columns.append(Column(f"t{t}", f"t = {t}", [self._item(n) for n in self.times[t]]))
            if after - t > 1:
                columns.append(gap_column(t, after))
        return columns

    def _like(self) -> dict[int, str]:
        """The box in the first column whose row each part of the initial state shares."""
        roles = {n.role: n for n in self.times[self.shown[0]]}
        pairs = zip(flatten(self.net.states[0]), flatten(self.net.states[1]), strict=True)
        return {s0.index: f"n{roles[s1.role].index}" for s0, s1 in pairs if s1.role in roles and s1.t}

    def _item(self, node: Node, like: str = "") -> Item:
        shared = node.index in self.copies or node.index in self.color
        kind = "leaf" if node.op is None else "op"
        kind = "weight" if node.index in self.color else "copy" if shared else kind
        beside = node.index in self.copies or (node.op is None and node.index not in self.inputs and node.t != 0)
        name = str(node)
        numbers = tuple((kind, text) for kind, text in self.overlay.numbers(node) if text)
        wide = self.small if node.index in self.copies else WIDE - 10 if shared or beside else WIDE
        needed = LINE * (1 + len(numbers)) + 10
        return Item(
            f"n{node.index}",
            name,
            max(wide, text_width(name), *(10 + 5.2 * len(text) for _, text in numbers)),
            needed if shared else max(TALL, needed),
            kind,
            numbers,
            tooltip(node),
            beside,
            node.index in self.inputs,
            like,
            0,
            *self.overlay.style(node),
        )

    # ---- lines

    def _edges(self) -> list[Edge]:
        edges: list[Edge] = []
        shown = [n for column in self.times.values() for n in column]
        before = {b: a for a, b in self.gaps}
        for node in (*shown, *self.timeless):
            elided: dict[str, Edge] = {}
            for slot, parent in enumerate(node.parents):
                name = f"e{node.index}-{slot}"
                self.ends[name] = node, slot
                again = 0 if len(node.parents) > 8 else sum(p is parent for p in node.parents[:slot])
                if parent.index in self.here:
                    kind, color = self._style(parent, node)
                    edges.append(Edge(name, f"n{parent.index}", f"n{node.index}", kind, color, again=again))
                elif parent.t is not None:
                    a, _ = next(gap for gap in self.gaps if gap[0] < parent.t < gap[1])
                    gap, like = f"{ELIDED}{a + 1}", ""
                    if node.t is None or before.get(node.t) != a:
                        if gap not in elided:  # one line for all that come from the gap
                            elided[gap] = Edge(f"{gap}-{node.index}", gap, f"n{node.index}", "data")
                            edges.append(elided[gap])
                    else:
                        like_it = self._of_role(a, parent)
                        like = f"n{like_it.index}" if like_it is not None else ""
                        edges.append(Edge(name, gap, f"n{node.index}", "state", "", like, again))
        for a, b in self.gaps:
            edges += self._into_gap(a, b)
        return edges

    def _style(self, parent: Node, node: Node) -> tuple[str, str]:
        if parent.index in self.color:
            return "tie", self.color[parent.index]
        if parent.index in self.copies:
            return "data", self.color[self.copies[parent.index].index]
        return ("state" if node.t is not None and parent.t is not None and parent.t != node.t else "data"), ""

    def _of_role(self, t: int, like: Node) -> Node | None:
        """The node that stands at another time where this one stands at its own."""
        if t == 0:
            states = zip(flatten(self.net.states[0]), flatten(self.net.states[1]), strict=True)
            return next((s0 for s0, s1 in states if s1.role == like.role), None)
        return next((n for n in self.times[t] if n.role == like.role), None)

    def _into_gap(self, a: int, b: int) -> list[Edge]:
        """What the steps that are left out read of what is shown."""
        gap, found = f"{ELIDED}{a + 1}", {}
        for t in {a + 1, b - 1}:
            for node in self.steps.at(t):
                for parent in node.parents:
                    if parent.index in self.here and parent.t != t:
                        kind, color = self._style(parent, node)
                        name = f"{gap}-{parent.index}"
                        self.ends[name] = node, node.parents.index(parent)
                        found[parent.index] = Edge(name, f"n{parent.index}", gap, kind, color)
        return list(found.values())


def _evened(items: list[Item]) -> None:
    """Make boxes as wide as the widest on the main way, so that they stand in line, unless that one is very wide."""
    main = [item for item in items if not item.beside]
    wide = max((item.width for item in main if item.width <= WIDEST), default=WIDE)
    for item in main:
        item.width = max(item.width, wide)


def gap_column(a: int, b: int) -> Column:
    """The column of the steps after `a` and before `b`, which are left out."""
    count = b - a - 1
    what = f"t = {a + 1}" + (f" … {b - 1}" if count > 1 else "")
    words = what, f"{count:,} steps" if count > 1 else "one step", "like these"
    numbers = tuple((f"elided-{k}", text) for k, text in enumerate(words))
    width = max(92.0, text_width(what) * 0.8)
    item = Item(f"{ELIDED}{a + 1}", "…", width, TALL, "elided", numbers, f"time steps {a + 1} to {b - 1}")
    return Column(f"gap{a + 1}", "", [item], elided=True)


def tooltip(node: Node) -> str:
    """The node's formula, shape and equation."""
    equation = f"  ({node.equation})" if node.equation else ""
    formula = plain(node.formula) if len(node.parents) < 8 else f"{node}, from {len(node.parents)} nodes"
    return f"{formula}   {node.shape}{equation}"


def text_width(name: str) -> float:
    """How wide a box must be for a name, in points."""
    return 7.5 * len(name) + 14
