"""Where a network without an input comes to rest, circles, or never repeats itself, as a weight is turned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import ShapeError
from ..autodiff.asked import asked, counted
from ..unfold import Unfolded
from .many_weights import ManyWeights

Array = NDArray[Any]


@asked
def attractor(net: Unfolded, params: Mapping[str, Any], *, skip: int = 500, keep: int = 100) -> Array:
    """The states that a network goes through in the long run, for many weights, its first input held.

    Parameters
    ----------
    net : Unfolded
        The network; one time step is enough. It starts from its own initial state.
    params : mapping of str to array_like, (..., *shape of the weight)
        The weights that vary, see `tinygrad_rnn.experiments.at_weights`.
    skip, keep : int
        How many steps are left out at first, and how many are kept.

    Returns
    -------
    ndarray, (..., keep, n)
        The states of the first sample, the parts of the state side by side.

    Raises
    ------
    ValueError
        If `skip` or `keep` is no number of steps; see `at_weights` for the rest.
    """
    skip, keep = counted("attractor: skip", skip, 0, 10**7), counted("attractor: keep", keep, 1, 10**7)
    parts = ManyWeights(net).orbit(params, skip, keep)
    return np.concatenate([part[..., 0, :] for part in parts], axis=-1)


@asked
def different_values(states: Array, apart: float = 1e-6) -> int:
    """How many different states a network goes through: 1 at rest, 2 with period two.

    Parameters
    ----------
    states : ndarray, (keep, n)
        What `attractor` gives for one point.
    apart : float
        States that differ by no more than this in any unit count as the same.

    Raises
    ------
    ShapeError
        If the states have not two axes.
    ValueError
        If `apart` is negative.
    """
    if states.ndim != 2 or not states.size:
        raise ShapeError(f"different_values: states is {states.shape}: it must be (keep, n), of one point")
    if not apart >= 0:
        raise ValueError(f"different_values: apart={apart}: it is a distance, from 0 up")
    found: list[Array] = []
    for s in states:
        if not any(np.abs(s - other).max() <= apart for other in found):
            found.append(s)
    return len(found)


@asked
def lyapunov(jacobians: Array) -> Array:
    """How fast a small disturbance grows per step, on average: the Lyapunov exponents, the largest one first.

    Above 0, two states that are almost the same come apart: the network is chaotic if it also stays bounded.

    Parameters
    ----------
    jacobians : ndarray, (T, B, n, n)
        What `tinygrad_rnn.pathology.jacobians` gives, of steps on the attractor.

    Returns
    -------
    ndarray, (B, n)
        In natural logarithms per step; minus infinity where a direction is wiped out.

    Raises
    ------
    ShapeError
        If it has another shape.
    ValueError
        If a number is not finite.

    Notes
    -----
    By QR factorisations along the way. Source: Benettin, Galgani, Giorgilli and Strelcyn (1980).
    """
    if jacobians.ndim != 4 or jacobians.shape[2] != jacobians.shape[3] or not jacobians.size:
        raise ShapeError(
            f"lyapunov: jacobians is {jacobians.shape}: it must be (T, B, n, n), as pathology.jacobians gives"
        )
    if not np.isfinite(jacobians).all():
        raise ValueError("lyapunov: jacobians holds a number that is not finite: such a state has gone away for good")
    turned = np.broadcast_to(np.eye(jacobians.shape[-1]), jacobians.shape[1:])
    grown = np.zeros(jacobians.shape[1:3])
    with np.errstate(divide="ignore"):
        for step in jacobians:
            turned, stretched = np.linalg.qr(step @ turned)
            grown += np.log(np.abs(np.diagonal(stretched, axis1=-2, axis2=-1)))
    return np.sort(grown / len(jacobians), axis=-1)[..., ::-1]
