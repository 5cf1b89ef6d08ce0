"""The plan plays what the tape says: every value, every cotangent, every copy, for every kind of cell."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from canonical import KINDS, problem
from tinygrad_rnn.autodiff import Outer

o = tg.ops


def textbook(P, x, s):
    s = o.tanh(x @ P["V"].T + s @ P["U"].T + P["b_j"])
    return s, o.softmax(s @ P["W"].T + P["b_k"])


def gated(P, x, s):
    z = o.sigmoid(o.linear(x, P["V"], s, P["U"], P["b_j"]))
    c = o.tanh(o.linear(x, P["V"], z * s, P["U"]) * 0.5)
    s = (1 - z) * s + z * c
    return s, o.softmax(o.linear(s, P["W"], P["b_k"]))


def four_gates(P, x, s):
    """The four gates of an LSTM in one sum, cut into its parts; half of the state is the cell."""
    n = s.shape[-1] // 2
    c, h = o.part(s, start=0, stop=n), o.part(s, start=n, stop=2 * n)
    net = o.linear(x, P["V4"], h, P["U4"], P["b4"])
    i, f, g, out = (o.part(net, start=k * n, stop=(k + 1) * n) for k in range(4))
    c = o.sigmoid(f) * c + o.sigmoid(i) * o.tanh(g)
    h = o.sigmoid(out) * o.tanh(c)
    s = o.concatenate(c, h, axis=-1)
    return s, o.softmax(o.linear(s, P["W"], P["b_k"]))


def side_by_side(P, x, s):
    """Input and state in one row, [x s], against one weight."""
    s = o.tanh(o.linear(o.concatenate(x, s, axis=-1), P["VU"], P["b_j"]))
    return s, o.softmax(o.linear(s, P["W"], P["b_k"]))


def turned(P, x, s):
    """A state that is read through views alone: cut, turned and put together again."""
    n = s.shape[-1] // 2
    front, back = s[:, :n], o.part(s, start=n, stop=2 * n)
    s = o.concatenate(back, front, axis=-1) * 0.5 + o.tanh(o.linear(x, P["V"]))
    return s, o.softmax(o.linear(s, P["W"], P["b_k"]))


def unsaid(P, x, s):
    """A state that does not depend on the one before, a weight read twice, a square, a sum over units."""
    s = o.tanh(o.linear(x, P["V"]))
    y = o.linear(s * s, P["W"], P["b_k"]) * s.sum(axis=-1, keepdims=True)
    return s, o.softmax(o.linear(o.linear(s, P["U"]), P["W"]) + y)


def kept(P, x, s):
    return s, o.softmax(o.linear(s, P["W"], P["b_k"]))


CELLS = [textbook, gated, four_gates, side_by_side, turned, unsaid]


def parameters(p, rng):
    m, n_in = p.params["U"].shape[0], p.params["V"].shape[1]
    n = m // 2
    more = {"VU": (m, n_in + m), "V4": (4 * n, n_in), "U4": (4 * n, n), "b4": (4 * n,)}
    return p.params | {name: rng.normal(size=shape) for name, shape in more.items()}


def assert_same(net, fresh):
    assert net.loss == pytest.approx(fresh.loss, rel=1e-13)
    for ours, theirs in zip(net.tape, fresh.tape, strict=True):
        np.testing.assert_allclose(ours.value, theirs.value, rtol=1e-11, atol=1e-12, err_msg=repr(ours))
        a, b = ours.cotangent, theirs.cotangent
        if ours.t and theirs.cotangent is not None:
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-9, atol=1e-11, err_msg=repr(ours))
    for name in net.grads:
        np.testing.assert_allclose(net.grads[name], fresh.grads[name], rtol=1e-9, atol=1e-11, err_msg=name)
        np.testing.assert_allclose(net.copies[name], fresh.copies[name], rtol=1e-9, atol=1e-11, err_msg=name)
        np.testing.assert_allclose(net.copies[name].sum(axis=0), net.grads[name], rtol=1e-9, atol=1e-11)


def check(cell, params, p, other, **options):
    net = tg.unfold(cell, params, p.x, p.d, s0=p.s0, **options)
    net.replay(other.x, other.d)
    assert "no plan" not in net.schedule
    net.backward()
    fresh = tg.unfold(cell, params, other.x, other.d, s0=p.s0, **options)
    fresh.backward()
    assert_same(net, fresh)
    return net


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.tuples(st.integers(1, 6), st.integers(1, 3), st.integers(1, 4), st.integers(2, 6), st.integers(2, 4)),
    kind=st.sampled_from(KINDS),
    reduction=st.sampled_from(["sum", "mean"]),
    keep=st.sampled_from(["needed", "all"]),
    seed=st.integers(0, 1000),
)
def test_guos_cell_of_any_kind_and_size(sizes, kind, reduction, keep, seed):
    p, other = problem(*kind, sizes=sizes, seed=seed), problem(*kind, sizes=sizes, seed=seed + 1)
    check(p.cell, p.params, p, other, loss=p.loss, reduction=reduction, keep=keep)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.tuples(
        st.integers(1, 5), st.integers(1, 3), st.integers(1, 4), st.sampled_from([2, 4, 6]), st.integers(2, 4)
    ),
    cell=st.sampled_from(CELLS),
    keep=st.sampled_from(["needed", "all"]),
    seed=st.integers(0, 1000),
)
def test_a_users_cell(sizes, cell, keep, seed):
    p, other = problem(sizes=sizes, seed=seed), problem(sizes=sizes, seed=seed + 1)
    check(cell, parameters(p, np.random.default_rng(seed)), p, other, keep=keep)


def test_training_sees_the_parameters_of_the_moment():
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    for _ in range(3):
        net.replay()
        net.backward()
        for name, gradient in net.grads.items():
            p.params[name] -= 0.05 * gradient
    net.replay()
    net.backward()
    fresh = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    fresh.backward()
    assert_same(net, fresh)


def test_watching_and_replaying_can_take_turns():
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    net.replay()
    net.backward()
    planned = {name: g.copy() for name, g in net.grads.items()}
    list(net.steps())
    for name, gradient in planned.items():
        np.testing.assert_allclose(net.grads[name], gradient, rtol=1e-10, atol=1e-12)
    net.replay(p.x * 2)
    net.backward(of=3)
    fresh = tg.unfold(p.cell, p.params, p.x * 2, p.d, s0=p.s0)
    fresh.backward(of=3)
    assert_same(net, fresh)
    net.backward()
    fresh.backward()
    assert_same(net, fresh)


def test_what_was_read_before_a_replay_stays():
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    net.replay()
    net.backward()
    gradients, copies = net.grads["U"], net.copies["U"]
    before = gradients.copy(), copies.copy()
    net.replay(p.x * 3)
    net.backward()
    np.testing.assert_array_equal(gradients, before[0])
    np.testing.assert_array_equal(copies, before[1])


def test_nodes_look_at_the_very_numbers_of_the_replay():
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    net.replay()
    net.backward()
    states = [s.value for s in net.states[1:]]
    assert all(s.base is not None for s in states)
    step = states[1].__array_interface__["data"][0] - states[0].__array_interface__["data"][0]
    assert step == states[0].nbytes  # the copies lie side by side
    with pytest.raises(ValueError, match="read-only"):
        states[0][...] = 0
    copy = next(n for n in net.tape if n.op is tg.ops.copy and n.name == "U" and n.t == 2)
    assert isinstance(copy.cotangent, Outer)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_state_that_is_handed_on_as_it_is_has_a_plan_too(steps):
    p, other = problem(sizes=(steps, 2, 3, 4, 5)), problem(sizes=(steps, 2, 3, 4, 5), seed=8)
    net = tg.unfold(kept, p.params, p.x, p.d, s0=p.s0)
    net.replay(other.x, other.d)
    assert "no plan" not in net.schedule
    net.backward()
    fresh = tg.unfold(kept, p.params, other.x, other.d, s0=p.s0)
    fresh.backward()
    assert_same(net, fresh)


@pytest.mark.parametrize("how", ["other op", "other number", "more nodes"])
def test_a_cell_whose_steps_differ_is_played_node_by_node_and_says_so(how):
    p, calls = problem(), []

    def cell(P, x, s):
        calls.append(how)
        late = len(calls) == 4
        s = (
            o.tanh(o.linear(x, P["V"], s, P["U"]))
            if not (late and how == "other op")
            else o.sigmoid(o.linear(x, P["V"], s, P["U"]))
        )
        s = s * (0.5 if late and how == "other number" else 0.25)
        if late and how == "more nodes":
            s = o.tanh(s)
        return s, o.softmax(o.linear(s, P["W"]))

    net = tg.unfold(cell, p.params, p.x, p.d, s0=p.s0)
    net.backward()
    before = net.loss, net.grads["U"]
    assert net.replay() == before[0]
    assert net.schedule.startswith("no plan, every node is played by itself: ")
    net.backward()
    np.testing.assert_array_equal(net.grads["U"], before[1])


def test_a_cell_that_computes_something_else_when_it_is_called_again_is_no_step_of_the_network():
    p, calls = problem(), []

    def cell(P, x, s):
        calls.append(1)
        f = o.tanh if len(calls) <= len(p.x) else o.sigmoid
        s = f(o.linear(x, P["V"], s, P["U"]))
        return s, o.softmax(o.linear(s, P["W"]))

    net = tg.unfold(cell, p.params, p.x, p.d, s0=p.s0)
    says = "the cell computed something else when it was called again"
    for fold in (net.fold, net.stacked):
        with pytest.raises(ValueError, match=f"cannot be folded: {says}"):
            fold()
    assert net.source_lines() == {}
    net.replay()
    assert says in net.schedule


def test_what_is_recorded_afterwards_does_not_change_the_step():
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    nodes, lines = list(net.fold().nodes), net.source_lines()
    with net.tape.step(1):
        o.tanh(net.states[1])
    assert list(net.fold().nodes) == nodes
    assert net.source_lines() == lines != {}


def test_the_loops_are_the_recurrence_and_nothing_else():
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    net.replay()
    forwards, backwards = net.schedule.split("\n\n")
    assert forwards.count("#") == 3  # U s, + the rest, tanh
    assert backwards.count("#") == 3  # both shares of s, through tanh, through U


def replayed(cell, samples, seed=3, steps=5, inputs=2, **options):
    rng = np.random.default_rng(seed)
    params = {name: rng.normal(size=w.shape) for name, w in cell.init(inputs, 3, 4, rng=0).items()}
    x, d = rng.normal(size=(steps, samples, inputs)), rng.dirichlet(np.ones(4), size=(steps, samples))
    net = tg.unfold(cell, params, x, d, **options)
    net.replay()
    net.backward()
    return net


@pytest.mark.parametrize(
    ("cell", "samples", "calls"),
    [(tg.cells.LSTM(), 1, 7), (tg.cells.LSTM(), 2, 7), (tg.cells.GRU(), 1, 5), (tg.cells.GRU(), 2, 5)],
)
def test_what_does_not_wait_for_the_error_leaves_the_loop(cell, samples, calls):
    """Error, error times known factors (one call for several samples), sums, one product with weights: nothing else."""
    backwards = replayed(cell, samples).schedule.split("\n\n")[1]
    assert backwards.count("#") == calls, backwards


def test_the_gates_of_one_sample_are_activated_together():
    net = replayed(tg.cells.LSTM(), 1)
    assert "i, f, g, o = sigmoid, sigmoid, tanh, sigmoid" in net.schedule
    for gate, activation in (("i", o.sigmoid), ("f", o.sigmoid), ("g", o.tanh), ("o", o.sigmoid)):
        for node in net.tape:
            if node.name == gate:
                # The net input is not kept: it is computed again, for one copy alone.
                np.testing.assert_allclose(node.value, activation(node.parents[0].value), rtol=1e-14)


@pytest.mark.parametrize("cell", [tg.cells.LSTM(), tg.cells.LSTM(peepholes=True), tg.cells.GRU()], ids=repr)
@pytest.mark.parametrize("samples", [1, 2])
def test_what_keeps_no_place_is_there_when_it_is_asked_for(cell, samples):
    net = replayed(cell, samples)
    plan = net._executor.program
    there = plan.buffers.kept | plan.folded.invariant
    asked = [n for n in net.tape if n.t == 3 and n.op is not None]
    passing = [n for n in asked if plan.folded.values[plan.recorded.first + n.role] not in there]
    errors = [(n, plan.folded.cotangents.get(plan.recorded.first + n.role)) for n in asked]
    unkept = [n for n, g in errors if g is not None and g not in there]
    assert len(passing) > 5
    assert len(unkept) > 5
    values, cotangents = [n.value.copy() for n in passing], [n.cotangent for n in unkept]
    list(net.steps())
    for node, value in zip(passing, values, strict=True):
        np.testing.assert_allclose(value, node.value, rtol=1e-14, atol=1e-16, err_msg=repr(node))
    for node, cotangent in zip(unkept, cotangents, strict=True):
        np.testing.assert_allclose(cotangent, node.cotangent, rtol=1e-12, atol=1e-14, err_msg=repr(node))


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("cell", [tg.cells.Guo(), tg.cells.LSTM(), tg.cells.GRU()], ids=repr)
def test_everything_keeps_a_place_if_it_is_asked_to(cell, samples):
    """Of more steps than are played together, so that what only passes through is not there afterwards."""
    needed, everything = (replayed(cell, samples, steps=6000, keep=keep) for keep in ("needed", "all"))
    asked = [n for n in everything.tape if n.t == 5000 and n.op is not None and n.op is not o.copy]
    assert all(n.value.base is not None for n in asked)
    for ours, theirs in zip(needed.tape, everything.tape, strict=True):
        if ours.t == 5000:
            np.testing.assert_allclose(ours.value, theirs.value, rtol=1e-12, atol=1e-15, err_msg=repr(ours))
            if theirs.cotangent is not None:
                a, b = np.asarray(ours.cotangent), np.asarray(theirs.cotangent)
                np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-14, err_msg=repr(ours))
    assert memory(needed) < 0.85 * memory(everything)


def memory(net):
    """How many bytes the buffers of a network's replay take."""
    whole = {}
    for stack in net._executor.program.buffers.stacks.values():
        memory = stack
        while memory.base is not None:
            memory = memory.base
        whole[id(memory)] = memory.nbytes
    return sum(whole.values())


def test_keep_is_one_of_two_words():
    with pytest.raises(ValueError, match="keep='most': a replay keeps what is 'needed', or 'all'; say which"):
        replayed(tg.cells.Guo(), 1, keep="most")


def test_few_inputs_of_one_sample_are_one_product_with_the_state_and_the_bias():
    assert "net_j = x V.T + s U.T + b_j" in replayed(tg.cells.Guo(), 1).schedule
    for many in (replayed(tg.cells.Guo(), 2), replayed(tg.cells.Guo(), 1, inputs=1400)):
        assert "net_j = (x V.T + b_j) + s U.T" in many.schedule.split("\n\n")[0]


@pytest.mark.parametrize("cell", [tg.cells.Guo(), tg.cells.LSTM(), tg.cells.GRU()], ids=repr)
def test_error_from_beyond_reaches_every_cotangent(cell):
    rng = np.random.default_rng(0)
    net = replayed(cell, 1)
    parts = net.states[-1] if isinstance(net.states[-1], tuple) else (net.states[-1],)
    later = tuple(rng.normal(size=p.shape) for p in parts)
    later = later if isinstance(net.states[-1], tuple) else later[0]
    net.backward(later=later)
    found = {n: np.array(n.cotangent) for n in net.tape if n.t and n.cotangent is not None}
    list(net.steps())
    net.backward(later=later)
    for n, cotangent in found.items():
        np.testing.assert_allclose(cotangent, np.asarray(n.cotangent), rtol=1e-10, atol=1e-13, err_msg=repr(n))
    net.replay()
    net.backward()
    without = {n: np.array(n.cotangent) for n in found}
    net.tape.backward(net.cost)
    for n, cotangent in without.items():
        np.testing.assert_allclose(cotangent, np.asarray(n.cotangent), rtol=1e-10, atol=1e-13, err_msg=repr(n))


def test_folding_gives_back_the_cell():
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    folded = net.fold()
    delayed = [(a, b) for a, b, delay in folded.edges(data="delay") if delay]
    assert [(folded.nodes[a]["name"], folded.nodes[b]["name"]) for a, b in delayed] == [("s", "net_j")]
    cycles = [c for c in nx.strongly_connected_components(folded) if len(c) > 1]
    assert [{folded.nodes[i]["name"] for i in c} for c in cycles] == [{"net_j", "s"}]

    # The unfolded graph with the copies of each role merged is the same graph.
    merged = nx.MultiDiGraph()
    weight = {w.index: name for name, w in net.weights.items()}
    for node in net.tape:
        if node.t == 2:
            merged.add_node(node.role, op=node.op.name if node.op else "leaf")
    for name in weight.values():
        merged.add_node(name, op="leaf")
    for node in net.tape:
        if node.t == 2:
            for slot, parent in enumerate(node.parents):
                source = weight.get(parent.index, parent.role)
                merged.add_edge(source, node.role, key=slot, delay=0 if parent.t is None else 2 - parent.t)
    same = nx.is_isomorphic(
        folded,
        merged,
        node_match=lambda a, b: a["op"] == b["op"],
        edge_match=lambda a, b: {k: e["delay"] for k, e in a.items()} == {k: e["delay"] for k, e in b.items()},
    )
    assert same


def test_float32_stays_float32():
    p = problem()
    low = [a.astype("float32") for a in (p.x, p.d, p.s0)]
    params = {name: w.astype("float32") for name, w in p.params.items()}
    net = tg.unfold(p.cell, params, low[0], low[1], s0=low[2])
    net.replay()
    net.backward()
    assert {node.value.dtype.name for node in net.tape} == {"float32"}
    exact = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    exact.backward()
    for name in params:
        assert net.grads[name].dtype == np.float32
        np.testing.assert_allclose(net.grads[name], exact.grads[name], rtol=1e-4, atol=1e-4)


def part_of_a_weight(P, x, s):
    """Weights that are cut out of others, and turned: they are computed before a loop reads them."""
    s = o.tanh(o.linear(x, P["VU"][:, : x.shape[-1]], s, P["VU"][:, x.shape[-1] :].T * 0.5, P["b_j"]))
    return s, o.softmax(o.linear(s, P["W"], P["b_k"]))


@pytest.mark.parametrize("samples", [1, 2])
def test_the_first_replay_with_weights_that_are_computed(samples):
    rng = np.random.default_rng(0)
    params = {
        "VU": rng.normal(size=(3, 5)),
        "b_j": rng.normal(size=3),
        "W": rng.normal(size=(2, 3)),
        "b_k": np.zeros(2),
    }
    x, d = rng.normal(size=(4, samples, 2)), np.eye(2)[rng.integers(0, 2, (4, samples))]
    net = tg.unfold(part_of_a_weight, params, x, d, s0=rng.normal(size=(samples, 3)))
    cost = net.loss
    net.backward()
    expected = {name: np.array(g) for name, g in net.grads.items()}
    assert net.replay() == pytest.approx(cost, rel=1e-14)
    assert "no plan" not in net.schedule
    net.backward()
    for name, g in expected.items():
        np.testing.assert_allclose(net.grads[name], g, rtol=1e-12, atol=1e-13)


def computed_weight(P, x, s):
    """A recurrent weight that is computed from the parameters, and read whole and in part."""
    U = 0.5 * P["U"]
    half = s.shape[-1] // 2
    left = o.linear(o.part(s, start=0, stop=half), o.part(U, start=0, stop=half))
    s = o.tanh(o.linear(x, P["V"], s, U, P["b_j"]) + left)
    return s, o.softmax(o.linear(s, P["W"], P["b_k"]))


@pytest.mark.parametrize("samples", [1, 2])
def test_a_weight_that_is_computed_is_never_that_of_an_earlier_replay(samples):
    p = problem(sizes=(5, samples, 3, 4, 6))
    net = tg.unfold(computed_weight, p.params, p.x, p.d, s0=p.s0)
    for _ in range(3):
        p.params["U"] = p.params["U"] * -1.5
        net.replay()
        assert "no plan" not in net.schedule
        net.backward()
        fresh = tg.unfold(computed_weight, p.params, p.x, p.d, s0=p.s0)
        fresh.backward()
        assert_same(net, fresh)


@pytest.mark.parametrize("samples", [1, 3])
def test_a_matrix_that_is_computed_from_a_weight_is_that_of_the_weight_as_it_is(samples):
    def cell(params, x, s):
        s = tg.ops.tanh(tg.ops.linear(x, params["V"], s, params["U"] * params["mask"]))
        return s, s

    rng = np.random.default_rng(0)
    params = {"V": rng.normal(size=(4, 3)), "U": rng.normal(size=(4, 4)), "mask": (rng.random((4, 4)) < 0.5) + 0.0}
    x, d, s0 = (rng.normal(size=shape) for shape in ((5, samples, 3), (5, samples, 4), (samples, 4)))
    net = tg.unfold(cell, params, x, d, loss="squared_error", s0=s0)
    for _ in range(3):
        params["U"] *= 1.3
        net.replay()
        net.backward()
        fresh = tg.unfold(cell, params, x, d, loss="squared_error", s0=s0)
        fresh.backward()
        assert net.loss == pytest.approx(fresh.loss, rel=1e-13)
        for name in params:
            np.testing.assert_allclose(net.grads[name], fresh.grads[name], rtol=1e-11, atol=1e-13)


def small(cell, seed=0, keep="needed", steps=5, samples=1, **options):
    """A network over a cell that reads some of V, Y (3, 2), U (3, 3), W (4, 3) and b (3,), replayed."""
    rng = np.random.default_rng(seed)
    shapes = {"V": (3, 2), "Y": (3, 2), "U": (3, 3), "W": (4, 3), "b": (3,)}
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    x, d = rng.normal(size=(steps, samples, 2)), rng.dirichlet(np.ones(4), size=(steps, samples))
    s0 = rng.normal(size=(samples, 3))
    fresh, net = (tg.unfold(cell, params, x, d, s0=s0, keep=keep, **options) for _ in range(2))
    net.replay()
    assert "no plan" not in net.schedule
    fresh.backward()
    net.backward()
    return net, fresh


def test_an_input_that_one_sum_reads_twice_lies_in_one_place():
    def cell(P, x, s):
        s = o.tanh(o.linear(x, P["V"], x, P["Y"], s, P["U"], P["b"]))
        return s, o.softmax(o.linear(s, P["W"]))

    assert_same(*small(cell))


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize(
    "again", [lambda a, s: o.add(a, s, a), lambda a, s: o.add(s, a, a), lambda a, s: o.add(a, a, a)]
)
def test_a_term_that_a_sum_reads_again_is_not_overwritten_by_the_sum(again, samples):
    """Forwards in the cell, and backwards in what it receives three times."""

    def cell(P, x, s):
        read = o.linear(s, P["U"])
        thrice = o.add(read, read, read)
        s = o.tanh(again(o.linear(x, P["V"]), s) + thrice * 0.1)
        return s, o.softmax(o.linear(s, P["W"]))

    assert_same(*small(cell, samples=samples))


@pytest.mark.parametrize("keep", ["needed", "all"])
@pytest.mark.parametrize("samples", [1, 2])
def test_errors_that_are_the_same_at_every_step(keep, samples):
    """A cost that is linear in the outputs and in functions of the weights: what comes back knows no time."""

    def cell(P, x, s):
        s = o.tanh(o.linear(x, P["V"], s, P["U"], P["b"]))
        return s, o.linear(s, P["W"]) + o.linear(x, P["Y"]).sum() + o.tanh(o.sigmoid(P["b"])).sum()

    net, fresh = small(cell, keep=keep, samples=samples, loss=lambda y, d: (y - d).sum())
    assert_same(net, fresh)
    copies = [n for n in net.tape if n.op is o.copy]
    assert not any(g.flags.writeable for n in copies if isinstance(g := n.cotangent, np.ndarray))


def test_what_is_computed_again_is_computed_once_and_without_recursion(monkeypatch):
    def cell(P, x, s):
        s = o.tanh(o.linear(x, P["V"], s, P["U"], P["b"]))
        for _ in range(12):
            s = s + 0.01 * s
        for _ in range(1200):
            s = -s
        return s, o.softmax(o.linear(s, P["W"]))

    net, fresh = small(cell, steps=2)
    last = next(n for n in net.tape if n.t == 2 and n.op is o.negative)
    value, calls = o.add.value, []
    monkeypatch.setattr(o.add, "value", lambda *args, **out: calls.append(1) or value(*args, **out))
    np.testing.assert_allclose(last.parents[0].value, fresh.tape[last.parents[0].index].value, rtol=1e-13)
    assert len(calls) == 12
    first = next(n for n in net.tape if n.t == 1 and n.op is o.tanh)
    np.testing.assert_allclose(first.cotangent, fresh.tape[first.index].cotangent, rtol=1e-12)


def test_a_cell_without_recurrence_is_planned_once_and_says_so():
    def cell(P, x, s):
        s = o.tanh(o.linear(x, P["V"], P["b"]))
        return s, o.softmax(o.linear(s, P["W"]))

    net, fresh = small(cell)
    assert_same(net, fresh)
    assert net.schedule.startswith("no loop")
    plan = net._executor.program
    net.replay()
    assert net._executor.program is plan


def test_weights_are_copied_once_a_pass():
    """However many numbers of newest steps have been played, and whether or not error came from beyond."""
    net = replayed(tg.cells.LSTM(), 1)
    prepared = net._executor.program.prepared
    net.backward(later=tuple(np.ones_like(s.value) for s in net.states[-1]))
    for new in (1, 2):
        net.follow(net, np.zeros((new, 1, 2)), np.full((new, 1, 4), 0.25))
    assert net._executor.program.prepared == prepared
    assert net._executor.program.source == net.schedule.split("\n\n")


def test_carrying_over_new_inputs_leaves_them_there():
    """Even of a cell whose state reads no input."""

    def cell(P, x, s):
        s = o.tanh(o.linear(s, P["U"], P["b"]))
        return s, o.softmax(o.linear(s, P["W"]) + o.linear(x, P["V"]).sum(axis=-1, keepdims=True) * s[:, :1])

    net, other = small(cell)
    x = np.stack([n.value for n in net.inputs]) * 2
    net.carry(x)
    np.testing.assert_array_equal(net.inputs[2].value, x[2])
    assert net.replay() == other.replay(x)


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("first", [True, False])
def test_two_parts_of_the_state_that_each_read_the_other_one(samples, first):
    """The error of either comes back a step later: it is read before that of this step takes its row."""

    def cell(P, x, s):
        a, b = s
        if first:
            a, b = o.tanh(o.linear(x, P["V"], b, P["U"])), o.tanh(o.linear(a, P["Z"], P["b"]))
        else:
            new = o.tanh(o.linear(a, P["Z"], P["b"]))
            a, b = o.tanh(o.linear(x, P["V"], b, P["U"])), new
        return (a, b), o.softmax(o.linear(a, P["W"], b, P["Y"]))

    rng = np.random.default_rng(0)
    shapes = {"V": (3, 2), "U": (3, 5), "Z": (5, 3), "W": (4, 3), "Y": (4, 5), "b": (5,)}
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    x, d = rng.normal(size=(5, samples, 2)), rng.dirichlet(np.ones(4), size=(5, samples))
    s0 = rng.normal(size=(samples, 3)), rng.normal(size=(samples, 5))
    net, fresh = (tg.unfold(cell, params, x, d, s0=s0) for _ in range(2))
    net.replay()
    net.backward()
    fresh.backward()
    assert_same(net, fresh)


HOSTILE = [
    "V\n   raise SystemExit('a name was run')",
    "V\r   raise SystemExit('a name was run')",
    "\0",
    "\udc80",
    '"""#',
]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
@pytest.mark.parametrize("samples", [1, 2])
def test_a_name_is_never_run(name, samples):
    p = problem(sizes=(4, samples, 3, 4, 5))
    params = {name if key == "V" else key: w for key, w in p.params.items()}

    def cell(P, x, s):
        s = o.tanh(o.linear(x, P[name], s, P["U"], P["b_j"], name=name))
        return s, o.softmax(o.linear(s, P["W"], P["b_k"]))

    net = tg.unfold(cell, params, p.x, p.d, s0=p.s0)
    net.replay()
    net.backward()
    fresh = tg.unfold(cell, params, p.x, p.d, s0=p.s0)
    fresh.backward()
    assert_same(net, fresh)
    lines = net.schedule.splitlines()
    assert not any(line.strip().startswith("raise") for line in lines)
    assert all(line.split("#")[0].strip() for line in lines if line)


EVERY_CELL = [
    tg.cells.Guo(),
    tg.cells.Elman(),
    tg.cells.IRNN(),
    tg.cells.LSTM(),
    tg.cells.LSTM(peepholes=True),
    tg.cells.GRU(),
    tg.cells.GRU(reset="before"),
    tg.cells.Stacked(tg.cells.LSTM(), tg.cells.GRU()),
]


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("keep", ["needed", "all"])
@pytest.mark.parametrize("cell", EVERY_CELL, ids=repr)
def test_a_replay_is_a_fresh_recording_to_the_last_digits(cell, keep, samples):
    rng = np.random.default_rng(0)
    params = cell.init(3, 5, 4, rng=1)

    def data():
        return rng.normal(size=(12, samples, 3)), rng.dirichlet(np.ones(4), size=(12, samples))

    def difference(a, b):
        a, b = np.asarray(a), np.asarray(b)
        return np.abs(a - b).max() / max(np.abs(b).max(), 1e-30)

    net, (x, d) = tg.unfold(cell, params, *data(), keep=keep), data()
    net.replay(x, d)
    net.backward()
    fresh = tg.unfold(cell, params, x, d)
    fresh.backward()
    found = [difference(net.grads[name], g) for name, g in fresh.grads.items()]
    for ours, theirs in zip(net.tape, fresh.tape, strict=True):
        found.append(difference(ours.value, theirs.value))
        if ours.t and theirs.cotangent is not None:
            found.append(difference(ours.cotangent, theirs.cotangent))
    assert max(found) < 1e-13


def test_what_is_kept_can_be_chosen_anew():
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    net.replay()
    few = sum(stack.nbytes for stack in net._executor.program.buffers.stacks.values())
    net.keep = "all"
    loss = net.replay()
    assert sum(stack.nbytes for stack in net._executor.program.buffers.stacks.values()) > few
    assert loss == pytest.approx(tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0).loss, rel=1e-13)
    with pytest.raises(ValueError, match="keep='much'"):
        net.keep = "much"
