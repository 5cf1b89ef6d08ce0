"""The tape: what it records, and what it answers when it is asked at the wrong moment."""

import gc
import re
import weakref

import numpy as np
import pytest

from tinygrad_rnn.autodiff import Node, ShapeError, Tape, TapeError, ops
from tinygrad_rnn.autodiff.terms import Outer
from tinygrad_rnn.unfold.recording import Recording


def scalar(value=3.0):
    tape = Tape()
    return tape, tape.leaf(np.array(value), "x")


def test_a_square_reads_its_argument_twice():
    tape, x = scalar()
    y = x * x
    assert y.parents == (x, x)
    shares = list(tape.pullback(y))
    assert [(s.parent, s.slot) for s in shares] == [(x, 0), (x, 1)]
    assert x.cotangent == 6.0


def test_a_diamond_of_depth_60_takes_60_steps_not_2_to_the_60():
    tape, x = scalar(1.0)
    y = x
    for _ in range(60):
        y = y + y
    assert len(list(tape.pullback(y))) == 120
    assert x.cotangent == 2.0**60


def test_a_chain_of_100000_needs_no_recursion():
    tape, x = scalar(0.5)
    y = x
    for _ in range(100_000):
        y = ops.tanh(y)
    tape.backward()
    assert 0 < x.cotangent < 1
    tape = weakref.ref(tape)
    del x, y
    assert tape() is None


def test_twice_backward_gives_the_same_again():
    tape, x = scalar()
    y = ops.tanh(x * x) * x
    tape.backward(y)
    first = x.cotangent.copy()
    tape.backward(y)
    np.testing.assert_array_equal(x.cotangent, first)


def test_shares_say_what_they_changed():
    tape, x = scalar()
    first, second = tape.pullback(x * x)
    assert (first.before, first.value, first.after) == (None, 3.0, 3.0)
    assert (second.before, second.value, second.after) == (3.0, 3.0, 6.0)


def test_adding_into_one_node_does_not_change_its_sibling():
    tape = Tape()
    a, b = tape.leaf(np.ones(2), "a"), tape.leaf(np.ones(2), "b")
    y = ops.add(ops.add(a, b), a)
    tape.backward(y, seed=np.ones(2))
    np.testing.assert_array_equal(a.cotangent, [2, 2])
    np.testing.assert_array_equal(b.cotangent, [1, 1])


def test_backward_before_forward():
    with pytest.raises(TapeError, match="nothing has been recorded"):
        Tape().backward()
    tape, x = scalar()
    y = x * x
    tape.set(x, np.array(5.0))
    with pytest.raises(TapeError, match=r"backward before forward: x has changed"):
        tape.backward(y)
    playing = tape.play()
    next(playing)
    tape.backward(y)  # the whole of this short tape has been played
    assert x.cotangent == 10.0


def test_backward_in_the_middle_of_the_forward_pass():
    tape, x = scalar()
    y = ops.tanh(ops.tanh(x))
    next(tape.play())
    with pytest.raises(TapeError, match="backward before forward"):
        tape.backward(y)
    with pytest.raises(TapeError, match="play it to its end before recording"):
        ops.tanh(y)


def test_backward_from_something_that_is_no_scalar():
    tape = Tape()
    y = ops.tanh(tape.leaf(np.ones((2, 3)), "x"))
    with pytest.raises(TapeError, match=r"of shape \(2, 3\): the error starts from a scalar cost"):
        tape.backward(y)
    with pytest.raises(ShapeError, match="the seed is"):
        tape.backward(y, seed=np.ones(2))
    tape.backward(y, seed=np.ones((2, 3)))


def test_backward_to_nobody():
    tape = Tape()
    y = ops.tanh(tape.leaf(np.array(1.0), "x", active=False))
    with pytest.raises(TapeError, match="there is nobody to send error to"):
        tape.backward(y)


def test_an_interrupted_backward_pass_is_not_taken_for_a_complete_one():
    tape, x = scalar()
    y = ops.tanh(x * x)
    tape.backward(y)
    assert tape.swept is y
    next(tape.pullback(y))
    assert tape.swept is None


def test_nodes_of_two_tapes_do_not_mix():
    _, x = scalar()
    other, z = scalar()
    with pytest.raises(TapeError, match="stands on another tape"):
        ops.add(x, z)
    with pytest.raises(TapeError, match="stands on another tape"):
        other.backward(x)


def test_a_node_without_its_tape_says_so():
    x = scalar()[1]
    gc.collect()
    with pytest.raises(TapeError, match="the tape of x is gone"):
        x * x


def test_leaves_are_copies_and_values_are_read_only():
    original = np.ones(3)
    tape = Tape()
    x = tape.leaf(original, "x")
    original[0] = 99
    assert x.value[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        x.value[0] = 5
    with pytest.raises(ValueError, match="read-only"):
        ops.tanh(x).value[0] = 5


@pytest.mark.parametrize("values", [np.arange(3), np.array([True]), np.array([object()]), np.array(["a"])])
def test_only_floating_point_numbers_are_taken(values):
    with pytest.raises(ShapeError, match="floating point"):
        Tape().leaf(values, "x")


def test_set_refuses_what_does_not_fit():
    tape, x = scalar()
    y = x * x
    with pytest.raises(ShapeError, match="they must agree"):
        tape.set(x, np.ones(2))
    with pytest.raises(TapeError, match="only a leaf"):
        tape.set(y, np.array(1.0))
    assert x.value == 3.0


def test_targets_cannot_be_trained_through_a_cost_that_has_no_such_rule():
    tape = Tape()
    net, d = tape.leaf(np.ones((1, 2)), "net"), tape.leaf(np.ones((1, 2)), "d")
    with pytest.raises(TapeError, match="no derivative with respect to d"):
        ops.cross_entropy(net, ops.softmax(net), d)


def test_arrays_and_numbers_join_on_either_side():
    tape = Tape()
    x = tape.leaf(np.array([1.0, 2.0]), "x")
    y = np.array([3.0, 4.0]) * x
    assert y.op is ops.multiply
    tape.backward(y, seed=np.ones(2))
    np.testing.assert_array_equal(x.cotangent, [3.0, 4.0])
    z = 1.0 - 2.0 * x
    np.testing.assert_array_equal(z.value, [-1.0, -3.0])
    assert [node.op.name for node in (z, *z.parents) if node.op] == ["subtract", "broadcast", "multiply"]
    with pytest.raises(ShapeError, match="neither can be repeated to fit the other"):
        _ = x + np.ones(3)


def test_steps_do_not_nest():
    tape = Recording()
    with tape.step(1), pytest.raises(TapeError, match="inside time step 1"), tape.step(2):
        pass


def test_a_weight_gradient_stays_factors_until_it_is_read():
    left, right = np.arange(6.0).reshape(2, 3), np.arange(4.0).reshape(2, 2)
    one = Outer.of(left, right)
    two = one + Outer.of(left, right)
    three = two + Outer.of(left, right)
    assert [left is factor for factor, _ in three.terms] == [True] * 3  # nothing has been multiplied out
    also_three = two + Outer.of(-left, right)  # continues from the middle: must not disturb `three`
    np.testing.assert_allclose(np.asarray(one), left.T @ right)
    np.testing.assert_allclose(np.asarray(two), 2 * left.T @ right)
    np.testing.assert_allclose(np.asarray(three), 3 * left.T @ right)
    np.testing.assert_allclose(np.asarray(also_three), left.T @ right)
    assert one.shape == (3, 2)
    np.testing.assert_allclose(np.ones((3, 2)) + one, 1 + left.T @ right)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("net_j", "netⱼ"),
        ("s", "s"),
        ("W_in_h", "W_in_h"),
        ("a{b}", "a{b}"),
        ("50%", "50%"),
        ("b_1", "b₁"),
        ("x_q", "x_q"),
    ],
)
def test_names_are_written_as_they_are(name, written):
    tape = Recording()
    assert str(tape.leaf(np.ones(1), name, t=2)) == f"{written}(2)"


def test_a_pass_stops_where_it_is_told_to():
    tape = Tape()
    x = tape.leaf(np.array(3.0), "x")
    y = x * x
    z = y * x
    tape.backward(z, until=[y])
    assert (float(y.cotangent), float(x.cotangent)) == (3.0, 9.0)
    assert [share.parent for share in tape.pullback(z, until={y})] == [y, x]
    tape.backward(z)
    assert float(x.cotangent) == 27.0


def test_arrays_and_nodes_meet_in_operators_and_nowhere_else():
    tape = Tape()
    x = tape.leaf(np.arange(1.0, 5.0).reshape(2, 2), "x")
    a = np.array([[2.0, 3.0], [4.0, 5.0]])
    for ours, theirs in (
        (a + x, a + x.value),
        (a - x, a - x.value),
        (a * x, a * x.value),
        (a / x, a / x.value),
        (a @ x, a @ x.value),
        (np.float64(2) * x, 2 * x.value),
    ):
        assert isinstance(ours, Node)
        np.testing.assert_array_equal(ours.value, theirs)
    refused = "np.{} of x: NumPy's functions are not recorded on a tape; use {}"
    for function, words in (
        (lambda: np.tanh(x), refused.format("tanh", "tinygrad_rnn.ops.tanh")),
        (lambda: np.arctan(x), refused.format("arctan", "one of tinygrad_rnn.ops")),
        (lambda: a == x, refused.format("equal", "node.value for its numbers")),
        (lambda: a != x, refused.format("not_equal", "node.value for its numbers")),
        (lambda: np.add(a, x, out=a), refused.format("add", "tinygrad_rnn.ops.add")),
    ):
        with pytest.raises(TypeError, match=re.escape(words)):
            function()
