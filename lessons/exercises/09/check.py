"""What lesson 9 asks, and the mistakes it knows."""

import numpy as np

from tinygrad_rnn.exercises import Exercise, Slip

rng = np.random.default_rng(90)
s0 = rng.normal(size=3)


def cost(copies):
    """Half the squared length of the last state of a network that reads nothing."""
    s = s0
    for U in copies:
        s = np.tanh(U @ s) + 0.1
    return 0.5 * float(s @ s)


def share_by_chain_rule(cost, copies, t, j, h):
    """The share by (19) and (12), with no differences."""
    s, sums = [s0], []
    for U in copies:
        sums.append(U @ s[-1])
        s.append(np.tanh(sums[-1]) + 0.1)
    g = s[-1]
    for row in range(len(copies) - 1, t - 2, -1):
        at_net = g * (1 - np.tanh(sums[row]) ** 2)
        g = copies[row].T @ at_net
    return at_net[j] * s[t - 1][h]


def tied_by_chain_rule(cost, U, T, j, h):
    copies = np.repeat(U[None], T, axis=0)
    return sum(share_by_chain_rule(cost, copies, t, j, h) for t in range(1, T + 1))


EXERCISES = [
    Exercise(
        "share",
        "measure the share of one copy",
        "dC/dU(t)",
        cases=[(cost, rng.normal(size=(5, 3, 3)), 3, 0, 2), (cost, rng.normal(size=(2, 3, 3)), 1, 1, 0)],
        oracle=share_by_chain_rule,
        rtol=1e-3,
        hints=(
            "Move the entry up a little, run the cost, move it down, run again.",
            "Work on a copy of the array, and move the entry in the matrix of time step t alone.",
            "moved[t - 1, j, h] += step; the result is (up - down) / (2 step).",
        ),
        parts={"moved": "the copies", "2 * step": "the two steps"},
        slips=(
            Slip(
                "moved[t - 1, j, h]",
                "moved[:, j, h]",
                "the copy that is moved",
                (
                    "In how many copies do you move the entry?",
                    "The share of one copy is asked for: the others stay where they are.",
                    "moved[t - 1, j, h]",
                ),
            ),
            Slip(
                "moved[t - 1, j, h]",
                "moved[t, j, h]",
                "the time step",
                ("Time is counted from 1.", "The copy of time step t is copies[t - 1]."),
            ),
            Slip(
                "moved[t - 1, j, h]",
                "moved[t - 1, h, j]",
                "the indices j and h",
                ("Which index comes first in u_jh?", "moved[t - 1, j, h]"),
            ),
        ),
    ),
    Exercise(
        "tied",
        "measure the gradient of the tied matrix",
        "dC/dU",
        cases=[(cost, rng.normal(size=(3, 3)), 5, 0, 2), (cost, rng.normal(size=(3, 3)), 2, 1, 0)],
        oracle=tied_by_chain_rule,
        rtol=1e-3,
        hints=(
            "Tied means: whoever moves one moves all.",
            "Make T copies of U, and move the entry in all of them.",
            "all_copies[:, j, h] += step",
        ),
        parts={"all_copies": "the copies", "2 * step": "the two steps"},
        slips=(
            Slip(
                "all_copies[:, j, h]",
                "all_copies[0, j, h]",
                "the copies that are moved",
                ("In how many copies do you move the entry?", "In all of them at once: all_copies[:, j, h]."),
            ),
            Slip(
                "costs.append(cost(all_copies))\n    return (costs[0] - costs[1]) / (2 * step)",
                "costs.append(cost(all_copies))\n    return (costs[0] - costs[1]) / (2 * step * T)",
                "the sum over the copies",
                ("What do you divide by?", "By the step alone. Not by T: it is a sum, not an average."),
            ),
        ),
    ),
    Exercise(
        "gradient",
        "find the bug: sequences of different lengths",
        "dC/dU",
        cases=[
            ([rng.normal(size=(2, 3, 3)), rng.normal(size=(5, 3, 3))],),
            ([rng.normal(size=(4, 2, 2))],),
        ],
        axes="jh",
        hints=(
            "What does each sequence contribute?",
            "Shares are added, all of them.",
            "Use sum(axis=0), not mean(axis=0).",
        ),
        slips=(
            Slip(
                "ledger.sum(axis=0)",
                "ledger.mean(axis=0)",
                "the sum over the copies",
                (
                    "By what is the share of a copy in the long sequence divided, and in the short one?",
                    "Nothing is divided: each copy moves the cost by its own share.",
                    "ledger.sum(axis=0)",
                ),
            ),
            Slip(
                "return sum(ledger.sum(axis=0) for ledger in ledgers)",
                "return ledgers[-1].sum(axis=0)",
                "the sum over the sequences",
                ("How many sequences are in your result?", "The cost is the sum over all of them; so is its gradient."),
            ),
        ),
    ),
    Exercise(
        "GRADIENT",
        "predict a gradient with five tied copies",
        "dC/du",
        hints=(
            "What is the share of one copy? Keep the other four where they are.",
            "Each share is u^4. How many are there?",
        ),
        slips=(
            Slip(
                "GRADIENT = 80",
                "GRADIENT = 16",
                "the sum over the copies",
                ("That is the share of one copy, or the average.", "There are five, and they are added."),
            ),
            Slip(
                "GRADIENT = 80",
                "GRADIENT = 32",
                "the share of a copy",
                ("That is the cost.", "Take the derivative: each copy's share is the product of the other four."),
            ),
        ),
    ),
    Exercise(
        "MORE_NUMBERS",
        "predict what untying costs",
        "Guo, section 4",
        hints=("A tied U has m times m numbers.", "Untied there are T such matrices. How many more is that?"),
        slips=(
            Slip(
                "MORE_NUMBERS = 144",
                "MORE_NUMBERS = 160",
                "how many more",
                ("That is how many there are.", "One of the matrices was there before."),
            ),
            Slip(
                "MORE_NUMBERS = 144",
                "MORE_NUMBERS = 36",
                "the entries of a matrix",
                (
                    "How many numbers are in one U?",
                    "U leads from each of the 4 units to each: 16 numbers, nine times more.",
                ),
            ),
        ),
    ),
]
