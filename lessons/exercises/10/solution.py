"""Solutions for lesson 10."""

import numpy as np


def of_one_cost(G, t):
    """A row."""
    return G[t - 1].sum(axis=0)


def of_one_copy(G, tau):
    """A column."""
    return G[:, tau - 1].sum(axis=0)


def by_28(G, t, depth):
    """A row, from the diagonal to the left: depth + 1 columns."""
    first = t - depth
    return G[t - 1, first - 1 : t].sum(axis=0)


def row_of_the_table(delta_j, net_j, s, U):
    """Equation (19) from copy to copy, equation (12) at each."""
    row = np.zeros((len(net_j), *U.shape))
    error = delta_j
    for tau in range(len(net_j), 0, -1):
        row[tau - 1] = -error.T @ s[tau - 1]
        if tau > 1:
            error = (error @ U) * (1 - np.tanh(net_j[tau - 2]) ** 2)
    return row


def by_lag(norms):
    """The diagonals get shorter."""
    T = len(norms)
    return np.array([np.diagonal(norms, -lag).sum() / (T - lag) for lag in range(T)])


ENTRIES = 210
