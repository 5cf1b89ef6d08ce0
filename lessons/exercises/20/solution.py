"""Solutions for lesson 20."""

import numpy as np


def inputs_at_once(x, V):
    """T n rows, one product."""
    T, n, l = x.shape
    return (x.reshape(T * n, l) @ V.T).reshape(T, n, len(V))


def gradient_in_one_product(delta_j, before):
    """Time and sample are summed over in the same way."""
    rows, columns = delta_j.reshape(-1, delta_j.shape[-1]), before.reshape(-1, before.shape[-1])
    return -rows.T @ columns


def on_a_ring(reads):
    """Ways of one arrow, then of two, and so on."""
    ways = np.array(reads) > 0
    for _ in range(len(reads)):
        ways = ways | (ways.astype(int) @ ways.astype(int) > 0)
    return np.diag(ways).astype(int)


RINGS = 2

AT_ONCE = "yes"
