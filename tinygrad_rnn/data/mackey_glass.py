"""The equation of Mackey and Glass: a series that never repeats itself, computed and not measured."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.asked import asked, counted

Array = NDArray[Any]

MOST = 10**7  # steps of the solver: some ten seconds, and 0.6 GB


@asked
def mackey_glass(
    n: int,
    *,
    tau: float = 17.0,
    beta: float = 0.2,
    gamma: float = 0.1,
    power: float = 10.0,
    start: float = 1.2,
    h: float = 0.1,
    every: float = 1.0,
    drop: int = 1000,
) -> Array:
    """Solve ``x'(t) = beta x(t - tau) / (1 + x(t - tau)^power) - gamma x(t)``, and take a sample now and then.

    Parameters
    ----------
    n : int
        How many samples.
    tau : float
        The delay. With 17 the series is chaotic, if only just; with 30 more so.
    beta, gamma, power : float
        The other constants.
    start : float
        x(t) for all t <= 0, not negative.
    h : float
        The step of the solver, of which `tau` and `every` must be multiples.
    every : float
        The time from sample to sample.
    drop : int
        How many samples to leave out at the beginning, until the start is forgotten; with 0 the first sample is x(0).

    Returns
    -------
    ndarray of shape (n, 1)
        The samples.

    Raises
    ------
    ValueError
        If a number is out of its range, `tau` or `every` is no multiple of `h`, or `h` is too large for the solver.

    Notes
    -----
    Runge and Kutta's method of order 4, as such only if x(t - tau + h/2) is known to order 4 too: it is read off the
    cubic of Hermite through the values and slopes that are stored. Often it is taken as x(t - tau), frozen over the
    step, which is a method of order 1: with h = 0.1 it is off by 0.015 at t = 100, and by 0.14 at t = 1000.

    Source: Mackey and Glass (1977), Science 197.
    """
    n, drop = counted("n", n, 1), counted("drop", drop, 0)
    for what, size in (("tau", tau), ("beta", beta), ("gamma", gamma), ("power", power), ("h", h), ("every", every)):
        if not 0 < size < math.inf:
            raise ValueError(f"{what}={size!r}: it must be above 0, and finite")
    if not 0 <= start < math.inf:
        raise ValueError(f"start={start!r}: it must be 0 or more, and finite")
    back, apart = (_multiple(what, size, h) for what, size in (("tau", tau), ("every", every)))
    steps = (drop + n - 1) * apart
    if back + steps > MOST:
        raise ValueError(
            f"n={n:.6g}, drop={drop:.6g}, tau={tau}, every={every}, h={h}: these are {back + steps:.6g} steps of the "
            f"solver, and at most {MOST:,} are allowed"
        )
    x = np.array(_solved(float(start), back, steps, float(beta), float(gamma), float(power), float(h)))
    if not (np.isfinite(x) & (x >= 0)).all():  # the solution is never below 0, and falls where it is large
        raise ValueError(f"h={h}: with such long steps the solver leaves the solution; take a smaller one")
    return x[drop * apart :: apart, None].copy()


def _multiple(what: str, size: float, h: float) -> int:
    count = round(size / h)
    if count < 1 or abs(count * h - size) > 1e-9 * size:
        raise ValueError(f"{what}={size}, h={h}: {what} must be a multiple of the solver's step h")
    return count


def _solved(start: float, back: int, steps: int, beta: float, gamma: float, power: float, h: float) -> list[float]:
    """x(0), x(h), ..., x(steps h), of which the past before 0 is all `start`."""

    def rate(now: float, before: float) -> float:
        try:
            return beta * before / (1 + abs(before) ** power) - gamma * now
        except OverflowError:  # of the power
            return -gamma * now

    x, rates = [start] * (back + 1), [0.0] * back  # lists: single numbers are read from them faster
    for k in range(back, back + steps):
        now, left, right = x[k], x[k - back], x[k - back + 1]
        rates.append(rate(now, left))
        # At t = 0 the slope jumps: what ends there had the slope 0.
        at_right = rates[k - back + 1] if k - back + 1 != back else 0.0
        middle = (left + right) / 2 + h * (rates[k - back] - at_right) / 8
        k1 = rates[k]
        k2 = rate(now + h / 2 * k1, middle)
        k3 = rate(now + h / 2 * k2, middle)
        k4 = rate(now + h * k3, right)
        x.append(now + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4))
    return x[back:]
