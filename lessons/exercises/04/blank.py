"""Exercises for lesson 4: four equations and their letters.

Write what is missing, then run: tinygrad-rnn exercise 4 --check
Sizes: x[t, p, i], s[t, p, j], V[j, i], U[j, h], W[k, j]. Weights: first where they lead to, then where they come from.
"""

import numpy as np


def net_hidden(x, s_before, V, U, b_j):
    """What arrives at the hidden units, equation (2).

    x is x(t), (n, l); s_before is s(t-1), (n, m). Give net_j(t), (n, m).
    """
    raise NotImplementedError


def states(x, s0, V, U, b_j):
    """All states of a sequence, equations (2) and (1), with f = tanh.

    x is (T, n, l), s0 is s(0), (n, m). Give s(0), s(1), ..., s(T), (T + 1, n, m).
    """
    raise NotImplementedError


def outputs(s, W, b_k):
    """Find the bug. The outputs of all time steps, equations (4) and (3) with the logistic sigmoid, come too late.

    s holds s(0), ..., s(T), (T + 1, n, m). Give y, (T, n, o).
    """
    net_k = s[:-1] @ W.T + b_k
    return 1 / (1 + np.exp(-net_k))


# Predict. A network with 5 inputs, 7 hidden units and 3 outputs reads 12 time steps. The shapes, as tuples:
SHAPE_OF_V = None
SHAPE_OF_W = None
