"""Clipping gradients, after the backward pass and before the step.

Clipping inside the backward recursion is another thing: see `tinygrad_rnn.cells.ErrorClipped`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def clip_by_norm(grads: Mapping[str, Array], threshold: float) -> dict[str, Array]:
    """Gradients shortened to a norm of `threshold` where they are longer; their direction stays.

    The norm is that of all gradients together, as if they were one vector. Below the threshold they are
    handed back as they are.

    Parameters
    ----------
    grads : mapping of str to ndarray
        dC / d weight by name.
    threshold : float
        The largest norm.

    Raises
    ------
    ValueError
        If the threshold is not above 0, or the norm is not finite: no factor makes such gradients right.

    Notes
    -----
    Source: Pascanu, Mikolov and Bengio (2013), algorithm 1.
    """
    _above_zero("threshold", threshold)
    # The largest entry is taken out first: squares of large gradients would overflow.
    largest = float(np.max([np.abs(g).max(initial=0.0) for g in grads.values()], initial=0.0))
    if not np.isfinite(largest):
        bad = next(name for name, g in grads.items() if not np.isfinite(g).all())
        raise ValueError(
            f"clip_by_norm: the gradient of {bad} is not finite, and no factor makes it so; "
            "net.first_bad() says where it comes from"
        )
    if largest == 0.0:
        return dict(grads)
    norm = largest * float(np.sqrt(sum(float(((g / largest) ** 2).sum()) for g in grads.values())))
    if norm <= threshold:
        return dict(grads)
    return {name: g * g.dtype.type(threshold / norm) for name, g in grads.items()}


def clip_by_value(grads: Mapping[str, Array], bound: float) -> dict[str, Array]:
    """Gradients with every entry beyond +-`bound` put at it: their direction may change.

    Parameters
    ----------
    grads : mapping of str to ndarray
        dC / d weight by name.
    bound : float
        The largest size of an entry.

    Raises
    ------
    ValueError
        If the bound is not above 0.

    Notes
    -----
    Source: Karpathy's min-char-rnn, where the bound is 5.
    """
    _above_zero("bound", bound)
    return {name: np.clip(g, -bound, bound) for name, g in grads.items()}


def _above_zero(what: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{what}={value!r}: it must be above 0")
