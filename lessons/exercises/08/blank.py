"""Exercises for lesson 8: misprints. Each function below is right as printed, and wrong.

Repair it, then run: tinygrad-rnn exercise 8 --check
"""

import numpy as np


def error_before(delta_j, s_before, net_before, U):
    """Find the bug. Equation (19) as printed, for tanh; U[j, h].

    delta_j is delta_j(t); s_before is s(t-1); net_before is net_j(t-1). Give delta_j(t-1), (n, m).
    """
    return (delta_j @ U) * (1 - np.tanh(s_before) ** 2)


def two_term_error(y, d):
    """Find the bug. Equation (17) as printed: the error of a SOFTMAX with the two-term cost (16).

    The cost's slope is -dC/dy = (d - y) / (y (1 - y)) for every output. Give delta_k, (n, o).
    """
    return d - y


def folded_v(x, e_h, t, T):
    """Find the bug. The change of V by (27) with T extra copies, V stored [from, to] and eta = 1.

    x[t - 1] is x(t), one row each; e_h[z] is e_h(t - z), one row each. Give (l, m).
    """
    return sum(np.outer(x[t - 1 - z], e_h[z]) for z in range(T))


# Predict. One of the ten misprints cannot be seen on a network whose U is symmetric. Which? Write "E1" to "E10".
HIDDEN_BY_SYMMETRY = None
