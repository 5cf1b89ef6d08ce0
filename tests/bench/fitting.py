"""What a run costs: `fit` in the set-up of min-char-rnn, beside NumPy written by hand, with all that a run keeps.

Characters by index, one row, windows of 25 steps, float64, gradients clipped by value, Adagrad with epsilon under the
root. By hand the input's products are a choice of columns, and the output's one product for all steps.

    python tests/bench/fitting.py 3000
"""

import io
import sys
import tempfile
import time

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.train.fit import begun
from tinygrad_rnn.train.listener import Listener
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


class Timed(Listener):
    def __init__(self, first=20):
        super().__init__()
        self.first, self.prices, self.start = first, [], 0.0

    def moved(self, update, price):
        self.prices.append(price * STEPS)
        if update == self.first:  # what was recorded is recorded once
            self.start = time.process_time()


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


def measure(updates, rounds=5):
    """Updates a second by both, and their ratio, the medians of so many paired rounds of processor time."""
    letters = np.random.default_rng(0).integers(200, 200 + LETTERS, size=STEPS * 1000 + 1)
    data = tg.data.text(io.BytesIO("".join(map(chr, letters)).encode()))
    mine, hand = [], []
    for _ in range(rounds):
        heard = Timed()
        with tempfile.TemporaryDirectory() as folder:
            begun("guo", data, folder, {**SETTINGS, "updates": updates}, heard)
        mine.append((time.process_time() - heard.start) / (updates - heard.first))
        params = tg.cells.Guo(g="softmax").init(LETTERS, HIDDEN, LETTERS, rng=0)
        start = time.process_time()
        paid = by_hand(params, encoded(data), updates)
        hand.append((time.process_time() - start) / updates)
        np.testing.assert_allclose(heard.prices[:6], paid[:6], rtol=1e-9)
    return 1 / np.median(hand), 1 / np.median(mine), float(np.median(np.array(hand) / mine))


if __name__ == "__main__":
    by, ours, ratio = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 3000)
    print(f"{by:10.0f} 1/s   min-char-rnn by hand\n{ours:10.0f} 1/s   the same, fit\n{ratio:10.2f}       their ratio")
