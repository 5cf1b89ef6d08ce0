"""Networks to draw: every cell, layers, masks, users' own cells, and tapes that are no plain network."""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import ops


def network(cell, T=3, sizes=(2, 3, 2), samples=1, mask=None, backward=True, **options):
    rng = np.random.default_rng(0)
    n_in, n_hidden, n_out = sizes
    params = cell.init(n_in, n_hidden, n_out, rng=0)
    x = rng.normal(size=(T, samples, n_in))
    d = np.eye(n_out)[rng.integers(0, n_out, (T, samples))]
    net = tg.unfold(cell, params, x, d, mask=mask, **options)
    if backward:
        net.backward()
    return net


def of_user(cell, shapes, states, T=3, **options):
    rng = np.random.default_rng(0)
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    s0 = options.pop("s0", tuple(np.ones((1, 3)) for _ in range(states)) if states else np.ones((1, 3)))
    x, d = rng.normal(size=(T, 1, 2)), np.ones((T, 1, 3))
    net = tg.unfold(cell, params, x, d, loss="squared_error", s0=s0, **options)
    net.backward()
    return net


def masked(cell, T=3):
    mask = np.ones((T, 2))
    mask[-1, 1] = 0
    return network(cell, T, samples=2, mask=mask)


def gated(params, x, s):
    z = ops.sigmoid(ops.linear(x, params["V_gate"], s, params["U_gate"], name="net_gate"), name="z")
    c = ops.tanh(ops.linear(x, params["V_candidate"], z * s, params["U_candidate"]))
    s = (1 - z) * s + z * c
    return s, s * s


def tangled(params, x, s):
    """Three parts of state that read each other, and weights that are read twice in a step."""
    a, b, c = s
    h = ops.tanh(ops.linear(x, params["V"], a, params["U"], b, params["R"]), name="h")
    gate = ops.sigmoid(ops.linear(h, params["U"], c, params["R"]), name="gate")
    a_new = h * gate + a
    b_new = ops.tanh(a_new * b + c, name="b")
    c_new = ops.tanh(ops.linear(b_new, params["U"]) + h * a, name="c")
    return (a_new, b_new, c_new), a_new * b_new * c_new


def remembering(T):
    """A cell that reads what was two steps before, and so cannot be folded."""
    before = []

    def cell(params, x, s):
        h = ops.linear(x, params["V"], s, params["U"])
        if len(before) > 1:
            h = h + before[-2]
        before.append(ops.tanh(h, name="s"))
        return before[-1], before[-1]

    return of_user(cell, {"V": (3, 2), "U": (3, 3)}, 0, T)


def differentiated(T):
    net = network(tg.cells.Guo(), T)
    net.tape.differentiate(net.cost, [net.weights["U"]])
    return net


GATES = {"V_gate": (3, 2), "U_gate": (3, 3), "V_candidate": (3, 2), "U_candidate": (3, 3)}
FOLDABLE = {
    "Guo": lambda T: network(tg.cells.Guo(), T),
    "LSTM": lambda T: network(tg.cells.LSTM(), T),
    "LSTM with peepholes": lambda T: network(tg.cells.LSTM(peepholes=True), T),
    "GRU": lambda T: network(tg.cells.GRU(), T),
    "GRU, reset before": lambda T: network(tg.cells.GRU(reset="before"), T),
    "two layers of GRU": lambda T: network(tg.cells.Stacked(tg.cells.GRU(), tg.cells.GRU()), T),
    "LSTM below GRU": lambda T: network(tg.cells.Stacked(tg.cells.LSTM(), tg.cells.GRU()), T),
    "Guo, masked": lambda T: masked(tg.cells.Guo(), T),
    "LSTM, masked": lambda T: masked(tg.cells.LSTM(), T),
    "a user's gates, mean": lambda T: of_user(gated, GATES, 0, T, reduction="mean"),
    "a tangled cell": lambda T: of_user(tangled, {"V": (3, 2), "U": (3, 3), "R": (3, 3)}, 3, T),
    "a trained initial state": lambda T: of_user(
        lambda P, x, s: (ops.tanh(ops.linear(x, P["V"], s, P["U"]), name="s"), ops.identity(s)),
        {"V": (3, 2), "U": (3, 3), "start": (3,)},
        0,
        T,
        s0="start",
    ),
}
OTHERS = {"a cell that remembers": remembering, "the derivative recorded": differentiated}
ALL = FOLDABLE | OTHERS
