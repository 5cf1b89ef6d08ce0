"""Methods that follow each sample by itself, where samples have to do with each other or parts differ in width."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from cell_cases import C, Case, relative

o = tg.ops
ALONE = {"eprop": tg.eprop, "focused": tg.focused}
each_method = pytest.mark.parametrize("method", ALONE)


def over_samples(a):
    return a - a.mean(axis=0, keepdims=True)


def of_input(P, x, s):
    s = o.tanh(over_samples(o.linear(x, P["V"])) + P["u_j"] * s)
    return s, o.softmax(o.linear(s, P["W"]))


def of_state(P, x, s):
    s = o.tanh(o.linear(x, P["V"]) + over_samples(P["u_j"] * s))
    return s, o.softmax(o.linear(s, P["W"]))


def of_head(P, x, s):
    s = o.tanh(o.linear(x, P["V"]) + P["u_j"] * s)
    return s, o.softmax(over_samples(o.linear(s, P["W"])))


def first_sample(P, x, s):
    s = o.tanh(o.linear(x, P["V"]) + P["u_j"] * s[:1])
    return s, o.softmax(o.linear(s, P["W"]))


def alone(P, x, s):
    s = o.tanh(o.linear(x, P["V"]) + P["u_j"] * s)
    return s, o.softmax(o.linear(s, P["W"]))


@pytest.fixture
def given():
    case = Case(C.Mozer())
    return {n: case.params[n] for n in ("V", "u_j", "W")}, case.x, case.d, case.s0


def summed(method, cell, params, x, d, s0, **options):
    found = list(ALONE[method](cell, params, x, d, s0=s0, **options))
    return {name: sum(w.grads[name] for w in found) for name in params}, sum(w.loss for w in found)


@each_method
@pytest.mark.parametrize("cell", [of_input, of_state, of_head, first_sample])
def test_samples_that_have_to_do_with_each_other_are_refused(given, method, cell):
    params, x, d, s0 = given
    with pytest.raises(ValueError, match=r"have to do with each other.* Use rtrl"):
        summed(method, cell, params, x, d, s0)
    one = params, x[:, :1], d[:, :1], s0[:1]
    net = tg.unfold(cell, *one[:3], s0=one[3])
    net.backward()
    grads, cost = summed(method, cell, *one)
    assert cost == pytest.approx(net.loss, rel=1e-12)
    for name in params:
        assert relative(grads[name], net.grads[name]) < 1e-12, name


@each_method
def test_a_loss_that_is_no_sum_over_samples_is_refused(given, method):
    params, x, d, s0 = given
    with pytest.raises(ValueError, match=r"two samples cost .* one by one: .* must sum over the samples"):
        summed(method, alone, params, x, d, s0, loss=lambda y, d: o.mean((y - d) ** 2))
    loss = lambda y, d: o.sum((y - d) ** 2)  # noqa: E731  a loss in one line
    net = tg.unfold(alone, params, x, d, s0=s0, loss=loss)
    net.backward()
    grads, cost = summed(method, alone, params, x, d, s0, loss=loss)
    assert cost == pytest.approx(net.loss, rel=1e-12)
    for name in params:
        assert relative(grads[name], net.grads[name]) < 1e-12, name


def test_a_jacobian_of_a_sample_that_depends_on_others_is_refused(given):
    params, x, d, s0 = given
    for cell in (of_state, first_sample):
        with pytest.raises(ValueError, match=r"at t=1 a sample's state depends on other samples"):
            tg.pathology.jacobians(tg.unfold(cell, params, x, d, s0=s0))
    assert tg.pathology.jacobians(tg.unfold(of_input, params, x, d, s0=s0)).shape == (5, 3, 4, 4)


@pytest.mark.parametrize("n_out", [2, 3, 4, 5, 8])
def test_e_prop_hands_nothing_from_outputs_that_are_read_to_units(n_out):
    """The output is read at the next step, as in free running: it is no unit's own past, however wide it is."""
    rng = np.random.default_rng(1)
    m = 4
    params = {"U": np.diag(rng.normal(size=m)), "V": rng.normal(size=(m, n_out)), "W": rng.normal(size=(n_out, m))}
    d = rng.normal(size=(5, 3, n_out))
    s0 = rng.normal(size=(3, m)), rng.normal(size=(3, n_out))

    def running(P, x, state, read=lambda y: y):
        s, y = state
        s = o.tanh(o.linear(read(y) + x, P["V"], s, P["U"]))
        y = o.linear(s, P["W"], name="y")
        return (s, y), y

    def detached(P, x, state):
        return running(P, x, state, o.detach)

    net = tg.unfold(detached, params, d, d, s0=s0, loss="squared_error")
    net.backward()
    if n_out == m:  # a matrix as wide as high is read as the units' own: only its diagonal is handed on
        params["V"] *= 1 - np.eye(m)
        net.replay()
        net.backward()
    grads, _ = summed("eprop", running, params, d, d, s0, loss="squared_error")
    for name in params:
        assert relative(grads[name], net.grads[name]) < 1e-12, name
