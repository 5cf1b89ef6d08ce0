"""Cells: what a recurrent network computes in one time step.

A cell is a function ``cell(params, x, s)`` that returns the new state and the output, ``(s, y)``,
written with the ops of `tinygrad_rnn.autodiff.ops`. `params[name]` is the weight's copy at this time
step. `unfold` calls the cell once for each step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..autodiff import ops

Array = NDArray[Any]


@dataclass(frozen=True)
class Guo:
    """The simple recurrent network of Guo (2013), section 1.

    ``net_j = x V^T + s U^T + b_j``, ``s = f(net_j)``, ``net_k = s W^T + b_k``, ``y = g(net_k)``.

    Parameters
    ----------
    f : {"tanh", "sigmoid", "identity", "relu"}
        The activation of the hidden units.
    g : {"softmax", "sigmoid", "identity", "tanh"}
        The activation of the output units.

    Notes
    -----
    Source: Guo (2013), eqs. (1)-(4).
    """

    f: str = "tanh"
    g: str = "softmax"

    equations: ClassVar[Mapping[Any, str]] = {
        "net_j": "G2",
        "s": "G1",
        "net_k": "G4",
        "y": "G3",
        ("net_k", "W"): "G18",
        ("net_k", "s"): "G22",
        ("y", "net_k"): "G8",
        ("s", "net_j"): "G9",
        ("net_j", "V"): "G11",
        ("net_j", "U"): "G12",
        ("net_j", "s"): "G26",
        ("V", "V"): "G27",
        ("U", "U"): "G28",
    }
    """Which equation a node computes, and which one gives a parent's share of the error."""

    _F: ClassVar = {"tanh": ops.tanh, "sigmoid": ops.sigmoid, "identity": ops.identity, "relu": ops.relu}
    _G: ClassVar = {
        "softmax": ops.softmax,
        "sigmoid": ops.sigmoid,
        "identity": ops.identity,
        "tanh": ops.tanh,
    }

    def __post_init__(self) -> None:
        for which, table in (("f", self._F), ("g", self._G)):
            if getattr(self, which) not in table:
                raise ValueError(f"Guo({which}={getattr(self, which)!r}): {which} is one of {', '.join(table)}")

    def __call__(self, params: Mapping[str, Any], x: Any, s: Any) -> tuple[Any, Any]:
        """One time step: x[p, i] and s[p, h] in, the new s[p, j] and y[p, k] out."""
        net_j = ops.linear(x, params["V"], s, params["U"], params["b_j"], name="net_j")
        s = self._F[self.f](net_j, name="s")
        net_k = ops.linear(s, params["W"], params["b_k"], name="net_k")
        y = self._G[self.g](net_k, name="y")
        return s, y

    def init(
        self, n_in: int, n_hidden: int, n_out: int, *, rng: int | np.random.Generator | None = None
    ) -> dict[str, Array]:
        """Draw parameters: weights uniform in +-1/sqrt(number of inputs), biases zero.

        Parameters
        ----------
        n_in, n_hidden, n_out : int
            The sizes l, m and o.
        rng : int or numpy.random.Generator, optional
            Where the numbers come from; the same integer gives the same numbers.

        Returns
        -------
        dict
            V (m, l), U (m, m), b_j (m,), W (o, m), b_k (o,).

        Raises
        ------
        ValueError
            If a size is not a positive integer.
        """
        for size, value in (("n_in", n_in), ("n_hidden", n_hidden), ("n_out", n_out)):
            if not isinstance(value, int | np.integer) or value < 1:
                raise ValueError(f"{size} is {value!r}: a layer has at least one unit, so give an integer from 1 up")
        rng = np.random.default_rng(rng)

        def weights(to: int, fan_in: int) -> Array:
            return rng.uniform(-1, 1, (to, fan_in)) / np.sqrt(fan_in)

        return {
            "V": weights(n_hidden, n_in),
            "U": weights(n_hidden, n_hidden),
            "b_j": np.zeros(n_hidden),
            "W": weights(n_out, n_hidden),
            "b_k": np.zeros(n_out),
        }

    def initial_state(self, params: Mapping[str, Array], n_samples: int) -> Array:
        """The state s(0) where none is given: zeros, (B, m)."""
        u = np.asarray(params["U"])
        return np.zeros((n_samples, u.shape[0]), u.dtype)
