"""Every pass of the compiler can be left out, and they can stand in any order: the numbers stay what they are."""

from itertools import permutations

import numpy as np
import pytest

import tinygrad_rnn as tg
from compiled import calls, compiled, furthest, network, played
from tinygrad_rnn.autodiff.form import Joins
from tinygrad_rnn.autodiff.traits import block_of
from tinygrad_rnn.replay import PASSES, Program, buffers
from tinygrad_rnn.replay.passes import fuse_gates, hoist, join_products, pack, remove_units, split_sums

CELLS = [
    tg.cells.Guo(),
    tg.cells.Guo(f="sigmoid", g="sigmoid"),
    tg.cells.LSTM(),
    tg.cells.LSTM(peepholes=True),
    tg.cells.GRU(),
    tg.cells.GRU(reset="before"),
    tg.cells.Stacked(tg.cells.LSTM(), tg.cells.GRU()),
]
NAMES = [each.__name__ for each in PASSES]
cells = pytest.mark.parametrize("cell", CELLS, ids=repr)
sampled = pytest.mark.parametrize("samples", [1, 2])


def played_by_tape(cell, samples, **options):
    net, data = network(cell, samples, **options)
    net.backward()
    return net, data


@cells
@sampled
@pytest.mark.parametrize("keep_all", [False, True])
@pytest.mark.parametrize("off", [None, *PASSES], ids=["none", *NAMES])
def test_a_pass_that_is_left_out_changes_no_number(cell, samples, keep_all, off):
    net, data = played_by_tape(cell, samples)
    program = played(net, data, [each for each in PASSES if each is not off], keep_all)
    assert furthest(program, net) < 1e-13


@cells
@sampled
def test_no_pass_at_all(cell, samples):
    net, data = played_by_tape(cell, samples)
    assert furthest(played(net, data, ()), net) < 1e-13


@cells
@sampled
@pytest.mark.parametrize("off", [None, hoist, pack], ids=["none", "hoist", "pack"])
def test_more_steps_than_are_played_at_once(monkeypatch, cell, samples, off):
    monkeypatch.setattr(buffers, "AT_ONCE", 0)  # sixteen
    net, data = played_by_tape(cell, samples, steps=19)
    program = played(net, data, [each for each in PASSES if each is not off])
    assert program.buffers.group < net.T
    assert furthest(program, net) < 1e-12


def test_any_order_of_the_passes():
    net, data = played_by_tape(tg.cells.Guo(), 1, steps=3)
    counts = set()
    for order in permutations(PASSES):
        program = played(net, data, order)
        assert furthest(program, net) < 1e-13, [each.__name__ for each in order]
        counts.add(calls(program))
    assert min(counts) == calls(compiled(net)) == 4


@cells
@sampled
def test_some_orders_of_the_passes_for_every_cell(cell, samples):
    net, data = played_by_tape(cell, samples, steps=3)
    orders = list(permutations(PASSES))
    for k in np.random.default_rng(0).choice(len(orders), 12, replace=False):
        assert furthest(played(net, data, orders[k]), net) < 1e-13, [each.__name__ for each in orders[k]]


@cells
def test_a_pass_leaves_what_it_is_given_as_it_is(cell):
    net, _ = network(cell)
    folded, _ = net.stacked()
    nodes = list(folded.tape.nodes)
    before = [(n.op, n.parents, n.name) for n in nodes]
    for each in PASSES:
        made = each(folded)
        assert made is folded or made.tape is not folded.tape
        assert folded.tape.nodes == nodes
        assert [(n.op, n.parents, n.name) for n in nodes] == before
        with pytest.raises(TypeError):
            made.weights["more"] = made.cost
        folded, nodes = made, list(made.tape.nodes)
        before = [(n.op, n.parents, n.name) for n in nodes]


@cells
@sampled
def test_an_argument_stands_before_its_readers(cell, samples):
    folded, _ = network(cell, samples)[0].stacked()
    for each in PASSES:
        folded = each(folded)
        assert all(p.index < n.index for n in folded.tape for p in n.parents)
        own = folded.tape.nodes[: folded.size]
        assert {folded.cost, *folded.state, *folded.before} <= set(own)


def count(cell, samples, *passes):
    return calls(compiled(network(cell, samples)[0], passes))


def test_what_a_pass_is_worth_in_calls():
    lstm, guo = tg.cells.LSTM(), tg.cells.Guo()
    without = [each for each in PASSES if each is not hoist]
    assert count(lstm, 2, *PASSES) < count(lstm, 2, *without)
    without = [each for each in PASSES if each is not fuse_gates]
    assert count(lstm, 1, *PASSES) < count(lstm, 1, *without)
    without = [each for each in PASSES if each is not pack]
    assert count(guo, 1, *PASSES) < count(guo, 1, *without)
    without = [each for each in PASSES if each not in (join_products, pack)]
    assert count(guo, 1, join_products, *without) <= count(guo, 1, *without)


@pytest.mark.parametrize(
    ("cell", "one", "more"),
    list(zip(CELLS, (4, 6, 16, 38, 18, 23, 34), (6, 9, 27, 39, 18, 24, 45), strict=True)),
    ids=repr,
)
def test_a_copy_takes_no_more_calls_than_it_did(cell, one, more):
    assert count(cell, 1, *PASSES) <= one  # write a smaller number here when there is one
    assert count(cell, 2, *PASSES) <= more


def read_twice(P, x, s):
    net = tg.ops.linear(x, P["V"], s, P["U"], P["b_j"])
    s = tg.ops.sigmoid(net) * tg.ops.tanh(net)
    return s, tg.ops.softmax(tg.ops.linear(s, P["W"], P["b_k"]))


def handed_on(P, x, s):
    s = tg.ops.linear(x, P["V"], s, P["U"], P["b_j"])
    return s, tg.ops.softmax(tg.ops.linear(tg.ops.sigmoid(s), P["W"], P["b_k"]))


@pytest.mark.parametrize(("cell", "most"), [(read_twice, 9), (handed_on, 3)])
def test_a_net_input_that_others_read_is_computed_once(cell, most):
    params = tg.cells.Guo().init(2, 3, 4, rng=0)
    assert calls(compiled(network(cell, params=params, s0=np.zeros((1, 3)))[0])) <= most


@pytest.mark.parametrize("each", [join_products, fuse_gates, pack])
def test_what_pays_for_one_sample_alone_is_left_with_more(each):
    folded, _ = network(tg.cells.LSTM(), 2)[0].stacked()
    assert each(folded) is folded


def test_units_are_removed_where_each_cost_weighs_one():
    for reduction, changes in (("sum", True), ("mean", False)):
        folded, _ = network(tg.cells.Guo(), reduction=reduction)[0].stacked()
        made = remove_units(folded)
        assert (made is not folded) == changes
        assert len(made.tape) < len(folded.tape) if changes else True


@pytest.mark.parametrize(("cell", "joined"), [(tg.cells.Guo(), 3), (tg.cells.LSTM(), 3)], ids=repr)
def test_packed_inputs_lie_side_by_side_and_are_never_copied(cell, joined):
    net, _ = network(cell)
    program = compiled(net)
    rows = [n for n in program.live.played if isinstance(block_of(n), Joins) and n not in program.folded.invariant]
    assert len(rows) == joined
    for row in rows:
        whole = program.buffers.stacks[row]
        for p in row.parents:
            if p not in program.folded.invariant:
                assert np.shares_memory(program.buffers.stacks[p], whole)
    many, _ = network(cell, inputs=1400)
    packed = [n for n in pack(many.stacked()[0]).tape if isinstance(block_of(n), Joins)]
    assert not any(p.shape[-1] == 1400 for n in packed for p in n.parents)


def test_what_does_not_wait_is_split_off():
    net, _ = network(tg.cells.Guo(), 2)
    assert "net_j = (x V.T + b_j) + s U.T" in compiled(net).source[0]
    assert "x V.T" not in compiled(net, [each for each in PASSES if each is not split_sums]).source[0].split("#")[0]


@pytest.mark.parametrize("cell", [tg.cells.LSTM(peepholes=True), tg.cells.GRU()], ids=repr)
@sampled
def test_a_network_has_one_schedule(cell, samples):
    net, _ = network(cell, samples)
    folded, _ = net.stacked()
    # All are held, and something between them, so that memory is found at other places.
    held = [(Program(folded, net.T, net.trained), np.empty(1000 + 777 * k)) for k in range(60 if samples == 2 else 12)]
    assert len({tuple(program.source) for program, _ in held}) == 1
