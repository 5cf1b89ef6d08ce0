"""Weights that are no longer tied: each copy goes its own way, and the unfolded network is a deep one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.asked import asked, room_for
from ..autodiff.calling import numbers

Array = NDArray[Any]


@asked
def untie(params: Mapping[str, Any], T: int, *, keep: Collection[str] = ()) -> dict[str, Array]:
    """The same weights once for each time step, for ``unfold(..., untied=True)``.

    What is added up into one gradient when they are tied, ``net.copies``, is then the gradient: one step along it, and
    the copies differ.

    Parameters
    ----------
    params : mapping of str to ndarray
        The weights that were tied.
    T : int
        The number of time steps.
    keep : collection of str
        The parameters that stay as they are: initial states that are trained.

    Returns
    -------
    dict of str to ndarray
        Arrays (T, ...) of their own.

    Raises
    ------
    ValueError
        If T is not a positive integer.
    KeyError
        If a name in `keep` is no parameter.

    Notes
    -----
    Source: Guo (2013), section 4.
    """
    if isinstance(T, bool) or not isinstance(T, int | np.integer) or T < 1:
        raise ValueError(f"T={T!r}: the number of time steps is an integer from 1 up")
    for name in keep:
        if name not in params:
            raise KeyError(f"keep names {name!r}; the parameters are {', '.join(map(str, params))}")
    read = {name: numbers(w, f"params[{name!r}]") for name, w in params.items()}
    for name, w in read.items():
        room_for(f"{name} untied", (T, *w.shape), "take fewer steps")
    return {name: w.copy() if name in keep else np.repeat(w[None], T, 0) for name, w in read.items()}
