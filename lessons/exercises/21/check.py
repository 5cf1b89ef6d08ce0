"""What lesson 21 asks, and the mistakes it knows."""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.exercises import Exercise, Slip

rng = np.random.default_rng(210)
TRAIN, HELD_OUT = rng.integers(5, size=60) ** 2 // 4, rng.integers(6, size=25)
U = rng.normal(size=(3, 3))


def step(x_t, s):
    return np.tanh(U @ s + x_t)


def price_by_loops(train, held_out, K):
    counts = dict.fromkeys(range(K), 1)
    for c in train:
        counts[int(c)] += 1
    return float(np.mean([np.log(sum(counts.values())) - np.log(counts[int(c)]) for c in held_out]))


def adam_of_the_library(gs, eta):
    params, optimiser, changes = {"w": np.zeros(gs.shape[1])}, tg.train.Adam(eta), []
    for g in gs:
        before = params["w"].copy()
        optimiser.step(params, {"w": g})
        changes.append(params["w"] - before)
    return np.array(changes)


def in_one_pass(step, x, s0, k):
    found, s = [], s0
    for x_t in x:
        s = step(x_t, s)
        found.append(s)
    return np.array(found)


EXERCISES = [
    Exercise(
        "price_of_counting",
        "the price of counting characters",
        "-ln share",
        cases=[(TRAIN, HELD_OUT, 6), (np.array([0, 0, 1]), np.array([1, 2]), 4)],
        oracle=price_by_loops,
        hints=(
            "np.bincount(train, minlength=K) counts. What then makes shares of the counts?",
            "Add 1 to each count, and divide by the sum of all.",
            "-np.log(share[held_out]).mean()",
        ),
        slips=(
            Slip(
                "share[held_out]",
                "share[train]",
                "the text that is paid for",
                (
                    "On which text do you count, and for which do you pay?",
                    "Counts come from train, the price is that of held_out.",
                    "share[held_out]",
                ),
            ),
            Slip(
                "-np.log(share[held_out]).mean()",
                "-(share * np.log(share)).sum()",
                "the text that is paid for",
                (
                    "Yours is what the characters of train cost on the average. Is that asked?",
                    "The mean over the characters of held_out is asked.",
                ),
            ),
            Slip(
                "-np.log(share",
                "-np.log2(share",
                "the logarithm",
                ("In which unit is your price?", "Bits come from log2; the lesson pays in ln, as the cost does."),
            ),
            Slip(
                "share = share / share.sum()",
                "share = share / len(train)",
                "the sum of the shares",
                ("Do your shares add up to 1?", "Each count is one larger: divide by the sum of the counts."),
            ),
            Slip(
                "-np.log(share[held_out]).mean()",
                "-np.log(share[held_out].mean())",
                "the order of mean and logarithm",
                (
                    "Is the logarithm of a mean the mean of the logarithms?",
                    "No: take the logarithm of each share first.",
                ),
            ),
        ),
    ),
    Exercise(
        "clipped",
        "clip a gradient by its norm",
        "clip_by_norm",
        cases=[(rng.normal(size=6), 0.5), (np.array([0.1, -0.2]), 1.0)],
        oracle=lambda g, threshold: tg.clip_by_norm({"w": g}, threshold)["w"],
        axes="i",
        hints=(
            "How long is g? The norm is the root of the sum of the squares.",
            "If it is longer than the threshold, multiply all of it by threshold / norm.",
            "g * min(1, threshold / norm)",
        ),
        slips=(
            Slip(
                "g * min(1.0, threshold / norm)",
                "np.clip(g, -threshold, threshold)",
                "the direction",
                (
                    "Does the clipped gradient still point in the same direction?",
                    "You clip each entry. Clipping by the norm multiplies all entries by ONE factor.",
                    "g * (threshold / norm)",
                ),
            ),
            Slip(
                "g * min(1.0, threshold / norm)",
                "g * (threshold / norm)",
                "gradients that are short enough",
                ("What becomes of a gradient that is shorter than the threshold?", "It is left as it is."),
            ),
            Slip(
                "np.sqrt((g * g).sum())",
                "(g * g).sum()",
                "the norm",
                ("Is the sum of squares a length?", "Take its root."),
            ),
            Slip(
                "np.sqrt((g * g).sum())",
                "np.abs(g).max()",
                "the norm",
                ("That is the largest entry. How long is the whole vector?", "The root of the sum of the squares."),
            ),
        ),
    ),
    Exercise(
        "adam",
        "the changes that Adam makes",
        "Adam",
        cases=[(rng.normal(size=(5, 3)), 0.1), (rng.normal(size=(2, 2)), 0.01)],
        oracle=adam_of_the_library,
        axes="ti",
        hints=(
            "Two running means, kept from step to step; what is new comes in with 0.1 and with 0.001.",
            "They start at zero, so at first they are too small: divide by 1 - 0.9**t and by 1 - 0.999**t.",
            "-eta * m_hat / (np.sqrt(v_hat) + 1e-8)",
        ),
        slips=(
            Slip(
                "m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)",
                "m_hat, v_hat = m, v",
                "m_hat and v_hat",
                (
                    "How large is the very first change? It should be eta, with the sign of the gradient.",
                    "The means start at zero. At t = 1, how much of m is there yet?",
                    "m / (1 - 0.9**t), v / (1 - 0.999**t)",
                ),
                first=1,
            ),
            Slip(
                "(1 - 0.9**t), v / (1 - 0.999**t)",
                "(1 - 0.9), v / (1 - 0.999)",
                "the power of t",
                (
                    "The first step is right. What is different at the second?",
                    "More of the mean is there already: 1 - 0.9**t, not 1 - 0.9.",
                ),
                first=2,
            ),
            Slip(
                "np.sqrt(v_hat)",
                "v_hat",
                "the root",
                ("Which power of g has v, and which has m?", "v is a mean of squares: take its root."),
                first=1,
            ),
            Slip(
                "-eta * m_hat",
                "eta * m_hat",
                "the sign",
                ("Should the weight go along the gradient, or against it?", "Against it: the cost is to fall."),
                first=1,
            ),
            Slip(
                "m = 0.9 * m + 0.1 * g",
                "m = 0.1 * m + 0.9 * g",
                "how much of the past is kept",
                ("Which share does the new gradient get?", "0.1 of the new one, 0.9 of what was there."),
                first=1,
            ),
        ),
    ),
    Exercise(
        "states",
        "find the bug: reading in windows",
        "s(t)",
        cases=[
            (step, rng.normal(size=(7, 3)), rng.normal(size=3), 3),
            (step, rng.normal(size=(4, 3)), rng.normal(size=3), 4),
        ],
        oracle=in_one_pass,
        axes="tj",
        hints=(
            "Two things can go wrong: what a window starts from, and which state belongs to step t.",
            "A window starts from the state that the one before it ended with; s(t) is the state AFTER x(t) was read.",
            "Set s = s0 once, before the first window; then s = step(x_t, s), and keep that s.",
        ),
        slips=(
            Slip(
                "found, s = [], s0\n    for start in range(0, len(x), k):\n        for",
                "found = []\n    for start in range(0, len(x), k):\n        s = s0\n        for",
                "the state before a window",
                (
                    "The first window is right. What does the second one start from?",
                    "What is cut is the way of the error. The state goes on.",
                    "Set s = s0 once, before the first window.",
                ),
                first=4,
            ),
            Slip(
                "range(0, len(x), k)",
                "range(0, len(x) - len(x) % k, k)",
                "the last window",
                (
                    "How many states do you give, and how many steps are there?",
                    "The last window may be shorter than k.",
                ),
            ),
            Slip(
                "            s = step(x_t, s)\n            found.append(s)",
                "            found.append(s)\n            s = step(x_t, s)",
                "which state is kept",
                (
                    "Is your first state s(1) or s(0)?",
                    "s(1) is the state after x(1) was read: step first, then keep it.",
                ),
                first=1,
            ),
        ),
    ),
    Exercise(
        "COST_AT_THE_START",
        "predict the cost of an untrained network",
        "ln K",
        hints=(
            "What probability does a network that knows nothing give to the character that comes?",
            "1/20, so it pays ln 20 for each of them. There are 25.",
        ),
        slips=(
            Slip(
                "COST_AT_THE_START = 75",
                "COST_AT_THE_START = 3",
                "the sum over the steps",
                ("That is the price of one character.", "There are 25, and their costs are summed."),
            ),
            Slip(
                "COST_AT_THE_START = 75",
                "COST_AT_THE_START = 108",
                "the logarithm",
                ("Which logarithm is in the cross-entropy?", "The natural one: 25 ln 20."),
            ),
        ),
    ),
]
