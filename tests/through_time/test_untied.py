"""Untied weights: the same unfolding, each copy a weight of its own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
import untied
from canonical import KINDS, problem

CELLS = {
    "LSTM": tg.cells.LSTM(peepholes=True),
    "GRU": tg.cells.GRU(),
    "stacked": tg.cells.Stacked(tg.cells.GRU(), tg.cells.Guo()),
}


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.tuples(st.integers(1, 6), st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(1, 3)),
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 99),
)
def test_at_equal_weights_the_gradient_is_that_of_the_copies(sizes, kind, seed):
    p = problem(*kind, sizes=sizes, seed=seed)
    tied = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0, loss=p.loss)
    free = tg.unfold(p.cell, tg.untie(p.params, sizes[0]), p.x, p.d, s0=p.s0, loss=p.loss, untied=True)
    tied.backward()
    free.backward()
    assert free.loss == tied.loss
    assert_same(free, tied, p.params)
    free.replay(p.x, p.d)  # one time step alone is folded and planned, more are not
    free.backward()
    assert_same(free, tied, p.params)


def assert_same(free, tied, params):
    for name, w in params.items():
        assert free.grads[name].shape == (tied.T, *w.shape)
        np.testing.assert_allclose(free.grads[name], tied.copies[name], rtol=1e-12, atol=1e-14, err_msg=name)
        np.testing.assert_array_equal(free.copies[name], free.grads[name])


@pytest.mark.parametrize("name", CELLS)
def test_other_cells_and_weights_that_differ(name):
    cell, rng = CELLS[name], np.random.default_rng(0)
    x, d = rng.normal(size=(4, 2, 3)), rng.dirichlet(np.ones(6), size=(4, 2))
    params = tg.untie(cell.init(3, 4, 6, rng=0), 4)
    params = {k: w + rng.normal(size=w.shape) for k, w in params.items()}
    s0 = cell.initial_state(params, 2)
    net = tg.unfold(cell, params, x, d, untied=True)
    net.backward()
    copies = [{k: w[t].copy() for k, w in params.items()} for t in range(4)]
    assert net.loss == pytest.approx(sum(untied.costs(cell, copies, x, d, s0, untied.cross_entropy)), rel=1e-13)
    for k in params:
        arrays = [c[k] for c in copies]
        measured = untied.differences(lambda: sum(untied.costs(cell, copies, x, d, s0, untied.cross_entropy)), arrays)
        np.testing.assert_allclose(net.grads[k], measured, rtol=1e-7, atol=1e-9, err_msg=k)
    assert net.check().ok


def test_they_part_in_one_step():
    p = problem()
    params = tg.untie(p.params, 5)
    net = tg.unfold(p.cell, params, p.x, p.d, s0=p.s0, untied=True)
    net.backward()
    before, square = net.loss, sum((g**2).sum() for g in net.grads.values())
    for name, g in net.grads.items():
        params[name] -= 1e-5 * g
    assert net.replay() - before == pytest.approx(-1e-5 * square, rel=1e-2)
    for w in params.values():
        assert all(not np.array_equal(w[0], other) for other in w[1:])


def test_it_is_the_same_engine_and_cannot_be_folded():
    p = problem()
    tied = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    net = tg.unfold(p.cell, tg.untie(p.params, 5), p.x, p.d, s0=p.s0, untied=True)
    assert [n.name for n in net.tape if n.t] == [n.name for n in tied.tape if n.t]
    net.replay()
    assert net.schedule.startswith("no plan")
    with pytest.raises(ValueError, match="cannot be folded"):
        net.fold()
    assert "U" in tg.draw(net).dot
    assert sum(1 for _ in net.steps()) > 0


def test_an_initial_state_that_is_trained_stays_one():
    p = problem()
    params = p.params | {"s_0": p.s0[0]}
    tied = tg.unfold(p.cell, params, p.x, p.d, s0="s_0")
    net = tg.unfold(p.cell, tg.untie(params, 5, keep=["s_0"]), p.x, p.d, s0="s_0", untied=True)
    tied.backward()
    net.backward()
    np.testing.assert_allclose(net.grads["s_0"], tied.grads["s_0"], rtol=1e-13)


def test_a_weight_that_some_steps_do_not_read_has_zeros_there():
    first = iter([True, False, False, False, False])

    def once(P, x, s):
        s = tg.ops.tanh(tg.ops.linear(x, P["V"], s, P["U"], P["b_j"]) if next(first) else tg.ops.linear(s, P["U"]))
        return s, tg.ops.softmax(tg.ops.linear(s, P["W"], P["b_k"]))

    p = problem()
    net = tg.unfold(once, tg.untie(p.params, 5), p.x, p.d, s0=p.s0, untied=True)
    net.backward()
    assert np.abs(net.grads["V"][0]).max() > 0
    np.testing.assert_array_equal(net.copies["V"], net.grads["V"])
    np.testing.assert_array_equal(net.grads["V"][1:], 0)


def test_what_is_refused():
    p = problem()
    with pytest.raises(tg.ShapeError, match=r"untied weights: V is \(4, 3\), and must be \(5, ...\)"):
        tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0, untied=True)
    with pytest.raises(ValueError, match="T=0"):
        tg.untie(p.params, 0)
    with pytest.raises(KeyError, match="keep names 's'"):
        tg.untie(p.params, 5, keep=["s"])
