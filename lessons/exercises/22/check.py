"""What lesson 22 asks, and the mistakes it knows."""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import ops
from tinygrad_rnn.exercises import Exercise, Slip

rng = np.random.default_rng(220)
NAMES = ("V_f", "U_f", "b_f", "V_n", "U_n", "b_n")


def weights(l, m):
    return [rng.normal(size=shape) for shape in ((m, l), (m, m), m) * 2]


def gate(*shape):
    return rng.uniform(0.1, 0.9, size=shape)


def step(params, x, s):
    """The unit on the tape."""
    f = ops.sigmoid(ops.linear(x, params["V_f"], s, params["U_f"], params["b_f"]))
    n = ops.tanh(ops.linear(x, params["V_n"], f * s, params["U_n"], params["b_n"]))
    return ops.add((1 - f) * s, f * n)


def by_the_tape(x, s, *arrays):
    tape = tg.Tape()
    params = {name: tape.leaf(w, name) for name, w in zip(NAMES, arrays, strict=True)}
    return np.array(step(params, tape.leaf(x, "x"), tape.leaf(s, "s")).value)


def sent(g_s, g_net_f, g_net_n, f, U_f, U_n):
    """The cost is what makes the errors these, of each node by itself."""
    tape = tg.Tape()
    s = tape.leaf(np.zeros_like(g_s), "s")
    to_the_gate, to_the_proposal = ops.matmul(s, U_f.T), ops.matmul(f * s, U_n.T)
    kept = (1 - f) * s
    tape.backward(
        ops.add(ops.add((to_the_gate * g_net_f).sum(), (to_the_proposal * g_net_n).sum()), (kept * g_s).sum())
    )
    return np.array(s.cotangent)


def received(g_s, g_net_n, s, n, U_n):
    """As above, of the gate."""
    tape = tg.Tape()
    f = tape.leaf(np.zeros_like(s), "f")
    mean = ops.add((1 - f) * s, f * n)
    tape.backward(ops.add((mean * g_s).sum(), (ops.matmul(f * s, U_n.T) * g_net_n).sum()))
    return np.array(f.cotangent)


def copy_by_copy(g_net_n, f, before):
    """Each copy is a leaf of its own."""
    tape, T, m = tg.Tape(), len(f), f.shape[-1]
    copies = [tape.leaf(np.zeros((m, m)), f"U_n_{t}") for t in range(T)]
    costs = [
        (ops.linear(tape.leaf(gate * s, "x"), copy) * g).sum()
        for copy, g, gate, s in zip(copies, g_net_n, f, before, strict=True)
    ]
    tape.backward(sum(costs[1:], costs[0]))
    return np.array([copy.cotangent for copy in copies])


def errors(n, m):
    return [rng.normal(size=(n, m)) for _ in range(3)]


EXERCISES = [
    Exercise(
        "unit",
        "write one step of the minimal gated unit",
        "the minimal gated unit",
        cases=[
            (rng.normal(size=(2, 3)), rng.normal(size=(2, 4)), *weights(3, 4)),
            (rng.normal(size=(1, 2)), rng.normal(size=(1, 3)), *weights(2, 3)),
        ],
        oracle=by_the_tape,
        axes="pj",
        hints=(
            "Which of f and n can be computed first?",
            "f = sigma(x @ V_f.T + s @ U_f.T + b_f). For n, the old state goes through the gate before it meets U_n.",
            "n = np.tanh(x @ V_n.T + (f * s) @ U_n.T + b_n), and then (1 - f) * s + f * n",
        ),
        slips=(
            Slip(
                "(f * s) @ U_n.T",
                "f * (s @ U_n.T)",
                "the gate before the matrix",
                (
                    "Does the gate multiply the state, or what U_n has made of it?",
                    "The state: f * s comes first, and that goes through U_n. In PyTorch's GRU it is the other way.",
                    "(f * s) @ U_n.T",
                ),
            ),
            Slip(
                "(f * s) @ U_n.T",
                "s @ U_n.T",
                "the gate",
                (
                    "How much of the old state does the proposal get to see?",
                    "What the gate lets through: (f * s) @ U_n.T.",
                ),
            ),
            Slip(
                "(1 - f) * s + f * n",
                "(1 - f) * n + f * s",
                "the mean",
                (
                    "If f is 1, what should the new state be?",
                    "The proposal. In a GRU, z is what is kept; here f is what is new.",
                    "(1 - f) * s + f * n",
                ),
            ),
        ),
    ),
    Exercise(
        "to_the_state_before",
        "add up what goes back to the state before",
        "(26)",
        cases=[
            (*errors(2, 3), gate(2, 3), rng.normal(size=(3, 3)), rng.normal(size=(3, 3))),
            (*errors(1, 4), gate(1, 4), rng.normal(size=(4, 4)), rng.normal(size=(4, 4))),
        ],
        oracle=sent,
        axes="pj",
        hints=(
            "Who reads s(t-1) in step t? Three do.",
            "The mean, net_f through U_f, and net_n through the gate and U_n. Each sends a share.",
            "g_s * (1 - f) + g_net_f @ U_f + (g_net_n @ U_n) * f",
        ),
        slips=(
            Slip(
                "carousel + g_net_f @ U_f + (g_net_n",
                "g_net_f @ U_f + (g_net_n",
                "the share from the carousel",
                ("Which reader has no matrix?", "The mean: s(t) reads (1 - f) * s(t-1).", "g_s * (1 - f) is missing."),
            ),
            Slip(
                "(g_net_n @ U_n) * f",
                "(g_net_n * f) @ U_n",
                "the order on the way back",
                (
                    "Forwards, the gate comes first and then U_n. And backwards?",
                    "Backwards U_n comes first. What comes out of it is multiplied by the gate.",
                    "(g_net_n @ U_n) * f",
                ),
            ),
            Slip(
                "g_net_f @ U_f",
                "g_net_f @ U_f.T",
                "the transpose",
                (
                    "Which index of U_f belongs to the state before?",
                    "The second one, and the sum runs over the first: no transpose.",
                ),
            ),
            Slip(
                "g_s * (1 - f)",
                "g_s * f",
                "the gate",
                ("How much of s(t-1) is in s(t)?", "1 - f of it, so that is what its share is multiplied by."),
            ),
        ),
    ),
    Exercise(
        "error_of_the_gate",
        "find the bug: a reader of the gate",
        "dC/df",
        cases=[
            (*(rng.normal(size=(2, 3)) for _ in range(4)), rng.normal(size=(3, 3))),
            (*(rng.normal(size=(1, 4)) for _ in range(4)), rng.normal(size=(4, 4))),
        ],
        oracle=received,
        axes="pj",
        hints=(
            "f(t) stands three times in the cell. Which one has sent nothing?",
            "1 - f reads it, too. What is the derivative of (1 - f) * s by f?",
            "g_s * n - g_s * s + (g_net_n @ U_n) * s",
        ),
        slips=(
            Slip(
                "g_s * n - g_s * s",
                "g_s * n + g_s * s",
                "the sign",
                ("What is the derivative of 1 - f by f?", "It is -1: that share is taken off."),
            ),
            Slip(
                "g_s * n - g_s * s + (g_net_n @ U_n) * s",
                "g_s * n - g_s * s",
                "the share from the proposal",
                (
                    "Who else reads f?",
                    "net_n does: f * s goes through U_n.",
                    "Add (g_net_n @ U_n) * s.",
                ),
            ),
        ),
    ),
    Exercise(
        "shares",
        "write the shares of the copies of U_n",
        "(12)",
        cases=[
            (rng.normal(size=(4, 2, 3)), gate(4, 2, 3), rng.normal(size=(4, 2, 3))),
            (rng.normal(size=(2, 1, 2)), gate(2, 1, 2), rng.normal(size=(2, 1, 2))),
        ],
        oracle=copy_by_copy,
        axes="tjh",
        hints=(
            "What does U_n multiply in the forward pass?",
            "f * s(t-1), not s(t-1). Its share is the error's rows, turned over, times that.",
            "g.T @ (gate * s), one for each time step",
        ),
        slips=(
            Slip(
                "(gate * s) for",
                "s for",
                "what the matrix has multiplied",
                (
                    "Which array does U_n multiply in the forward pass?",
                    "The part of the state that the gate lets through: f * s.",
                ),
                first=1,
            ),
            Slip(
                "g.T @ (gate * s) for",
                "(gate * s).T @ g for",
                "the transpose",
                (
                    "Which index of U_n[j, h] belongs to the error?",
                    "The first one: g.T comes first.",
                ),
                first=1,
            ),
        ),
    ),
    Exercise(
        "TERMS",
        "predict the terms of an error",
        "(26)",
        hints=(
            "Who reads s(t) now? Count the output, too.",
            "net_k(t), net_f(t+1) and the mean of the next step: three readers.",
        ),
        slips=(
            Slip(
                "TERMS = 3",
                "TERMS = 4",
                "the readers",
                ("That is the unit as it was.", "net_n does not read the state any more: one less."),
            ),
            Slip(
                "TERMS = 3",
                "TERMS = 2",
                "the readers",
                ("Which two did you count?", "The output, net_f of the next step, and the mean of the next step."),
            ),
            Slip(
                "TERMS = 3",
                "TERMS = 1",
                "the readers",
                ("That is the output alone.", "In the next step, net_f and the mean read s(t), too."),
            ),
        ),
    ),
    Exercise(
        "LEFT",
        "predict what is left after three gates",
        "ds(T)/ds(τ)",
        hints=("How much of the old state is in the new one if f is 1/4?", "Three quarters, three times: (3/4)³."),
        slips=(
            Slip(
                "LEFT = 27 / 64",
                "LEFT = 1 / 64",
                "the gate",
                ("Is f what is kept, or what is new?", "What is new: 1 - f is kept, three quarters, three times."),
            ),
            Slip(
                "LEFT = 27 / 64",
                "LEFT = 9 / 4",
                "the product",
                ("The factors are multiplied.", "3/4 times 3/4 times 3/4."),
            ),
            Slip(
                "LEFT = 27 / 64",
                "LEFT = 81 / 256",
                "the number of gates",
                ("How many gates lie between s(0) and s(3)?", "Those of t = 1, 2, 3."),
            ),
        ),
    ),
]
