"""Solutions for lesson 13."""

import numpy as np


def jacobian(s, U):
    """Through U, and then through the slope of each unit."""
    return (1 - s**2)[:, None] * U


def errors(g, s, U):
    """One Jacobian for each step back."""
    found = np.zeros_like(s)
    found[-1] = g
    for t in range(len(s) - 1, 0, -1):
        at_net = found[t] * (1 - s[t] ** 2)
        found[t - 1] = at_net @ U
    return found


def bound(U, f, lag):
    """The steepest slope times the largest singular value, once for each step."""
    steepest = {"tanh": 1.0, "sigmoid": 0.25}[f]
    return (steepest * np.linalg.norm(U, 2)) ** lag


def clipped(grads, threshold):
    """One norm for all, and one factor."""
    norm = np.sqrt((grads**2).sum())
    return grads * np.minimum(1.0, threshold / norm)


VANISHES = "must"

STEPS = 66
