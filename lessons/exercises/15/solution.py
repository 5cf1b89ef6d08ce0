"""Solutions for lesson 15."""

import numpy as np


def carried(M, s_before, s, U):
    """Through U, and by the copy of this step; then both through f."""
    arrived = M @ U.T
    for j in range(len(U)):
        arrived[j, :, j] += s_before
    return (1 - s**2) * arrived


def gradient(M, g):
    """The sum over the units."""
    return M @ g


def gradients(g, s, U):
    """M lives from step to step."""
    m = len(U)
    M, found = np.zeros((m, m, m)), []
    for t in range(1, len(s)):
        M = M @ U.T
        for j in range(m):
            M[j, :, j] += s[t - 1]
        M = (1 - s[t] ** 2) * M
        found.append(M @ g[t - 1])
    return np.array(found)


MEGABYTES = 8

PUSHED = 3

EXACT = "diagonal"
