"""A state of several parts, a trained initial state, sequences of different lengths: recorded, replayed, measured."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
import untied
from tinygrad_rnn.unfold.structure import flatten, outline, rebuild

o = tg.ops
T, B, L, M, O = 5, 3, 2, 4, 3


def cut(net, count):
    n = net.shape[-1] // count
    return [o.part(net, start=k * n, stop=(k + 1) * n) for k in range(count)]


def head(P, s):
    return o.softmax(o.linear(s, P["W"], P["b_k"]))


def lstm(P, x, state):
    s, c = state
    i, f, g, out = cut(o.linear(x, P["V4"], s, P["U4"], P["b4"]), 4)
    c = o.add(o.sigmoid(f) * c, o.sigmoid(i) * o.tanh(g), name="c")
    s = o.multiply(o.sigmoid(out), o.tanh(c), name="s")
    return (s, c), head(P, s)


def nested(P, x, state):
    """Two layers; the state of the lower one is a pair."""
    (s, c), upper = state
    (s, c), _ = lstm(P, x, (s, c))
    upper = o.tanh(o.linear(s, P["U"], upper, P["U_2"]), name="upper")
    return ((s, c), upper), head(P, upper)


def adding(P, x, state):
    """A sum of what went by: its error is that of a part of a net input, and comes back through the state too."""
    a, b = cut(o.linear(x, P["V2"], state[0], P["U2"]), 2)
    s = o.add(a, state[1])
    return (o.tanh(b), s), head(P, o.tanh(s))


def crossing(P, x, state):
    """Each part is computed from the other one."""
    a, b = state
    return (o.tanh(o.linear(b, P["U"])), o.tanh(o.linear(x, P["V"], a, P["U_2"]))), head(P, o.multiply(a, b))


def both_read_the_same(P, x, state):
    s = o.tanh(o.linear(x, P["V"], state[0] + state[1], P["U"]))
    return (s, o.linear(s, P["U_2"])), head(P, s)


def delayed_input(P, x, state):
    s, before = state
    return (o.tanh(o.linear(before, P["V"], s, P["U"])), x), head(P, s)


def output_is_state(P, x, state):
    s, y = state
    s = o.tanh(o.linear(x, P["V"], s, P["U"]))
    y = o.softmax(o.linear(s, P["W"], y, P["W_y"]))
    return (s, y), y


def handed_on(P, x, state):
    s, never = state
    s = o.tanh(o.linear(x, P["V"], s + never, P["U"]))
    return (s, never), head(P, s)


def shifted(P, x, state):
    s, before = state
    return (o.tanh(o.linear(x, P["V"], before, P["U"])), s), head(P, s)


def exchanged(P, x, state):
    a, b = state
    return (b, a), head(P, o.tanh(o.linear(x, P["V"], a, P["U"])))


def one_node_twice(P, x, state):
    s = o.tanh(o.linear(x, P["V"], state[0], P["U"])) + state[1] * 0.5
    return (s, s), head(P, s)


def always_the_same(P, x, state):
    s = o.tanh(o.linear(x, P["V"], state[0], P["U"]) + state[1])
    return (s, o.broadcast(P["b_j"], source=(M,), to=state[1].shape)), head(P, s)


def error_as_it_is(P, x, state):
    a, b, _ = state
    new = o.tanh(o.linear(x, P["V"], a, P["U"]))
    return (b + new, a + new, new), head(P, new)


PLANNED = {
    lstm: (M, M),
    nested: ((M, M), M),
    adding: (M, M),
    crossing: (M, M),
    both_read_the_same: (M, M),
    delayed_input: (M, L),
    error_as_it_is: (M, M, M),
    output_is_state: (M, O),
    handed_on: (M, M),
    shifted: (M, M),
    exchanged: (M, M),
    one_node_twice: (M, M),
}
PLAYED = {
    always_the_same: (M, M),
}
CELLS = PLANNED | PLAYED


def parameters(rng):
    shapes = {
        "V": (M, L), "U": (M, M), "U_2": (M, M), "b_j": (M,), "W": (O, M), "b_k": (O,), "W_y": (O, O),
        "V2": (2 * M, L), "U2": (2 * M, M), "V4": (4 * M, L), "U4": (4 * M, M), "b4": (4 * M,),
    }  # fmt: skip
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


class Case:
    def __init__(self, cell, sizes=None, steps=T, samples=B, seed=0):
        rng = np.random.default_rng(seed)
        self.cell, self.params = cell, parameters(rng)
        sizes = CELLS[cell] if sizes is None else sizes
        self.s0 = rebuild(sizes, [rng.normal(size=(samples, m)) for m in flatten(sizes)])
        self.x = rng.normal(size=(steps, samples, L))
        self.d = rng.dirichlet(np.ones(O), size=(steps, samples))
        self.mask = np.arange(steps)[:, None] < rng.integers(1, steps + 1, samples)
        self.mask[:, 0] = True
        self.weights = rng.integers(0, 3, (steps, samples)) / 2

    def unfold(self, **options):
        return tg.unfold(self.cell, self.params, self.x, self.d, **{"s0": self.s0} | options)


def assert_same(net, fresh, tolerance=1e-11):
    assert net.loss == pytest.approx(fresh.loss, rel=1e-13)
    for ours, theirs in zip(net.tape, fresh.tape, strict=True):
        np.testing.assert_allclose(ours.value, theirs.value, rtol=tolerance, atol=tolerance, err_msg=repr(ours))
        if theirs.cotangent is not None:
            assert ours.cotangent is not None, repr(ours)
            a, b = np.asarray(ours.cotangent), np.asarray(theirs.cotangent)
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=repr(ours))
    for name in net.grads:
        np.testing.assert_allclose(net.grads[name], fresh.grads[name], rtol=tolerance, atol=tolerance, err_msg=name)
    for name in net.copies:
        np.testing.assert_allclose(net.copies[name], fresh.copies[name], rtol=tolerance, atol=tolerance, err_msg=name)


def replayed(case, other, **options):
    """A network replayed on the data and from the state of another, and that other recorded afresh."""
    net = case.unfold(**options)
    new = {what: getattr(other, what) for what in ("mask", "weights") if what in options}
    net.replay(other.x, other.d, s0=other.s0, **new)
    net.backward()
    fresh = tg.unfold(case.cell, case.params, other.x, other.d, **{"s0": other.s0} | options | new)
    fresh.backward()
    return net, fresh


@pytest.mark.parametrize("masked", [False, True], ids=["", "masked"])
@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.__name__)
def test_every_copy_and_the_initial_state_against_differences(cell, masked):
    case = Case(cell)
    mask = case.mask if masked else None
    net = case.unfold(mask=mask)
    net.replay()
    net.backward()
    copies, s0 = untied.gradients(cell, case.params, case.x, case.d, case.s0, untied.cross_entropy, mask)
    for name, measured in copies.items():
        np.testing.assert_allclose(net.copies[name], measured, rtol=1e-8, atol=1e-8, err_msg=name)
        np.testing.assert_allclose(net.grads[name], measured.sum(axis=0), rtol=1e-8, atol=1e-8, err_msg=name)
    for node, measured in zip(flatten(net.states[0]), flatten(s0), strict=True):
        g = np.zeros_like(measured) if node.cotangent is None else node.cotangent
        np.testing.assert_allclose(g, measured, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.__name__)
@settings(max_examples=15, deadline=None)
@given(
    steps=st.integers(1, 6),
    samples=st.integers(1, 4),
    masked=st.booleans(),
    weighted=st.booleans(),
    reduction=st.sampled_from(["sum", "mean", "own_mean"]),
    losses=st.none() | st.just("last") | st.sets(st.integers(1, 6), min_size=1),
    input_grads=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_a_replay_is_a_fresh_recording(cell, steps, samples, masked, weighted, reduction, losses, input_grads, seed):
    case = Case(cell, steps=steps, samples=samples, seed=seed)
    other = Case(cell, steps=steps, samples=samples, seed=seed + 1)
    options = {"reduction": reduction, "input_grads": input_grads} | ({"mask": case.mask} if masked else {})
    if losses:
        options["losses"] = losses if losses == "last" else sorted({(t - 1) % steps + 1 for t in losses})
    if weighted or (masked and losses not in (None, "last")):  # without weights, a sample without cost is refused
        options["weights"] = case.weights
    net, fresh = replayed(case, other, **options)
    if cell in PLANNED:
        assert "no plan" not in net.schedule
    assert_same(net, fresh)


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("cell", PLAYED, ids=lambda cell: cell.__name__)
def test_what_a_plan_cannot_hold_is_played_node_by_node(cell, steps):
    net = Case(cell, steps=steps).unfold()
    net.replay()
    assert net.schedule.startswith("no plan, every node is played by itself: ")


def test_states_have_the_structure_and_the_names_of_the_cell():
    net = Case(nested).unfold()
    assert len(net.states) == T + 1
    for t, state in enumerate(net.states):
        assert outline(state) == "((one array, one array), one array)"
        assert [str(part) for part in flatten(state)] == [f"s({t})", f"c({t})", f"upper({t})"]


HANDED = {
    "s s_again": lambda s, old, x: (s, s),
    "s s_again s_before s_again_before": lambda s, old, x: (s, s, old[0], old[1]),
    "s s_before s_before2 s_before3": lambda s, old, x: (s, *old[:3]),
    "s s_before s_before_again": lambda s, old, x: (s, old[0], old[0]),
    "s_before s_before_again s": lambda s, old, x: (o.tanh(s, name="s_before"), old[2], s),
    "s_before_all s_before_all_before s": lambda s, old, x: (o.tanh(s, name="s_before_all"), old[0], s),
}


@pytest.mark.parametrize("names", HANDED)
@pytest.mark.parametrize("masked", [False, True], ids=["", "masked"])
def test_no_two_parts_of_a_state_are_called_alike(names, masked):
    def cell(P, x, old):
        s = o.tanh(o.linear(x, P["V"], old[-1], P["U"]), name="s")
        return HANDED[names](s, old, x), head(P, s)

    case = Case(cell, sizes=(M,) * len(names.split()))
    for t, state in enumerate(case.unfold(mask=case.mask if masked else None).states):
        assert [part.name.removesuffix("_kept") for part in state] == names.split(), t
        assert all(part.name.endswith("_kept") == masked for part in state)


@pytest.mark.parametrize("cell", PLANNED, ids=lambda cell: cell.__name__)
@pytest.mark.parametrize("masked", [False, True], ids=["", "masked"])
def test_folding_gives_back_the_cell(cell, masked):
    case = Case(cell)
    net = case.unfold(mask=case.mask if masked else None)
    folded = net.fold()
    merged = nx.MultiDiGraph()
    weight = {w.index: name for name, w in net.weights.items()}
    merged.add_nodes_from(weight.values(), op="leaf")
    for node in net.tape:
        if node.t == 2:
            merged.add_node(node.role, op=node.op.name if node.op else "leaf")
            for slot, parent in enumerate(node.parents):
                source = weight.get(parent.index, parent.role)
                merged.add_edge(source, node.role, key=slot, delay=0 if parent.t is None else 2 - parent.t)
    assert nx.is_isomorphic(
        folded,
        merged,
        node_match=lambda a, b: a["op"] == b["op"],
        edge_match=lambda a, b: {k: e["delay"] for k, e in a.items()} == {k: e["delay"] for k, e in b.items()},
    )


# ---- an initial state that is trained


@pytest.mark.parametrize("cell", [lstm, nested, handed_on], ids=lambda cell: cell.__name__)
@pytest.mark.parametrize("which", [(True, True), (False, True), (True, False)])
def test_a_trained_initial_state(cell, which):
    case = Case(cell)
    leaves = flatten(case.s0)
    rows = {f"s0_{k}": leaves[k][0] for k, trained in enumerate(which) if trained}
    case.params |= rows
    names = rebuild(case.s0, [f"s0_{k}" if f"s0_{k}" in rows else s for k, s in enumerate(leaves)])
    repeated = rebuild(case.s0, [np.tile(s[0], (B, 1)) if f"s0_{k}" in rows else s for k, s in enumerate(leaves)])

    def compare():
        plain = case.unfold(s0=repeated)
        plain.backward()
        assert net.loss == pytest.approx(plain.loss, rel=1e-14)
        for name in set(rows) ^ set(case.params):
            np.testing.assert_allclose(net.copies[name], plain.copies[name], rtol=1e-12, atol=1e-12)
        for k, part in enumerate(flatten(plain.states[0])):
            if f"s0_{k}" in rows:
                np.testing.assert_allclose(net.grads[f"s0_{k}"], part.cotangent.sum(axis=0), rtol=1e-12, atol=1e-12)
            np.testing.assert_allclose(flatten(net.states[0])[k].value, part.value)
            np.testing.assert_allclose(flatten(net.states[0])[k].cotangent, part.cotangent, rtol=1e-12, atol=1e-12)

    net = case.unfold(s0=names)
    net.backward()
    compare()
    for factor in (2.0, -0.5):  # trained in place, between replays
        for k, part in enumerate(flatten(repeated)):
            if f"s0_{k}" in rows:
                case.params[f"s0_{k}"] *= factor
                np.multiply(part, factor, out=part)
        net.replay()
        net.backward()
        compare()
    name = next(iter(rows))
    assert name not in net.copies
    with pytest.raises(KeyError, match="is an initial state: it is read once, before the first step"):
        net.copies[name]
    net.replay()
    first = next(iter(net.steps()))
    assert (first.op, first.t) == ("broadcast", 0)


def test_two_parts_may_start_from_one_parameter():
    case = Case(lstm)
    case.params["both"] = case.s0[0][0]
    net = case.unfold(s0=("both", "both"))
    net.backward()
    expected = net.grads["both"]
    net.replay()
    net.backward()
    np.testing.assert_allclose(net.grads["both"], expected, rtol=1e-12)
    total = sum(s.cotangent.sum(axis=0) for s in net.states[0])
    np.testing.assert_allclose(expected, total, rtol=1e-12)


@pytest.mark.parametrize(
    ("s0", "error", "said"),
    [
        ("nobody", tg.ShapeError, "s0 is one array: the state is .one array, one array."),
        (("nobody", "b_k"), ValueError, "s0 names the parameter 'nobody'; params has V, U"),
        (("b_j", "W"), tg.ShapeError, r"'W', which is \(3, 4\): an initial state that is trained is one row"),
        (([[0.0]], np.zeros((B, M))), tg.ShapeError, r"s0\[0\] is \(1, 1\), and the state of 3 samples is \(3, 4\)"),
        ((np.zeros((B, M)), np.zeros((B, M), int)), tg.ShapeError, r"s0\[1\] int64"),
        ((np.zeros((B, M)), np.zeros((B, M + 1))), tg.ShapeError, r"s0\[1\] is \(3, 5\), and the state of 3 samples"),
    ],
)
def test_bad_initial_states(s0, error, said):
    class Cell:
        def __call__(self, P, x, s):
            return lstm(P, x, s)

        def initial_state(self, _, n):
            return np.zeros((n, M)), np.zeros((n, M))

    case = Case(lstm)
    case.cell = Cell()
    with pytest.raises(error, match=said):
        case.unfold(s0=s0)
    assert case.unfold(s0=None).T == T


def test_a_trained_initial_state_is_not_read_by_the_cell():
    case = Case(lstm)
    case.params["b_j"] = np.zeros(M)
    with pytest.raises(ValueError, match=r"the cell reads the parameter 'b_j' at t=1, and s0 names it"):
        Case(always_the_same).unfold(s0=("b_j", np.zeros((B, M))))


def test_a_state_comes_out_as_it_went_in():
    case = Case(lstm)
    case.cell = lambda P, x, s: (s[0], head(P, s[0]))
    with pytest.raises(tg.ShapeError, match=r"turned a state \(node, node\) into node"):
        case.unfold()


@pytest.mark.parametrize("cell", [lstm, nested], ids=lambda cell: cell.__name__)
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_costs_that_count_are_those_that_are_named(cell, reduction):
    case = Case(cell)
    whole = case.unfold()
    counted = {}
    for t in (2, 4):
        whole.backward(of=t)
        counted[t] = {name: g.copy() for name, g in whole.grads.items()}
    net = case.unfold(losses=[2, 4], reduction=reduction)
    share = 1 if reduction == "sum" else 1 / 2
    assert net.counted == (2, 4)
    for play in (lambda: None, net.replay):
        play()
        net.backward()
        assert net.loss == pytest.approx(share * (whole.losses[1].value + whole.losses[3].value), rel=1e-14)
        for name, g in net.grads.items():
            np.testing.assert_allclose(g, share * (counted[2][name] + counted[4][name]), rtol=1e-12, atol=1e-13)
    assert net.check().ok


@pytest.mark.parametrize("losses", [[0], [T + 1], [1.0], [True], ["1"]])
def test_losses_that_are_no_time_steps(losses):
    with pytest.raises(ValueError, match=f"losses names {losses[0]!r}: it names time steps, integers from 1 to 5"):
        Case(lstm).unfold(losses=losses)


def test_no_losses():
    with pytest.raises(ValueError, match="losses is empty"):
        Case(lstm).unfold(losses=[])


def test_a_part_of_the_initial_state_may_stay():
    case, other = Case(lstm), Case(lstm, seed=1)
    net = case.unfold()
    fresh = case.unfold(s0=(case.s0[0], other.s0[1]))
    for play in range(2):  # planned both times; the part that was given stays too
        net.replay(s0=(None, other.s0[1]) if not play else None)
        assert net.loss == pytest.approx(fresh.loss, rel=1e-14)


def test_a_replay_from_a_bad_state_changes_nothing():
    case = Case(lstm)
    case.params["s"] = np.zeros(M)
    net = case.unfold(s0=("s", case.s0[1]))
    before = net.loss
    for s0, error, said in [
        (case.s0[0], tg.ShapeError, "s0 is one array, and the state is"),
        ((None, case.s0[1][:, :2]), tg.ShapeError, r"s0\[1\] is \(3, 2\)"),
        ((None, case.s0[1].astype("f")), tg.ShapeError, "float32"),
        (case.s0, ValueError, "this initial state is the parameter 's', which is trained"),
    ]:
        with pytest.raises(error, match=said):
            net.replay(case.x * 2, case.d, s0=s0)
        assert net.loss == before
    net.replay()
    assert net.loss == pytest.approx(before, rel=1e-14)


# ---- a sequence in pieces: the error of the last state comes from the piece after


def initial_errors(net):
    return [np.zeros(s.shape) if s.cotangent is None else np.asarray(s.cotangent) for s in flatten(net.states[0])]


@pytest.mark.parametrize("planned", [False, True])
@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.__name__)
def test_the_error_of_a_later_piece_is_handed_on(cell, planned):
    case = Case(cell)
    whole = case.unfold()
    whole.backward()
    first = tg.unfold(cell, case.params, case.x[:3], case.d[:3], s0=case.s0)
    second = tg.unfold(cell, case.params, case.x[3:], case.d[3:], s0=first.last_state)
    if planned:
        first.replay()
        second.replay()
    second.backward()
    first.backward(later=rebuild(case.s0, initial_errors(second)))
    for name in case.params:
        both = first.grads[name] + second.grads[name]
        np.testing.assert_allclose(both, whole.grads[name], rtol=1e-10, atol=1e-12, err_msg=name)
    for found, expected in zip(initial_errors(first), initial_errors(whole), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.__name__)
def test_the_state_is_carried_without_outputs(cell):
    case, other = Case(cell), Case(cell, seed=1)
    net = case.unfold()
    s0 = rebuild(case.s0, [s + 0.5 for s in flatten(case.s0)])
    fresh = tg.unfold(cell, case.params, other.x, other.d, s0=s0)
    for found, expected in zip(flatten(net.carry(other.x, s0=s0)), flatten(fresh.last_state), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-14)
    if "no plan" not in net.schedule:
        with pytest.raises(tg.TapeError, match="forward pass was left before its end"):
            net.loss  # noqa: B018  # reading it is the test
        with pytest.raises(tg.TapeError, match="backward before forward"):
            net.backward()
    net.replay(other.x, other.d)
    net.backward()
    fresh.backward()
    assert_same(net, fresh)
