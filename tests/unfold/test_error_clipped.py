"""Clipping inside the recursion: part of the unfolded graph, and the same in every way of playing it."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from canonical import problem
from tinygrad_rnn.unfold.structure import flatten


def by_hand(p, bound):
    """dC / d net_j(t) by Guo's recursion (26), the error cut off before it goes to the step before; f is tanh."""
    P, s, states, errors = p.params, p.s0, [p.s0], []
    for x, d in zip(p.x, p.d, strict=True):
        s = np.tanh(x @ P["V"].T + s @ P["U"].T + P["b_j"])
        net_k = s @ P["W"].T + P["b_k"]
        y = np.exp(net_k) / np.exp(net_k).sum(axis=1, keepdims=True)
        states.append(s)
        errors.append((y - d) @ P["W"])
    later, found = np.zeros_like(s), []
    for s, error in zip(states[:0:-1], errors[::-1], strict=True):
        net_j = (error + np.clip(later, -bound, bound)) * (1 - s**2)
        found.insert(0, net_j)
        later = net_j @ P["U"]
    return found, states


@pytest.mark.parametrize("bound", [0.01, 0.3, 100.0])
def test_it_is_guos_recursion_with_the_error_cut_off(bound):
    p = problem()
    net = tg.unfold(tg.cells.ErrorClipped(p.cell, bound), p.params, p.x, p.d, s0=p.s0)
    errors, states = by_hand(p, bound)
    for planned in (False, True):
        if planned:
            net.replay(p.x, p.d)
            assert "no plan" not in net.schedule
        net.backward()
        found = [n.cotangent for n in net.tape if n.name == "net_j"]
        np.testing.assert_allclose(found, errors, rtol=1e-12, atol=1e-14)
        copies = [g.T @ s for g, s in zip(errors, states, strict=False)]
        np.testing.assert_allclose(net.copies["U"], copies, rtol=1e-12, atol=1e-14)


CELLS = {
    "LSTM": tg.cells.LSTM(),
    "GRU": tg.cells.GRU(),
    "stacked": tg.cells.Stacked(tg.cells.LSTM(), tg.cells.Guo()),
}


def data(cell, seed=0, sizes=(5, 2, 3, 4, 6)):
    steps, samples, n_in, n_hidden, n_out = sizes
    rng = np.random.default_rng(seed)
    params = {name: rng.normal(size=w.shape) for name, w in cell.init(n_in, n_hidden, n_out, rng=0).items()}
    return params, rng.normal(size=(steps, samples, n_in)), rng.dirichlet(np.ones(n_out), size=(steps, samples))


@pytest.mark.parametrize("name", CELLS)
def test_a_wide_bound_changes_nothing_and_a_narrow_one_holds(name):
    cell = CELLS[name]
    params, x, d = data(cell)
    plain = tg.unfold(cell, params, x, d)
    wide = tg.unfold(tg.cells.ErrorClipped(cell, 1e6), params, x, d)
    plain.backward()
    wide.backward()
    assert wide.loss == plain.loss
    for weight in params:
        np.testing.assert_array_equal(wide.grads[weight], plain.grads[weight])
    assert wide.check().ok

    narrow = tg.unfold(tg.cells.ErrorClipped(cell, 0.02), params, x, d)
    narrow.replay(x, d)
    narrow.backward()
    clips = [n for n in narrow.tape if n.op is not None and n.op.name == "clip_error"]
    assert len(clips) == len(x) * len(flatten(narrow.states[1]))
    came = [n.cotangent for n in clips if n.cotangent is not None]
    assert max(np.abs(g).max() for g in came) > 0.02
    fresh = tg.unfold(tg.cells.ErrorClipped(cell, 0.02), params, x, d)
    fresh.backward()
    for weight in params:
        np.testing.assert_allclose(narrow.grads[weight], fresh.grads[weight], rtol=1e-10, atol=1e-12)
    assert not np.allclose(narrow.grads["U" if "U" in params else "U_1"], plain.grads["U" if "U" in params else "U_1"])
    assert not narrow.check().ok  # what is clipped is no derivative, and the check says so


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.tuples(st.integers(1, 6), st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(1, 3)),
    bound=st.floats(1e-3, 3),
    seed=st.integers(0, 99),
)
def test_any_size_and_bound(sizes, bound, seed):
    p = problem(sizes=sizes, seed=seed)
    net = tg.unfold(tg.cells.ErrorClipped(p.cell, bound), p.params, p.x, p.d, s0=p.s0)
    net.backward()
    errors, states = by_hand(p, bound)
    expected = sum(g.T @ s for g, s in zip(errors, states, strict=False))
    np.testing.assert_allclose(net.grads["U"], expected, rtol=1e-10, atol=1e-12)


def test_inside_a_stack_and_drawn():
    cell = tg.cells.Stacked(tg.cells.ErrorClipped(tg.cells.GRU(), 0.05), tg.cells.Guo())
    params, x, d = data(cell)
    net = tg.unfold(cell, params, x, d)
    assert {n.name for n in net.tape if n.op is not None and n.op.name == "clip_error"} == {"s_clipped_1"}
    assert any("clip" in str(attributes.get("op")) for _, attributes in net.graph().nodes(data=True))
    assert "clip" in str(tg.draw(net).dot)


def test_equations_follow_the_clipped_state():
    p = problem()
    net = tg.unfold(tg.cells.ErrorClipped(p.cell), p.params, p.x, p.d, s0=p.s0)
    backward = [s for s in net.steps() if s.share and s.share.parent.name == "s_clipped"]
    assert {s.equation for s in backward if s.node.name == "net_j"} == {"G26"}


def test_equations_inside_a_stack():
    cell = tg.cells.Stacked(tg.cells.ErrorClipped(tg.cells.Guo()), tg.cells.Guo())
    params, x, d = data(cell)
    backward = [s for s in tg.unfold(cell, params, x, d).steps() if s.share and s.share.parent.name == "s_clipped_1"]
    assert {s.equation for s in backward if s.node.name == "net_j_1"} == {"G26"}


def test_it_stands_for_its_cell():
    cell = tg.cells.ErrorClipped(tg.cells.LSTM(), 3)
    assert repr(cell).endswith(", 3)")
    assert repr(copy.deepcopy(cell)) == repr(cell)
    assert set(cell.init(2, 3, 4)) == {"V", "U", "b_j", "W", "b_k"}
    with pytest.raises(AttributeError):
        cell.no_such_thing  # noqa: B018  # reading it is the test


@pytest.mark.parametrize("bound", [0, -1.0, np.nan])
def test_a_bound_that_is_none(bound):
    with pytest.raises(ValueError, match="bound must be above 0"):
        tg.cells.ErrorClipped(tg.cells.Guo(), bound)


def test_no_cell():
    with pytest.raises(TypeError, match="pass a cell"):
        tg.cells.ErrorClipped(tg.cells.Guo)
