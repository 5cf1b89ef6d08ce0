"""What costs nothing to know: prices and forecasts that were worked out elsewhere, from the training part alone."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn.train.baselines import Average, Baseline, Seasonal

LASER = tg.data.laser().values[:1100, 0]
SUNSPOTS = tg.data.sunspots().values[:256, 0]  # 1700 to 1955


# -- prices of symbols


def test_a_price_is_worked_out_by_hand():
    train, test = [0, 1, 0, 0], [0, 0, 1]
    # counted once more than they came: 0 four times of 7, 1 twice, 2 once
    assert tg.train.unigram(train, test, 3) == pytest.approx(-(2 * math.log(4 / 7) + math.log(2 / 7)) / 3)
    # behind 0 came 1 and 0: of 5, 0 has 2 and 1 has 2
    assert tg.train.bigram(train, test, 3) == pytest.approx(-math.log(2 / 5))
    assert tg.train.bigram(train, [2, 1], 3) == pytest.approx(math.log(3))  # behind 2 nothing came
    assert tg.train.bigram(train, [1, 2], 3) == pytest.approx(math.log(4))


@given(st.lists(st.integers(0, 4), min_size=2, max_size=40), st.lists(st.integers(0, 4), min_size=2, max_size=9))
def test_prices_are_those_of_a_table_of_pairs(train, test):
    table = np.ones((5, 5))
    np.add.at(table, (train[:-1], train[1:]), 1)
    table /= table.sum(1, keepdims=True)
    assert tg.train.bigram(train, test, 5) == pytest.approx(-np.log(table[test[:-1], test[1:]]).mean())


def test_a_large_alphabet_costs_no_table_of_pairs():
    assert tg.train.bigram([10**9, 1], [10**9, 1], 2**31 - 1) == pytest.approx(math.log(2**31) - math.log(2))


def test_the_next_character_is_told_better_by_the_one_before():
    text = tg.data.constitution()
    symbols = np.array([text.alphabet.index(one) for one in text.text])
    train, test, K = symbols[:40_000], symbols[40_000:], len(text.alphabet)
    assert tg.train.bigram(train, test, K) < tg.train.unigram(train, test, K) - 0.5 < math.log(K) - 1


# -- forecasts


def told(baseline, x, start, stop, variance=None):
    return tg.train.nmse(x[start:stop], baseline.ahead(x, start, stop), variance=variance)


@pytest.mark.parametrize(
    ("order", "ahead", "free"),
    [("last value", 0.9520, 1.3370), ("8 before", 0.4820, 1.2284), (10, 0.3561, 0.7172), ("aic", 0.3298, 0.8858)],
)
def test_the_laser_is_told_as_well_as_is_known(order, ahead, free):
    train = LASER[:1000]
    by_name = {"last value": Seasonal(1), "8 before": Seasonal(tg.train.season_of(train))}
    baseline = by_name.get(order) or tg.train.autoregression(train, order)
    assert told(baseline, LASER, 1000, 1100) == pytest.approx(ahead, abs=1e-4)
    assert tg.train.nmse(LASER[1000:], baseline.on(train, 100)) == pytest.approx(free, abs=1e-4)
    assert order not in ("last value", "8 before") or str(baseline) == order


def test_criterion_of_akaike_finds_the_known_order():
    assert tg.train.autoregression(LASER[:1000]).order == 29


@pytest.mark.parametrize(("order", "error"), [(2, 0.185), (9, 0.123)])
def test_sunspots_are_told_as_well_as_is_known(order, error):
    """1921 to 1955, fitted before, in parts of 1535, the variance of the published figures."""
    found = tg.train.autoregression(SUNSPOTS[:221], order)
    assert told(found, SUNSPOTS, 221, 256, 1535) == pytest.approx(error, abs=5e-4)
    assert told(Seasonal(1), SUNSPOTS, 221, 256, 1535) == pytest.approx(0.416, abs=5e-4)
    assert tg.train.season_of(SUNSPOTS[:221]) == 11


def test_an_autoregression_finds_the_weights_that_made_a_series():
    x = np.zeros(200)
    x[:2] = 1, 2
    for t in range(2, 200):
        x[t] = 0.3 + 1.6 * x[t - 1] - 0.9 * x[t - 2]
    found = tg.train.autoregression(x, 2)
    assert found.constant == pytest.approx(0.3, abs=1e-9)
    np.testing.assert_allclose(found.weights, [1.6, -0.9], atol=1e-9)
    np.testing.assert_allclose(found.on(x[:150], 50), x[150:], atol=1e-9)
    assert tg.train.autoregression(x[:60], "aic").order >= 2


def test_orders_are_compared_on_the_same_rows():
    """As statsmodels does with hold_back; the criterion of each on its own rows would choose otherwise here."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=120)
    x[:39] *= 50  # what only low orders would have to tell
    assert tg.train.autoregression(x).order == tg.train.autoregression(np.r_[np.zeros(39), x[39:]]).order == 0


@pytest.mark.parametrize("horizon", [1, 2, 5])
@pytest.mark.parametrize("baseline", [Average(3.0), Seasonal(1), Seasonal(4), tg.train.autoregression(LASER[:300], 3)])
def test_no_value_is_told_from_itself_or_a_later_one(baseline, horizon):
    x = LASER[:400].copy()
    before = baseline.ahead(x, 300, 340, horizon)
    for t in range(300, 340):
        x[t - horizon + 1 :] = LASER[t - horizon + 1 : 400] * 1000 + 7
        assert baseline.ahead(x, t, t + 1, horizon)[0] == before[t - 300]
        x[:] = LASER[:400]


def test_a_season_is_told_again_and_again():
    x = np.array([1.0, 2, 3, 4])
    assert Seasonal(3).on(x, 7).tolist() == [2, 3, 4, 2, 3, 4, 2]
    assert Seasonal(1).on(x, 3).tolist() == [4, 4, 4]
    assert Seasonal(2).ahead(x, 2, 4).tolist() == [1, 2]
    assert Seasonal(2).ahead(x, 3, 4, horizon=3).tolist() == [1]


def test_a_season_is_the_period_of_what_has_one():
    t = np.arange(400)
    for period in (3, 7, 24):
        x = np.sin(2 * np.pi * t / period) + 0.3 * np.random.default_rng(0).normal(size=400)
        assert tg.train.season_of(x) % period == 0
    assert tg.train.season_of(np.arange(50.0)) == 1  # nothing comes back
    assert tg.train.season_of(np.ones(50)) == tg.train.season_of(np.full(103, 0.1)) == 1
    assert tg.train.season_of([1.0, 2]) == 1


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: tg.train.unigram([0, 3], [0], 3), r"train goes from 0 to 3, and there are 3 symbols"),
        (lambda: tg.train.unigram([0.5], [0], 3), r"train=\[0.5\]: it must be whole numbers"),
        (lambda: tg.train.bigram([0], [0], 3), r"there must be two symbols"),
        (lambda: tg.train.autoregression([1.0, 2, 4], 1), "of 3 rows at most 0 weights can be told"),
        (lambda: tg.train.autoregression([1.0, math.nan], 1), r"train\[1\] is not finite"),
        (lambda: tg.train.autoregression(LASER, "bic"), "order='bic': it must be a whole number from 0 up, or 'aic'"),
    ],
)
def test_what_cannot_be_fitted_is_refused(call, why):
    with pytest.raises(ValueError, match=why):
        call()


@pytest.mark.parametrize("season", [1, 2, 5])
@pytest.mark.parametrize("horizon", [1, 2, 5, 7])
@pytest.mark.parametrize("start", [7, 9, 30])
def test_a_season_told_at_once_is_one_told_row_by_row(season, horizon, start):
    x = np.random.default_rng(0).normal(size=40)
    row_by_row = Baseline.ahead(Seasonal(season), x, start, 38, horizon)
    assert np.array_equal(Seasonal(season).ahead(x, start, 38, horizon), row_by_row)
