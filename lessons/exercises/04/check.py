"""What lesson 4 asks, and the mistakes it knows."""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.exercises import Exercise, Slip


def network(T, n, l, m, o, seed):
    rng = np.random.default_rng(seed)
    shapes = {"x": (T, n, l), "s0": (n, m), "V": (m, l), "U": (m, m), "b_j": (m,), "W": (o, m), "b_k": (o,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def all_states(x, s0, V, U, b_j):
    o = 2
    params = {"V": V, "U": U, "b_j": b_j, "W": np.zeros((o, len(U))), "b_k": np.zeros(o)}
    return tg.guo.forward(params, x, s0, f="tanh").s


nets = [network(5, 2, 3, 4, 6, 40), network(2, 1, 2, 3, 2, 41)]
played = [all_states(*(a[name] for name in ("x", "s0", "V", "U", "b_j"))) for a in nets]

EXERCISES = [
    Exercise(
        "net_hidden",
        "what arrives at the hidden units",
        "(2)",
        cases=[(a["x"][0], a["s0"], a["V"], a["U"], a["b_j"]) for a in nets],
        oracle=tg.guo.net_hidden,
        axes="pj",
        hints=(
            "Three things arrive: from the inputs, from the previous state, and the bias.",
            "The sums run over the second index of the weights, and `a @ M` sums over the first index of M.",
            "x @ V.T + s_before @ U.T + b_j",
        ),
        slips=(
            Slip(
                "s_before @ U.T",
                "s_before @ U",
                "the sum over h",
                (
                    "One of the terms is wrong, and no shape complains. Which matrix is square?",
                    "The sum runs over h, the second index of u_jh.",
                    "Turn U over, as you did with V: s_before @ U.T.",
                ),
            ),
            Slip(
                "s_before @ U.T + b_j",
                "s_before @ U.T",
                "the bias b_j",
                ("Three things arrive at a hidden unit. What is the third?", "Add b_j."),
            ),
            Slip(
                "x @ V.T + s_before @ U.T",
                "x @ V.T",
                "the sum over h",
                ("Does the network remember anything?", "Add what comes from the previous state: s_before @ U.T."),
            ),
        ),
    ),
    Exercise(
        "states",
        "all states of a sequence",
        "(2)",
        cases=[(a["x"], a["s0"], a["V"], a["U"], a["b_j"]) for a in nets],
        oracle=all_states,
        axes="tpj",
        first_t=0,
        hints=(
            "Begin with s(0), and let each state make the next.",
            "A loop over the rows of x; s(t) = tanh(net_j(t)) is added at the end of a list.",
            "s.append(np.tanh(x(t) @ V.T + s[-1] @ U.T + b_j))",
        ),
        slips=(
            Slip(
                "s[-1] @ U.T",
                "s[0] @ U.T",
                "the previous state",
                (
                    "The first step is right. What does the second one read?",
                    "You read s(0) in every step.",
                    "Read the state that was computed last.",
                ),
                first=2,
            ),
            Slip(
                "s = [s0]",
                "s = [np.zeros_like(s0)]",
                "the initial state",
                ("Which state does the first step read?", "s(0) is given, and it is not zero here."),
                first=0,
            ),
            Slip(
                "s[-1] @ U.T",
                "s[-1] @ U",
                "the sum over h",
                (
                    "One of the terms is wrong, and no shape complains.",
                    "The sum runs over the second index of u_jh: U.T.",
                ),
                first=1,
            ),
            Slip(
                "np.tanh(row @ V.T + s[-1] @ U.T + b_j)",
                "(row @ V.T + s[-1] @ U.T + b_j)",
                "the function f",
                ("What is handed on, the sum or the state?", "A hidden unit squashes its sum: np.tanh(...)."),
                first=1,
                equation="(1)",
            ),
            Slip(
                "return np.array(s)",
                "return np.array(s[1:])",
                "the initial state s(0)",
                ("How many states are there for T inputs?", "s(0) is one of them: T + 1."),
            ),
        ),
    ),
    Exercise(
        "outputs",
        "find the bug: outputs that come too late",
        "(4)",
        cases=[(s, a["W"], a["b_k"]) for s, a in zip(played, nets, strict=True)],
        oracle=lambda s, W, b_k: tg.guo.activation("sigmoid", tg.guo.net_output(s[1:], W, b_k)),
        axes="tpk",
        hints=(
            "Which state does the first output read?",
            "(4) has s_j(t) in it, not s_h(t-1).",
            "s[1:] are the states s(1), ..., s(T).",
        ),
        slips=(
            Slip(
                "s[1:]",
                "s[:-1]",
                "the state that is read",
                (
                    "Which state does the first output read?",
                    "(4) has s_j(t) in it: the output reads the new state, not the one before.",
                    "Take s[1:].",
                ),
                first=1,
            ),
            Slip(
                "s[1:]",
                "s",
                "the initial state s(0)",
                ("There are T outputs and T + 1 states.", "Nobody reads s(0) for an output."),
            ),
        ),
    ),
    Exercise(
        "SHAPE_OF_V",
        "predict the shape of V",
        "the indices of v_ji",
        hints=("V[j, i]: first where it leads to.", "j counts hidden units, i counts inputs."),
        slips=(
            Slip("(7, 5)", "(5, 7)", "the order of the indices", ("That is [from, to].", "First where it leads to.")),
            Slip("(7, 5)", "(7, 7)", "the sizes", ("That is U.", "V comes from the inputs.")),
        ),
    ),
    Exercise(
        "SHAPE_OF_W",
        "predict the shape of W",
        "the indices of w_kj",
        hints=("W[k, j]: first where it leads to.", "k counts outputs, j counts hidden units."),
        slips=(
            Slip("(3, 7)", "(7, 3)", "the order of the indices", ("That is [from, to].", "First where it leads to.")),
        ),
    ),
]
