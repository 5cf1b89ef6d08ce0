"""Solutions for lesson 2."""

import numpy as np


def ordered(direct):
    """From the last line to the first, every line hands on its shares."""
    n = len(direct)
    result = np.zeros(n)
    result[-1] = 1
    for j in reversed(range(n)):
        for i in range(j):
            result[i] += result[j] * direct[j, i]
    return result


DERIVATIVE = 184


def backward(reads, direct):
    """A line that is read twice gets two shares: a dict would keep one of them."""
    gradient = np.zeros(len(reads))
    gradient[-1] = 1
    for j in reversed(range(len(reads))):
        for i, slope in zip(reads[j], direct[j], strict=True):
            gradient[i] += gradient[j] * slope
    return gradient
