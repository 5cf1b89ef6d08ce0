"""What lesson 1 asks, and the mistakes it knows."""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.exercises import Exercise, Slip

rng = np.random.default_rng(10)
ledgers = [rng.normal(size=(5, 3, 3)), rng.normal(size=(2, 4, 4))]


def by_the_tape(error, state):
    """The share of the one copy that a product has read, as the tape finds it."""
    tape = tg.Tape()
    U = tape.leaf(np.zeros((len(error), len(state))), name="U")
    C = tg.ops.sum(tg.ops.multiply(tg.ops.linear(tape.leaf(state[None], name="s"), U), error[None]))
    tape.backward(C)
    return np.asarray(U.cotangent)


EXERCISES = [
    Exercise(
        "ROWS",
        "predict how many rows the ledger of another word has",
        "the ledger of lesson 1",
        hints=(
            "A row for each copy, and a copy for each character that is read.",
            "Is the last character read? What should come after it?",
        ),
        slips=(
            Slip(
                "4",
                "5",
                "the number of copies",
                (
                    "5 is the number of characters. What should be said when the last one has been read?",
                    "Nothing comes after the last character, so it is not read: look at the picture of lesson 1.",
                ),
            ),
        ),
    ),
    Exercise(
        "share",
        "the share of one copy, from the error and the state",
        "(12)",
        cases=[(np.array([0.5, -1.0, 2.0]), np.array([0.1, -0.2, 0.3])), (rng.normal(size=4), rng.normal(size=4))],
        oracle=by_the_tape,
        axes="jh",
        hints=(
            "One entry is one product: number j of the error times number h of the state.",
            "A table of all products of two lists has a name in NumPy.",
            "np.outer(error, state)",
        ),
        slips=(
            Slip(
                "np.outer(error, state)",
                "np.outer(state, error)",
                "which of the two has the rows",
                (
                    "In which row stands the share of u_12: in that of the error's number 1, or of the state's?",
                    "u_jh goes into number j of the sum, so row j has number j of the error.",
                ),
            ),
            Slip(
                "np.outer(error, state)",
                "error * state",
                "the shape",
                (
                    "U has a number for each pair of j and h. How many numbers have you got?",
                    "Every number of the error meets every number of the state.",
                ),
            ),
        ),
    ),
    Exercise(
        "gradient",
        "the gradient of a weight from its ledger",
        "the last row of the ledger",
        cases=[(ledger,) for ledger in ledgers],
        axes="jh",
        hints=(
            "The copies are one matrix, and a small change happens in all of them at once.",
            "Small changes add up: take the sum over time.",
        ),
        slips=(
            Slip(
                "np.sum(ledger",
                "np.mean(ledger",
                "the sum over the copies",
                (
                    "In how many places does U change, if it changes?",
                    "Each copy moves the cost by its own share, and the shares add up. Do not divide.",
                ),
            ),
            Slip(
                "np.sum(ledger, axis=0)",
                "ledger[-1]",
                "the sum over the copies",
                ("That is one share of T.", "All copies have acted: add all rows."),
            ),
        ),
    ),
    Exercise(
        "change_of_cost",
        "by how much the cost changes if one number of U does",
        "the ledger of lesson 1",
        cases=[(ledgers[0], 1, 2, 0.01), (ledgers[1], 3, 0, -0.02)],
        hints=(
            "In how many places does the number change?",
            "Add the column of the ledger that belongs to it, and multiply by the step.",
        ),
        slips=(
            Slip(
                "ledger[:, j, h].sum() * step",
                "ledger[-1, j, h] * step",
                "the sum over the copies",
                (
                    "U has changed in every time step, not only in the last one.",
                    "Add the column over all rows before you multiply.",
                ),
            ),
            Slip(
                ".sum() * step",
                ".sum()",
                "the step",
                (
                    "A share is how fast the cost grows, not by how much. How far did the number move?",
                    "Multiply by the step.",
                ),
            ),
            Slip(
                "ledger[:, j, h]",
                "ledger[:, h, j]",
                "the order of j and h",
                (
                    "Which comes first, the row of U or the column?",
                    "After the time comes the row j, then the column h.",
                ),
            ),
        ),
    ),
]
