"""The gated recurrent unit: a state that is a mean of its last value and a new one, weighted unit by unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...autodiff import ops
from . import pytorch
from .base import OUTPUTS, Cell, uniform

Array = NDArray[Any]


@dataclass(frozen=True)
class GRU(Cell):
    """The gated recurrent unit.

    ``r = sigma(x V_r^T + s U_r^T + b_r)``, ``z = sigma(x V_z^T + s U_z^T + b_z)``,
    ``n = tanh(x V_n^T + b + r * (s U_n^T + b_n))``, ``s = (1 - z) * n + z * s``.

    The parameters are V (3m, l), U (3m, m), b_j (3m,), b_n (m,), W (o, m), b_k (o,): r, z, n one below the other in V,
    U and b_j, as in PyTorch; b_n is the recurrent bias of n, inside r.

    Parameters
    ----------
    reset : {"after", "before"}
        Whether r acts after the recurrent product, as above and in PyTorch, or on the state before it:
        ``n = tanh(x V_n^T + (r * s) U_n^T + b)``. Then U is (2m, m), for r and z, U_n (m, m), and there is no b_n.
    g : {"softmax", "sigmoid", "identity", "tanh"}
        The activation of the output units.

    Notes
    -----
    Source: Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder", eqs. (5)-(8). As published
    (arXiv:1406.1078v3), r acts before the product; in the first version (v1), and so in cuDNN and PyTorch, after it.
    """

    reset: str = "after"
    g: str = "softmax"

    def __post_init__(self) -> None:
        self._choose(reset=("after", "before"), g=OUTPUTS)

    @property
    def _gates(self) -> int:
        return 3

    def layer(self, params: Mapping[str, Any], x: Any, s: Any) -> tuple[Any, Any]:
        """One time step without the head: the new state s[p, j], twice."""
        m = s.shape[-1]
        net_j = ops.linear(x, params["V"], params["b_j"], name="net_j")
        net_h = ops.linear(s, params["U"], name="net_h")
        # Those of r and z lie side by side: one sum serves both.
        net = ops.add(ops.part(net_j, start=0, stop=2 * m), ops.part(net_h, start=0, stop=2 * m), name="net")
        r = ops.sigmoid(ops.part(net, start=0, stop=m, name="net_r"), name="r")
        z = ops.sigmoid(ops.part(net, start=m, stop=2 * m, name="net_z"), name="z")
        if self.reset == "after":
            of_n = ops.part(net_h, start=2 * m, stop=3 * m)
            remembered = r * ops.add(of_n, ops.broadcast(params["b_n"], of_n.shape), name="net_hn")
        else:
            remembered = ops.linear(r * s, params["U_n"])
        n = ops.tanh(ops.add(ops.part(net_j, start=2 * m, stop=3 * m), remembered, name="net_n"), name="n")
        s = ops.add(n, z * (s - n), name="s")  # (1 - z) n + z s, with one product less
        return s, s

    def draw(self, n_in: int, n_hidden: int, rng: np.random.Generator) -> dict[str, Array]:
        """Weights uniform in +-1/sqrt(m), as in PyTorch; biases zero."""
        m = n_hidden
        drawn = {"V": uniform(rng, 3 * m, n_in, m), "U": uniform(rng, 3 * m, m), "b_j": np.zeros(3 * m)}
        if self.reset == "after":
            return drawn | {"b_n": np.zeros(m)}
        return drawn | {"U": drawn["U"][: 2 * m].copy(), "U_n": drawn["U"][2 * m :].copy()}

    def _no_torch(self) -> str:
        return "torch.nn.GRU resets after the product" if self.reset != "after" else ""

    def _read(self, layer: pytorch.Layer) -> dict[str, Array]:
        read, m = super()._read(layer), layer.weight_hh.shape[1]
        # b_n stands inside the reset gate: there the two biases of PyTorch are not one.
        read["b_j"][2 * m :] = layer.bias_ih[2 * m :]
        return read | {"b_n": layer.bias_hh[2 * m :]}

    def _write(self, params: Mapping[str, Array]) -> pytorch.Layer:
        layer, (b_n,) = super()._write(params), pytorch.copies(params, "b_n")
        bias_hh = np.concatenate([np.zeros(2 * layer.weight_hh.shape[1], b_n.dtype), b_n])
        return replace(layer, bias_hh=bias_hh).check(3)
