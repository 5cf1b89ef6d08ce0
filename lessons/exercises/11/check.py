"""What lesson 11 asks, and the mistakes it knows."""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.exercises import Exercise, Slip


def played(T, n, m, o, seed):
    """delta_k, net_j, U, W of a network whose sizes differ and whose U is not symmetric."""
    rng = np.random.default_rng(seed)
    return (
        rng.normal(size=(T, n, o)),
        rng.normal(size=(T, n, m)),
        rng.normal(size=(m, m)),
        rng.normal(size=(o, m)),
    )


def chunk_by_chunk(delta_k, net_j, U, W, k):
    """Each chunk is a sequence of its own for the error, which Guo's (9) and (19) send back."""
    found = []
    for first in range(0, len(net_j), k):
        later, chunk = None, []
        for row in reversed(range(first, first + k)):
            error = tg.guo.hidden_error(delta_k[row], W, net_j[row], "tanh")
            if later is not None:
                error = error + tg.guo.hidden_error_before(later, U, net_j[row], "tanh")
            later = error
            chunk.append(error)
        found += chunk[::-1]
    return np.array(found)


rng = np.random.default_rng(110)
V, U = rng.normal(size=(4, 2)), rng.normal(size=(4, 4))


def step(x, s):
    """One step of a state that has a memory."""
    return np.tanh(x @ V.T + s @ U.T)


EXERCISES = [
    Exercise(
        "mask",
        "write down which entries TBPTT(k1, k2) adds up",
        "TBPTT(k1, k2)",
        cases=[(8, 2, 4), (6, 3, 3), (6, 1, 6), (6, 2, 1)],
        oracle=lambda T, k1, k2: tg.truncation_mask(T, k1=k1, k2=k2),
        axes="tτ",
        hints=(
            "Where do windows end, and which is the oldest copy that a window reaches?",
            "Ends are k1, 2 k1, ...; the oldest copy is end - k2 + 1, or 1; the new costs are the k1 newest ones.",
            "For t from end - k1 + 1 to end: found[t - 1, oldest - 1 : t] += 1, if t is not before oldest.",
        ),
        slips=(
            Slip(
                "oldest = max(1, end - k2 + 1)",
                "oldest = max(1, end - k2)",
                "the oldest copy",
                (
                    "How many copies does a window reach?",
                    "k2 of them, the one at its end included.",
                    "The oldest is end - k2 + 1.",
                ),
                first=5,
            ),
            Slip(
                "for t in range(max(oldest, end - k1 + 1), end + 1)",
                "for t in range(oldest, end + 1)",
                "the costs that are new",
                (
                    "How often do you count C(1)?",
                    "A window that overlaps the last one must not pay for the same cost again.",
                    "Only the k1 newest costs are sent back: t from end - k1 + 1.",
                ),
                first=1,
            ),
            Slip(
                "for t in range(max(oldest, end - k1 + 1), end + 1)",
                "for t in range(end, end + 1)",
                "the costs that are new",
                (
                    "Which costs are sent back by a window?",
                    "Not the last one alone: all that are new since the window before.",
                    "t from end - k1 + 1 to end.",
                ),
                first=1,
            ),
            Slip(
                "found[t - 1, oldest - 1 : t] += 1",
                "found[t - 1, max(1, t - k2 + 1) - 1 : t] += 1",
                "the oldest copy",
                (
                    "From where do you count k2 steps back?",
                    "From the window's end, and not from each cost: they all go back in one window.",
                    "The oldest copy is the same for all costs of a window.",
                ),
                first=5,
            ),
            Slip(
                "found[t - 1, oldest - 1 : t] += 1",
                "found[t - 1, oldest - 1 : end] += 1",
                "the copies later than the cost, τ > t",
                (
                    "Can a copy that is used at step 3 change the cost of step 2?",
                    "No: in each row the ones end at the cost itself.",
                    "found[t - 1, oldest - 1 : t], and not up to the window's end.",
                ),
                first=1,
            ),
            Slip(
                "range(max(oldest, end - k1 + 1), end + 1):\n            found[t - 1, oldest - 1 : t]",
                "range(end - k1 + 1, end + 1):\n            found[t - 1, oldest - 1 : end]",
                "the copies later than the cost, τ > t",
                (
                    "Can a copy that is used at step 3 change the cost of step 2?",
                    "No: in each row the ones end at the cost itself.",
                    "found[t - 1, oldest - 1 : t], and not up to the window's end.",
                ),
                first=1,
            ),
            Slip(
                "range(max(oldest, end - k1 + 1), end + 1):\n            found[t - 1, oldest - 1 : t]",
                "range(end - k1 + 1, end + 1):\n            found[t - 1, max(1, t - k2 + 1) - 1 : t]",
                "the oldest copy, counted from each cost",
                (
                    "From where do you count k2 steps back?",
                    "From the window's end, and not from each cost: they all go back in one window.",
                    "The oldest copy is the same for all costs of a window.",
                ),
                first=5,
            ),
        ),
    ),
    Exercise(
        "errors_in_chunks",
        "send the errors back in chunks",
        "(19)",
        cases=[(*played(6, 2, 4, 3, seed=111), 3), (*played(4, 1, 3, 2, seed=112), 2)],
        oracle=chunk_by_chunk,
        axes="tpj",
        backwards=True,
        hints=(
            "It is hidden_errors of lesson 6, with one question more: does anything come from t + 1?",
            "Where t is the last step of a chunk, nothing does.",
            "If t is a multiple of k, leave out later @ U; the share of the output, delta_k(t) @ W, stays.",
        ),
        parts={"later @ U": "the share from t+1", "delta_k[row] @ W": "the share from the output at t"},
        slips=(
            Slip(
                "ends = (row + 1) % k == 0",
                "ends = False",
                "the cut",
                (
                    "From which step does an error reach the first chunk?",
                    "From none of the later ones: nothing crosses the border.",
                    "At t = k, 2k, ... nothing arrives from t + 1.",
                ),
                first=3,
            ),
            Slip(
                "ends = (row + 1) % k == 0",
                "ends = row % k == 0",
                "the place of the cut",
                (
                    "Between which two steps is the border?",
                    "Between t = k and t = k + 1. You have cut one step further back.",
                    "The row of t is t - 1: a chunk ends where (row + 1) % k == 0.",
                ),
                first=4,
            ),
            Slip(
                "arrived = delta_k[row] @ W\n",
                "arrived = delta_k[row] @ W * (not ends or row == len(net_j) - 1)\n",
                "the share from the output at t",
                (
                    "What does the cut stop?",
                    "The error that comes from the next step. The cost of step t itself is not cut off.",
                    "delta_k(t) @ W arrives at every step.",
                ),
                first=3,
                equation="(9)",
            ),
            Slip(
                "later @ U",
                "later @ U.T",
                "the share from t+1",
                ("The sum in (19) runs over the first index of u_hj.", "Write later @ U."),
                first=5,
            ),
        ),
    ),
    Exercise(
        "in_pieces",
        "find the bug: what is cut at the border of two chunks",
        "(2)",
        cases=[(step, rng.normal(size=(6, 2, 2)), rng.normal(size=(2, 4)), 3)],
        axes="tpj",
        hints=(
            "What is s(4), if a chunk has 3 steps?",
            "A chunk goes on from the state that the last one has left.",
            "Take out what puts s back to s0.",
        ),
        slips=(
            Slip(
                "for row in range(len(x)):\n        s = step(x[row], s)",
                "for row in range(len(x)):\n        s = step(x[row], s0 if row % k == 0 else s)",
                "the state before the chunk",
                (
                    "Up to the end of the first chunk you are right. Which state does the second one start from?",
                    "From the fresh state s0: that is naive splitting, another forward pass and other costs.",
                    "Never put s back to s0.",
                ),
                first=4,
            ),
            Slip(
                "for row in range(len(x)):\n        s = step(x[row], s)",
                "for row in range(len(x)):\n        s = step(x[row], 0 * s if row % k == 0 else s)",
                "the state before the chunk",
                (
                    "To cut an error is not to set a state to zero.",
                    "Forwards nothing changes at the border.",
                ),
                first=1,
            ),
        ),
    ),
    Exercise(
        "target",
        "mend Wikipedia's loop",
        "y[t+k]",
        cases=[(0, 3), (4, 3), (2, 4)],
        hints=(
            "Which input has the window read last?",
            "a[t + k - 1]: k inputs, the first of them a[t].",
        ),
        slips=(
            Slip(
                "return t + k - 1",
                "return t + k",
                "the index of the target",
                (
                    "For n = 7 and k = 3 the last t is 4. Is there a y[7]?",
                    "The targets are y[0] to y[6].",
                    "The last output belongs to the last input, a[t + k - 1].",
                ),
            ),
            Slip(
                "return t + k - 1",
                "return t + k - 2",
                "the index of the target",
                (
                    "With k = 1 a window reads a[t] alone. Which target belongs to it?",
                    "That is y[t]: one less than t + k.",
                ),
            ),
            Slip(
                "return t + k - 1",
                "return t",
                "the index of the target",
                ("That is the first input of the window.", "The error starts at the last one."),
            ),
        ),
    ),
    Exercise(
        "FEWEST",
        "predict the shortest way back of TBPTT(5, 20)",
        "TBPTT(k1, k2)",
        hints=(
            "Where in its window does the cost stand that sees least?",
            "It is the oldest of the new ones, 4 steps before the window's end.",
            "k2 - k1 + 1",
        ),
        slips=(
            Slip(
                "FEWEST = 16",
                "FEWEST = 20",
                "the place of the cost in its window",
                ("That is what the newest cost sees.", "The oldest new cost stands k1 - 1 steps before the end."),
            ),
            Slip(
                "FEWEST = 16",
                "FEWEST = 15",
                "the number of copies",
                ("Count copies, not steps between them.", "The copy of its own step is one of them."),
            ),
            Slip(
                "FEWEST = 16",
                "FEWEST = 5",
                "the number of copies",
                ("That is k1, the number of costs that are new.", "How many copies stand before the oldest of these?"),
            ),
        ),
    ),
    Exercise(
        "COUNTED",
        "predict how often a cost is counted",
        "TBPTT(1, 6)",
        hints=(
            "Which windows contain step 100?",
            "Those that end at 100, 101, ..., 105.",
        ),
        slips=(
            Slip(
                "COUNTED = 6",
                "COUNTED = 1",
                "the windows that contain it",
                ("It would be so if a window counted its new cost alone.", "This program adds up all 6 costs."),
            ),
            Slip(
                "COUNTED = 6",
                "COUNTED = 36",
                "the costs of a window",
                ("Each window adds up 6 costs. How many of them are the one of step 100?", "One in each window."),
            ),
        ),
    ),
]
