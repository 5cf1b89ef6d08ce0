"""What comes back to a state as one sum: ``ds(t) = dnet_j(t+1) U + dnet_k(t) W``."""

from __future__ import annotations

import numpy as np

from ...autodiff import Node, ops
from ...autodiff.traits import is_sum
from ..folded import Folded
from ..liveness import liveness
from ..products import Product, weighted_sum
from ..rewriting import Draft, Written, rewritten


def join_products(folded: Folded) -> Folded:
    """Loop rotation: the product with a weight that ends a backward step is moved to the beginning of the next one.

    What passes from step to step is then dnet_j, and not what it is times U. For one sample alone, see `pack`.
    """
    if folded.samples > 1:
        return folded
    live = liveness(folded)
    delays: list[tuple[Written, Written, int]] = [(d.read, d.written, d.ahead) for d in folded.delays]
    after: list[Written] = list(folded.after)
    instead: dict[Node, Written] = {}
    looked_at = set(folded.cotangents.values())

    def computed(p: Node) -> bool:
        return p.op is not None and p.index >= folded.size and p not in folded.invariant

    def alone(p: Node) -> Product | None:
        sums = weighted_sum(p, folded.invariant) if computed(p) else None
        return sums.alone if sums and sums.alone and computed(sums.alone.x) else None

    def from_next(p: Node) -> Draft:
        read = Draft(None, (), p.shape, f"{p.name}(t+1)" if p.name else "later", np.zeros(p.shape, folded.dtype))
        delays.append((read, p, 1))
        return read

    for k, read in enumerate(folded.after):
        delay, by = folded.delayed.get(read), live.readers.get(read, [])
        if delay is None or len(by) != 1 or not is_sum(by[0]) or by[0] in instead:
            continue
        (total,), error = by, delay.written
        # Two parts of the state may have one error, and somebody else may read it.
        if error in live.readers or [d.written for d in folded.delays].count(error) > 1:
            continue
        come_back = error.parents if is_sum(error) else (error,)
        # What is handed on instead has rows of its own, and what came back to a node can be looked at.
        if read in looked_at or not all(computed(p) for p in come_back):
            continue
        here = [p for p in total.parents if p is not read]
        later = [(p, product) for p in come_back if (product := alone(p))]
        now = [product for p in here if live.readers[p] == [total] and (product := alone(p))]
        if not len(later) == len(now) == len(here) == 1:
            continue
        delays.remove((read, error, 1))
        ((moved, product),), (own,) = later, now
        others = [p for p in come_back if p is not moved]
        factors = (from_next(product.x), product.weight, own.x, own.weight)
        both = Draft(ops.linear, factors, total.shape, "" if others else total.name)
        after[k] = both
        instead[total] = Draft(ops.add, (both, *map(from_next, others)), total.shape, total.name) if others else both
    return rewritten(folded, instead, delays, after) if instead else folded
