"""Gates: activations of the parts of one net input, which the same few calls compute for all of them.

sigma(net) = tanh(net / 2) / 2 + 1/2, and tanh(net) is tanh(net * 1) * 1 + 0: with a number for each unit, the four
gates of an LSTM take four calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node

Array = NDArray[Any]
NEUTRAL = {np.multiply: 1.0, np.add: 0.0}  # what leaves every number as it is


@dataclass(frozen=True, eq=False)
class Gates:
    """Gates side by side.

    Attributes
    ----------
    source : Node
        Whose parts their net inputs are.
    nodes : tuple of Node
        The gates, from left to right.
    starts : tuple of int
        The first column of the net input of each.
    width : int
        How many columns they have together.
    ufuncs : tuple of tuple
        The calls: a NumPy function, and perhaps an array (width,) of numbers.
    """

    source: Node
    nodes: tuple[Node, ...]
    starts: tuple[int, ...]
    width: int
    ufuncs: tuple[tuple[Any, ...], ...]

    @property
    def start(self) -> int:
        """Their first column in the source."""
        return self.starts[0]

    def columns(self, stack: Array) -> Array:
        """Their columns of the source's stack."""
        return stack[..., self.start : self.start + self.width]


def gates_of(source: Node, nodes: Sequence[Node]) -> Gates | None:
    """Activations of parts of a node as gates; None if the parts do not lie side by side, or no calls fit all."""
    spans = sorted((n.parents[0].op.settings["start"], n.shape[-1], n.index, n) for n in nodes if n.parents[0].op)
    if len(spans) < 2 or any(a[0] + a[1] != b[0] for a, b in pairwise(spans)):
        return None
    chains = [n.op.ufuncs for _, _, _, n in spans if n.op]
    longest = max(chains, key=len)
    aligned = [_aligned(chain, longest) for chain in chains]
    if any(numbers is None for numbers in aligned):
        return None
    widths = [width for _, width, _, _ in spans]
    calls = []
    for k, (ufunc, *numbers) in enumerate(longest):
        rows = [np.repeat([numbers_of[k] for numbers_of in aligned if numbers_of], widths)] if numbers else []
        calls.append((ufunc, *rows))
    found = tuple(n for _, _, _, n in spans)
    return Gates(source, found, tuple(start for start, _, _, _ in spans), sum(widths), tuple(calls))


def _aligned(chain: Sequence[tuple[Any, ...]], longest: Sequence[tuple[Any, ...]]) -> list[float] | None:
    """The number that each call of the longest chain takes to do what this chain does; None if it cannot."""
    numbers, rest = [], list(chain)
    for ufunc, *taken in longest:
        if rest and rest[0][0] is ufunc and len(rest[0]) == 1 + len(taken) <= 2:
            numbers.append([*rest.pop(0), 0.0][1])
        elif ufunc in NEUTRAL and len(taken) == 1:
            numbers.append(NEUTRAL[ufunc])
        else:
            return None
    return None if rest else numbers
