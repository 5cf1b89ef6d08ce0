"""A stream is read step by step, and what is wrong with it is said at the step where it shows."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from canonical import problem
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


def test_a_source_may_write_into_one_array_again_and_again():
    p = problem()

    def reused(steps):
        buffer = np.empty_like(steps[0])
        for step in steps:
            buffer[...] = step
            yield buffer

    methods = {
        "truncated": lambda x, d: tg.truncated(p.cell, p.params, x, d, k1=2, k2=3, s0=p.s0),
        "recomputed": lambda x, d: tg.truncated(p.cell, p.params, x, d, k1=2, k2=3, s0=p.s0, states="recomputed"),
        "epochwise": lambda x, d: tg.epochwise(p.cell, p.params, x, d, h=3, s0=p.s0),
        "naive_splitting": lambda x, d: tg.naive_splitting(p.cell, p.params, x, d, k=3, s0=p.s0),
        "wikipedia": lambda x, d: tg.wikipedia(p.cell, p.params, x, d, k=3, s0=p.s0),
        "artbp": lambda x, d: tg.artbp(p.cell, p.params, x, d, c=0.3, rng=0, s0=p.s0),
        "rtrl": lambda x, d: tg.rtrl(p.cell, p.params, x, d, s0=p.s0),
        "eprop": lambda x, d: tg.eprop(p.cell, p.params, x, d, s0=p.s0),
        "uoro": lambda x, d: tg.uoro(p.cell, p.params, x, d, s0=p.s0, rng=0),
        "fixed_memory": lambda x, d: tg.fixed_memory(p.cell, p.params, x, d, taps=3, mu=0.5, s0=p.s0),
    }
    for name, method in methods.items():
        for expected, found in zip(method(p.x, p.d), method(reused(p.x), reused(p.d)), strict=True):
            for weight, g in expected.grads.items():
                np.testing.assert_array_equal(found.grads[weight], g, err_msg=f"{name}, {weight}")


@pytest.mark.parametrize(
    "method",
    [
        lambda *given: tg.truncated(*given, k1=2, k2=3),
        lambda *given: tg.artbp(*given, c=0.3, rng=0),
        tg.eprop,
        lambda *given: tg.fixed_memory(*given, taps=3, mu=0.5),
    ],
)
def test_who_writes_to_the_state_of_a_window_does_not_disturb_the_next_one(method):
    p = problem()
    expected = list(method(p.cell, p.params, p.x, p.d))
    assert len(expected) > 1
    for window, found in zip(expected, method(p.cell, p.params, p.x, p.d), strict=True):
        np.testing.assert_array_equal(found.grads["U"], window.grads["U"])
        found.state[...] = 99


def test_no_sample_and_no_stream():
    for x, d in [(np.zeros((3, 0, 2)), np.zeros((3, 0, 1))), (np.zeros((3, 1, 0)), np.zeros((3, 1, 1)))]:
        with pytest.raises(
            tg.ShapeError, match=r"at t=1 of the stream .*: there must be at least one sample and one unit"
        ):
            list(stream(x, d))
    with pytest.raises(TypeError, match="d=None: a stream is an array"):
        list(stream(np.zeros((3, 1, 1)), None))
