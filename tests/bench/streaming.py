"""What a stream costs: `truncated` in the set-up of min-char-rnn, beside NumPy written by hand.

Characters one-hot, one sample, windows of 25 steps that do not overlap, Adagrad after each of them on all weights.
By hand the input's and the output's products are one for all steps, as are the gradients'; only the recurrence is a
loop. Timed are all windows but the first.
"""

import time

import numpy as np

import tinygrad_rnn as tg

LETTERS, HIDDEN, STEPS, WINDOWS = 65, 100, 25, 200
RATE, EPS = 0.01, 1e-8


def data(seed=0):
    rng = np.random.default_rng(seed)
    letters = np.eye(LETTERS)[rng.integers(LETTERS, size=STEPS * WINDOWS + 1)]
    return letters[:-1, None], letters[1:, None]


def weights():
    return tg.cells.Guo().init(LETTERS, HIDDEN, LETTERS, rng=0)


def adagrad(params, memory, grads):
    for name, g in grads.items():
        memory[name] += g * g
        params[name] -= RATE * g / np.sqrt(memory[name] + EPS)


def by_hand(params, memory, x, d):
    s0 = np.zeros(HIDDEN)
    s = np.empty((STEPS + 1, HIDDEN))
    errors = np.empty((STEPS, HIDDEN))
    for first in range(0, len(x), STEPS):
        V, U, b_j, W, b_k = (params[name] for name in ("V", "U", "b_j", "W", "b_k"))
        xs, ds = x[first : first + STEPS, 0], d[first : first + STEPS, 0]
        net = xs @ V.T + b_j
        s[0] = s0
        for t in range(STEPS):
            s[t + 1] = np.tanh(net[t] + U @ s[t])
        y = s[1:] @ W.T + b_k
        np.exp(y - y.max(axis=1, keepdims=True), out=y)
        y /= y.sum(axis=1, keepdims=True)
        loss = -np.log(y[ds.astype(bool)]).sum()
        y -= ds
        back, slope, later = y @ W, 1 - s[1:] ** 2, 0
        for t in reversed(range(STEPS)):
            errors[t] = (back[t] + later) * slope[t]
            later = errors[t] @ U
        grads = {"V": errors.T @ xs, "U": errors.T @ s[:-1], "b_j": errors.sum(axis=0), "W": y.T @ s[1:]}
        adagrad(params, memory, grads | {"b_k": y.sum(axis=0)})
        s0 = s[-1].copy()
        yield loss


def ours(params, memory, x, d):
    for window in tg.truncated(tg.cells.Guo(), params, x, d, k1=STEPS, k2=STEPS):
        adagrad(params, memory, window.grads)
        yield window.loss


def measure(rounds):
    """Rows of a table: windows a second by both, and their ratio, the median of so many paired rounds."""
    x, d = data()
    seconds = {by_hand: [], ours: []}
    for _ in range(rounds + 1):
        said = {}
        for way, spent in seconds.items():
            params = weights()
            memory = {name: np.zeros_like(w) for name, w in params.items()}
            running = way(params, memory, x, d)
            first = next(running)  # records, and compiles; a stream does so once
            start = time.process_time()
            said[way] = [first, *running]
            spent.append(time.process_time() - start)
        # Later on rounding alone tells them apart: training is chaotic
        np.testing.assert_allclose(said[ours][:5], said[by_hand][:5], rtol=1e-9)
    hand, mine = (np.array(spent[1:]) for spent in seconds.values())  # the first round warms up
    return [
        ("a stream as in min-char-rnn, by hand", (WINDOWS - 1) / np.median(hand), "1/s"),
        ("the same, truncated", (WINDOWS - 1) / np.median(mine), "1/s"),
        ("their ratio", float(np.median(hand / mine)), ""),
    ]


if __name__ == "__main__":
    for what, value, unit in measure(15):
        print(f"{value:10.2f} {unit:5} {what}")
