"""Solutions for lesson 1."""

import numpy as np

ROWS = 4


def share(error, state):
    """Each number of the error times each number of the state."""
    return np.outer(error, state)


def gradient(ledger):
    """The sum of the rows."""
    return np.sum(ledger, axis=0)


def change_of_cost(ledger, j, h, step):
    """Every copy moves the cost by its own share."""
    return ledger[:, j, h].sum() * step
