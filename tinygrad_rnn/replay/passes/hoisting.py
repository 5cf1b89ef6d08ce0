"""Hoisting: what does not wait for the error is multiplied together before the loop over the copies begins.

Backwards, most nodes of a gated cell are an error of the loop times something that is known before, one product
after the other: ``dC/dnet_i = (dC/dc * g) * (i * (1 - i))``. Written as ``dC/dc * (g * (i * (1 - i)))``, the
bracket is computed for all copies at once, and what stood in between need not be computed at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...autodiff import Node, ops
from ...autodiff.traits import computes, is_sum
from ..folded import Folded, with_what_they_read
from ..liveness import liveness
from ..products import part_of, pieces_of_whole
from ..rewriting import Draft, Written, rewritten


class Piece(NamedTuple):
    """Some columns of a node: a node of the loop times a factor known before it, which is 1 if it is None."""

    base: Node
    factor: Written | None


Form = tuple[Piece, ...]  # a node's columns, from left to right


def hoist(folded: Folded) -> Folded:
    """Loop-invariant code motion: products in the backward loop, with what is known before it taken out together."""
    live = liveness(folded)
    forms: dict[Node, Form] = {}
    made: dict[Piece, Written] = {}
    for n in live.backward:
        inner = [p for p in n.parents if live.loops.get(folded.source(p), -1) == live.loops.get(n)]
        form = _form(n, inner, forms) if inner and n.ndim == 2 else ()
        if form:
            forms[n] = form
            if len(form) == 1 and computes(n, np.multiply) and form[0].factor in n.parents:
                made.setdefault(form[0], n)
    read = live.roots.union(*(n.parents for n in live.backward if n not in forms))
    wanted = sorted((n for n in forms if n in read), key=lambda n: (-len(forms[n]), n.index))
    wholes: list[tuple[Form, Written]] = []
    instead: dict[Node, Written] = {}
    for n in wanted:
        now = _part_of(wholes, n, forms[n]) if len(forms[n]) > 1 else None
        if now is None:
            now = _whole(n, forms[n], made)
            wholes.append((forms[n], now))
        if now is not n:
            instead[n] = now
    return rewritten(folded, instead) if instead else folded


def _form(n: Node, inner: Sequence[Node], forms: dict[Node, Form]) -> Form:
    """A node of the loop as pieces, `inner` being the arguments that wait; empty if it is what others are pieces of."""

    def form_of(p: Node) -> Form:
        return forms.get(p) or (Piece(p, None),)

    if computes(n, np.multiply) and len(inner) == 1:
        (outer,) = (p for p in n.parents if p is not inner[0])
        return _times(form_of(inner[0]), outer)
    if computes(n, np.negative):
        form = form_of(n.parents[0])
        turned = tuple(Piece(base, Draft(ops.negative, (f,), f.shape)) for base, f in form if f is not None)
        return turned if len(turned) == len(form) else ()
    whole = pieces_of_whole(n)
    if whole:
        return tuple(piece for _, part in whole for piece in form_of(part))
    if is_sum(n) and len(inner) == len(n.parents) == 2:
        one, two = map(form_of, inner)
        sums = [_sum(*pair) for pair in zip(one, two, strict=True)] if len(one) == len(two) else [None]
        return tuple(piece for piece in sums if piece) if all(sums) else ()
    return ()


def _times(form: Form, factor: Node) -> Form:
    pieces, start = [], 0
    for base, known in form:
        width = base.shape[-1]
        share = factor if len(form) == 1 else part_of(factor, start, start + width)
        pieces.append(Piece(base, share if known is None else _product(known, share)))
        start += width
    return tuple(pieces)


def _sum(a: Piece, b: Piece) -> Piece | None:
    """Two pieces of one base as one: it is multiplied by the sum of their factors."""
    known = [piece.factor for piece in (a, b) if piece.factor is not None]
    if a.base is not b.base or not known:
        return None
    shape = a.base.shape
    number = Draft(None, (), (), "1", np.ones((), a.base.value.dtype))
    one = Draft(ops.broadcast.bind(source=(), to=shape), (number,), shape)
    return Piece(a.base, Draft(ops.add, (known[0], known[1] if len(known) == 2 else one), shape))


def _product(a: Written, b: Written) -> Draft:
    return Draft(ops.multiply, (a, b), a.shape)


def _whole(n: Node, form: Form, made: dict[Piece, Written]) -> Written:
    """The node in factored form: its pieces, computed, and put together."""
    parts: list[Written] = []
    for piece in form:
        if piece.factor is None:
            parts.append(piece.base)
        else:
            parts.append(made.setdefault(piece, _product(piece.base, piece.factor)))
    if len(parts) == 1:
        return parts[0]
    if parts == [part for _, part in pieces_of_whole(n)]:
        return n
    starts = [sum(p.shape[-1] for p in parts[:k]) for k in range(len(parts))]
    places = [
        Draft(ops.place.bind(start=start, width=n.shape[-1]), (p,), n.shape)
        for start, p in zip(starts, parts, strict=True)
    ]
    return Draft(ops.add, tuple(places), n.shape)


def _part_of(wholes: Sequence[tuple[Form, Written]], n: Node, form: Form) -> Written | None:
    """The node as some columns of a wider one that has been made, if that is not computed from it."""
    for larger, whole in wholes:
        for k in range(len(larger) - len(form) + 1):
            if larger[k : k + len(form)] == form and n not in with_what_they_read(piece.base for piece in larger):
                start = sum(piece.base.shape[-1] for piece in larger[:k])
                return part_of(whole, start, start + n.shape[-1])
    return None
