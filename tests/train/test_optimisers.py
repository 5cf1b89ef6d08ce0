"""Optimisers do what their formulas say, in place, and refuse what does not fit before anything has moved."""

import re
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_rnn as tg
from canonical import problem
from tinygrad_rnn.train import SGD, Adagrad, Adam, AdamW, Momentum, Nesterov, RMSprop

G = np.array([[0.3, -2.0], [1e-4, -7.0]])
ALL = [
    lambda: SGD(0.1),
    lambda: SGD(0.1, mu=0.8, dampening=0.3, weight_decay=0.01),
    lambda: SGD(0.1, mu=0.8, nesterov=True),
    lambda: Momentum(0.1),
    lambda: Nesterov(0.1),
    lambda: Adagrad(0.1),
    lambda: RMSprop(0.1, under_root=True),
    lambda: Adam(0.1),
    lambda: AdamW(0.1),
]


READ_ONLY = np.zeros(2)
READ_ONLY.flags.writeable = False


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
        ({"w": np.zeros(2), "u": np.zeros(2, complex)}, {"w": np.ones(2), "u": np.ones(2)}, "in place"),
        ({"w": np.zeros(2), "u": READ_ONLY}, {"w": np.ones(2), "u": np.ones(2)}, "writeable"),
        ({"w": np.zeros(2), "u": np.zeros(2)}, {"w": np.ones(2), "u": [1.0, 2.0]}, "u is of type list"),
        (
            {"w": np.zeros(2), "u": np.zeros(2)},
            {"w": np.ones(2), "u": np.ones(2, complex)},
            "u is an array of complex128",
        ),
        ({"w": np.zeros(2), "u": np.zeros(2)}, {"w": np.ones(2), "u": np.ones(2, int)}, "u is an array of int64"),
        ({"w": np.zeros(2), "u": np.zeros(2)}, {"w": np.ones(2), "u": np.array([1, "a"], object)}, "array of object"),
        ({"w": np.zeros(2), "u": np.zeros(2)}, {"w": np.ones(2), "u": np.ma.ones(2)}, "of type MaskedArray"),
        ({"w": np.zeros(2), "u": np.zeros(2)}, {"w": np.ones(2), "u": None}, "of type NoneType"),
        ({"w": np.zeros(2), "u": np.zeros(2)}, {"w": np.ones(2), "u": np.array([1, np.inf])}, "u is not finite"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_has_moved(make, params, grads, message):
    optimiser = make()
    with pytest.raises(ValueError, match=message):
        optimiser.step(params, grads)
    assert not params["w"].any()
    assert optimiser.state() == {}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: SGD(0.0),
        lambda: SGD(float("nan")),
        lambda: Momentum(0.1, 1.0),
        lambda: Adam(-1.0),
        lambda: Adam(beta_2=1.0),
        lambda: Adam(epsilon=-1e-8),
        lambda: AdamW(weight_decay=-0.1),
        lambda: SGD(0.1, weight_decay=float("inf")),
        lambda: SGD(0.1, dampening=0.5),
        lambda: SGD(0.1, mu=0.5, dampening=0.5, nesterov=True),
        lambda: SGD(0.1, mu=1.0),
        lambda: SGD("0.1"),
        lambda: SGD(True),
        lambda: Adagrad(0.0),
        lambda: RMSprop(rho=1.0),
    ],
)
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(ValueError, match=r"it must|nothing to dampen"):
        wrong()


# ---- each by its formula, written out


def path(optimiser, start, gradients):
    """Where the steps lead."""
    w, places = start.copy(), []
    for g in gradients:
        optimiser.step({"w": w}, {"w": g})
        places.append(w.copy())
    return np.array(places)


def sgd(w, gradients, eta, mu, dampening, nesterov, decay):
    b = None
    for g in gradients:
        g = g + decay * w  # noqa: PLW2901  as PyTorch's page has it
        b = g if b is None else mu * b + (1 - dampening) * g
        w = w - eta * (g + mu * b if nesterov else b)
        yield w


def adagrad(w, gradients, eta, epsilon, under_root):
    total = 0
    for g in gradients:
        total = total + g * g
        w = w - eta * g / (np.sqrt(total + epsilon) if under_root else np.sqrt(total) + epsilon)
        yield w


def rmsprop(w, gradients, eta, rho, epsilon, under_root):
    v = 0
    for g in gradients:
        v = rho * v + (1 - rho) * g * g
        w = w - eta * g / (np.sqrt(v + epsilon) if under_root else np.sqrt(v) + epsilon)
        yield w


def adam(w, gradients, eta, b1, b2, epsilon, decay, decoupled):
    m = v = 0
    for t, g in enumerate(gradients, start=1):
        if decoupled:
            w = w - eta * decay * w
        else:
            g = g + decay * w  # noqa: PLW2901
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        w = w - eta * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + epsilon)
        yield w


@pytest.mark.parametrize(
    ("optimiser", "formula"),
    [
        (SGD(0.1, weight_decay=0.3), lambda w, gs: sgd(w, gs, 0.1, 0.0, 0.0, False, 0.3)),
        (SGD(0.1, mu=0.8), lambda w, gs: sgd(w, gs, 0.1, 0.8, 0.0, False, 0.0)),
        (SGD(0.1, mu=0.8, dampening=0.4, weight_decay=0.3), lambda w, gs: sgd(w, gs, 0.1, 0.8, 0.4, False, 0.3)),
        (SGD(0.1, mu=0.8, nesterov=True, weight_decay=0.3), lambda w, gs: sgd(w, gs, 0.1, 0.8, 0.0, True, 0.3)),
        (Momentum(0.1, 0.8), lambda w, gs: sgd(w, gs, 0.1, 0.8, 0.0, False, 0.0)),
        (Nesterov(0.1, 0.8), lambda w, gs: sgd(w, gs, 0.1, 0.8, 0.0, True, 0.0)),
        (Adagrad(0.1, epsilon=0.01), lambda w, gs: adagrad(w, gs, 0.1, 0.01, False)),
        (Adagrad(0.1, epsilon=0.01, under_root=True), lambda w, gs: adagrad(w, gs, 0.1, 0.01, True)),
        (RMSprop(0.1, rho=0.7, epsilon=0.01), lambda w, gs: rmsprop(w, gs, 0.1, 0.7, 0.01, False)),
        (RMSprop(0.1, epsilon=0.01, under_root=True), lambda w, gs: rmsprop(w, gs, 0.1, 0.9, 0.01, True)),
        (Adam(0.1, 0.8, 0.95, 0.01, weight_decay=0.3), lambda w, gs: adam(w, gs, 0.1, 0.8, 0.95, 0.01, 0.3, False)),
        (AdamW(0.1, 0.8, 0.95, 0.01, weight_decay=0.3), lambda w, gs: adam(w, gs, 0.1, 0.8, 0.95, 0.01, 0.3, True)),
    ],
)
def test_the_path_is_that_of_the_formula(optimiser, formula):
    rng = np.random.default_rng(2)
    w, gradients = rng.normal(size=(3, 2)), rng.normal(size=(6, 3, 2))
    np.testing.assert_allclose(path(optimiser, w, gradients), list(formula(w, gradients)), rtol=1e-13)


def test_where_epsilon_stands_parts_the_paths_of_rare_inputs():
    g = np.array([1e-6])
    under = moved(Adagrad(0.1, epsilon=1e-8, under_root=True), g)
    outside = moved(Adagrad(0.1, epsilon=1e-8), g)
    assert under == pytest.approx(-0.001, rel=1e-3)
    assert outside == pytest.approx(-0.1 / 1.01)


# ---- all or nothing


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize(
    ("params", "grads"),
    [([np.zeros(2)], {"w": np.ones(2)}), ({"w": np.zeros(2)}, [np.ones(2)]), (None, {}), ({}, None)],
)
def test_arrays_without_names_are_refused(make, params, grads):
    with pytest.raises(TypeError, match="must be arrays by name"):
        make().step(params, grads)


class Stopped:
    """Ctrl-C at a line of `step`, the one of this number among those that are run."""

    def __init__(self, at):
        self.left = at

    def __call__(self, frame, event, _):
        if "optimisers" not in frame.f_code.co_filename:
            return None
        if event == "line" and frame.f_code.co_name == "step":
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
        return self


@pytest.mark.parametrize("make", ALL)
def test_a_step_that_is_interrupted_has_moved_all_or_nothing(make):
    rng = np.random.default_rng(5)
    start = {name: rng.normal(size=(2, 3)) for name in "UVW"}
    grads = {name: rng.normal(size=(2, 3)) for name in "UVW"}
    whole, once = {name: w.copy() for name, w in start.items()}, make()
    once.step(whole, grads)
    stopped = 0
    for at in range(1, 200):
        params, optimiser = {name: w.copy() for name, w in start.items()}, make()
        traced = sys.gettrace()
        sys.settrace(Stopped(at))
        try:
            optimiser.step(params, grads)
        except KeyboardInterrupt:
            stopped += 1
        finally:
            sys.settrace(traced)
        wanted, state = (whole, once.state()) if at > stopped else (start, {})
        for name, w in params.items():
            np.testing.assert_array_equal(w, wanted[name])
        assert optimiser.state().keys() == state.keys()
        if at > stopped:
            break
    assert stopped >= 15


@pytest.mark.parametrize("make", ALL)
def test_a_step_beyond_the_largest_number_is_refused_whole(make):
    params = {"v": np.zeros(2), "w": np.full(2, -1.7e308)}
    optimiser = make()
    if isinstance(optimiser, SGD | Momentum):
        optimiser.eta = 1e9
        grads = {"v": np.ones(2), "w": np.full(2, 1e300)}
    else:
        grads = {"v": np.ones(2), "w": np.full(2, 1e200)}  # its square is beyond
    with pytest.raises(ValueError, match=r"the step of w is not finite .*nothing was changed"):
        optimiser.step(params, grads)
    assert not params["v"].any()
    assert (params["w"] == -1.7e308).all()
    assert optimiser.state() == {}


# ---- state and restore


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("stop", [0, 1, 3])
def test_a_state_goes_on_bit_by_bit(make, stop):
    rng = np.random.default_rng(3)
    steps = [{"b": rng.normal(size=2), "a/b": rng.normal(size=(2, 3))} for _ in range(6)]
    steps[0].pop("b")  # moved one step later than the other
    whole = {"a/b": np.ones((2, 3)), "b": np.ones(2)}
    once = make()
    for grads in steps:
        once.step(whole, grads)
    params, first, second = {"a/b": np.ones((2, 3)), "b": np.ones(2)}, make(), make()
    for grads in steps[:stop]:
        first.step(params, grads)
    state = first.state()
    second.restore(state)
    assert list(second.state()) == list(state)
    for grads in steps[stop:]:
        second.step(params, grads)
    for name, w in whole.items():
        np.testing.assert_array_equal(params[name], w)
    for key, value in once.state().items():
        np.testing.assert_array_equal(second.state()[key], value)
        assert second.state()[key].dtype == value.dtype
    assert list(once.state()) == list(second.state())
    for value in first.state().values():
        value[...] = 9  # copies: nothing is reached by them
    assert all((first.state()[key] == value).all() for key, value in state.items())


def test_a_state_has_names_that_can_be_kept():
    adam = Adam()
    adam.step({"U": np.zeros((2, 2)), "b": np.zeros(2)}, {"U": np.ones((2, 2)), "b": np.ones(2)})
    assert list(adam.state()) == ["t/U", "m/U", "v/U", "t/b", "m/b", "v/b"]
    assert SGD(0.1).state() == {}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda s: s | {"velocity/U": s["m/U"]}, "'velocity/U', and Adam remembers t/..., m/..., v/..."),
        (lambda s: s | {"U": s["m/U"]}, "'U'"),
        (lambda s: {key: s[key] for key in s if key != "v/U"}, "no 'v/U'"),
        (lambda s: s | {"m/U": np.zeros((3, 2))}, "not of one shape"),
        (lambda s: s | {"m/U": [[0.0]]}, "of type list"),
        (lambda s: s | {"m/U": s["m/U"].astype(int)}, "finite floats"),
        (lambda s: s | {"m/U": np.full((2, 2), np.nan)}, "finite floats"),
        (lambda s: s | {"v/U": -s["v/U"]}, "below 0"),
        (lambda s: s | {"t/U": np.array(0)}, "number of steps"),
        (lambda s: s | {"t/U": np.array(1.0)}, "number of steps"),
        (lambda s: s | {"t/U": np.array([1])}, "number of steps"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_the_old_one_stays(change, why):
    adam = Adam()
    adam.step({"U": np.zeros((2, 2))}, {"U": np.ones((2, 2))})
    state = adam.state()
    with pytest.raises(ValueError, match=re.escape(why)):
        adam.restore(change(state))
    assert all((adam.state()[key] == value).all() for key, value in state.items())
    with pytest.raises(TypeError, match="by name"):
        adam.restore([1])
    with pytest.raises(ValueError, match="SGD remembers nothing"):
        SGD(0.1).restore(state)


def test_a_state_of_other_shapes_is_noticed_at_the_step():
    one, two = Momentum(0.1), Momentum(0.1)
    one.step({"U": np.zeros((2, 2))}, {"U": np.ones((2, 2))})
    two.restore(one.state())
    with pytest.raises(ValueError, match=r"remembered of U is \(2, 2\) and the parameter is \(2,\)"):
        two.step({"U": np.zeros(2)}, {"U": np.ones(2)})


def test_float32_stays_float32():
    for make in ALL:
        params = {"w": np.ones(3, np.float32)}
        optimiser = make()
        for _ in range(2):
            optimiser.step(params, {"w": np.ones(3, np.float32)})
        assert {value.dtype for key, value in optimiser.state().items() if key != "t/w"} <= {np.dtype(np.float32)}


def test_arguments_in_the_wrong_order_and_no_gradients_are_refused():
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    net.replay()
    net.backward()
    before = {name: g.copy() for name, g in net.grads.items()}
    with pytest.raises(TypeError, match=r"params is read-only, as net\.grads is: step takes the parameters first"):
        tg.train.SGD(0.1).step(net.grads, p.params)
    with pytest.raises(ValueError, match="grads is empty"):
        tg.train.SGD(0.1).step(p.params, {})
    for name, g in before.items():
        np.testing.assert_array_equal(net.grads[name], g)
