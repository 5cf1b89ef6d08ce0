"""Functions to sweep that are ready: what the command knows by one word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..train import SGD, clip_by_norm, scale_to_radius
from .arena_objective import Objective
from .tasks import task

DIVERGED = 10.0  # times its own start


def descent(
    *, radius: float, eta: float, clip: float | None = None, seed: int = 0, updates: int = 200
) -> dict[str, Any]:
    """Gradient descent by BPTT on the adding problem, from a recurrent matrix of a given spectral radius.

    Parameters
    ----------
    radius : float
        The spectral radius of U at the start.
    eta : float
        The step down half the mean squared error.
    clip : float, optional
        The longest gradient; none is shortened without it, or with 0.
    seed : int
        Of the weights. The 100 sequences are the same for all.
    updates : int
        How many steps are taken.

    Returns
    -------
    dict
        ``start`` and ``cost``, the normalised mean squared errors before and after, and ``diverged``: whether the
        second is not finite, or more than ten times the first. A clipped run never gets infinite; it wanders.
    """
    adding = task("adding")
    params = adding.start(seed)
    params["U"] = scale_to_radius(params["U"], radius)
    objective = Objective(adding, params, 3 * (updates + 1))
    half = adding.train.variance / 2  # a step goes down half the mean squared error, as Guo's cost has it
    w, optimiser = {"w": objective.start.copy()}, SGD(eta)
    with np.errstate(all="ignore"):  # of runs that diverge
        start = objective.cost(w["w"])
        for _ in range(updates):
            found = objective.gradient(w["w"])[1] * half
            if not np.isfinite(found).all():
                break
            optimiser.step(w, clip_by_norm({"w": found}, clip) if clip else {"w": found})
        cost = objective.cost(w["w"])
    return {"start": start, "cost": cost, "diverged": not cost <= DIVERGED * start}


KINDS: dict[str, Callable[..., Any]] = {"descent": descent}
