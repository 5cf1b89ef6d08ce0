"""Exercises for lesson 3: four ways to get a tape wrong.

Write what is missing, then run: tinygrad-rnn exercise 3 --check
The chain is that of the lesson: z(t) = tanh(s(t-1)), s(t) = z(t) s(t-1).
"""

import numpy as np


def waits_for(reads):
    """How many shares each line of a tape waits for before its gradient is complete.

    reads[j] is the list of the lines that line j reads; a line may read another one twice. Give one number for each.
    """
    raise NotImplementedError


# Predict. How many ways lead from s(10) back to s(0)?
WAYS = None


def slope(s):
    """Find the bug. ds(T)/ds(0) of the gated chain comes out wrong, even for T = 1.

    s holds s(0), ..., s(T). Give one number.
    """
    g = 1.0
    for t in range(len(s) - 1, 0, -1):
        z = np.tanh(s[t - 1])
        g_gate = g * s[t - 1]
        g_state = g * z
        g_state = g_gate * (1 - z**2)
        g = g_state
    return g


def again(reads, direct, gradient):
    """Find the bug. Right with a new gradient of zeros; with one that was used before, it is not.

    reads[j] lists the lines that line j reads, direct[j] the direct derivatives. gradient is an array with one number
    for each line, in which the last pass may have left anything. Give the gradients of the last line, afresh.
    """
    gradient[-1] = 1
    for j in reversed(range(len(reads))):
        for i, d in zip(reads[j], direct[j], strict=True):
            gradient[i] += gradient[j] * d
    return gradient
