"""Plots of error surfaces: what they say, and what they refuse."""

import matplotlib as mpl
import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import experiments as ex

mpl.use("agg")


def wall(points=11):
    return tg.surface(ex.cliff(T=20), ("w", "b"), radius=(2, 0.7), points=points)


def test_a_slice_says_its_axes_its_costs_and_where_the_ways_lead():
    surface = wall()
    ways = {"plain": ex.descend(ex.cliff(5.2, -2.6, 20), tg.train.SGD(0.01), 5)}
    ax = tg.plot_surface(surface, ways)
    words = ax.figure.words
    assert words.startswith("The cost over w and b. plain: from 5.2 at -2.6 to ")
    assert "costs: 121 entries, from " in words
    line = ax.lines[0]
    assert np.allclose(line.get_ydata(), ways["plain"].params["w"].ravel(), rtol=0, atol=1e-14)
    assert np.allclose(line.get_xdata(), ways["plain"].params["b"].ravel(), rtol=0, atol=1e-14)
    image = ax.images[0]
    assert np.array_equal(image.get_array(), surface.cost)
    assert image.get_extent() == pytest.approx([-3.27, -1.73, 2.8, 7.2])


def test_slices_beside_each_other_and_a_bifurcation():
    axes = tg.plot_surfaces({"a": wall(5), "b": wall(5), "c": wall(5)}, across=2)
    assert [ax.get_title() for ax in axes] == ["a", "b", "c"]
    assert axes[0].figure.words.count("25 entries") == 3
    ax = tg.plot_bifurcation([0.0, 1, 2], [[1.0, 1], [1, 2], [1, 2]], name="u")
    assert "as u is turned" in ax.figure.words
    assert np.ma.count(ax.images[0].get_array()) == 5  # one value, then two and two


def test_what_is_no_way_over_this_surface_is_refused():
    rng = np.random.default_rng(0)
    cell = tg.cells.Elman(g="identity")
    net = tg.unfold(
        cell, cell.init(1, 2, 1, rng=0), rng.normal(size=(3, 1, 1)), np.zeros((3, 1, 1)), loss="squared_error"
    )
    other = ex.descend(net, tg.train.SGD(0.1), 2)
    with pytest.raises(ValueError, match=r"paths\['a'\] is .*: it must be a way that descend has taken"):
        tg.plot_surface(wall(5), {"a": other})
    with pytest.raises(ValueError, match=r"surfaces\['a'\] is 3"):
        tg.plot_surfaces({"a": 3})
    with pytest.raises(ValueError, match=r"weights is \(3,\) and states is \(2, 2\)"):
        tg.plot_bifurcation([0.0, 1, 2], [[1.0, 1], [1, 2]])
