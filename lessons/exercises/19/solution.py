"""Solutions for lesson 19."""

import numpy as np


def signature(got, right):
    """Right first, then missing; the rest is wrong."""
    codes = np.full(got.shape[:2], 2)
    for t, tau in np.ndindex(codes.shape):
        if np.allclose(got[t, tau], right[t, tau], rtol=0, atol=1e-12):
            codes[t, tau] = 0
        elif not got[t, tau].any():
            codes[t, tau] = 1
    return codes


def hidden_errors(delta_k, net_j, U, W):
    """What is handed on is the whole error of the step after, not only its own part."""
    slope = 1 - np.tanh(net_j) ** 2
    own = (delta_k @ W) * slope
    delta_j = own.copy()
    for row in reversed(range(len(net_j) - 1)):
        delta_j[row] = own[row] + (delta_j[row + 1] @ U) * slope[row]
    return delta_j


def gradient_of_u(delta_j, s):
    """Added, and with the state of the step before."""
    total = np.zeros((s.shape[-1], s.shape[-1]))
    for t in range(len(delta_j), 0, -1):
        total += -delta_j[t - 1].T @ s[t - 1]
    return total


MISTAKE = "A"

SMALLEST_T = 3
