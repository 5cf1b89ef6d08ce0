"""A network moves on along a stream: new steps at its end, those before them as they were computed."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from canonical import problem

CELLS = [tg.cells.Guo(f="sigmoid"), tg.cells.LSTM(), tg.cells.Stacked(tg.cells.GRU(), tg.cells.LSTM())]


@pytest.fixture(params=CELLS, ids=str)
def p(request):
    plain = problem(sizes=(12, 2, 3, 4, 6))
    return plain._replace(cell=request.param, params=request.param.init(3, 4, 6, rng=5), s0=None)


def over(p, first, last, **options):
    return tg.unfold(p.cell, p.params, p.x[first - 1 : last], p.d[first - 1 : last], **options)


def values(state):
    return tuple(map(values, state)) if isinstance(state, tuple) else state.value


def test_it_is_a_stretch_of_the_whole(p):
    whole = over(p, 1, 12)
    short = over(p, 1, 3)
    short.replay()
    net = over(p, 1, 5)
    net.follow(short, p.x[3:5], p.d[3:5])
    for new, last in ((2, 7), (1, 8), (4, 12)):
        net.follow(net, p.x[last - new : last], p.d[last - new : last])
        stretch = over(p, last - 4, last, s0=values(whole.states[last - 5]))
        assert net.loss == pytest.approx(stretch.loss, rel=1e-12)
        net.backward()
        stretch.backward()
        for name in p.params:
            np.testing.assert_allclose(net.copies[name], stretch.copies[name], rtol=1e-11, atol=1e-13)
        assert net.check().ok
        assert net.loss == pytest.approx(net.replay(), rel=1e-13)  # all of it again, from where it stands


def test_old_steps_keep_their_values_when_the_weights_change(p):
    net = over(p, 1, 5)
    net.replay()
    before = [[y.value.copy() for y in net.outputs], [s.value.copy() for s in net.losses]]
    state = net.last_state
    for name in p.params:
        p.params[name] = p.params[name] * 0.9
    net.follow(net, p.x[5:7], p.d[5:7])
    for nodes, old in zip((net.outputs, net.losses), before, strict=True):
        for node, value in zip(nodes[:3], old[2:], strict=True):
            np.testing.assert_array_equal(node.value, value)
    new = over(p, 6, 7, s0=state)
    for a, b in zip(net.outputs[3:], new.outputs, strict=True):
        np.testing.assert_allclose(a.value, b.value, rtol=1e-12)


@pytest.mark.parametrize("keep", [("needed", "all"), ("all", "needed")])
def test_what_the_one_keeps_and_the_other_does_not(p, keep):
    first, second = keep
    before, net = over(p, 1, 8, keep=first), over(p, 3, 10, keep=second)
    before.replay()
    net.follow(before, p.x[8:10], p.d[8:10])
    fresh = over(p, 3, 10, s0=values(before.states[2]))
    for ours, theirs in zip(net.tape, fresh.tape, strict=True):
        np.testing.assert_allclose(ours.value, theirs.value, rtol=1e-11, atol=1e-13, err_msg=repr(ours))


def test_no_new_steps_change_nothing(p):
    net = over(p, 1, 5)
    cost = net.replay()
    assert net.follow(net, p.x[:0], p.d[:0]) == pytest.approx(cost, rel=1e-14)


def test_everything_kept_is_as_it_was_whatever_the_weights_are_now(p):
    net = over(p, 1, 5, keep="all")
    net.replay()
    before = {n.role: n.value.copy() for n in net.tape if n.t == 4 and n.op is not tg.ops.copy}
    for name in p.params:
        p.params[name] = p.params[name] * 0.9
    net.follow(net, p.x[5:7], p.d[5:7])
    for n in net.tape:
        if n.t == 2 and n.role in before:
            np.testing.assert_array_equal(n.value, before[n.role], err_msg=repr(n))


def test_a_computed_matrix_is_that_of_the_weights_as_they_are():
    def cell(params, x, s):
        s = tg.ops.tanh(tg.ops.linear(x, params["V"], s, params["U"] * params["U"]))
        return s, s

    p = problem()
    params = {name: p.params[name] for name in "VU"}
    d = np.zeros((5, 2, 4))
    net = tg.unfold(cell, params, p.x[:3], d[:3], loss="squared_error", s0=p.s0)
    net.replay()
    state = net.last_state
    params["U"] *= 0.5
    net.follow(net, p.x[3:], d[3:])
    new = tg.unfold(cell, params, p.x[3:], d[3:], loss="squared_error", s0=state)
    np.testing.assert_allclose(net.last_state, new.last_state, rtol=1e-12)


def test_who_cannot_follow(p):
    net, short = over(p, 1, 6), over(p, 1, 3)
    with pytest.raises(ValueError, match="it must have the 4 steps before them and have been replayed"):
        net.follow(short, p.x[:2], p.d[:2])
    short.replay()
    with pytest.raises(ValueError, match="cannot follow <network unfolded over 3 time steps"):
        net.follow(short, p.x[:2], p.d[:2])
    with pytest.raises(tg.ShapeError, match=r"x is \(3, 2, 2\)"):
        net.follow(short, p.x[:3, :, :2], p.d[:3])
    with pytest.raises(ValueError, match="cannot follow"):
        short.follow(short, p.x[:4], p.d[:4])
    q = problem()
    trained = tg.unfold(q.cell, {**q.params, "start": q.s0[0]}, q.x, q.d, s0="start")
    trained.replay()
    with pytest.raises(ValueError, match="no initial state that is trained"):
        trained.follow(trained, q.x[:1], q.d[:1])
