"""Exercises for lesson 17: what must be kept.

Write what is missing, then run: tinygrad-rnn exercise 17 --check
"""

import numpy as np


def best_segment(T):
    """The whole number k from 1 to T for which T / k + k is smallest; the smaller one if there are two."""
    raise NotImplementedError


def plays(t, places):
    """C(t, places), no cost: the fewest steps that must be played forwards to go back through t steps.

    C(t, 1) = t (t + 1) / 2, C(1, places) = 1, and
    C(t, p) = min over y from 1 to t - 1 of y + C(t - y, p - 1) + C(y, p). t is at most 12 here.
    """
    raise NotImplementedError


def push(taps, signal, mu):
    """Find the bug. One step of a gamma memory: taps (K,) before, signal is the new g_0. Give the taps (K,) after.

    g_k(t) = (1 - mu) g_k(t-1) + mu g_{k-1}(t-1)
    """
    taps = np.array(taps, dtype=float)
    taps[0] = signal
    for k in range(1, len(taps)):
        taps[k] = (1 - mu) * taps[k] + mu * taps[k - 1]
    return taps


# Predict. A sequence of 100 steps, segments of 10, a checkpoint before each. How many steps are played forwards?
STEPS_PLAYED = None

# Predict. A gamma memory with the taps g_0, g_1, ..., g_6 and mu = 1/3. What is the mean delay of its last tap?
MEAN_DELAY = None
