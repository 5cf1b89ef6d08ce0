"""Optimisers do what their formulas say, in place, and refuse what does not fit before anything has moved."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_rnn as tg
from canonical import problem
from tinygrad_rnn.train import SGD, Adam, Momentum

G = np.array([[0.3, -2.0], [1e-4, -7.0]])
ALL = [lambda: SGD(0.1), lambda: Momentum(0.1), lambda: Momentum(0.1, nesterov=True), lambda: Adam(0.1)]


def moved(optimiser, *gradients):
    """What the steps have added to a parameter that was zero."""
    w = np.zeros_like(gradients[0])
    for g in gradients:
        optimiser.step({"w": w}, {"w": g})
    return w


def test_sgd_is_equation_6():
    np.testing.assert_array_equal(moved(SGD(0.5), G), tg.guo.descent(G, 0.5))
    np.testing.assert_allclose(moved(SGD(0.5), G, G), -1.0 * G)


def test_momentum_adds_up_steps_in_one_direction():
    eta, mu, steps = 0.1, 0.8, 30
    velocity = [-eta * (1 - mu**k) / (1 - mu) for k in range(1, steps + 1)]  # after k equal gradients of 1
    np.testing.assert_allclose(moved(Momentum(eta, mu), *[np.ones(1)] * steps), [sum(velocity)])
    ahead = [mu * v - eta for v in velocity]
    np.testing.assert_allclose(moved(Momentum(eta, mu, nesterov=True), *[np.ones(1)] * steps), [sum(ahead)])
    np.testing.assert_array_equal(moved(Momentum(eta, 0.0), G, 2 * G), moved(SGD(eta), G, 2 * G))


def test_nesterov_is_the_gradient_taken_ahead():
    """In theirs, the gradient of the parameters theta is taken at theta + mu v; ours are those ahead."""
    eta, mu = 0.1, 0.7
    ours, theta, v = np.array([1.0]), np.array([1.0]), np.zeros(1)
    optimiser = Momentum(eta, mu, nesterov=True)
    for _ in range(5):
        optimiser.step({"w": ours}, {"w": 3 * ours})
        v = mu * v - eta * 3 * (theta + mu * v)
        theta = theta + v
        np.testing.assert_allclose(ours, theta + mu * v)


def test_adams_first_step_is_eta_in_every_entry():
    np.testing.assert_allclose(moved(Adam(0.01, epsilon=0.0), G), -0.01 * np.sign(G))


@given(st.floats(1e-6, 1e6), st.integers(1, 6), st.integers(0, 99))
def test_adam_does_not_feel_the_size_of_the_gradient(c, steps, seed):
    gradients = list(np.random.default_rng(seed).normal(size=(steps, 3)))
    scaled = moved(Adam(0.01, epsilon=0.0), *(c * g for g in gradients))
    np.testing.assert_allclose(scaled, moved(Adam(0.01, epsilon=0.0), *gradients), rtol=1e-9)


def test_adams_means_of_a_constant_gradient_are_exact_from_the_first_step():
    for steps in (1, 2, 7, 50):
        np.testing.assert_allclose(moved(Adam(0.01, epsilon=0.0), *[G] * steps), -0.01 * steps * np.sign(G))


def test_adam_by_its_formula():
    gradients = np.random.default_rng(1).normal(size=(4, 3))
    eta, b1, b2, eps = 0.05, 0.8, 0.95, 1e-3
    w = m = v = np.zeros(3)
    for t, g in enumerate(gradients, start=1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        w = w - eta * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
    np.testing.assert_allclose(moved(Adam(eta, b1, b2, eps), *gradients), w)


@pytest.mark.parametrize("make", ALL)
def test_it_changes_the_arrays_of_a_network_in_place_and_the_cost_falls(make):
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    arrays, before, optimiser = dict(p.params), net.loss, make()
    for _ in range(5):
        net.backward()
        optimiser.step(p.params, net.grads)
        net.replay()
    assert all(p.params[name] is array for name, array in arrays.items())
    assert net.loss < before


@pytest.mark.parametrize("make", ALL)
def test_each_parameter_has_a_past_of_its_own(make):
    one, two = make(), make()
    params = {"a": np.zeros(2), "b": np.zeros(2)}
    one.step(params, {"a": np.ones(2), "b": -np.ones(2)})
    one.step(params, {"b": np.full(2, 3.0)})
    np.testing.assert_array_equal(params["b"], moved(two, -np.ones(2), np.full(2, 3.0)))
    np.testing.assert_array_equal(params["a"], moved(make(), np.ones(2)))


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize(
    ("params", "grads", "message"),
    [
        ({"w": np.zeros(2)}, {"w": np.ones(2), "u": np.ones(2)}, "no such parameter"),
        ({"w": np.zeros(2), "u": np.zeros(2)}, {"w": np.ones(2), "u": np.ones(3)}, r"u is \(3,\).* is \(2,\)"),
        ({"w": np.zeros(2), "u": np.zeros(2)}, {"w": np.ones(2), "u": np.array([1, np.nan])}, "u is not finite"),
        ({"w": np.zeros(2), "u": np.zeros(2, int)}, {"w": np.ones(2), "u": np.ones(2)}, "in place"),
        ({"w": np.zeros(2), "u": 1.0}, {"w": np.ones(2), "u": np.ones(())}, "in place"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_has_moved(make, params, grads, message):
    with pytest.raises(ValueError, match=message):
        make().step(params, grads)
    assert not params["w"].any()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: SGD(0.0),
        lambda: SGD(float("nan")),
        lambda: Momentum(0.1, 1.0),
        lambda: Adam(-1.0),
        lambda: Adam(beta_2=1.0),
    ],
)
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(ValueError, match="it must be"):
        wrong()
