"""Exercises for lesson 23: forecasting.

Write what is missing, then run: tinygrad-rnn exercise 23 --check
"""

import numpy as np


def nmse(d, y):
    """The squared error of the forecast y, (T,), in parts of what always saying the mean of d, (T,), would give."""
    raise NotImplementedError


def scaled(values, known):
    """Find the bug. Bring a series, (T,), to mean 0 and standard deviation 1, as it may be done.

    The first `known` values are learned from; the others are what is to be told. All of them are scaled alike.
    """
    return (values - values.mean()) / values.std()


def season_before(known, season, steps):
    """What the seasonal forecast says of the next `steps` rows, (steps,), where only `known`, (T,), is known.

    Each row is what was there one season before; where that is not known, what was said of it.
    """
    raise NotImplementedError


def autoregression(x, order):
    """Fit x(t) = a_0 + a_1 x(t-1) + ... + a_order x(t-order) to the series x, (T,), by least squares.

    Give a_0, a_1, ..., a_order, (order + 1,). Take the rows of which all values before are there; see np.linalg.lstsq.
    """
    raise NotImplementedError


def free_run(step, s, x, steps):
    """Let a network go on by itself: what it says of the next rows, (steps,).

    step(x, s) reads a value x in the state s; it gives y, what the next value will be, and the new state. The last true
    value is x; it has not been read yet.
    """
    raise NotImplementedError


# Predict. A series goes 0, 1, 0, 1, 0, 1, ... for ever. What is the NMSE of persistence?
ECHO = None
