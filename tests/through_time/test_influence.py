"""The influence matrix: each of its entries against the slope of one cost in one copy of the weight."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from canonical import KINDS, T, cost_of_untied, problem
from untied import differences


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("planned", [False, True])
def test_every_entry_against_the_slope_of_one_cost_in_one_copy(kind, planned):
    p = problem(*kind)
    net = tg.unfold(p.cell, p.params, p.x, p.d, loss=p.loss, s0=p.s0)
    if planned:
        net.replay()
    copies = [{name: w.copy() for name, w in p.params.items()} for _ in range(T)]
    for name in ("U", "b_j"):
        G = tg.influence(net, name)
        for t in (1, 3, T):
            slopes = differences(lambda t=t: cost_of_untied(p, copies, only=t), [c[name] for c in copies])
            np.testing.assert_allclose(G[t - 1], slopes, rtol=1e-7, atol=1e-9)
            assert not G[t - 1, t:].any()


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize(
    "cell", [tg.cells.Guo(), tg.cells.LSTM(), tg.cells.Stacked(tg.cells.GRU(), tg.cells.LSTM())], ids=str
)
@pytest.mark.parametrize("mask", [None, np.array([[1, 1], [1, 1], [1, 0], [1, 0], [1, 0]])])
@pytest.mark.parametrize("planned", [False, True])
def test_rows_are_the_gradients_of_each_cost_and_all_of_it_is_the_gradient(cell, mask, planned, reduction):
    p = problem()
    params = cell.init(3, 4, 6, rng=1)
    net = tg.unfold(cell, params, p.x, p.d, mask=mask, reduction=reduction)
    if planned:
        net.replay()
    G = {name: tg.influence(net, name) for name in params}
    net.backward()
    share = 1 if reduction == "sum" else T
    for name, g in G.items():
        np.testing.assert_allclose(g.sum(axis=(0, 1)), share * net.grads[name], rtol=1e-11, atol=1e-13)
    for t in range(1, T + 1):
        net.backward(of=t)
        for name, g in G.items():
            np.testing.assert_allclose(g[t - 1], net.copies[name], rtol=1e-11, atol=1e-13)


@settings(max_examples=30, deadline=None)
@given(st.tuples(*(st.integers(1, high) for high in (7, 5, 4, 5, 4))), st.integers(0, 99))
def test_norms_without_the_whole(sizes, seed):
    p = problem(sizes=sizes, seed=seed)  # few samples and many: as factors, and as they are
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    for name in p.params:
        G = tg.influence(net, name)
        expected = np.sqrt((G.reshape(*G.shape[:2], -1) ** 2).sum(axis=-1))
        np.testing.assert_allclose(tg.influence_norms(net, name), expected, rtol=1e-6, atol=1e-8)


def test_the_norm_of_shares_that_cancel_is_a_number():
    cell, rng = tg.cells.Guo(g="identity"), np.random.default_rng(0)
    params = {name: rng.normal(size=w.shape) for name, w in cell.init(2, 4, 5, rng=0).items()}
    x = np.repeat(rng.normal(size=(6, 1, 2)), 3, axis=1)  # the samples differ in what is asked of them
    errors = rng.normal(size=(6, 3, 5))
    errors -= errors.mean(axis=1, keepdims=True)
    y = [y.value for y in tg.unfold(cell, params, x, errors, loss="squared_error").outputs]
    net = tg.unfold(cell, params, x, y - errors, loss="squared_error")
    np.testing.assert_allclose(tg.influence_norms(net, "W"), 0, atol=1e-6)  # and no root of a number below 0


def test_a_weight_that_is_read_twice_or_not_at_all():
    p = problem()

    def cell(params, x, s):
        once = tg.ops.linear(s, params["U"])
        return tg.ops.tanh(tg.ops.linear(once, params["U"])), s

    net = tg.unfold(
        cell, {"U": p.params["U"], "idle": np.ones(3)}, p.x, np.zeros((T, 2, 4)), loss="squared_error", s0=p.s0
    )
    assert not tg.influence(net, "idle").any()
    G = tg.influence(net, "U")
    for t in range(1, T + 1):
        net.backward(of=t)
        np.testing.assert_allclose(G[t - 1], net.copies["U"], rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(tg.influence_norms(net, "U"), np.sqrt((G**2).sum(axis=(2, 3))), rtol=1e-10)


def _transposed(params, x, s):
    return tg.ops.tanh(s @ params["U"].T + x @ params["V"]), s


def _squared_weight(params, x, s):
    return tg.ops.tanh(tg.ops.linear(x, params["A"], s, params["U"] * params["U"])), s


def _joined(params, x, s):
    both = tg.ops.concatenate(x, s, axis=-1)
    h = tg.ops.tanh(tg.ops.linear(both, params["K"], params["b_j"]))
    gate = tg.ops.sigmoid(h[:, :1])
    return gate * s + (1 - gate) * h, tg.ops.softmax(h) * s


def _skipping(params, x, s):
    old, idle = s
    return (tg.ops.tanh(tg.ops.linear(x, params["A"])) * params["b_j"].sum(), idle), tg.ops.linear(old, params["U"])


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("planned", [False, True])
@pytest.mark.parametrize("cell", [_transposed, _squared_weight, _joined, _skipping])
def test_cells_of_a_users_own(cell, planned, samples):
    rng = np.random.default_rng(0)
    shapes = {"A": (4, 3), "U": (4, 4), "V": (3, 4), "K": (4, 7), "b_j": (4,)}
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    x, d, s0 = (rng.normal(size=shape) for shape in ((T, samples, 3), (T, samples, 4), (samples, 4)))
    state = (s0, s0 - 1) if cell is _skipping else s0
    net = tg.unfold(cell, params, x, d, loss="squared_error", s0=state)
    if planned:
        net.replay()
    G = {name: tg.influence(net, name) for name in params}
    norms = {name: tg.influence_norms(net, name) for name in params}
    mask = tg.truncation_mask(T, k1=2, k2=3)
    truncated = tg.truncated_gradient(net, k1=2, k2=3)
    windows = list(tg.truncated(cell, params, x, d, k1=2, k2=3, loss="squared_error", s0=state, states="recomputed"))
    for name, g in G.items():
        np.testing.assert_allclose(norms[name], np.sqrt((g.reshape(T, T, -1) ** 2).sum(axis=-1)), rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(truncated[name], np.tensordot(mask, g, ((0, 1), (0, 1))), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(sum(w.grads[name] for w in windows), truncated[name], rtol=1e-10, atol=1e-12)
    for t in range(1, T + 1):
        net.backward(of=t)
        for name, g in G.items():
            np.testing.assert_allclose(g[t - 1], net.copies[name], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("cell", [tg.cells.Guo(), tg.cells.Stacked(tg.cells.GRU(), tg.cells.LSTM())], ids=str)
def test_errors_that_go_back_in_groups(cell):
    """So many and so wide that not all of them are worked on at once."""
    T, B, l, m, o = 40, 50, 2, 48, 3
    rng = np.random.default_rng(0)
    x, d = rng.normal(size=(T, B, l)), np.eye(o)[rng.integers(o, size=(T, B))]
    net = tg.unfold(cell, cell.init(l, m, o, rng=0), x, d)
    net.replay()
    G = tg.influence(net, next(iter(net.weights)))
    mask = tg.truncation_mask(T, k1=1, k2=6, losses="window")
    found = tg.truncated_gradient(net, k1=1, k2=6, losses="window")
    np.testing.assert_allclose(found[next(iter(net.weights))], np.tensordot(mask, G, ((0, 1), (0, 1))), rtol=1e-9)
    for t in (1, 17, 33, 40):
        net.backward(of=t)
        np.testing.assert_allclose(G[t - 1], net.copies[next(iter(net.weights))], rtol=1e-9, atol=1e-12)


def _tapped(params, x, s):
    old, older = s
    return (tg.ops.tanh(tg.ops.linear(x, params["A"], old, params["U"])), old), tg.ops.tanh(older * old)


def _kept(params, x, s):
    new, never = s
    return (tg.ops.tanh(tg.ops.linear(x, params["A"], new * never, params["U"])), never), new


@pytest.mark.parametrize("cell", [_tapped, _kept])
def test_a_part_of_the_state_that_is_handed_on_as_it_is(cell):
    rng = np.random.default_rng(0)
    params = {"A": rng.normal(size=(4, 3)), "U": rng.normal(size=(4, 4))}
    x, d, s0 = (rng.normal(size=shape) for shape in ((T, 2, 3), (T, 2, 4), (2, 4)))
    net = tg.unfold(cell, params, x, d, loss="squared_error", s0=(s0, s0 - 1))
    G = {name: tg.influence(net, name) for name in params}
    for t in range(1, T + 1):
        net.backward(of=t)
        for name, g in G.items():
            np.testing.assert_allclose(g[t - 1], net.copies[name], rtol=1e-10, atol=1e-12)


def test_single_precision_stays_single():
    p = problem()
    x, d, s0 = (a.astype("float32") for a in (p.x, p.d, p.s0))
    params = {name: w.astype("float32") for name, w in p.params.items()}
    net = tg.unfold(p.cell, params, x, d, s0=s0)
    net.replay()
    net.backward()
    assert tg.influence(net, "U").dtype == "float32"
    for windows in (tg.truncated_gradient(net, k1=2, k2=5), tg.artbp_gradient(net, c=0.3, cuts=np.zeros(4, bool))):
        assert {g.dtype for g in windows.values()} == {np.dtype("float32")}
    (window,) = tg.truncated(p.cell, params, x, d, k1=5, k2=5, s0=s0)
    np.testing.assert_allclose(window.grads["U"], net.grads["U"], rtol=1e-5)


def test_the_network_is_left_as_it_was():
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    net.replay()
    net.backward()
    before = {name: g.copy() for name, g in net.grads.items()}
    tg.influence(net, "U")
    tg.truncated_gradient(net, k1=1, k2=2)
    for name, g in before.items():
        np.testing.assert_array_equal(net.grads[name], g)
    assert net.check().ok


def test_what_has_no_influence_to_show():
    p = problem()
    net = tg.unfold(p.cell, {**p.params, "start": p.s0[0]}, p.x, p.d, s0="start")
    with pytest.raises(KeyError, match="there is no parameter 'Q'; there are V, U, b_j, W, b_k, start"):
        tg.influence(net, "Q")
    with pytest.raises(KeyError, match="has no copies in time"):
        tg.influence_norms(net, "start")
    steps = net.steps()
    next(steps)
    with pytest.raises(tg.TapeError, match="the forward pass was left before its end"):
        tg.influence(net, "U")
