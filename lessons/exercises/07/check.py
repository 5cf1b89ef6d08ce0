"""What lesson 7 asks, and the mistakes it knows."""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.exercises import Exercise, Slip

rng = np.random.default_rng(70)


def stored(m):
    return rng.normal(size=m), rng.normal(size=m), rng.normal(size=(m, m))


def by_hand(U, s, e_h, t, T, eta):
    """(28) with the matrices of `tinygrad_rnn.guo`, which are stored [to, from]."""
    errors = e_h[: T + 1, None]
    sources = s[[t - z - 1 for z in range(T + 1)]][:, None]
    return U + tg.guo.folded_weight_change(errors, sources, eta).T


def bowl(w):
    return np.array([1.0, 4.0]) * w


def slopes(w):
    return np.tanh(w) + 0.3


EXERCISES = [
    Exercise(
        "error_before",
        "one step back, with U stored [from, to]",
        "(26)",
        cases=[stored(4), stored(3)],
        oracle=lambda e, net, U: tg.guo.hidden_error_before(e, U.T, net, "tanh"),
        axes="j",
        hints=(
            "The report prints e_h U here. Is it right in its own storage?",
            "U[h, j] leads from h to j; backwards the error comes in at j and goes out at h.",
            "(e_h @ U.T) * (1 - np.tanh(net_before) ** 2)",
        ),
        slips=(
            Slip(
                "e_h @ U.T",
                "e_h @ U",
                "the product with U",
                (
                    "This is (26) as printed. Does it hold with (28)'s storage?",
                    "The error comes in at the second index of U[h, j], so the sum must run over the second index.",
                    "Write e_h @ U.T.",
                ),
            ),
            Slip(
                "(e_h @ U.T) * (1 - np.tanh(net_before) ** 2)",
                "e_h @ U.T",
                "the function d_h",
                ("What does d_h do in (23)?", "It multiplies by f' at net(t - tau - 1)."),
                equation="(23)",
            ),
            Slip(
                "np.tanh(net_before)",
                "np.tanh(np.tanh(net_before))",
                "the function d_h",
                ("Where is f' taken?", "At net, not at the state."),
                equation="(23)",
            ),
        ),
    ),
    Exercise(
        "updated_u",
        "the new U, folded back over T + 1 copies",
        "(28)",
        cases=[
            (rng.normal(size=(4, 4)), rng.normal(size=(7, 4)), rng.normal(size=(6, 4)), 6, 3, 0.1),
            (rng.normal(size=(3, 3)), rng.normal(size=(3, 3)), rng.normal(size=(2, 3)), 2, 1, 0.5),
        ],
        oracle=by_hand,
        axes="hj",
        hints=(
            "A sum of outer products, one for each copy.",
            "z runs from 0 to T, both included. The copy at t - z reads the state of t - z - 1.",
            "U + eta * sum of np.outer(s[t - z - 1], e_h[z]) for z in range(T + 1)",
        ),
        slips=(
            Slip(
                "range(T + 1)",
                "range(T)",
                "the term z = T",
                (
                    "How many terms has a sum from z = 0 to T?",
                    "range(T) ends before T. One copy is missing, the oldest.",
                    "range(T + 1)",
                ),
            ),
            Slip(
                "s[t - z - 1]",
                "s[t - z]",
                "the state s(t-z-1)",
                ("Which state does the copy at t - z read?", "The one before it: s(t - z - 1)."),
            ),
            Slip(
                "np.outer(s[t - z - 1], e_h[z])",
                "np.outer(e_h[z], s[t - z - 1])",
                "the outer product",
                ("Which index of U comes first here?", "[from, to]: the state first, then the error."),
            ),
            Slip(
                "U + eta",
                "U - eta",
                "the sign",
                ("e_h has a minus already: it is -dC/dnet.", "(28) has a plus."),
            ),
            Slip(
                "eta * change",
                "eta * change / (T + 1)",
                "the sum over the copies",
                ("Is it a sum or an average?", "The copies' changes are added. Do not divide."),
            ),
            Slip(
                "change += np.outer",
                "change = np.outer",
                "the sum over the copies",
                ("How many copies are left in your result?", "Each turn of the loop overwrites the one before."),
            ),
        ),
    ),
    Exercise(
        "learn",
        "find the bug: a weight that runs away",
        "(6)",
        cases=[(np.array([1.0, -2.0]), bowl, 0.1, 8), (np.array([0.5]), slopes, 0.5, 3)],
        axes="j",
        hints=(
            "Where is the gradient computed, and at which weight?",
            "After an update the weight is another one, and so is its gradient.",
            "Compute the gradient inside the loop.",
        ),
        slips=(
            Slip(
                "    for _ in range(updates):\n        g = gradient(w)\n",
                "    g = gradient(w)\n    for _ in range(updates):\n",
                "the gradient in each update",
                (
                    "Where is the gradient computed, and at which weight?",
                    "After an update the weight is another one, and so is its gradient.",
                    "Compute the gradient inside the loop.",
                ),
            ),
            Slip(
                "w = w - eta",
                "w = w + eta",
                "the sign",
                ("Does the cost fall?", "A gradient points uphill: subtract it."),
            ),
        ),
    ),
    Exercise(
        "TERMS",
        "predict how many copies all updates reach",
        "(28)",
        hints=(
            "T = 2 means three copies, if there are so many.",
            "At t = 1 there is one copy, at t = 2 there are two, from t = 3 on there are three.",
        ),
        slips=(
            Slip(
                "TERMS = 18",
                "TERMS = 21",
                "the first updates",
                ("How many copies are there at t = 1?", "There is no copy before t = 1: 1 + 2 + 3 + 3 + ..."),
            ),
            Slip(
                "TERMS = 18",
                "TERMS = 13",
                "the number of copies",
                ("T is not the number of copies.", "z = 0, 1, 2 are three copies."),
            ),
            Slip(
                "TERMS = 18",
                "TERMS = 14",
                "the number of copies",
                ("T is not the number of copies.", "z = 0, 1, 2 are three copies, as soon as there are three steps."),
            ),
        ),
    ),
]
