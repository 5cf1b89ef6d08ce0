"""Solutions for lesson 22."""

import numpy as np


def sigma(net):
    """The logistic function."""
    return 1 / (1 + np.exp(-net))


def unit(x, s, V_f, U_f, b_f, V_n, U_n, b_n):
    """The gate first: the proposal needs it."""
    f = sigma(x @ V_f.T + s @ U_f.T + b_f)
    n = np.tanh(x @ V_n.T + (f * s) @ U_n.T + b_n)
    return (1 - f) * s + f * n


def to_the_state_before(g_s, g_net_f, g_net_n, f, U_f, U_n):
    """Three readers, three shares."""
    carousel = g_s * (1 - f)
    return carousel + g_net_f @ U_f + (g_net_n @ U_n) * f


def error_of_the_gate(g_s, g_net_n, s, n, U_n):
    """By the proposal that is taken, by the state that goes, and by the state that the proposal sees."""
    return g_s * n - g_s * s + (g_net_n @ U_n) * s


def shares(g_net_n, f, before):
    """The error, times what the matrix has multiplied."""
    return np.array([g.T @ (gate * s) for g, gate, s in zip(g_net_n, f, before, strict=True)])


TERMS = 3

LEFT = 27 / 64
