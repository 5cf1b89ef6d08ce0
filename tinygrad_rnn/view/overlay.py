"""What is written into the boxes of a picture, and how boxes and lines are coloured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autodiff import Node
from ..autodiff.notation import number
from .scene import Line

if TYPE_CHECKING:
    from .unfolding import Fragment
    from ..unfold import Unfolded

Numbers = tuple[tuple[str, str], ...]
GREY = "#B9B9B2"


class Overlay:
    """Nothing but the names, and a word under those that have one; the other overlays say more.

    Parameters
    ----------
    captions : mapping of str to sequence of str
        A word for each time step under the nodes of a name.
    """

    legend: tuple[tuple[str, str], ...] = ()
    description = ""

    def __init__(self, captions: Mapping[str, Sequence[str]]) -> None:
        self.captions = captions

    def look(
        self,
        net: Unfolded | Fragment,
        nodes: Sequence[Node],
        copies: Mapping[int, Node],
        color: Mapping[int, str],
    ) -> None:
        """See what is to be drawn: the nodes that are shown, the copies among them, and the weights."""
        self.net, self.tape, self.nodes = net, net.tape, nodes
        self.root = net.tape.swept
        self.shared = {*copies, *color}
        readers = [(p.index, slot in n.op.only_read) for n in nodes if n.op for slot, p in enumerate(n.parents)]
        self.only_read = {i for i, aside in readers if aside} - {i for i, aside in readers if not aside}

    @property
    def caption(self) -> str:
        """What the signs mean, in a line."""
        return ""

    def numbers(self, node: Node) -> Numbers:
        """The lines below a node's name."""
        texts = self.captions.get(node.name, ())
        text = texts[node.t - 1] if node.t and node.t <= len(texts) else ""
        return (("caption", text),) if text else ()

    def line(self, line: Line) -> Line:
        """The line as it is to be drawn."""
        return line


class Written(Overlay):
    """Values, cotangents, or both. A weight and its copies have one line, their length."""

    def __init__(self, captions: Mapping[str, Sequence[str]], values: bool, cotangents: bool) -> None:
        super().__init__(captions)
        self.values, self.cotangents = values, cotangents

    @property
    def caption(self) -> str:
        """See `Overlay`."""
        said = {
            "black: values": self.values,
            f"∂, red: d{self.root or 'C'} / d box": self.cotangents,
            "‖·‖: Euclidean length": True,
            "—: not computed yet": True,
        }
        return "      ".join(text for text, shown in said.items() if shown)

    def numbers(self, node: Node) -> Numbers:
        """See `Overlay`."""
        shared = node.index in self.shared
        numbers = list(super().numbers(node))
        if self.values and not (shared and self.cotangents):
            known = self.tape.computed(node)
            numbers.append(("value", (length(node.value) if shared else summary(node.value)) if known else "—"))
        if self.cotangents:
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


def summary(values: Any) -> str:
    """An array in a few characters: its numbers if there are at most four, else their length as a vector."""
    if values.size <= 4:
        if np.all(values == np.round(values)) and np.all(np.abs(values) < 100):
            return "  ".join(f"{v + 0.0:.0f}".replace("-", "−") for v in values.flat)  # + 0.0: no "−0"
        shown = "  ".join(short(float(v)) for v in values.flat)
        if len(shown) <= 27:  # what a box has room for
            return shown
    return length(values)


def length(values: Any) -> str:
    """The Euclidean length of an array, as it is written in a box."""
    return f"‖·‖ {number(float(np.linalg.norm(values)))}"


def short(value: float) -> str:
    """A number with two decimals, or one digit and a power of ten where two decimals say nothing."""
    if (value and abs(value) < 0.005) or abs(value) >= 1000:
        return f"{value:.0e}".replace("-", "−").replace("e−0", "e−").replace("e+0", "e")
    return f"{value:.2f}".replace("-", "−")
