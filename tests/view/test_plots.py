"""Plots show the numbers they are given, in the drawings' colours."""

import re
import sys
import xml.etree.ElementTree as ET

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import LogNorm, to_hex

import tinygrad_rnn as tg
from tinygrad_rnn.view.dark import dark
from tinygrad_rnn.view.palette import PALETTE

mpl.use("agg")

SVG = "{http://www.w3.org/2000/svg}"


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


def test_masks_are_maps_beside_each_other():
    masks = {"chunks": tg.truncation_mask(6, k1=3, k2=3), "twice": tg.truncation_mask(6, k1=1, k2=6, losses="window")}
    axes = tg.plot_masks(masks)
    assert [ax.get_title() for ax in axes] == list(masks)
    for ax, mask in zip(axes, masks.values(), strict=True):
        left_out, counted = ax.images
        np.testing.assert_array_equal(np.ma.filled(counted.get_array(), 0), mask)
        gone = np.tril(mask == 0) if (mask == 0).any() else np.zeros_like(mask, bool)
        np.testing.assert_array_equal(~np.ma.getmaskarray(left_out.get_array()), gone)
    # Numbers only where something is counted more than once, each at its place.
    assert not axes[0].texts
    assert {(*text.get_position()[::-1], float(text.get_text())) for text in axes[1].texts} == {
        (t + 1, tau + 1, masks["twice"][t, tau]) for t, tau in np.argwhere(masks["twice"])
    }
    assert axes[0].figure is axes[1].figure


def drawn(ax):
    """The plot as it stands in a page, as a tree."""
    page = ax.figure._repr_html_()
    return page, ET.fromstring(page)


@pytest.mark.parametrize(
    "plot",
    [
        lambda: tg.plot_influence(norms()),
        lambda: tg.plot_lags({"a & <b>": [1.0, 0.1, 0.01]}),
        lambda: tg.plot_masks(np.tril(np.ones((4, 4))))[0],
        lambda: tg.plot_axes().plot([1, 2], [2, 1])[0].axes,
    ],
)
def test_on_a_page_a_plot_has_the_colours_of_the_page(plot):
    page, tree = drawn(plot())
    assert len(page) < 20_000
    svg = tree.find(f"{SVG}svg")
    assert svg.get("role") == "img"
    colors = {part.get(kind) for part in svg.iter() for kind in ("fill", "stroke") if part.get(kind)}
    assert "currentColor" in colors
    # Black and white are the page's own; every other colour has a twin for the dark.
    rules = svg.find(f"{SVG}style").text
    for color in colors - {"currentColor", "none"}:
        assert color not in ("#000000", "#ffffff")
        assert f'"{color}"]' in rules
        assert f"light-dark({color},{dark(color)})" in rules
    assert not any("style" in part.attrib for part in svg.iter() if part is not svg)
    assert "font-family" not in page
    # What is referred to is there, once.
    ids = [part.get("id") for part in svg.iter() if part.get("id")]
    assert len(ids) == len(set(ids))
    named = {part.get("href")[1:] for part in svg.iter() if part.get("href", "").startswith("#")}
    named |= {part.get("clip-path")[5:-1] for part in svg.iter() if part.get("clip-path")}
    assert named == set(ids)


def test_a_plot_is_the_same_bytes_each_time_and_twice_in_a_page_has_ids_of_its_own():
    first, second = (tg.plot_lags([1.0, 0.5, 0.25]).figure._repr_html_() for _ in range(2))
    ids = [set(re.findall(r'id="([^"]*)"', page)) for page in (first, second)]
    assert ids[0]
    assert not ids[0] & ids[1]
    stems = [re.search(r"plot-[0-9a-f]{8}(-[0-9]+)?(?=-)", page)[0] for page in (first, second)]
    assert first.replace(stems[0], "plot") == second.replace(stems[1], "plot")


def test_what_a_plot_shows_is_said_in_words():
    assert tg.plot_lags({"U": [1.0, 0.5, 0.0, 0.125], "V": [0.0]}).figure.words == (
        "‖dC(t) / d copy(τ)‖ against t − τ: steps back from the cost to the copy. U: from 1 at 0 to 0.125 at 3."
    )
    ax = tg.plot_axes()
    ax.plot(np.arange(30), np.where(np.arange(30) < 20, 0.2, 0.0))
    ax.set(title="The cliff")
    assert ax.figure.words == "The cliff. from 0.2 at 0 to 0 at 29, of which from 0.2 to 0 between 19 and 20."
    ax.fmt_xdata = lambda k: f"step {k}"
    assert "between step 19 and step 20" in ax.figure.words
    said = tg.plot_masks({"chunks": tg.truncation_mask(4, k1=2, k2=2)})[0].figure.words
    assert said == "chunks. left out: 4 entries. counted: 6 entries, 1 each."
    _, tree = drawn(tg.plot_influence(norms()))
    said = tree.find(f"{SVG}svg").get("aria-label")
    assert said == tree.find(f"{SVG}svg/{SVG}title").text
    assert re.fullmatch(r"What each copy of U .* zeros: 1 entries.* lengths: 20 entries, from .* to .*\.", said)


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
        (tg.plot_masks, {}, "nothing to plot"),
        (tg.plot_masks, {"a": np.ones((2, 3))}, r"masks\['a'\] has shape \(2, 3\): it must be \(T, T\)"),
        (tg.plot_masks, [[1, 2], [0, 1]], r"above its diagonal.*Did you pass masks\.T\?"),
        (tg.plot_axes, 0, "width=0: it is a number of inches"),
        (tg.plot_axes, 1000, "width=1000: it is a number of inches"),
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
