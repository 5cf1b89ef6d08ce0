"""The folded network: its cell once, each state read one step later through a delay, and all copies at one place."""

from __future__ import annotations

from collections.abc import Sequence

from ..autodiff import Node, naming
from ..autodiff.notation import plain, symbol
from ..unfold import Unfolded
from ..unfold.structure import flatten
from .layout import Column, Edge, Item, place
from .overlay import InPicture, Numbers, Overlay
from .scene import BETWEEN, Scene
from .unfolding import TALL, Unfolding, text_width

DELAY = "z⁻¹"


class FoldedPicture(Unfolding):
    """The scene of a folded network, read off one of its steps.

    Raises
    ------
    ValueError
        If the time steps are not copies of one step.
    """

    def __init__(self, net: Unfolded, overlay: Overlay) -> None:
        self.delayed = delays(net)
        self.t = min(2, net.T)  # what stands at t = 1 reads s(0), which is no copy of a state
        super().__init__(net, overlay, [self.t])
        # What was recorded after the network, such as a derivative, is not the cell's.
        self.times[self.t] = [n for n in self.times[self.t] if n.index <= net.cost.index]
        self.timeless = [n for n in self.timeless if n.index <= net.cost.index]

    def scene(self) -> Scene:
        """See the class."""
        net, T = self.net, self.net.T
        step = self.times[self.t]
        read = {p.index for n in step for p in n.parents if p.t is not None and p.t < self.t}
        columns = [
            Column("before", "", [*self._delays(read), *self._constants(read)]),
            Column("step", f"one time step, {T:,} times", [self._item(n) for n in step]),
        ]
        end = [n for n in self.timeless if n.op is not None or any(n in m.parents for m in self.timeless)]
        shared = [self._item(n) for n in (*self.weights, *(n for n in self.timeless if n not in end))]
        placed = place(columns, self._lines(step, end), shared, [self._item(n) for n in end])
        placed.boxes = dict(sorted(placed.boxes.items()))
        scene = self._scene(placed)
        description = (
            f"The cell, drawn once for all {T} time steps: the input at the bottom, the output and the cost at the "
            f"top. Each state is read one step later: through the box {DELAY}. "
            f"The weights {', '.join(str(w) for w in self.weights)} stand below."
        )
        return Scene(
            f"A recurrent network, folded: one cell for {net.T} time steps",
            description,
            scene.boxes,
            scene.lines,
            scene.frames,
            BETWEEN.join([f"{DELAY}: read one step later", *filter(None, [scene.caption])]),
            scene.colors,
            scene.legend,
        )

    def _delays(self, read: set[int]) -> list[Item]:
        """A box for each part of the state that is read one step later."""
        found = []
        for before, (index, state) in zip(flatten(self.net.states[self.t - 1]), self.delayed, strict=True):
            if before.index in read and state is not None:
                numbers = (("caption", plain(symbol(state.name, "t - 1"))),)
                found.append(
                    Item(
                        f"z{index}",
                        DELAY,
                        76.0,
                        TALL,
                        "delay",
                        numbers,
                        "one step later",
                        like=f"n{state.index}",
                        below=1,
                    )
                )
        return found

    def _constants(self, read: set[int]) -> list[Item]:
        """A part of the initial state that the cell hands on as it is."""
        states = flatten(self.net.states[self.t - 1])
        return [
            self._item(before)
            for before, (_, state) in zip(states, self.delayed, strict=True)
            if state is None and before.index in read
        ]

    def _lines(self, step: list[Node], end: list[Node]) -> list[Edge]:
        delay = {
            before.index: f"z{index}"
            for before, (index, state) in zip(flatten(self.net.states[self.t - 1]), self.delayed, strict=True)
            if state is not None
        }
        edges, used = [], set()
        for node in (*step, *end):
            summed = False
            for slot, parent in enumerate(node.parents):
                kind, color = self._style(parent, node)
                name, source = f"e{node.index}-{slot}", delay.get(parent.index, f"n{parent.index}")
                if node.t is None and parent.t is not None:  # a sum over time: one line for all its terms
                    if summed:
                        continue
                    summed, source, kind = True, f"n{self._of_step(parent).index}", "data"
                again = sum(p is parent for p in node.parents[:slot]) if len(node.parents) < 8 else 0
                self.ends[name] = node, slot
                edges.append(Edge(name, source, f"n{node.index}", kind, color, again=again))
                used.add(source)
        states = [(index, state) for index, state in self.delayed if state is not None and f"z{index}" in used]
        return [*edges, *(Edge(f"d{index}", f"n{state.index}", f"z{index}", "state") for index, state in states)]

    def _of_step(self, like: Node) -> Node:
        return next(n for n in self.times[self.t] if n.role == like.role)

    def _item(self, node: Node, like: str = "") -> Item:
        item = super()._item(node, like)
        if node.t is not None:
            label = at_any_time(node, self.t)
            item.name, item.tooltip = label, item.tooltip.replace(f"({self.t})", "(t)")
            item.width = max(item.width, text_width(label))
        return item


class OfAllSteps(Overlay):
    """What holds for all steps at once: shapes, and what the copies of a weight add up to."""

    def __init__(self, base: Overlay) -> None:
        super().__init__(base.captions, base.of)
        self.base = base

    def look(self, *seen) -> None:  # type: ignore[no-untyped-def]
        """See `Overlay`."""
        super().look(*seen)
        self.base.look(*seen)
        self.legend = self.base.legend

    @property
    def signs(self) -> Sequence[tuple[str, InPicture]]:
        """See `Overlay`."""
        return self.base.signs

    def numbers(self, node: Node) -> Numbers:
        """See `Overlay`."""
        if node.t is None:
            return self.base.numbers(node)
        if node.index in self.copies:
            return (("caption", f"× {self.net.T:,}"),)
        return (("elided", " × ".join(map(str, node.shape)) or "a number"),)

    def style(self, node: Node) -> tuple[str, str, str]:
        """See `Overlay`."""
        return self.base.style(node) if node.t is None else ("", "", "")


def at_any_time(node: Node, t: int) -> str:
    """What a node of the step that is drawn, t, is called in any."""
    return plain(naming.latex(node, lambda n: n.t and ("t" if n.t == t else "t − 1")))


def delays(net: Unfolded) -> list[tuple[int, Node | None]]:
    """For each part of the state, its number and the node it is a copy of in the step that is drawn, if it has one."""
    net.fold()  # says why, where it cannot be folded
    t = min(2, net.T)
    parts = zip(flatten(net.states[t]), flatten(net.states[0]), strict=True)
    return [(k, s if s.t == t else None) for k, (s, _) in enumerate(parts)]
