"""Exercises for lesson 22: a cell of your own.

Write what is missing, then run: tinygrad-rnn exercise 22 --check
The cell is the minimal gated unit. x is (n, l), states, gates and errors are (n, m); errors are +dC/dz, as on the tape.
"""

import numpy as np


def sigma(net):
    """The logistic function."""
    return 1 / (1 + np.exp(-net))


def unit(x, s, V_f, U_f, b_f, V_n, U_n, b_n):
    """One step of the minimal gated unit: s(t) from x(t) and s(t-1), (n, m)."""
    raise NotImplementedError


def to_the_state_before(g_s, g_net_f, g_net_n, f, U_f, U_n):
    """All that s(t-1) receives from step t, (n, m).

    g_s, g_net_f and g_net_n are dC/ds(t), dC/dnet_f(t) and dC/dnet_n(t); f is the gate f(t).
    """
    raise NotImplementedError


def error_of_the_gate(g_s, g_net_n, s, n, U_n):
    """Find the bug. dC/df(t), (n, m): all three readers of f(t) send something. s is s(t-1), n is the proposal n(t)."""
    return g_s * n + (g_net_n @ U_n) * s


def shares(g_net_n, f, before):
    """dC/dU_n(t) for each copy, (T, m, m).

    g_net_n is (T, n, m), the errors dC/dnet_n(t); f is (T, n, m), the gates; before is (T, n, m), the states s(t-1).
    """
    raise NotImplementedError


# Predict. Somebody changes the unit: the proposal does not see the old state at all,
#     n = tanh(x V_n^T + b_n)
# and all else stays. How many terms has dC/ds(t) then, for t < T?
TERMS = None

# Predict. All gates are 1/4, U_f = U_n = 0. What is ds(3)/ds(0), each unit by itself?
LEFT = None
