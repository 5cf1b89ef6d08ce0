"""What the weights receive: sums over all copies, as few products as there can be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..autodiff import Node
from ..autodiff.traits import Summand
from .buffers import Buffers
from .folded import Array, Folded

Total = Callable[[], Array]


class Totals:
    """What computes the gradients from the rows that a backward pass has filled.

    Parameters
    ----------
    folded : Folded
        One time step, as it is played.
    buffers : Buffers
        Its memory.

    Attributes
    ----------
    apart : dict of str to callable
        By a weight's name, what computes its gradient alone.
    together : list of (callable, dict of str to slice or int)
        The products with whole rows of inputs, and whose gradients are which columns of them.
    """

    def __init__(self, folded: Folded, buffers: Buffers) -> None:
        alone = {name: terms[0] for name, terms in buffers.live.terms.items() if len(terms) == 1}
        shared: dict[tuple[Node, Node], dict[str, slice | int]] = {}
        for name, (kind, nodes) in alone.items():
            if kind == "product" and nodes[1] in buffers.columns:
                row, columns = buffers.columns[nodes[1]]
                shared.setdefault((nodes[0], row), {})[name] = columns
        ones = {row: part.start for p, (row, part) in buffers.columns.items() if p in folded.invariant}
        for name, (kind, nodes) in alone.items():  # a bias is the weight of a one
            for (left, row), those in shared.items():
                if kind == "samples" and left is nodes[0] and row in ones:
                    those[name] = ones[row]
        several = {pair: those for pair, those in shared.items() if len(those) > 1}
        self.together = [(_sum_over_time(buffers, Summand("product", pair)), those) for pair, those in several.items()]
        done = {name for those in several.values() for name in those}
        self.apart = {
            name: _sum_of([_sum_over_time(buffers, t) for t in buffers.live.terms.get(name, [])], w.shape, folded.dtype)
            for name, w in folded.weights.items()
            if name not in done
        }

    def __call__(self) -> dict[str, Array]:
        """dC / d weight by name, in arrays of their own."""
        found = {name: total() for name, total in self.apart.items()}
        for product, those in self.together:
            whole = product()
            for name, columns in those.items():
                found[name] = whole[:, columns]
        return found


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
