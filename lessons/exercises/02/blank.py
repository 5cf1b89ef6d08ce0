"""Exercises for lesson 2: ordered derivatives.

Write what is missing, then run: tinygrad-rnn exercise 2 --check
"""

import numpy as np


def ordered(direct):
    """The ordered derivatives of the LAST number of a tape with respect to each of its numbers.

    direct is (n, n): direct[j, i] is the direct derivative of z_j with respect to z_i. It is 0 unless i < j, because a
    line reads only lines above it. Give an array (n,); its last entry is 1.
    """
    raise NotImplementedError


# Predict. z_2 = 4 z_1 and z_3 = 3 z_1 + 5 z_2 as in the lesson, and now z_4 = z_2 * z_3.
# What is the ordered derivative of z_4 with respect to z_1, at z_1 = 1?
DERIVATIVE = None


def backward(reads, direct):
    """Find the bug. On a tape with the line z * z this gives half of what is right.

    reads[j] is the list of the lines that line j reads, direct[j] the list of the direct derivatives, in the same
    order. Give the gradient of the last line with respect to each line.
    """
    gradient = np.zeros(len(reads))
    gradient[-1] = 1
    for j in reversed(range(len(reads))):
        for i, slope in dict(zip(reads[j], direct[j], strict=True)).items():
            gradient[i] += gradient[j] * slope
    return gradient
