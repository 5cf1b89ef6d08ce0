"""Exercises for lesson 7: the matrix form, and learning.

Write what is missing, then run: tinygrad-rnn exercise 7 --check
In the first two, matrices are stored as in Guo's section 3.1, [from, to]: U[h, j]. The hidden units are tanh.
"""

import numpy as np


def error_before(e_h, net_before, U):
    """Carry the error one step back, equation (26), corrected, with U stored [from, to].

    e_h is e_h(t - tau), (m,); net_before is net(t - tau - 1), (m,). Give e_h(t - tau - 1), (m,).
    """
    raise NotImplementedError


def updated_u(U, s, e_h, t, T, eta):
    """The new U, equation (28), with U stored [from, to].

    s holds s(0), s(1), ..., one row each; e_h[z] is e_h(t - z), one row each. Give U(t+1), (m, m).
    """
    raise NotImplementedError


def learn(w, gradient, eta, updates):
    """Find the bug. After a few updates the weight runs away instead of coming to rest.

    gradient is a function: gradient(w) is dC/dw at w. Give w after so many updates by (6).
    """
    g = gradient(w)
    for _ in range(updates):
        w = w - eta * g
    return w


# Predict. A network reads 7 time steps and is changed after each of them by (27) and (28) with T = 2. Every copy that
# an update reaches is one term of its sum. How many terms are there in all seven updates of U together?
TERMS = None
