"""Solutions for lesson 3."""

import numpy as np


def waits_for(reads):
    """One share for each time that a line is read."""
    count = np.zeros(len(reads))
    for lines in reads:
        for i in lines:
            count[i] += 1
    return count


WAYS = 1024


def slope(s):
    """The state is read twice, so two shares are added."""
    g = 1.0
    for t in range(len(s) - 1, 0, -1):
        z = np.tanh(s[t - 1])
        g_gate = g * s[t - 1]
        g_state = g * z
        g_state += g_gate * (1 - z**2)
        g = g_state
    return g


def again(reads, direct, gradient):
    """Forget what the last pass has left."""
    gradient = np.zeros(len(gradient))
    gradient[-1] = 1
    for j in reversed(range(len(reads))):
        for i, d in zip(reads[j], direct[j], strict=True):
            gradient[i] += gradient[j] * d
    return gradient
