"""Real-time recurrent learning: forward mode, for every cell the same numbers as backpropagation through time."""

import gc
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
import untied
from canonical import KINDS, problem
from cell_cases import CELLS, Case, own_pair, relative
from tinygrad_rnn import guo
from tinygrad_rnn.autodiff import OPS, BatchedValues, Op, record_pushforward
from tinygrad_rnn.unfold.structure import flatten, rebuild

every_cell = pytest.mark.parametrize("name", CELLS)
sizes = st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))


def windows(case, **options):
    return list(tg.rtrl(case.cell, case.params, case.x, case.d, **{"loss": case.loss, "s0": case.s0} | options))


def assert_equals_bptt(case):
    net = case.unfold()
    found = windows(case)
    for t, window in enumerate(found, 1):
        net.backward(of=t)
        assert (window.first, window.last) == (t, t)
        assert window.loss == pytest.approx(float(net.losses[t - 1].value), rel=1e-13)
        for name, w in case.params.items():
            assert window.grads[name].shape == w.shape
            assert relative(window.grads[name], net.grads[name]) < 1e-12, (t, name)
        for ours, theirs in zip(flatten(window.state), flatten(net.states[t]), strict=True):
            np.testing.assert_allclose(ours, theirs.value, rtol=1e-13, atol=1e-14)
    net.backward()
    for name in case.params:
        assert relative(sum(w.grads[name] for w in found), net.grads[name]) < 1e-12, name


@every_cell
def test_at_every_time_it_is_the_gradient_of_that_cost(name):
    assert_equals_bptt(Case(CELLS[name]))


@pytest.mark.parametrize("name", ["guo", "lstm", "gru", "two lstms", "own above"])
@settings(max_examples=10, deadline=None)
@given(sizes=sizes, seed=st.integers(0, 1000))
def test_at_all_sizes(name, sizes, seed):
    assert_equals_bptt(Case(CELLS[name], sizes, seed))


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_four_roads_to_one_number(kind):
    """The tape, Guo's equations by hand, real-time recurrent learning, and differences of untied copies."""
    p = problem(*kind)
    f, g, loss = kind
    net = tg.unfold(p.cell, p.params, p.x, p.d, loss=loss, s0=p.s0)
    net.backward()
    by_hand = guo.gradients(p.params, p.x, p.d, p.s0, f=f, g=g, loss=loss)
    found = list(tg.rtrl(p.cell, p.params, p.x, p.d, loss=loss, s0=p.s0))
    cost = {"squared_error": untied.squared_error}.get(loss) or {"softmax": untied.cross_entropy}.get(g)
    copies, _ = untied.gradients(p.cell, p.params, p.x, p.d, p.s0, cost or untied.bernoulli)
    for name in p.params:
        forwards = sum(w.grads[name] for w in found)
        assert relative(forwards, net.grads[name]) < 1e-12
        assert relative(forwards, by_hand.grads[name]) < 1e-12
        assert relative(forwards, copies[name].sum(axis=0)) < 1e-8


def test_the_influence_is_the_slope_of_the_state():
    case = Case(CELLS["gru"])
    *_, last = windows(case)

    def state(params):
        s = case.s0
        for x in case.x:
            s, _ = case.cell(params, x, s)
        return s

    for name in ("V", "U", "b_j", "b_n"):
        for at in [(0,) * case.params[name].ndim, tuple(n - 1 for n in case.params[name].shape)]:
            params = {n: w + 0j for n, w in case.params.items()}
            params[name][at] += 1e-30j
            np.testing.assert_allclose(last.carried[name][at], state(params).imag / 1e-30, rtol=1e-11, atol=1e-14)
    assert set(last.carried) == {"V", "U", "b_j", "b_n"}  # the head has no influence on the state


def test_what_it_carries_is_the_states_size_times_the_weights_and_does_not_grow():
    case = Case(CELLS["two lstms"])
    found = windows(case)
    entries = {f"{name}[{k}]": case.params[name].size * s.size for name in ("V_1", "U_1", "b_j_1") for k, s in
               enumerate(flatten(case.s0))}  # fmt: skip
    for name, array in found[-1].carried.items():
        assert array.size == entries.get(name, array.size)
        assert array.shape[: case.params[name[:-3]].ndim] == case.params[name[:-3]].shape
    assert "V_2[0]" not in found[-1].carried  # the upper layer has no influence on the lower one
    assert len({w.carried_bytes for w in found}) == 1
    assert found[0].carried_bytes == sum(a.nbytes for a in found[0].carried.values())


def test_a_stream_without_end_takes_flat_memory():
    p = problem()

    def forever(array):
        while True:
            yield from array

    held = []
    tracemalloc.start()
    for t, _ in enumerate(tg.rtrl(p.cell, p.params, forever(p.x), forever(p.d), s0=p.s0), 1):
        if t in (100, 400):
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
        if t == 400:
            break
    tracemalloc.stop()
    assert held[1] < held[0] + 300 * 100  # bytes; the tape of one step alone takes some ten thousand


def test_parameters_are_read_at_each_step_and_never_written():
    p = problem()
    kept = {name: w.copy() for name, w in p.params.items()}
    running = tg.rtrl(p.cell, p.params, p.x, p.d, s0=p.s0)
    first = next(running)
    for name, w in p.params.items():
        np.testing.assert_array_equal(w, kept[name])
        np.subtract(w, 0.1 * first.grads[name], out=w)
    second = next(running)
    now = tg.unfold(p.cell, p.params, p.x[1:2], p.d[1:2], s0=first.state)
    assert second.loss == pytest.approx(now.loss, rel=1e-13)
    running.close()


def test_an_interrupt_leaves_the_parameters_as_they_are():
    p = problem()
    kept = {name: w.copy() for name, w in p.params.items()}

    def interrupted():
        yield p.x[0]
        raise KeyboardInterrupt

    running = tg.rtrl(p.cell, p.params, interrupted(), p.d, s0=p.s0)
    next(running)
    with pytest.raises(KeyboardInterrupt):
        next(running)
    for name, w in p.params.items():
        np.testing.assert_array_equal(w, kept[name])
        np.add(w, 1.0, out=w)  # they can be written to


@pytest.mark.parametrize("name", ["guo", "lstm", "two lstms"])
def test_a_trained_initial_state(name):
    case = Case(CELLS[name])
    names = [f"start_{k}" for k in range(len(flatten(case.s0)))]
    case.params |= {n: s[0] for n, s in zip(names, flatten(case.s0), strict=True)}
    case.s0 = rebuild(case.s0, names)
    assert_equals_bptt(case)


def test_float32_stays_float32():
    case = Case(CELLS["lstm"])
    case.params = {name: w.astype("float32") for name, w in case.params.items()}
    case.x, case.d = case.x.astype("float32"), case.d.astype("float32")
    case.s0 = tuple(s.astype("float32") for s in case.s0)
    *_, last = windows(case)
    assert {a.dtype.name for a in [*last.grads.values(), *last.carried.values()]} == {"float32"}


def test_rows_of_a_table_are_weights_like_others():
    rng = np.random.default_rng(0)
    p = problem()
    params = p.params | {"E": rng.normal(size=(5, p.x.shape[2]))}

    def cell(P, x, s):
        e = tg.ops.embedding(tg.ops.reshape(x, source=x.shape, to=x.shape[:1]), P["E"])
        return p.cell(P, e, s)

    x = rng.integers(5, size=(*p.x.shape[:2], 1)).astype(float)
    net = tg.unfold(cell, params, x, p.d, s0=p.s0)
    net.backward()
    found = list(tg.rtrl(cell, params, x, p.d, s0=p.s0))
    for name in params:
        assert relative(sum(w.grads[name] for w in found), net.grads[name]) < 1e-12, name


def test_a_cell_whose_steps_differ():
    p = problem()
    calls = []

    def cell(P, x, s):
        calls.append(1)
        if len(calls) % 2:
            return p.cell(P, x, s)
        s = tg.ops.sigmoid(tg.ops.linear(s, P["U"]) * tg.ops.linear(x, P["V"]))
        return s, tg.ops.softmax(tg.ops.linear(s, P["W"]))

    net = tg.unfold(cell, p.params, p.x, p.d, s0=p.s0)
    net.backward()
    calls.clear()
    found = list(tg.rtrl(cell, p.params, p.x, p.d, s0=p.s0))
    for name in p.params:
        assert relative(sum(w.grads[name] for w in found), net.grads[name]) < 1e-12, name


def test_bad_input_is_refused_in_words():
    p = problem()
    with pytest.raises(ValueError, match="loss='hinge': it is one of cross_entropy, squared_error"):
        tg.rtrl(p.cell, p.params, p.x, p.d, loss="hinge")
    with pytest.raises(ValueError, match="the stream is empty"):
        list(tg.rtrl(p.cell, p.params, [], []))
    with pytest.raises(tg.ShapeError, match=r"linear at t=1 \(G2\): x\(1\) is \(2, 2\) and V\(1\) is \(4, 3\)"):
        list(tg.rtrl(p.cell, p.params, p.x[..., :2], p.d))
    with pytest.raises(tg.ShapeError, match=r"s0 is \(3, 4\), and the state of 2 samples is \(2, 4\)"):
        list(tg.rtrl(p.cell, p.params, p.x, p.d, s0=np.zeros((3, 4))))
    with pytest.raises(tg.ShapeError, match="all arrays must have one dtype"):
        list(tg.rtrl(p.cell, p.params, p.x.astype("float32"), p.d))
    with pytest.raises(ValueError, match="this cell has no initial_state"):
        list(tg.rtrl(own_pair, p.params, p.x, p.d))
    with pytest.raises(ValueError, match="s0 names the parameter 'start'"):
        list(tg.rtrl(p.cell, p.params, p.x, p.d, s0="start"))


def test_weights_of_another_shape_in_the_middle_of_a_stream():
    p = problem()
    running = tg.rtrl(p.cell, p.params, p.x, p.d)
    next(running)
    p.params["V"] = np.zeros((4, 5))
    with pytest.raises(tg.ShapeError, match=r"at t=2 the parameter V is \(4, 5\), and at t=1 it was \(4, 3\)"):
        next(running)


# ---- the pushforward as nodes, which it is made with


@pytest.mark.parametrize("name", CELLS)
def test_the_recorded_pushforward_is_the_pushforward_for_any_number_of_copies(name):
    net = Case(CELLS[name]).unfold()
    tape, size, rng = net.tape, len(net.tape), np.random.default_rng(0)
    seeds = {w: tape.leaf(np.zeros_like(w.value), active=False) for w in net.weights.values()}
    first = len(tape)
    moved = record_pushforward(tape, tape.nodes[:size], seeds)
    many = {w: rng.normal(size=(3, *leaf.shape)) for w, leaf in seeds.items()}
    given = {seeds[w]: each for w, each in many.items()}
    values = BatchedValues(tape.values, given).run(tape.nodes[first:])
    for k in range(3):
        expected = tape.tangents({w: each[k] for w, each in many.items()})
        for node, tangent in moved.items():
            assert relative(values[tangent][k], expected[node]) < 1e-12, repr(node)


def test_an_op_without_a_rule_for_tangents_says_so():
    half = Op(lambda x, out=None: 0.5 * x, label="half", latex="{0} / 2")
    half.name = "half"
    half.vjp(0, latex="{g} / 2")(lambda g, y, x: 0.5 * g)
    assert "half" not in OPS
    p = problem()

    def cell(P, x, s):
        s, y = p.cell(P, x, s)
        return half(s), y

    with pytest.raises(tg.TapeError, match=r"half at t=1: it has no tangent with respect to s\(1\)"):
        list(tg.rtrl(cell, p.params, p.x, p.d, s0=p.s0))
