"""E-prop: exact where the recurrent matrices are diagonal, and otherwise exactly as wrong as its equations say."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from canonical import problem
from cell_cases import CELLS, C, Case, relative
from tinygrad_rnn.unfold.structure import flatten, rebuild

GATES = {"guo": 1, "lstm": 4, "lstm, peepholes": 4, "gru": 3, "gru, before": 2}


def summed(case):
    found = list(tg.eprop(case.cell, case.params, case.x, case.d, loss=case.loss, s0=case.s0))
    return {name: sum(w.grads[name] for w in found) for name in case.params}


def exact(case):
    net = case.unfold()
    net.backward()
    return net.grads


@pytest.mark.parametrize("name", GATES)
def test_exact_if_the_recurrent_matrices_are_diagonal_and_biased_otherwise(name):
    case = Case(CELLS[name])
    ours, true = summed(case), exact(case)
    assert relative(ours["U"], true["U"]) > 1e-3
    assert relative(ours["V"], true["V"]) > 1e-3
    assert relative(ours["W"], true["W"]) < 1e-12  # the head has no past
    for matrix in ("U", "U_n"):
        if matrix in case.params:
            m = case.params[matrix].shape[1]
            case.params[matrix] = case.params[matrix] * np.tile(np.eye(m), (len(case.params[matrix]) // m, 1))
    ours, true = summed(case), exact(case)
    for weight in case.params:
        assert relative(ours[weight], true[weight]) < 1e-12, weight


@pytest.mark.parametrize("name", ["guo", "lstm, peepholes", "gru", "two lstms", "three kinds"])
def test_one_step_is_exact_in_all_layers(name):
    """Without a past there is nothing to leave out: the error reaches the lower layers within the step."""
    case = Case(CELLS[name], (1, 3, 2, 4, 3))
    ours, true = summed(case), exact(case)
    for weight in case.params:
        assert relative(ours[weight], true[weight]) < 1e-12, weight


def test_in_layers_the_upper_one_does_not_change_what_the_lower_one_remembers():
    case = Case(C.Stacked(C.Guo(), C.Guo()))
    for name in ("U_1", "U_2"):
        case.params[name] = np.diag(np.diag(case.params[name]))
    ours, true = summed(case), exact(case)
    for weight in ("V_2", "U_2", "b_j_2", "W_2", "b_k_2"):
        assert relative(ours[weight], true[weight]) < 1e-12, weight
    # What the lower layer did through the memory of the upper one is what e-prop leaves out.
    assert relative(ours["V_1"], true["V_1"]) > 1e-3
    case.params["U_2"] *= 0
    ours, true = summed(case), exact(case)
    for weight in case.params:
        assert relative(ours[weight], true[weight]) < 1e-12, weight


def test_the_traces_and_the_gradient_by_hand():
    """Bellec et al. for units of tanh: the trace of u_jh decays by f' u_jj and grows by f' s_h."""
    p = problem()
    V, U, W, b_j, b_k = (p.params[n] for n in ("V", "U", "W", "b_j", "b_k"))
    s = p.s0
    trace = np.zeros((len(s), *U.shape))
    for t, window in enumerate(tg.eprop(p.cell, p.params, p.x, p.d, s0=p.s0)):
        new = np.tanh(p.x[t] @ V.T + s @ U.T + b_j)
        slope = 1 - new**2
        trace = (slope * np.diag(U))[..., None] * trace + slope[..., None] * s[:, None, :]
        net_k = new @ W.T + b_k
        y = np.exp(net_k) / np.exp(net_k).sum(axis=1, keepdims=True)
        error = (y - p.d[t]) @ W
        np.testing.assert_allclose(window.carried["U"], trace, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(window.grads["U"], (error[..., None] * trace).sum(axis=0), rtol=1e-11, atol=1e-13)
        s = new


def test_a_product_written_with_an_operator_is_a_product():
    case = Case(CELLS["guo"])

    def cell(P, x, s):
        s = tg.ops.tanh(x @ P["V"].T + s @ P["U"].T + P["b_j"])
        return s, tg.ops.softmax(tg.ops.linear(s, P["W"], P["b_k"]))

    by_operator = list(tg.eprop(cell, case.params, case.x, case.d, s0=case.s0))
    for ours, theirs in zip(by_operator, tg.eprop(case.cell, case.params, case.x, case.d, s0=case.s0), strict=True):
        for name in case.params:
            assert relative(ours.grads[name], theirs.grads[name]) < 1e-12, name


def test_units_mixed_by_something_else_are_refused():
    case = Case(CELLS["guo"])

    def cell(P, x, s):
        s = tg.ops.softmax(tg.ops.linear(x, P["V"], s, P["U"]))
        return s, tg.ops.softmax(tg.ops.linear(s, P["W"]))

    with pytest.raises(ValueError, match=r"acts on more units than its own: .* something else than a product"):
        list(tg.eprop(cell, case.params, case.x, case.d, s0=case.s0))


def test_bad_input_is_refused_in_words():
    case = Case(CELLS["guo"])
    with pytest.raises(ValueError, match="loss='hinge'"):
        tg.eprop(case.cell, case.params, case.x, case.d, loss="hinge")
    with pytest.raises(ValueError, match="the stream is empty"):
        list(tg.eprop(case.cell, case.params, [], []))


def test_float32_stays_float32():
    case = Case(CELLS["two lstms"])
    case.params = {name: w.astype("float32") for name, w in case.params.items()}
    s0 = rebuild(case.s0, [s.astype("float32") for s in flatten(case.s0)])
    stream = case.x.astype("float32"), case.d.astype("float32")
    *_, last = tg.eprop(case.cell, case.params, *stream, loss=case.loss, s0=s0)
    arrays = [*last.grads.values(), *last.carried.values(), *flatten(last.state)]
    assert {a.dtype.name for a in arrays} == {"float32"}
