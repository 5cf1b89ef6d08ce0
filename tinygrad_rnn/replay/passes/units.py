"""A product with the number 1 is its other factor."""

from __future__ import annotations

import numpy as np

from ...autodiff import Node
from ...autodiff.traits import computes, is_view
from ..folded import Folded
from ..rewriting import rewritten


def remove_units(folded: Folded) -> Folded:
    """Algebraic simplification: where each step's cost weighs 1, no error is multiplied by its weight."""
    if not (folded.shares == 1).all():
        return folded
    one, handed_on = {folded.share}, {d.written for d in folded.delays}
    instead: dict[Node, Node] = {}
    for n in folded.tape:
        if is_view(n) and n.parents[0] in one:  # the number, repeated
            one.add(n)
        if computes(n, np.multiply):
            for unit, other in (n.parents, n.parents[::-1]):
                # What is handed on has memory of its own: it is none of the step's own nodes, and no leaf.
                fits = n not in handed_on or (other.op is not None and other.index >= folded.size)
                if unit in one and fits:
                    instead[n] = other
                    break
    return rewritten(folded, instead) if instead else folded
