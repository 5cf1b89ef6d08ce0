"""Solutions for lesson 12."""

import numpy as np


def influences(A, v, T):
    """One more product with A for each step."""
    found, pushed = [], v
    for _ in range(T):
        found.append(pushed[0])
        pushed = A @ pushed
    return np.array(found)


def copies_needed(row):
    """One more than the last number of copies whose sign is wrong."""
    sums = np.cumsum(row)
    wrong = np.flatnonzero(np.sign(sums) != np.sign(sums[-1]))
    return wrong[-1] + 2 if len(wrong) else 1


def expected(G, c):
    """An entry survives if none of the links between is cut."""
    total = np.zeros(G.shape[2:])
    for t in range(len(G)):
        for tau in range(t + 1):
            total = total + (1 - c) ** (t - tau) * G[t, tau]
    return total


def errors(delta_k, net_j, U, W, cuts, c):
    """What passes a link weighs more; the step's own error has passed none."""
    delta_j = np.zeros_like(net_j)
    later = np.zeros_like(net_j[0])
    for row in reversed(range(len(net_j))):
        arrived = delta_k[row] @ W
        if row + 1 < len(net_j) and not cuts[row]:
            arrived = arrived + later @ U / (1 - c)
        later = arrived * (1 - np.tanh(net_j[row]) ** 2)
        delta_j[row] = later
    return delta_j


FACTOR = 8
