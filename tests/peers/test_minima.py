"""The minima of a map are those that scikit-image finds."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, label
from skimage.morphology import h_minima

from tinygrad_rnn.experiments.minima import basins


@pytest.mark.parametrize("seed", range(10))
def test_minima_by_prominence_are_h_minima(seed):
    rng = np.random.default_rng(seed)
    cost = gaussian_filter(rng.normal(size=(101, 120)), 1 + seed / 3)
    height = np.ptp(cost) * 0.1 * (1 + rng.random())
    places, depths = basins(cost)
    floors, count = label(h_minima(cost, height), np.ones((3, 3)))
    assert sorted(floors.flat[places[depths > height]]) == list(range(1, count + 1))
