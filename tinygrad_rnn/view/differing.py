"""Where the errors of two networks part: on which lines another one's is not this one's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..unfold import Step, Unfolded

Way = tuple[Any, ...]


def differing(net: Unfolded, other: Unfolded, of: int | None) -> frozenset[str]:
    """The lines along which the error of another network is another one, beyond what rounding does.

    Lines are told by what they lead from and to. One that the other network does not have is none of these.

    Parameters
    ----------
    net, other : Unfolded
        The two. Their last passes stay what they are.
    of : int or None
        The time step whose cost both errors start from; the whole cost if it is None.
    """
    theirs = {way: step.value for way, step in _ways(other, of)}
    mine = [(f"e{step.node.index}-{_slot(step)}", step.value, theirs.get(way)) for way, step in _ways(net, of)]
    rounding = 1e-12 * max((float(np.abs(error).max(initial=0.0)) for _, error, _ in mine), default=0.0)
    return frozenset(line for line, error, its in mine if its is not None and not _same(error, its, rounding))


def _ways(net: Unfolded, of: int | None) -> Iterator[tuple[Way, Step]]:
    """The steps of the way back, each with what it leads from and to, and which such one it is."""
    passes = net.tape.passes
    held = passes.values, passes.cotangents
    try:
        steps, met = list(net.steps(of)), Counter[Way]()
    finally:
        passes.values, passes.cotangents = held
    for step in steps:
        if step.share is not None and step.share.parent.t is not None:
            ends = tuple((n.name or n.role, n.t) for n in (step.node, step.share.parent))
            met[ends] += 1
            yield (ends, met[ends]), step


def _slot(step: Step) -> int:
    assert step.share is not None  # as `_ways` has seen
    return step.share.slot


def _same(one: NDArray[Any], two: NDArray[Any], rounding: float) -> bool:
    return one.shape == two.shape and np.allclose(one, two, rtol=1e-9, atol=rounding, equal_nan=True)
