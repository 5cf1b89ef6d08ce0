"""Exercises for lesson 14: LSTM and GRU.

Write what is missing, then run: tinygrad-rnn exercise 14 --check
x is (n, l), states are (n, m). V, U and b_j hold the gates one below the other, m rows each.
"""

import numpy as np


def sigma(net):
    """The logistic function."""
    return 1 / (1 + np.exp(-net))


def lstm(x, s, c, V, U, b_j):
    """One step of an LSTM. The gates stand in the order i, f, g, o. Give np.array([s(t), c(t)]), (2, n, m)."""
    raise NotImplementedError


def kept(f):
    """How much of c(tau) is still in c(T), by the carousel alone: dc(T)/dc(tau) of each unit, for tau = 0, ..., T.

    f is (T, m), the forget gates of t = 1, ..., T. Give (T + 1, m).
    """
    raise NotImplementedError


def gru_state(z, n, s):
    """Find the bug. The new state of a GRU: the update gate z says how much of the OLD state is kept."""
    return (1 - z) * s + z * n


def error_of_memory(g_s, g_c, c, o):
    """All of dC/dc(t), (n, m).

    g_s is dC/ds(t); g_c is what comes to c(t) from c(t+1) by the carousel. s(t) = o * tanh(c(t)).
    """
    raise NotImplementedError


# Predict. All forget gates are 1/2. What is dc(10)/dc(0), by the carousel alone?
LEFT = None

# Predict. An LSTM reads l = 10 numbers and has m = 20 units. How many numbers are in V, U and b_j together?
NUMBERS = None
