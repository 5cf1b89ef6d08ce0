"""Werbos's ordered derivatives, and his equations for lags of one and two steps, written out by hand."""

import numpy as np
import pytest

import tinygrad_rnn as tg
import untied
from canonical import problem

o = tg.ops


def werbos_example():
    tape = tg.Tape()
    z1 = tape.leaf(np.array(1.0), "z1")
    z2 = o.multiply(z1, tape.constant(4.0), name="z2")
    z3 = o.add(o.multiply(z1, tape.constant(3.0)), o.multiply(z2, tape.constant(5.0)), name="z3")
    return tape, z1, z2, z3


def test_an_ordinary_partial_of_3_and_an_ordered_derivative_of_23():
    tape, z1, z2, z3 = werbos_example()
    of_z1, of_z2 = tg.ordered(z3, [z2, z1])
    assert (of_z1.node, of_z2.node) == (z1, z2)
    assert of_z1.ordinary == 3
    assert {str(z): float(term) for z, term in of_z1.terms.items()} == {"z2": 20.0}
    assert of_z1.total == 23
    assert (of_z2.ordinary, of_z2.terms, of_z2.total) == (5, {}, 5)
    assert str(of_z1) == "∂⁺z3/∂z1 = 3.000 + 20.000 by z2 = 23.000"
    assert z1.cotangent == 23  # the tape's last pass is the whole one
    assert tape.swept is z3


def test_with_any_variables_the_total_is_the_backward_pass():
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    net.backward()
    true = {n: np.asarray(n.cotangent) for n in net.tape if n.active and n.cotangent is not None}
    rng = np.random.default_rng(0)
    for _ in range(5):
        chosen = [n for n in true if n is not net.cost and rng.random() < 0.4]
        for each in tg.ordered(net.cost, chosen):
            np.testing.assert_allclose(each.total, true[each.node], rtol=1e-12, atol=1e-14, err_msg=repr(each.node))


def test_with_states_as_variables_the_terms_are_the_steps_of_time():
    """s(t) acts on C by its own cost and by s(t+1), and by nothing else: epochwise backpropagation, Guo's sweep."""
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    found = tg.ordered(net.cost, net.states)
    for t, each in enumerate(found):
        later = [net.states[t + 1]] if t < net.T else []
        assert list(each.terms) == later
        if t:
            net.backward(of=t)
            np.testing.assert_allclose(each.ordinary, net.states[t].cotangent, rtol=1e-12, atol=1e-14)
    assert not found[0].ordinary.any()
    assert "∂⁺C/∂s(2) = " in str(found[2])


def test_what_cannot_be_asked():
    _tape, z1, _z2, z3 = werbos_example()
    _other_tape, other, *_ = werbos_example()
    with pytest.raises(tg.TapeError, match="z3 does not stand before z3"):
        tg.ordered(z3, [z1, z3])
    with pytest.raises(tg.TapeError, match="z1 does not stand before z3"):
        tg.ordered(z3, [other])
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d)
    with pytest.raises(tg.TapeError, match="the error starts from a scalar cost"):
        tg.ordered(net.states[1], [net.weights["U"]])
    tape = tg.Tape()
    z = tape.constant(2.0)
    square = o.multiply(z, z, name="square")
    with pytest.raises(tg.TapeError, match="square depends on no weight"):
        tg.ordered(square, [z])


# ---- Werbos (1990): units in order, each reading those before it now, and all of one and of two steps ago

T, B, M, H, N = 5, 2, 3, 4, 2  # steps, samples, inputs, hidden units, outputs; M < i <= M + H + N are computed
ALL = M + H + N


def lags(P, x, s):
    """x_i(t) = tanh(sum_{j<i} W_ij x_j(t) + sum_j W'_ij x_j(t-1) + sum_j W''_ij x_j(t-2)); Y_i = x_{i+H+M}."""
    last, older = s
    units = x
    for i in range(M, ALL):
        net = o.linear(units, P["W"][i - M : i - M + 1, :i], last, P["W1"][i - M : i - M + 1])
        units = o.concatenate(units, o.tanh(net + o.linear(older, P["W2"][i - M : i - M + 1])), axis=-1)
    units = o.identity(units, name="units")
    return (units, last), units[:, ALL - N :]


def lag_case():
    rng = np.random.default_rng(0)
    shapes = {"W": (H + N, ALL), "W1": (H + N, ALL), "W2": (H + N, ALL)}
    params = {name: 0.6 * rng.normal(size=shape) for name, shape in shapes.items()}
    s0 = tuple(rng.normal(size=(B, ALL)) for _ in range(2))
    return params, rng.normal(size=(T, B, M)), rng.normal(size=(T, B, N)), s0


def werbos(P, inputs, targets, s0):
    """F_Y, F_x, F_net and the weights' F, as in his pseudocode: NET forwards, F_NET backwards."""
    x = np.zeros((T + 2, B, ALL))
    x[1], x[0] = s0
    for t in range(2, T + 2):
        x[t, :, :M] = inputs[t - 2]
        for i in range(M, ALL):
            k = i - M
            net = x[t, :, :i] @ P["W"][k, :i] + x[t - 1] @ P["W1"][k] + x[t - 2] @ P["W2"][k]
            x[t, :, i] = np.tanh(net)
    f_net = np.zeros((T + 4, B, ALL))
    for t in range(T + 1, 1, -1):
        for i in range(ALL - 1, M - 1, -1):
            f_x = x[t, :, i] - targets[t - 2][:, i - H - M] if i >= H + M else np.zeros(B)
            for j in range(M, ALL):
                f_x = f_x + P["W"][j - M, i] * f_net[t, :, j] * (j > i)
                f_x = f_x + P["W1"][j - M, i] * f_net[t + 1, :, j] + P["W2"][j - M, i] * f_net[t + 2, :, j]
            f_net[t, :, i] = f_x * (1 - x[t, :, i] ** 2)
    error = f_net[2 : T + 2, :, M:]
    f_w = {
        "W": np.einsum("tpi,tpj->ij", error, x[2 : T + 2]) * np.tri(H + N, ALL, M - 1),
        "W1": np.einsum("tpi,tpj->ij", error, x[1 : T + 1]),
        "W2": np.einsum("tpi,tpj->ij", error, x[:T]),
    }
    return x, error, f_w


def test_recurrences_of_one_and_two_steps_are_werbos_equations():
    params, x, d, s0 = lag_case()
    net = tg.unfold(lags, params, x, d, loss="squared_error", s0=s0)
    net.backward()
    units, _, f_w = werbos(params, x, d, s0)
    for t in range(1, T + 1):
        np.testing.assert_allclose(net.states[t][0].value, units[t + 1], rtol=1e-12, atol=1e-14)
    for name, expected in f_w.items():
        np.testing.assert_allclose(net.grads[name], expected, rtol=1e-11, atol=1e-13, err_msg=name)
    net.replay()
    net.backward()
    for name, expected in f_w.items():
        np.testing.assert_allclose(net.grads[name], expected, rtol=1e-11, atol=1e-13, err_msg=name)
    # Forwards, too: real-time recurrent learning over two lags.
    found = list(tg.rtrl(lags, params, x, d, loss="squared_error", s0=s0))
    for name, expected in f_w.items():
        np.testing.assert_allclose(sum(w.grads[name] for w in found), expected, rtol=1e-11, atol=1e-13)


def test_the_second_lag_against_differences():
    params, x, d, s0 = lag_case()
    _, _, f_w = werbos(params, x, d, s0)

    def total():
        y = werbos(params, x, d, s0)[0][2:, :, ALL - N :]
        return 0.5 * ((y - d) ** 2).sum()

    for name, slope in zip(params, untied.differences(total, list(params.values())), strict=True):
        np.testing.assert_allclose(f_w[name], slope, rtol=1e-7, atol=1e-9, err_msg=name)
