"""What is learnt, and how soon: known tasks by the library's own loop, three seeds each, beside what must be beaten.

``nox -s bench -- --tasks``, or some of them: ``--tasks laser,reber``. Updates count, not seconds; a task ends where its
goal is first met. Times are CPU time, to be read beside each other only.
"""

import math
import time
from typing import NamedTuple

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.train.running import Running

SEEDS = 0, 1, 2
CLIP = 1.0


class Learnt(NamedTuple):
    """What came of one seed: whether the goal is met or, where there is none, what stands beside it."""

    value: float
    updates: int
    met: bool | str


def main(names):
    print("task, goal                                               seed    value  updates  CPU s  goal")
    for name in names:
        said, learn = TASKS[name]
        for seed in SEEDS:
            begin = time.process_time()
            with np.errstate(all="ignore"):
                found = learn(seed)
            took = time.process_time() - begin
            met = found.met if isinstance(found.met, str) else "met" if found.met else "MISSED"
            print(f"{said:56} {seed:4} {found.value:8.4g} {found.updates:8,} {took:6.1f}  {met}", flush=True)


def step(net, optimiser):
    net.backward()
    optimiser.step(net.params, tg.clip_by_norm(net.grads, CLIP))


# -- series, one step ahead


def along(cell, params, x, updates, k, eta, evaluate):
    """The weights that were best by `evaluate` while x[t + 1] was learnt from x[t], in windows of k steps."""
    net = tg.Network(cell, params, loss="squared_error", reduction="mean")
    optimiser, best, kept, done = tg.train.Adam(eta), math.inf, params, 0
    while True:
        state = None  # each time through the series begins with the initial state
        for first in range(0, len(x) - k, k):
            now = net(x[first : first + k, None], x[first + 1 : first + k + 1, None], s0=state)
            optimiser.eta = eta * (0.01 + 0.99 * (1 + math.cos(math.pi * done / updates)) / 2)
            step(now, optimiser)
            state, done = now.last_state, done + 1
            if done % 50 == 0 and (error := evaluate(params)) < best:
                best, kept = error, {name: w.copy() for name, w in params.items()}
            if done == updates:
                return kept


def ahead(cell, params, x, start, stop):
    """The mean squared error of x[start:stop], told one step ahead."""
    y = Running(cell, params)(x[: stop - 1])
    return float(((y[start - 1 :] - x[start:stop]) ** 2).mean())


def laser(seed):
    values = tg.data.laser().values[:1100]
    scale = values[:900].mean(0), values[:900].std(0)
    x = (values - scale[0]) / scale[1]
    cell = tg.cells.LSTM(g="identity")
    params = cell.init(1, 32, 1, rng=seed)
    best = along(cell, params, x[:900], 1500, 50, 0.01, lambda params: ahead(cell, params, x, 900, 1000))
    found = tg.train.forecast(cell, best, values, start=1000, steps=100, trained=900, scale=scale)
    value = found.score().nmse
    return Learnt(value, 1500, value < 0.01)


def sunspots(seed):
    values = tg.data.sunspots().values[:256]
    scale = values[:221].mean(0), values[:221].std(0)
    x = (values - scale[0]) / scale[1]
    cell = tg.cells.Guo(f="tanh", g="identity")
    params = cell.init(1, 8, 1, rng=seed)
    best = along(cell, params, x[:200], 1500, 20, 0.01, lambda params: ahead(cell, params, x, 200, 221))
    found = tg.train.forecast(cell, best, values, start=221, steps=35, scale=scale, order=9, variance=1535.0)
    value = found.score().nmse
    return Learnt(value, 1500, f"AR(9) {found.score('AR(9)').nmse:.4g}")


# -- sequences


def adding(cell, updates, goal):
    def learn(seed):
        rng = np.random.default_rng(seed)
        test = tg.data.adding(50, 2000, rng=rng)
        params = cell.init(2, 64, 1, rng=rng)
        net, optimiser = tg.Network(cell, params, loss="squared_error"), tg.train.Adam(0.01)
        for done in range(1, updates + 1):
            task = tg.data.adding(50, 32, rng=rng)
            now = net(**task.arguments, weights=np.full((50, 32), 1 / 32))
            step(now, optimiser)
            if done % 50 == 0:
                y = net(**test.arguments).outputs[-1].value
                error = float(((y - test.d[-1]) ** 2).mean())
                if error < 0.005:
                    break
        return Learnt(error, done, goal(error))

    return learn


def reber(seed):
    """Right is a string at each of whose places every letter that could come is likelier than all that could not."""
    rng = np.random.default_rng(seed)
    whole = tg.data.reber(512, rng=rng, distinct=True)
    lengths = whole.mask.sum(0).astype(int)
    cell = tg.cells.LSTM(g="softmax")
    params = cell.init(7, 16, 7, rng=rng)
    net, optimiser = tg.Network(cell, params, kept=40), tg.train.Adam(0.01)
    for done in range(1, 3001):
        drawn = rng.choice(256, 16, replace=False)
        T = lengths[drawn].max()
        x, d, mask = (each[:T, drawn] for each in (whole.x, whole.d, whole.mask))
        step(net(x, d, mask=mask, weights=np.full(mask.shape, 1 / 16)), optimiser)
        if done % 100 == 0:
            y = np.stack(
                [out.value for out in net(whole.x[:, 256:], whole.d[:, 256:], mask=whole.mask[:, 256:]).outputs]
            )
            allowed, there = whole.allowed[:, 256:], whole.mask[:, 256:] > 0
            least = np.where(allowed, y, np.inf).min(-1)
            most = np.where(allowed, -np.inf, y).max(-1)
            right = int(((least > most) | ~there).all(0).sum())
            if right >= 250:
                break
    return Learnt(right, done, right >= 250)


TASKS = {
    "laser": ("laser, one step ahead, LSTM 32: NMSE < 0.01", laser),
    "sunspots": ("sunspots 1921-55, one step ahead, tanh 8: NMSE", sunspots),
    "adding": (
        "adding 50, GRU 64: MSE < 0.005 within 1,000 updates",
        adding(tg.cells.GRU(g="identity"), 1000, lambda error: error < 0.005),
    ),
    "adding-tanh": (
        "adding 50, tanh 64: MSE stays > 0.1 for 1,000 updates",
        adding(tg.cells.Guo(f="tanh", g="identity"), 1000, lambda error: error > 0.1),
    ),
    "reber": ("embedded Reber, LSTM 16: 250 of 256 within 3,000 updates", reber),
}
