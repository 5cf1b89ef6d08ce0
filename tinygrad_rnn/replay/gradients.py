"""What the weights receive: sums over all copies, as few products as there can be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..autodiff.traits import Summand
from .buffers import Buffers
from .folded import Array, Folded

Total = Callable[[], Array]


def totals(folded: Folded, buffers: Buffers) -> dict[str, Total]:
    """By a weight's name, what computes its gradient from the rows that a backward pass has filled, as an array."""
    terms = buffers.live.terms
    return {
        name: _sum_of([_sum_over_time(buffers, term) for term in terms.get(name, [])], w.shape, folded.dtype)
        for name, w in folded.weights.items()
    }


def _sum_over_time(buffers: Buffers, term: Summand) -> Total:
    """What adds up one term of a weight's gradient over all copies: one product where it has two factors."""
    kind, nodes = term
    if kind == "array" and nodes[0] in buffers.folded.invariant:
        return partial(np.multiply, buffers.stacks[nodes[0]], buffers.T)
    stacks = [buffers.at_all_times(n) for n in nodes]
    rows = [stack.reshape(-1, stack.shape[-1]) if kind != "array" else stack for stack in stacks]
    looked_at = all(np.may_share_memory(*pair) for pair in zip(rows, stacks, strict=True))  # and not copied
    if kind == "product":
        if looked_at:
            # Of many rows with gaps between them, dot is several times slower than matmul.
            gaps = len(rows[0]) > 64 and not all(part.flags.c_contiguous for part in rows)
            return partial(np.matmul, rows[0].T, rows[1]) if gaps else partial(rows[0].T.dot, rows[1])
        return partial(np.einsum, "tpj,tpi->ji", *stacks, optimize=True)
    (stack,) = stacks
    if kind == "samples":
        if looked_at:
            return partial(np.ones(len(rows[0]), stack.dtype).dot, rows[0])
        return partial(np.sum, stack, (0, 1))
    return partial(np.sum, stack, 0)


def _sum_of(terms: Sequence[Total], shape: tuple[int, ...], dtype: Any) -> Total:
    """What adds up the terms, each of which is an array of its own; zeros if there are none."""
    if len(terms) == 1:
        return terms[0]

    def added() -> Array:
        total = np.zeros(shape, dtype)
        for term in terms:
            total += term()
        return total

    return added
