"""Packing: inputs side by side in one row, their weights side by side in one matrix.

``[x(t) s(t-1) 1] [V U b]^T`` is ``x(t) V^T + s(t-1) U^T + b`` in one call instead of three. It takes the product with
the inputs into the loop, copy by copy, so that it pays where a call costs more than its numbers: for one sample, and
few inputs. Backwards, ``[dC/dnet_k(t) dC/dnet_j(t+1)] [W; U]`` is all that comes back to s(t).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...autodiff import Node, ops
from ...autodiff.traits import is_view
from ..folded import Array, Folded
from ..liveness import Liveness, liveness
from ..products import Product, WeightedSum, weighted_sum
from ..rewriting import Draft, Written, rewritten
from .fusing import elementwise

PACKED = 4096  # numbers of a matrix that may come into a loop for the sake of a call less; measured


class Inputs(NamedTuple):
    """The inputs of a sum: those that do not wait for the loop, and the one that is handed on from step to step."""

    free: list[Product]
    held: Product
    lying: set[Node]  # what has its place in the row


def pack(folded: Folded) -> Folded:
    """Horizontal fusion: a sum of products in a loop becomes one product of a row and a matrix."""
    if folded.samples > 1:
        return folded
    live = liveness(folded)
    instead: dict[Node, Written] = {}
    taken: set[Node] = set()  # what lies in a row already: it can lie in one place only
    with_one: set[Node] = set()  # what is handed on beside a one
    for n in live.played:
        sums = weighted_sum(n, folded.invariant) if n in live.loops else None
        row = None if sums is None else _row(folded, live, n, sums)
        if sums is None or row is None or taken & row.lying:
            continue
        taken |= row.lying
        if sums.bias is not None:
            with_one.add(folded.source(row.held.x))
        inputs, matrix = _row_and_matrix([*row.free, row.held], sums.bias, folded.dtype)
        activated, factor = _first_factor(live, n)
        if activated is None or factor is None or activated.op is None:
            instead[n] = Draft(ops.matmul, (inputs, matrix), n.shape, n.name)
        else:
            # The weights are multiplied instead, once. Nobody plays the net input as it was: it is there for a look.
            wide = np.broadcast_to(factor, matrix.shape[1:]).astype(folded.dtype)
            factors = Draft(None, (), wide.shape, "", wide)
            factors = Draft(ops.broadcast.bind(source=wide.shape, to=matrix.shape), (factors,), matrix.shape)
            net = Draft(ops.matmul, (inputs, Draft(ops.multiply, (matrix, factors), matrix.shape)), n.shape)
            rest = elementwise(activated.op.name, activated.op.ufuncs[1:])
            instead[activated] = Draft(rest, (net,), activated.shape, activated.name)
    for n in live.forward:  # a head that reads what lies beside a one has its bias for nothing
        sums = weighted_sum(n, folded.invariant) if n not in live.loops else None
        if sums and sums.bias is not None and len(sums.products) == 1 and sums.products[0].x in with_one:
            head = _row_and_matrix(sums.products, sums.bias, folded.dtype)
            instead[n] = Draft(ops.matmul, head, n.shape, n.name)
    return rewritten(folded, instead) if instead else folded


def _row(folded: Folded, live: Liveness, n: Node, sums: WeightedSum) -> Inputs | None:
    """The inputs of a sum as a row, if they can lie side by side and one product takes less time than several."""
    loop = live.loops[n]
    held = [p for p in sums.products if live.loops.get(folded.source(p.x)) == loop]
    free = [p for p in sums.products if p not in held]
    more = sum(p.x.shape[-1] for p in free) + (sums.bias is not None)
    if len(held) != 1 or held[0].x not in folded.delayed or not 0 < more * n.shape[-1] <= PACKED:
        return None
    given = set(folded.data.values())
    movable = all(
        p.x in given or (p.x.op is not None and p.x in live.kept and p.x not in live.loops and not is_view(p.x))
        for p in free
    )
    lying = {folded.source(held[0].x), *(p.x for p in free)}
    if not movable or len(lying) <= len(free) or folded.invariant & lying:
        return None
    return Inputs(free, held[0], lying)


def _row_and_matrix(products: list[Product], bias: Node | None, dtype: Any) -> tuple[Draft, Draft]:
    row: list[Written] = [p.x for p in products]
    matrices = [p.matrix for p in products]
    if bias is not None:
        row.append(Draft(None, (), (1, 1), "1", np.ones((1, 1), dtype)))
        to = (1, *bias.shape)
        matrices.append(Draft(ops.reshape.bind(source=bias.shape, to=to), (bias,), to))
    width = sum(p.shape[-1] for p in row)
    inputs = Draft(ops.concatenate.bind(axis=-1), tuple(row), (1, width))
    return inputs, Draft(ops.concatenate.bind(axis=-2), tuple(matrices), (width, *matrices[0].shape[1:]))


def _first_factor(live: Liveness, n: Node) -> tuple[Node | None, Array | float | None]:
    """What an activation multiplies this net input by first, and the activation, if nobody else reads it."""
    by = live.readers.get(n, [])
    if len(by) == 1 and n not in live.kept and by[0].op and len(by[0].op.ufuncs) > 1:
        ufunc, *numbers = by[0].op.ufuncs[0]
        if ufunc is np.multiply:
            return by[0], numbers[0]
    return None, None
