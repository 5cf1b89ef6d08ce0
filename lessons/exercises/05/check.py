"""What lesson 5 asks, and the mistakes it knows."""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.exercises import Exercise, Slip

rng = np.random.default_rng(50)
sizes = [(3, 5, 4), (1, 2, 3)]  # samples, outputs, hidden units
y_sigmoid = [tg.guo.activation("sigmoid", rng.normal(size=(n, o))) for n, o, _ in sizes]
y_softmax = [tg.guo.activation("softmax", rng.normal(size=(n, o))) for n, o, _ in sizes]
d = [rng.uniform(size=(n, o)) for n, o, _ in sizes]
delta_k = [rng.normal(size=(n, o)) for n, o, _ in sizes]
W = [rng.normal(size=(o, m)) for _, o, m in sizes]
net_j = [rng.normal(size=(n, m)) for n, _, m in sizes]
s_before = [np.tanh(rng.normal(size=(n, m))) for n, _, m in sizes]


def measured(y, d):
    """-dC/dnet_k of the squared error under a softmax, by moving each sum."""
    sums, h, error = np.log(y), 1e-5, np.zeros_like(y)
    for at in np.ndindex(y.shape):
        move = np.zeros_like(y)
        move[at] = h
        costs = [tg.guo.squared_error(tg.guo.activation("softmax", sums + k * move), d) for k in (-2, -1, 1, 2)]
        error[at] = -(8 * (costs[2] - costs[1]) - (costs[3] - costs[0])) / (12 * h)
    return error


EXERCISES = [
    Exercise(
        "output_error",
        "the error of an output unit: squared error, sigmoid",
        "(8)",
        cases=list(zip(y_sigmoid, d, strict=True)),
        oracle=lambda y, d: tg.guo.output_error_squared(y, d, "sigmoid"),
        axes="pk",
        hints=(
            "Two factors: how far off the output is, and how much it follows its sum.",
            "The second factor is g' of the sigmoid, and (14) writes it with y.",
            "(d - y) * y * (1 - y)",
        ),
        slips=(
            Slip(
                "(d - y) * y * (1 - y)",
                "(d - y)",
                "the factor g'",
                (
                    "That is (17). Which cost does it belong to?",
                    "With the squared error nothing cancels: g' stays.",
                    "Multiply by y * (1 - y).",
                ),
            ),
            Slip(
                "(d - y) * y * (1 - y)\n\n\ndef hidden",
                "(y - d) * y * (1 - y)\n\n\ndef hidden",
                "the sign",
                (
                    "An output that is too small: must its error be positive or negative?",
                    "delta = -dC/dnet. Its sum should have been larger, so it is positive: d - y.",
                ),
            ),
            Slip(
                "    return (d - y) * y * (1 - y)",
                "    z = 1 / (1 + np.exp(-y))\n    return (d - y) * z * (1 - z)",
                "the factor g'",
                (
                    "At which point is g' taken?",
                    "(14) has y in it, and y has gone through g already. You squash it twice.",
                    "y * (1 - y), with y as it is.",
                ),
            ),
        ),
    ),
    Exercise(
        "hidden_error",
        "the error of a hidden unit",
        "(9)",
        cases=list(zip(delta_k, W, net_j, strict=True)),
        oracle=lambda delta_k, W, net_j: tg.guo.hidden_error(delta_k, W, net_j, "tanh"),
        axes="pj",
        hints=(
            "Every output unit sends its error back along the weight by which it was fed. Then?",
            "Add what arrives from all outputs, then multiply by the slope of tanh.",
            "(delta_k @ W) * (1 - np.tanh(net_j) ** 2)",
        ),
        slips=(
            Slip(
                "(delta_k @ W) * (1 - np.tanh(net_j) ** 2)",
                "delta_k @ W",
                "the factor f'",
                (
                    "That has arrived at the state. Is it at the sum yet?",
                    "Between net_j and s_j there is f: multiply by its slope.",
                    "* (1 - np.tanh(net_j) ** 2)",
                ),
            ),
            Slip(
                "1 - np.tanh(net_j) ** 2",
                "1 - net_j ** 2",
                "the factor f'",
                (
                    "The slope of tanh is 1 - (what)^2?",
                    "1 - s**2 has the state in it; you have the sum.",
                    "1 - np.tanh(net_j) ** 2",
                ),
            ),
            Slip(
                "1 - np.tanh(net_j) ** 2",
                "1 - np.tanh(np.tanh(net_j)) ** 2",
                "the factor f'",
                (
                    "At which point is f' taken, at net_j or at s_j?",
                    "You squash twice: f' belongs at net_j.",
                ),
            ),
        ),
    ),
    Exercise(
        "change_of_u",
        "the change of the recurrent weight",
        "(12)",
        cases=[(net, s, 0.3) for net, s in zip(net_j, s_before, strict=True)],
        oracle=tg.guo.weight_change,
        axes="jh",
        hints=(
            "Error at the head times value at the tail.",
            "The head is j, the tail is h one step earlier; add over the samples.",
            "eta * delta_j.T @ s_before",
        ),
        slips=(
            Slip(
                "delta_j.T @ s_before",
                "s_before.T @ delta_j",
                "the order of the indices",
                (
                    "Which index of your matrix counts the heads?",
                    "U[j, h]: the error's index comes first.",
                    "delta_j.T @ s_before",
                ),
            ),
            Slip(
                "eta * delta_j",
                "-eta * delta_j",
                "the sign",
                (
                    "delta has a minus already.",
                    "-eta dC/dw and delta = -dC/dnet: the two minus signs cancel.",
                ),
            ),
            Slip(
                "delta_j.T @ s_before",
                "delta_j.T @ s_before / len(delta_j)",
                "the sum over the samples",
                ("Is it a sum over p in (12), or an average?", "Do not divide by the number of samples."),
            ),
            Slip(
                "eta * delta_j",
                "delta_j",
                "the step size eta",
                ("How far is the weight moved?", "Multiply by eta."),
            ),
        ),
    ),
    Exercise(
        "softmax_error",
        "find the bug: squared error, softmax",
        "(8)",
        cases=list(zip(y_softmax, d, strict=True)),
        oracle=measured,
        axes="pk",
        rtol=1e-6,
        hints=(
            "On how many outputs does net_k act?",
            "dy_q/dnet_k = y_q ([q = k] - y_k): there is a sum over q.",
            "y * ((d - y) - sum over q of (d - y) y)",
        ),
        slips=(
            Slip(
                "y * ((d - y) - ((d - y) * y).sum(axis=-1, keepdims=True))",
                "(d - y) * y * (1 - y)",
                "the sum over the outputs q",
                (
                    "y (1 - y) is the derivative of one output with respect to its own sum. Are there others?",
                    "Under a softmax every output depends on net_k: dy_q/dnet_k = y_q ([q = k] - y_k).",
                    "Work the sum out: delta_k = y_k ((d_k - y_k) - sum over q of (d_q - y_q) y_q).",
                ),
            ),
            Slip(
                "y * ((d - y) - ((d - y) * y).sum(axis=-1, keepdims=True))",
                "d - y",
                "the cost",
                ("d - y belongs to another cost.", "Here it is the squared error (5); nothing cancels."),
            ),
            Slip(
                ".sum(axis=-1, keepdims=True)",
                ".sum()",
                "the sum over the outputs q",
                ("What is your sum taken over?", "Over the outputs of one sample, not over the samples: axis=-1."),
            ),
        ),
    ),
    Exercise(
        "DELTA",
        "predict delta where the desired values add up to two",
        "(17)",
        hints=(
            "(17) has a condition: desired values that add up to one. These add up to two.",
            "delta = d - S y, where S is the sum of the desired values.",
        ),
        slips=(
            Slip(
                "(0, 0.5, -0.5)",
                "(0.5, 0.75, -0.25)",
                "the factor S",
                ("That is d - y.", "It holds if the desired values add up to one. Here they add up to S = 2."),
            ),
            Slip(
                "(0, 0.5, -0.5)",
                "(0, -0.5, 0.5)",
                "the sign",
                ("The second output is too small. Should its sum have been larger?", "delta = -dC/dnet."),
            ),
        ),
    ),
]
