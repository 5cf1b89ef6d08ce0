"""Jacobians of the state against differences of the cell, their products against the tape, bounds that hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from canonical import problem
from tinygrad_rnn.through_time.pathology import (
    jacobians,
    products,
    singular_values,
    spectral_radius,
    state_errors,
    vanishing_bound,
)
from tinygrad_rnn.unfold.structure import flatten, rebuild


def shifted(P, x, state):
    """The state's second part is the first one of the step before, as it is."""
    s, before = state
    s_new = tg.ops.tanh(tg.ops.linear(x, P["V"], s, P["U"], before, P["U_2"], P["b_j"]), name="s")
    return (s_new, s), tg.ops.softmax(tg.ops.linear(s_new, P["W"], P["b_k"]))


CELLS = {
    "Guo": tg.cells.Guo(f="sigmoid"),
    "IRNN": tg.cells.IRNN(),
    "LSTM": tg.cells.LSTM(peepholes=True),
    "GRU": tg.cells.GRU(),
    "stacked": tg.cells.Stacked(tg.cells.GRU(), tg.cells.LSTM()),
    "shifted": shifted,
}


def network(name, steps=5, seed=0, mask=None):
    cell = CELLS[name]
    rng = np.random.default_rng(seed)
    like = tg.cells.Guo() if cell is shifted else cell
    params = {k: rng.normal(size=w.shape) for k, w in like.init(3, 4, 6, rng=0).items()}
    params |= {"U_2": rng.normal(size=(4, 4))} if cell is shifted else {}
    sizes = (4, 4) if cell is shifted else rebuild_sizes(cell.initial_state(params, 2))
    s0 = rebuild(sizes, [rng.normal(size=(2, n)) for n in flatten(sizes)])
    x, d = rng.normal(size=(steps, 2, 3)), rng.dirichlet(np.ones(6), size=(steps, 2))
    return tg.unfold(cell, params, x, d, s0=s0, mask=mask), params


def rebuild_sizes(state):
    return rebuild(state, [s.shape[-1] for s in flatten(state)])


def by_difference(net, params, t, h=1e-3):
    """ds(t) / ds(t-1) from the cell called with arrays: nothing of the tape; fourth order."""
    cell, x, before = net._recipe.cell, net.inputs[t - 1].value, net.states[t - 1]
    parts = [np.array(s.value) for s in flatten(before)]

    def after(k, unit, by):
        moved = [p.copy() for p in parts]
        moved[k][:, unit] += by
        return np.concatenate(flatten(cell(params, x, rebuild(before, moved))[0]), axis=-1)

    columns = [
        (8 * (after(k, u, h) - after(k, u, -h)) - after(k, u, 2 * h) + after(k, u, -2 * h)) / (12 * h)
        for k, part in enumerate(parts)
        for u in range(part.shape[-1])
    ]
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("planned", [False, True])
def test_each_jacobian_is_what_the_cell_does(name, planned):
    net, params = network(name)
    if planned:
        net.replay()
    found = jacobians(net)
    for t in range(1, net.T + 1):
        np.testing.assert_allclose(found[t - 1], by_difference(net, params, t), rtol=1e-7, atol=1e-9)


def test_guos_jacobian_is_the_formula():
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    slopes = np.array([1 - s.value**2 for s in net.states[1:]])
    np.testing.assert_allclose(jacobians(net), slopes[..., None] * p.params["U"], rtol=1e-13)


def test_a_sample_that_is_over_keeps_its_state():
    mask = np.ones((5, 2))
    mask[3:, 1] = 0
    net, _ = network("LSTM", mask=mask)
    found = jacobians(net)
    np.testing.assert_array_equal(found[3:, 1], np.broadcast_to(np.eye(8), (2, 8, 8)))
    assert not np.allclose(found[3, 0], np.eye(8))


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("of", [1, 3, 5])
def test_errors_go_back_by_the_products(name, of):
    net, _ = network(name)
    through, errors = products(jacobians(net), of), state_errors(net, of)
    assert errors.shape[0] == of + 1
    for lag in range(of + 1):
        expected = np.einsum("pj,pjh->ph", errors[0], through[of - lag])
        np.testing.assert_allclose(errors[lag], expected, rtol=1e-10, atol=1e-12)
    assert np.abs(errors[0]).max() > 0.01
    initial = [np.zeros(s.shape) if s.cotangent is None else s.cotangent for s in flatten(net.states[0])]
    np.testing.assert_allclose(errors[of], np.concatenate(initial, axis=-1), rtol=1e-12, atol=1e-15)


@settings(max_examples=30, deadline=None)
@given(
    f=st.sampled_from(["tanh", "sigmoid", "identity"]),
    sizes=st.tuples(st.integers(2, 8), st.integers(1, 3), st.integers(1, 3), st.integers(1, 5), st.integers(1, 3)),
    scale=st.floats(0.05, 3),
    seed=st.integers(0, 99),
)
def test_no_product_is_larger_than_the_bound(f, sizes, scale, seed):
    p = problem(f, sizes=sizes, seed=seed)
    p.params["U"] *= scale
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    found = singular_values(products(jacobians(net)))[..., 0]
    bound = vanishing_bound(p.cell, p.params, net.T - np.arange(net.T + 1))
    assert (found <= bound[:, None] * (1 + 1e-12) + 1e-300).all()
    norms = np.linalg.norm(state_errors(net), axis=-1)
    assert (norms <= norms[0] * bound[::-1, None] * (1 + 1e-12) + 1e-300).all()


def test_the_radius_of_each_matrix():
    matrices = np.array([np.diag([1.0, -3.0, 2.0]), np.diag([0.5, 0.25, 0.0])])
    np.testing.assert_allclose(spectral_radius(matrices), [3.0, 0.5])


def test_the_bound_is_reached_where_nothing_bends():
    p = problem("identity", "identity", "squared_error")
    p.params["U"] = 1.1 * np.linalg.qr(p.params["U"])[0]  # every singular value is 1.1
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0, loss=p.loss)
    found = singular_values(products(jacobians(net)))
    np.testing.assert_allclose(found, np.broadcast_to(1.1 ** np.arange(5, -1, -1)[:, None, None], found.shape))
    np.testing.assert_allclose(spectral_radius(jacobians(net)), 1.1)
    np.testing.assert_allclose(vanishing_bound(p.cell, p.params, [0, 1, 5]), [1, 1.1, 1.1**5])


def test_the_memory_of_an_lstm_is_handed_back_by_its_forget_gates():
    cell = tg.cells.LSTM()
    rng = np.random.default_rng(0)
    params = {k: rng.normal(size=w.shape) for k, w in cell.init(3, 4, 6, rng=0).items()}
    x, d = rng.normal(size=(7, 2, 3)), rng.dirichlet(np.ones(6), size=(7, 2))
    s0 = rng.normal(size=(2, 4)), rng.normal(size=(2, 4))
    net = tg.unfold(cell, params, x, d, s0=s0)
    gates = np.array([n.value for n in net.tape if n.name == "f"])
    direct = products(jacobians(net, part=1))
    np.testing.assert_allclose(direct[0], gates.prod(axis=0)[..., None] * np.eye(4), rtol=1e-13, atol=1e-300)

    # Open forever and written never: f = 1, i = 0.
    params["b_j"][:4], params["b_j"][4:8] = -1e4, 1e4
    net = tg.unfold(cell, params, x, d, s0=s0)
    np.testing.assert_array_equal(net.states[-1][1].value, s0[1])
    through = products(jacobians(net))
    np.testing.assert_array_equal(through[0][:, 4:, 4:], np.broadcast_to(np.eye(4), (2, 4, 4)))
    np.testing.assert_array_equal(through[:, :, 4:, 4:], through[:1, :, 4:, 4:] + np.zeros((8, 1, 1, 1)))


def test_vanishing_and_exploding():
    p = problem(sizes=(40, 2, 3, 4, 6))
    norms = {}
    for scale in (0.2, 3.0):
        p.params["U"][:] = scale * np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
        cell = tg.cells.Guo(f="tanh" if scale < 1 else "identity")
        norms[scale] = np.linalg.norm(state_errors(tg.unfold(cell, p.params, p.x, p.d, s0=p.s0)), axis=-1)
    assert (norms[0.2][40] < 1e-25 * norms[0.2][0]).all()
    assert (norms[3.0][40] > 1e15 * norms[3.0][0]).all()


def test_what_is_refused():
    net, params = network("LSTM")
    with pytest.raises(ValueError, match="part=2: the state has 2 parts"):
        jacobians(net, part=2)
    with pytest.raises(ValueError, match="to=6: it is a time step, an integer from 1 to 5"):
        products(jacobians(net), 6)
    with pytest.raises(ValueError, match="of=0: it is a time step"):
        state_errors(net, 0)
    with pytest.raises(ValueError, match="it is no simple cell"):
        vanishing_bound(tg.cells.LSTM(), params, 3)
    mozer = tg.cells.Mozer()  # has an f, and no U
    with pytest.raises(ValueError, match="it is no simple cell"):
        vanishing_bound(mozer, mozer.init(3, 4, 2), 3)
    for t in (0, 6, -1):
        with pytest.raises(ValueError, match=f"times={t}: it is a time step, an integer from 1 to 5"):
            jacobians(net, times=[t])
    with pytest.raises(ValueError, match="times is empty"):
        jacobians(net, times=[])


def test_two_parts_of_the_state_that_are_one_node_have_the_same_rows():
    def twice(P, x, state):
        s = tg.ops.tanh(tg.ops.linear(x, P["V"], state[0], P["U"]))
        return (s, s), tg.ops.softmax(tg.ops.linear(s, P["W"], P["b_k"]))

    p = problem()
    net = tg.unfold(twice, p.params, p.x, p.d, s0=(p.s0, p.s0))
    found = jacobians(net)
    m = p.s0.shape[1]
    np.testing.assert_allclose(found[..., :m, :], found[..., m:, :], rtol=1e-13)
    assert np.abs(found[..., :m, :m]).max() > 0.1
    np.testing.assert_array_equal(found[..., m:], 0)  # nothing reads the second part
