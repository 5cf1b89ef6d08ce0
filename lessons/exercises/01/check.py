"""What lesson 1 asks, and the mistakes it knows."""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.view.exercises import Exercise, Slip

rng = np.random.default_rng(10)
outputs = [tg.guo.activation("softmax", rng.normal(size=size)) for size in ((5, 2, 4), (3, 1, 2))]
desired = [rng.dirichlet(np.ones(y.shape[-1]), size=y.shape[:2]) for y in outputs]

EXERCISES = [
    Exercise(
        "SHAPE_OF_X",
        "predict the shape of x for another sentence",
        "the shapes of lesson 1",
        hints=(
            "The input at time t is the character number t, and the last one is never an input. Why?",
            "How many different characters has the word? That is the length of a row.",
            "Time first, then the sample, of which there is one, then the unit.",
        ),
        slips=(
            Slip(
                "(4, 1, 4)",
                "(5, 1, 4)",
                "the number of time steps",
                (
                    "What should come out when the last character has been read?",
                    "Nothing comes after the last character, so it is a desired output but no input.",
                ),
            ),
            Slip(
                "(4, 1, 4)",
                "(4, 1, 5)",
                "the number of units",
                (
                    "How long is the alphabet of this word?",
                    "One character comes twice, and it is the same unit both times.",
                ),
            ),
            Slip(
                "(4, 1, 4)",
                "(4, 4)",
                "the axis of the samples",
                ("An array has three axes, x[t, p, i].", "There is one sample, and it keeps its axis p."),
            ),
        ),
    ),
    Exercise(
        "targets",
        "the desired outputs for a sentence",
        "d[t, p, k] of lesson 1",
        cases=[("we see", ["w", "e", " ", "s"]), ("hello", ["h", "e", "l", "o"])],
        axes="tpk",
        hints=(
            "np.eye(n)[k] is a row with a single 1 in place k.",
            "Make a row for each character, leave out the first, and put an axis for the sample in the middle.",
            "rows[1:, None, :]",
        ),
        slips=(
            Slip(
                "rows[1:, None, :]",
                "rows[:-1, None, :]",
                "the character at each time step",
                (
                    "Is it what goes in at time t, or what should come out?",
                    "At time t the network reads character t and should say which one comes after it.",
                    "Leave out the first row, not the last.",
                ),
                first=1,
            ),
            Slip(
                "rows[1:, None, :]",
                "rows[:, None, :]",
                "the first character",
                (
                    "How many predictions does the network make?",
                    "Nobody has to predict the first character: leave out the first row.",
                ),
            ),
            Slip(
                "rows[1:, None, :]",
                "rows[1:]",
                "the axis of the samples",
                ("d[t, p, k] has three axes.", "The axis p, with one sample, is missing: rows[1:, None, :]."),
            ),
        ),
    ),
    Exercise(
        "cost",
        "the cross-entropy of a whole sentence",
        "C of lesson 1",
        cases=[(outputs[0], desired[0]), (outputs[1], desired[1])],
        oracle=lambda y, d: tg.guo.categorical_cross_entropy(y, d).sum(),
        hints=(
            "For each time step: minus the logarithm of the probability that was given to what came.",
            "d picks the probability: multiply d by the logarithm of y, and add everything up.",
            "-(d * np.log(y)).sum()",
        ),
        slips=(
            Slip(
                "-(d * np.log(y)).sum()",
                "(d * np.log(y)).sum()",
                "the sign",
                (
                    "Can a cost be below zero here?",
                    "The logarithm of a probability is negative; the cost is minus that.",
                ),
            ),
            Slip(
                ".sum()",
                ".sum() / len(y)",
                "the sum over time",
                (
                    "Is it a sum or an average over time?",
                    "The lesson takes the sum. An average is another cost, with gradients smaller by T.",
                ),
            ),
            Slip(
                "-(d * np.log(y)).sum()",
                "-np.log(y).sum()",
                "the factor d",
                (
                    "Does every output count?",
                    "Only the probability of what really came; d has the 1 there.",
                ),
            ),
            Slip(
                "-(d * np.log(y)).sum()",
                "0.5 * ((d - y) ** 2).sum()",
                "the kind of cost: it is the squared error",
                ("Which cost goes with probabilities?", "The cross-entropy: minus the sum of d times ln y."),
            ),
            Slip(
                "-(d * np.log(y)).sum()",
                "-(d * np.log(y) + (1 - d) * np.log(1 - y)).sum()",
                "the second term, of 1 - d",
                (
                    "Which cost is the two-term one made for?",
                    "For outputs that stand by themselves. These add up to 1, and the one that came says everything.",
                ),
            ),
        ),
    ),
    Exercise(
        "gradient",
        "the gradient of a weight from its ledger",
        "the last row of the ledger",
        cases=[(rng.normal(size=(5, 3, 3)),), (rng.normal(size=(2, 4, 4)),)],
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
]
