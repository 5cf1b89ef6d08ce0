"""Where the first NaN or infinity comes from."""

import numpy as np
import pytest

from tinygrad_rnn.autodiff import Tape, TapeError, check_tape, first_bad, ops
from tinygrad_rnn.unfold.recording import Recording


def leaf(*values):
    tape = Recording()
    return tape, tape.leaf(np.array(values), "x")


def test_there_is_none():
    tape, x = leaf(0.5, 2.0)
    tape.backward((x * x).sum())
    assert first_bad(tape) is None


def test_it_was_given():
    tape, x = leaf(1.0, np.nan, np.inf)
    y = ops.maximum(x, x)
    bad = first_bad(tape)
    assert (bad.node, bad.phase, bad.index, bad.count) == (x, "forward", (1,), 2)
    assert np.isnan(bad.value)
    assert str(bad) == "x was given nan at [1] (2 of 3 entries are not finite)"
    assert not np.isfinite(y.value).all()


def test_an_op_made_it_out_of_finite_numbers():
    tape, x = leaf(1.0, 710.0)
    with tape.step(3), np.errstate(all="ignore"):
        net = ops.multiply(x, x / x, name="net_j")
        power = ops.exp(net)
        _ = power - power
    bad = first_bad(tape)
    assert bad.node is power
    who, what = "exp at t=3, role 2 (exp(netⱼ(3)))", "inf at [1], out of finite numbers: netⱼ(3) up to 710.000"
    assert str(bad) == f"{who} makes {what}"


def test_it_arose_on_the_way_back():
    tape, x = leaf(4.0, 0.0)
    with tape.step(2):
        y = ops.sqrt(x * x, name="y")
    cost = y.sum()
    with np.errstate(all="ignore"):
        tape.backward(cost)
    bad = first_bad(tape)
    assert (bad.node, bad.parent, bad.phase, bad.index) == (y, y.parents[0], "backward", (1,))
    assert str(bad) == (
        "backwards, sqrt at t=2, role 1 (y(2)) hands x ⊙ x inf at [1], out of finite numbers: x ⊙ x up to 16.000"
    )


def test_finite_shares_may_add_up_to_infinity():
    tape, x = leaf(1.0)
    y = ops.add(x, x)
    with np.errstate(over="ignore"):
        tape.backward(y, seed=np.array([1e308]))
    assert str(first_bad(tape)) == "backwards, finite shares of x add up to inf at [0]"


def test_a_weights_error_is_read_too():
    tape = Tape()
    w, x = tape.leaf(np.ones((1, 1)), "w"), tape.leaf(np.full((2, 1), 1e200), "x", active=False)
    y = ops.linear(x, ops.copy(w, name="w"))
    with np.errstate(over="ignore"):
        tape.backward(y, seed=np.full((2, 1), 1e200))
        assert str(first_bad(tape)).startswith(
            "backwards, linear (x wᵀ) hands w inf at [0, 0], out of finite numbers: x up"
        )


def test_only_what_has_been_played_is_looked_at():
    tape, x = leaf(1.0)
    y = ops.log(ops.tanh(x))
    tape.set(x, np.array([-1.0]))
    with np.errstate(invalid="ignore"):
        playing = tape.play()
        next(playing)
        assert first_bad(tape) is None
        list(playing)
    assert first_bad(tape).node is y


def test_what_is_not_finite_is_not_checked():
    tape, x = leaf(np.inf)
    with pytest.raises(
        TapeError, match=r"only finite numbers have derivatives to be checked: x was given inf at \[0\]"
    ):
        check_tape(tape, ops.tanh(x).sum())


def test_a_long_tape_needs_no_recursion():
    tape, x = leaf(0.5)
    y = x
    for _ in range(50_000):
        y = ops.tanh(y)
    tape.backward(y, seed=np.ones(1))
    assert first_bad(tape) is None
