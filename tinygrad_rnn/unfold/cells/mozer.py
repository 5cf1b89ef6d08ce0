"""Mozer's context units: each remembers itself and no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...autodiff import ops
from ...autodiff.asked import asked_if_it_fails
from .base import OUTPUTS, Cell, at_rest, uniform
from .simple import HIDDEN

Array = NDArray[Any]


@dataclass(frozen=True)
class Mozer(Cell):
    """Self-connected context units: ``s = u_j * s + f(net_j)``, ``net_j = x V^T + b_j``, below a head.

    Each unit has one weight to itself and none to the others: u_j (m,), the diagonal of Guo's U. The other parameters
    are V (m, l), b_j (m,), W (o, m), b_k (o,).

    Parameters
    ----------
    f : {"tanh", "sigmoid", "identity", "relu"}
        The activation of what is added to the memory.
    g : {"softmax", "sigmoid", "identity", "tanh"}
        The activation of the output units.
    decay : float
        What u_j starts from: the part of its memory that a unit keeps in each step.

    Notes
    -----
    Source: Mozer (1989), "A focused backpropagation algorithm for temporal pattern recognition", Complex Systems 3.
    His d_i is u_j here, his c_i is s, and his output stands at the end of the sequence only.
    """

    f: str = "tanh"
    g: str = "softmax"
    decay: float = 0.9

    def __post_init__(self) -> None:
        self._choose(f=HIDDEN, g=OUTPUTS)

    def layer(self, params: Mapping[str, Any], x: Any, s: Any) -> tuple[Any, Any]:
        """One time step without the head: x[p, i] and s[p, j] in, the new s[p, j] out, twice."""
        net_j = ops.linear(x, params["V"], params["b_j"], name="net_j")
        s = ops.add(params["u_j"] * s, HIDDEN[self.f](net_j), name="s")
        return s, s

    def draw(self, n_in: int, n_hidden: int, rng: np.random.Generator) -> dict[str, Array]:
        """V uniform in +-1/sqrt(l), u_j the decay, b_j zero."""
        V = uniform(rng, n_hidden, n_in)
        return {"V": V, "u_j": np.full(n_hidden, float(self.decay)), "b_j": np.zeros(n_hidden)}

    @asked_if_it_fails
    def initial_state(self, params: Mapping[str, Array], n_samples: int) -> Array:
        """The state s(0) where none is given: zeros, (B, m)."""
        return at_rest(params, "u_j", n_samples)

    def _no_torch(self) -> str:
        return "its units remember themselves only"
