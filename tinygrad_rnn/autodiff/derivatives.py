"""What else the chain rule gives: tangents, and derivatives as nodes that can be drawn and differentiated again.

To record, the rules of the ops are called with nodes instead of arrays, so there is nothing here to derive twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from . import ops
from .asked import asked, asked_if_it_fails
from .calling import numbers
from .chain import Push, by_jvp, by_rule, pullback, pushforward, received
from .errors import ShapeError, TapeError
from .node import Node
from .passes import Array, Cotangents, Passes, Values, frozen


def record_pullback(
    tape: Any,
    nodes: Sequence[Node],
    seeds: Mapping[Node, Sequence[Node]],
    through: Callable[[Node, int], bool] | None = None,
    hand: Callable[[Node, int, Node, Node, Sequence[Node]], Node | None] = by_rule,
) -> Cotangents[Node]:
    """Record the backward pass of a tape's first nodes as nodes of the same tape.

    What is computed from a node stands beside it, at its time.

    Parameters
    ----------
    tape : Tape
        The tape.
    nodes : sequence of Node
        Its first nodes, which are gone back through.
    seeds : mapping of Node to sequence of Node
        What each root's cotangent starts with.
    through, hand : callable, optional
        See `pullback`.

    Returns
    -------
    Cotangents
        The cotangent of each node that error reaches, a node.
    """
    first = len(nodes)

    def total(node: Node, shares: Sequence[Node]) -> Node:
        g = _summed(tape, node, shares)
        if node.name and not g.name and g.index >= first:
            g.name = f"∂{node.name}"
        return g

    def handed(node: Node, slot: int, g: Node, y: Node, args: Sequence[Node]) -> Node | None:
        with tape.beside(node):
            return hand(node, slot, g, y, args)

    back = Cotangents(first, seeds)
    for _ in pullback(nodes, back, _itself, total, through, handed):
        pass
    return back


def record_pushforward(tape: Any, nodes: Sequence[Node], seeds: Mapping[Node, Node]) -> dict[Node, Node]:
    """Record forward mode over a tape's first nodes as nodes of the same tape.

    What is recorded can be played for many disturbances at once, see `BatchedValues`.

    Parameters
    ----------
    tape : Tape
        The tape.
    nodes : sequence of Node
        Its first nodes, which are gone through.
    seeds : mapping of Node to Node
        The tangent of each node that is disturbed.

    Returns
    -------
    dict of Node to Node
        The tangent of each node that the disturbance reaches.
    """
    moved = dict(seeds)

    def pushed(node: Node, slot: int, dx: Node, y: Node, args: Sequence[Node]) -> Node:
        with tape.beside(node):
            return by_jvp(node, slot, dx, y, args)

    for _ in pushforward(nodes, moved, _itself, lambda node, pushes: _summed(tape, node, pushes), pushed):
        pass
    return moved


def _summed(tape: Any, node: Node, terms: Sequence[Node]) -> Node:
    if len(terms) == 1:
        return terms[0]
    with tape.beside(node):
        total: Node = ops.add(*terms)
        return total


def _itself(node: Node) -> Node:
    return node


class Tangents(dict[Node, Array]):
    """The tangents of the nodes that a disturbance has reached; that of any other node is zero."""

    def __missing__(self, node: Node) -> Array:
        return np.zeros_like(node.value)


class Derivatives:
    """What a `Tape` has besides its two passes."""

    nodes: list[Node]
    passes: Passes
    through: Callable[[Node, int], bool] | None
    leaf: Callable[..., Node]
    _need_values: Callable[[str, int], Values]
    _own: Callable[[Node, str], None]
    _root: Callable[[Node | None], Node]
    _seed: Callable[[Node, Any], Array]
    _still: Callable[[bool], None]

    @asked
    def pushforward(self, tangents: Mapping[Node, Any]) -> Iterator[Push[Array]]:
        """Carry a disturbance of some nodes forwards, contribution by contribution.

        Values and cotangents stay as they are. An argument that is only read contributes nothing, as it
        receives nothing from a `pullback`.

        Parameters
        ----------
        tangents : mapping of Node to array_like
            The disturbance of any nodes, leaves or not, of their shapes. That of a node which others move,
            too, is added to what they do.

        Raises
        ------
        TapeError
            If the values are not those of a complete forward pass, if an op has no rule for a tangent that
            reaches it, or if another pass was begun before this one was at its end.
        ShapeError
            If a tangent does not have its node's shape.
        """
        values, back = self.passes.values, self.passes.cotangents
        for push in self._pushed(self._disturbed(tangents)):
            yield push
            self._still(self.passes.values is values and self.passes.cotangents is back)

    @asked_if_it_fails
    def tangents(self, tangents: Mapping[Node, Any], among: range | None = None) -> Tangents:
        """Run the `pushforward` to its end.

        Parameters
        ----------
        tangents : mapping of Node to array_like
            As for `pushforward`.
        among : range, optional
            The indices of the only nodes that are moved, such as those of one time step; all if none are named.

        Returns
        -------
        Tangents
            The tangent of every node; zeros where the disturbance does not come.
        """
        moved = self._disturbed(tangents)
        for _ in self._pushed(moved, among):
            pass
        return moved

    def _pushed(self, moved: Tangents, among: range | None = None) -> Iterator[Push[Array]]:
        if among is None:
            among = range(min((node.index for node in moved), default=len(self.nodes)) + 1, len(self.nodes))
        nodes = self.nodes[among.start : among.stop]
        return pushforward(nodes, moved, self.passes.values.__getitem__, received)

    def _disturbed(self, tangents: Mapping[Node, Any]) -> Tangents:
        self._need_values("tangents before values", len(self.nodes))
        moved = Tangents()
        for node, given in tangents.items():
            self._own(node, "disturb")
            tangent = np.array(numbers(given, f"the tangent of {node}"), dtype=node.value.dtype)
            if tangent.shape != node.shape:
                raise ShapeError(
                    f"the tangent of {node} is {tangent.shape} and {node} is {node.shape}: they must agree"
                )
            moved[node] = frozen(tangent)
        return moved

    @asked
    def differentiate(self, root: Node, with_respect_to: Sequence[Node], seed: Any = None) -> list[Node]:
        """Record the backward pass from `root` on this tape: what comes back are nodes like any others.

        They can be drawn, stepped through and differentiated again. With ``(g,) = tape.differentiate(C, [w])``
        the product of the Hessian of C with a vector v is what comes back to w from ``(g * v).sum()``, or
        ``tape.tangents({w: v})[g]``.

        Parameters
        ----------
        root : Node
            Where the error starts.
        with_respect_to : sequence of Node
            Whose cotangents are wanted; the backward pass is recorded as far as these need it.
        seed : Node or array_like, optional
            The root's own cotangent; 1 for a scalar root.

        Returns
        -------
        list of Node
            dC / d node for each of them, of its shape; zeros where no error comes.

        Raises
        ------
        TapeError
            See `pullback`; and if a node gets no error because it was recorded as not active.
        ShapeError
            If the seed does not have the root's shape.
        """
        root = self._root(root)
        for node in with_respect_to:
            self._own(node, "differentiate with respect to")
            if not node.active:
                raise TapeError(f"{node} gets no error: it is not active, or is computed from nothing that is")
        if not isinstance(seed, Node):
            seed = self.leaf(self._seed(root, seed), "1" if seed is None else "seed", active=False)
        else:
            self._own(seed, "seed with")
        if seed.shape != root.shape:
            raise ShapeError(f"the seed {seed} is {seed.shape} and {root} is {root.shape}: they must agree")
        reached = set(with_respect_to)
        for node in self.nodes[: root.index + 1]:
            if node.op is not None and node not in reached:
                read = node.op.only_read
                if any(p in reached for slot, p in enumerate(node.parents) if slot not in read):
                    reached.add(node)

        def through(node: Node, slot: int) -> bool:
            return node.parents[slot] in reached and (self.through is None or self.through(node, slot))

        found = record_pullback(self, self.nodes[: root.index + 1], {root: [seed]}, through)
        return [
            self.leaf(np.zeros_like(node.value), "0", active=False) if g is None else g
            for node, g in ((node, found.totals[node.index]) for node in with_respect_to)
        ]
