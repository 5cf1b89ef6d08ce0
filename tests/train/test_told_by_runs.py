"""What a run in a folder writes and forecasts: with its own weights, alphabet and scale, on the parts that it knows."""

import io

import numpy as np
import pytest

import tinygrad_rnn as tg

T = np.arange(120)
WAVE = 50 + 10 * np.sin(2 * np.pi * T / 12) + np.random.default_rng(0).normal(size=120)


def a_table(*columns, header="a", **how):
    lines = [
        header,
        *(",".join("" if v is None else repr(float(v)) for v in row) for row in zip(*columns, strict=True)),
    ]
    return tg.data.table(io.BytesIO("\n".join(lines).encode()), header="yes", **how)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def series(folder):
    small = {"hidden": 8, "k1": 10, "updates": 200, "every": 50, "validate": 0.2, "test": 0.1, "dtype": "float64"}
    return tg.train.fit("lstm", a_table(WAVE), out=folder / "series", **small)


@pytest.fixture(scope="module")
def text(folder):
    found = tg.data.text(io.BytesIO(b"we see what we see, " * 40))
    return tg.train.fit("gru", found, out=folder / "text", hidden=16, batch=4, k1=10, updates=150, every=50, eta=0.02)


def test_a_run_writes_with_its_alphabet_and_best_weights(text):
    found = text.sample(30, prime="we see", temperature=0)
    again = tg.train.sample(text.cell, text.best, text.known["alphabet"], length=30, prime="we see", temperature=0)
    assert found == again
    assert " we see" in found.text  # it has learnt so much
    assert text.sample(5, last=True) == tg.train.sample(text.cell, text.params, text.known["alphabet"], length=5)


def test_a_run_forecasts_from_its_test_part_on_in_the_unit_of_the_data(series):
    found = series.forecast(12)
    assert (found.start, found.columns) == (108, ("a",))
    known = {what: series.known[what] for what in ("inputs", "targets")}
    again = tg.train.forecast(
        series.cell,
        series.best,
        WAVE,
        start=108,
        steps=12,
        columns=("a",),
        scale=(known["inputs"]["shift"], known["inputs"]["size"]),
        trained=84,
    )
    np.testing.assert_array_equal(found.network.free, again.network.free)
    assert found.scores == again.scores
    np.testing.assert_array_equal(found.true[:, 0], WAVE[108:])
    assert abs(found.network.ahead.mean() - 50) < 10
    assert found.score().rmse < found.score("mean").rmse


def test_the_price_of_the_test_part_is_that_of_the_forecast(series):
    """By two ways: windows of k1 steps, and pieces of 64 and 1."""
    size = series.known["targets"]["size"][0]
    assert series.forecast(12).score().rmse == pytest.approx(size * series.price("test") ** 0.5, rel=1e-9)


def test_another_table_is_told_from_its_end(series):
    found = series.forecast(5, data=a_table(WAVE[:60] + 1))
    assert (found.start, len(found.true)) == (60, 0)
    assert found.network.free.shape == (5, 1)
    assert series.forecast(5, data=a_table(WAVE[:60] + 1), start=50).score("mean").rmse > 0
    with pytest.raises(ValueError, match=r"it must be a Table.* with the columns a, of which a are told"):
        series.forecast(data=a_table(WAVE, header="b"))


def test_a_gap_before_the_first_row_that_is_told_knows_nothing_of_it(folder):
    gapped = [*WAVE[:100], *[None] * 6, *WAVE[106:]]
    small = {"hidden": 4, "k1": 10, "updates": 10, "every": 10, "validate": 0.2}
    run = tg.train.fit("gru", a_table(gapped, missing="interpolate"), out=folder / "gaps", **small)
    other = [*gapped[:106], 999.0, *gapped[107:]]
    one = run.forecast(8, start=104)
    two = run.forecast(8, start=104, data=a_table(other, missing="interpolate"))
    np.testing.assert_array_equal(one.network.free, two.network.free)
    assert "2 of the rows to compare with had gaps" in one.remarks[0]


def test_a_run_says_which_of_the_two_it_can(series, text):
    with pytest.raises(ValueError, match=r"was trained on a series, .* forecast"):
        series.sample()
    with pytest.raises(ValueError, match=r"was trained on a text, .* sample"):
        text.forecast()
