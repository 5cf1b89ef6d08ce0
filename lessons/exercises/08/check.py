"""What lesson 8 asks, and the mistakes it knows."""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.exercises import Exercise, Slip

rng = np.random.default_rng(80)


def step(n, m):
    net = rng.normal(size=(n, m))
    return rng.normal(size=(n, m)), np.tanh(net), net, rng.normal(size=(m, m))


def output(n, o):
    return tg.guo.activation("softmax", rng.normal(size=(n, o))), rng.uniform(0.1, 0.9, size=(n, o))


EXERCISES = [
    Exercise(
        "error_before",
        "repair (19)",
        "(19)",
        cases=[step(2, 4), step(1, 3)],
        oracle=lambda delta, s, net, U: tg.guo.hidden_error_before(delta, U, net, "tanh"),
        axes="pj",
        hints=(
            "This is E5. What does f' mean there?",
            "Either f' at net, or the derivative written with s.",
            "1 - np.tanh(net_before) ** 2, which is 1 - s_before ** 2",
        ),
        slips=(
            Slip(
                "np.tanh(net_before)",
                "np.tanh(s_before)",
                "the factor f'",
                (
                    "s(t-1) has gone through tanh already. What happens to it here?",
                    "f' belongs at net(t-1), where the unit stood.",
                    "Write np.tanh(net_before), or 1 - s_before ** 2.",
                ),
            ),
            Slip(
                "np.tanh(net_before) ** 2",
                "net_before ** 2",
                "the factor f'",
                ("1 - (what)^2 is the slope of tanh?", "1 - s**2: the state, not the sum."),
            ),
            Slip(
                "delta_j @ U",
                "delta_j @ U.T",
                "the sum over U",
                ("That part was right.", "The sum in (19) runs over the first index of u_hj: delta_j @ U."),
            ),
        ),
    ),
    Exercise(
        "two_term_error",
        "repair (17) for a softmax with the cost (16)",
        "(17)",
        cases=[output(3, 5), output(1, 2)],
        oracle=tg.guo.output_error_two_term_softmax,
        axes="pk",
        hints=(
            "This is E3. d - y holds for the sigmoid with (16), or for the softmax with -sum d ln y.",
            "Take the cost's slope r, and bring it through dy_q/dnet_k = y_q ([q = k] - y_k).",
            "y * (r - sum over q of y r)",
        ),
        slips=(
            Slip(
                "y * (r - (y * r).sum(axis=-1, keepdims=True))",
                "d - y",
                "the sum over the outputs q",
                (
                    "For which pair of g and cost is this right?",
                    "For the sigmoid with (16). Under a softmax every output depends on net_k.",
                    "With r = (d - y) / (y (1 - y)): delta_k = y_k (r_k - sum over q of y_q r_q).",
                ),
            ),
            Slip(
                "return y * (r - (y * r).sum(axis=-1, keepdims=True))",
                "return y * r",
                "the sum over the outputs q",
                ("You have one half of the Jacobian.", "[q = k] - y_k has two parts; the second one is missing."),
            ),
            Slip(
                "y * (r - (y * r).sum(axis=-1, keepdims=True))",
                "-y * (r - (y * r).sum(axis=-1, keepdims=True))",
                "the sign",
                ("r has a minus in it already.", "r is -dC/dy, so what comes out is delta."),
            ),
        ),
    ),
    Exercise(
        "folded_v",
        "repair (27)",
        "(27)",
        cases=[
            (rng.normal(size=(6, 3)), rng.normal(size=(5, 4)), 6, 3),
            (rng.normal(size=(2, 2)), rng.normal(size=(2, 3)), 2, 1),
        ],
        oracle=lambda x, e_h, t, T: tg.guo.folded_weight_change(e_h[: T + 1, None], x[t - 1 - T : t][::-1, None]).T,
        axes="ij",
        hints=(
            "This is E9. How many copies are there, if T counts the extra ones?",
            "z = 0, ..., T are T + 1 terms.",
            "range(T + 1)",
        ),
        slips=(
            Slip(
                "range(T + 1)",
                "range(T)",
                "the term z = T",
                (
                    "How many terms has the sum from z = 0 to T, and how many have you?",
                    "The oldest copy is missing.",
                    "range(T + 1)",
                ),
            ),
            Slip(
                "x[t - 1 - z]",
                "x[t - 2 - z]",
                "the input x(t-z)",
                ("Which input does the copy of V at t - z read?", "Its own: x(t - z) is x[t - z - 1]."),
            ),
        ),
    ),
    Exercise(
        "HIDDEN_BY_SYMMETRY",
        "which misprint does a symmetric U hide?",
        "(26)",
        hints=(
            "For a symmetric matrix, U and its transpose are the same.",
            "Which of the ten is about a missing transpose?",
        ),
        slips=(
            Slip(
                '"E7"',
                '"E5"',
                "the misprint",
                ("E5 is about f'. Does it care about U?", "Look for the misprint that is about a transpose."),
            ),
            Slip(
                '"E7"',
                '"E6"',
                "the misprint",
                ("E6 takes V for W. Does it care about U?", "Look for the misprint that is about a transpose."),
            ),
        ),
    ),
]
