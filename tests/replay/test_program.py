"""What a program plays beside the two plain passes: cuts, errors from beyond, cells that are hard to plan."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from canonical import problem
from compiled import compiled, difference, furthest, network, played, run
from tinygrad_rnn.replay import PASSES
from tinygrad_rnn.replay.passes import join_products
from tinygrad_rnn.replay.passes.fusing import elementwise

o = tg.ops
CUTTABLE = [each for each in PASSES if each is not join_products]


def delay_line(P, x, s):
    """A state of two parts, one of which is what the other was."""
    new = o.tanh(o.linear(x, P["V"], s[1], P["U"], P["b_j"]))
    return (new, o.identity(s[0])), o.softmax(o.linear(new, P["W"], P["b_k"]))


def leaky(P, x, s):
    s = s * 0.5 + o.tanh(o.linear(x, P["V"], s, P["U"], P["b_j"]))
    return s, o.softmax(o.linear(s, P["W"], P["b_k"]))


def weights(seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=w.shape) for name, w in tg.cells.Guo().init(2, 3, 4, rng=rng).items()}


TO_CUT = {
    "guo": (tg.cells.Guo(), None, None),
    "lstm": (tg.cells.LSTM(), None, None),
    "gru": (tg.cells.GRU(), None, None),
    "layers": (tg.cells.Stacked(tg.cells.LSTM(), tg.cells.GRU()), None, None),
    "leaky": (leaky, weights(), 1),
    "delay line": (delay_line, weights(), 2),
}


def start(parts, samples):
    zeros = np.zeros((samples, 3))
    return None if parts is None else zeros if parts == 1 else (zeros, zeros)


@pytest.mark.parametrize("kind", TO_CUT)
@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("keep_all", [False, True])
@pytest.mark.parametrize("cuts", [(2,), (3, 5), (2, 3, 4, 5, 6, 7), (7,)])
def test_a_cut_lets_no_error_through(kind, samples, keep_all, cuts):
    cell, params, parts = TO_CUT[kind]
    net, data = network(cell, samples, steps=7, params=params, s0=start(parts, samples))
    tg.cut(net, *cuts)
    net.backward()
    program = compiled(net, CUTTABLE, keep_all)
    assert program.can_be_cut
    run(program, net, data)
    for among in ((), cuts, (), cuts):  # nothing of one pass is left in another
        program.pull(cuts=among)
    assert furthest(program, net) < 1e-13


def test_what_is_read_as_something_else_cannot_be_cut():
    net, data = network(tg.cells.Guo())
    program = played(net, data)
    assert not program.can_be_cut
    with pytest.raises(ValueError, match="takes back what a step has handed on"):
        program.pull(cuts=[2])


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("passes", [PASSES, CUTTABLE, ()], ids=["all", "cuttable", "none"])
@pytest.mark.parametrize("cell", [tg.cells.Guo(), tg.cells.LSTM(), tg.cells.GRU()], ids=repr)
def test_error_from_beyond(cell, samples, passes):
    rng = np.random.default_rng(1)
    net, data = network(cell, samples)
    parts = net.states[-1] if isinstance(net.states[-1], tuple) else (net.states[-1],)
    later = [rng.normal(size=p.shape) for p in parts]
    net.backward(later=tuple(later) if isinstance(net.states[-1], tuple) else later[0])
    assert furthest(played(net, data, passes, later=later), net) < 1e-13


def test_whoever_remembers_the_number_of_a_pass_knows_whether_another_was_begun():
    net, data = network(tg.cells.Guo())
    program = played(net, data)
    assert (program.runs, program.pulls) == (1, 1)

    with pytest.raises(ValueError, match="could not broadcast"):
        run(program, net, {"x": data["x"][:, :, :1], "d": data["d"][:, :, :3]})
    assert (program.runs, program.pulls) == (2, 1)
    program.carry({name: net.weights[name].value for name in program.weights}, data)
    program.pull()
    assert (program.runs, program.pulls) == (3, 2)


# ---- cells whose products are not of a state and a weight


def attention(P, x, s):
    """A product of two values of a step."""
    h = o.tanh(o.linear(x, P["V"], s, P["U"], P["b_j"]))
    s = o.tanh(o.softmax(h @ s.T) @ h + s)
    return s, o.softmax(o.linear(s, P["W"], P["b_k"]))


def read_at_once(P, x, s):
    """Such a product outside the recurrence, and one with a bias that is computed."""
    s = o.tanh(o.linear(x, P["V"], s, P["U"], P["b_j"]))
    mixed = o.linear(s, P["U"], s.sum(axis=-2)) @ (s.T @ s)
    return s, o.softmax(o.linear(mixed, P["W"], P["b_k"]))


def samples_mixed(P, x, s):
    """A weight that stands on the left."""
    s = o.tanh(o.linear(x, P["V"], s, P["U"], P["b_j"]))
    return s, o.softmax(o.linear((P["U"] @ s.T).T, P["W"], P["b_k"]))


def weight_chosen_by_the_state(P, x, s):
    """The right factor of a sum's second product is computed, in the loop."""
    gate = o.sigmoid(o.linear(s, P["U"]))
    chosen = o.outer(gate, gate) * P["U"]
    s = o.tanh(o.linear(x, P["V"], s, chosen, P["b_j"]))
    return s, o.softmax(o.linear(s, P["W"], P["b_k"]))


def joined_with_a_weight(P, x, s):
    """A value of the step beside one that all steps share."""
    row = o.broadcast(P["b_j"], source=(3,), to=s.shape)
    s = o.tanh(o.linear(o.concatenate(x, row, axis=-1)[:, :2], P["V"], s, P["U"], P["b_j"]))
    both = o.stack(s, row, axis=-2).sum(axis=-2)
    return s, o.softmax(o.linear(both + o.concatenate(row, s, axis=-2)[: s.shape[0]], P["W"], P["b_k"]))


def joined_with_a_number(P, x, s):
    one = s.tape.constant(np.ones((s.shape[0], 1)))
    s = o.tanh(o.linear(o.concatenate(x, s, one, axis=-1)[:, :2], P["V"], s, P["U"], P["b_j"]))
    return s, o.softmax(o.linear(o.concatenate(s, one, axis=-1)[:, 1:], P["W"], P["b_k"]))


def rows_of_one_sample(P, x, s):
    """What has one sample may have more rows on its way."""
    net = o.linear(x, P["V"], s, P["U"], P["b_j"])
    twice = o.tanh(o.concatenate(net, 0.5 * net, axis=-2))
    s = o.sum(twice, axis=(-2,), keepdims=True) if s.shape[0] == 1 else o.tanh(net)
    return s, o.softmax(o.linear(s, P["W"], P["b_k"]))


def sum_of_one(P, x, s):
    """A sum may have one term."""
    s = o.tanh(o.add(o.linear(x, P["V"], s, P["U"], P["b_j"])))
    return s, o.softmax(o.linear(s, P["W"], P["b_k"]))


SHIFTED = elementwise("shifted", [(np.add, 1.0), (np.tanh,)])
SHIFTED.vjp(0, latex="")(lambda g, y, net: g * (1 - y * y))


def shifted_before_it_is_bent(P, x, s):
    """An activation that adds a number first, where others multiply by one."""
    s = SHIFTED(o.linear(x, P["V"], s, P["U"], P["b_j"]))
    return s, o.softmax(o.linear(s, P["W"], P["b_k"]))


def two_parts_of_one_error(P, x, s):
    """Both parts of the state are read as their sum, so that one error comes back to both."""
    h = o.tanh(o.linear(s[0] + s[1], P["U"]))
    return (h, o.linear(x, P["V"], P["b_j"])), o.softmax(o.linear(h, P["W"], P["b_k"]))


def added_to_what_the_head_reads(P, x, s):
    """What comes back is an error of the loop, and makes a weight's gradient as it is."""
    h = o.tanh(o.linear(s, P["U"]))
    return h + o.linear(x, P["V"], P["b_j"]), o.softmax(o.linear(h, P["W"], P["b_k"]))


def read_a_step_later(P, x, s):
    """A part of the state has no error but the one that comes back, and that makes a weight's gradient."""
    h = o.tanh(o.linear(s[1], P["U"]))
    return (h, o.linear(x, P["V"], P["b_j"])), o.softmax(o.linear(h, P["W"], P["b_k"]))


def each_reads_the_other(P, x, s):
    """The errors of two parts of the state cross."""
    a = o.tanh(o.linear(x, P["V"], s[1], P["U"], P["b_j"]))
    b = o.tanh(o.linear(s[0], P["U"]))
    return (a, b), o.softmax(o.linear(a + b, P["W"], P["b_k"]))


def lagging(P, x, s):
    """Lag 3: what was two steps before is handed on, and read as it comes out."""
    a, b, c = s
    new = o.tanh(o.linear(x, P["V"], c, P["U"], P["b_j"]))
    return (new, o.identity(a), o.identity(b)), o.softmax(o.linear(new, P["W"], P["b_k"]))


HARD = [
    lagging,
    sum_of_one,
    shifted_before_it_is_bent,
    two_parts_of_one_error,
    added_to_what_the_head_reads,
    read_a_step_later,
    each_reads_the_other,
    attention,
    read_at_once,
    samples_mixed,
    weight_chosen_by_the_state,
    joined_with_a_weight,
    joined_with_a_number,
    rows_of_one_sample,
]


@pytest.mark.parametrize("cell", HARD)
@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("keep", ["needed", "all"])
def test_a_cell_that_is_hard_to_plan_is_replayed_as_the_tape_plays_it(cell, samples, keep):
    params, parts = weights(), np.random.default_rng(2).normal(size=(3, samples, 3))
    count = {lagging: 3, two_parts_of_one_error: 2, read_a_step_later: 2, each_reads_the_other: 2}.get(cell)
    s0 = tuple(parts[:count]) if count else parts[0]
    net, data = network(cell, samples, params=params, s0=s0, keep=keep)
    fresh, _ = network(cell, samples, params=params, s0=s0)
    net.replay(data["x"], data["d"])
    assert "no plan" not in net.schedule
    net.backward()
    fresh.backward()
    assert net.loss == pytest.approx(fresh.loss, rel=1e-13)
    for ours, theirs in zip(net.tape, fresh.tape, strict=True):
        assert difference(ours.value, theirs.value) < 1e-13, ours
        if ours.t and theirs.cotangent is not None:
            assert difference(ours.cotangent, theirs.cotangent) < 1e-12, ours
    for name, g in fresh.grads.items():
        assert difference(net.grads[name], g) < 1e-12, name


def test_a_cut_compiles_no_loop_anew():
    net, data = network(tg.cells.GRU(), 2)
    program = played(net, data, CUTTABLE)
    before = list(program.source)
    for cuts in ((), (2,), (3, 4)):
        program.pull(cuts=cuts)
        program.pull([np.ones((2, 3))], cuts)
    assert program.source == before


def test_whoever_looks_cannot_write_nor_forbid_to_write():
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    for turn in range(2):
        net.replay(p.x + turn, p.d, s0=p.s0 + turn)
        folded, values = net.stacked()
        for node in folded.tape.nodes[: folded.size]:
            looked = values(node)
            assert not looked.flags.writeable
        tg.influence(net, "W")  # plays on what it looks at
        net.backward()
        tg.truncated_gradient(net, k1=2, k2=3)
    fresh = tg.unfold(p.cell, p.params, p.x + 1, p.d, s0=p.s0 + 1)
    assert net.replay() == pytest.approx(fresh.loss, rel=1e-13)
