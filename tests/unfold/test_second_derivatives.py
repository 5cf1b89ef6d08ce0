"""Hessian-vector products of an unfolded network by three roads, against 60 digits."""

import mpmath
import numpy as np
import pytest

import tinygrad_rnn as tg
from canonical import KINDS, T, problem

NAMES = ["V", "U", "b_j", "W", "b_k"]


def recorded(p, **options):
    """The network, and its gradients as nodes."""
    net = tg.unfold(p.cell, p.params, p.x, p.d, loss=p.loss, s0=p.s0, **options)
    return net, dict(zip(NAMES, net.tape.differentiate(net.cost, [net.weights[n] for n in NAMES]), strict=True))


def directions(p):
    rng = np.random.default_rng(8)
    return {name: rng.normal(size=p.params[name].shape) for name in NAMES}


def reverse_over_reverse(net, gradients, v):
    """What comes back from the sum of g * v."""
    net.tape.backward(tg.ops.add(*((g * v[name]).sum() for name, g in gradients.items())))
    return {name: np.asarray(net.weights[name].cotangent) for name in NAMES}


def forward_over_reverse(net, gradients, v):
    """The tangents of the recorded gradients."""
    moved = net.tangents(v)
    return {name: moved[g] for name, g in gradients.items()}


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_three_roads_to_the_hessian(kind, reduction):
    p = problem(*kind)
    net, gradients = recorded(p, reduction=reduction)
    net.backward()
    for name, g in gradients.items():
        np.testing.assert_allclose(g.value, net.grads[name], rtol=1e-12, atol=1e-13)
    v = directions(p)
    pushed, pulled = forward_over_reverse(net, gradients, v), reverse_over_reverse(net, gradients, v)

    def gradient_at(h):
        moved = {name: w + h * v[name] for name, w in p.params.items()}
        at = tg.unfold(p.cell, moved, p.x, p.d, loss=p.loss, s0=p.s0, reduction=reduction)
        at.backward()
        return at.grads

    h = 1e-3
    ends = {step: gradient_at(step * h) for step in (-2, -1, 1, 2)}
    for name in NAMES:
        np.testing.assert_allclose(pushed[name], pulled[name], rtol=1e-10, atol=1e-11)
        measured = (8 * (ends[1][name] - ends[-1][name]) - ends[2][name] + ends[-2][name]) / (12 * h)
        np.testing.assert_allclose(pushed[name], measured, rtol=1e-6, atol=1e-6 * np.abs(measured).max())


each = np.vectorize(lambda f, v: f(v), otypes=[object])


def mp(array):
    return each(mpmath.mpf, array)


def cost_in_60_digits(p, params):
    s, total = mp(p.s0), 0
    for x, d in zip(mp(p.x), mp(p.d), strict=True):
        s = each(mpmath.tanh, x @ params["V"].T + s @ params["U"].T + params["b_j"])
        powers = each(mpmath.exp, s @ params["W"].T + params["b_k"])
        total -= (d * each(mpmath.log, powers / powers.sum(axis=-1, keepdims=True))).sum()
    return total


def test_the_hessian_to_twelve_digits():
    p = problem()
    net, gradients = recorded(p)
    v = directions(p)
    found = forward_over_reverse(net, gradients, v)
    with mpmath.workdps(60):
        h = mpmath.mpf(10) ** -15
        exact = {name: mp(w) for name, w in p.params.items()}
        along = {name: h * mp(v[name]) for name in NAMES}
        for name, index in [("V", (1, 2)), ("U", (3, 0)), ("U", (0, 3)), ("b_j", (2,)), ("W", (5, 1)), ("b_k", (4,))]:
            # d/dw d/dh cost(w + h v): four corners, of which 60 digits leave enough.
            corners = 0
            for a in (1, -1):
                for b in (1, -1):
                    moved = {n: w + a * along[n] for n, w in exact.items()}
                    moved[name] = moved[name].copy()
                    moved[name][index] += b * h
                    corners += a * b * cost_in_60_digits(p, moved)
            assert found[name][index] == pytest.approx(float(corners / (4 * h * h)), rel=1e-12)


def test_a_copy_of_a_weight_has_second_derivatives_of_its_own():
    """d2C / dU(2) dU(4), which the sum over copies hides."""
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    copy = {n.t: n for n in net.tape if n.op is tg.ops.copy and n.name == "U"}
    gradients = net.tape.differentiate(net.cost, [copy[t] for t in range(1, T + 1)])
    v = directions(p)["U"]
    rows = [net.tangents({"U": v}, at=t) for t in range(1, T + 1)]
    table = np.array([[(moved[g] * v).sum() for g in gradients] for moved in rows])
    np.testing.assert_allclose(table, table.T, rtol=1e-9)  # mixed derivatives do not depend on the order
    (whole,) = net.tape.differentiate(net.cost, [net.weights["U"]])
    assert table.sum() == pytest.approx((net.tangents({"U": v})[whole] * v).sum(), rel=1e-11)


def test_replays_play_the_recorded_derivative_too():
    p, other = problem(), problem(seed=11)
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    net.replay()
    assert "no plan" not in net.schedule
    net.backward()
    gradients = dict(zip(NAMES, net.tape.differentiate(net.cost, [net.weights[n] for n in NAMES]), strict=True))
    assert all(g.cotangent is None for g in gradients.values())
    assert all(n.cotangent is None for n in net.tape if n.t and n.index > net.cost.index)
    net.replay(other.x, other.d)
    assert "more was recorded on the tape" in net.schedule
    net.backward()
    fresh = tg.unfold(p.cell, p.params, other.x, other.d, s0=p.s0)
    fresh.backward()
    for name, g in gradients.items():
        np.testing.assert_allclose(g.value, fresh.grads[name], rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(net.grads[name], fresh.grads[name], rtol=1e-11, atol=1e-12)
    assert net.fold().number_of_nodes() == fresh.fold().number_of_nodes()


def test_the_derivative_can_be_looked_at():
    p = problem(sizes=(4, 2, 3, 4, 5))
    net, gradients = recorded(p)
    assert gradients["U"].op is tg.ops.add
    assert str(gradients["U"]) == "∂U"
    graph = net.graph()
    assert all(gradients[name].index in graph for name in NAMES)
    state = next(n for n in net.tape if str(n) == "∂s(2)")
    assert [(p.t, p.op.name) for p in state.parents] == [(3, "matmul"), (2, "matmul")]
    drawn = tg.draw(net).dot
    assert all(f"\tn{n.index} [" in drawn for n in net.tape)
