"""Solutions for lesson 18."""

import numpy as np


def beta_traces(x, net_j, u_j):
    """A part is left over, and something comes in through f."""
    beta = np.zeros((len(x), len(u_j), x.shape[1]))
    before = np.zeros((len(u_j), x.shape[1]))
    for t in range(len(x)):
        slope = 1 - np.tanh(net_j[t]) ** 2
        before = u_j[:, None] * before + slope[:, None] * x[t][None, :]
        beta[t] = before
    return beta


def alpha_traces(s, u_j):
    """A part is left over, and the state of the step before comes in."""
    alpha = np.zeros((len(s) - 1, len(u_j)))
    left = np.zeros(len(u_j))
    for t in range(1, len(s)):
        left = u_j * left + s[t - 1]
        alpha[t - 1] = left
    return alpha


def gradient_of_v(errors, beta):
    """Each cost has its own error, and meets the trace of its own time."""
    return np.einsum("tj,tji->ji", errors, beta)


TRACES = 56

TABLE = 896
