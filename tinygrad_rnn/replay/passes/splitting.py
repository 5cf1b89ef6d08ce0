"""What a loop need not compute leaves it: of a sum of products, those that do not wait for the step beside."""

from __future__ import annotations

from ...autodiff import Node, ops
from ..folded import Folded
from ..liveness import liveness
from ..products import name, product_text, weighted_sum
from ..rewriting import Draft, Written, rewritten


def split_sums(folded: Folded) -> Folded:
    """Loop fission: ``x V^T + s U^T + b`` in a loop is ``s U^T`` plus what was computed for all copies before."""
    live = liveness(folded)
    instead: dict[Node, Written] = {}
    for n in live.played:
        sums = weighted_sum(n, folded.invariant) if n in live.loops else None
        if sums is None or (sums.alone and not sums.alone.turned):
            continue
        loop = live.loops[n]
        held = [p for p in sums.products if live.loops.get(folded.source(p.x)) == loop]
        free = [p for p in sums.products if p not in held]
        terms: list[Written] = [Draft(ops.matmul, (p.x, p.matrix), n.shape) for p in held]
        text = " + ".join([*(product_text(p) for p in free), *([name(sums.bias)] if sums.bias is not None else [])])
        if free:
            read: list[Written] = [each for p in free for each in (p.x, p.weight)]
            linear = Draft(ops.linear, (*read, *([sums.bias] if sums.bias is not None else [])), n.shape, f"({text})")
            terms.insert(0, linear)
        elif sums.bias is not None:
            row = ops.broadcast.bind(source=sums.bias.shape, to=n.shape)
            terms.insert(0, Draft(row, (sums.bias,), n.shape))
        instead[n] = terms[0] if len(terms) == 1 else Draft(ops.add, tuple(terms), n.shape, n.name)
    return rewritten(folded, instead) if instead else folded
