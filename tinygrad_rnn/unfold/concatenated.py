"""Concatenated products: inputs side by side in one row, their weights side by side in one matrix.

``[x(t) s(t-1) 1] [V U b]^T`` is ``x(t) V^T + s(t-1) U^T + b`` in one call instead of three. It takes the product with
the inputs into the loop, copy by copy, so that it pays where a call costs more than its numbers: for one sample, and
few inputs. Backwards, ``[dC/dnet_j(t+1) dC/dnet_k(t)] [U; W]`` is all that comes back to s(t).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, ops
from .loop import Call

Array = NDArray[Any]

CONCATENATED = 4096  # numbers of a matrix that may come into a loop for the sake of a call less; measured


class Concatenated:
    """The rows and the matrix of one such product, for one sample.

    Parameters
    ----------
    steps : int
        How many copies there are.
    first : Node
        The input that passes from step to step.
    inputs : sequence of Node
        The others.
    weights : sequence of Node
        The weight (m, n) of each input, that of the first one first.
    bias : Node or None
        What is added.
    factor : ndarray, (m,), or None
        What the sum is multiplied by.
    later : bool
        Whether the first input comes from the step after, as errors do, or from the step before, as states do.
    dtype
        Of all numbers.

    Attributes
    ----------
    rows : ndarray, (steps + 1, 1, width)
        The inputs side by side: the others, the first, and a one if there is a bias.
    read : ndarray, (steps, 1, width)
        The row that each copy reads, one away from the row where it writes what passes on.
    matrix : ndarray, (width, m)
        The weights, transposed, in the same order, times the factor.
    factor : ndarray or None
        As it was given.
    """

    def __init__(
        self,
        steps: int,
        first: Node,
        inputs: Sequence[Node],
        weights: Sequence[Node],
        bias: Node | None,
        factor: Array | None,
        later: bool,
        dtype: Any,
    ) -> None:
        widths = [*(p.shape[-1] for p in inputs), first.shape[-1], *[1] * (bias is not None)]
        self._starts = [sum(widths[:k]) for k in range(len(widths) + 1)]
        self.rows = np.zeros((steps + 1, 1, sum(widths)), dtype)
        self.matrix = np.empty((sum(widths), weights[0].shape[0]), dtype)
        self.read = self.rows[1:] if later else self.rows[:-1]
        self.factor = None if factor is None else factor.astype(dtype)
        self._sources = [*weights[1:], weights[0], *([] if bias is None else [bias])]
        self._copied: list[tuple[Array, Node]] = []
        if bias is not None:
            self.rows[..., -1] = 1

    def of(self, k: int) -> Array:
        """The columns of input k, (steps, 1, its width)."""
        return self.read[..., self._starts[k] : self._starts[k + 1]]

    @property
    def passed_on(self) -> Array:
        """The columns of the input that passes from step to step, (steps + 1, 1, its width)."""
        k = len(self._starts) - 2 - self.has_bias
        return self.rows[..., self._starts[k] : self._starts[k + 1]]

    @property
    def has_bias(self) -> bool:
        """Whether the last column is of ones."""
        return self._sources[-1].ndim == 1

    def place_weights(self, stacks: dict[int, Array], weights: set[int]) -> None:
        """Let the weights that have no place yet lie in the matrix itself; the others are copied into it."""
        parts = [self.matrix[a:b] for a, b in pairwise(self._starts)]
        for part, n in zip(parts, self._sources, strict=True):
            leaf, seen = n, part[0] if n.ndim == 1 else part.T
            while leaf.op is ops.copy or leaf.op is ops.transpose:
                leaf, seen = leaf.parents[0], seen.T if leaf.op is ops.transpose else seen
            if leaf.index in weights and leaf.index not in stacks and self.factor is None:
                stacks[leaf.index] = seen
            else:
                self._copied.append((part, n))

    def copies(self, stack: Callable[[Node], Array]) -> list[Call]:
        """The calls that copy weights into the matrix; `stack` gives the numbers of a node."""
        copied: list[Call] = [partial(np.copyto, part, stack(n).T) for part, n in self._copied]
        return copied if self.factor is None else [*copied, partial(np.multiply, self.matrix, self.factor, self.matrix)]
