"""Programs by hand: a network's recorded step, compiled with any passes, played, and held against the tape."""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.replay import PASSES, Program
from tinygrad_rnn.unfold.structure import flatten


def network(cell, samples=1, steps=5, inputs=2, hidden=3, outputs=4, seed=0, params=None, **options):
    """A network with weights of order 1, and its data."""
    rng = np.random.default_rng(seed)
    params = params or {
        name: rng.normal(size=w.shape) for name, w in cell.init(inputs, hidden, outputs, rng=rng).items()
    }
    x, d = rng.normal(size=(steps, samples, inputs)), rng.dirichlet(np.ones(outputs), size=(steps, samples))
    net = tg.unfold(cell, params, x, d, **options)
    return net, {"x": x, "d": d}


def compiled(net, passes=PASSES, keep_all=False):
    """A network's program, not played yet."""
    folded, _ = net.stacked()
    return Program(folded, net.T, net.trained, keep_all, passes)


def run(program, net, data):
    """Its forward pass, with the network's weights and initial state."""
    weights = {name: net.weights[name].value for name in program.weights}
    return program.run(weights, data, [part.value for part in flatten(net.states[0])])


def played(net, data, passes=PASSES, keep_all=False, **options):
    """A network's program after both passes."""
    program = compiled(net, passes, keep_all)
    run(program, net, data)
    program.pull(**options)
    return program


def calls(program):
    """How many calls its loops make for a copy, forwards and backwards together."""
    return sum(len(source.splitlines()) - 4 for source in program.source)


def difference(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return np.abs(a - b).max(initial=0.0) / max(np.abs(b).max(initial=0.0), 1e-30)


def furthest(program, net):
    """How far the program's numbers are from those of the tape, after both have played both passes."""
    found = [difference(g, net.weights[name].cotangent) for name, g in program.gradients().items()]
    for node in net.tape:
        if node.t:
            found.append(difference(program.value(node.role, node.t), node.value))
            if node.cotangent is not None:
                found.append(difference(program.cotangent(node.role, node.t), node.cotangent))
    return max(found)
