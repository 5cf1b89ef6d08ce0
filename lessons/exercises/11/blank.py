"""Exercises for lesson 11: truncation.

Write what is missing, then run: tinygrad-rnn exercise 11 --check
Arrays are Guo's: delta_k[t, p, k], net_j[t, p, j], U[j, h], W[k, j]. The row of time step t is t - 1. Units are tanh.
"""

import numpy as np


def mask(T, k1, k2):
    """The mask of TBPTT(k1, k2), (T, T): 1 where C(t) is sent back to U(tau), 0 elsewhere.

    T is a multiple of k1. Every k1 steps the errors of the k1 newest steps are sent back, over at most k2 steps,
    counted from the window's end.
    """
    raise NotImplementedError


def errors_in_chunks(delta_k, net_j, U, W, k):
    """The hidden errors delta_j of chunks of k steps, (T, n, m): TBPTT(k, k). Each step has a cost.

    delta_k is (T, n, o), net_j is (T, n, m), T a multiple of k. The first chunk is that of steps 1, ..., k.
    """
    raise NotImplementedError


def in_pieces(step, x, s0, k):
    """Find the bug. The states of a sequence that is TRAINED in chunks of k steps, (T, n, m).

    step(x_t, s) gives the next state. Only the error should be cut at the border of two chunks.
    """
    states, s = [], s0
    for row in range(len(x)):
        if row % k == 0:
            s = s0
        s = step(x[row], s)
        states.append(s)
    return np.array(states)


def target(t, k):
    """Wikipedia's loop, mended. A window has read a[t], ..., a[t + k - 1]; which y is its last output compared with?

    Give the index in y, where y[i] is the target that belongs to a[i].
    """
    return t + k


# Predict. TBPTT(5, 20), far from the beginning of the stream: how many copies does the worst placed cost see?
FEWEST = None

# Predict. At EVERY step a tutorial's program takes the last 6 steps, adds up their 6 costs, and goes back. How often is
# the cost of step 100 of 1000 counted?
COUNTED = None
