"""Exercises for lesson 1: one sentence, unfolded.

Write what is missing, then run: tinygrad-rnn exercise 1 --check
"""

import numpy as np

# Predict. Lesson 1 reads "we see". It reads "hello" in the same way. What shape has x[t, p, i]?  A tuple, (.., .., ..)
SHAPE_OF_X = None


def targets(sentence, alphabet):
    """The desired outputs d[t, p, k] for a sentence: at each time step, the character that comes NEXT.

    alphabet is a list of characters. Give an array with one row for each time step, (T, 1, len(alphabet)).
    """
    raise NotImplementedError


def cost(y, d):
    """The cost of the whole sentence: the cross-entropy, summed over time, samples and outputs.

    y and d are (T, n, o). Give one number.
    """
    raise NotImplementedError


def gradient(ledger):
    """The gradient of a weight, from the ledger of its copies.

    ledger is (T, m, m): in row t - 1 the share of the copy of time step t. Give (m, m).
    """
    raise NotImplementedError
