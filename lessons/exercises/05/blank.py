"""Exercises for lesson 5: who is to blame?

Write what is missing, then run: tinygrad-rnn exercise 5 --check
Guo's error is delta = -dC/dnet: positive where the sum should have been larger.
"""

import numpy as np


def output_error(y, d):
    """The error of the output units for the squared error (5) and the logistic sigmoid, equation (8).

    y and d are (n, o). Give delta_k, (n, o).
    """
    raise NotImplementedError


def hidden_error(delta_k, W, net_j):
    """The error of the hidden units, equation (9), with f = tanh.

    delta_k is (n, o), W is (o, m), net_j is (n, m). Give delta_j, (n, m).
    """
    raise NotImplementedError


def change_of_u(delta_j, s_before, eta):
    """The change of U, equation (12).

    delta_j is (n, m), s_before is s(t-1), (n, m). Give the change, indexed like U[j, h].
    """
    raise NotImplementedError


def softmax_error(y, d):
    """Find the bug. The error of the output units for the squared error (5) and a SOFTMAX is off by a lot.

    y and d are (n, o). Give delta_k, (n, o).
    """
    return (d - y) * y * (1 - y)


# Predict. A softmax with the cost -sum d ln y. The outputs are y = (0.5, 0.25, 0.25) and desired is d = (1, 1, 0),
# which adds up to TWO. What is delta? A tuple of three numbers.
DELTA = None
