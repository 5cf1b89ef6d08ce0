"""Exercises for lesson 20: how the tape gets fast.

Write what is missing, then run: tinygrad-rnn exercise 20 --check
Arrays are Guo's, time first: x[t, p, i], s[t, p, j], delta_j[t, p, j], V[j, i].
"""

import numpy as np


def inputs_at_once(x, V):
    """x(t) V^T for all time steps in ONE product of two matrices. x is (T, n, l), V is (m, l). Give (T, n, m).

    Lay the rows of all steps below each other, and take them apart again afterwards. No loop is needed.
    """
    raise NotImplementedError


def gradient_in_one_product(delta_j, before):
    """+dC/dU in ONE product. delta_j is (T, n, m); before is (T, n, m), the states s(t-1). Give (m, m), [j, h]."""
    raise NotImplementedError


def on_a_ring(reads):
    """Which nodes lie on a ring: from which of them is there a way along the arrows back to itself?

    reads is (K, K): reads[a, b] is 1 if node b reads node a. Give (K,), 1 for a node on a ring and 0 for the others.
    """
    raise NotImplementedError


# Predict. A cell with TWO hidden layers, each with a matrix U of its own:
#     net_1(t) = x(t) V_1^T + s_1(t-1) U_1^T,   s_1(t) = tanh(net_1(t))
#     net_2(t) = s_1(t) V_2^T + s_2(t-1) U_2^T,   s_2(t) = tanh(net_2(t))
# Into how many rings (strongly connected components with a ring in them) does it fall?
RINGS = None

# Predict. Can s_1(t) V_2^T be computed for all time steps in one product, if it is played in the right order?
# "yes" or "no"
AT_ONCE = None
