"""The network that hides no mistake: sizes all different, U not symmetric, s(0) not zero, a cost at every t.

With T = 1, m = 1, a symmetric U, a linear f or s(0) = 0, several of the known mistakes in BPTT pass every
gradient check; with this one none of them does.
"""

from typing import NamedTuple

import numpy as np

from tinygrad_rnn import cells

T, B, L, M, O = 5, 2, 3, 4, 6  # time steps, samples, inputs, hidden units, outputs


class Problem(NamedTuple):
    cell: cells.Guo
    params: dict[str, np.ndarray]
    x: np.ndarray
    d: np.ndarray
    s0: np.ndarray
    loss: str


def problem(f="tanh", g="softmax", loss="cross_entropy", sizes=(T, B, L, M, O), seed=3) -> Problem:
    steps, samples, n_in, n_hidden, n_out = sizes
    rng = np.random.default_rng(seed)
    cell = cells.Guo(f=f, g=g)
    params = {name: rng.normal(size=w.shape) for name, w in cell.init(n_in, n_hidden, n_out, rng=rng).items()}
    x = rng.normal(size=(steps, samples, n_in))
    d = (
        rng.dirichlet(np.ones(n_out), size=(steps, samples))
        if g == "softmax"
        else rng.uniform(0.1, 0.9, (steps, samples, n_out))
    )
    return Problem(cell, params, x, d, rng.normal(size=(samples, n_hidden)), loss)


def cost_of_untied(p, copies, reduction="sum", only=None):
    """The cost of a network whose copies are free: ``copies[t - 1]`` holds the weights of step t."""
    s, costs = p.s0, []
    for params, x, d in zip(copies, p.x, p.d, strict=True):
        s, y = p.cell(params, x, s)
        if p.loss == "squared_error":
            costs.append(0.5 * ((d - y) ** 2).sum())
        elif p.cell.g == "softmax":
            costs.append(-(d * np.log(y)).sum())
        else:
            costs.append(-(d * np.log(y) + (1 - d) * np.log(1 - y)).sum())
    if only is not None:
        return costs[only - 1]
    return sum(costs) if reduction == "sum" else sum(costs) / len(costs)


KINDS = [
    ("tanh", "softmax", "cross_entropy"),
    ("sigmoid", "softmax", "cross_entropy"),
    ("tanh", "sigmoid", "cross_entropy"),
    ("tanh", "softmax", "squared_error"),
    ("sigmoid", "sigmoid", "squared_error"),
    ("tanh", "identity", "squared_error"),
    ("tanh", "tanh", "squared_error"),
    ("identity", "identity", "squared_error"),
]


class Spoilt:
    """A pass in which somebody has changed what one node has."""

    def __init__(self, numbers, node, wrong):
        self._numbers, self._node, self._wrong = numbers, node, wrong

    def __getattr__(self, name):
        return getattr(self._numbers, name)

    def __contains__(self, node):
        return node in self._numbers

    def __getitem__(self, node):
        return self._wrong if node is self._node else self._numbers[node]
