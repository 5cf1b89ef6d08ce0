"""Solutions for lesson 24."""

import numpy as np


def best_so_far(costs):
    """The smallest up to each place."""
    best = np.array(costs)
    for k in range(1, len(best)):
        best[k] = min(best[k - 1], costs[k])
    return best


def squared_cosines(directions, gradient):
    """The inner product, over both lengths, squared."""
    lengths = np.sqrt((directions**2).sum(axis=1)) * np.sqrt((gradient**2).sum())
    return (directions @ gradient / lengths) ** 2


def new_middle(mean, spread, z, costs, utility):
    """The best one first, then the sum."""
    ranked = z[np.argsort(costs)]
    return mean + spread * (utility @ ranked)


BY_MEASURING = 560

BY_BPTT = 20
