"""Tangents forwards through time: of all copies of a weight, of one copy, of the initial state."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from canonical import KINDS, T, cost_of_untied, problem

h = 1e-30j


@pytest.fixture(params=["recorded", "replayed"])
def net(request):
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    if request.param == "replayed":
        net.replay()
    return net


def directions(p):
    rng = np.random.default_rng(4)
    return {name: rng.normal(size=w.shape) for name, w in p.params.items()}


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_one_copy_moves_every_later_cost_as_the_complex_step_says(kind):
    """A row of the influence matrix for each weight: dC(t) where the copy of time tau alone is moved."""
    p = problem(*kind)
    net = tg.unfold(p.cell, p.params, p.x, p.d, loss=p.loss, s0=p.s0)
    for name, u in directions(p).items():
        for tau in range(1, T + 1):
            moved = net.tangents({name: u}, at=tau)
            copies = [{k: w + 0j for k, w in p.params.items()} for _ in range(T)]
            copies[tau - 1][name] += h * u
            for t in range(1, T + 1):
                exact = np.imag(cost_of_untied(p, copies, only=t)) / 1e-30
                assert moved[net.losses[t - 1]] == pytest.approx(exact, rel=1e-10, abs=1e-13), (name, tau, t)
                assert t >= tau or not moved[net.losses[t - 1]]


def test_all_copies_together_are_their_sum_and_the_gradient_times_the_disturbance(net):
    u = directions(problem())
    together = net.tangents(u)[net.cost]
    one_by_one = [net.tangents({name: v}, at=tau)[net.cost] for name, v in u.items() for tau in range(1, T + 1)]
    net.backward()
    assert together == pytest.approx(sum(one_by_one), rel=1e-12)
    assert together == pytest.approx(sum((net.grads[name] * v).sum() for name, v in u.items()), rel=1e-12)
    for name, v in u.items():
        for tau in range(1, T + 1):
            expected = (net.copies[name][tau - 1] * v).sum()
            assert net.tangents({name: v}, at=tau)[net.cost] == pytest.approx(expected, rel=1e-10, abs=1e-14)


def test_the_initial_state_is_disturbed_as_a_node(net):
    u = np.random.default_rng(5).normal(size=net.states[0].shape)
    net.backward(of=3)
    expected = (np.asarray(net.states[0].cotangent) * u).sum()
    assert net.tangents({net.states[0]: u})[net.losses[2]] == pytest.approx(expected, rel=1e-11)


def test_time_by_time(net):
    """The generator is real-time recurrent learning: at each loss, what is known is known without the future."""
    p = problem()
    u = directions(p)
    seen = {push.node.t: push.after for push in net.pushforward(u) if push.node in net.losses}
    assert list(seen) == [1, 2, 3, 4, 5]
    for t, tangent in seen.items():
        short = tg.unfold(p.cell, p.params, p.x[:t], p.d[:t], s0=p.s0)
        assert short.tangents(u)[short.losses[-1]] == pytest.approx(tangent, rel=1e-11)


def test_what_cannot_be_disturbed(net):
    with pytest.raises(KeyError, match="there is no parameter 'Q'; there are V, U, b_j, W, b_k"):
        net.tangents({"Q": 1.0})
    with pytest.raises(ValueError, match="at=6: it is a time step, an integer from 1 to 5"):
        net.tangents({"U": np.ones((4, 4))}, at=6)
    with pytest.raises(tg.ShapeError, match=r"the tangent of U\(2\) is \(4, 3\) and U\(2\) is \(4, 4\)"):
        net.tangents({"U": np.ones((4, 3))}, at=2)


def test_a_copy_that_its_step_does_not_read_moves_nothing():
    p = problem()

    def cell(params, x, s):
        return s, tg.ops.linear(s, params["W"])

    net = tg.unfold(cell, p.params, p.x, p.d, loss="squared_error", s0=p.s0)
    assert not net.tangents({"U": np.ones((4, 4))}, at=2)
