"""Numbers that are not finite: the first one on a tape, and who made it out of finite ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .chain import pullback, received
from .node import Node
from .notation import number
from .passes import Array, Cotangents, Values
from .tape import Tape


@dataclass(frozen=True)
class BadNumber:
    """The first NaN or infinity of a pass. It prints as a sentence.

    Attributes
    ----------
    node : Node
        Whose value is bad or, backwards, who handed on a bad share, or received a sum that is bad.
    parent : Node or None
        Backwards, who was handed a bad share.
    index : tuple of int
        The first bad entry, of the node's value or of the share.
    value : float
        That entry.
    count : int
        How many entries are bad.
    """

    node: Node
    parent: Node | None
    index: tuple[int, ...]
    value: float
    count: int
    _backwards: bool
    _read: str

    @property
    def phase(self) -> str:
        """``forward`` or ``backward``."""
        return "backward" if self._backwards else "forward"

    def __str__(self) -> str:
        node, where = self.node, place(self.node)
        found = f"{self.value:g}" + (f" at [{', '.join(map(str, self.index))}]" if self.index else "")
        found += f" ({self.count} of {self._size} entries are not finite)" if self.count > 1 else ""
        who = f"{node.op.name if node.op else 'leaf'}{where} ({node})"
        if self.parent is not None:
            return f"backwards, {who} hands {self.parent} {found}, out of finite numbers: {self._read}"
        if self._backwards:
            return f"backwards, finite shares of {node}{where} add up to {found}"
        if node.op is None:
            return f"{node}{where} was given {found}"
        return f"{who} makes {found}, out of finite numbers: {self._read}"

    @property
    def _size(self) -> int:
        return int(np.prod((self.node if self.parent is None else self.parent).shape))


def first_bad(tape: Tape) -> BadNumber | None:
    """The first number that is not finite: among the values in the order of the tape, then among what came back.

    Nothing before it is bad, so a node that has it was given it, or has made it out of finite numbers.
    """
    with np.errstate(all="ignore"):
        return bad_value(tape.nodes, tape.values) or bad_error(tape)


def bad_value(nodes: Sequence[Node], values: Values) -> BadNumber | None:
    """The first value that is not finite, as far as the forward pass has come."""
    for node in nodes:
        if (values.lazy or node in values) and not np.isfinite(values[node]).all():
            return _bad(node, None, values[node], values, False)
    return None


def bad_error(tape: Tape) -> BadNumber | None:
    """The first cotangent that is not finite, from the root of the last complete backward pass on."""
    root, values, back = tape.swept, tape.values, tape.cotangents
    if root is None or back is None:
        return None
    nodes = tape.nodes[: root.index + 1]
    for node in reversed(nodes):
        g = back[node]
        if g is not None and not np.isfinite(np.asarray(g)).all():
            return _handed(nodes, values, back, node) or _bad(node, None, np.asarray(g), values, True)
    return None


def _handed(nodes: Sequence[Node], values: Values, back: Cotangents[Any], parent: Node) -> BadNumber | None:
    """Which of the nodes that read `parent` handed it a bad share."""
    for node in reversed(nodes[parent.index + 1 :]):
        if parent in node.parents and back[node] is not None:
            again = Cotangents(node.index + 1, {node: [np.asarray(back[node])]})
            for share in pullback([node], again, values.__getitem__, received):
                if share.parent is parent and not np.isfinite(np.asarray(share.value)).all():
                    return _bad(node, parent, np.asarray(share.value), values, True)
    return None


def _bad(node: Node, parent: Node | None, array: Array, values: Values, backwards: bool) -> BadNumber:
    bad = ~np.isfinite(array)
    index = tuple(int(i) for i in np.unravel_index(int(bad.argmax()), array.shape)) if array.ndim else ()
    read = ", ".join(f"{p} up to {number(largest(values[p]))}" for p in dict.fromkeys(node.parents))
    return BadNumber(node, parent, index, float(array[index]), int(bad.sum()), backwards, read)


def place(node: Node) -> str:
    """Where a node stands, for a message: its time and its role, if it has them."""
    if node.t is None:
        return ""
    return f" at t={node.t}" + (f", role {node.role}" if node.role >= 0 else "")


def largest(values: Array) -> float:
    """The largest size of an entry."""
    return float(np.abs(values).max(initial=0.0))
