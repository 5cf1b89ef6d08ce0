"""What is timed: one training step, forward and backward through time, of three networks at seven sizes.

guo   net_j = x V^T + s U^T + b_j, s = tanh(net_j)                                    Guo (2013), (1)-(2)
lstm  the gates i, f, g, o stacked in V, U and b_j in this order                      as torch.nn.LSTM
gru   the gates r, z, n stacked likewise; b_n is the recurrent bias of n, inside r    as torch.nn.GRU

All have the head net_k = s W^T + b_k, y = softmax(net_k), C = -sum_tpk d[t, p, k] ln y[t, p, k], and s(0) = 0.
The other recurrent biases of torch's cells only add to b_j: they would be a weight counted twice.
"""

from typing import NamedTuple

import numpy as np

SIZES = {  # T time steps, B samples, I inputs, H hidden units, O outputs
    "tiny": (5, 1, 3, 4, 2),
    "minchar": (25, 1, 65, 100, 65),
    "small": (50, 16, 32, 64, 32),
    "medium": (100, 32, 64, 128, 64),
    "large": (200, 64, 128, 256, 128),
    "long": (2000, 1, 16, 32, 16),
    "verylong": (20000, 1, 16, 32, 16),
}
GATES = {"guo": 1, "lstm": 4, "gru": 3}
GATED_SIZES = ("minchar", "small", "medium", "long")
TOLERANCE = {"float64": 1e-9, "float32": 1e-3}  # of the largest entry, for the cost and for each gradient


def sizes_of(kind):
    return tuple(SIZES) if kind == "guo" else GATED_SIZES


class Problem(NamedTuple):
    T: int
    B: int
    I: int
    H: int
    O: int
    params: dict[str, np.ndarray]
    x: np.ndarray
    d: np.ndarray


def problem(kind, size, dtype, seed=0):
    """The same numbers in every process. Targets are dense: a one-hot target could be read by index."""
    T, B, I, H, O = SIZES[size]
    rng = np.random.default_rng(seed)
    rows = GATES[kind] * H

    def uniform(fan_in, *shape):
        return (rng.uniform(-1, 1, shape) / np.sqrt(fan_in)).astype(dtype)

    params = {
        "V": uniform(I, rows, I),
        "U": uniform(H, rows, H),
        "b_j": uniform(H, rows),
        "W": uniform(H, O, H),
        "b_k": uniform(H, O),
    }
    if kind == "gru":
        params["b_n"] = uniform(H, H)
    x = rng.normal(size=(T, B, I)).astype(dtype)
    d = rng.dirichlet(np.ones(O), (T, B)).astype(dtype)
    return Problem(T, B, I, H, O, params, x, d)
