"""Solutions for lesson 4."""

import numpy as np


def net_hidden(x, s_before, V, U, b_j):
    """Equation (2)."""
    return x @ V.T + s_before @ U.T + b_j


def states(x, s0, V, U, b_j):
    """Each state is computed from the one before it."""
    s = [s0]
    for row in x:
        s.append(np.tanh(row @ V.T + s[-1] @ U.T + b_j))
    return np.array(s)


def outputs(s, W, b_k):
    """The output at t reads s(t), so the first one is s(1)."""
    net_k = s[1:] @ W.T + b_k
    return 1 / (1 + np.exp(-net_k))


SHAPE_OF_V = (7, 5)
SHAPE_OF_W = (3, 7)
