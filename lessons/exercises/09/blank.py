"""Exercises for lesson 9: why are the shares added?

Write what is missing, then run: tinygrad-rnn exercise 9 --check
"""

import numpy as np


def share(cost, copies, t, j, h):
    """Measure the share of ONE copy: how the cost changes when u_jh is moved in the copy of time step t alone.

    cost is a function of copies, an array (T, m, m); copies[t - 1] is the copy of time step t. Give one number.
    """
    raise NotImplementedError


def tied(cost, U, T, j, h):
    """Measure the gradient of the TIED matrix: how the cost changes when u_jh is moved in all T copies at once.

    cost is the same function. Give one number.
    """
    raise NotImplementedError


def gradient(ledgers):
    """Find the bug. The gradient of the summed cost of several sequences of DIFFERENT lengths is wrong.

    ledgers is a list; each entry is (T, m, m), the shares of the copies for one sequence. Give (m, m).
    """
    return sum(ledger.mean(axis=0) for ledger in ledgers)


# Predict. C = u_1 u_2 u_3 u_4 u_5, and the five copies are tied: all of them are u = 2. What is dC/du?
GRADIENT = None

# Predict. U has 4 hidden units and is used in 10 time steps. How many MORE numbers are there to learn if its copies
# are untied?
MORE_NUMBERS = None
