"""Solutions for lesson 16."""

import numpy as np


def flow(A, p):
    """From the first box to the last."""
    x = np.array(p, dtype=float)
    for k in range(len(x)):
        x[k] = p[k] + A[k, :k] @ x[:k]
    return x


def flow_back(A, q):
    """From the last box to the first: the lines that leave box k in A are those that arrive in it now."""
    x = np.zeros(len(q))
    for k in reversed(range(len(x))):
        x[k] = q[k] + A[k + 1 :, k] @ x[k + 1 :]
    return x


def turn(lines):
    """Only the arrow is turned round; the gain stays, and a delay becomes an advance."""
    rows = []
    for start, end, gain, delay in lines:
        rows.append((end, start, gain, -delay))
    return np.array(rows)


GRAPHS = 36

TURNED = 1
