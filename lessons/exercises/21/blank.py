"""Exercises for lesson 21: a text, character by character.

Write what is missing, then run: tinygrad-rnn exercise 21 --check
"""

import numpy as np


def price_of_counting(train, held_out, K):
    """The price of counting characters: the mean of -ln share[c] over the characters c of held_out.

    train and held_out are arrays of whole numbers from 0 to K - 1. A character's share is how often it stands in train,
    plus 1, divided by the sum of these over all K characters. Give one number.
    """
    raise NotImplementedError


def clipped(g, threshold):
    """A gradient g, clipped by its norm: shortened to the threshold if it is longer, and otherwise left as it is."""
    raise NotImplementedError


def adam(gs, eta):
    """The changes that Adam makes to a weight, for the gradients gs, (T, K), one after the other. Give (T, K).

    m = 0.9 m + 0.1 g and v = 0.999 v + 0.001 g**2 start at zero. At step t = 1, 2, ... the change is
    -eta * m_hat / (sqrt(v_hat) + 1e-8), where m_hat = m / (1 - 0.9**t) and v_hat = v / (1 - 0.999**t).
    """
    raise NotImplementedError


def states(step, x, s0, k):
    """Find the bug. Read a text in windows of k steps: the states s(1), ..., s(T), (T, m).

    step(x_t, s) gives the next state. x is (T, l), s0 is the state before the first step.
    """
    found = []
    for start in range(0, len(x), k):
        s = s0
        for x_t in x[start : start + k]:
            s = step(x_t, s)
            found.append(s)
    return np.array(found)


# Predict. An untrained network reads 25 characters of a text with 20 different ones, and the costs of the steps are
# summed up. What is the cost, to the nearest whole number?
COST_AT_THE_START = None
