"""One node opened into its units, with the indices of Guo's equations: which unit reads which, and how strongly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, writing
from ..autodiff.calling import shortened
from ..autodiff.notation import number, plain, symbol
from ..autodiff.traits import is_tie, product_with
from ..autodiff.worked import worked
from ..unfold import Unfolded
from .fragment import Fragment
from .overlay import short
from .scene import Box, Line, Scene
from .unfolding import Steps

MOST_UNITS = 12  # in a row
SIZE, APART, GROUP, HIGH = 58.0, 26.0, 56.0, 190.0
POSITIVE, NEGATIVE = "#0072B2", "#D55E00"
INDICES = {"x": "i", "d": "k", "y": "k", "net_k": "k"}


def zoomed(net: Unfolded | Fragment, zoom: tuple[int, str]) -> Scene:
    """The scene of one node's units and the units that it reads, of the first sample.

    Raises
    ------
    ValueError
        If there is no such node, if it is a leaf, or if there are more units than can be drawn.
    """
    node = _find(net, zoom)
    assert node.op is not None  # `_find` says so otherwise
    if not net.tape.computed(node):
        raise ValueError(f"zoom={shortened(zoom)}: {node} is not computed yet: run the forward pass to its end")
    args = [p.value for p in node.parents]
    groups = [slot for slot, p in enumerate(node.parents) if not is_tie(p)]
    rows = [_row(node.parents[slot]) for slot in groups]
    units = _row(node)
    for p, row in [*((node.parents[slot], row) for slot, row in zip(groups, rows, strict=True)), (node, units)]:
        if len(row) > MOST_UNITS:
            raise ValueError(
                f"zoom={shortened(zoom)}: {p} has {len(row)} units, and {MOST_UNITS} are as many as can be read"
            )
    widths = [len(row) * (SIZE + APART) - APART for row in rows]
    total = sum(widths) + GROUP * (len(rows) - 1)
    boxes: list[Box] = []
    links: list[_Link] = []
    top = _boxes(node, units, 0.0, HIGH, 52.0)
    boxes += top
    left = -total / 2
    for slot, row, width in zip(groups, rows, widths, strict=True):
        parent = node.parents[slot]
        bottom = _boxes(parent, row, left + width / 2, 0.0, -52.0, f"-{slot}", _index(parent, node))
        boxes += bottom
        links += _links(node, slot, args, bottom, top)
        left += width + GROUP
    best = int(np.argmax(np.abs(units)))
    name = _unit_name(node, best) if node.shape else str(node)
    entry = worked(writing.value_entry(node.op, _at(node, best), args), float(units[best]))
    line = f"{name} = {entry} = {number(units[best])}"
    biggest = max((abs(link.slope) for link in links), default=1.0) or 1.0
    lines = tuple(link.line(biggest) for link in links)
    samples = f", sample 1 of {node.shape[0]}" if len(node.shape) > 1 and node.shape[0] > 1 else ""
    return Scene(
        title=f"The units of {node}{samples}",
        description=f"The units of {node} at the top, below them the units that they read. {plain(node.formula)}",
        boxes=(*boxes, *_labels(node, links, lines, boxes)),
        lines=lines,
        frames=(),
        caption=f"{plain(node.formula)}      {line if len(line) < 140 else ''}{samples}".rstrip(),
        legend=((POSITIVE, "positive slope"), (NEGATIVE, "negative slope"), ("#FFFFFF", "width: its size")),
    )


def _find(net: Unfolded | Fragment, zoom: Any) -> Node:
    if not (isinstance(zoom, tuple | list) and len(zoom) == 2 and isinstance(zoom[1], str)):
        raise ValueError(f"zoom={shortened(zoom)}: it is a time step and a node's name, such as (2, 'net_j')")
    t, name = zoom
    if isinstance(t, bool) or not isinstance(t, int | np.integer) or not 1 <= t <= net.T:
        raise ValueError(f"zoom={shortened(zoom)}: the time step is an integer from 1 to {net.T}")
    nodes = [n for n in Steps(net).at(int(t)) if n.op is not None and not is_tie(n)]
    for node in nodes:
        if name in (node.name, str(node)):
            return node
    raise ValueError(f"zoom={shortened(zoom)}: at t={t} there are {', '.join(n.name or str(n) for n in nodes)}")


def _row(node: Node) -> NDArray[Any]:
    """The node's units: its numbers for the first sample."""
    value = np.asarray(node.value)
    return (value[0] if value.ndim > 1 else value).reshape(-1)


def _at(node: Node, unit: int) -> tuple[int, ...]:
    shape = node.shape[1:] if len(node.shape) > 1 else node.shape
    index = tuple(int(i) for i in np.unravel_index(unit, shape)) if shape else ()
    return (0, *index) if len(node.shape) > 1 else index


def _index(node: Node, reader: Node | None = None) -> str:
    """The letter that Guo gives the units of a layer: i input, h previous hidden, j hidden, k output."""
    last = node.name.partition("_")[2][:1]
    if reader is not None and node.t is not None and reader.t is not None and node.t < reader.t:
        return "h"
    return INDICES.get(node.name) or (last if last in ("h", "i", "j", "k") else "j")


def _unit_name(node: Node, unit: int) -> str:
    if not node.name:
        return f"{plain(writing.grouped(node.latex))}[{unit + 1}]"
    base, *rest = node.name.split("_")
    rest = [part for part in rest if part not in ("h", "i", "j", "k")]
    return plain(symbol("_".join([base, *rest, str(unit + 1)]), node.t))


def _boxes(
    node: Node, row: NDArray[Any], middle: float, y: float, beside: float, mark: str = "", index: str = ""
) -> list[Box]:
    """A circle for each unit, and the layer's name beside the row."""
    left = middle - (len(row) - 1) * (SIZE + APART) / 2
    scalar = not node.shape
    boxes = [
        Box(
            f"n{node.index}{mark}u{k}",
            str(node) if scalar else _unit_name(node, k),
            left + k * (SIZE + APART),
            y,
            SIZE,
            SIZE,
            "unit",
            (("value", short(float(v))),),
            f"{node}[{k + 1}] = {v:.6g}",
        )
        for k, v in enumerate(row)
    ]
    letter = index or _index(node)
    name = str(node) if scalar else f"{node}, {letter} = 1" + (f" … {len(row)}" if len(row) > 1 else "")
    boxes.append(Box(f"n{node.index}{mark}name", name, middle, y + beside, 8.0 * len(name), 22.0, "label"))
    return boxes


class _Link(NamedTuple):
    """Unit j reads unit i of an argument, with this slope."""

    slot: int
    i: int
    j: int
    below: Box
    above: Box
    slope: float

    def line(self, biggest: float) -> Line:
        """As it is drawn: it ends at the circles where it meets them."""
        a, b = self.below, self.above
        dx, dy = b.x - a.x, b.y - a.y
        part = SIZE / 2 / float(np.hypot(dx, dy))
        ends = (a.x + dx * part, a.y + dy * part), (b.x - dx * part, b.y - dy * part)
        color = POSITIVE if self.slope > 0 else NEGATIVE if self.slope < 0 else "#BBBBBB"
        width = 0.5 + 3 * abs(self.slope) / biggest
        return Line(f"u{self.slot}-{self.i}-{self.j}", a.id, b.id, ends, color=color, width=width)


def _links(
    node: Node, slot: int, args: Sequence[NDArray[Any]], below: Sequence[Box], above: Sequence[Box]
) -> Iterator[_Link]:
    """All that the units of a node read of those of an argument; behind the units stands the layer's name."""
    slopes, read = _slopes(node, slot, args)
    for j, i in np.argwhere(read[: len(above) - 1, : len(below) - 1]).tolist():
        yield _Link(slot, i, j, below[i], above[j], float(slopes[j, i]))


def _slopes(node: Node, slot: int, args: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The slope of each unit in each unit of an argument, and whether it reads it at all.

    Whether it does is asked at other numbers, too: where a slope is 0 by chance, a line is drawn all the same.
    """
    assert node.op is not None  # a leaf has no units that it reads
    outs, ins = _row(node).size, _row(node.parents[slot]).size
    if node.op.rule(slot) is None or slot in node.op.only_read:
        return np.zeros((outs, ins)), np.eye(outs, dtype=bool) if outs == ins else np.ones((outs, ins), bool)
    rng = np.random.default_rng(0)
    others = [rng.uniform(0.1, 0.9, np.shape(a)) for a in args]
    found = []
    for values in (list(args), others):
        y, rows = node.op.value(*values), []
        for unit in range(outs):
            g = np.zeros(node.shape)
            g[_at(node, unit)] = 1.0
            share = np.asarray(node.op.share(slot, g, y, values))
            rows.append((share[0] if share.ndim > 1 else share).reshape(-1))
        found.append(np.array(rows))
    return found[0], (found[0] != 0) | (found[1] != 0)


def _labels(node: Node, links: Sequence[_Link], lines: Sequence[Line], boxes: Sequence[Box]) -> list[Box]:
    """The weights beside their lines, where there is room for all of them."""
    found = []
    for (slot, i, j, _, _, slope), line in zip(links, lines, strict=True):
        product = product_with(node, slot)
        if product is None or product.slots[0] != slot or product.turned != (False, True):
            continue
        weight = node.parents[product.beside(slot)]
        name = f"{plain(symbol(f'{weight.name.lower()}_{j + 1}{i + 1}'))} {short(slope)}"
        (x0, y0), (x1, y1) = line.points
        part = 0.28 + 0.44 * ((i + j) % 3) / 2
        at = x0 + (x1 - x0) * part, y0 + (y1 - y0) * part
        found.append(Box(f"label{line.id}", "", *at, 5.2 * len(name) + 4, 13.0, "label", (("elided", name),)))
    for a, b in combinations([*found, *boxes], 2):
        if abs(a.x - b.x) < (a.width + b.width) / 2 and abs(a.y - b.y) < (a.height + b.height) / 2:
            return []
    return found
