"""What is written into the boxes of a picture, and how boxes and lines are coloured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..autodiff import Node
from ..autodiff.notation import number
from ..through_time.pathology import jacobians, singular_values
from ..unfold import Unfolded
from ..unfold.structure import flatten
from .fragment import Fragment
from .ledger import part_along
from .scene import Box, Line
from .text import called

Numbers = tuple[tuple[str, str], ...]
InPicture = Callable[[Sequence[Box], Sequence[Line]], bool]  # whether a sign is in a picture
GREY = "#B9B9B2"
ERROR, BAD = "#B3261E", "#D00000"
WALKED = 200_000  # so many nodes are walked in a tenth of a second


def has_number(mark: str = "", kind: str = "") -> InPicture:
    """Whether a line of numbers has this mark, or is of this kind; a caller's own words are none."""
    return lambda boxes, _: any(
        mark in text and kind in (sort, "") for box in boxes for sort, text in box.numbers if sort != "caption"
    )


def in_grey(boxes: Sequence[Box], lines: Sequence[Line]) -> bool:
    """Whether a box or a line is grey."""
    return any(box.border == GREY for box in boxes) or any(line.color == GREY for line in lines)


def in_color(_: Sequence[Box], lines: Sequence[Line]) -> bool:
    """Whether a line has a colour of its own."""
    return any(line.color not in ("", GREY) for line in lines)


NOT_YET = ("—: not computed yet", has_number("—"))
LENGTH = ("‖·‖: Euclidean length", has_number("‖·‖"))
UNREACHED = ("grey: no error comes to it", in_grey)


class Overlay:
    """Nothing but the names, and a word under those that have one; the other overlays say more.

    Parameters
    ----------
    captions : mapping of str to sequence of str
        A word for each time step under the nodes of a name.
    of : int or None
        The time step whose error is meant; that of the last backward pass, or the whole cost, if none is named.
    """

    legend: tuple[tuple[str, str], ...] = ()
    description = ""
    fades = False  # whether what no error reaches is grey

    def __init__(self, captions: Mapping[str, Sequence[str]], of: int | None = None) -> None:
        self.captions, self.of = captions, of
        self.ends: Mapping[str, tuple[Node, int]] = {}  # by a line's id, its reader and which argument it is

    def look(
        self,
        net: Unfolded | Fragment,
        nodes: Sequence[Node],
        copies: Mapping[int, Node],
        color: Mapping[int, str],
        readers: Sequence[Node] = (),
    ) -> None:
        """See what is to be drawn: the nodes that are shown, the copies among them, the weights, and who reads them."""
        self.net, self.tape, self.nodes, self.copies, self.color = net, net.tape, nodes, copies, color
        self.root = net.tape.swept
        self.shared = {*copies, *color}
        read = [(p.index, slot in n.op.only_read) for n in readers or nodes if n.op for slot, p in enumerate(n.parents)]
        self.only_read = {i for i, aside in read if aside} - {i for i, aside in read if not aside}
        self.bad = net.tape.nodes[-1] if net.tape.broken_off else first_not_finite(net, nodes)
        self.reached: set[int] | None = None
        if self.fades:
            start = self.start()
            self.reached = None if start is None else reached(net, nodes, start)

    def start(self) -> Node | None:
        """Where the error starts."""
        losses, cost = getattr(self.net, "losses", ()), getattr(self.net, "cost", None)
        return losses[self.of - 1] if self.of and losses else cost if self.root is None else self.root

    @property
    def signs(self) -> Sequence[tuple[str, InPicture]]:
        """What each sign means, and whether a picture has it."""
        return ()

    def said(self, boxes: Sequence[Box], lines: Sequence[Line]) -> list[str]:
        """What the signs of this picture mean."""
        return [text for text, drawn in self.signs if drawn(boxes, lines)]

    def numbers(self, node: Node) -> Numbers:
        """The lines below a node's name."""
        texts = self.captions.get(node.name, ())
        text = texts[node.t - 1] if node.t and node.t <= len(texts) else ""
        return (("caption", text),) if text else ()

    @property
    def trouble(self) -> str:
        """What the red box says, in a line."""
        if self.bad is None:
            return ""
        error = self.net.tape.broken_off
        where = f"the last node before {error if len(error) < 90 else error[:88] + ' …'}"
        return f"red box: {where if error else f'{self.bad} holds the first number that is not finite'}"

    def style(self, node: Node) -> tuple[str, str, str]:
        """The colours of a box: inside, border and writing; empty for those that its kind has."""
        if node is self.bad:
            return "#FBE3E1", BAD, BAD
        if self.faded(node):
            return "#FFFFFF", GREY, GREY
        return "", "", ""

    def faded(self, node: Node) -> bool:
        """Whether no error reaches a node that could receive some."""
        here = self.reached is None or not node.active or node.index in self.reached
        return not here and node.index not in self.only_read

    def drawn(self, line: Line) -> Line:
        """The line as it is to be drawn: scissors where a cut holds back what would come back along it."""
        ends = self.ends.get(line.id)
        line = self.line(line, ends)
        if ends is not None and not passes(*ends):
            return replace(line, cut=True)
        return line

    def line(self, line: Line, ends: tuple[Node, int] | None) -> Line:
        """The colour and the width of a line, given its reader and which argument it is."""
        if ends is not None and self.reached is not None:
            node, slot = ends
            parent = node.parents[slot]
            if self.faded(node) or self.faded(parent):
                return replace(line, color=GREY)
        return line


class Written(Overlay):
    """Values, cotangents, or both. A weight and its copies have one line, their length."""

    def __init__(self, captions: Mapping[str, Sequence[str]], of: int | None, values: bool, cotangents: bool) -> None:
        super().__init__(captions, of)
        self.values, self.cotangents = values, cotangents
        self.fades = cotangents

    @property
    def signs(self) -> Sequence[tuple[str, InPicture]]:
        """See `Overlay`."""
        back = f"∂, red: d{called(self.root)} / d box", has_number(kind="cotangent")
        return ("black: values", has_number(kind="value")), back, LENGTH, NOT_YET, UNREACHED

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


class Gradient(Overlay):
    """The Euclidean length of each cotangent as a colour, on a scale of powers of ten.

    Parameters
    ----------
    limits : (float, float) or None
        The ends of the scale; by itself it holds what is shown.
    """

    fades = True

    def __init__(
        self, captions: Mapping[str, Sequence[str]], of: int | None, limits: tuple[float, float] | None
    ) -> None:
        super().__init__(captions, of)
        self.limits = limits

    def look(self, *seen: Any) -> None:
        """See `Overlay`."""
        super().look(*seen)
        self.sizes: dict[int, float | None] = {}
        for node in self.nodes:
            if node.active and node.index not in self.only_read:
                g = node.cotangent
                known = self.root is not None and node.index <= self.root.index
                self.sizes[node.index] = (
                    float(np.linalg.norm(np.asarray(g))) if g is not None else 0.0 if known else None
                )
        found = [size for size in self.sizes.values() if size and np.isfinite(size)]
        low, high = self.limits or (min(found, default=1.0), max(found, default=1.0))
        self.low, self.high = float(np.log10(low)), float(np.log10(high))
        if self.high - self.low < 1e-9:
            self.low -= 0.5
            self.high += 0.5
        ticks = np.linspace(self.low, self.high, 7)
        self.legend = tuple((scale((v - self.low) / (self.high - self.low)), tick(10**v)) for v in ticks)

    @property
    def signs(self) -> Sequence[tuple[str, InPicture]]:
        """See `Overlay`."""
        scale = f"colour: the Euclidean length of d{called(self.root)} / d box", lambda *_: bool(self.legend)
        return scale, ("‖∂‖: this length", has_number("‖∂‖")), NOT_YET, UNREACHED

    def numbers(self, node: Node) -> Numbers:
        """See `Overlay`."""
        size = self.sizes.get(node.index, -1.0)
        text = "" if size == -1.0 else "‖∂‖ —" if size is None else f"‖∂‖ {number(size)}"
        return (*super().numbers(node), ("value", text))

    def style(self, node: Node) -> tuple[str, str, str]:
        """See `Overlay`."""
        size = self.sizes.get(node.index)
        if not size or node is self.bad:
            return super().style(node)
        part = (float(np.log10(size)) - self.low) / (self.high - self.low)
        return scale(part), "#444444", "#FFFFFF" if part < 0.55 else "#111111"


class Shares(Overlay):
    """Each copy's part of the gradient of its weight: that of its component along the gradient, so they add up to 1."""

    fades = True

    def look(self, *seen: Any) -> None:
        """See `Overlay`."""
        super().look(*seen)
        self.share: dict[int, float | None] = {}
        total = {w.index: None if w.cotangent is None else np.asarray(w.cotangent) for w in self.copies.values()}
        for node in self.nodes:
            weight = self.copies.get(node.index)
            if weight is not None:
                whole, own = total[weight.index], node.cotangent
                own = np.zeros(node.shape) if own is None else np.asarray(own)
                self.share[node.index] = None if whole is None else part_along(own, whole)

    @property
    def signs(self) -> Sequence[tuple[str, InPicture]]:
        """See `Overlay`."""
        root = called(self.root)
        part = f"%: each copy's part of d{root} / d weight, along it; the copies of a weight add up to 100 %"
        whole = f"∂, red: d{root} / d box", has_number(kind="cotangent")
        return (part, has_number("%")), whole, LENGTH, NOT_YET, UNREACHED

    def numbers(self, node: Node) -> Numbers:
        """See `Overlay`."""
        own = list(super().numbers(node))
        if node.index in self.copies:
            share = self.share[node.index]
            own.append(("value", "—" if share is None else percent(share)))
        elif node.index in self.color:
            own.append(("cotangent", "∂ —" if node.cotangent is None else "∂ " + length(np.asarray(node.cotangent))))
        return tuple(own)

    def style(self, node: Node) -> tuple[str, str, str]:
        """See `Overlay`."""
        share = self.share.get(node.index)
        if share is None:
            return super().style(node)
        return mixed("#FFFFFF", self.color[self.copies[node.index].index], 0.5 * min(1.0, abs(share))), "", "#111111"

    def line(self, line: Line, ends: tuple[Node, int] | None) -> Line:
        """See `Overlay`."""
        share = self.share.get(ends[0].index) if ends else None
        if line.kind == "tie" and share is not None:
            return replace(line, width=0.6 + 5 * min(1.0, abs(share)))
        return super().line(line, ends)


class Jacobian(Overlay):
    """The singular values of ds(t) / ds(t-1): how far each step stretches a disturbance of the state, and so its error.

    Raises
    ------
    ValueError
        If the network was never finished.
    """

    def look(self, *seen: Any) -> None:
        """See `Overlay`."""
        super().look(*seen)
        if not hasattr(self.net, "inputs") or not hasattr(self.net, "losses"):
            raise ValueError("overlay='jacobian' is for a whole network: a tape says nothing of what its state is")
        self.values: dict[int, tuple[float, float]] = {}
        last = {n.t: n.t for n in self.nodes if n.t}
        if last and self.tape.waiting is None:
            found = singular_values(jacobians(self.net, times=sorted(last)))  # type: ignore[arg-type]
            self.values = {t: (float(v.max()), float(v.min())) for t, v in zip(sorted(last), found, strict=True)}
        sizes = [most for most, _ in self.values.values() if most > 0] or [1.0]
        # The scale is the same distance on either side of 1, where nothing is stretched or shrunk.
        self.reach = max(0.3, *(abs(float(np.log10(size))) for size in sizes))
        ticks = np.linspace(-self.reach, self.reach, 5)
        self.legend = tuple((diverging(v / self.reach), tick(10**v)) for v in ticks)

    @property
    def signs(self) -> Sequence[tuple[str, InPicture]]:
        """See `Overlay`."""
        stretch = "colour of a line: the largest singular value of ds(t)/ds(t−1)", in_color
        return stretch, ("σ: the largest and the smallest one", has_number("σ ")), NOT_YET

    def numbers(self, node: Node) -> Numbers:
        """See `Overlay`."""
        states = _states(self.net, node.t) if node.t else []
        if not states or node is not states[0]:
            return super().numbers(node)
        value = self.values.get(node.t or 0)
        text = "σ —" if value is None else f"σ {tick(value[0])} … {tick(value[1])}"
        return (*super().numbers(node), ("value", text))

    def line(self, line: Line, ends: tuple[Node, int] | None) -> Line:
        """See `Overlay`."""
        value = self.values.get(ends[0].t or 0) if ends is not None and line.kind.startswith("state") else None
        if value is None or value[0] <= 0:
            return line
        return replace(line, color=diverging(float(np.log10(value[0])) / self.reach), width=3.2)


class Path(Overlay):
    """The lines that carry the error of one cost back."""

    fades = True

    @property
    def signs(self) -> Sequence[tuple[str, InPicture]]:
        """See `Overlay`."""
        carries_it = f"red: what carries the error of {called(self.start())} back", in_color
        return carries_it, ("grey: what it does not reach", in_grey)

    def line(self, line: Line, ends: tuple[Node, int] | None) -> Line:
        """See `Overlay`."""
        if ends is None:
            return line
        node, slot = ends
        if self.reached is not None and carries(node, slot) and node.index in self.reached:
            return replace(line, color=ERROR, width=2.2 if line.kind.startswith("state") else 1.4)
        return replace(line, color=GREY)

    def style(self, node: Node) -> tuple[str, str, str]:
        """See `Overlay`."""
        if node is self.start():
            return "#FBE3E1", ERROR, ""
        if self.reached is not None and node.index not in self.reached:
            return "#FFFFFF", GREY, GREY
        return super().style(node)


def carries(node: Node, slot: int) -> bool:
    """Whether a node hands this argument a share of its error."""
    parent = node.parents[slot]
    passed_on = node.op is not None and parent.active and slot not in node.op.only_read
    return passed_on and passes(node, slot)


def passes(node: Node, slot: int) -> bool:
    """Whether no cut holds back what a node would hand to this argument."""
    through = node.tape.through
    return through is None or bool(through(node, slot))


def reached(net: Unfolded | Fragment, nodes: Sequence[Node], start: Node) -> set[int]:
    """The nodes that error from `start` reaches, among those shown at least.

    A short tape is walked; of a long one only what is shown, its steps being alike: an error that comes from later
    steps comes back through all of them.
    """
    found, last = {start.index}, start.t or max(getattr(net, "counted", (net.T,)))
    every = net.tape.nodes[: start.index + 1]
    walked = every if len(every) <= WALKED else sorted(nodes, key=lambda node: node.index)
    here = {node.index for node in walked}
    for node in reversed(walked):
        # A state is read by the next step, whether that is shown or not.
        later = len(walked) < len(every) and node.active and node.op is not None and node.index < start.index
        if later and node.t is not None and node.t < last and node in _states(net, node.t):
            found.add(node.index)
        if node.index in found:
            found.update(p.index for slot, p in enumerate(node.parents) if carries(node, slot) and p.index in here)
    found.update(w.index for w in net.weights.values() if start.t is None or len(walked) < len(every))
    return found


def _states(net: Unfolded | Fragment, t: int) -> list[Any]:
    return flatten(net.states[t]) if t < len(net.states) else []


def first_not_finite(net: Unfolded | Fragment, nodes: Sequence[Node]) -> Node | None:
    """The node in whose value the first number that is not finite stands, as far as it is shown."""
    for node in sorted(nodes, key=lambda n: n.index):
        if net.tape.computed(node) and not np.isfinite(node.value).all():
            return node
    return None


# Dark to light, blue to yellow: lightness grows evenly, so that it also reads in grey and with colour-blindness.
SCALE = ("#30185E", "#32488A", "#256F8E", "#238F83", "#4DAE68", "#9CC745", "#F3DF2E")


def scale(part: float) -> str:
    """A colour of the scale, from 0 to 1; beyond its ends that of the end."""
    at = min(1.0, max(0.0, part)) * (len(SCALE) - 1)
    k = min(int(at), len(SCALE) - 2)
    return mixed(SCALE[k], SCALE[k + 1], at - k)


def diverging(part: float) -> str:
    """A colour from blue, for -1, over grey, for 0, to orange, for 1."""
    return mixed("#8A8A8A", "#0072B2" if part < 0 else "#D55E00", min(1.0, abs(part)))


def mixed(one: str, other: str, part: float) -> str:
    """A colour between two, ``#RRGGBB``."""
    pairs = [(int(one[k : k + 2], 16), int(other[k : k + 2], 16)) for k in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * part):02X}" for a, b in pairs)


def tick(value: float) -> str:
    """A number beside a scale, with two digits."""
    return f"{value:.2g}".replace("e-0", "e−").replace("e-", "e−").replace("e+0", "e")


def percent(share: float) -> str:
    """A share as a percentage."""
    return f"{100 * share:.1f} %".replace("-", "−")


NAMES = (None, "values", "cotangents", "both", "gradient", "shares", "path", "jacobian")


def make(
    name: str | None, captions: Mapping[str, Sequence[str]], of: int | None, limits: tuple[float, float] | None
) -> Overlay:
    """The overlay of a name."""
    match name:
        case None:
            return Overlay(captions, of)
        case "gradient":
            return Gradient(captions, of, limits)
        case "shares":
            return Shares(captions, of)
        case "path":
            return Path(captions, of)
        case "jacobian":
            return Jacobian(captions, of)
    return Written(captions, of, name in ("values", "both"), name in ("cotangents", "both"))
