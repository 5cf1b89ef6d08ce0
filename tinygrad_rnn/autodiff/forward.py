"""Forward mode: a disturbance of some nodes, carried along the tape to everything that depends on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import ops
from .errors import ShapeError, TapeError

if TYPE_CHECKING:
    from .tape import Node, Tape

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Push:
    """One term of the chain rule, forwards: what the tangent of a parent does to the node that reads it.

    Attributes
    ----------
    node, parent : Node
        Who is moved, and by whom.
    slot : int
        Which argument of the node's op the parent is; `x * x` has slots 0 and 1.
    value : ndarray
        The contribution, of the node's shape.
    before, after : ndarray or None
        The node's tangent before and after; None before the first contribution.
    """

    node: Node
    slot: int
    parent: Node
    value: Array
    before: Array | None
    after: Array


class Tangents(dict["Node", Array]):
    """The tangents of the nodes that a disturbance has reached; that of any other node is zero."""

    def __missing__(self, node: Node) -> Array:
        return np.zeros_like(node.value)


def seeded(tape: Tape, tangents: Mapping[Node, Any]) -> Tangents:
    """The tangents a pass starts with: read-only arrays of the shapes and dtypes of their nodes.

    Raises
    ------
    TapeError
        If a node stands on another tape, or if the forward pass has not been played to its end.
    ShapeError
        If a tangent does not have its node's shape.
    """
    moved = Tangents()
    for node, given in tangents.items():
        if node.index >= len(tape) or tape[node.index] is not node:
            raise TapeError(f"{node} stands on another tape: disturb a node of this one")
        tangent = np.array(given, dtype=node.value.dtype)
        if tangent.shape != node.shape:
            raise ShapeError(f"the tangent of {node} is {tangent.shape} and {node} is {node.shape}: they must agree")
        tangent.flags.writeable = False
        moved[node] = tangent
    waiting = tape.waiting
    if waiting is not None:
        raise TapeError(
            f"tangents before values: {waiting} has changed or was not computed since the last forward pass. "
            "Replay it to its end first."
        )
    return moved


def pushes(tape: Tape, moved: Tangents, among: range | None = None) -> Iterator[Push]:
    """Carry the tangents in `moved` along the tape, or some nodes of it, and leave in it what arrives."""
    first = min((node.index for node in moved), default=len(tape))
    for index in range(first + 1, len(tape)) if among is None else among:
        node = tape[index]
        op = node.op
        if op is None:
            continue
        args: list[Array] = []
        for slot, parent in enumerate(node.parents):
            if parent not in moved or slot in op.only_read:
                continue
            _need_rule(node, slot)
            args = args or [p.value for p in node.parents]
            value = np.asarray(op.push(slot, moved[parent], node.value, args))
            before = moved.get(node)
            after = value if before is None else np.asarray(before + value)
            value.flags.writeable = after.flags.writeable = False
            moved[node] = after
            yield Push(node, slot, parent, value, before, after)


def record_pushforward(tape: Tape, size: int, seeds: Mapping[int, Node]) -> dict[int, Node]:
    """Record forward mode over a tape's first nodes as nodes of the same tape.

    The rules are called with nodes, as `record_pullback` does, so what is recorded can be played for many
    disturbances at once, see `play_copies`.

    Parameters
    ----------
    tape : Tape
        The tape.
    size : int
        How many of its nodes are to be gone through.
    seeds : mapping of int to Node
        The tangent of each node that is disturbed, by the node's index.

    Returns
    -------
    dict of int to Node
        The tangent of each node that the disturbance reaches, by the node's index.
    """
    moved = dict(seeds)
    for node in tape.nodes[:size]:
        op = node.op
        slots = [k for k, p in enumerate(node.parents) if p.index in moved and op and k not in op.only_read]
        if not slots or op is None:
            continue
        with nullcontext() if node.t is None or tape.in_step else tape.step(node.t):
            arrived = [moved[node.index]] if node.index in moved else []
            for slot in slots:
                _need_rule(node, slot)
                arrived.append(op.push(slot, moved[node.parents[slot].index], node, node.parents))
            moved[node.index] = arrived[0] if len(arrived) == 1 else ops.add(*arrived)
    return moved


def play_copies(tape: Tape, start: int, given: Mapping[int, Array]) -> dict[int, Array]:
    """The values that a tape's nodes from `start` on would have, were some leaves other arrays.

    Parameters
    ----------
    tape : Tape
        The tape; it stays as it is.
    start : int
        The first node to be computed.
    given : mapping of int to ndarray
        The leaves' arrays, by the leaf's index. Axes in front of a leaf's own are copies, all played at once.

    Returns
    -------
    dict of int to ndarray
        The values of the leaves, and of every node that depends on them.
    """
    values = dict(given)
    for node in tape.nodes[start:]:
        if node.op is not None and any(p.index in values for p in node.parents):
            values[node.index] = node.op.value(*[values.get(p.index, p.value) for p in node.parents])
    return values


def _need_rule(node: Node, slot: int) -> None:
    """Raise TapeError if the op of a node cannot say what a tangent of this argument does."""
    op = node.op
    if op is not None and not op.can_push(slot):
        at = "" if node.t is None else f" at t={node.t}"
        raise TapeError(f"{op.name}{at}: it has no tangent with respect to {node.parents[slot]}, its argument {slot}")
