"""Clipping gradients, after the backward pass and before the step.

Clipping inside the backward recursion is another thing: see `tinygrad_rnn.cells.ErrorClipped`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ..autodiff.asked import asked_if_it_fails
from ..autodiff.calling import shortened
from .validation import Array, floats, gradient, is_number, mapping


@asked_if_it_fails
def clip_by_norm(grads: Mapping[str, Array], threshold: float, norm: float = 2) -> dict[str, Array]:
    """Gradients shortened to a norm of `threshold` where they are longer; their direction stays.

    The norm is that of all gradients together, as if they were one vector. Below the threshold they are
    handed back as they are.

    Parameters
    ----------
    grads : mapping of str to ndarray
        dC / d weight by name, in floats.
    threshold : float
        The largest norm.
    norm : float
        Which norm: the p-th root of the sum of all ``|g|^p``, p from 1 up. ``2`` is the length, ``1`` the sum of the
        sizes, ``inf`` the largest size.

    Raises
    ------
    ValueError
        If the threshold is not above 0, `norm` is below 1, or a gradient is not an array of finite floats: no factor
        makes such gradients right.

    Notes
    -----
    Source: Pascanu, Mikolov and Bengio (2013), algorithm 1, for the length.
    """
    _limit("threshold", threshold)
    if not is_number(norm) or not norm >= 1:
        raise ValueError(f"norm={shortened(norm)}: it must be a number from 1 up, such as 1, 2 or inf")
    grads = _checked("clip_by_norm", floats, grads)
    # The largest entry is taken out first: squares of large gradients would overflow.
    largest = float(np.max([np.abs(g).max(initial=0.0) for g in grads.values()], initial=0.0))
    if not np.isfinite(largest):
        _checked("clip_by_norm", gradient, grads)  # names the gradient
    if largest == 0.0:
        return grads
    if norm == np.inf:
        length = largest
    elif norm == 2:
        length = largest * float(np.sqrt(sum(float(((g / largest) ** 2).sum()) for g in grads.values())))
    else:
        length = largest * float(sum(float((np.abs(g / largest) ** norm).sum()) for g in grads.values()) ** (1 / norm))
    if length <= threshold:
        return grads
    return {name: g * g.dtype.type(threshold / length) for name, g in grads.items()}


@asked_if_it_fails
def clip_by_value(grads: Mapping[str, Array], bound: float) -> dict[str, Array]:
    """Gradients with every entry beyond +-`bound` put at it: their direction may change.

    Parameters
    ----------
    grads : mapping of str to ndarray
        dC / d weight by name, in floats.
    bound : float
        The largest size of an entry.

    Raises
    ------
    ValueError
        If the bound is not above 0, or a gradient is not an array of finite floats.

    Notes
    -----
    Source: Karpathy's min-char-rnn, where the bound is 5.
    """
    _limit("bound", bound)
    return {name: np.clip(g, -bound, bound) for name, g in _checked("clip_by_value", gradient, grads).items()}


def _checked(who: str, check: Callable[[str, Array], Array], grads: Mapping[str, Array]) -> dict[str, Array]:
    mapping("grads", grads)
    try:
        return {name: check(name, g) for name, g in grads.items()}
    except ValueError as error:
        raise ValueError(f"{who}: {error}") from None


def _limit(what: str, value: float) -> None:
    if not is_number(value) or not value > 0:
        raise ValueError(f"{what}={shortened(value)}: it must be above 0")
