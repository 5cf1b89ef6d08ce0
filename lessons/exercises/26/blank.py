"""Exercises for lesson 26: how sensitive is training?

Write what is missing, then run: tinygrad-rnn exercise 26 --check
"""

import numpy as np


def share_diverged(start, cost):
    """Find the bug. The share of runs, from 0 to 1, that have diverged.

    start and cost are (K,), before and after. A run has diverged if its cost is not a number, is infinite, or is more
    than ten times its own start.
    """
    return np.mean(cost > 10 * start)


def clipped_step(g, threshold, eta):
    """What a step of gradient descent adds to the weights, if the gradient is shortened to a length of `threshold`.

    g is (n,). A gradient that is not longer than threshold stays as it is. Give (n,).
    """
    raise NotImplementedError


def middles(cost, cell, count):
    """The median of the costs in each cell of a map.

    cost is (K,), and cell (K,) says in which of the cells 0, ..., count - 1 each run is. Give (count,).
    """
    raise NotImplementedError


# Predict. 7 radii, 7 steps, clipped or not, 4 seeds: how many points has the grid?
POINTS = None

# Predict. After 100 of these points the sweep is killed, and then asked for again. How many calls does it make then?
CALLS_LEFT = None
