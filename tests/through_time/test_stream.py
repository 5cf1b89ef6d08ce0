"""A stream is read step by step, and what is wrong with it is said at the step where it shows."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.through_time import stream


def test_arrays_and_iterables_are_read_alike():
    x, d = np.arange(24.0).reshape(4, 2, 3), np.arange(8.0).reshape(4, 2, 1)
    for given in ((x, d), (iter(x), iter(d)), (list(x), d)):
        steps = list(stream(*given))
        assert [t for t, _, _ in steps] == [1, 2, 3, 4]
        np.testing.assert_array_equal([x_t for _, x_t, _ in steps], x)
        np.testing.assert_array_equal([d_t for _, _, d_t in steps], d)


def test_nothing_is_read_before_it_is_needed():
    read = []

    def forever():
        while True:
            read.append(1)
            yield np.zeros((1, 1))

    for t, _, _ in stream(forever(), forever()):
        if t == 3:
            break
    assert len(read) == 6


def test_an_empty_stream():
    with pytest.raises(ValueError, match="the stream is empty"):
        list(stream([], []))


@pytest.mark.parametrize(("n_x", "n_d", "said"), [(2, 3, "x has ended after t=2"), (3, 2, "d has ended after t=2")])
def test_one_ends_first(n_x, n_d, said):
    with pytest.raises(ValueError, match=said):
        list(stream(np.zeros((n_x, 1, 2)), np.zeros((n_d, 1, 2))))


@pytest.mark.parametrize(
    ("x", "d"),
    [
        ([np.zeros((2, 3)), np.zeros((2, 4))], np.zeros((2, 2, 1))),
        (np.zeros((2, 3)), np.zeros((2, 2, 1))),
        (np.zeros((2, 2, 3)), np.zeros((2, 1, 1))),
    ],
)
def test_steps_that_do_not_fit(x, d):
    with pytest.raises(tg.ShapeError, match="of the stream x is"):
        list(stream(x, d))
