"""Exercises for lesson 13: vanishing and exploding.

Write what is missing, then run: tinygrad-rnn exercise 13 --check
The units are tanh unless something else is said. U is U[j, h].
"""

import numpy as np


def jacobian(s, U):
    """J = ds(t) / ds(t-1), (m, m): [j, h] is what unit h does to unit j. s is the state s(t), (m,)."""
    raise NotImplementedError


def errors(g, s, U):
    """dC/ds(t) for t = 0, ..., T, (T + 1, m), if the cost is at the end and dC/ds(T) is g, (m,).

    s is (T + 1, m): the states s(0), ..., s(T).
    """
    raise NotImplementedError


def bound(U, f, lag):
    """The most that so many steps together can do to the length of an error. f is "tanh" or "sigmoid"."""
    raise NotImplementedError


def clipped(grads, threshold):
    """Find the bug. Clipping by norm must keep the direction of the gradient.

    grads is (N, m, m), the gradients of N matrices. Give (N, m, m).
    """
    found = []
    for g in grads:
        norm = np.linalg.norm(g)
        found.append(g * min(1.0, threshold / norm))
    return np.array(found)


# Predict. The units are logistic, and sigma_max(U) = 3. "must" the gradient vanish, or is it that it "need not"?
VANISHES = None

# Predict. The units are linear, and U is 0.9 times a rotation. After how many steps, at the earliest, is less than a
# thousandth of an error left? (Take out a calculator.)
STEPS = None
