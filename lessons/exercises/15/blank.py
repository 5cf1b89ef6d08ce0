"""Exercises for lesson 15: real-time recurrent learning.

Write what is missing, then run: tinygrad-rnn exercise 15 --check
There is one sample. U is U[j, h]; M is M[j, h, i], what a push to u_jh has done to unit i. The units are tanh.
"""

import numpy as np


def carried(M, s_before, s, U):
    """Carry M one step on: M(t) from M(t-1), (m, m, m).

    s_before is s(t-1), s is s(t), both (m,).
    """
    raise NotImplementedError


def gradient(M, g):
    """dC(t)/dU, (m, m), from M(t) and the error at the state, g = dC(t)/ds(t), (m,)."""
    raise NotImplementedError


def gradients(g, s, U):
    """Find the bug. dC(t)/dU for every t = 1, ..., T, (T, m, m), without a look back.

    g is (T, m): dC(t)/ds(t). s is (T + 1, m): s(0), ..., s(T).
    """
    m = len(U)
    found = []
    for t in range(1, len(s)):
        M = np.zeros((m, m, m))
        for j in range(m):
            M[j, :, j] += s[t - 1]
        M = (1 - s[t] ** 2) * M
        found.append(M @ g[t - 1])
    return np.array(found)


# Predict. U alone, 100 units, float64 (8 bytes a number): how many megabytes (10^6 bytes) is M?
MEGABYTES = None

# Predict. A single unit reads itself: s(t) = u s(t-1) + 1, s(0) = 0, u = 1. What is ds(3)/du?
PUSHED = None

# Predict. For which U is e-prop exact: "symmetric", "orthogonal" or "diagonal"?
EXACT = None
