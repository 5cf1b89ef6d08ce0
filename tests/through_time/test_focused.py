"""Focused backpropagation: Mozer's two traces, and every recurrence that goes unit by unit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from canonical import problem
from cell_cases import CELLS, C, Case, relative
from tinygrad_rnn.unfold.structure import flatten, rebuild

o = tg.ops


def slow_and_fast(P, x, s):
    """A user's own cell: two states with a memory of their own, gated by the input alone."""
    a, b = s
    gate = o.sigmoid(o.linear(x, P["V"], P["b_j"]))
    a = gate * a + o.tanh(o.linear(x, P["A"]))
    b = o.tanh(P["u_j"] * b + a * a)
    return (a, b), o.softmax(o.linear(b, P["W"]))


def before_last(P, x, s):
    """A unit that reads itself one and two steps ago: the older state is handed on as it is."""
    last, older = s
    new = o.tanh(o.linear(x, P["V"]) + P["u_j"] * last + P["v_j"] * older)
    return (new, last), o.softmax(o.linear(new * older, P["W"]))


def own_case(cell, names, sizes=(5, 3, 2, 4, 3)):
    case = Case(C.Mozer(), sizes)
    rng = np.random.default_rng(5)
    m, l = case.params["V"].shape
    shapes = {"A": (m, l), "v_j": (m,)}
    case.params = {n: case.params[n] if n in case.params else rng.normal(size=shapes[n]) for n in names}
    case.cell, case.s0 = cell, (case.s0, rng.normal(size=case.s0.shape))
    return case


def diagonal_guo(sizes=(5, 3, 2, 4, 3), seed=0):
    case = Case(C.Guo(), sizes, seed)
    case.params["U"] = np.diag(np.diag(case.params["U"]))
    return case


def diagonal_lstm():
    case = Case(C.LSTM(peepholes=True))
    case.params["U"] = case.params["U"] * np.tile(np.eye(4), (4, 1))
    return case


CASES = {
    "mozer": lambda: Case(CELLS["mozer"]),
    "two states": lambda: own_case(slow_and_fast, ("V", "b_j", "A", "u_j", "W")),
    "two lags": lambda: own_case(before_last, ("V", "u_j", "v_j", "W")),
    "guo, U diagonal": diagonal_guo,
    "lstm, U diagonal": diagonal_lstm,
}


def assert_equals_bptt(case, method=tg.focused):
    net = case.unfold()
    for t, window in enumerate(method(case.cell, case.params, case.x, case.d, loss=case.loss, s0=case.s0), 1):
        net.backward(of=t)
        assert (window.first, window.last) == (t, t)
        assert window.loss == pytest.approx(float(net.losses[t - 1].value), rel=1e-12)
        for name in case.params:
            assert relative(window.grads[name], net.grads[name]) < 1e-12, (t, name)


@pytest.mark.parametrize("name", CASES)
def test_at_every_time_it_is_the_gradient_of_that_cost(name):
    assert_equals_bptt(CASES[name]())


@settings(max_examples=20, deadline=None)
@given(
    sizes=st.tuples(st.integers(1, 6), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4)),
    seed=st.integers(0, 1000),
)
def test_at_all_sizes(sizes, seed):
    assert_equals_bptt(Case(CELLS["mozer"], sizes, seed))
    assert_equals_bptt(diagonal_guo(sizes, seed))


def test_the_traces_are_mozers():
    """beta(t+1) = d beta(t) + s'(net) x and alpha(t+1) = d alpha(t) + c(t), by hand."""
    case = Case(CELLS["mozer"])
    P, c = case.params, case.s0
    alpha, beta, of_bias = np.zeros(c.shape), np.zeros((len(c), *P["V"].shape)), np.zeros(c.shape)
    for t, window in enumerate(tg.focused(case.cell, P, case.x, case.d, s0=case.s0)):
        y = 1 / (1 + np.exp(-(case.x[t] @ P["V"].T + P["b_j"])))
        slope = y * (1 - y)
        alpha = P["u_j"] * alpha + c
        beta = P["u_j"][:, None] * beta + slope[..., None] * case.x[t][:, None, :]
        of_bias = P["u_j"] * of_bias + slope
        c = P["u_j"] * c + y
        np.testing.assert_allclose(window.carried["u_j"], alpha, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(window.carried["V"], beta, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(window.carried["b_j"], of_bias, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(window.state, c, rtol=1e-12, atol=1e-14)
        # and Mozer's gradient of the cost at this time, from the error of the context units alone
        net_k = c @ P["W"].T + P["b_k"]
        soft = np.exp(net_k) / np.exp(net_k).sum(axis=1, keepdims=True)
        error = (soft - case.d[t]) @ P["W"]
        np.testing.assert_allclose(window.grads["V"], (error[..., None] * beta).sum(axis=0), rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(window.grads["u_j"], (error * alpha).sum(axis=0), rtol=1e-11, atol=1e-13)


def test_what_it_carries_is_one_number_for_each_weight_and_sample():
    case = Case(CELLS["mozer"])
    found = list(tg.focused(case.cell, case.params, case.x, case.d, s0=case.s0))
    samples = case.x.shape[1]
    assert {n: a.shape for n, a in found[-1].carried.items()} == {
        n: (samples, *case.params[n].shape) for n in ("V", "u_j", "b_j")
    }
    assert len({w.carried_bytes for w in found}) == 1


@pytest.mark.parametrize("name", ["guo", "lstm", "gru", "two lstms"])
def test_a_unit_that_reads_other_units_is_refused(name):
    case = Case(CELLS[name])
    with pytest.raises(ValueError, match=r"at t=1 .* acts on more units than its own: .* Use rtrl, or eprop"):
        list(tg.focused(case.cell, case.params, case.x, case.d, s0=case.s0))


def test_a_recurrence_that_stops_being_diagonal_is_refused_then():
    case = diagonal_guo()
    running = tg.focused(case.cell, case.params, case.x, case.d, s0=case.s0)
    next(running)
    case.params["U"][0, 1] = 1e-3
    with pytest.raises(ValueError, match="at t=2 part 0 of the state acts on more units than its own"):
        next(running)


def test_a_mozer_cell_unfolds_folds_and_draws():
    p = problem()
    cell = C.Mozer()
    params = cell.init(3, 4, 6, rng=0)
    assert params["u_j"].tolist() == [0.9] * 4
    net = tg.unfold(cell, params, p.x, p.d)
    net.replay()
    assert "no plan" not in net.schedule
    assert [e[:2] for e in net.fold().edges(data="delay") if e[2]] != []
    assert "net" in tg.draw(net).dot
    with pytest.raises(ValueError, match="PyTorch has no such layer; its units remember themselves only"):
        cell.to_torch(params)
    with pytest.raises(KeyError, match="params has no 'u_j'"):
        cell.initial_state({"V": params["V"]}, 2)
    with pytest.raises(ValueError, match=r"Mozer\(f='swish'\)"):
        C.Mozer(f="swish")


def test_bad_input_is_refused_in_words():
    case = Case(CELLS["mozer"])
    with pytest.raises(ValueError, match="loss='hinge'"):
        tg.focused(case.cell, case.params, case.x, case.d, loss="hinge")
    with pytest.raises(ValueError, match="the stream is empty"):
        list(tg.focused(case.cell, case.params, [], []))
    with pytest.raises(ValueError, match="s0 names the parameter 'u_j': this method takes arrays"):
        list(tg.focused(case.cell, case.params, case.x, case.d, s0="u_j"))
    with pytest.raises(tg.ShapeError, match="of the stream x is"):
        list(tg.focused(case.cell, case.params, case.x[:, 0], case.d))


def test_float32_stays_float32():
    case = Case(CELLS["mozer"])
    case.params = {name: w.astype("float32") for name, w in case.params.items()}
    s0 = rebuild(case.s0, [s.astype("float32") for s in flatten(case.s0)])
    stream = case.x.astype("float32"), case.d.astype("float32")
    *_, last = tg.focused(case.cell, case.params, *stream, loss=case.loss, s0=s0)
    arrays = [*last.grads.values(), *last.carried.values(), *flatten(last.state)]
    assert {a.dtype.name for a in arrays} == {"float32"}
