"""Solutions for lesson 6."""

import numpy as np


def error_before(delta_j, net_j_before, U):
    """Equation (19)."""
    return (delta_j @ U) * (1 - np.tanh(net_j_before) ** 2)


def hidden_errors(delta_k, net_j, U, W):
    """Equations (9) and (19), added."""
    delta_j = np.zeros_like(net_j)
    later = np.zeros_like(net_j[0])
    for row in reversed(range(len(net_j))):
        arrived = delta_k[row] @ W + later @ U
        later = arrived * (1 - np.tanh(net_j[row]) ** 2)
        delta_j[row] = later
    return delta_j


def gradient_of_u(delta_j, s):
    """Equation (28), with the sign of a gradient."""
    total = 0.0
    for t in range(1, len(delta_j) + 1):
        total = total - delta_j[t - 1].T @ s[t - 1]
    return total


OLDEST_COPY = 3
