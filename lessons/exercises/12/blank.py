"""Exercises for lesson 12: when truncation lies.

Write what is missing, then run: tinygrad-rnn exercise 12 --check
Arrays are Guo's: delta_k[t, p, k], net_j[t, p, j], U[j, h], W[k, j]. The row of time step t is t - 1. Units are tanh.
"""

import numpy as np


def influences(A, v, T):
    """The influence of a push v on the FIRST unit, 0, 1, ..., T - 1 steps later, (T,), where s(t) = A s(t-1) + ..."""
    raise NotImplementedError


def copies_needed(row):
    """How many copies a truncated gradient needs, at least, so that with these AND with all more its sign is right.

    row is one row of the table for a single number, newest first: row[z] is the influence z steps back. One copy is
    needed even where no partial sum has the wrong sign.
    """
    raise NotImplementedError


def expected(G, c):
    """The mean gradient of plain random cuts, without reweighting: each link is cut with probability c, (m, m).

    G is (T, T, m, m), G[t - 1, tau - 1] = dC(t) / dU(tau).
    """
    raise NotImplementedError


def errors(delta_k, net_j, U, W, cuts, c):
    """Find the bug. The hidden errors of ARTBP, (T, n, m), for the links that happen to be cut.

    cuts is (T - 1,): cuts[t - 1] says whether the link between t and t + 1 is cut.
    """
    delta_j = np.zeros_like(net_j)
    later = np.zeros_like(net_j[0])
    for row in reversed(range(len(net_j))):
        arrived = delta_k[row] @ W
        if row + 1 < len(net_j) and not cuts[row]:
            arrived = (arrived + later @ U) / (1 - c)
        later = arrived * (1 - np.tanh(net_j[row]) ** 2)
        delta_j[row] = later
    return delta_j


# Predict. c = 1/2. An error has got through 3 links. By what has it been multiplied on the way?
FACTOR = None
