"""Forward mode on the tape: what a disturbance does, contribution by contribution.

That it is the adjoint of the pullback, for every op and on random graphs, is tested beside the ops.
"""

import numpy as np
import pytest

from tinygrad_rnn.autodiff import Op, ShapeError, Tape, TapeError, ops
from tinygrad_rnn.unfold.recording import Recording


def scalar(value=3.0):
    tape = Recording()
    return tape, tape.leaf(np.array(value), "x")


def test_contributions_say_what_they_changed():
    tape, x = scalar()
    y = x * x
    first, second = tape.pushforward({x: np.array(1.0)})
    assert [(p.node, p.slot, p.parent) for p in (first, second)] == [(y, 0, x), (y, 1, x)]
    assert (first.before, first.value, first.after) == (None, 3.0, 3.0)
    assert (second.before, second.value, second.after) == (3.0, 3.0, 6.0)
    assert not second.after.flags.writeable


def test_tangents_of_every_node_in_the_end():
    tape, x = scalar()
    z = tape.leaf(np.ones((2, 3)), "z")
    y = ops.tanh(x) * x
    moved = tape.tangents({x: 2.0})
    h = 1e-30j
    assert moved[y] == pytest.approx(np.imag(np.tanh(3 + 2 * h) * (3 + 2 * h)) / 1e-30, rel=1e-14)
    assert moved[x] == 2.0
    np.testing.assert_array_equal(moved[z], np.zeros((2, 3)))
    assert z not in moved


def test_any_node_can_be_disturbed_and_what_moves_it_anyway_is_added():
    tape, x = scalar(0.5)
    y = ops.tanh(x)
    z = y * y
    assert tape.tangents({y: 1.0})[z] == pytest.approx(2 * np.tanh(0.5))
    slope = 1 - np.tanh(0.5) ** 2
    (into_y, *_) = tape.pushforward({y: 1.0, x: 1.0})
    assert (into_y.node, into_y.before) == (y, 1.0)
    assert into_y.after == pytest.approx(1 + slope)
    assert tape.tangents({y: 1.0, x: 1.0})[z] == pytest.approx(2 * np.tanh(0.5) * (1 + slope))
    assert not list(tape.pushforward({}))


def test_what_is_only_read_contributes_nothing():
    tape = Tape()
    net, d = tape.leaf(np.array([[0.3, -0.2]]), "net"), tape.constant(np.array([[0.25, 0.75]]))
    y = ops.softmax(net)
    cost = ops.cross_entropy(net, y, d)
    u = np.array([[1.0, 2.0]])
    assert [p.slot for p in tape.pushforward({net: u}) if p.node is cost] == [0]
    tape.backward(cost)
    assert tape.tangents({net: u})[cost] == pytest.approx((net.cotangent * u).sum(), rel=1e-14)
    assert ops.detach(net) not in tape.tangents({net: u})


def test_a_chain_of_100000_needs_no_recursion():
    tape, x = scalar(0.5)
    y = x
    for _ in range(100_000):
        y = ops.tanh(y)
    tape.backward(y)
    assert tape.tangents({x: 1.0})[y] == pytest.approx(x.cotangent, rel=1e-9)


def test_values_and_cotangents_stay_as_they_are():
    tape, x = scalar()
    y = ops.tanh(x) * x
    tape.backward(y)
    before = [(n.value, n.cotangent) for n in tape]
    tape.tangents({x: 1.0})
    assert all(n.value is value and n.cotangent is g for n, (value, g) in zip(tape, before, strict=True))
    assert tape.swept is y


def test_tangents_before_values():
    tape, x = scalar()
    y = ops.tanh(x * x)
    tape.set(x, 5.0)
    with pytest.raises(TapeError, match="tangents before values: x has changed"):
        tape.tangents({x: 1.0})
    list(tape.play())
    pushing = tape.pushforward({x: 1.0})
    next(pushing)
    list(tape.play())
    with pytest.raises(TapeError, match="another pass over this tape was begun"):
        list(pushing)
    assert y in tape.tangents({x: 1.0})


def test_what_cannot_be_disturbed():
    tape, x = scalar()
    _, other = scalar()
    ops.tanh(x)
    with pytest.raises(TapeError, match="x stands on another tape"):
        tape.tangents({other: 1.0})
    with pytest.raises(ShapeError, match=r"the tangent of x is \(2,\) and x is \(\): they must agree"):
        tape.tangents({x: np.ones(2)})


def test_an_op_without_a_rule_for_tangents_says_so():
    half = Op(lambda x, out=None: 0.5 * x, label="half", latex="{0} / 2")
    half.name = "half"
    half.vjp(0, latex="{g} / 2")(lambda g, y, x: 0.5 * g)
    tape, x = scalar()
    with tape.step(2):
        half(x)
    with pytest.raises(TapeError, match=r"half at t=2: it has no tangent with respect to x, its argument 0"):
        tape.tangents({x: 1.0})


def test_float32_stays_float32():
    tape = Tape()
    x = tape.leaf(np.float32(0.5), "x")
    y = ops.tanh(x)
    assert tape.tangents({x: 1})[y].dtype == np.float32
