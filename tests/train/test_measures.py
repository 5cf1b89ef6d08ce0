"""Measures of a forecast: their definitions by hand, and what they are of who knows nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_rnn as tg

D, Y = [1.0, 2, 3, 6], [1.0, 1, 4, 8]  # errors 0, 1, -1, -2; mean of D 3


def test_each_is_its_definition():
    assert tg.train.rmse(D, Y) == pytest.approx(np.sqrt(6 / 4))
    assert tg.train.nmse(D, Y) == pytest.approx(6 / (4 + 1 + 0 + 9))
    assert tg.train.nmse(D, Y, variance=3.0) == pytest.approx(6 / 4 / 3)
    assert tg.train.mase(D, Y, [0, 1, 3]) == pytest.approx(1 / 1.5)
    assert tg.train.mase(D, Y, [0, 1, 3, 2, 5], season=2) == pytest.approx(1 / (6 / 3))


@given(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=20))
def test_who_repeats_the_value_before_has_an_error_of_one_on_the_training_part(values):
    x = np.array(values)
    if np.abs(np.diff(x)).max() > 1e-3:
        assert tg.train.mase(x[1:], x[:-1], x) == pytest.approx(1)


@given(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=20))
def test_who_tells_the_mean_has_an_error_of_one(values):
    x = np.array(values)
    if x.std() > 1e-3:
        assert tg.train.nmse(x, np.full(len(x), x.mean())) == pytest.approx(1)
        assert tg.train.nmse(x, x) == tg.train.rmse(x, x) == 0


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: tg.train.rmse([1.0, 2], [1.0]), "d has 2 numbers, and y 1"),
        (lambda: tg.train.rmse(np.ones((2, 2)), np.ones((2, 2))), "it must be numbers in a row"),
        (lambda: tg.train.nmse([2.0, 2], [1.0, 3]), "d is the same throughout"),
        (lambda: tg.train.nmse([0.1] * 103, [0.2] * 103), "d is the same throughout"),  # its variance is 2e-34
        (lambda: tg.train.nmse(D, Y, variance=0.0), "variance=0.0: it must be above 0"),
        (lambda: tg.train.nmse([1.0, np.nan], [1.0, 2]), r"d\[1\] is not finite"),
        (lambda: tg.train.mase(D, Y, [1.0, 1, 1]), "the same 1 rows later"),
        (lambda: tg.train.mase(D, Y, [1.0, 2], season=2), "season=2: it must be a whole number from 1 to 1"),
    ],
)
def test_what_has_no_measure_is_refused(call, why):
    with pytest.raises(ValueError, match=why):
        call()


def test_in_parts_of_next_to_nothing_an_error_is_infinite():
    assert tg.train.nmse([1.0, 2.0], [1.0, 3.0], variance=1e-320) == np.inf
