"""What lesson 3 asks, and the mistakes it knows."""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.exercises import Exercise, Slip


def gated(T, start):
    s = [start]
    for _ in range(T):
        s.append(np.tanh(s[-1]) * s[-1])
    return np.array(s)


def by_the_tape(s):
    tape = tg.Tape()
    state = tape.leaf(s[0], "s_0")
    for _ in s[1:]:
        state = tg.ops.multiply(tg.ops.tanh(state), state)
    tape.backward()
    return float(tape[0].cotangent)


reads = [[], [0], [0, 1], [2, 2], [1, 3, 0]]
direct = [[], [2.0], [1.0, -3.0], [0.5, 0.5], [4.0, 1.5, -2.0]]

EXERCISES = [
    Exercise(
        "waits_for",
        "how many shares each line waits for",
        "the ordered chain rule",
        cases=[(reads,), ([[], [0], [1]],)],
        oracle=lambda reads: np.bincount([i for lines in reads for i in lines], minlength=len(reads)),
        axes="i",
        hints=(
            "A line gets a share from every line that reads it.",
            "Go through all lines, and count one for each line that they read.",
            "Nobody reads the last line, so it waits for nothing.",
        ),
        slips=(
            Slip(
                "for i in lines:",
                "for i in set(lines):",
                "a line that is read twice by one other",
                (
                    "What about z * z?",
                    "A line that is read twice gets two shares, from one and the same reader.",
                    "Count every entry of the list, also if it comes twice.",
                ),
            ),
            Slip(
                "    for lines in reads:\n        for i in lines:\n            count[i] += 1\n",
                "    for j, lines in enumerate(reads):\n        count[j] = len(lines)\n",
                "who hands shares to whom",
                (
                    "Do shares come from those that a line has read, or from those that read it?",
                    "Backwards, the arcs are gone the other way: a line waits for its readers.",
                ),
            ),
        ),
    ),
    Exercise(
        "WAYS",
        "predict how many ways lead back",
        "the sum over all ways",
        hints=(
            "How many arcs lead from s(t) back to s(t-1), directly or over the gate?",
            "Two ways for each step, and at each step you may choose again.",
        ),
        slips=(
            Slip(
                "WAYS = 1024",
                "WAYS = 20",
                "the number of ways",
                (
                    "That is how many ways there are within the steps. How many lead through all of them?",
                    "Choices that follow one another are multiplied, not added.",
                ),
            ),
            Slip(
                "WAYS = 1024",
                "WAYS = 30",
                "the number of ways",
                ("That is the number of arcs.", "A way is made of arcs: at each step there is a choice."),
            ),
            Slip(
                "WAYS = 1024",
                "WAYS = 512",
                "the number of steps",
                ("How many steps lie between s(10) and s(0)?", "Ten steps, and a choice in each of them."),
            ),
        ),
    ),
    Exercise(
        "slope",
        "find the bug: two shares for one state",
        "s(t) = z(t) s(t-1)",
        cases=[(gated(4, 1.5),), (gated(1, 0.8),)],
        oracle=by_the_tape,
        hints=(
            "The state is read twice: by the product, and by the gate.",
            "Follow g_state through the loop. Is anything lost?",
            "The second share is written over the first.",
        ),
        slips=(
            Slip(
                "g_state += g_gate",
                "g_state = g_gate",
                "the share that goes past the gate",
                (
                    "Follow g_state through the loop: how often is it set?",
                    "The second share is written over the first.",
                    "Write += in the line with 1 - z**2.",
                ),
            ),
            Slip(
                "        g_state += g_gate * (1 - z**2)\n",
                "",
                "the share that goes through the gate",
                (
                    "The gate looked at the state too.",
                    "Add what comes back through the gate: g_gate * (1 - z**2).",
                ),
            ),
            Slip(
                "g_state += g_gate * (1 - z**2)",
                "g_state += g_gate",
                "the factor f' of the gate",
                (
                    "What lies between the gate and the state that it looks at?",
                    "z = tanh(s): the share goes through the slope of tanh.",
                ),
            ),
        ),
    ),
    Exercise(
        "again",
        "find the bug: the second pass",
        "the second pass",
        cases=[(reads, direct, np.array([3.0, -1.0, 2.0, 5.0, 1.0])), (reads, direct, np.zeros(5))],
        oracle=lambda reads, direct, _: _afresh(reads, direct),
        axes="i",
        hints=(
            "What is in gradient when the function begins?",
            "The lines in between still hold what the last pass has left, and hand it on a second time.",
            "Begin with zeros.",
        ),
        parts={
            "gradient[j]": "the derivative of the reader",
            "d": "the direct derivative",
            "gradient[j] * d": "the share of a reader",
        },
        slips=(
            Slip(
                "    gradient = np.zeros(len(gradient))\n",
                "",
                "what the last pass has left",
                (
                    "What is in gradient when the function begins?",
                    "The lines in between still hold what the last pass has left, and hand it on a second time.",
                    "Begin with zeros: gradient = np.zeros(len(gradient)).",
                ),
            ),
            Slip(
                "    gradient = np.zeros(len(gradient))\n",
                "    gradient[0] = 0\n",
                "what the last pass has left in between",
                (
                    "You have cleared one line. Which others are added to?",
                    "Every line's gradient is added to: all of them must begin with 0.",
                ),
            ),
        ),
    ),
]


def _afresh(reads, direct):
    table = np.zeros((len(reads), len(reads)))
    for j, (lines, slopes) in enumerate(zip(reads, direct, strict=True)):
        np.add.at(table[j], lines, slopes)
    # All ways at once: (1 - table)^-1 is the sum of all powers of the table.
    return np.linalg.inv(np.eye(len(reads)) - table)[-1]
