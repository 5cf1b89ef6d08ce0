"""Where minimisers end in the space of all weights: whether a poor optimum along a slice is one at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import ShapeError
from ..autodiff.asked import asked, counted
from ..unfold import Unfolded, with_weights
from .many_weights import ManyWeights

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Ends:
    """Where minimisers have ended, one entry for each start.

    Attributes
    ----------
    cost, gradient : ndarray
        The cost, and the length of the gradient in all weights: an end with a long one is no minimum, but the place
        where the budget was used up.
    gradients : ndarray of int
        How many gradients were computed on the way.
    params : mapping of str to ndarray, (starts, *shape of the weight)
        The weights there.
    """

    cost: Array
    gradient: Array
    gradients: Array
    params: Mapping[str, Array]


@asked
def ends(net: Unfolded, starts: Mapping[str, Any], *, gradients: int = 1000) -> Ends:
    """Go down from many starts by L-BFGS, in all weights of the network. The network stays as it is. It needs scipy.

    Parameters
    ----------
    net : Unfolded
        The network.
    starts : mapping of str to array_like, (starts, *shape of the weight)
        The weights to start from, all of them.
    gradients : int
        How many gradients each start may compute.

    Returns
    -------
    Ends

    Raises
    ------
    ShapeError
        If a weight has not one axis in front, the starts.
    ValueError
        If `gradients` is not an integer from 1 up, or a weight has no starts.
    ImportError
        If scipy is not installed.
    """
    gradients = counted("ends: gradients", gradients, 1, 10**7)
    begun, points = ManyWeights(net).checked(starts)
    if len(points) != 1 or set(starts) != set(begun):
        raise ShapeError(
            f"ends: starts has {sorted(starts)} at points {points}: it must be (starts, ...) of all weights"
        )
    try:
        from scipy.optimize import minimize
    except ImportError as error:
        raise ImportError("L-BFGS needs scipy: pip install 'tinygrad-rnn[experiments]'") from error
    params = {name: w[0].copy() for name, w in begun.items()}
    here = with_weights(net, params)
    here.finite = False

    def put(flat: Array) -> None:
        at = 0
        for w in params.values():
            w[...] = flat[at : at + w.size].reshape(w.shape)
            at += w.size

    def value(flat: Array) -> tuple[float, Array]:
        put(flat)
        with np.errstate(over="ignore", invalid="ignore"):  # a search may look too far, and comes back
            cost = here.replay()
            here.backward()
        return cost, np.concatenate([here.grads[name].ravel() for name in params])

    found = []
    for k in range(points[0]):
        start = np.concatenate([begun[name][k].ravel() for name in params])
        how = {"maxfun": gradients, "maxiter": gradients, "ftol": 0, "gtol": 1e-10}
        found.append(minimize(value, start, jac=True, method="L-BFGS-B", options=how))
    last: dict[str, list[Array]] = {name: [] for name in params}
    for each in found:
        put(each.x)
        for name, w in params.items():
            last[name].append(w.copy())
    return Ends(
        np.array([each.fun for each in found]),
        np.array([np.linalg.norm(each.jac) for each in found]),
        np.array([each.nfev for each in found]),
        {name: np.stack(rows) for name, rows in last.items()},
    )
