"""Exercises for lesson 6: the error goes back through time.

Write what is missing, then run: tinygrad-rnn exercise 6 --check
Arrays are Guo's: delta_k[t, p, k], net_j[t, p, j], s[t, p, j], U[j, h], W[k, j]. Python counts from 0, so the row of
time step t is t - 1; s has one row more, because s[0] is the state before the first input. The hidden units are tanh.
"""

import numpy as np


def error_before(delta_j, net_j_before, U):
    """Carry the hidden error of step t back to step t-1, equation (19).

    delta_j is delta_j(t), net_j_before is net_j(t-1); both are (n, m). Give delta_j(t-1), (n, m).
    """
    raise NotImplementedError


def hidden_errors(delta_k, net_j, U, W):
    """The hidden errors of all time steps, with a cost at every step.

    delta_k is (T, n, o), net_j is (T, n, m). Give delta_j, (T, n, m).
    Each state is read twice: by its own output, and by the next state.
    """
    raise NotImplementedError


def gradient_of_u(delta_j, s):
    """Fold back: dC/dU from the errors of all copies, equation (28).

    delta_j is (T, n, m), s is (T + 1, n, m). Give +dC/dU, (m, m). Remember that delta = -dC/dnet.
    """
    raise NotImplementedError


# Predict. Equation (28) with T = 2, for a cost at t = 5: at which time step is the OLDEST copy of U that it reaches?
OLDEST_COPY = None
