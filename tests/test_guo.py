"""The hand derivation held against finite differences, against itself, and against its own misprints.

The road to the truth is `play`: a forward pass written here, with separate weights for every copy and a bump
on every net input. Its central differences give the gradient of each copy and every delta, and share no line
with the derivation.
"""

import ast
import dataclasses
import itertools
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_rnn import guo

# With --junitxml pytest warns that newer schemas lack properties; the measured errors are recorded anyway.
pytestmark = pytest.mark.filterwarnings("ignore:record_property is incompatible:pytest.PytestWarning")

NAMES = ("V", "U", "W", "b_j", "b_k")
COSTS = [
    ("squared_error", "sigmoid"),
    ("squared_error", "softmax"),
    ("cross_entropy", "sigmoid"),
    ("cross_entropy", "softmax"),
    ("squared_error", "identity"),
]
every_network = pytest.mark.parametrize(
    ("f", "loss", "g"), [(f, *cost) for f, cost in itertools.product(("sigmoid", "tanh"), COSTS)]
)


class Case(NamedTuple):
    params: dict
    x: np.ndarray
    d: np.ndarray
    s0: np.ndarray


def case(*, T=5, n=2, l=2, m=4, o=3, seed=1, sums=1.0):
    """Weights of order one, U not symmetric, s(0) not zero, desired values at every t with sum_k d = sums."""
    rng = np.random.default_rng(seed)
    shapes = {"V": (m, l), "U": (m, m), "W": (o, m), "b_j": (m,), "b_k": (o,)}
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    d = rng.uniform(0.1, 1.0, size=(T, n, o))
    d *= sums / d.sum(axis=-1, keepdims=True)
    return Case(params, rng.normal(size=(T, n, l)), d, rng.normal(size=(n, m)))


# ------------------------------------------------------------------------------- the independent road

SQUASH = {
    "sigmoid": lambda net: 1 / (1 + np.exp(-net)),
    "tanh": np.tanh,
    "identity": lambda net: 1.0 * net,
    "softmax": lambda net: np.exp(net) / np.exp(net).sum(axis=-1, keepdims=True),
}
COST = {
    ("squared_error", "sigmoid"): lambda y, d: 0.5 * np.sum((d - y) ** 2),
    ("squared_error", "softmax"): lambda y, d: 0.5 * np.sum((d - y) ** 2),
    ("squared_error", "identity"): lambda y, d: 0.5 * np.sum((d - y) ** 2),
    ("cross_entropy", "sigmoid"): lambda y, d: -np.sum(d * np.log(y) + (1 - d) * np.log(1 - y)),
    ("cross_entropy", "softmax"): lambda y, d: -np.sum(d * np.log(y)),
    ("two_term", "softmax"): lambda y, d: -np.sum(d * np.log(y) + (1 - d) * np.log(1 - y)),
}


def untied(c):
    """One set of weights per copy, and a bump of zero on every net input, as one dict of arrays."""
    T, n, o = c.d.shape
    copies = {name: np.repeat(value[None], T, axis=0) for name, value in c.params.items()}
    m = c.s0.shape[1]
    return {**copies, "s0": c.s0.copy(), "bump_j": np.zeros((T, n, m)), "bump_k": np.zeros((T, n, o))}


def play(c, w, f, loss, g):
    """Play the untied network: [C(1), ..., C(T)]."""
    s, costs = w["s0"], []
    for t in range(len(c.x)):
        net_j = np.einsum("pi,ji->pj", c.x[t], w["V"][t]) + np.einsum("ph,jh->pj", s, w["U"][t]) + w["b_j"][t]
        s = SQUASH[f](net_j + w["bump_j"][t])
        net_k = np.einsum("pj,kj->pk", s, w["W"][t]) + w["b_k"][t]
        y = SQUASH[g](net_k + w["bump_k"][t])
        costs.append(COST[loss, g](y, c.d[t]))
    return np.array(costs)


def differences(c, f, loss, g, h=1e-3):
    """Central differences: for each name an array (T,) + the shape of the untied value; [t-1] is about C(t).

    Two widths, so that the error is of order h^4: a wide h then leaves rounding at 1e-12 of the cost, and the
    small gradients of old copies are still known to eight digits.
    """
    w = untied(c)
    found = {}
    for name, value in w.items():
        slopes = np.zeros((len(c.x), *value.shape))
        for index in np.ndindex(value.shape):
            old, at = value[index], {}
            for width in (-2, -1, 1, 2):
                value[index] = old + width * h
                at[width] = play(c, w, f, loss, g)
            value[index] = old
            slopes[(slice(None), *index)] = (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12 * h)
        found[name] = slopes
    return found


def relative(got, true):
    assert got.shape == true.shape
    return float(np.linalg.norm(got - true) / np.linalg.norm(true))


# ------------------------------------------------------------------- (a) copies and sums, all networks


def test_the_canonical_case_hides_nothing():
    c = case()
    sizes = {*c.x.shape[2:], *c.s0.shape[1:], *c.d.shape[2:]}
    assert len(c.x) >= 4
    assert c.s0.shape == (2, 4)
    assert len(sizes) == 3
    assert relative(c.params["U"].T, c.params["U"]) > 0.5
    assert np.abs(c.s0).min() > 0.01


@every_network
def test_forward_pass_and_costs_are_those_of_the_untied_network_tied(f, loss, g):
    c = case()
    played = guo.forward(c.params, c.x, c.s0, f=f, g=g)
    assert played.net_j.shape == (5, 2, 4)
    assert played.s.shape == (6, 2, 4)
    assert played.net_k.shape == played.y.shape == (5, 2, 3)
    np.testing.assert_array_equal(played.s[0], c.s0)
    np.testing.assert_allclose(played.s[1:], SQUASH[f](played.net_j), rtol=1e-14)
    np.testing.assert_allclose(guo.cost(played.y, c.d, loss, g), play(c, untied(c), f, loss, g), rtol=1e-13)


@every_network
def test_every_copy_every_sum_and_every_delta_is_the_finite_difference(f, loss, g):
    c = case()
    got = guo.gradients(c.params, c.x, c.d, c.s0, f=f, g=g, loss=loss, reduction="sum")
    true = {name: slopes.sum(axis=0) for name, slopes in differences(c, f, loss, g).items()}
    for name in NAMES:
        for t in range(1, 6):
            assert relative(got.copies[name][t - 1], true[name][t - 1]) < 1e-8, (name, t)
        assert relative(got.grads[name], true[name].sum(axis=0)) < 1e-8, name
    assert relative(got.s0, true["s0"]) < 1e-8
    # delta is MINUS dC/dnet (Guo 2.1); gradients are plus.
    assert relative(got.deltas_j, -true["bump_j"]) < 1e-8
    assert relative(got.deltas_k, -true["bump_k"]) < 1e-8
    assert got.cost == pytest.approx(play(c, untied(c), f, loss, g).sum(), rel=1e-13)


@every_network
def test_the_mean_over_time_is_the_sum_over_T_and_not_over_the_copies(f, loss, g):
    c = case()
    total = guo.gradients(c.params, c.x, c.d, c.s0, f=f, g=g, loss=loss, reduction="sum")
    mean = guo.gradients(c.params, c.x, c.d, c.s0, f=f, g=g, loss=loss, reduction="mean")
    assert mean.cost == pytest.approx(total.cost / 5, rel=1e-14)
    for name in NAMES:
        assert relative(5 * mean.copies[name], total.copies[name]) < 1e-14
        assert relative(5 * mean.grads[name], total.grads[name]) < 1e-14
        assert relative(mean.copies[name].sum(axis=0), mean.grads[name]) < 1e-14
    assert relative(5 * mean.s0, total.s0) < 1e-14
    assert relative(5 * mean.deltas_j, total.deltas_j) < 1e-14
    assert relative(5 * mean.deltas_k, total.deltas_k) < 1e-14


# -------------------------------------------------------------------- (b) one output time, (26)-(28)


@every_network
def test_one_output_time_is_the_finite_difference_of_its_own_cost(f, loss, g):
    c = case()
    true = differences(c, f, loss, g)
    for t in range(1, 6):
        got = guo.gradients_of_one_cost(c.params, c.x, c.d, c.s0, t, t - 1, f=f, g=g, loss=loss)
        for name in NAMES:
            assert relative(got.copies[name], true[name][t - 1]) < 1e-8, (name, t)
        assert relative(got.s0, true["s0"][t - 1]) < 1e-8
        assert relative(got.deltas_j, -true["bump_j"][t - 1]) < 1e-8


@every_network
def test_equations_27_and_28_added_over_all_t_are_the_sweep(f, loss, g):
    c = case()
    sweep = guo.gradients(c.params, c.x, c.d, c.s0, f=f, g=g, loss=loss)
    ones = [guo.gradients_of_one_cost(c.params, c.x, c.d, c.s0, t, 4, f=f, g=g, loss=loss) for t in range(1, 6)]
    assert sum(one.cost for one in ones) == pytest.approx(sweep.cost, rel=1e-13)
    for name in NAMES:
        assert relative(sum(one.copies[name] for one in ones), sweep.copies[name]) < 1e-12
        assert relative(sum(one.grads[name] for one in ones), sweep.grads[name]) < 1e-12
    assert relative(sum(one.s0 for one in ones), sweep.s0) < 1e-12
    assert relative(sum(one.deltas_j for one in ones), sweep.deltas_j) < 1e-12


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_depth_counts_the_extra_copies(depth):
    # E9: z = 0 .. depth are k2 = depth + 1 copies; held against differences, not against itself.
    c, t = case(), 5
    true = differences(c, "tanh", "cross_entropy", "softmax")
    got = guo.gradients_of_one_cost(c.params, c.x, c.d, c.s0, t, depth, f="tanh")
    for name in ("V", "U", "b_j"):
        reached = [bool(np.any(copy)) for copy in got.copies[name]]
        assert reached == [tau >= t - depth for tau in range(1, 6)]
        assert sum(reached) == depth + 1
        newest = {k2: true[name][t - 1, t - k2 : t].sum(axis=0) for k2 in (depth, depth + 1, depth + 2)}
        assert relative(got.grads[name], newest[depth + 1]) < 1e-8
        # One copy more or fewer is another gradient: whoever reads T as the number of copies is off by one.
        assert np.linalg.norm(got.grads[name] - newest[depth]) > 1e-3 * np.linalg.norm(got.grads[name])
        if depth < 4:
            assert relative(got.grads[name], newest[depth + 2]) > 1e-3
    assert not np.any(got.s0)


def test_equations_27_and_28_are_the_sum_of_the_copies_and_need_no_sweep():
    c, t, depth, eta = case(), 4, 2, 0.3
    played = guo.forward(c.params, c.x, c.s0, f="tanh")
    e_h = guo.hidden_error(c.d[3] - played.y[3], c.params["W"], played.net_j[3], "tanh")
    errors = [e_h]
    for row in (2, 1):
        errors.insert(0, guo.hidden_error_before(errors[0], c.params["U"], played.net_j[row], "tanh"))
    delta = np.stack(errors)
    got = guo.gradients_of_one_cost(c.params, c.x, c.d, c.s0, t, depth, f="tanh")
    for name, source in (("V", c.x[1:4]), ("U", played.s[1:4])):
        change = guo.folded_weight_change(delta, source, eta)
        np.testing.assert_allclose(change, guo.descent(got.grads[name], eta), rtol=1e-12)
        np.testing.assert_allclose(change, guo.weight_change(delta, source, eta).sum(axis=0), rtol=1e-14)


def test_a_copy_that_no_error_reached_is_plain_zero():
    c = case()
    got = guo.gradients_of_one_cost(c.params, c.x, c.d, c.s0, 3, 0)
    for array in (*got.copies.values(), got.s0):
        assert not np.signbit(array[array == 0]).any()  # and never -0.0, which a printed table would show


@settings(max_examples=60, deadline=None)
@given(
    T=st.integers(1, 6),
    n=st.integers(1, 3),
    l=st.integers(1, 4),
    m=st.integers(1, 4),
    o=st.integers(2, 4),
    f=st.sampled_from(["sigmoid", "tanh"]),  # bounded states, so no output rounds to 0 or 1 and costs infinity
    cost=st.sampled_from(COSTS),
    seed=st.integers(0, 2**16),
)
def test_single_costs_add_up_to_the_sweep_for_any_shape(*, T, n, l, m, o, f, cost, seed):
    c = case(T=T, n=n, l=l, m=m, o=o, seed=seed)
    loss, g = cost
    sweep = guo.gradients(c.params, c.x, c.d, c.s0, f=f, g=g, loss=loss)
    ones = [guo.gradients_of_one_cost(c.params, c.x, c.d, c.s0, t, T - 1, f=f, g=g, loss=loss) for t in range(1, T + 1)]
    for name in NAMES:
        scale = max(float(np.linalg.norm(one.copies[name])) for one in ones)
        off = np.linalg.norm(sum(one.copies[name] for one in ones) - sweep.copies[name])
        assert off <= 1e-12 * max(scale, 1.0)


# --------------------------------------------------------------- (c) the printed forms that are wrong


def test_the_errata_are_on_the_equations_they_concern():
    found = {key: eq.erratum for key, eq in guo.EQUATIONS.items() if eq.erratum}
    assert found == {
        "G8": "E4",
        "G12": "E1",
        "G14": "E2",
        "G17": "E3",
        "G19": "E5",
        "G22": "E6",
        "G25": "E8",
        "G26": "E7",
        "G27": "E9",
        "G28": "E9",
    }
    assert list(guo.ERRATA) == [f"E{number}" for number in range(1, 11)]
    reprinted = {key for key, eq in guo.EQUATIONS.items() if eq.printed != eq.corrected}
    # (16) lacks only its bracket; E8 and E9 are about words, so (25), (27), (28) stand as printed.
    assert reprinted == {"G8", "G12", "G14", "G16", "G17", "G19", "G22", "G26"}


def test_E2_the_derivative_14_is_only_the_diagonal_for_a_softmax(record_property):
    rng = np.random.default_rng(2)
    net, h = rng.normal(size=(6, 3)), 1e-5
    true = np.stack(
        [(SQUASH["softmax"](net + h * e) - SQUASH["softmax"](net - h * e)) / (2 * h) for e in np.eye(3)],
        axis=-1,
    )  # [..., q, k] = dy_q/dnet_k
    y = guo.activation("softmax", net)
    printed = guo.softmax_jacobian_as_printed(y)
    record_property("E2_relative_error", error := relative(printed, true))
    record_property("E2_largest_entry", largest := float(np.abs(printed - true).max()))
    assert error > 0.3
    assert largest > 0.1
    assert relative(guo.softmax_jacobian(y), true) < 1e-8
    diagonal = np.einsum("pkk->pk", printed)
    assert relative(diagonal, np.einsum("pkk->pk", true)) < 1e-8  # as far as it goes, it is right


@pytest.mark.parametrize("f", ["sigmoid", "tanh"])
def test_E3_the_two_term_cost_under_a_softmax_has_no_simple_delta(f, record_property):
    c = case()
    y = guo.forward(c.params, c.x, c.s0, f=f, g="softmax").y
    true = -differences(c, f, "two_term", "softmax")["bump_k"].sum(axis=0)
    record_property("E3_relative_error", error := relative(guo.output_error_two_term_softmax_as_printed(y, c.d), true))
    assert error > 0.1
    assert relative(guo.output_error_two_term_softmax(y, c.d), true) < 1e-8


@pytest.mark.parametrize("f", ["sigmoid", "tanh"])
def test_E4_equation_8_lacks_the_other_outputs_of_a_softmax(f, record_property):
    c = case()
    y = guo.forward(c.params, c.x, c.s0, f=f, g="softmax").y
    true = -differences(c, f, "squared_error", "softmax")["bump_k"].sum(axis=0)
    record_property("E4_relative_error", error := relative(guo.output_error_squared_softmax_as_printed(y, c.d), true))
    assert error > 0.1
    assert relative(guo.output_error_squared(y, c.d, "softmax"), true) < 1e-8
    through_jacobian = np.einsum("tpq,tpqk->tpk", c.d - y, guo.softmax_jacobian(y))
    assert relative(through_jacobian, true) < 1e-8  # (8) corrected is (d - y) through the Jacobian of (14)


def swept(c, f, step_back):
    """Sweep with another step from t+1 to t, `step_back(delta, U, played, row of t)`: deltas and dC/dU."""
    played = guo.forward(c.params, c.x, c.s0, f=f)
    delta_k, delta_j = c.d - played.y, np.zeros_like(played.net_j)
    for row in reversed(range(len(c.x))):
        delta_j[row] = guo.hidden_error(delta_k[row], c.params["W"], played.net_j[row], f)
        if row + 1 < len(c.x):
            delta_j[row] += step_back(delta_j[row + 1], c.params["U"], played, row)
    return delta_j, -guo.folded_weight_change(delta_j, played.s[:-1])


def corrected_step(f):
    return lambda delta, U, played, row: guo.hidden_error_before(delta, U, played.net_j[row], f)


def step_19(f):
    return lambda delta, U, played, row: guo.hidden_error_before_eq19_as_printed(delta, U, played.s[row + 1], f)


def step_26(f):
    return lambda delta, U, played, row: guo.hidden_error_before_eq26_as_printed(delta, U, played.net_j[row], f)


@pytest.mark.parametrize("f", ["sigmoid", "tanh"])
@pytest.mark.parametrize(("erratum", "printed_step"), [("E5", step_19), ("E7", step_26)])
def test_E5_and_E7_the_step_through_time_as_printed_is_wrong(f, erratum, printed_step, record_property):
    c = case()
    true = {name: slopes.sum(axis=0) for name, slopes in differences(c, f, "cross_entropy", "softmax").items()}
    deltas, grad_U = swept(c, f, corrected_step(f))
    assert relative(deltas, -true["bump_j"]) < 1e-8
    assert relative(grad_U, true["U"].sum(axis=0)) < 1e-8
    deltas, grad_U = swept(c, f, printed_step(f))
    record_property(f"{erratum}_relative_error_of_delta", of_delta := relative(deltas, -true["bump_j"]))
    record_property(f"{erratum}_relative_error_of_dC_dU", of_grad := relative(grad_U, true["U"].sum(axis=0)))
    assert of_delta > 0.05
    assert of_grad > 0.05


@pytest.mark.parametrize("f", ["sigmoid", "tanh"])
def test_E5_is_rescued_by_reading_the_derivative_as_a_function_of_s(f):
    c = case()
    played = guo.forward(c.params, c.x, c.s0, f=f)
    delta = np.random.default_rng(3).normal(size=c.s0.shape)
    right = guo.hidden_error_before(delta, c.params["U"], played.net_j[2], f)
    s = played.s[3]  # f(net_j[2])
    by_hand = {"sigmoid": s * (1 - s), "tanh": 1 - s**2}[f]
    np.testing.assert_allclose((delta @ c.params["U"]) * by_hand, right, rtol=1e-13)
    rescued = (delta @ c.params["U"]) * guo.derivative_from_value(f, s)
    np.testing.assert_allclose(rescued, right, rtol=1e-13)
    assert relative(guo.hidden_error_before_eq19_as_printed(delta, c.params["U"], s, f), right) > 0.05


def test_E7_is_right_when_U_is_symmetric():
    c = case()
    c.params["U"] += c.params["U"].T
    true = differences(c, "tanh", "cross_entropy", "softmax")["bump_j"].sum(axis=0)
    deltas, _ = swept(c, "tanh", step_26("tanh"))
    assert relative(deltas, -true) < 1e-8


def test_E6_has_the_wrong_shape_unless_sizes_coincide(record_property):
    c = case()
    played = guo.forward(c.params, c.x, c.s0)
    with pytest.raises(ValueError, match=r"e_o is \(2, 3\) and V\[j, i\] is \(4, 2\).*o = 3 and l = 2.*E6.*takes W"):
        guo.hidden_error_as_printed(c.d[0] - played.y[0], c.params["V"], played.net_j[0], "sigmoid")
    c = case(l=3, o=3)
    played = guo.forward(c.params, c.x, c.s0)
    delta_k = c.d - played.y
    at_the_same_t = differences(c, "sigmoid", "cross_entropy", "softmax")["bump_j"]
    true = -np.stack([at_the_same_t[t, t] for t in range(5)])  # dC(t)/dnet_j(t): the outputs at t alone
    printed = guo.hidden_error_as_printed(delta_k, c.params["V"], played.net_j, "sigmoid")
    record_property("E6_relative_error", error := relative(printed, true))
    assert error > 0.05
    assert relative(guo.hidden_error(delta_k, c.params["W"], played.net_j, "sigmoid"), true) < 1e-8


def test_a_form_called_as_printed_is_the_printed_one():
    # Or the tests above would show only that some other formula is wrong. Index by index, from the report.
    c = case(l=3, o=3)
    played = guo.forward(c.params, c.x, c.s0, f="tanh")
    net, s, y, d = played.net_j[2], played.s[2], played.y[2], c.d[2]
    e_o, e_h = d - y, np.random.default_rng(4).normal(size=net.shape)
    stored = {name: c.params[name].T for name in ("V", "U")}  # section 3.1 stores [from, to]

    def slope(a):
        return 1 / np.cosh(a) ** 2

    for got, printed in [
        (guo.softmax_jacobian_as_printed(y), np.einsum("pk,pk,kq->pkq", y, 1 - y, np.eye(3))),  # (14)
        (guo.output_error_two_term_softmax_as_printed(y, d), d - y),  # (17)
        (guo.output_error_squared_softmax_as_printed(y, d), (d - y) * y * (1 - y)),  # (8), (14)
        (
            guo.hidden_error_before_eq19_as_printed(e_h, c.params["U"], s, "tanh"),
            np.einsum("ph,hj,pj->pj", e_h, c.params["U"], slope(s)),
        ),
        (
            guo.hidden_error_as_printed(e_o, c.params["V"], net, "tanh"),
            np.einsum("pk,kj,pj->pj", e_o, stored["V"], slope(net)),  # (22)
        ),
        (
            guo.hidden_error_before_eq26_as_printed(e_h, c.params["U"], net, "tanh"),
            np.einsum("ph,hj,pj->pj", e_h, stored["U"], slope(net)),
        ),
    ]:
        assert relative(got, printed) < 1e-14


@pytest.mark.parametrize("sums", [0.5, 3.0])
def test_E3_with_desired_values_that_do_not_add_up_to_one_delta_is_d_minus_S_y(sums, record_property):
    c = case(sums=sums)
    true = {k: slopes.sum(axis=0) for k, slopes in differences(c, "tanh", "cross_entropy", "softmax").items()}
    got = guo.gradients(c.params, c.x, c.d, c.s0, f="tanh", g="softmax", loss="cross_entropy")
    y = guo.forward(c.params, c.x, c.s0, f="tanh").y
    np.testing.assert_allclose(got.deltas_k, c.d - sums * y, rtol=1e-12)
    assert relative(got.deltas_k, -true["bump_k"]) < 1e-8
    assert relative(got.copies["U"], true["U"]) < 1e-8
    record_property("E3_sum_relative_error", error := relative(c.d - y, -true["bump_k"]))
    assert error > 0.3


# ------------------------------------------------------------------------ (d) signs, and one t at a time


def test_delta_points_downhill_and_gradients_uphill():
    c, eta = case(), 1e-3
    got = guo.gradients(c.params, c.x, c.d, c.s0, f="tanh")
    after = {name: c.params[name] + guo.descent(got.grads[name], eta) for name in NAMES}
    drop = guo.gradients(after, c.x, c.d, c.s0, f="tanh").cost - got.cost
    squares = sum(float((grad**2).sum()) for grad in got.grads.values())
    assert drop == pytest.approx(-eta * squares, rel=0.05)
    # an output below its desired value has a positive error
    y = guo.forward(c.params, c.x, c.s0, f="tanh").y
    np.testing.assert_array_equal(np.sign(got.deltas_k), np.sign(c.d - y))


@pytest.mark.parametrize("f", ["sigmoid", "tanh"])
def test_weight_and_bias_changes_are_eta_times_minus_the_gradient(f):
    c, eta = case(), 0.7
    played = guo.forward(c.params, c.x, c.s0, f=f, g="sigmoid")
    true = differences(c, f, "cross_entropy", "sigmoid")
    for row in range(5):  # every t as a conventional network with s(t-1) given: (9)-(12), (17), (18), (20)-(25)
        delta_k = guo.output_error_cross_entropy(played.y[row], c.d[row], "sigmoid")
        delta_j = guo.hidden_error(delta_k, c.params["W"], played.net_j[row], f)
        changes = {
            "W": guo.weight_change(delta_k, played.s[row + 1], eta),
            "V": guo.weight_change(delta_j, c.x[row], eta),
            "U": guo.weight_change(delta_j, played.s[row], eta),
            "b_k": guo.bias_change(delta_k, eta),
            "b_j": guo.bias_change(delta_j, eta),
        }
        for name, change in changes.items():
            assert relative(change, -eta * true[name][row, row]) < 1e-8, name


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "identity"])
def test_derivatives_are_those_of_the_activations(name):
    net, h = np.linspace(-3, 3, 13), 1e-5
    slope = (SQUASH[name](net + h) - SQUASH[name](net - h)) / (2 * h)
    np.testing.assert_allclose(guo.derivative(name, net), slope, rtol=1e-8)
    np.testing.assert_allclose(guo.derivative_from_value(name, guo.activation(name, net)), slope, rtol=1e-8)
    np.testing.assert_allclose(guo.d_h(2 * net, net, name), 2 * net * slope, rtol=1e-8)


def test_nothing_overflows_and_one_hot_desired_values_cost_what_they_should():
    net = np.array([[-800.0, 0.0, 800.0]])
    np.testing.assert_array_equal(guo.activation("sigmoid", net), [[0.0, 0.5, 1.0]])
    y = guo.activation("softmax", net)
    np.testing.assert_array_equal(y, [[0.0, 0.0, 1.0]])
    assert guo.categorical_cross_entropy(y, np.array([[0.0, 0.0, 1.0]])) == 0.0
    assert guo.two_term_cross_entropy(y, np.array([[0.0, 0.0, 1.0]])) == 0.0
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert guo.categorical_cross_entropy(y, np.array([[1.0, 0.0, 0.0]])) == np.inf


# -------------------------------------------------------------------------------------- (e) the smallest


@every_network
def test_one_step_and_one_sample(f, loss, g):
    c = case(T=1, n=1)
    true = differences(c, f, loss, g)
    sweep = guo.gradients(c.params, c.x, c.d, c.s0, f=f, g=g, loss=loss)
    one = guo.gradients_of_one_cost(c.params, c.x, c.d, c.s0, 1, 0, f=f, g=g, loss=loss)
    for name in NAMES:
        assert sweep.copies[name].shape == (1, *c.params[name].shape)
        assert relative(sweep.grads[name], true[name][0, 0]) < 1e-8
        np.testing.assert_allclose(one.grads[name], sweep.grads[name], rtol=1e-14)
    assert relative(sweep.s0, true["s0"][0]) < 1e-8


def test_there_are_no_copies_before_the_first():
    c = case()
    full, deeper = (guo.gradients_of_one_cost(c.params, c.x, c.d, c.s0, 3, depth) for depth in (2, 50))
    for name in NAMES:
        np.testing.assert_array_equal(full.copies[name], deeper.copies[name])
    np.testing.assert_array_equal(full.s0, deeper.s0)
    assert np.any(full.s0)


# ------------------------------------------------------------------------------------------- (f) errors


def changed(c, **new):
    params = {name: new.pop(name, value) for name, value in c.params.items()}
    return c._replace(params=params, **new)


BAD = {
    "V transposed": (
        {"V": np.ones((2, 4))},
        r"U is \(4, 4\).*U\[j, h\].*index j has 4 values here and 2 in V",
    ),
    "U not square": ({"U": np.ones((4, 3))}, r"U is \(4, 3\).*index j has 3 values here and 4 in V"),
    "W transposed": (
        {"W": np.ones((4, 3))},
        r"W is \(4, 3\).*index j has 3 values here and 4 in V.*transpose",
    ),
    "b_k too long": ({"b_k": np.ones(4)}, r"b_k is \(4,\).*index k has 4 values here and 3 in W"),
    "x of one sample": ({"x": np.ones((5, 2))}, r"x is \(5, 2\).*x\[t, p, i\].*3 axes, not 2"),
    "x too wide": ({"x": np.ones((5, 2, 3))}, r"x is \(5, 2, 3\).*index i has 3 values here and 2 in V"),
    "x empty": ({"x": np.ones((0, 2, 2))}, r"x is \(0, 2, 2\): a sequence needs at least one time step"),
    "s0 of one sample": ({"s0": np.ones(4)}, r"s0 is \(4,\).*2 axes, not 1"),
    "s0 for three": ({"s0": np.ones((3, 4))}, r"s0 is \(3, 4\).*index p has 3 values here and 2 in x"),
    "d too short": ({"d": np.ones((4, 2, 3))}, r"d is \(4, 2, 3\).*index t has 4 values here and 5 in x"),
    "d of class numbers": ({"d": np.ones((5, 2))}, r"d is \(5, 2\).*d\[t, p, k\].*3 axes, not 2"),
}


@pytest.mark.parametrize(("new", "message"), BAD.values(), ids=BAD.keys())
def test_arrays_that_do_not_fit_are_refused(new, message):
    c = changed(case(), **new)
    with pytest.raises(ValueError, match=message):
        guo.gradients(c.params, c.x, c.d, c.s0)
    with pytest.raises(ValueError, match=message):
        guo.gradients_of_one_cost(c.params, c.x, c.d, c.s0, 1, 0)


def test_params_must_be_the_five():
    c = case()
    with pytest.raises(ValueError, match=r"keys \['U', 'V', 'W', 'b_j'\]; it must have just V, U, W, b_j, b_k"):
        guo.forward({name: c.params[name] for name in ("V", "U", "W", "b_j")}, c.x, c.s0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"f": "relu"}, r"f is 'relu'; it must be one of 'sigmoid', 'tanh', 'identity'"),
        ({"f": "softmax"}, r"f is 'softmax'"),
        ({"g": "relu"}, r"g is 'relu'; .* 'softmax'"),
        ({"loss": "sse"}, r"loss is 'sse'; it must be one of 'squared_error', 'cross_entropy'"),
        ({"g": "tanh"}, r"g with a cross-entropy is 'tanh'; it must be one of 'sigmoid', 'softmax'"),
        ({"g": "identity"}, r"g with a cross-entropy is 'identity'"),
        ({"reduction": "average"}, r"reduction is 'average'; it must be one of 'sum', 'mean'"),
    ],
)
def test_unknown_names_are_refused(options, message):
    c = case()
    with pytest.raises(ValueError, match=message):
        guo.gradients(c.params, c.x, c.d, c.s0, **options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda y, d: guo.cost(y, d, "mse", "softmax"), "loss is 'mse'"),
        (lambda y, d: guo.cost(y, d, "cross_entropy", "tanh"), "g with a cross-entropy is 'tanh'"),
        (lambda y, d: guo.cost(y, d, "squared_error", "relu"), "g is 'relu'"),
        (lambda y, d: guo.cost(y, d[0]), r"y is \(5, 2, 3\) and d is \(2, 3\).*one-hot"),
        (lambda y, d: guo.output_error(y, d[0]), r"y is \(5, 2, 3\) and d is \(2, 3\)"),
        (lambda y, d: guo.output_error(y, d, "mse"), "loss is 'mse'"),
        (lambda y, _: guo.derivative("softmax", y), "element-wise activation is 'softmax'"),
        (lambda y, _: guo.activation("relu", y), "activation is 'relu'"),
    ],
)
def test_the_small_functions_refuse_too(call, message):
    c = case()
    with pytest.raises(ValueError, match=message):
        call(guo.forward(c.params, c.x, c.s0).y, c.d)


@pytest.mark.parametrize(
    ("t", "depth", "message"),
    [
        (0, 0, "t is 0; copies are counted from 1 to T = 5"),
        (6, 0, "t is 6"),
        (1, -1, "depth is -1"),
    ],
)
def test_t_counts_from_one_and_depth_from_zero(t, depth, message):
    c = case()
    with pytest.raises(ValueError, match=message):
        guo.gradients_of_one_cost(c.params, c.x, c.d, c.s0, t, depth)


# -------------------------------------------------------------------------------- equations, and imports


def test_the_28_equations_are_complete_and_cannot_be_changed():
    assert list(guo.EQUATIONS) == [f"G{number}" for number in range(1, 29)]
    sections = {}
    for key, eq in guo.EQUATIONS.items():
        assert key == f"G{eq.number}"
        assert eq.gives
        assert eq.note.endswith(".")
        assert eq.erratum in {"", *guo.ERRATA}
        sections.setdefault(eq.section, []).append(eq.number)
    spans = {section: (numbers[0], numbers[-1]) for section, numbers in sections.items()}
    assert spans == {"1": (1, 4), "2.1": (5, 12), "2.2": (13, 18), "3": (19, 19), "3.1": (20, 28)}
    with pytest.raises(TypeError):
        guo.EQUATIONS["G1"] = guo.EQUATIONS["G2"]
    with pytest.raises(TypeError):
        guo.ERRATA["E1"] = ""
    with pytest.raises(dataclasses.FrozenInstanceError):
        guo.EQUATIONS["G1"].note = ""


def test_an_id_says_which_reading_it_is():
    assert guo.latex("G26") == guo.EQUATIONS["G26"].corrected
    assert guo.latex("G26-printed") == guo.EQUATIONS["G26"].printed
    assert r"^\top U^\top" in guo.latex("G26")
    assert r"\top" not in guo.latex("G26-printed")
    assert "W" in guo.latex("G22")
    assert "V" in guo.latex("G22-printed")
    assert r"f'(\mathrm{net}" in guo.latex("G19")
    assert "f'(s_{pj}" in guo.latex("G19-printed")
    assert "u_{jh}" in guo.latex("G12")
    assert "u_{ji}" in guo.latex("G12-printed")
    assert guo.latex("G2-printed") == guo.latex("G2")  # right as printed, and the id may still say so


@pytest.mark.parametrize("wrong", ["G0", "G29", "26", "G26-", "G26-corrected", "G26-printed-", "g26", ""])
def test_an_id_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match=r"is no equation: ask for 'G1' \.\.\. 'G28'"):
        guo.latex(wrong)


COMMANDS = {
    *("frac", "partial", "mathrm", "delta", "Delta", "eta", "sum", "ln", "left", "right", "top", "tau"),
    *("text", "quad"),
}


@pytest.mark.parametrize("key", [f"G{number}{reading}" for number in range(1, 29) for reading in ("", "-printed")])
def test_the_latex_is_plain_enough_for_every_program(key):
    tex = guo.latex(key)
    words = tex.replace("\\", " \\").split("\\")[1:]
    used = {"".join(itertools.takewhile(str.isalpha, word)) for word in words}
    assert used <= COMMANDS, used - COMMANDS
    depth = 0
    for sign in tex:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0
    assert depth == 0
    assert tex.count(r"\left") == tex.count(r"\right")
    assert not set(tex) & set("<>&#%$\n")


def test_the_oracle_imports_numpy_and_the_standard_library_and_nothing_else():
    imported = set()
    for node in ast.walk(ast.parse(Path(guo.__file__).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add("." * node.level + (node.module or "").partition(".")[0])
        elif isinstance(node, ast.Name):
            assert node.id not in {"__import__", "importlib"}
    assert imported <= {"numpy", *sys.stdlib_module_names}
    assert "numpy" in imported
