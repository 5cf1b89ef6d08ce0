"""Forecasts of a network: one step ahead and on its own, with nothing known of what it tells."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.train.baselines import Seasonal, autoregression

LASER = tg.data.laser().values[:1100]
SCALE = (LASER[:900].mean(0), LASER[:900].std(0))
CELL = tg.cells.LSTM(g="identity")
PARAMS = CELL.init(1, 4, 1, rng=0)


def repeat(params, x, s):
    """Tells that nothing changes."""
    return s * 1.0, x * params["one"]


repeat.initial_state = lambda params, n_samples: np.zeros((n_samples, 1))
ONE = {"one": np.ones(1)}


def linear(params, x, s):
    """Tells a x(t) + b x(t - 1), the state being x(t - 1)."""
    return x * 1.0, x * params["a"] + s * params["b"]


linear.initial_state = lambda params, n_samples: np.zeros((n_samples, 1))


@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("scale", [None, SCALE])
def test_who_repeats_the_input_is_scored_as_the_last_value_is(horizon, scale):
    """Told one row too early or too late, it would be scored otherwise."""
    found = tg.train.forecast(repeat, ONE, LASER, start=1000, horizon=horizon, scale=scale)
    last = tg.train.nmse(LASER[1000:, 0], LASER[1000 - horizon : 1100 - horizon, 0])
    for name in ("network", "last value"):
        assert found.score(name).nmse == pytest.approx(last, rel=1e-12)
        # On its own it repeats the last rows that it knew: of a network that is `horizon` steps ahead, so many.
    assert found.score().nmse == pytest.approx(found.score("last value").nmse, rel=1e-12)
    known = np.resize(LASER[1000 - horizon : 1000, 0], 100)
    np.testing.assert_allclose(found.network.free[:, 0], known)
    assert found.score("network", "free").rmse == pytest.approx(tg.train.rmse(LASER[1000:], known))


def test_a_network_that_is_an_autoregression_is_scored_as_one():
    """The constant is the scale's: what is left of the mean."""
    x = np.zeros(300)
    rng = np.random.default_rng(0)
    for t in range(2, 300):
        x[t] = 1.6 * x[t - 1] - 0.9 * x[t - 2] + rng.normal()
    params = {"a": np.full(1, 1.6), "b": np.full(1, -0.9)}
    found = tg.train.forecast(linear, params, 5 + 2 * x, start=200, steps=50, scale=(5, 2), order=2)
    ahead = [1.6 * x[t - 1] - 0.9 * x[t - 2] for t in range(200, 250)]
    np.testing.assert_allclose(found.network.ahead[:, 0], 5 + 2 * np.array(ahead))
    free = list(x[198:200])
    for _ in range(50):
        free.append(1.6 * free[-1] - 0.9 * free[-2])
    np.testing.assert_allclose(found.network.free[:, 0], 5 + 2 * np.array(free[2:]))
    assert found.score().rmse == pytest.approx(2 * np.sqrt(np.mean((x[200:250] - ahead) ** 2)))  # in the data's unit


@pytest.mark.parametrize("start", [100, 128, 1000])
def test_what_comes_later_changes_nothing_that_is_told_without_it(start):
    x = LASER.copy()
    found = tg.train.forecast(CELL, PARAMS, x, start=start, steps=40, scale=SCALE)
    x[start:] = 1000 * x[start:] + 7
    again = tg.train.forecast(CELL, PARAMS, x, start=start, steps=40, scale=SCALE)
    for one, other in zip((found.network, *found.baselines), (again.network, *again.baselines), strict=True):
        np.testing.assert_array_equal(one.free, other.free)  # bit by bit
        np.testing.assert_array_equal(one.ahead[0], other.ahead[0])
        assert one.name == other.name
    assert found.score("mean").mase != again.score("mean").mase  # what it is compared with has changed


def test_baselines_see_what_was_trained_on_alone():
    x = LASER.copy()
    found = tg.train.forecast(CELL, PARAMS, x, start=1000, trained=900, scale=SCALE)
    assert [told.name for told in found.baselines] == ["last value", "8 before", "AR(22)", "mean"]
    np.testing.assert_array_equal(
        found.baselines[2].ahead[:, 0], autoregression(LASER[:900, 0]).ahead(LASER[:, 0], 1000, 1100)
    )
    assert (found.baselines[3].free == LASER[:900].mean()).all()
    x[900:] = 1000 * x[900:]
    again = tg.train.forecast(CELL, PARAMS, x, start=1000, trained=900, scale=SCALE)
    assert [told.name for told in again.baselines] == ["last value", "8 before", "AR(22)", "mean"]
    np.testing.assert_array_equal(found.baselines[3].free, again.baselines[3].free)


def test_a_season_that_nobody_could_know_so_far_ahead_is_not_looked_for():
    """Of a part of a season, told again and again, nothing comes out but wrong numbers."""
    x = np.sin(2 * np.pi * np.arange(200) / 9)
    assert str(tg.train.forecast(repeat, ONE, x, start=100).baselines[1]).count("9 before") == 1
    names = [told.name for told in tg.train.forecast(repeat, ONE, x, start=100, horizon=95).baselines]
    assert names[0] == "last value"
    assert not any("before" in name for name in names)


def test_scores_are_the_measures_in_the_unit_of_the_data():
    found = tg.train.forecast(CELL, PARAMS, LASER, start=1000, steps=60, scale=SCALE, season=1)
    d, y = LASER[1000:1060], found.network.ahead
    score = found.score()
    assert (score.nmse, score.rmse) == (tg.train.nmse(d, y), tg.train.rmse(d, y))
    assert score.mase == tg.train.mase(d, y, LASER[:1000])
    assert found.score("last value").nmse == tg.train.nmse(d, Seasonal(1).ahead(LASER[:, 0], 1000, 1060))
    assert tg.train.forecast(CELL, PARAMS, LASER, start=1000, variance=2195.0).score().nmse == pytest.approx(
        tg.train.rmse(LASER[1000:], tg.train.forecast(CELL, PARAMS, LASER, start=1000).network.ahead) ** 2 / 2195
    )
    lines = repr(found).splitlines()
    assert lines[0] == "column 1, one step ahead, 60 rows from 1000 on"
    assert any(line.startswith("AR(29)") for line in lines)


def test_what_fails_is_said():
    found = tg.train.forecast(repeat, ONE, LASER, start=1000)
    assert list(found.remarks) == [
        (
            "one step ahead, the network is no better than last value (54.13), 8 before (38.52), AR(29) (31.86): "
            "its RMSE is 54.13"
        ),
        "on its own, the network fails: its RMSE is 64.15, and that of always telling the mean 55.68",
    ]
    assert repr(found).endswith(found.remarks[-1])
    good = tg.train.forecast(linear, {"a": np.full(1, 1.0), "b": np.full(1, 0.0)}, np.arange(50.0) % 2, start=30)
    assert any("20 rows are there to compare with, of 100 that are told" in said for said in good.remarks)


def test_a_future_that_nobody_knows_is_told_without_scores():
    found = tg.train.forecast(CELL, PARAMS, LASER, start=1100, steps=30, scale=SCALE)
    assert found.network.free.shape == (30, 1)
    assert found.network.ahead.shape == (0, 1)
    assert found.scores == ()
    assert found.remarks == ("no rows are there to compare with, of 30 that are told",)


def test_of_several_columns_each_has_its_scores():
    x = np.stack([LASER[:400, 0], LASER[50:450, 0] * 3 + 100], axis=1)
    params = CELL.init(2, 4, 2, rng=0)
    found = tg.train.forecast(CELL, params, x, start=350, steps=40, columns=("a", "b"), scale=(x.mean(0), x.std(0)))
    assert {one.column for one in found.scores} == {"a", "b"}
    assert found.score(column="b").rmse == tg.train.rmse(x[350:390, 1], found.network.ahead[:, 1])
    with pytest.raises(KeyError, match="no score of 'network', 'ahead', 'c'"):
        found.score(column="c")


def test_own_outputs_are_read_under_their_names():
    """The second column is told first: on its own, the network must not read them the wrong way round."""
    x = np.stack([np.arange(60.0), 100 - 2 * np.arange(60.0)], axis=1)

    def swap(params, x, s):
        return s * 1.0, x @ params["P"]

    swap.initial_state = lambda params, n_samples: np.zeros((n_samples, 1))
    params = {"P": np.array([[0.0, 1], [1, 0]])}
    scale, target_scale = ([10, 50], [3, 2]), ([50, 10], [2, 3])
    found = tg.train.forecast(
        swap, params, x, start=50, steps=5, targets=x[:, ::-1], columns=("a", "b"), target=("b", "a"),
        scale=scale, target_scale=target_scale,
    )  # fmt: skip
    np.testing.assert_allclose(found.network.free, np.tile(x[49, ::-1], (5, 1)))


def test_a_network_with_inputs_that_it_does_not_tell_cannot_go_on_on_its_own():
    x = np.stack([LASER[:400, 0], LASER[50:450, 0]], axis=1)
    params = CELL.init(2, 4, 1, rng=0)
    found = tg.train.forecast(
        CELL, params, x, start=350, steps=40, targets=x[:, :1], columns=("a", "b"), target=("a",), scale=(0, 50)
    )
    assert found.network.free is None
    assert found.network.ahead.shape == (40, 1)
    assert "the network reads 'b', which it does not tell" in found.remarks[0]


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"start": 2}, "start=2: it must be a whole number from 3 to 1100"),
        ({"start": 1101}, "start=1101"),
        ({"steps": 0}, "steps=0"),
        ({"horizon": 0}, "horizon=0"),
        ({"trained": 1001}, "trained=1001: it must be a whole number from 3 to 1000"),
        ({"season": 1000}, "season=1000"),
        # 60 rows before, no whole season is known to who tells the first row
        ({"season": 950, "horizon": 60}, "season=950: it must be a whole number from 1 to 941"),
        ({"target_scale": (0, 1)}, "is of targets, and there are none"),
        ({"target": ["a"]}, "is of targets, and there are none"),
        ({"values": np.hstack([LASER, LASER]), "columns": ("a", "a")}, "a name stands there twice"),
        ({"order": 999}, "order=999"),
        ({"values": np.where(LASER[5] == LASER, np.nan, LASER)}, "is not finite: fill gaps first"),
        ({"values": np.zeros((2, 2, 2))}, r"it must be rows of numbers"),
        ({"targets": LASER[:5]}, "values has 1100 rows, and targets 5"),
        ({"columns": ("a", "b")}, "it must be 1 names"),
        ({"scale": (0, 0)}, "the spread must be above 0"),
        ({"scale": (0, 1, 2)}, "it must be middle and spread"),
        ({"variance": -1.0}, "variance=-1.0"),
        ({"params": {**PARAMS, "b_k": np.full(1, np.inf)}}, "is not finite: were its weights"),
        ({"params": CELL.init(1, 4, 2, rng=0)}, "the network has 2 outputs, and 1 columns are to be told"),
    ],
)
def test_what_cannot_be_told_is_refused(settings, why):
    given = {"cell": CELL, "params": PARAMS, "values": LASER, "start": 1000, **settings}
    with pytest.raises(ValueError, match=why):
        tg.train.forecast(**given)


def test_a_network_without_an_error_does_not_fail():
    found = tg.train.forecast(repeat, ONE, np.full((50, 1), 5.0), start=40)
    assert found.score().rmse == 0
    assert "fails" not in repr(found)


def test_too_few_rows_are_not_a_wrong_start():
    with pytest.raises(ValueError, match="the series has 2 rows, and at least 3 must be known"):
        tg.train.forecast(repeat, ONE, LASER[:2], start=2)
