"""Solutions for lesson 26."""

import numpy as np


def share_diverged(start, cost):
    """What is not below ten times its start: no comparison with NaN is true."""
    return np.mean(~(cost <= 10 * start))


def clipped_step(g, threshold, eta):
    """Shortened if it is longer, then against its direction."""
    length = np.sqrt((g**2).sum())
    factor = min(1.0, threshold / length)
    return -eta * factor * g


def middles(cost, cell, count):
    """Cell by cell."""
    found = np.zeros(count)
    for k in range(count):
        found[k] = np.median(cost[cell == k])
    return found


POINTS = 392

CALLS_LEFT = 292
