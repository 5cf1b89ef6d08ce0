"""How wrong a forecast is: in the data's unit, and beside what would be told without any knowledge."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.asked import asked, counted
from ..autodiff.calling import shortened

Array = NDArray[Any]


@asked
def rmse(d: Any, y: Any) -> float:
    """The root of the mean squared error, in the data's unit.

    Parameters
    ----------
    d, y : array_like, (N,)
        What came, and what was told.

    Returns
    -------
    float
        ``sqrt(mean((d - y)^2))``.

    Raises
    ------
    ValueError
        If these are no series of one length.
    """
    d, y = _both(d, y)
    return float(np.sqrt(np.mean((d - y) ** 2)))


@asked
def nmse(d: Any, y: Any, *, variance: float | None = None) -> float:
    """The squared error in parts of the data's variance: 1 for who always tells the mean, 0 for who is always right.

    Parameters
    ----------
    d, y : array_like, (N,)
        What came, and what was told.
    variance : float, optional
        The variance to divide by, as in a published figure; that of `d` unless given.

    Returns
    -------
    float
        ``sum((d - y)^2) / sum((d - mean d)^2)``.

    Raises
    ------
    ValueError
        If these are no series of one length, or `d` is the same throughout, or `variance` is not above 0.
    """
    d, y = _both(d, y)
    if variance is not None and not 0 < variance < np.inf:
        raise ValueError(f"variance={shortened(variance)}: it must be above 0, and finite")
    if variance is None and not np.ptp(d):  # of such numbers the variance is rounded, and need not be 0
        raise ValueError("nmse: d is the same throughout, so its variance is 0: pass variance, or use rmse")
    with np.errstate(over="ignore"):  # in parts of next to nothing it is infinite
        return float(np.mean((d - y) ** 2) / (d.var() if variance is None else variance))


@asked
def mase(d: Any, y: Any, train: Any, *, season: int = 1) -> float:
    """The mean error in parts of that of telling the value one season before, on the data that were trained on.

    Parameters
    ----------
    d, y : array_like, (N,)
        What came, and what was told.
    train : array_like, (n,)
        The data that were trained on, longer than a season.
    season : int
        How many steps a season has; with 1, the value before is told.

    Returns
    -------
    float
        ``mean |d - y| / mean |train[t] - train[t - season]|``.

    Raises
    ------
    ValueError
        If these are no series of fitting lengths, or nothing changes in `train` from season to season.

    Notes
    -----
    Source: Hyndman and Koehler (2006).
    """
    (d, y), (x, _) = _both(d, y), _both(train, train, "train", "train")
    if len(x) < 2:
        raise ValueError(f"train={shortened(train)}: nothing can change in one row; pass two at least")
    season = counted("season", season, 1, len(x) - 1)
    usual = np.abs(x[season:] - x[:-season]).mean()
    if not usual:
        raise ValueError(f"mase: train is the same {season} rows later throughout, so there is nothing to divide by")
    return float(np.abs(d - y).mean() / usual)


def series(what: str, values: Any) -> Array:
    """Numbers in a row, (N,); ValueError if they are anything else."""
    try:
        x = np.asarray(values, dtype=float)
    except (TypeError, ValueError, OverflowError):
        x = np.zeros(())
    if x.ndim == 2 and x.shape[1] == 1:
        x = x[:, 0]
    if x.ndim != 1 or not len(x):
        raise ValueError(f"{what}={shortened(values)}: it must be numbers in a row, (N,)")
    if not np.isfinite(x).all():
        raise ValueError(f"{what}[{int(np.flatnonzero(~np.isfinite(x))[0])}] is not finite")
    return x


def _both(d: Any, y: Any, name: str = "d", other: str = "y") -> tuple[Array, Array]:
    d, y = series(name, d), series(other, y)
    if len(d) != len(y):
        raise ValueError(f"{name} has {len(d)} numbers, and {other} {len(y)}: they must be as many")
    return d, y
