"""Bad numbers in a network: named on request, whoever played it."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from canonical import problem


@pytest.fixture
def p():
    return problem()


def unfold(p, **options):
    return tg.unfold(p.cell, p.params, p.x, p.d, **({"s0": p.s0} | options))


def spoil(array, index):
    array = array.copy()
    array[index] = np.nan
    return array


def test_bad_numbers_that_come_in_are_named(p):
    p.x[2, 1, 0] = np.inf
    net = unfold(p)  # nobody asked
    assert str(net.first_bad()) == "x(3) at t=3, role 0 was given inf at [1, 0]"
    with pytest.raises(tg.TapeError, match=r"x\(3\) at t=3, role 0 was given inf at \[1, 0\]"):
        unfold(p, finite=True)


@pytest.mark.parametrize("replays", [0, 1])
@pytest.mark.parametrize("what", ["x", "d", "U", "s0"])
def test_wherever_they_come_in(p, what, replays):
    net = unfold(p, finite=True)
    for _ in range(replays):
        net.replay()
    if what == "U":
        p.params["U"][:] = spoil(p.params["U"], (2, 1))
        with pytest.raises(tg.TapeError, match=r"^U was given nan at \[2, 1\]"):
            net.replay()
    elif what == "s0":
        with pytest.raises(tg.TapeError, match=r"^s\(0\) at t=0, role 0 was given nan at \[0, 3\]"):
            unfold(p, s0=spoil(p.s0, (0, 3)), finite=True)
    else:
        bad = {what: spoil(getattr(p, what), (3, 0, 1))}
        with pytest.raises(tg.TapeError, match=rf"^{what}\(4\) at t=4, role \d+ was given nan at \[0, 1\]"):
            net.replay(**bad)
        net.replay(p.x, p.d)
    assert net.first_bad() is None or what == "U"


def exploding(P, x, s):
    s = tg.ops.linear(x, P["V"], s, P["U"], name="s")
    return s, tg.ops.exp(s, name="y")


@pytest.mark.parametrize("replays", [0, 1])
def test_an_op_that_makes_them_is_named_with_its_time_and_role(p, replays):
    net = tg.unfold(exploding, p.params, p.x, p.d[..., :4], loss="squared_error", s0=p.s0, finite=True)
    for _ in range(replays):
        net.replay()
    p.params["U"] *= 60
    with np.errstate(all="ignore"), pytest.raises(tg.TapeError) as error:
        net.replay()
    assert "no plan" not in net.schedule
    bad = net.first_bad()
    assert str(error.value) == str(bad)
    assert bad.node.op is tg.ops.exp
    assert all(np.isfinite(n.value).all() for n in net.tape.nodes[: bad.node.index])
    assert f"exp at t={bad.node.t}, role {bad.node.role} (y({bad.node.t})) makes inf at " in str(bad)


def root_of_state(P, x, s):
    s = tg.ops.relu(tg.ops.linear(x, P["V"], s, P["U"]), name="s")
    return s, tg.ops.sqrt(s, name="y")


@pytest.mark.parametrize("replays", [0, 1])
def test_they_may_arise_on_the_way_back_only(p, replays):
    net = tg.unfold(root_of_state, p.params, p.x, p.d[..., :4], loss="squared_error", s0=p.s0, finite=True)
    with np.errstate(all="ignore"):
        for _ in range(replays):
            net.replay()
    with np.errstate(all="ignore"), pytest.raises(tg.TapeError, match=r"backwards, sqrt at t=5, role \d+ \(y\(5\)\)"):
        net.backward()
    with np.errstate(all="ignore"), pytest.raises(tg.TapeError, match=r"backwards, sqrt at t=2, role \d+ \(y\(2\)\)"):
        net.backward(of=2)
    net.finite = False
    with np.errstate(all="ignore"):
        net.backward()


def test_a_net_that_stays_finite_is_told_nothing(p):
    net = unfold(p, finite=True)
    for _ in range(3):
        net.replay()
        net.backward()
    assert net.first_bad() is None
    net.backward(of=2)
    assert net.first_bad() is None
