"""Solutions for lesson 5."""

import numpy as np


def output_error(y, d):
    """Equation (8) with (14)."""
    return (d - y) * y * (1 - y)


def hidden_error(delta_k, W, net_j):
    """Equation (9)."""
    return (delta_k @ W) * (1 - np.tanh(net_j) ** 2)


def change_of_u(delta_j, s_before, eta):
    """Equation (12)."""
    return eta * delta_j.T @ s_before


def softmax_error(y, d):
    """Every output moves when any sum moves: a sum over all outputs q."""
    return y * ((d - y) - ((d - y) * y).sum(axis=-1, keepdims=True))


DELTA = (0, 0.5, -0.5)
