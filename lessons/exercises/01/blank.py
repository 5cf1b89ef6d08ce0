"""Exercises for lesson 1: one sentence, unfolded.

Write what is missing, then run: tinygrad-rnn exercise 1 --check
"""

import numpy as np

# Predict. The ledger of U for "we see" has five rows. How many has it for "hello", read in the same way?
ROWS = None


def share(error, state):
    """The share of one copy of U.

    error is what came back to the sum net, (m,), and state what the copy multiplied, (m,). Give (m, m): in row j and
    column h the share of the number u_jh.
    """
    raise NotImplementedError


def gradient(ledger):
    """The gradient of a weight, from the ledger of its copies.

    ledger is (T, m, m): in row t - 1 the share of the copy of time step t. Give (m, m).
    """
    raise NotImplementedError


def change_of_cost(ledger, j, h, step):
    """By how much the cost changes, nearly, if u_jh is made larger by a small step: the number of row j, column h of U.

    ledger is (T, m, m) as above, j and h count from 0. Give one number.
    """
    raise NotImplementedError
