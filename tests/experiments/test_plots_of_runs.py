"""Plots of many runs show medians, quartiles and shares as they are."""

import re
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.view.dark import dark
from tinygrad_rnn.view.palette import PALETTE

mpl.use("agg")
SVG = "{http://www.w3.org/2000/svg}"


def runs(count=5, k=12, seed=0):
    return np.minimum.accumulate(np.random.default_rng(seed).uniform(0.1, 3, (count, k)), axis=1)


def record(x, y, cost, diverged=False, ok=True):
    result = {"result": {"cost": cost, "diverged": diverged}} if ok else {"error": {}}
    return {"ok": ok, "point": {"eta": x, "radius": y, "seed": 0}, **result}


RECORDS = [
    *(record(0.1, 1.0, cost) for cost in (1.0, 2.0, 4.0)),
    *(record(0.1, 2.0, cost, cost > 5) for cost in (3.0, 9.0)),
    *(record(1.0, 1.0, np.inf, True) for _ in range(2)),
    record(1.0, 2.0, 0.5),
    record(1.0, 2.0, None, ok=False),
]


def test_a_line_is_the_median_and_its_band_ends_at_the_quartiles():
    at, given = np.arange(1, 13), runs()
    ax = tg.plot_runs(at, {"a": given, "b": given + 1}, title="two")
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), np.sort(given, axis=0)[2])
    edges = ax.collections[0].get_paths()[0].vertices
    for k, x in enumerate(at):
        found = edges[edges[:, 0] == x][:, 1]
        assert (found.min(), found.max()) == (np.sort(given[:, k])[1], np.sort(given[:, k])[3])
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert [line.get_color() for line in ax.lines] == list(PALETTE[:2])
    assert len({line.get_marker() for line in ax.lines}) == 2
    assert ax.figure.words.startswith("two. a: from ")


def test_more_lines_than_colours_are_told_apart_by_their_dashes():
    ax = tg.plot_runs([1.0, 2.0], {f"rival {k}": np.ones((2, 2)) for k in range(2 * len(PALETTE))})
    looks = {(line.get_color(), line.get_linestyle()) for line in ax.lines}
    assert len(looks) == 2 * len(PALETTE)


def test_what_is_not_finite_leaves_a_gap():
    given = np.array([[np.inf, 1.0, 0.5], [np.inf, 2.0, 0.25], [np.inf, 3.0, 0.0]])
    ax = tg.plot_runs([1, 10, 100], {"a": given})
    shown = np.ma.asarray(ax.lines[0].get_ydata(orig=True))
    assert shown.mask.tolist() == [True, False, False]
    ax.figure.canvas.draw()


def test_a_map_has_medians_and_the_shares_that_diverged():
    ax = tg.plot_sweep(RECORDS, x="eta", y="radius")
    gone, shown = ax.images
    np.testing.assert_array_equal(np.ma.filled(shown.get_array(), -1), [[2.0, -1], [3.0, 0.5]])
    np.testing.assert_array_equal(~np.ma.getmaskarray(gone.get_array()), [[False, True], [False, False]])
    written = {text.get_position()[::-1]: text.get_text() for text in ax.texts}
    assert written == {(1, 0): "50 %", (0, 1): "100 %", (1, 1): "50 %"}
    ax.figure.canvas.draw()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.1", "1"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["1", "2"]


@pytest.mark.parametrize(
    "plot",
    [
        lambda: tg.plot_runs(np.arange(1, 13), {"a & <b>": runs(), "c": runs(seed=1)}),
        lambda: tg.plot_sweep(RECORDS, x="eta", y="radius", title="a & <b>"),
    ],
)
def test_on_a_page_a_plot_has_the_colours_of_the_page(plot):
    page = plot().figure._repr_html_()
    svg = ET.fromstring(page).find(f"{SVG}svg")
    colors = {part.get(kind) for part in svg.iter() for kind in ("fill", "stroke") if part.get(kind)}
    rules = svg.find(f"{SVG}style").text
    for color in colors - {"currentColor", "none"}:
        assert re.search(rf"light-dark\({color},{dark(color)}\)", rules)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: tg.plot_runs([], {"a": runs()}), "at="),
        (lambda: tg.plot_runs([0.0, 1.0], {"a": runs()}), "numbers above 0"),
        (lambda: tg.plot_runs([1.0, 2.0], {}), "nothing to plot"),
        (lambda: tg.plot_runs([1.0, 2.0], {"a": runs()}), r"curves\['a'\] has shape \(5, 12\): it must be \(runs, 2\)"),
        (lambda: tg.plot_sweep([], "a", "b"), "records is empty"),
        (lambda: tg.plot_sweep(RECORDS, "eta", "rho"), r"records\[0\]=.*whose point has eta, rho"),
        (lambda: tg.plot_sweep(RECORDS, "eta", "radius", value="loss"), r"records\[0\] has no number 'loss'"),
        (lambda: tg.plot_sweep([record("a", 1, 1.0), record(2, 1, 1.0)], "eta", "radius"), "cannot be put in an order"),
    ],
)
def test_what_is_no_runs_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()
