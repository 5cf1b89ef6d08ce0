"""Three roads to every copy's gradient: the tape, Guo's derivation by hand, and differences of untied copies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import canonical
import tinygrad_rnn as tg
from canonical import KINDS, cost_of_untied, problem
from tinygrad_rnn import guo


def differences(p, reduction="sum", only=None, step=3e-4):
    """dC / d copy of every entry of every copy, by central differences of the fourth order.

    The second order would need a step so small that the rounding of C drowns the eighth digit.
    """
    copies = [{name: w.copy() for name, w in p.params.items()} for _ in p.x]
    found = {name: np.zeros((len(p.x), *w.shape)) for name, w in p.params.items()}
    for name, gradient in found.items():
        for t, *index in np.ndindex(*gradient.shape):
            entry, at = copies[t][name], tuple(index)
            middle = entry[at]
            for moved, weight in ((2, -1), (1, 8), (-1, -8), (-2, 1)):
                entry[at] = middle + moved * step
                gradient[(t, *index)] += weight * cost_of_untied(p, copies, reduction, only) / (12 * step)
            entry[at] = middle
    return found


def unfolded(p, reduction="sum"):
    net = tg.unfold(p.cell, p.params, p.x, p.d, loss=p.loss, reduction=reduction, s0=p.s0)
    net.backward()
    return net


def relative(a, b):
    return np.abs(a - b).max() / max(1.0, np.abs(b).max())


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_every_copy_agrees_on_all_three_roads(kind, reduction):
    p = problem(*kind)
    net = unfolded(p, reduction)
    by_hand = guo.gradients(p.params, p.x, p.d, p.s0, f=p.cell.f, g=p.cell.g, loss=p.loss, reduction=reduction)
    measured = differences(p, reduction)
    for name in p.params:
        assert net.copies[name].shape == (canonical.T, *p.params[name].shape)
        assert relative(net.copies[name], by_hand.copies[name]) < 1e-12, name
        assert relative(net.grads[name], by_hand.grads[name]) < 1e-12, name
        assert relative(net.copies[name], measured[name]) < 1e-8, name
        assert relative(net.grads[name], measured[name].sum(axis=0)) < 1e-8, name
        assert relative(net.copies[name].sum(axis=0), net.grads[name]) < 1e-14, name


@pytest.mark.parametrize("t", range(1, canonical.T + 1))
def test_one_cost_alone_is_guos_27_and_28(t):
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    net.backward(of=t)
    by_hand = guo.gradients_of_one_cost(p.params, p.x, p.d, p.s0, t, t - 1, f="tanh", g="softmax", loss=p.loss)
    measured = differences(p, only=t)
    for name in p.params:
        assert relative(net.grads[name], by_hand.grads[name]) < 1e-12
        assert relative(net.copies[name], measured[name]) < 1e-8
        assert not net.copies[name][t:].any()  # what comes after t cannot move C(t)


def test_delta_has_guos_sign():
    p = problem()
    net = unfolded(p)
    by_hand = guo.gradients(p.params, p.x, p.d, p.s0, f="tanh", g="softmax", loss=p.loss, reduction="sum")
    for t, y in enumerate(net.outputs):
        net_k, net_j = y.parents[0], net.states[t + 1].parents[0]
        np.testing.assert_allclose(tg.delta(net_k), p.d[t] - y.value, atol=1e-14)
        np.testing.assert_allclose(tg.delta(net_k), by_hand.deltas_k[t], atol=1e-13)
        np.testing.assert_allclose(tg.delta(net_j), by_hand.deltas_j[t], atol=1e-12)


def test_the_initial_state_gets_its_error():
    p = problem()
    by_hand = guo.gradients(p.params, p.x, p.d, p.s0, f="tanh", g="softmax", loss=p.loss, reduction="sum")
    np.testing.assert_allclose(unfolded(p).states[0].cotangent, by_hand.s0, atol=1e-13)


def test_float32_stays_float32():
    p = problem()
    params = {name: w.astype("float32") for name, w in p.params.items()}
    net = tg.unfold(p.cell, params, p.x.astype("float32"), p.d.astype("float32"), s0=p.s0.astype("float32"))
    net.backward()
    exact = unfolded(p)
    assert {node.value.dtype.name for node in net.tape} == {"float32"}
    for name in params:
        assert net.grads[name].dtype == np.float32
        assert relative(net.grads[name], exact.grads[name]) < 1e-5


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.tuples(st.integers(1, 6), st.integers(1, 3), st.integers(1, 4), st.integers(1, 5), st.integers(2, 4)),
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 2**31),
)
def test_tape_and_hand_agree_at_any_size(sizes, kind, seed):
    p = problem(*kind, sizes=sizes, seed=seed)
    net = unfolded(p)
    by_hand = guo.gradients(p.params, p.x, p.d, p.s0, f=p.cell.f, g=p.cell.g, loss=p.loss, reduction="sum")
    for name in p.params:
        assert relative(net.copies[name], by_hand.copies[name]) < 1e-11


@pytest.mark.slow
def test_100000_time_steps():
    p = problem(sizes=(100_000, 1, 1, 2, 2))
    net = unfolded(p)
    assert np.isfinite(net.grads["U"]).all()
    assert net.copies["b_j"].shape == (100_000, 2)
