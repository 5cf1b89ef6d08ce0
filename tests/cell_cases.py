"""Cells of every kind, with parameters, data and states that hide no mistake."""

import numpy as np

import tinygrad_rnn as tg
import untied
from tinygrad_rnn.unfold.structure import flatten, rebuild

o, C = tg.ops, tg.cells
T, B, L, M, O = 5, 3, 2, 4, 3


def own(P, x, s):
    """A user's own cell: a leaky state, read out as it is."""
    s = o.add(s * 0.5, o.tanh(o.linear(x, P["A"])), name="s")
    return s, s


def own_pair(P, x, s):
    """A user's own cell with two states and a head."""
    a, b = s
    a = o.tanh(o.linear(x, P["A"], b, P["D"]) - a, name="a")
    return (a, a * b), o.softmax(o.linear(a, P["W"]), name="y")


CELLS = {
    "guo": C.Guo(),
    "elman": C.Elman(),
    "mozer": C.Mozer(f="sigmoid"),
    "irnn": C.IRNN(),
    "lstm": C.LSTM(),
    "lstm, sigmoid": C.LSTM(g="sigmoid"),
    "lstm, peepholes": C.LSTM(peepholes=True),
    "lstm, no forgetting": C.LSTM(forget=False),
    "lstm, 1997 with peepholes": C.LSTM(peepholes=True, forget=False),
    "gru": C.GRU(),
    "gru, before": C.GRU(reset="before"),
    "gru, identity": C.GRU(g="identity"),
    "two lstms": C.Stacked(C.LSTM(), C.LSTM()),
    "one layer": C.Stacked(C.GRU()),
    "three kinds": C.Stacked(C.GRU(), C.LSTM(peepholes=True), C.Guo()),
    "layers of layers": C.Stacked(C.Stacked(C.Elman(), C.GRU()), C.LSTM()),
    "own below": C.Stacked(own, C.LSTM()),
    "own above": C.Stacked(C.GRU(), own_pair),
}


class Case:
    """A cell with parameters, data and a state that hide no mistake."""

    def __init__(self, cell, sizes=(T, B, L, M, O), seed=0):
        steps, samples, n_in, n_hidden, n_out = sizes
        rng = np.random.default_rng(seed)
        self.cell, self.params = cell, parameters(cell, n_in, n_hidden, n_out, rng)
        self.x = rng.normal(size=(steps, samples, n_in))
        self.d = rng.dirichlet(np.ones(n_out), size=(steps, samples))
        self.s0 = state(cell, self.params, samples, rng)
        self.mask = np.arange(steps)[:, None] < rng.integers(1, steps + 1, samples)
        self.loss = "squared_error" if getattr(cell, "g", "softmax") == "identity" else "cross_entropy"
        self.cost = {"sigmoid": untied.bernoulli, "identity": untied.squared_error}.get(
            getattr(cell, "g", ""), untied.cross_entropy
        )

    def unfold(self, **options):
        return tg.unfold(self.cell, self.params, self.x, self.d, **{"s0": self.s0, "loss": self.loss} | options)


def parameters(cell, n_in, n_hidden, n_out, rng):
    if isinstance(cell, C.Stacked):
        found = {}
        for k, layer in enumerate(cell.cells, 1):
            last = k == len(cell.cells)
            of_layer = parameters(layer, n_in if k == 1 else n_hidden, n_hidden, n_out, rng)
            if not last:
                of_layer = {n: w for n, w in of_layer.items() if not n.startswith(("W", "b_k"))}
            found |= {f"{name}_{k}": w for name, w in of_layer.items()}
        return found
    if cell in (own, own_pair):
        shapes = {"A": (n_hidden, n_in), "D": (n_hidden, n_hidden), "W": (n_out, n_hidden)}
        return {name: rng.normal(size=shape) for name, shape in shapes.items() if cell is own_pair or name == "A"}
    return {name: rng.normal(size=w.shape) for name, w in cell.init(n_in, n_hidden, n_out, rng=0).items()}


def state(cell, params, samples, rng):
    if isinstance(cell, C.Stacked):
        parts = (
            state(layer, {n.removesuffix(f"_{k}"): w for n, w in params.items() if n.endswith(f"_{k}")}, samples, rng)
            for k, layer in enumerate(cell.cells, 1)
        )
        return tuple(parts)
    if cell in (own, own_pair):
        one = rng.normal(size=(samples, len(params["A"])))
        return (one, rng.normal(size=one.shape)) if cell is own_pair else one
    like = cell.initial_state(params, samples)
    return rebuild(like, [rng.normal(size=s.shape) for s in flatten(like)])


def relative(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return np.abs(a - b).max() / max(1.0, np.abs(b).max())
