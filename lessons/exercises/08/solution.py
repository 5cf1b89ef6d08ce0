"""Solutions for lesson 8."""

import numpy as np


def error_before(delta_j, s_before, net_before, U):
    """E5: f' belongs at net."""
    return (delta_j @ U) * (1 - np.tanh(net_before) ** 2)


def two_term_error(y, d):
    """E3: through the softmax's full table of derivatives."""
    r = (d - y) / (y * (1 - y))
    return y * (r - (y * r).sum(axis=-1, keepdims=True))


def folded_v(x, e_h, t, T):
    """E9: z = 0..T are T + 1 copies."""
    return sum(np.outer(x[t - 1 - z], e_h[z]) for z in range(T + 1))


HIDDEN_BY_SYMMETRY = "E7"
