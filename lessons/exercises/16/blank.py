"""Exercises for lesson 16: turn the graph round.

Write what is missing, then run: tinygrad-rnn exercise 16 --check
A flow graph is a matrix of gains here: A[k, l] is the gain of the line from box l to box k, 0 where there is none. The
boxes are numbered so that each line leads from a lower number to a higher one.
"""

import numpy as np


def flow(A, p):
    """What each box holds when p[k] is put into box k: x_k = p_k + the sum over l of a_kl x_l. Give x, (K,)."""
    raise NotImplementedError


def flow_back(A, q):
    """What each box of the TURNED graph holds when q[k] is put into box k. Give x, (K,).

    Do not build another matrix first: think about which boxes are known before which.
    """
    raise NotImplementedError


def turn(lines):
    """Find the bug. Transpose a flow graph that is given as a list of lines.

    lines[r, c] is (L, 4); each row r is: from box, to box, gain, delay. Give the rows of the turned graph, in the same
    order.
    """
    rows = []
    for start, end, gain, delay in lines:
        rows.append((end, start, 1 / gain, -delay))
    return np.array(rows)


# Predict. The network has l = 5 inputs and m = 4 hidden units. How many flow graphs, of one entry of a weight each, are
# needed to get all of dC/dU and dC/dV the way of real-time recurrent learning?
GRAPHS = None

# Predict. And how many turned graphs are needed?
TURNED = None
