"""How weights start. A recurrent matrix is applied again and again, so what matters is what its powers do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.asked import asked

Array = NDArray[Any]


@asked
def orthogonal(
    rows: int, columns: int | None = None, *, gain: float = 1.0, rng: int | np.random.Generator | None = None
) -> Array:
    """A matrix all of whose singular values are `gain`: with 1 it turns an error, and makes it no longer or shorter.

    Parameters
    ----------
    rows, columns : int
        Its shape; square if `columns` is not given.
    gain : float
        The singular values.
    rng : int or numpy.random.Generator, optional
        Where the numbers come from; every orthogonal matrix is equally likely.

    Notes
    -----
    Source: Saxe, McClelland and Ganguli (2014), "Exact solutions to the nonlinear dynamics of learning in deep linear
    neural networks"; drawn as in Mezzadri (2007), "How to generate random matrices from the classical compact groups".
    """
    columns = rows if columns is None else columns
    _check_sizes(rows=rows, columns=columns)
    tall = np.random.default_rng(rng).normal(size=(max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diag(r))  # or some matrices would come more often than others
    _finite(gain=gain)
    return gain * (q if rows >= columns else q.T)


@asked
def identity(n: int, *, scale: float = 1.0) -> Array:
    """The identity, times `scale`: a state is handed on as it is, and so is its error.

    Notes
    -----
    Source: Le, Jaitly and Hinton (2015), "A simple way to initialize recurrent networks of rectified linear units".
    """
    _check_sizes(n=n)
    _finite(scale=scale)
    return scale * np.eye(n)


@asked
def scaled_normal(
    rows: int, columns: int | None = None, *, gain: float = 1.0, rng: int | np.random.Generator | None = None
) -> Array:
    """Normal entries of variance gain^2 / columns: a sum over the columns has the variance of its summands.

    Parameters
    ----------
    rows, columns : int
        Its shape; square if `columns` is not given. The spectral radius of a large square one is about `gain`.
    gain : float
        What the standard deviation is multiplied by.
    rng : int or numpy.random.Generator, optional
        Where the numbers come from.

    Notes
    -----
    Source: LeCun, Bottou, Orr and Mueller (1998), "Efficient backprop", section 4.6.
    """
    columns = rows if columns is None else columns
    _check_sizes(rows=rows, columns=columns)
    _finite(gain=gain)
    return gain / np.sqrt(columns) * np.random.default_rng(rng).normal(size=(rows, columns))


@asked
def spectral_radius(U: Array) -> float:
    """The largest absolute value of an eigenvalue: by what the powers of U grow or decay in the long run.

    Raises
    ------
    ValueError
        If U is not square, or not finite.
    """
    if np.ndim(U) != 2 or U.shape[0] != U.shape[1] or not np.isfinite(U).all():
        raise ValueError(f"U is {np.shape(U)}: only a square matrix of finite numbers has a spectral radius")
    return float(np.abs(np.linalg.eigvals(U)).max())


@asked
def scale_to_radius(U: Array, radius: float) -> Array:
    """A multiple of U whose `spectral_radius` is `radius`.

    Raises
    ------
    ValueError
        If U has none, or it is 0, as that of a triangular matrix with a zero diagonal: no multiple has another one.

    Notes
    -----
    Source: Jaeger (2001), "The echo state approach to analysing and training recurrent neural networks".
    """
    if not 0 <= radius < np.inf:
        raise ValueError(f"radius={radius!r}: it must be a finite number from 0 up")
    now = spectral_radius(U)
    if now == 0:
        raise ValueError("the spectral radius of U is 0, and so is that of every multiple of it")
    return np.asarray(U * (radius / now))


def _finite(**numbers: float) -> None:
    for name, value in numbers.items():
        if not np.isfinite(value):
            raise ValueError(f"{name}={value!r}: it must be a finite number")


def _check_sizes(**sizes: Any) -> None:
    for name, value in sizes.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"{name} is {value!r}: it must be an integer from 1 up")
