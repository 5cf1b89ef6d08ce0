"""The gradient of every copy by differences: a network whose copies are weights of their own, played on plain arrays.

Nothing of the tape, of unfolding or of a plan is used: a cell is called with arrays, step by step.
"""

import numpy as np

from tinygrad_rnn.unfold.structure import flatten, rebuild


def played(cell, copies, x, d, s, cost, mask=None):
    """The state after each time step, and its cost; ``copies[t - 1]`` holds the weights of step t."""
    for t, weights in enumerate(copies):
        new, y = cell(weights, x[t], s)
        if mask is None:
            s, paid = new, cost(y, d[t])
        else:
            here = mask[t].astype(bool)
            s = rebuild(s, [np.where(here[:, None], a, b) for a, b in zip(flatten(new), flatten(s), strict=True)])
            paid = cost(y[here], d[t][here])
        yield s, paid


def costs(cell, copies, x, d, s, cost, mask=None):
    """The cost of each time step."""
    return [paid for _, paid in played(cell, copies, x, d, s, cost, mask)]


def differences(total, arrays, step=3e-4):
    """The slope of ``total()`` in every entry of each array, by central differences of the fourth order.

    The second order would need a step so small that the rounding of C drowns the eighth digit.
    """
    found = [np.zeros_like(a) for a in arrays]
    for entry, gradient in zip(arrays, found, strict=True):
        for at in np.ndindex(*entry.shape):
            middle = entry[at]
            for moved, weight in ((2, -1), (1, 8), (-1, -8), (-2, 1)):
                entry[at] = middle + moved * step
                gradient[at] += weight * total() / (12 * step)
            entry[at] = middle
    return found


def gradients(cell, params, x, d, s0, cost, mask=None, by=differences, dtype=float):
    """dC / d copy for each weight, (T, ...), and dC / d s(0) in the state's structure.

    A cell that computes on complex arrays can have them by `complex_steps`, with ``dtype=complex``.
    """
    copies = [{name: w.astype(dtype) for name, w in params.items()} for _ in x]
    initial = [np.array(s, dtype) for s in flatten(s0)]
    states = [rebuild(s0, initial), *(s for s, _ in played(cell, copies, x, d, s0, cost, mask))]

    def total(t):
        """What is paid after step t; what was paid up to it has not read the copies of step t + 1."""
        rest = slice(t, None)
        return sum(costs(cell, copies[rest], x[rest], d[rest], states[t], cost, None if mask is None else mask[rest]))

    by_copy = [by(lambda t=t: total(t), list(weights.values())) for t, weights in enumerate(copies)]
    of_copies = {name: np.stack(each) for name, each in zip(params, zip(*by_copy, strict=True), strict=True)}
    return of_copies, rebuild(s0, by(lambda: total(0), initial))


def squared_error(y, d):
    return 0.5 * ((d - y) ** 2).sum()


def cross_entropy(y, d):
    return -(d * np.log(y)).sum()


def bernoulli(y, d):
    return -(d * np.log(y) + (1 - d) * np.log(1 - y)).sum()


def complex_steps(total, arrays):
    """The slope of ``total()`` in every entry of each complex array, to the last digits: nothing is subtracted."""
    found = [np.zeros(a.shape) for a in arrays]
    for entry, gradient in zip(arrays, found, strict=True):
        for at in np.ndindex(*entry.shape):
            middle = entry[at]
            entry[at] = middle + 1e-40j
            gradient[at] = total().imag / 1e-40
            entry[at] = middle
    return found
