"""Exercises for lesson 25: the error surface.

Write what is missing, then run: tinygrad-rnn exercise 25 --check
"""

import numpy as np


def prominence(cost, i):
    """How far one has to climb out of the lowest point i of a curve to come to lower ground.

    cost is (n,), heights one after another, all different. If no ground is lower, give the range of the curve.
    """
    raise NotImplementedError


def scaled(w, z):
    """A random direction z, (m, h), each row as long as that row of the weights w, (m, h)."""
    raise NotImplementedError


def growth(J, v):
    """By how much the logarithm of the length of a push v, (n,), grows per step, on average.

    J is (T, n, n), the Jacobians of the steps 1, ..., T: the push goes through J[0] first.
    """
    raise NotImplementedError


# Predict. One tanh unit without an input, any u and any b: how many different values can its state have in the long
# run, at most?
VALUES = None

# Predict. A grid twice as fine finds 240 minima where the first one found 80. Does the surface have "240" of them, "80"
# of them, or has it "no number"?
COUNT = None
