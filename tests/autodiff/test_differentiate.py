"""The backward pass recorded as nodes: right, placed in time, and differentiable again.

That each op's rules can be differentiated is tested beside the ops.
"""

from itertools import pairwise

import numpy as np
import pytest

from tinygrad_rnn.autodiff import ShapeError, Tape, TapeError, ops
from tinygrad_rnn.unfold.recording import Recording


def scalar(value=0.7):
    tape = Recording()
    return tape, tape.leaf(np.array(value), "x")


def test_derivatives_of_a_polynomial_until_they_vanish():
    tape, x = scalar()
    y = x * x * x * x
    found = [y]
    for _ in range(4):
        found += tape.differentiate(found[-1], [x])
    assert [float(n.value) for n in found] == pytest.approx([0.7**4, 4 * 0.7**3, 12 * 0.7**2, 24 * 0.7, 24])
    for before, after in pairwise(found):
        tape.backward(before)
        assert x.cotangent == pytest.approx(float(after.value))


def test_the_derivative_of_tanh_to_the_third_order():
    tape, x = scalar()
    y = ops.tanh(x)
    for order in (1, 2, 3):
        (y,) = tape.differentiate(y, [x])
        t = np.tanh(0.7)
        exact = {1: 1 - t**2, 2: -2 * t * (1 - t**2), 3: (1 - t**2) * (6 * t**2 - 2)}[order]
        assert float(y.value) == pytest.approx(exact, rel=1e-14)


def test_what_comes_back_is_what_the_pullback_sends():
    tape = Tape()
    rng = np.random.default_rng(0)
    x, w, b = (tape.leaf(rng.normal(size=s), n) for n, s in (("x", (2, 3)), ("w", (4, 3)), ("b", (4,))))
    cost = ops.squared_error(ops.softmax(ops.linear(x, w, b)), tape.constant(rng.normal(size=(2, 4))))
    net = cost.parents[0].parents[0]
    found = tape.differentiate(cost, [w, net, b, x, cost])
    tape.backward(cost)
    for node, g in zip((w, net, b, x, cost), found, strict=True):
        np.testing.assert_allclose(g.value, np.asarray(node.cotangent), rtol=1e-13)
    assert [str(g) for g in found] == ["∂w", str(found[1]), "∂b", "∂x", "1"]


def test_only_what_leads_to_the_nodes_asked_for_is_recorded():
    tape, x = scalar()
    other = tape.leaf(np.array(2.0), "z")
    inner = ops.exp(other)
    y = ops.tanh(x) * ops.exp(inner)
    size = len(tape)
    tape.differentiate(y, [x])
    assert not any(inner in n.parents for n in tape.nodes[size:])
    tape.differentiate(y, [x, other])
    assert any(inner in n.parents for n in tape.nodes[size:])


def test_a_seed_can_be_an_array_or_a_node():
    tape = Tape()
    x = tape.leaf(np.array([0.1, 0.2]), "x")
    v = tape.leaf(np.array([3.0, -1.0]), "v")
    y = ops.tanh(x)
    (from_array,), (from_node,) = (tape.differentiate(y, [x], seed) for seed in (np.array([3.0, -1.0]), v))
    np.testing.assert_array_equal(from_array.value, from_node.value)
    tape.backward(from_node, seed=np.ones(2))
    np.testing.assert_allclose(v.cotangent, 1 - np.tanh(x.value) ** 2)  # what comes back is linear in the seed


def test_what_no_error_reaches_gets_zeros():
    tape, x = scalar()
    z = tape.leaf(np.ones((2, 3)), "z")
    y = ops.tanh(x) * ops.detach(z).sum()
    of_x, of_z = tape.differentiate(y, [x, z])
    assert of_x.value != 0
    np.testing.assert_array_equal(of_z.value, np.zeros((2, 3)))


def test_recorded_nodes_stand_at_the_time_of_what_they_come_from():
    tape = Recording()
    w, s = tape.leaf(np.array(0.5), "w"), tape.leaf(np.array(0.3), "s", t=0)
    for t in (1, 2, 3):
        with tape.step(t):
            s = ops.tanh(s * ops.copy(w, name="w"), name="s")
    size = len(tape)
    (g,) = tape.differentiate(s, [w])
    later = tape.nodes[size:]
    assert [n.t for n in later if n.t is not None] == sorted((n.t for n in later if n.t is not None), reverse=True)
    assert (g.t, g.op) == (None, ops.add)
    assert [str(p) for p in g.parents] == ["∂w(3)", "∂w(2)", "∂w(1)"]
    for t in (1, 2, 3):
        roles = [n.role for n in tape if n.t == t]
        assert roles == list(range(len(roles)))


def test_it_can_be_recorded_inside_a_step():
    tape, x = scalar()
    with tape.step(4):
        y = ops.tanh(x)
        (g,) = tape.differentiate(y, [x])
        z = y * g
    assert {n.t for n in tape if n is not x} == {4}
    t = np.tanh(0.7)
    tape.backward(z)
    assert x.cotangent == pytest.approx((1 - t**2) * (1 - 3 * t**2))


def test_a_long_chain_needs_no_recursion():
    tape, x = scalar(0.5)
    y = x
    for _ in range(5000):
        y = ops.tanh(y)
    (g,) = tape.differentiate(y, [x])
    tape.backward(g)
    assert tape.tangents({x: 1.0})[g] == pytest.approx(float(x.cotangent), rel=1e-8)
    assert x.cotangent < 0


def test_what_cannot_be_differentiated():
    tape, x = scalar()
    _, other = scalar()
    fixed = tape.constant(1.0)
    y = ops.tanh(x) * fixed
    with pytest.raises(TapeError, match="x stands on another tape"):
        tape.differentiate(y, [other])
    with pytest.raises(TapeError, match="1 gets no error: it is not active"):
        tape.differentiate(y, [fixed])
    with pytest.raises(ShapeError, match=r"the seed is \(2,\)"):
        tape.differentiate(y, [x], np.ones(2))
    with pytest.raises(ShapeError, match=r"the seed v is \(2,\)"):
        tape.differentiate(y, [x], tape.leaf(np.ones(2), "v"))
    tape.set(x, 0.1)
    with pytest.raises(TapeError, match="backward before forward"):
        tape.differentiate(y, [x])
