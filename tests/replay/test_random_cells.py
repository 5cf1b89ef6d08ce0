"""Cells drawn at random, from ops of every kind, compiled with passes drawn at random: the numbers are the tape's."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from compiled import compiled, difference, run
from tinygrad_rnn.replay import PASSES

o = tg.ops
M = 4

SHAPES = {
    "V": (M, 2),
    "U": (M, M),
    "Z": (M, M),
    "b": (M,),
    "W": (3, M),
    "b_k": (3,),
    "W2": (2 * M, M),
    "V2": (2 * M, 2),
}


def gated(P, a, x):
    net = o.linear(a, P["W2"], x, P["V2"])
    return o.sigmoid(o.part(net, start=0, stop=M)) * o.tanh(o.part(net, start=M, stop=2 * M))


RECIPES = [
    lambda P, a, b, x: a * b,
    lambda P, a, b, x: a + b,
    lambda P, a, b, x: a - b,
    lambda P, a, b, x: -a,
    lambda P, a, b, x: a * 0.5,
    lambda P, a, b, x: o.identity(a),
    lambda P, a, b, x: (1 - o.sigmoid(a)) * b,
    lambda P, a, b, x: o.tanh(o.linear(a, P["U"])),
    lambda P, a, b, x: o.sigmoid(o.linear(a, P["Z"], b, P["U"], P["b"])),
    lambda P, a, b, x: o.tanh(a @ P["Z"]),
    lambda P, a, b, x: o.tanh(a @ (b.T @ a)),
    lambda P, a, b, x: o.softmax(a),
    lambda P, a, b, x: a + o.broadcast(P["b"], source=(M,), to=a.shape),
    lambda P, a, b, x: 0.2 * a * a.sum(axis=-1, keepdims=True),
    lambda P, a, b, x: o.concatenate(a[:, :2], b[:, 2:], axis=-1),
    lambda P, a, b, x: gated(P, a, x),
]


def cell_of(seed):
    """A cell that draws the same every time it is called."""

    def cell(P, x, s):
        draw = np.random.default_rng(seed)
        known = [*s, o.tanh(o.linear(x, P["V"], s[0], P["U"], P["b"]))]

        def one():
            return known[draw.integers(len(known))]

        for _ in range(draw.integers(3, 12)):
            known += [RECIPES[draw.integers(len(RECIPES))](P, one(), one(), x)]
        new = [o.tanh(known[-1]) if draw.integers(2) else known[-1] * 0.3]
        new += [[before, o.tanh(one()), one()][draw.integers(3)] for before in s[:-1]]
        return tuple(new), o.softmax(o.linear(one(), P["W"], P["b_k"]) + o.linear(new[0], P["W"]))

    return cell


@pytest.mark.parametrize("seed", range(120))
def test_a_random_cell(seed):
    draw = np.random.default_rng(seed + 1_000_000)
    steps, samples, parts = draw.integers(1, 6), draw.choice([1, 1, 2, 3]), draw.integers(1, 4)
    params = {name: 0.7 * draw.normal(size=shape) for name, shape in SHAPES.items()}
    x, d = draw.normal(size=(steps, samples, 2)), draw.dirichlet(np.ones(3), size=(steps, samples))
    s0 = tuple(draw.normal(size=(parts, samples, M)))
    net = tg.unfold(cell_of(seed), params, x, d, s0=s0, reduction=draw.choice(["sum", "mean"]))
    later = [draw.normal(size=s.shape) for s in s0] if draw.integers(2) else None
    net.backward(later=None if later is None else tuple(later))
    some = [PASSES[k] for k in draw.permutation(len(PASSES))[: draw.integers(len(PASSES) + 1)]]
    program = compiled(net, PASSES if draw.integers(2) else some, keep_all=bool(draw.integers(2)))
    if later is not None and not program.later_apart:
        later = None
        net.backward()
    run(program, net, {"x": x, "d": d})
    program.pull(later)
    same(program, net)
    if program.can_be_cut and steps > 2:
        tg.cut(net, 2, steps)
        net.tape.backward(net.cost)
        program.pull(cuts=net.cuts)
        same(program, net)


def same(program, net):
    for name, g in program.gradients().items():
        right = net.weights[name].cotangent
        assert difference(g, np.zeros(SHAPES[name]) if right is None else right) < 1e-9, name
    for node in net.tape:
        if node.t:
            assert difference(program.value(node.role, node.t), node.value) < 1e-9, node
            if node.cotangent is not None:
                np.testing.assert_allclose(program.cotangent(node.role, node.t), node.cotangent, rtol=1e-9, atol=1e-14)
