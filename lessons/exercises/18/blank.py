"""Exercises for lesson 18: no past at all.

Write what is missing, then run: tinygrad-rnn exercise 18 --check
Mozer's cell: net_j(t) = sum over i of x_i(t) v_ji + b_j, and s_j(t) = u_j s_j(t-1) + tanh(net_j(t)).
"""

import numpy as np


def beta_traces(x, net_j, u_j):
    """The traces beta(t) of V at all time steps: what v_ji has done to s_j so far.

    x is (T, l), net_j is (T, m), u_j is (m,). Give beta, (T, m, l). Before the first step they are zero.
    """
    raise NotImplementedError


def alpha_traces(s, u_j):
    """The traces alpha(t) of u at all time steps: what u_j has done to s_j so far.

    s is (T + 1, m), and s[0] is the state before the first step. Give alpha, (T, m).
    """
    raise NotImplementedError


def gradient_of_v(errors, beta):
    """Find the bug. dC/dV for the sum of the costs of all steps.

    errors is (T, m), dC(t)/ds_j(t) from the output of step t alone; beta is (T, m, l). Give (m, l).
    """
    return errors.sum(axis=0)[:, None] * beta[-1]


# Predict. l = 5 inputs, m = 8 units. How many numbers are the traces of V, b_j and u_j together, for one sample?
TRACES = None

# Predict. And how many numbers is RTRL's table for V, b_j and a full U (m, m), for one sample?
TABLE = None
