"""Gates: activations of the parts of one net input, which the same few calls compute for all of them.

sigma(net) = tanh(net / 2) / 2 + 1/2, and tanh(net) is tanh(net * 1) * 1 + 0: with a number for each unit, the four
gates of an LSTM take four calls, and three where the first factor goes into the weights.

1 / (1 + exp(-net)) would have all its digits far below 0. But tanh written with exp has few near 0, so an LSTM would
take a call more, and a step of one sample 2 to 5 % more time; measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ...autodiff import Node, Op
from ...autodiff.form import Takes
from ...autodiff.kernels import in_turn
from ...autodiff.op import Ufuncs
from ...autodiff.traits import block_of
from ..folded import Array, Folded
from ..liveness import liveness
from ..products import part_of
from ..rewriting import Draft, rewritten

NEUTRAL = {np.multiply: 1.0, np.add: 0.0}  # what leaves every number as it is


def fuse_gates(folded: Folded) -> Folded:
    """Loop fusion: gates whose net inputs lie side by side become one node, and each of them a part of it.

    Different activations only of one sample: with more, calls are few beside the numbers, and rows of several gates
    dearer than of one.
    """
    live, apart = liveness(folded), {d.written for d in folded.delays}
    by_source: dict[Node, list[tuple[Takes, Node]]] = {}
    for n in live.forward:
        block = block_of(n.parents[0]) if len(n.parents) == 1 else None
        if n in live.loops and n not in apart and n.op and n.op.ufuncs and isinstance(block, Takes):
            by_source.setdefault(n.parents[0].parents[0], []).append((block, n))
    instead: dict[Node, Draft] = {}
    for source, gates in by_source.items():
        gates.sort(key=lambda gate: (gate[0].start, gate[1].index))
        ufuncs = _for_all([n.op.ufuncs for _, n in gates if n.op], [n.shape[-1] for _, n in gates])
        if len(gates) < 2 or any(a.stop != b.start for (a, _), (b, _) in pairwise(gates)) or not ufuncs:
            continue
        of_gates = [n.op for _, n in gates if n.op]
        if len(set(of_gates)) > 1 and folded.samples > 1:
            continue
        start, stop = gates[0][0].start, gates[-1][0].stop
        op = of_gates[0] if len(set(of_gates)) == 1 else elementwise(", ".join(op.name for op in of_gates), ufuncs)
        net = source if stop - start == source.shape[-1] else part_of(source, start, stop)
        fused = Draft(op, (net,), net.shape, ", ".join(n.name for _, n in gates))
        instead |= {n: part_of(fused, block.start - start, block.stop - start) for block, n in gates}
    return rewritten(folded, instead) if instead else folded


def elementwise(name: str, ufuncs: Ufuncs) -> Op:
    """An op of no block: what these NumPy functions compute entry by entry."""

    def value(net: Array, out: Array | None = None) -> Array:
        return in_turn(ufuncs, (net,), out)

    value.__name__ = name
    return Op(value, label=name, latex=name, ufuncs=ufuncs)


def _for_all(chains: Sequence[Ufuncs], widths: Sequence[int]) -> list[tuple[Any, ...]]:
    """Calls that do for each group of columns what its chain does, with a number for each column; none if none fit."""
    longest = max(chains, key=len)
    aligned = [_aligned(chain, longest) for chain in chains]
    if not all(aligned):
        return []
    return [
        (ufunc, *([np.repeat([numbers[k] for numbers in aligned], widths)] if taken else []))
        for k, (ufunc, *taken) in enumerate(longest)
    ]


def _aligned(chain: Ufuncs, longest: Ufuncs) -> list[float]:
    """The number that each call of the longest chain takes to do what this chain does; none if it cannot."""
    numbers, rest = [], list(chain)
    for ufunc, *taken in longest:
        if rest and rest[0][0] is ufunc and len(rest[0]) == 1 + len(taken) <= 2:
            numbers.append([*rest.pop(0), 0.0][1])
        elif ufunc in NEUTRAL and len(taken) == 1:
            numbers.append(NEUTRAL[ufunc])
        else:
            return []
    return [] if rest else numbers
