"""What lesson 23 asks, and the mistakes it knows."""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.exercises import Exercise, Slip

rng = np.random.default_rng(230)
WAVES = np.sin(np.arange(40) / 2) + 0.3 * rng.normal(size=40) + 2
U = 0.8 * rng.normal(size=(3, 3))


def step(x, s):
    """A network of three units."""
    s = np.tanh(U @ s + x)
    return float(s.sum()), s


def by_deviations(values, known):
    """Written with the sums: nothing but the first rows stands in them."""
    mean = sum(values[:known]) / known
    variance = sum((v - mean) ** 2 for v in values[:known]) / known
    return np.array([(v - mean) / variance**0.5 for v in values])


def by_remainder(known, season, steps):
    """Which row of the last season each one is."""
    return np.array([known[len(known) - season + k % season] for k in range(steps)])


def of_the_library(x, order):
    fitted = tg.train.autoregression(x, order)
    return np.array([fitted.constant, *fitted.weights])


def with_all_states(step, s, x, steps):
    """From the beginning for each row, with no state that is handed on by a name."""
    said = np.empty(steps)
    for k in range(steps):
        state = s
        for read in [x, *said[:k]]:
            said[k], state = step(read, state)
    return said


EXERCISES = [
    Exercise(
        "nmse",
        "write the error in parts of the variance",
        "NMSE",
        cases=[(rng.normal(size=7) + 2, rng.normal(size=7)), (np.array([1.0, 3.0]), np.array([1.5, 1.5]))],
        oracle=tg.train.nmse,
        hints=(
            "What would somebody pay who always says the mean of d?",
            "The sum of (d - d.mean())**2. And yours is the sum of (d - y)**2.",
            "((d - y)**2).sum() / ((d - d.mean())**2).sum()",
        ),
        slips=(
            Slip(
                "(d - d.mean()) ** 2",
                "d**2",
                "the mean",
                (
                    "Below the line: is it what always saying 0 costs, or always saying the mean?",
                    "Take the mean of d away before you square.",
                ),
            ),
            Slip(
                "(d - d.mean())",
                "(d - y.mean())",
                "the mean",
                ("Whose mean is it?", "That of what came, d, and not of what was said."),
            ),
            Slip(
                "((d - y) ** 2).sum() / ((d - d.mean()) ** 2).sum()",
                "np.sqrt(((d - y) ** 2).sum() / ((d - d.mean()) ** 2).sum())",
                "the squares",
                ("Is it the error, or its square, that is compared?", "The squares: there is no root."),
            ),
            Slip(
                "((d - d.mean()) ** 2).sum()",
                "((d - d.mean()) ** 2).sum() * len(d)",
                "the number of rows",
                ("How many times do you divide by the number of rows?", "Sum over sum, or mean over mean."),
            ),
        ),
    ),
    Exercise(
        "scaled",
        "find the bug: a scaler",
        "(x - mean) / std",
        cases=[(np.append(rng.normal(size=8), rng.normal(size=4) + 5), 8), (rng.normal(size=6) ** 2, 4)],
        oracle=by_deviations,
        axes="t",
        hints=(
            "Change the last value: may the first scaled one change?",
            "It may not. The mean and the standard deviation come from the first `known` values alone.",
            "(values - values[:known].mean()) / values[:known].std()",
        ),
        slips=(
            Slip(
                "seen = values[:known]",
                "seen = values",
                "the rows that are to be told",
                (
                    "Change the last value: does your first one change?",
                    "The mean and the standard deviation may know the first `known` values only.",
                    "values[:known].mean(), values[:known].std()",
                ),
                first=1,
            ),
            Slip(
                "(values - seen.mean()) / seen.std()",
                "(values - seen.mean()) / values.std()",
                "the rows that are to be told",
                ("The mean is right. And the standard deviation?", "It is that of the first `known` values, too."),
                first=1,
            ),
            Slip(
                "(values - seen.mean()) / seen.std()",
                "(values - values.mean()) / seen.std()",
                "the rows that are to be told",
                ("The standard deviation is right. And the mean?", "It is that of the first `known` values, too."),
                first=1,
            ),
            Slip(
                "seen.std()",
                "seen.var()",
                "the root",
                ("Which standard deviation have your values?", "Divide by its root: the standard deviation."),
                first=1,
            ),
        ),
    ),
    Exercise(
        "season_before",
        "write the seasonal forecast",
        "y(t) = x(t - season)",
        cases=[(rng.normal(size=9), 4, 10), (rng.normal(size=5), 1, 3)],
        oracle=by_remainder,
        axes="t",
        hints=(
            "What is said of the first row? What was there one season before it?",
            "known[-season], then the one behind it. After a season, what you have said yourself is one season before.",
            "Append said[-season] to said = list(known), again and again.",
        ),
        slips=(
            Slip(
                "said.append(said[-season])",
                "said.append(said[-1])",
                "the season",
                ("That is the last value, again and again.", "Go back a whole season: said[-season]."),
                first=1,
            ),
            Slip(
                "said.append(said[-season])",
                "said.append(said[-season - 1])",
                "one row too far back",
                (
                    "Which row is one season before the first one that you tell?",
                    "said[-1] is one row before it, so said[-season] is one season before it.",
                ),
                first=1,
            ),
            Slip(
                "said.append(said[-season])",
                "said.append(known[-season])",
                "the rows after the first",
                ("All your rows are the same. Which row is one season before the second?", "The one behind."),
                first=2,
            ),
        ),
    ),
    Exercise(
        "autoregression",
        "fit an autoregression",
        "a_0 + a_1 x(t-1) + ...",
        cases=[(WAVES, 2), (WAVES[:25], 3)],
        oracle=of_the_library,
        axes="i",
        hints=(
            "A row for each t that has all its values before: what stands in it?",
            "1, x(t-1), ..., x(t-order); and x(t) is what is to be told. There are T - order such rows.",
            "The column of x(t-i) is x[order - i : len(x) - i].",
        ),
        slips=(
            Slip(
                "np.ones(rows)",
                "np.zeros(rows)",
                "the constant",
                ("What does yours say of a series that is always 5?", "Give it a column of ones, for a_0."),
            ),
            Slip(
                "for i in range(1, order + 1)]",
                "for i in range(order, 0, -1)]",
                "the order of the weights",
                ("Which of your weights belongs to the last value?", "a_1, the first one behind the constant."),
            ),
            Slip(
                "x[order - i : order - i + rows]",
                "x[order - i + 1 : order - i + 1 + rows]",
                "which values may be read",
                (
                    "Do you read a value that you want to tell?",
                    "The column of x(t-1) begins one row before x(t) does.",
                    "x[order - i : len(x) - i]",
                ),
            ),
        ),
        parts={"np.ones(rows)": "the constant"},
    ),
    Exercise(
        "free_run",
        "let a network go on by itself",
        "x(t+1) = y(t)",
        cases=[(step, rng.normal(size=3), 0.4, 6), (step, np.zeros(3), -0.2, 3)],
        oracle=with_all_states,
        axes="t",
        hints=(
            "What does the network read at the second step?",
            "What it said at the first. And it reads that in the state that the first step has left.",
            "x, s = step(x, s), and keep that x.",
        ),
        slips=(
            Slip(
                "        x, s = step(x, s)\n        said.append(x)",
                "        y, s = step(x, s)\n        said.append(y)",
                "what is read",
                (
                    "Your first row is right. What does the network read before it says the second?",
                    "Not the last true value once more, but what it has said.",
                ),
                first=2,
            ),
            Slip(
                "x, s = step(x, s)",
                "x, _ = step(x, s)",
                "the state",
                (
                    "Your first row is right. In which state is the second value read?",
                    "In the one that the first step has left: keep it.",
                ),
                first=2,
            ),
            Slip(
                "        x, s = step(x, s)\n        said.append(x)",
                "        said.append(x)\n        x, s = step(x, s)",
                "which value is kept",
                ("Your first row is known already. What is asked?", "What the network says: step first, then keep."),
                first=1,
            ),
        ),
    ),
    Exercise(
        "ECHO",
        "predict the error of an echo",
        "NMSE",
        hints=(
            "How large is each error? How large is the variance?",
            "Each error is 1 or -1, its square 1. The series is 1/2 away from its mean, always: the variance is 1/4.",
        ),
        slips=(
            Slip(
                "ECHO = 4",
                "ECHO = 1",
                "the variance",
                ("That is the mean squared error.", "Divide it by the variance of the series, which is not 1."),
            ),
            Slip(
                "ECHO = 4",
                "ECHO = 2",
                "the squares",
                ("You have divided 1 by the standard deviation.", "Divide by the variance, which is its square."),
            ),
            Slip(
                "ECHO = 4",
                "ECHO = 0",
                "the shift",
                ("That is the error if the echo came in time.", "Persistence says 0 where 1 comes."),
            ),
            Slip(
                "ECHO = 4",
                "ECHO = 0.25",
                "which is divided by which",
                ("That is the variance.", "The error, 1, in parts of the variance, 1/4."),
            ),
        ),
    ),
]
