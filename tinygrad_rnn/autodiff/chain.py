"""The chain rule, backwards and forwards: every derivative of this package comes from here.

Both walk a list of nodes and ask `of` what stands for a node. Its array: the pass computes. The node itself: the pass
records, and what it has recorded can be differentiated again. A stack with axes in front: many passes are one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic

import numpy as np

from .errors import TapeError
from .node import Node
from .passes import Cotangents, V, frozen
from .terms import Outer, added


@dataclass(slots=True, eq=False)
class ChainTerm(Generic[V]):
    """One term of the chain rule.

    Attributes
    ----------
    node, parent : Node
        A node, and one that it reads.
    slot : int
        Which argument of the node's op the parent is; `x * x` has slots 0 and 1.
    value : ndarray or Outer
        The term.
    arrived : sequence
        The terms of the same sum; this one stands at `place`.
    """

    node: Node
    slot: int
    parent: Node
    value: V
    arrived: Sequence[V]
    place: int

    @property
    def before(self) -> Any:
        """The sum before this term; None before the first one."""
        return frozen(added(self.arrived[: self.place])) if self.place else None  # type: ignore[arg-type]

    @property
    def after(self) -> Any:
        """The sum after it."""
        return frozen(added(self.arrived[: self.place + 1]))  # type: ignore[arg-type]


class Share(ChainTerm[V]):
    """Backwards: the share of the node's cotangent that its parent receives, of the parent's shape."""

    __slots__ = ()

    @property
    def equation(self) -> str:
        """The id of Guo's equation for this share; empty if there is none."""
        rule = self.node.op.rule(self.slot) if self.node.op else None
        pair = (self.node.name, self.parent.name)
        return self.node.tape.equations.get(pair) or (rule.equation if rule else "")


class Push(ChainTerm[V]):
    """Forwards: what the tangent of the parent does to the node, of the node's shape."""

    __slots__ = ()


def by_rule(node: Node, slot: int, g: Any, y: Any, args: Sequence[Any]) -> Any:
    """The share that the rule of a node's op gives its argument `slot`."""
    assert node.op is not None  # a leaf hands nothing on
    return frozen(node.op.share(slot, g, y, args))


def received(node: Node, shares: Sequence[Any]) -> Any:
    """A node's shares, added up: here the gradients of a weight's copies accumulate.

    Factors are multiplied out only where an op has to read them.
    """
    g = shares[0] if len(shares) == 1 else frozen(added(shares))
    if isinstance(g, Outer) and node.op is not None and not node.op.ties:
        return frozen(np.asarray(g))
    return g


def pullback(
    nodes: Sequence[Node],
    back: Cotangents[V],
    of: Callable[[Node], Any],
    total: Callable[[Node, list[V]], V],
    through: Callable[[Node, int], bool] | None = None,
    hand: Callable[[Node, int, Any, Any, Sequence[Any]], V | None] = by_rule,
) -> Iterator[Share[V]]:
    """Reverse mode: send error back through nodes, share by share.

    Parameters
    ----------
    nodes : sequence of Node
        In the order of the tape.
    back : Cotangents
        The seeds; receives what is sent.
    of : callable
        What stands for a node in the rules.
    total : callable
        ``total(node, shares)``: what a node has received in all. Asked once for every node, at its turn.
    through : callable, optional
        ``through(node, slot)``: whether the node hands anything to this argument; a truncation says no.
    hand : callable, optional
        ``hand(node, slot, g, y, args)``: what it hands over, or None; for methods that hand on less than the rules do.
    """
    arrived, totals = back.arrived, back.totals
    for node in reversed(nodes):
        shares = arrived[node.index]
        if shares is None:
            continue
        g = totals[node.index] = total(node, shares)
        arrived[node.index] = None
        if node.op is None:
            continue
        y, args = of(node), [of(p) for p in node.parents]
        for slot, parent in enumerate(node.parents):
            if not parent.active or slot in node.op.only_read or (through is not None and not through(node, slot)):
                continue
            share = hand(node, slot, g, y, args)
            if share is None:
                continue
            waiting = arrived[parent.index]
            if waiting is None:
                waiting = arrived[parent.index] = []
            waiting.append(share)
            yield Share(node, slot, parent, share, waiting, len(waiting) - 1)
    back.complete = True


def by_jvp(node: Node, slot: int, dx: Any, y: Any, args: Sequence[Any]) -> Any:
    """What the op of a node makes of the tangent of its argument `slot`.

    Raises
    ------
    TapeError
        If it cannot say.
    """
    op = node.op
    assert op is not None  # nothing moves a leaf
    if not op.can_push(slot):
        at = "" if node.t is None else f" at t={node.t}"
        raise TapeError(f"{op.name}{at}: it has no tangent with respect to {node.parents[slot]}, its argument {slot}")
    return frozen(op.push(slot, dx, y, args))


def pushforward(
    nodes: Sequence[Node],
    moved: MutableMapping[Node, V],
    of: Callable[[Node], Any],
    total: Callable[[Node, list[V]], V],
    push: Callable[[Node, int, Any, Any, Sequence[Any]], V] = by_jvp,
) -> Iterator[Push[V]]:
    """Forward mode: carry a disturbance on through nodes, contribution by contribution.

    Parameters
    ----------
    nodes, of, push
        As in `pullback`.
    moved : mutable mapping of Node
        The tangents of the nodes that are disturbed; receives those of all that depend on them.
    total : callable
        ``total(node, contributions)``: their sum.
    """
    for node in nodes:
        op = node.op
        if op is None:
            continue
        slots = [slot for slot, p in enumerate(node.parents) if p in moved and slot not in op.only_read]
        if not slots:
            continue
        y, args = of(node), [of(p) for p in node.parents]
        arrived = [moved[node]] if node in moved else []
        for slot in slots:
            parent = node.parents[slot]
            arrived.append(push(node, slot, moved[parent], y, args))
            yield Push(node, slot, parent, arrived[-1], arrived, len(arrived) - 1)
        moved[node] = total(node, arrived)
