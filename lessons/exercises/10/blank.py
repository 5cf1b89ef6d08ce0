"""Exercises for lesson 10: the influence matrix.

Write what is missing, then run: tinygrad-rnn exercise 10 --check
G[t - 1, tau - 1] is dC(t) / dU(tau), a matrix (m, m): the table is (T, T, m, m). Python counts from 0, time from 1.
"""

import numpy as np


def of_one_cost(G, t):
    """The gradient of C(t) alone, (m, m)."""
    raise NotImplementedError


def of_one_copy(G, tau):
    """The share of the copy U(tau) in the whole cost, (m, m)."""
    raise NotImplementedError


def by_28(G, t, depth):
    """Equation (28) for the cost C(t), with this many EXTRA copies; give a gradient, (m, m)."""
    raise NotImplementedError


def row_of_the_table(delta_j, net_j, s, U):
    """Fill in one row of the table, that of the last cost C(T): dC(T) / dU(tau) for every tau.

    delta_j is delta_j(T), (n, m), the hidden error at the last step. net_j is (T, n, m), s is (T + 1, n, m) with
    s[0] the initial state. The units are tanh. Give (T, m, m), row[tau - 1] for U(tau); remember that delta = -dC/dnet.
    """
    raise NotImplementedError


def by_lag(norms):
    """Find the bug. The mean length of all entries at the lags z = 0, 1, 2, ..., T - 1, (T,).

    norms is (T, T): a row for each cost, a column for each copy.
    """
    T = len(norms)
    return np.array([np.diagonal(norms, -lag).sum() / T for lag in range(T)])


# Predict. T = 20. How many entries of the table can be other than zero?
ENTRIES = None
