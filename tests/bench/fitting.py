"""What a run costs, `fit` with all that it keeps: beside NumPy written by hand, and beside PyTorch's own layers.

In the set-up of min-char-rnn: characters by index, one row, windows of 25 steps, float64, gradients clipped by value,
Adagrad with epsilon under the root. By hand the input's products are a choice of columns, and the output's one product
for all steps.

PyTorch, where it is installed, has its fused layers, losses and Adam, and its inputs lie ready; the first price must be
ours. The share of the log and the checkpoints is told by the clock: they wait for the disk.

    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 python tests/bench/fitting.py 3000
"""

import functools
import importlib.util
import io
import sys
import tempfile
import time
from typing import NamedTuple

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.data import Table
from tinygrad_rnn.train.fit import begun, first_weights, made_cell
from tinygrad_rnn.train.folder import Log, RunFolder
from tinygrad_rnn.train.listener import Listener
from tinygrad_rnn.train.run import TASKS
from tinygrad_rnn.train.settings import resolved
from tinygrad_rnn.train.texts import encoded

LETTERS, HIDDEN, STEPS, ETA, CLIP = 103, 100, 25, 0.1, 5.0
SETTINGS = {
    "layers": 1,
    "dtype": "float64",
    "seed": 0,
    "hidden": HIDDEN,
    "k1": STEPS,
    "losses": "new",
    "batch": 1,
    "reduction": "sum",
    "optimiser": "adagrad",
    "eta": ETA,
    "decay": "none",
    "clip": CLIP,
    "clip_by": "value",
    "validate": 0.0,
    "test": 0.0,
    "every": 500,
    "scale": "standard",
    "horizon": 1,
}


FIRST = 20  # updates that are not timed: what is recorded is recorded once


class Timed(Listener):
    def __init__(self):
        super().__init__()
        self.prices, self.start = [], 0.0

    def moved(self, update, price):
        self.prices.append(price)
        if update == FIRST:
            self.start = time.process_time()


class Setting(NamedTuple):
    """What is learned beside PyTorch: with Adam and gradients clipped by their length."""

    what: str  # text or laser
    cell: str
    dtype: str
    batch: int
    hidden: int
    updates: int

    @property
    def settings(self):
        own = {name: getattr(self, name) for name in ("dtype", "batch", "hidden", "updates")}
        others = {"k1": 50, "reduction": "mean", "optimiser": "adam", "eta": None, "clip": 1.0, "clip_by": "norm"}
        return {**SETTINGS, **own, **others, "every": self.updates}

    def __str__(self):
        return f"{self.what}, {self.cell} {self.hidden}, {self.batch} rows, {self.dtype}"


BESIDE_TORCH = [
    *(Setting("laser", "lstm", dtype, rows, 32, 300) for rows in (1, 16) for dtype in ("float32", "float64")),
    *(Setting("text", cell, dtype, 32, 128, 60) for cell in ("guo", "gru", "lstm") for dtype in ("float32", "float64")),
]


def by_hand(params, codes, updates):
    V, U, b_j, W, b_k = (params[name] for name in ("V", "U", "b_j", "W", "b_k"))
    memory = {name: np.zeros_like(w) for name, w in params.items()}
    s0, s, errors = np.zeros(HIDDEN), np.empty((STEPS + 1, HIDDEN)), np.empty((STEPS, HIDDEN))
    paid = []
    for update in range(updates):
        first = update % ((len(codes) - 1) // STEPS) * STEPS
        s[0] = s0 if first else 0
        xs, ds = codes[first : first + STEPS], codes[first + 1 : first + STEPS + 1]
        net = V.T[xs] + b_j
        for t in range(STEPS):
            s[t + 1] = np.tanh(net[t] + U @ s[t])
        y = s[1:] @ W.T + b_k
        np.exp(y - y.max(axis=1, keepdims=True), out=y)
        y /= y.sum(axis=1, keepdims=True)
        paid.append(-np.log(y[np.arange(STEPS), ds]).sum())
        y[np.arange(STEPS), ds] -= 1
        back, slope, later = y @ W, 1 - s[1:] ** 2, 0
        for t in reversed(range(STEPS)):
            errors[t] = (back[t] + later) * slope[t]
            later = errors[t] @ U
        to_input = np.zeros_like(V.T)
        np.add.at(to_input, xs, errors)
        grads = {"V": to_input.T, "U": errors.T @ s[:-1], "b_j": errors.sum(0), "W": y.T @ s[1:], "b_k": y.sum(0)}
        for name, g in grads.items():
            np.clip(g, -CLIP, CLIP, out=g)
            memory[name] += g * g
            params[name] -= ETA * g / np.sqrt(memory[name] + 1e-8)
        s0 = s[-1].copy()
    return paid


def letters(count):
    codes = np.random.default_rng(0).integers(200, 200 + LETTERS, size=count)
    return tg.data.text(io.BytesIO("".join(map(chr, codes)).encode()))


def series(rows):
    values = tg.data.mackey_glass(rows)
    return Table(("x",), values, ("x",), values, (), np.zeros((rows, 2), bool), ())


def by_fit(cell, data, settings):
    """Seconds of processor time that an update takes, and the prices."""
    heard = Timed()
    with tempfile.TemporaryDirectory() as folder:
        begun(cell, data, folder, settings, heard)
    return (time.process_time() - heard.start) / (settings["updates"] - FIRST), heard.prices


def beside_hand(updates, rounds=5):
    """Seconds of an update by hand and by `fit`, in so many paired rounds."""
    data, pairs = letters(STEPS * 1000 + 1), []
    for _ in range(rounds):
        ours, prices = by_fit("guo", data, {**SETTINGS, "updates": updates})
        params = tg.cells.Guo(g="softmax").init(LETTERS, HIDDEN, LETTERS, rng=0)
        start = time.process_time()
        paid = by_hand(params, encoded(data), updates)
        pairs.append(((time.process_time() - start) / updates, ours))
        np.testing.assert_allclose(np.array(prices[:6]) * STEPS, paid[:6], rtol=1e-9)
    return pairs


def by_torch(setting, task, params, settings):
    """The same as `by_fit`, of PyTorch's own layers from the same weights on."""
    import torch

    torch.set_num_threads(1)
    k, text = settings.k1, setting.what == "text"
    x, d = (torch.tensor(np.ascontiguousarray(each[:])) for each in (task.x, task.d))
    d = d.argmax(dim=2) if text else d
    kind = {"guo": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[setting.cell]
    layer, head = (
        kind(task.n_in, setting.hidden, dtype=x.dtype),
        torch.nn.Linear(setting.hidden, task.n_out, dtype=x.dtype),
    )
    weights = {"weight_ih_l0": "V", "weight_hh_l0": "U", "bias_ih_l0": "b_j"}
    with torch.no_grad():
        layer.bias_hh_l0.zero_()
        for module, names in ((layer, weights), (head, {"weight": "W", "bias": "b_k"})):
            for theirs, ours in names.items():
                getattr(module, theirs).copy_(torch.tensor(params[ours]))
    learned = [*layer.parameters(), *head.parameters()]
    adam = torch.optim.Adam(learned, lr=settings.eta, fused=True)
    prices, state = [], None
    for update in range(setting.updates):
        if update == FIRST:
            start = time.process_time()
        first = update % (len(x) // k) * k
        state = state if first else None
        s, state = layer(x[first : first + k], state)
        state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()
        y, now = head(s).flatten(0, 1), d[first : first + k].flatten(0, 1)
        cost = torch.nn.functional.cross_entropy(y, now) if text else torch.nn.functional.mse_loss(y, now) / 2
        adam.zero_grad()
        cost.backward()
        torch.nn.utils.clip_grad_norm_(learned, settings.clip)
        adam.step()
        prices.append(cost.item() * (1 if text else 2))
    return (time.process_time() - start) / (setting.updates - FIRST), prices


def beside_torch(setting, rounds=5):
    """Seconds of an update by PyTorch and by `fit`, in so many paired rounds."""
    text = setting.what == "text"
    kind, data = (
        ("text", letters(20 * 50 * setting.batch + 32)) if text else ("series", series(50 * 50 * setting.batch))
    )
    settings = resolved(kind, setting.settings)
    task = TASKS[kind](data, settings)
    params = first_weights(made_cell(setting.cell, 1, task.head), task, settings)
    params = {name: w.astype(setting.dtype) for name, w in params.items()}
    pairs = []
    for _ in range(rounds):
        ours, prices = by_fit(setting.cell, data, setting.settings)
        theirs, paid = by_torch(setting, task, params, settings)
        pairs.append((theirs, ours))
        np.testing.assert_allclose(prices[0], paid[0], rtol=1e-4)
    return pairs


def share_of_keeping(updates=1000):
    """Which share of the time the log and the checkpoints take, in a run with what is usual for a text."""
    spent = 0.0

    def clocked(owner, name):
        function = getattr(owner, name)

        @functools.wraps(function)
        def called(*args, **kwargs):
            nonlocal spent
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                spent += time.perf_counter() - start

        setattr(owner, name, called)
        return owner, name, function

    clocks = [clocked(*each) for each in ((RunFolder, "write_state"), (RunFolder, "write_best"), (Log, "write"))]
    try:
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            tg.train.fit("lstm", letters(200_000), out=folder, updates=updates)
        return spent / (time.perf_counter() - start)
    finally:
        for owner, name, function in clocks:
            setattr(owner, name, function)


def told(what, pairs):
    theirs, ours = (np.array(each) for each in zip(*pairs, strict=True))
    rates = f"{1 / np.median(theirs):8.0f} 1/s {1 / np.median(ours):8.0f} 1/s"
    print(f"{what:40}{rates}{np.median(theirs / ours):8.2f}", flush=True)


if __name__ == "__main__":
    print(f"{'':40}{'theirs':>12}{'fit':>13}{'ratio':>8}")
    told("min-char-rnn by hand", beside_hand(int(sys.argv[1]) if len(sys.argv) > 1 else 3000))
    for setting in BESIDE_TORCH if importlib.util.find_spec("torch") else ():
        told(f"torch: {setting}", beside_torch(setting))
    print(f"log and checkpoints take {share_of_keeping():.1%} of a run's time")
