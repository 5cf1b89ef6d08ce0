"""Simple recurrent networks: one layer of units that read the input and their own last values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...autodiff import ops
from ...autodiff.asked import asked_if_it_fails
from .base import OUTPUTS, Cell, uniform

Array = NDArray[Any]

HIDDEN = {"tanh": ops.tanh, "sigmoid": ops.sigmoid, "identity": ops.identity, "relu": ops.relu}


@dataclass(frozen=True)
class Guo(Cell):
    """The simple recurrent network of Guo (2013), section 1.

    ``net_j = x V^T + s U^T + b_j``, ``s = f(net_j)``, ``net_k = s W^T + b_k``, ``y = g(net_k)``.

    Its parameters are V (m, l), U (m, m), b_j (m,), W (o, m), b_k (o,).

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

    def __post_init__(self) -> None:
        self._choose(f=HIDDEN, g=OUTPUTS)

    def layer(self, params: Mapping[str, Any], x: Any, s: Any) -> tuple[Any, Any]:
        """One time step without the head: x[p, i] and s[p, h] in, the new s[p, j] out, twice."""
        net_j = ops.linear(x, params["V"], s, params["U"], params["b_j"], name="net_j")
        s = HIDDEN[self.f](net_j, name="s")
        return s, s

    def draw(self, n_in: int, n_hidden: int, rng: np.random.Generator) -> dict[str, Array]:
        """Weights uniform in +-1/sqrt(number of inputs), biases zero."""
        V, U = uniform(rng, n_hidden, n_in), uniform(rng, n_hidden, n_hidden)
        return {"V": V, "U": U, "b_j": np.zeros(n_hidden)}

    def _no_torch(self) -> str:
        return "" if self.f in ("tanh", "relu") else f"torch.nn.RNN has hidden units of tanh or relu, not {self.f}"


@dataclass(frozen=True)
class Elman(Guo):
    """The simple recurrent network of Elman (1990): Guo's, with logistic units, starting from a state of 0.5.

    Parameters
    ----------
    g : {"sigmoid", "softmax", "identity", "tanh"}
        The activation of the output units; logistic in the paper.

    Notes
    -----
    Source: Elman (1990), "Finding structure in time", Cognitive Science 14, Figure 2 and its description. The context
    units, which hold a copy of the hidden units' last values, are the state. Elman did not send the error back
    through time; to do as he did, cut the error off between the steps.
    """

    f: str = field(default="sigmoid", init=False)
    g: str = "sigmoid"

    @asked_if_it_fails
    def initial_state(self, params: Mapping[str, Array], n_samples: int) -> Array:
        """The state s(0) where none is given: 0.5 everywhere, the middle of a logistic unit's range, (B, m)."""
        return self._rest(params, n_samples) + 0.5


@dataclass(frozen=True)
class IRNN(Guo):
    """Rectified linear units whose recurrent matrix starts as the identity, of Le, Jaitly and Hinton (2015).

    As it starts, a state is handed on as it is, and so is its error: neither grows nor decays.

    Parameters
    ----------
    g : {"softmax", "sigmoid", "identity", "tanh"}
        The activation of the output units.
    scale : float
        What the identity is multiplied by at the start; below 1 the memory fades.

    Notes
    -----
    Source: Le, Jaitly and Hinton (2015), "A simple way to initialize recurrent networks of rectified linear units",
    section 3.
    """

    f: str = field(default="relu", init=False)
    g: str = "softmax"
    scale: float = 1.0

    def draw(self, n_in: int, n_hidden: int, rng: np.random.Generator) -> dict[str, Array]:
        """U the scaled identity, b_j zero, V normal with the paper's standard deviation of 0.001."""
        V = rng.normal(scale=0.001, size=(n_hidden, n_in))
        return {"V": V, "U": self.scale * np.eye(n_hidden), "b_j": np.zeros(n_hidden)}
