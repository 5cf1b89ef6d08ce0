"""Checkpointing: the gradient of storing everything, the schedule's number of plays, and no more memory than said."""

import functools
import gc
import operator
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from canonical import KINDS, problem
from tinygrad_rnn.through_time import fewest_plays
from tinygrad_rnn.unfold import Unfolded
from tinygrad_rnn.unfold.structure import flatten, rebuild

CELLS = {
    "Guo": tg.cells.Guo(),
    "LSTM": tg.cells.LSTM(peepholes=True),
    "GRU": tg.cells.GRU(),
    "stacked": tg.cells.Stacked(tg.cells.GRU(), tg.cells.LSTM()),
    "clipped": tg.cells.ErrorClipped(tg.cells.Guo(), 0.1),
}


def data(cell, steps=13, seed=0, samples=2):
    rng = np.random.default_rng(seed)
    params = {name: rng.normal(size=w.shape) for name, w in cell.init(3, 4, 6, rng=0).items()}
    x, d = rng.normal(size=(steps, samples, 3)), rng.dirichlet(np.ones(6), size=(steps, samples))
    return params, x, d


def assert_close(found, net):
    assert found.loss == pytest.approx(net.loss, rel=1e-12)
    for name in net.grads:
        np.testing.assert_allclose(found.grads[name], net.grads[name], rtol=1e-9, atol=1e-11, err_msg=name)
    pairs = zip(flatten(found.initial), flatten(net.states[0]), strict=True)
    for error, s in pairs:
        np.testing.assert_allclose(error, s.cotangent, rtol=1e-9, atol=1e-11)
    for state, s in zip(flatten(found.state), flatten(net.states[-1]), strict=True):
        np.testing.assert_allclose(state, s.value, rtol=1e-12, atol=1e-15)  # an entry near 0 has fewer digits


def assert_bits(found, like):
    assert found.loss == like.loss
    for name in like.grads:
        np.testing.assert_array_equal(found.grads[name], like.grads[name], err_msg=name)
    for a, b in zip(flatten((found.initial, found.state)), flatten((like.initial, like.state)), strict=True):
        np.testing.assert_array_equal(a, b)


# ---- the schedule


def by_recursion(segments, memory):
    """C(t, m), written out as the paper defines it; nothing is taken from the library."""

    @functools.cache
    def plays(t, m):
        if t <= 1:
            return t
        if m == 1:
            return t * (t + 1) // 2
        return min(y + plays(t - y, m - 1) + plays(y, m) for y in range(1, t))

    return plays(segments, memory)


def test_the_sum_solves_the_papers_recursion():
    for t in range(1, 41):
        for m in range(1, 12):
            assert fewest_plays(t, m) == by_recursion(t, m)
        assert fewest_plays(t, t) == fewest_plays(t, t + 5) == 2 * t - 1


@pytest.mark.parametrize(("memory", "plays"), [(10, 4636), (20, 3747), (32, 3405), (50, 2948)])
def test_known_numbers_of_plays(memory, plays):
    assert fewest_plays(1000, memory) == plays


@settings(max_examples=40, deadline=None)
@given(steps=st.integers(1, 30), every=st.integers(1, 7), memory=st.integers(1, 9))
def test_what_is_played_is_what_the_schedule_says(steps, every, memory):
    p = problem(sizes=(steps, 1, 2, 3, 2))
    count = -(-steps // every)
    played, least = [], fewest_plays(count, memory)
    with pytest.MonkeyPatch.context() as patch:  # counts the passes themselves
        for name in ("replay", "carry"):
            original = getattr(Unfolded, name)
            patch.setattr(Unfolded, name, lambda net, *a, f=original, **k: (played.append(net.T), f(net, *a, **k))[1])
        found = tg.checkpointed(p.cell, p.params, p.x, p.d, s0=p.s0, every=every, memory=memory)
    assert (len(played), sum(played)) == (found.plays, found.steps)
    assert found.plays == least
    assert found.kept <= memory
    whole = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    whole.backward()
    assert_close(found, whole)


def test_a_thousand_steps_one_by_one():
    p = problem(sizes=(1000, 1, 2, 3, 2))
    found = tg.checkpointed(p.cell, p.params, p.x, p.d, s0=p.s0, memory=50)
    assert (found.plays, found.steps, found.kept) == (2948, 2948, 50)


# ---- bit for bit


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("every", [1, 4])
def test_however_few_states_are_kept_every_bit_stays(name, every):
    """Compared: the same plans of the same segments, their gradients added from the last to the first."""
    cell = CELLS[name]
    params, x, d = data(cell)
    everything = tg.checkpointed(cell, params, x, d, every=every)
    count = -(-len(x) // every)
    assert everything.plays == 2 * count - 1
    for memory in range(1, count):
        few = tg.checkpointed(cell, params, x, d, every=every, memory=memory)
        assert few.plays == fewest_plays(count, memory)
        assert few.kept <= memory
        assert_bits(few, everything)


@pytest.mark.parametrize("name", CELLS)
def test_storing_all_segments_gives_the_same_bits(name):
    """Compared: one network for each segment, all stored; their gradients added from the last to the first."""
    cell = CELLS[name]
    params, x, d = data(cell)
    cuts = [slice(a, a + 4) for a in range(0, len(x), 4)]
    nets, s0 = [], None
    for cut in cuts:
        nets.append(tg.unfold(cell, params, x[cut], d[cut], s0=s0))
        nets[-1].replay()
        s0 = nets[-1].last_state
    later, total, loss = None, {}, 0.0
    for net in reversed(nets):
        net.backward(later=later)
        later = rebuild(net.states[0], [np.array(s.cotangent) for s in flatten(net.states[0])])
        total = {k: total[k] + g if k in total else g for k, g in net.grads.items()}
        loss += net.loss
    found = tg.checkpointed(cell, params, x, d, every=4, memory=2)
    assert found.loss == loss
    for k, g in total.items():
        np.testing.assert_array_equal(found.grads[k], g, err_msg=k)
    for a, b in zip(flatten(found.initial), flatten(later), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", CELLS)
def test_step_by_step_on_the_tape_it_is_the_unfolded_network_bit_for_bit(name, monkeypatch):
    """Compared: one network of all steps, played node by node, its copies' gradients added from the last to the first.

    Without plans, each step's operations are then the same ones on both sides.
    """

    def no_plan(net):
        net.schedule = "no plan: switched off by a test"

    monkeypatch.setattr(Unfolded, "_make_plan", no_plan)
    cell = CELLS[name]
    params, x, d = data(cell)
    whole = tg.unfold(cell, params, x, d)
    whole.backward()
    found = tg.checkpointed(cell, params, x, d, memory=3)
    for weight in params:
        np.testing.assert_array_equal(found.grads[weight], functools.reduce(operator.add, whole.copies[weight][::-1]))
    for error, s in zip(flatten(found.initial), flatten(whole.states[0]), strict=True):
        np.testing.assert_array_equal(error, s.cotangent)
    assert found.loss == functools.reduce(operator.add, [float(c.value) for c in whole.losses[::-1]])


# ---- against one network of all steps


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.tuples(st.integers(1, 12), st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(1, 3)),
    kind=st.sampled_from(KINDS),
    reduction=st.sampled_from(["sum", "mean"]),
    every=st.none() | st.integers(1, 15),
    seed=st.integers(0, 99),
)
def test_any_size_and_length(sizes, kind, reduction, every, seed):
    p = problem(*kind, sizes=sizes, seed=seed)
    whole = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0, loss=p.loss, reduction=reduction)
    whole.backward()
    found = tg.checkpointed(p.cell, p.params, p.x, p.d, s0=p.s0, loss=p.loss, reduction=reduction, every=every)
    assert_close(found, whole)
    assert (found.first, found.last) == (1, len(p.x))


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_an_initial_state_that_is_trained(reduction):
    p = problem()
    params = p.params | {"s_0": p.s0[0]}
    whole = tg.unfold(p.cell, params, p.x, p.d, s0="s_0", reduction=reduction)
    whole.backward()
    found = tg.checkpointed(p.cell, params, p.x, p.d, s0="s_0", reduction=reduction, every=2)
    for name in params:
        np.testing.assert_allclose(found.grads[name], whole.grads[name], rtol=1e-11, atol=1e-13, err_msg=name)


def test_a_cell_that_has_no_plan():
    def keeps(P, x, state):
        s, never = state
        s = tg.ops.tanh(tg.ops.linear(x, P["V"], s + never, P["U"], P["b_j"]))
        return (s, never), tg.ops.softmax(tg.ops.linear(s, P["W"], P["b_k"]))

    p = problem()
    s0 = (p.s0, p.s0[::-1].copy())
    whole = tg.unfold(keeps, p.params, p.x, p.d, s0=s0)
    whole.backward()
    for memory in (1, 2, None):
        assert_close(tg.checkpointed(keeps, p.params, p.x, p.d, s0=s0, every=2, memory=memory), whole)


def test_parameters_and_lengths_may_change_between_calls():
    p = problem()
    gradient = tg.Checkpoints(p.cell, p.params, every=2)
    for steps in (5, 4, 5):
        found = gradient(p.x[:steps], p.d[:steps], s0=p.s0)
        whole = tg.unfold(p.cell, p.params, p.x[:steps], p.d[:steps], s0=p.s0)
        whole.backward()
        assert_close(found, whole)
        for name, g in found.grads.items():
            p.params[name] -= 0.1 * g


def test_float32_stays():
    p = problem()
    to = np.float32
    params = {name: w.astype(to) for name, w in p.params.items()}
    found = tg.checkpointed(p.cell, params, p.x.astype(to), p.d.astype(to), s0=p.s0.astype(to), reduction="mean")
    assert {g.dtype for g in (*found.grads.values(), found.initial, found.state)} == {np.dtype(to)}


@pytest.mark.parametrize(("T", "steps"), [(1, 1), (4, 6), (16, 28), (17, 32)])
def test_a_segment_is_the_square_root_of_the_length_rounded_up(T, steps):
    params, x, d = data(tg.cells.Guo(), T)
    assert tg.checkpointed(tg.cells.Guo(), params, x, d).steps == steps  # all but the last segment twice


# ---- memory


def peak(work):
    gc.collect()
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def test_memory_grows_with_the_root_and_not_with_the_length():
    cell = tg.cells.Guo()
    params = cell.init(2, 8, 2, rng=0)

    def whole(x, d):
        net = tg.unfold(cell, params, x, d)
        net.replay()
        net.backward()
        dict(net.grads)

    used = {}
    for steps in (400, 1600):
        x, d = np.ones((steps, 1, 2)), np.ones((steps, 1, 2)) / 2
        tg.checkpointed(cell, params, x[:9], d[:9])  # what is imported or remembered once
        used[steps] = peak(lambda x=x, d=d: whole(x, d)), peak(lambda x=x, d=d: tg.checkpointed(cell, params, x, d))
    assert used[1600][0] > 3.5 * used[400][0]
    assert used[1600][1] < 2.5 * used[400][1]
    assert used[1600][0] > 15 * used[1600][1]


# ---- what is refused


@pytest.mark.parametrize("wrong", [{"every": 0}, {"memory": 0}, {"every": 2.0}, {"memory": True}])
def test_a_count_that_is_none(wrong):
    p = problem()
    with pytest.raises(ValueError, match="an integer from 1 up"):
        tg.checkpointed(p.cell, p.params, p.x, p.d, **wrong)


def test_what_unfold_refuses_is_refused_at_once():
    p = problem()
    with pytest.raises(ValueError, match="reduction='total'"):
        tg.checkpointed(p.cell, p.params, p.x, p.d, reduction="total")
    with pytest.raises(ValueError, match="loss='none'"):
        tg.checkpointed(p.cell, p.params, p.x, p.d, loss="none")
    with pytest.raises(tg.ShapeError, match="must agree on t and p"):
        tg.checkpointed(p.cell, p.params, p.x, p.d[:-1], every=2)
    with pytest.raises(tg.ShapeError, match="s0 is"):
        tg.checkpointed(p.cell, p.params, p.x, p.d, s0=(p.s0, p.s0))


@pytest.mark.parametrize(
    ("given", "said"),
    [((-1, 2), "segments=-1"), ((2.5, 2), "segments=2.5"), ((5, 0), "memory=0"), ((5, "a"), "memory='a'")],
)
def test_no_number_of_segments_or_states(given, said):
    with pytest.raises(ValueError, match=f"{said}: it is an integer from"):
        fewest_plays(*given)
