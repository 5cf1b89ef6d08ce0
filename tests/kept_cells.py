"""Cells with parameters at random, biases too, for files: what a fresh network has, zeros, hides a wrong place."""

from dataclasses import replace

import numpy as np

import tinygrad_rnn as tg

C = tg.cells
T, B, L, M, O = 7, 3, 4, 5, 2

CELLS = {
    "tanh": C.Guo(g="softmax"),
    "relu": C.Guo(f="relu", g="identity"),
    "sigmoid": C.Guo(f="sigmoid", g="tanh"),
    "linear": C.Guo(f="identity", g="identity"),
    "elman": C.Elman(),
    "irnn": C.IRNN(g="identity", scale=0.5),
    "lstm": C.LSTM(g="identity"),
    "peepholes": C.LSTM(peepholes=True, g="sigmoid"),
    "no forget gate": C.LSTM(forget=False),
    "gru": C.GRU(g="softmax"),
    "gru before": C.GRU(reset="before", g="identity"),
    "mozer": C.Mozer(),
    "clipped": C.ErrorClipped(C.LSTM(), 2.0),
    "two tanh": C.Stacked(C.Guo(), C.Guo(g="identity")),
    "three lstm": C.Stacked(C.LSTM(), C.LSTM(), C.LSTM(g="softmax")),
    "two lstm": C.Stacked(C.LSTM(), C.LSTM(g="identity")),
    "two gru": C.Stacked(C.GRU(), C.GRU(g="identity")),
    "three gru before": C.Stacked(*[C.GRU(reset="before", g="identity")] * 3),
    "gru and lstm": C.Stacked(C.GRU(), C.LSTM(g="identity")),
}
# What each form has a place for.
PYTORCH = {"tanh", "relu", "irnn", "lstm", "gru", "two tanh", "three lstm", "two lstm", "two gru"}
FLAX = PYTORCH | {"sigmoid", "linear", "gru and lstm"}
KERAS = FLAX | {"gru before", "three gru before"}
OPERATORS = (KERAS | {"peepholes", "elman"}) - {"linear"}  # of ONNX, in float32; all else is a Scan


def drawn(cell, dtype=float, seed=0, size=0.5):
    """Parameters that are zero nowhere."""
    rng = np.random.default_rng(seed)
    sizes = [M, M + 1, M + 2][: len(cell.cells)] if isinstance(cell, C.Stacked) else M
    made = cell.init(L, sizes, O, rng=rng)
    return {name: (w + size * rng.normal(size=w.shape)).astype(dtype) for name, w in made.items()}


def alike(cell, dtype=float, seed=0):
    """The same with layers of one size, as a module of PyTorch has them."""
    rng = np.random.default_rng(seed)
    return {n: (w + 0.5 * rng.normal(size=w.shape)).astype(dtype) for n, w in cell.init(L, M, O, rng=rng).items()}


def inputs(dtype=float):
    return np.random.default_rng(1).normal(size=(T, B, L)).astype(dtype)


def outputs(cell, params, x=None, s0=None):
    """What comes out of the network here, (T, B, o)."""
    x = inputs(next(iter(params.values())).dtype) if x is None else x
    net = tg.unfold(cell, params, x, np.zeros((len(x), B, O), x.dtype), loss="squared_error", s0=s0, batch_first=False)
    return np.stack([y.value for y in net.outputs])


def same(one, other):
    """Whether two cells compute the same: in a stack, only the last one has an output to be activated."""
    a, b = (
        C.Stacked(*[replace(each, g=cell.cells[-1].g) for each in cell.cells]) if isinstance(cell, C.Stacked) else cell
        for cell in (one, other)
    )
    return repr(a) == repr(b)


def parts(state):
    """The arrays of a state."""
    return [leaf for part in state for leaf in parts(part)] if isinstance(state, tuple) else [state]
