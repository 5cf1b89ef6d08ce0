"""Plots show the numbers they are given, in the drawings' colours."""

import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import LogNorm, to_hex

import tinygrad_rnn as tg
from tinygrad_rnn.view.palette import PALETTE

mpl.use("agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def norms(T=6):
    rng = np.random.default_rng(0)
    values = np.tril(rng.uniform(0.5, 1, (T, T)) * 10.0 ** -np.abs(np.subtract.outer(np.arange(T), np.arange(T))))
    values[5, 0] = 0  # cut off
    return values


def test_the_influence_matrix_is_shown_as_it_is():
    values = norms()
    ax = tg.plot_influence(values, name="W")
    zeros, image = ax.images
    shown = image.get_array()
    np.testing.assert_array_equal(shown.filled(0), values)
    assert isinstance(image.norm, LogNorm)
    assert (image.norm.vmin, image.norm.vmax) == (values[values > 0].min(), values.max())
    # White above the diagonal, grey where something was cut off, blue elsewhere.
    np.testing.assert_array_equal(shown.mask, values == 0)
    np.testing.assert_array_equal(np.argwhere(~zeros.get_array().mask), [[5, 0]])
    light = [mpl.colors.rgb_to_hsv(image.cmap(v)[:3])[2] for v in np.linspace(0, 1, 9)]
    assert light == sorted(light, reverse=True)
    assert to_hex(image.cmap(0.5)) == PALETTE[0].lower() or np.allclose(
        image.cmap(0.5)[:3], mpl.colors.to_rgb(PALETTE[0]), atol=0.02
    )
    # Row t = 1 is at the top, and the pixel of (t, tau) is at (tau, t).
    assert list(image.get_extent()) == [0.5, 6.5, 6.5, 0.5]
    assert "W(τ)" in ax.get_xlabel()
    ax.figure.canvas.draw()
    ticks = [label.get_text() for label in ax.get_xticklabels()]
    assert all("." not in tick for tick in ticks)


def test_lags_are_lines_in_the_drawings_colours_and_zeros_are_gaps():
    lags = {"U": [1.0, 0.1, 0.0, 0.001], "V": [2.0, 1.0]}
    ax = tg.plot_lags(lags)
    assert [line.get_color() for line in ax.lines] == list(PALETTE[:2])
    assert [line.get_label() for line in ax.lines] == ["U", "V"]
    assert len({line.get_marker() for line in ax.lines}) == 2
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), [0, 1, 2, 3])
    np.testing.assert_array_equal(np.ma.filled(ax.lines[0].get_ydata(orig=True), 0), lags["U"])
    assert ax.lines[0].get_ydata(orig=True).mask.tolist() == [False, False, True, False]
    assert ax.get_yscale() == "log"
    ax.figure.canvas.draw()


@pytest.mark.parametrize("values", [np.zeros((3, 3)), np.diag([2.0, 2.0]), [[1.0]]])
def test_dull_matrices_are_plotted_too(values):
    tg.plot_influence(values).figure.canvas.draw()


@pytest.mark.parametrize("lengths", [[0.0, 0.0], [1.0], {"U": [1.0, 1.0]}])
def test_dull_lags_are_plotted_too(lengths):
    tg.plot_lags(lengths).figure.canvas.draw()


def test_axes_can_be_given():
    _, axes = plt.subplots(1, 2)
    assert tg.plot_influence(norms(), ax=axes[0]) is axes[0]
    assert tg.plot_lags([1.0, 0.5], ax=axes[1]) is axes[1]


@pytest.mark.parametrize(
    ("plot", "given", "why"),
    [
        (tg.plot_influence, np.ones((2, 3)), r"norms has shape \(2, 3\): it must be \(T, T\)"),
        (tg.plot_influence, np.zeros((0, 0)), r"norms has shape \(0, 0\)"),
        (tg.plot_influence, [[1, 2], [0, 1]], r"above its diagonal.*Did you pass norms\.T\?"),
        (tg.plot_influence, [[1, 0], [np.nan, 1]], r"norms is nan at \(1, 0\)"),
        (tg.plot_influence, [[1, 0], [-1, 1]], r"norms is -1\.0 at \(1, 0\)"),
        (tg.plot_lags, {}, "nothing to plot"),
        (tg.plot_lags, [[1.0]], r"lengths has shape \(1, 1\)"),
        (tg.plot_lags, {"U": [1.0, np.inf]}, r"lengths\['U'\] is inf at \(1,\)"),
    ],
)
def test_what_is_no_length_is_refused(plot, given, why):
    with pytest.raises(ValueError, match=why):
        plot(given)


def test_without_matplotlib_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install 'tinygrad-rnn\[plots\]'"):
        tg.plot_lags([1.0])
