"""A weight's gradient, kept as the factors it is made of until somebody reads it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
BLOCK = 256  # terms in one product: side by side they take as much memory again


class Outer:
    """The sum over its terms of ``left[p, j] * right[p, i]``, summed over the samples p.

    Each time copy of a weight contributes one term (delta, input). Adding appends the term to a list
    that all partial sums share, so that T copies cost T appends, and reading costs one matrix
    product over all of them.

    Parameters
    ----------
    terms : list of (left, right)
        Factors of shape (B, m) and (B, l). Only the first `count` of them belong to this sum.
    count : int
        How many terms this sum has.
    """

    __slots__ = ("count", "terms")
    __array_ufunc__ = None  # an ndarray on the left must not take this apart element by element

    def __init__(self, terms: list[tuple[Array, Array]], count: int) -> None:
        self.terms = terms
        self.count = count

    @classmethod
    def of(cls, left: Array, right: Array) -> Outer:
        """One term: ``left[p, j] * right[p, i]`` summed over p."""
        return cls([(left, right)], 1)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape (m, l) of the sum."""
        left, right = self.terms[0]
        return left.shape[-1], right.shape[-1]

    def __add__(self, other: Outer | Array) -> Outer | Array:
        if not isinstance(other, Outer):
            return np.asarray(self) + other
        # A term may only be appended behind the last one: a partial sum that is no longer the
        # longest has readers of its own list behind it, so it continues on a copy.
        mine = self.terms if self.count == len(self.terms) else self.terms[: self.count]
        mine.extend(other.terms[: other.count])
        return Outer(mine, self.count + other.count)

    __radd__ = __add__

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        total: Array | None = None
        for start in range(0, self.count, BLOCK):
            lefts, rights = zip(*self.terms[start : min(start + BLOCK, self.count)], strict=True)
            product: Array = np.concatenate(lefts).T @ np.concatenate(rights)
            total = product if total is None else np.add(total, product, out=total)
        assert total is not None  # there is at least one term
        return total if dtype is None else total.astype(dtype)
