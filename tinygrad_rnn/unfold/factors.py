"""Rewriting a recurrence: what does not wait for it is multiplied together before the loop begins.

Backwards, most nodes of a gated cell are an error of the loop times something that is known before, one product
after the other: ``dC/dnet_i = (dC/dc * g) * (i * (1 - i))``. Written as ``dC/dc * (g * (i * (1 - i)))``, the
bracket is computed for all copies at once, and what stood in between need not be computed at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ..autodiff import Node, Tape, ops


@dataclass(frozen=True, slots=True)
class Piece:
    """Some columns of a node: a node of the loop times a factor known before it, which is 1 if it is None."""

    base: Node
    factor: Node | None

    @property
    def key(self) -> tuple[int, int]:
        """What tells it from others."""
        return self.base.index, -1 if self.factor is None else self.factor.index


Form = tuple[Piece, ...]  # a node's columns, from left to right


def pieces_of_whole(n: Node, real: Callable[[Node], Node]) -> list[tuple[int, Node]]:
    """What a node is put together from without gaps, and where each part starts: it is a sum of parts in their places.

    Empty for any other node.
    """
    if n.op is not ops.add or any(p.op is None or p.op.name != "place" for p in n.parents):
        return []
    spans = sorted((p.op.settings["start"], p.parents[0].shape[-1], p.index, p) for p in n.parents if p.op)
    ends = [start + width for start, width, _, _ in spans]
    if [start for start, _, _, _ in spans] != [0, *ends[:-1]] or ends[-1] != n.shape[-1]:
        return []
    return [(start, real(p.parents[0])) for start, _, _, p in spans]


class Factored:
    """The nodes of a loop in factored form.

    Parameters
    ----------
    tape : Tape
        Where the loop's nodes stand; what replaces them is recorded behind them.
    loop : sequence of Node
        The loop's nodes, in order.
    held : callable
        Whether a node is one of the loop, at the same or another time.
    real : callable
        The node whose value a node's is.

    Attributes
    ----------
    replaced : dict of int to int
        By the index of a node, that of the node that has its value now.
    together : list of list of Node
        Factors of one node that are best kept at equal distances: one call can then multiply by all of them.
    """

    def __init__(
        self,
        tape: Tape,
        loop: Sequence[Node],
        held: Callable[[Node], bool],
        real: Callable[[Node], Node],
    ) -> None:
        self._tape = tape
        self._held = held
        self._real = real
        self._forms: dict[int, Form] = {}
        self._made: dict[tuple[int, int], Node] = {}
        self._wholes: list[tuple[Form, Node]] = []
        self.replaced: dict[int, int] = {}
        self.together: list[list[Node]] = []
        for n in loop:
            form = self._form_of(n) if n.ndim == 2 else ()
            if form:
                self._forms[n.index] = form
                if len(form) == 1 and form[0].factor is not None and n.op is ops.multiply and form[0].base in n.parents:
                    self._made.setdefault(form[0].key, n)

    @property
    def derived(self) -> Mapping[int, Form]:
        """The nodes that are others times factors, by index."""
        return self._forms

    def write(self, wanted: Iterable[Node]) -> None:
        """Record what is wanted in its factored form."""
        for n in sorted(wanted, key=lambda n: (-len(self._forms[n.index]), n.index)):
            now = self._written(n, self._forms[n.index])
            if now is not n:
                self.replaced[n.index] = now.index

    # ---- the form of a node

    def _form(self, n: Node) -> Form:
        return self._forms.get(n.index) or (Piece(n, None),)

    def _form_of(self, n: Node) -> Form:
        """The node as pieces; empty if it is what others are pieces of."""
        parents = [self._real(p) for p in n.parents]
        inner = [p for p in parents if self._held(p)]
        if n.op is ops.multiply and len(inner) == 1:
            (outer,) = [p for p in parents if p is not inner[0]]
            return self._times(self._form(inner[0]), outer)
        if n.op is ops.negative:
            form = self._form(parents[0])
            turned = tuple(Piece(piece.base, -piece.factor) for piece in form if piece.factor is not None)
            return turned if len(turned) == len(form) else ()
        whole = pieces_of_whole(n, self._real)
        if whole:
            return tuple(piece for _, part in whole for piece in self._form(part))
        if n.op is ops.add and len(inner) == len(parents) == 2:
            sums = [_sum(*pair) for pair in zip(*map(self._form, inner), strict=False)]
            if all(sums) and len(sums) == len(self._form(inner[0])) == len(self._form(inner[1])):
                return tuple(piece for piece in sums if piece)
        return ()

    def _times(self, form: Form, factor: Node) -> Form:
        pieces, start = [], 0
        for piece in form:
            width = piece.base.shape[-1]
            share = factor if len(form) == 1 else _part(factor, start, start + width)
            pieces.append(Piece(piece.base, share if piece.factor is None else piece.factor * share))
            start += width
        return tuple(pieces)

    # ---- writing it

    def _written(self, n: Node, form: Form) -> Node:
        if len(form) == 1:
            return self._product(form[0])
        for larger, whole in self._wholes:
            for k in range(len(larger) - len(form) + 1):
                if [p.key for p in larger[k : k + len(form)]] == [p.key for p in form]:
                    start = sum(p.base.shape[-1] for p in larger[:k])
                    return _part(whole, start, start + n.shape[-1])
        parts = self._parts(form)
        if parts == [part for _, part in pieces_of_whole(n, self._real)]:
            whole = n
        else:
            whole = _joined(parts, n.shape[-1])
        self._wholes.append((form, whole))
        return whole

    def _parts(self, form: Form) -> list[Node]:
        """The pieces, computed."""
        parts: list[Node] = []
        for _, run in groupby(form, key=lambda piece: piece.base):
            pieces = list(run)
            fresh = [piece.factor for piece in pieces if piece.factor is not None and piece.key not in self._made]
            if len(fresh) == len(pieces) > 1 and len({f.shape for f in fresh}) == 1:
                self.together.append(fresh)
            parts += map(self._product, pieces)
        return parts

    def _product(self, piece: Piece) -> Node:
        if piece.factor is None:
            return piece.base
        if piece.key not in self._made:
            self._made[piece.key] = piece.base * piece.factor
        return self._made[piece.key]


def _sum(a: Piece, b: Piece) -> Piece | None:
    known = [piece.factor for piece in (a, b) if piece.factor is not None]
    if a.base is not b.base or not known:
        return None
    return Piece(a.base, known[0] + (known[1] if len(known) == 2 else 1))


def _part(n: Node, start: int, stop: int) -> Any:
    return ops.part(n, start=start, stop=stop)


def _joined(parts: Sequence[Any], width: int) -> Any:
    placed, start = [], 0
    for part in parts:
        placed.append(ops.place(part, start=start, width=width))
        start += part.shape[-1]
    return ops.add(*placed)
