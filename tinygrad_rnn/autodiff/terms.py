"""A sum of shares, kept as the factors it is made of until somebody reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
BLOCK = 256  # terms in one product: side by side they take as much memory again


class Outer:
    """The sum over its terms of ``left[p, j] * right[p, i]``, summed over the samples p.

    Each time copy of a weight hands on one term (delta, input). Reading it costs one matrix product over all
    terms, however many there are; T products of one copy each would cost much more.

    Parameters
    ----------
    terms : sequence of (left, right)
        Factors of shape (B, m) and (B, l).
    """

    __slots__ = ("terms",)
    __array_ufunc__ = None  # an ndarray on the left must not take this apart element by element

    def __init__(self, terms: Sequence[tuple[Array, Array]]) -> None:
        self.terms = terms

    @classmethod
    def of(cls, left: Array, right: Array) -> Outer:
        """One term: ``left[p, j] * right[p, i]`` summed over p."""
        return cls([(left, right)])

    @property
    def shape(self) -> tuple[int, int]:
        """Shape (m, l) of the sum."""
        left, right = self.terms[0]
        return left.shape[-1], right.shape[-1]

    def __add__(self, other: Outer | Array) -> Outer | Array:
        return added([self, other])

    __radd__ = __add__

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        total: Array | None = None
        for start in range(0, len(self.terms), BLOCK):
            lefts, rights = zip(*self.terms[start : start + BLOCK], strict=True)
            product: Array = np.concatenate(lefts).T @ np.concatenate(rights)
            total = product if total is None else np.add(total, product, out=total)
        assert total is not None  # there is at least one term
        return total if dtype is None else total.astype(dtype)


def added(shares: Sequence[Array | Outer]) -> Array | Outer:
    """The sum of shares: factors stay factors, unless an array is among them."""
    if len(shares) == 1:
        return shares[0]
    factors = [share for share in shares if isinstance(share, Outer)]
    arrays = [share for share in shares if not isinstance(share, Outer)]
    if factors:
        joined = Outer([term for share in factors for term in share.terms])
        if not arrays:
            return joined
        arrays.append(np.asarray(joined))
    total, *others = arrays
    for share in others:
        total = total + share
    return total
