"""The derivative check of a network: right ones pass, and planted mistakes are named with their time step."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from canonical import KINDS, Spoilt, problem

o = tg.ops


def unfold(p, cell=None, **options):
    return tg.unfold(cell or p.cell, p.params, p.x, p.d, loss=p.loss, s0=p.s0, **options)


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 4), st.integers(1, 5), st.integers(2, 4)),
    kind=st.sampled_from([*KINDS, ("relu", "softmax", "cross_entropy")]),
    reduction=st.sampled_from(["sum", "mean"]),
    replayed=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_right_networks_pass_whoever_played_them(sizes, kind, reduction, replayed, seed):
    p = problem(*kind, sizes=sizes, seed=seed)
    net = unfold(p, reduction=reduction)
    if replayed:
        net.replay(p.x * 0.5)
        net.backward()
    report = net.check(rng=seed)
    assert report.ok, report
    assert report.largest < 1e-9
    copies = report.compared["copy"]
    assert copies.count + copies.left_out == 5 * net.T
    assert not copies.left_out or kind[0] == "relu"  # beside a kink there is nothing to measure
    assert report.compared["gradient"].count == 5
    active = sum(node.active for node in net.tape)
    left_out = report.compared["cotangent"].left_out
    assert sum(report.compared[kind].count for kind in ("cotangent", "copy", "gradient")) == active - left_out


def mutant(op, **wrong):
    """The op with some rules replaced: ``share=`` or ``push=``, a function of what the right one takes and gives."""
    made = copy.copy(op)
    for rule, change in wrong.items():
        right = getattr(op, rule)
        setattr(made, rule, lambda slot, g, y, args, right=right, change=change: change(right, slot, g, y, args))
    return made


def cell_with(linear=o.linear, tanh=o.tanh):
    def cell(P, x, s):
        s = tanh(linear(x, P["V"], s, P["U"], P["b_j"], name="net_j"), name="s")
        return s, o.softmax(o.linear(s, P["W"], P["b_k"]))

    return cell


MISTAKES = {
    "U for U transposed": (
        {"linear": mutant(o.linear, share=lambda right, k, g, y, a: g @ a[3].T if k == 2 else right(k, g, y, a))},
        "the vjp of linear at t=1, role 4 (netⱼ(1)), argument 2, s(0)",
    ),
    "the copy of U gets its error turned": (
        {
            "linear": mutant(
                o.linear,
                share=lambda right, k, g, y, a: np.asarray(right(k, g, y, a)).T if k == 3 else right(k, g, y, a),
            )
        },
        "the vjp of linear at t=1, role 4 (netⱼ(1)), argument 3, U(1)",
    ),
    "tanh' of the value instead of the net input": (
        {"tanh": mutant(o.tanh, share=lambda right, k, g, y, a: g * (1 - np.tanh(y) ** 2))},
        "the vjp of tanh at t=1, role 5 (s(1)), argument 0, netⱼ(1)",
    ),
    "the error forgets the slope": (
        {"tanh": mutant(o.tanh, share=lambda right, k, g, y, a: g)},
        "the vjp of tanh at t=1, role 5 (s(1)), argument 0, netⱼ(1)",
    ),
    "a tangent with the wrong sign": (
        {"tanh": mutant(o.tanh, push=lambda right, k, dx, y, a: -right(k, dx, y, a))},
        "the jvp of tanh at t=1, role 5 (s(1)), argument 0, netⱼ(1)",
    ),
    "the bias is averaged over the samples": (
        {
            "linear": mutant(
                o.linear, share=lambda right, k, g, y, a: 0.5 * right(k, g, y, a) if k == 4 else right(k, g, y, a)
            )
        },
        "the vjp of linear at t=1, role 4 (netⱼ(1)), argument 4, bⱼ(1)",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_rule_is_found_and_named(mistake):
    ops, said = MISTAKES[mistake]
    p = problem()
    assert unfold(p, cell_with()).check().ok
    report = unfold(p, cell_with(**ops)).check()
    assert str(report.first) == said


def test_a_rule_that_is_wrong_at_one_time_step_only():
    p, calls = problem(), []
    wrong = mutant(o.tanh, share=lambda right, k, g, y, a: 1.01 * right(k, g, y, a))

    def cell(P, x, s):
        calls.append(None)
        return cell_with(tanh=wrong if len(calls) == 3 else o.tanh)(P, x, s)

    first = unfold(p, cell).check().first
    assert (first.kind, first.node.t, first.node.op) == ("vjp", 3, wrong)


def test_a_buffer_of_the_plan_that_was_spoilt_is_found_at_its_time():
    p = problem()
    net = unfold(p)
    net.replay()
    net.backward()
    net_j = net.states[3].parents[0]
    plan = net._executor.program
    g = plan.folded.cotangents[plan.recorded.first + net_j.role]
    plan.buffers.stacks[g][2] *= 1.01
    report = net.check()
    assert str(report.first).startswith("the cotangent of netⱼ(3) at t=3, role ")
    net.backward()
    assert net.check().ok
    right = plan.gradients
    plan.gradients = lambda: {name: g * (1.001 if name == "U" else 1) for name, g in right().items()}
    net.backward()
    assert str(net.check().first) == "the gradient of U (leaf)"


def test_a_spoilt_copy_is_found():
    net = unfold(problem())
    net.backward()
    node = net._steps[1].copies["W"]
    net.tape.passes.cotangents = Spoilt(net.tape.cotangents, node, np.asarray(node.cotangent) + 1e-3)
    assert str(net.check().first).startswith("the gradient of the copy W(2) at t=2, role ")


def test_one_cost_alone():
    net = unfold(problem())
    net.backward(of=3)
    assert net.check().ok
    assert net.tape.swept is net.losses[2]


def test_a_detached_state_is_right_in_its_own_way():
    def cell(P, x, s):
        return cell_with()(P, x, o.detach(s))

    assert unfold(problem(), cell).check().ok


def test_the_network_stays_as_it_is():
    p = problem()
    net = unfold(p)
    net.replay()
    net.backward()
    before = {name: g.copy() for name, g in net.grads.items()}
    values = [node.value.copy() for node in net.tape]
    net.check()
    for name, g in before.items():
        np.testing.assert_array_equal(net.grads[name], g)
    for node, value in zip(net.tape, values, strict=True):
        np.testing.assert_array_equal(node.value, value)
    assert net.replay() == net.loss
    with pytest.raises(tg.TapeError, match="no gradients yet"):
        _ = net.grads
    net.check()
    with pytest.raises(tg.TapeError, match="no gradients yet"):
        _ = net.grads


def test_a_long_network_is_checked_in_part_and_says_so():
    net = unfold(problem(sizes=(150, 1, 1, 2, 2)))
    report = net.check()
    assert report.ok, report
    assert report.compared["cotangent"].left_out > 0
    assert report.compared["gradient"].count == 5


def test_an_input_that_chooses_has_no_slope_where_the_choice_turns_over():
    """The tick of a clock is a column of the input: moved away from 0 it lets another number through."""
    rng = np.random.default_rng(0)
    params = {"V": rng.normal(size=(3, 2)), "U": rng.normal(size=(3, 3)), "W": rng.normal(size=(2, 3))}
    x = np.concatenate([rng.normal(size=(4, 2, 2)), rng.integers(0, 2, (4, 2, 3))], axis=-1)

    def cell(P, x, s):
        new = o.tanh(o.linear(x[:, :2], P["V"], s, P["U"]))
        s = o.where(x[:, 2:], new, s)
        return s, o.softmax(o.linear(s, P["W"]))

    d = np.eye(2)[rng.integers(0, 2, (4, 2))]
    net = tg.unfold(cell, params, x, d, s0=rng.normal(size=(2, 3)), input_grads=True)
    report = net.check()
    assert report.ok, report
    net.backward()
    assert (net.input_grads[..., 2:] == 0).all()
    assert net.input_grads[..., :2].any()
