"""Clipped gradients: how long, in which direction, and untouched where there is nothing to clip."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from canonical import problem


def gradients(seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    return {"U": scale * rng.normal(size=(4, 3)), "b": scale * rng.normal(size=4)}


def vector(grads):
    return np.concatenate([g.ravel() for g in grads.values()])


@given(st.integers(0, 100), st.floats(-200, 200), st.floats(-3, 3))
def test_the_norm_is_the_threshold_and_the_direction_stays(seed, exponent, below):
    grads = gradients(seed, 10.0**exponent)
    whole = vector(grads) / 10.0**exponent
    length = np.sqrt(whole @ whole)
    threshold = length * 10.0 ** (exponent + below)
    clipped = tg.clip_by_norm(grads, threshold)
    if below >= 0.001:
        assert all(clipped[name] is g for name, g in grads.items())
    elif below <= -0.001:
        got = vector(clipped) / threshold
        assert np.sqrt(got @ got) == pytest.approx(1)
        np.testing.assert_allclose(got, whole / length, rtol=1e-12)


@given(st.integers(0, 100), st.floats(0.1, 3))
def test_no_entry_is_beyond_the_bound_and_the_others_stay(seed, bound):
    grads = gradients(seed)
    clipped = tg.clip_by_value(grads, bound)
    before, after = vector(grads), vector(clipped)
    assert np.abs(after).max() <= bound
    np.testing.assert_array_equal(after, np.where(np.abs(before) > bound, np.sign(before) * bound, before))


def test_a_value_clip_may_turn_a_gradient_and_a_norm_clip_does_not():
    grads = {"w": np.array([3.0, 1.0])}
    np.testing.assert_array_equal(tg.clip_by_value(grads, 1.0)["w"], [1, 1])
    turned = tg.clip_by_norm(grads, 1.0)["w"]
    assert turned[0] / turned[1] == pytest.approx(3)


def test_the_gradients_of_a_network_and_their_dtype():
    p = problem()
    params = {name: w.astype(np.float32) for name, w in p.params.items()}
    net = tg.unfold(p.cell, params, p.x.astype(np.float32), p.d.astype(np.float32), s0=p.s0.astype(np.float32))
    net.backward()
    clipped = tg.clip_by_norm(net.grads, 0.5)
    assert list(clipped) == list(params)
    assert np.linalg.norm(vector(clipped)) == pytest.approx(0.5, rel=1e-6)
    assert {g.dtype for g in clipped.values()} == {g.dtype for g in tg.clip_by_value(net.grads, 0.1).values()}
    assert clipped["U"].dtype == np.float32


def test_nothing_and_zeros_are_left_alone():
    assert tg.clip_by_norm({}, 1.0) == {}
    zeros = {"w": np.zeros(3)}
    assert tg.clip_by_norm(zeros, 1.0)["w"] is zeros["w"]


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan])
def test_a_bound_that_is_none(bad):
    with pytest.raises(ValueError, match="must be above 0"):
        tg.clip_by_norm(gradients(), bad)
    with pytest.raises(ValueError, match="must be above 0"):
        tg.clip_by_value(gradients(), bad)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_gradients_that_are_not_finite_have_no_norm(bad):
    with pytest.raises(ValueError, match="gradient of b is not finite"):
        tg.clip_by_norm({"a": np.ones(2), "b": np.array([1.0, bad])}, 1.0)


@settings(deadline=None)
@given(st.integers(0, 100), st.sampled_from([1, 1.5, 2, 3, 7, np.inf]), st.floats(-200, 200), st.floats(0.01, 0.9))
def test_any_norm_is_the_threshold_and_the_direction_stays(seed, norm, exponent, below):
    grads = gradients(seed, 10.0**exponent)
    whole = vector(grads) / 10.0**exponent
    length = np.linalg.norm(whole, norm)
    clipped = vector(tg.clip_by_norm(grads, below * length * 10.0**exponent, norm=norm)) / 10.0**exponent
    np.testing.assert_allclose(clipped, below * whole, rtol=1e-10)
    kept = tg.clip_by_norm(grads, 1.01 * length * 10.0**exponent, norm=norm)
    assert all(kept[name] is g for name, g in grads.items())


@pytest.mark.parametrize("norm", [0.5, 0, -1, np.nan, "2", None, True])
def test_a_norm_that_is_none(norm):
    with pytest.raises(ValueError, match="must be a number from 1 up"):
        tg.clip_by_norm(gradients(), 1.0, norm=norm)


@pytest.mark.parametrize("clip", [tg.clip_by_norm, tg.clip_by_value])
@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (np.array([3, 4]), "a is an array of int64"),
        (np.array([3, 4j]), "a is an array of complex128"),
        (np.array([True]), "a is an array of bool"),
        ([3.0, 4.0], "a is of type list"),
        (np.array([3.0, np.nan]), "a is not finite"),
        (np.array([3.0, -np.inf]), "a is not finite"),
    ],
)
def test_what_is_no_array_of_finite_floats_is_refused(clip, bad, why):
    with pytest.raises(ValueError, match=why):
        clip({"a": bad}, 1.0)
    with pytest.raises(TypeError, match="arrays by name"):
        clip([bad], 1.0)


def test_a_bound_that_is_no_number():
    for bad in ("1", None, True):
        with pytest.raises(ValueError, match="must be above 0"):
            tg.clip_by_norm(gradients(), bad)
