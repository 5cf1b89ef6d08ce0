"""This project, through its public API: unfolded once, replayed in every step."""

import tinygrad_rnn as tg

from . import MissingError

CELLS = {"guo": "Guo", "lstm": "LSTM", "gru": "GRU"}


def cell_of(kind):
    name = CELLS[kind]
    if not hasattr(tg.cells, name):
        raise MissingError(f"tinygrad_rnn.cells has no {name} yet")
    return tg.cells.Guo(f="tanh", g="softmax") if kind == "guo" else getattr(tg.cells, name)()


def make(kind, problem):
    cell, x, d = cell_of(kind), problem.x, problem.d
    named = set(cell.init(problem.I, problem.H, problem.O))
    if named != set(problem.params):
        raise MissingError(f"{CELLS[kind]} names its weights {sorted(named)}, the benchmark {sorted(problem.params)}")
    net = tg.unfold(cell, problem.params, x, d)

    def step():
        net.replay(x, d)
        net.backward()
        grads = net.grads
        return net.loss, {name: grads[name] for name in problem.params}

    return step
