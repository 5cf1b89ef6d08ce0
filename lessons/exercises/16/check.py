"""What lesson 16 asks, and the mistakes it knows."""

import numpy as np

from tinygrad_rnn.exercises import Exercise, Slip

rng = np.random.default_rng(160)


def gains(boxes):
    """Lines from lower to higher numbers, half of those that there could be."""
    return np.tril(rng.normal(size=(boxes, boxes)), -1) * (rng.random((boxes, boxes)) < 0.7)


A, B = gains(7), gains(4)
p, q = rng.normal(size=7), rng.normal(size=4)
LINES = np.array([(0, 2, 0.5, 0), (1, 2, -4.0, 0), (2, 3, 0.25, 1), (3, 5, 2.0, 1)])


def turned_by_matrix(lines):
    """The same lines by way of a matrix of gains and one of delays, both transposed."""
    size = int(lines[:, :2].max()) + 1
    gain, delay = np.zeros((size, size)), np.zeros((size, size))
    for a, b, g, z in lines:
        gain[int(b), int(a)], delay[int(b), int(a)] = g, z
    places = [(int(b), int(a)) for a, b, *_ in lines]
    return np.array([(b, a, gain.T[a, b], -delay.T[a, b]) for b, a in places])


EXERCISES = [
    Exercise(
        "flow",
        "let numbers flow through a graph",
        "x_k = p_k + sum_l a_kl x_l",
        cases=[(A, p), (B, q)],
        oracle=lambda A, p: np.linalg.solve(np.eye(len(p)) - A, p),
        axes="k",
        hints=(
            "Every line leads from a lower number to a higher one. Which box is known first?",
            "Go through the boxes from the first to the last; what flows into box k comes from boxes below k.",
            "x[k] = p[k] + A[k, :k] @ x[:k]",
        ),
        slips=(
            Slip(
                "p[k] + A[k, :k] @ x[:k]",
                "p[k] + A[k, :k] @ p[:k]",
                "what flows along a line",
                (
                    "Does a box hand on what was put into it, or what it holds?",
                    "It hands on x, which has already got what flowed into it.",
                    "A[k, :k] @ x[:k]",
                ),
            ),
            Slip(
                "p[k] + A[k, :k] @ x[:k]",
                "A[k, :k] @ x[:k] if k else p[k]",
                "what is put in",
                (
                    "Is anything put into the boxes after the first one?",
                    "A number may be put into every box, and it is added to what flows in.",
                    "p[k] + ...",
                ),
            ),
            Slip(
                "A[k, :k] @ x[:k]",
                "A[:k, k] @ x[:k]",
                "the direction of the lines",
                (
                    "Which index of a_kl says where a line ends?",
                    "The first. What flows INTO box k stands in row k.",
                    "A[k, :k], not A[:k, k].",
                ),
            ),
        ),
    ),
    Exercise(
        "flow_back",
        "let numbers flow through the turned graph",
        "x_k = q_k + sum_l a_lk x_l",
        cases=[(A, p), (B, q)],
        oracle=lambda A, q: np.linalg.solve(np.eye(len(q)) - A.T, q),
        axes="k",
        hints=(
            "Every line leads from a higher number to a lower one now. Which box is known first?",
            "The last one. What flows into box k comes along the lines that leave it in A: column k.",
            "for k in reversed(range(K)): x[k] = q[k] + A[k + 1:, k] @ x[k + 1:]",
        ),
        slips=(
            Slip(
                "for k in reversed(range(len(x)))",
                "for k in range(len(x))",
                "what flows in from other boxes",
                (
                    "Your boxes hold q alone. Is anything there to flow in when you come to box k, and from where?",
                    "The last box is known first: go down from there. What flows into box k stands in COLUMN k of A.",
                    "for k in reversed(range(len(x))): ... A[k + 1:, k] @ x[k + 1:]",
                ),
            ),
            Slip(
                "A[k + 1 :, k] @ x[k + 1 :]",
                "A[k + 1 :, k] @ q[k + 1 :]",
                "what flows along a line",
                (
                    "Does a box hand on what was put into it, or what it holds?",
                    "It holds q and everything that has flowed in: that sum is handed on. This is the += of lesson 2.",
                    "A[k + 1:, k] @ x[k + 1:]",
                ),
            ),
        ),
    ),
    Exercise(
        "turn",
        "find the bug: transpose a list of lines",
        "a_kl becomes a_lk",
        cases=[(LINES,), (LINES[:2],)],
        oracle=turned_by_matrix,
        axes="rc",
        hints=(
            "What may change when a graph is transposed, and what may not?",
            "The arrow is turned round, the delay becomes an advance. The gain?",
            "The gain stays what it is. Backwards is not the inverse, it is the transpose.",
        ),
        slips=(
            Slip(
                "(end, start, gain, -delay)",
                "(end, start, 1 / gain, -delay)",
                "the gain",
                (
                    "Is a gain undone on the way back?",
                    "Going backwards does not undo anything: nobody computes the input from the output.",
                    "The gain stays: (end, start, gain, -delay).",
                ),
            ),
            Slip(
                "(end, start, gain, -delay)",
                "(end, start, gain, delay)",
                "the delay",
                (
                    "A line led from t to t + 1. Where does it lead now?",
                    "From t + 1 to t: one step ahead of time.",
                    "A delay becomes an advance: -delay.",
                ),
            ),
            Slip(
                "(end, start, gain, -delay)",
                "(start, end, gain, -delay)",
                "the ends of a line",
                ("Where does the turned line begin?", "Where the other one ended: (end, start, ...)."),
            ),
            Slip(
                "(end, start, gain, -delay)",
                "(end, start, -gain, -delay)",
                "the gain",
                (
                    "Where does the minus of Guo's delta come from?",
                    "From what is put in at the cost, -1. The gains have the sign they had.",
                ),
            ),
        ),
    ),
    Exercise(
        "GRAPHS",
        "predict how many graphs it takes forwards",
        "RTRL",
        hints=(
            "One graph says what ONE entry of a weight does.",
            "How many entries has U, (m, m), and how many has V, (m, l)?",
        ),
        slips=(
            Slip(
                "GRAPHS = 36",
                "GRAPHS = 2",
                "the number of entries",
                ("That is how many matrices there are.", "Each graph starts at one entry: 4 * 4 and 4 * 5 of them."),
            ),
            Slip(
                "GRAPHS = 36",
                "GRAPHS = 16",
                "the number of entries",
                ("That is U alone.", "V has entries too: 4 * 5 of them."),
            ),
            Slip(
                "GRAPHS = 36",
                "GRAPHS = 20",
                "the number of entries",
                ("That is V alone.", "U has entries too: 4 * 4 of them."),
            ),
        ),
    ),
    Exercise(
        "TURNED",
        "predict how many it takes backwards",
        "BPTT",
        hints=(
            "Where does a turned graph start?",
            "At the cost. How many costs are there?",
        ),
        slips=(
            Slip(
                "TURNED = 1",
                "TURNED = 36",
                "the number of graphs",
                (
                    "Does the error at net_j depend on the weight you ask for?",
                    "The deltas serve every weight: each multiplies them by what it reads.",
                ),
            ),
            Slip(
                "TURNED = 1",
                "TURNED = 2",
                "the number of graphs",
                (
                    "One for U and one for V? In which boxes would the two differ?",
                    "In none at net_j: the same deltas serve both.",
                ),
            ),
        ),
    ),
]
