"""Exercises for lesson 19: the bug museum.

Write what is missing, then run: tinygrad-rnn exercise 19 --check
Arrays are Guo's: delta_k[t, p, k], net_j[t, p, j], s[t, p, j], U[j, h], W[k, j]. The row of time step t is t - 1; s has
one row more, because s[0] is the state before the first input. The hidden units are tanh.
"""

import numpy as np


def signature(got, right):
    """What became of each part of the influence matrix.

    got and right are (T, T, m, m): row t is a cost, column tau a copy of U. Give (T, T): 0 where got is right, 1 where
    it is all zeros and should not be, 2 where it is wrong in another way.
    """
    raise NotImplementedError


def hidden_errors(delta_k, net_j, U, W):
    """Find the bug. The hidden errors of all time steps, with a cost at every step. Give delta_j, (T, n, m)."""
    slope = 1 - np.tanh(net_j) ** 2
    own = (delta_k @ W) * slope
    delta_j = own.copy()
    for row in reversed(range(len(net_j) - 1)):
        delta_j[row] = own[row] + (own[row + 1] @ U) * slope[row]
    return delta_j


def gradient_of_u(delta_j, s):
    """Find the bugs. There are two. Give +dC/dU, (m, m), from delta_j (T, n, m) and s (T + 1, n, m)."""
    total = np.zeros((s.shape[-1], s.shape[-1]))
    for t in range(len(delta_j), 0, -1):
        total = -delta_j[t - 1].T @ s[t]
    return total


# Diagnose. A program leaves this behind in the influence matrix of U (= right, 0 missing, x wrong):
#
#     =
#     x =
#     x x =
#
# Which mistake is it? Write "A", "B", "C" or "D".
#     A  U.T instead of U on the way back
#     B  f' left out
#     C  s(t) instead of s(t-1)
#     D  = instead of +=
MISTAKE = None

# Predict. "Error handed on one step only" is seen by a gradient check of the sum if the sequence is long enough, and
# every step has a cost. What is the smallest T?
SMALLEST_T = None
