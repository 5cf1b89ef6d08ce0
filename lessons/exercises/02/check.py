"""What lesson 2 asks, and the mistakes it knows."""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.exercises import Exercise, Slip

rng = np.random.default_rng(20)
werbos = np.array([[0.0, 0, 0], [4, 0, 0], [3, 5, 0]])
larger = np.tril(rng.normal(size=(6, 6)), -1)


def by_the_tape(direct):
    """The same numbers as the tape finds them: each z_j is a bump plus a sum of what it reads."""
    tape = tg.Tape()
    bumps, z = [tape.leaf(0.0, "bump") for _ in direct], []
    for j, row in enumerate(direct):
        z.append(tg.ops.add(bumps[j], *(float(row[i]) * z[i] for i in range(j))))
    tape.backward(z[-1])
    return np.array([0.0 if bump.cotangent is None else float(bump.cotangent) for bump in bumps])


def of_lists(reads, direct):
    """The same from lists: what a line reads twice has two direct derivatives, and they add up."""
    table = np.zeros((len(reads), len(reads)))
    for j, (lines, slopes) in enumerate(zip(reads, direct, strict=True)):
        np.add.at(table[j], lines, slopes)
    return by_the_tape(table)


EXERCISES = [
    Exercise(
        "ordered",
        "the ordered derivatives of a whole tape",
        "the ordered chain rule",
        cases=[(larger,), (werbos,)],
        oracle=by_the_tape,
        axes="i",
        hints=(
            "The last number has the derivative 1 with respect to itself. Who is next?",
            "Go from the last line to the first. Line j hands line i its own result times direct[j, i].",
            "result[i] += result[j] * direct[j, i], for j from n-1 down, for all i < j.",
        ),
        parts={
            "result[j]": "the derivative of the reader",
            "direct[j, i]": "the direct derivative",
            "result[j] * direct[j, i]": "the share of a reader",
        },
        slips=(
            Slip(
                "result[i] += result[j]",
                "result[i] = result[j]",
                "the sum over the readers",
                (
                    "A number that is read twice gets two shares. Where is the first one?",
                    "The second share is written over the first.",
                    "Use += where you have =.",
                ),
            ),
            Slip(
                "        for i in range(j):\n",
                "        for i in range(j if j == n - 1 else 0):\n",
                "the shares from lines in between",
                (
                    "Is it the direct derivative or the ordered one that you give? In the lesson this would be 3.",
                    "Only the last line's shares arrive. Do the others hand on, and after they have got their own?",
                    "Every line hands on its shares, in the order from the last line to the first.",
                ),
            ),
            Slip(
                "result[-1] = 1",
                "result[-1] = 0",
                "the derivative of the last number with respect to itself",
                (
                    "Where does the error come from at the very start?",
                    "The last number depends on itself with the derivative 1.",
                ),
            ),
        ),
    ),
    Exercise(
        "DERIVATIVE",
        "predict an ordered derivative",
        "the ordered chain rule",
        hints=(
            "z_4 is a product, so it reads z_2 and z_3. What are their direct derivatives?",
            "The shares of z_4 are z_3 for z_2 and z_2 for z_3. Then z_3 hands on too.",
            "z_1 gets 3 times what z_3 has, and 4 times what z_2 has, once both are complete.",
        ),
        slips=(
            Slip(
                "184",
                "92",
                "one of the two factors of z_4",
                (
                    "A product has two factors, and both depend on z_1.",
                    "Hand on both shares of z_4 before you look at z_2 and z_3.",
                ),
            ),
            Slip(
                "184",
                "104",
                "the way over z_3 and z_2",
                (
                    "How many lines read z_2?",
                    "z_2 is read by z_4 and by z_3: it has two shares when it hands on.",
                ),
            ),
            Slip(
                "184",
                "27",
                "the factors of the product z_4",
                (
                    "That is z_2 + z_3. What do the two shares of a product carry on?",
                    "Each share is multiplied by what its line hands on to z_1: by 3 + 5 * 4 over z_3, by 4 over z_2.",
                ),
            ),
        ),
    ),
    Exercise(
        "backward",
        "find the bug: a line that is read twice",
        "the ordered chain rule",
        cases=[
            ([[], [0, 0], [0, 1, 1]], [[], [1.5, 1.5], [2.0, -1.0, 0.5]]),
            ([[], [0], [1, 0]], [[], [4.0], [5.0, 3.0]]),
        ],
        oracle=of_lists,
        axes="i",
        hints=(
            "What is the derivative of z * z, and what are its two shares?",
            "Print what the inner loop runs over, for a line that reads the same line twice.",
            "A dict keeps one value for each key: loop over the pairs themselves.",
        ),
        parts={
            "gradient[j]": "the derivative of the reader",
            "slope": "the direct derivative",
            "gradient[j] * slope": "the share of a reader",
        },
        slips=(
            Slip(
                "in zip(reads[j], direct[j], strict=True):",
                "in dict(zip(reads[j], direct[j], strict=True)).items():",
                "the second share of a line that is read twice",
                (
                    "Print what the inner loop runs over, for a line that reads the same line twice.",
                    "A dict keeps one value for each key, so one share is lost.",
                    "Loop over zip(reads[j], direct[j]) itself.",
                ),
            ),
            Slip(
                "gradient[i] += gradient[j]",
                "gradient[i] = gradient[j]",
                "the sum over the readers",
                ("A new mistake: shares are written over one another.", "Shares are added: keep the +=."),
            ),
        ),
    ),
]
