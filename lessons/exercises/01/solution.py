"""Solutions for lesson 1."""

import numpy as np

SHAPE_OF_X = (4, 1, 4)


def targets(sentence, alphabet):
    """Each character but the first, as a row with a single 1."""
    rows = np.eye(len(alphabet))[[alphabet.index(c) for c in sentence]]
    return rows[1:, None, :]


def cost(y, d):
    """Minus the logarithm of the probability of what came."""
    return -(d * np.log(y)).sum()


def gradient(ledger):
    """The sum of the rows."""
    return np.sum(ledger, axis=0)
