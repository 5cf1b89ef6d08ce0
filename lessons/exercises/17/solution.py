"""Solutions for lesson 17."""

import numpy as np


def best_segment(T):
    """Try them all."""
    return min(range(1, T + 1), key=lambda k: T / k + k)


def plays(t, places):
    """Try every y."""
    if t == 1:
        return 1
    if places == 1:
        return t * (t + 1) // 2
    return min(y + plays(t - y, places - 1) + plays(y, places) for y in range(1, t))


def push(taps, signal, mu):
    """From the last tap to the first, so that each reads what its neighbour was before."""
    taps = np.array(taps, dtype=float)
    for k in reversed(range(1, len(taps))):
        taps[k] = (1 - mu) * taps[k] + mu * taps[k - 1]
    taps[0] = signal
    return taps


STEPS_PLAYED = 190

MEAN_DELAY = 18
