"""Long short-term memory: a sum that gates write to, erase and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...autodiff import ops
from ...autodiff.asked import asked_if_it_fails
from .base import OUTPUTS, Cell, uniform

Array = NDArray[Any]


@dataclass(frozen=True)
class LSTM(Cell):
    """Long short-term memory.

    ``[net_i, net_f, net_g, net_o] = x V^T + s U^T + b_j``, cut into four parts;
    ``i = sigma(net_i)``, ``f = sigma(net_f)``, ``g = tanh(net_g)``, ``o = sigma(net_o)``;
    ``c = f * c + i * g``, ``s = o * tanh(c)``.

    The state is the pair ``(s, c)``. The parameters are V (4m, l), U (4m, m), b_j (4m,), W (o, m), b_k (o,): the gates
    i, f, g, o one below the other, as in PyTorch.

    Parameters
    ----------
    peepholes : bool
        Whether the gates look at the memory: net_i and net_f get ``p_i * c(t-1)`` and ``p_f * c(t-1)``, net_o
        ``p_o * c(t)``, with more parameters p_i, p_f, p_o (m,).
    forget : bool
        Whether there is a forget gate. Without it ``c = c + i * g``, and V, U and b_j hold i, g, o.
    g : {"softmax", "sigmoid", "identity", "tanh"}
        The activation of the output units.
    forget_bias : float
        What the bias of the forget gate starts from.

    Notes
    -----
    Sources: Hochreiter and Schmidhuber (1997), section 4, which has no forget gate; Gers, Schmidhuber and Cummins
    (2000), the forget gate; Gers, Schraudolph and Schmidhuber (2002), peepholes. The squashing functions are tanh, as
    is usual today; the first paper scales them to [-2, 2] and [-1, 1]. A forget bias of 1: Jozefowicz, Zaremba and
    Sutskever (2015).
    """

    peepholes: bool = False
    forget: bool = True
    g: str = "softmax"
    forget_bias: float = 1.0

    def __post_init__(self) -> None:
        self._choose(g=OUTPUTS)

    @property
    def _gates(self) -> int:
        return 4 if self.forget else 3

    @property
    def _first(self) -> tuple[str, ...]:
        """The gates that are open before the memory changes."""
        return ("i", "f") if self.forget else ("i",)

    def layer(self, params: Mapping[str, Any], x: Any, s: Any) -> tuple[Any, Any]:
        """One time step without the head: the new state (s, c), and s."""
        s, before = s
        net_j = ops.linear(x, params["V"], s, params["U"], params["b_j"], name="net_j")
        m, names = before.shape[-1], (*self._first, "g", "o")
        looking = (*self._first, "o") if self.peepholes else ()
        net = {
            gate: ops.part(net_j, start=k * m, stop=(k + 1) * m, name="" if gate in looking else f"net_{gate}")
            for k, gate in enumerate(names)
        }
        if self.peepholes:
            net |= {gate: _with_peephole(net, params, gate, before) for gate in self._first}
        first = {gate: ops.sigmoid(net[gate], name=gate) for gate in self._first}
        g = ops.tanh(net["g"], name="g")
        kept = first["f"] * before if self.forget else before
        c = ops.add(kept, first["i"] * g, name="c")
        o = ops.sigmoid(_with_peephole(net, params, "o", c) if self.peepholes else net["o"], name="o")
        s = ops.multiply(o, ops.tanh(c), name="s")
        return (s, c), s

    def draw(self, n_in: int, n_hidden: int, rng: np.random.Generator) -> dict[str, Array]:
        """Weights uniform in +-1/sqrt(m), as in PyTorch; biases zero, but that of the forget gate."""
        m, rows = n_hidden, self._gates * n_hidden
        drawn = {"V": uniform(rng, rows, n_in, m), "U": uniform(rng, rows, m), "b_j": np.zeros(rows)}
        if self.forget:
            drawn["b_j"][m : 2 * m] = self.forget_bias
        if self.peepholes:
            drawn |= {f"p_{gate}": uniform(rng, 1, m)[0] for gate in (*self._first, "o")}
        return drawn

    @asked_if_it_fails
    def initial_state(self, params: Mapping[str, Array], n_samples: int) -> tuple[Array, Array]:
        """The state (s(0), c(0)) where none is given: zeros, (B, m) each."""
        return self._rest(params, n_samples), self._rest(params, n_samples)

    def _no_torch(self) -> str:
        return "torch.nn.LSTM has a forget gate and no peepholes" if self.peepholes or not self.forget else ""


def _with_peephole(net: Mapping[str, Any], params: Mapping[str, Any], gate: str, memory: Any) -> Any:
    """The net input of a gate that looks at the memory."""
    return ops.add(net[gate], params[f"p_{gate}"] * memory, name=f"net_{gate}")
