"""The derivative check: what it finds, names, leaves out and leaves alone.

That it finds every op right, and every wrong rule of every op, is tested beside the ops.
"""

import numpy as np
import pytest

import tinygrad_rnn as tg
from canonical import Spoilt
from tinygrad_rnn.autodiff import Op, Tape, TapeError, check_tape, ops
from tinygrad_rnn.unfold.recording import Recording

A = np.random.default_rng(2).normal(size=(2, 3))


def user_op(value, slope):
    """An op as a user may write it, entry by entry."""
    made = Op(value, label="mine", latex="f({0})")
    made.name = "mine"
    made.vjp(0, latex="{g}")(lambda g, y, x: g * slope(x, y))
    made.jvp(0)(lambda dx, y, x: dx * slope(x, y))
    return made


def test_an_op_or_any_function_of_nodes_can_be_checked():
    report = tg.check(ops.tanh, A)
    assert report.ok
    assert report.largest < 1e-12
    assert {kind: c.count for kind, c in report.compared.items()} == {"value": 1, "vjp": 1, "jvp": 1, "cotangent": 2}
    assert tg.check(lambda x, y: ops.softmax(x @ y.T).sum() / abs(x).sum(), A, A + 1).ok
    assert tg.check(lambda net: ops.cross_entropy(net, ops.softmax(net), np.eye(3)[:2]), A).ok
    assert tg.check(ops.tanh, [0, 1, 2]).ok  # whole numbers are taken as what they are
    with pytest.raises(TypeError, match="it must return a node"):
        tg.check(lambda x: 1.0, A)
    with pytest.raises(TapeError, match="nobody to send error to"):
        tg.check(ops.sign, A)


def test_a_wrong_rule_is_told_in_a_table():
    report = tg.check(user_op(lambda x, out=None: np.sin(x), lambda x, y: np.cos(x) ** 2), A)
    assert not report.ok
    first, *table = str(report).splitlines()
    assert first.startswith("the vjp of mine (f(a₀)), argument 0, a₀ is wrong: relative difference ")
    assert [line.split()[0] for line in table] == ["compared", "value", "vjp", "jvp", "cotangent"]
    assert "first wrong: the jvp of mine" in str(report)
    assert repr(report) == str(report)


def test_a_rule_that_is_wrong_in_the_seventh_digit_is_found():
    assert not tg.check(user_op(lambda x, out=None: np.sin(x), lambda x, y: (1 + 3e-7) * np.cos(x)), A).ok


@pytest.mark.parametrize(
    ("value", "slope"),
    [
        (lambda x, out=None: np.abs(x), lambda x, y: np.sign(x)),  # drops the imaginary part in silence
        (lambda x, out=None: np.hypot(x, 1.0), lambda x, y: x / y),  # raises TypeError
        (lambda x, out=None: np.asarray(x, float) ** 2, lambda x, y: 2 * x),  # warns
        (lambda x, out=None: x * np.conj(x), lambda x, y: 2 * x),  # complex, and yet without a complex derivative
    ],
)
def test_an_op_that_takes_no_complex_numbers_is_checked_by_differences(value, slope):
    report = tg.check(user_op(value, slope), A)
    assert report.ok, report
    assert 1e-15 < report.largest < 1e-6
    assert not tg.check(user_op(value, lambda x, y: 1.0001 * slope(x, y)), A).ok


def test_where_there_is_no_slope_nothing_is_claimed():
    x = np.array([-1.0, 0.0, 2.0])
    for op in (ops.relu, ops.absolute):
        report = tg.check(op, x)
        assert report.ok, report
        assert report.compared["vjp"].left_out == 1
        assert report.compared["cotangent"].left_out == 1
    wrong = user_op(lambda x, out=None: np.maximum(x, 0), lambda x, y: np.where(x > 0, 1.5, 0.0))
    assert tg.check(wrong, x).first.kind == "vjp"  # a corner in one entry does not hide the others


def test_a_domain_that_ends_at_zero_is_not_left():
    small = np.array([1e-12, 1.0, 1e6])
    for op in (ops.log, ops.sqrt):
        assert tg.check(op, small).ok
    assert tg.check(lambda x: ops.power(x, exponent=-1.5), small).ok


def test_sizes_do_not_matter():
    for size in (1e-200, 1e-8, 1e8, 1e100):
        assert tg.check(lambda x: x * x, A * size).ok, size
    assert tg.check(ops.tanh, A * 1e3).ok  # saturated: the slope is 0


def chain(steps=4):
    tape = Recording()
    w, s = tape.leaf(np.array([[0.5, -0.3], [0.2, 0.9]]), "w"), tape.leaf(np.array([[0.3, -0.7]]), "s", t=0)
    for t in range(1, steps + 1):
        with tape.step(t):
            s = ops.tanh(ops.linear(s, ops.copy(w, name="w"), name="net"), name="s")
    return tape, w, (s * s).sum()


def test_a_cotangent_that_is_wrong_is_found_from_the_cost_backwards():
    tape, _, cost = chain()
    tape.backward(cost)
    for t in (1, 3):  # the later one is the first on the way back
        net = next(n for n in tape if n.name == "net" and n.t == t)
        tape.passes.cotangents = Spoilt(tape.cotangents, net, np.asarray(net.cotangent) * 1.01)
    report = check_tape(tape, cost)
    assert str(report.first) == "the cotangent of net(3) at t=3, role 1 (linear)"
    assert report.compared["vjp"].first is None


def test_a_value_that_is_not_what_its_op_computes():
    tape, _, cost = chain()
    s = next(n for n in tape if n.name == "s" and n.t == 2)
    tape.passes.make_last(Spoilt(tape.values, s, s.value + 1e-3))
    assert str(check_tape(tape, cost).first) == "the value of tanh at t=2, role 2 (s(2))"


def test_an_error_that_was_lost_on_the_way():
    tape, w, cost = chain()
    tape.backward(cost)
    tape.passes.cotangents = Spoilt(tape.cotangents, w, None)
    assert str(check_tape(tape, cost).first) == "the cotangent of w (leaf)"


def test_the_tape_stays_as_it_is():
    tape, w, cost = chain()
    check_tape(tape, cost)
    assert all(n.cotangent is None for n in tape)
    assert (tape.swept, tape.cotangents) == (None, None)
    going_back = tape.pullback(cost)
    for _ in range(3):
        next(going_back)
    check_tape(tape, cost)
    list(going_back)  # goes on where it stood
    found = np.asarray(w.cotangent)
    before = [(n.value, n.cotangent) for n in tape]
    check_tape(tape, cost)
    assert all(n.value is value and n.cotangent is g for n, (value, g) in zip(tape, before, strict=True))
    tape.backward(cost)
    np.testing.assert_array_equal(np.asarray(w.cotangent), found)


def test_check_before_forward():
    tape, w, cost = chain()
    tape.set(w, w.value * 2)
    with pytest.raises(TapeError, match="check before forward: w has changed"):
        check_tape(tape, cost)


def test_float32_is_held_to_float32():
    assert tg.check(ops.tanh, A.astype(np.float32)).ok
    assert not tg.check(user_op(lambda x, out=None: np.sin(x), lambda x, y: 1.01 * np.cos(x)), A.astype(np.float32)).ok


def test_what_a_cross_entropy_only_reads_is_not_asked_for_a_slope():
    tape = Tape()
    net = tape.leaf(A, "net")
    cost = ops.cross_entropy(net, ops.softmax(net, name="y"), np.eye(3)[:2])
    report = check_tape(tape, cost)
    assert report.ok
    assert report.compared["cotangent"].left_out == 1  # y, of which no error is kept
