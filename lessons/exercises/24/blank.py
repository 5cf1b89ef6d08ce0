"""Exercises for lesson 24: would evolution do?

Write what is missing, then run: tinygrad-rnn exercise 24 --check
"""

import numpy as np


def best_so_far(costs):
    """Find the bug. The best cost after each look: what the curves of the lesson show.

    costs is (K,), in the order of the looks. Give (K,).
    """
    return np.sort(costs)[::-1]


def squared_cosines(directions, gradient):
    """The squared cosine of the angle between each direction and the gradient.

    directions is (K, n), a direction in each row, of any length; gradient is (n,). Give (K,).
    """
    raise NotImplementedError


def new_middle(mean, spread, z, costs, utility):
    """Where the middle of SNES goes: each weight to mean + spread times the sum of utility(k) z(k).

    mean and spread are (n,). z is (K, n): the k-th one that was tried is mean + spread * z[k], and costs[k] its cost.
    utility is (K,), for the best one first. Give the new middle, (n,).
    """
    raise NotImplementedError


# Predict. A network has n = 55 weights. How many looks do ten steps of gradient descent take, if the slope along each
# weight is measured, as (C(w + h) - C(w)) / h?
BY_MEASURING = None

# Predict. And by backpropagation through time?
BY_BPTT = None
