"""What lesson 13 asks, and the mistakes it knows."""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import pathology
from tinygrad_rnn.exercises import Exercise, Slip

rng = np.random.default_rng(130)


def by_the_tape(s, U):
    """The tangents of one step of a network whose state is s."""
    tape = tg.Tape()
    before, bias = tape.leaf(np.zeros((1, len(s))), "s"), np.arctanh(s)
    after = tg.ops.tanh(tg.ops.linear(before, U, bias))
    columns = [tape.tangents({before: unit[None]})[after][0] for unit in np.eye(len(s))]
    return np.stack(columns, axis=-1)


def product_of_jacobians(g, s, U):
    """The error of s(t) is g times the product of all Jacobians after t."""
    J = np.array([by_the_tape(state, U) for state in s[1:]])
    return np.array([g @ product for product in pathology.products(J[:, None])[:, 0]])


def known_bound(U, f, lag):
    """What the package says."""
    return float(pathology.vanishing_bound(tg.cells.Guo(f=f), {"U": U}, lag))


def all_together(grads, threshold):
    """What the package does with matrices of these names."""
    found = tg.clip_by_norm({str(k): g for k, g in enumerate(grads)}, threshold)
    return np.array([found[str(k)] for k in range(len(grads))])


EXERCISES = [
    Exercise(
        "jacobian",
        "what one step does to a push",
        "J(t)",
        cases=[(np.tanh(rng.normal(size=4)), rng.normal(size=(4, 4))), (np.tanh(rng.normal(size=2)), np.eye(2))],
        oracle=by_the_tape,
        axes="jh",
        hints=(
            "A push to s(t-1) goes through U, and then?",
            "Through the slope of each unit: row j of U is multiplied by f'(net_j).",
            "The slope of tanh is 1 - s(t)**2. It belongs to the rows: (1 - s**2)[:, None] * U.",
        ),
        slips=(
            Slip(
                "(1 - s**2)[:, None] * U",
                "U * (1 - s**2)",
                "the factor f'",
                (
                    "Which unit's slope is it, that of j or that of h?",
                    "The slope is that of the unit which receives the push: j, the row.",
                    "(1 - s**2)[:, None] * U",
                ),
            ),
            Slip(
                "(1 - s**2)[:, None] * U",
                "((1 - s**2)[:, None] * U).T",
                "the transpose",
                ("[j, h] is what unit h does to unit j.", "U is U[j, h] already: do not turn it over."),
            ),
            Slip(
                "(1 - s**2)[:, None] * U",
                "np.diag(1 - s**2) * U",
                "the product",
                (
                    "What stands beside the diagonal of your answer?",
                    "* multiplies entry by entry, so what is zero in np.diag(...) stays zero.",
                    "A product of matrices is @: np.diag(1 - s**2) @ U.",
                ),
            ),
            Slip(
                "(1 - s**2)[:, None] * U",
                "(1 - np.tanh(s) ** 2)[:, None] * U",
                "the factor f'",
                (
                    "What is s: the sum net, or what tanh has made of it?",
                    "s is tanh(net) already, so the slope is 1 - s**2.",
                ),
            ),
        ),
    ),
    Exercise(
        "errors",
        "send an error through all Jacobians",
        "(19)",
        cases=[
            (rng.normal(size=4), np.tanh(rng.normal(size=(6, 4))), rng.normal(size=(4, 4))),
            (rng.normal(size=3), np.tanh(rng.normal(size=(3, 3))), rng.normal(size=(3, 3))),
        ],
        oracle=product_of_jacobians,
        axes="tj",
        first_t=0,
        backwards=True,
        hints=(
            "dC/ds(T) is g. What is dC/ds(T-1)?",
            "g @ J(T), and so on: each step multiplies by one more Jacobian, from the right.",
            "found[t - 1] = (found[t] * (1 - s[t]**2)) @ U",
        ),
        slips=(
            Slip(
                "at_net @ U",
                "at_net @ U.T",
                "the sum over U",
                ("Backwards the sum runs over the first index of u_jh.", "at_net @ U, without .T"),
                first=4,
            ),
            Slip(
                "found[t] * (1 - s[t] ** 2)",
                "found[t] * (1 - s[t - 1] ** 2)",
                "the factor f'",
                (
                    "Whose slope does an error pass on its way from s(t) to s(t-1)?",
                    "It leaves s(t) through f at t, and then it goes through U. The slope at t-1 comes a step later.",
                    "1 - s[t]**2",
                ),
                first=4,
            ),
            Slip(
                "at_net = found[t] * (1 - s[t] ** 2)",
                "at_net = found[t]",
                "the factor f'",
                ("What lies between the state and its sum?", "Multiply by the slope, 1 - s[t]**2."),
                first=4,
            ),
            Slip(
                "at_net @ U",
                "(1 - s[t] ** 2) * (U @ found[t])",
                "the side of the product",
                (
                    "Is it a push that goes forwards, or an error that goes back?",
                    "J @ g sends a push forwards. An error goes back from the left: g @ J.",
                    "(found[t] * (1 - s[t]**2)) @ U",
                ),
                first=4,
            ),
            Slip(
                "return found",
                "return found[::-1]",
                "the order of time",
                (
                    "Which time step is in the first row of your answer?",
                    "The first row is dC/ds(0), the last one dC/ds(T) = g. Turn it round: [::-1].",
                ),
                first=5,
            ),
            Slip(
                "        at_net = found[t] * (1 - s[t] ** 2)\n        found[t - 1] = at_net @ U\n",
                "        found[t - 1] = (found[t] @ U) * (1 - s[t - 1] ** 2)\n",
                "the place of the error: it is dC/dnet, and not dC/ds",
                (
                    "Where does the error stand that you carry back, at the state or at the sum?",
                    "dC/ds(t) goes through f' first, at the same step, and then through U.",
                    "found[t - 1] = (found[t] * (1 - s[t] ** 2)) @ U",
                ),
                first=4,
            ),
        ),
    ),
    Exercise(
        "bound",
        "what so many steps can do at most",
        "(γ σ)^z",
        cases=[(rng.normal(size=(4, 4)), "tanh", 7), (rng.normal(size=(3, 3)), "sigmoid", 3)],
        oracle=known_bound,
        hints=(
            "What can one step do at most? Two factors.",
            "The steepest slope of f, and the largest singular value of U, np.linalg.norm(U, 2).",
            "(gamma * sigma) ** lag, with gamma 1 for tanh and 1/4 for the logistic function.",
        ),
        slips=(
            Slip(
                "np.linalg.norm(U, 2)",
                "np.abs(np.linalg.eigvals(U)).max()",
                "the largest singular value",
                (
                    "What is the most that U can do to a length in ONE step?",
                    "The spectral radius tells about the long run; a single step can do more.",
                    "np.linalg.norm(U, 2)",
                ),
            ),
            Slip(
                "np.linalg.norm(U, 2)",
                "np.linalg.norm(U)",
                "the largest singular value",
                (
                    "Which norm does np.linalg.norm(U) compute?",
                    "The root of the sum of all squares. It is a bound too, but not the least one.",
                    "np.linalg.norm(U, 2)",
                ),
            ),
            Slip(
                '"sigmoid": 0.25',
                '"sigmoid": 1.0',
                "the steepest slope",
                ("How steep is the logistic function at its steepest?", "y (1 - y) at y = 1/2 is 1/4."),
            ),
            Slip(
                "np.linalg.norm(U, 2)) ** lag",
                "np.linalg.norm(U, 2)) * lag",
                "the product",
                ("What do two steps do?", "Each step multiplies: the power, not the multiple."),
            ),
        ),
    ),
    Exercise(
        "clipped",
        "find the bug: clipping must not turn the gradient",
        "clipping",
        cases=[
            (np.array([3.0, 0.2, 1.0])[:, None, None] * rng.normal(size=(3, 2, 2)), 1.5),
            (0.01 * rng.normal(size=(2, 3, 3)), 1.0),
        ],
        oracle=all_together,
        hints=(
            "Which of the matrices become shorter, and which stay?",
            "If one of them is shortened and another one not, the direction of the whole has changed.",
            "One norm for all together, np.sqrt((grads**2).sum()), and one factor.",
        ),
        slips=(
            Slip(
                "norm = np.sqrt((grads**2).sum())",
                "norm = np.sqrt((grads**2).sum(axis=(1, 2), keepdims=True))",
                "the norm",
                (
                    "How many factors are there?",
                    "Each matrix has a factor of its own, so the direction changes.",
                    "One norm for all together, and one factor.",
                ),
            ),
            Slip(
                "norm = np.sqrt((grads**2).sum())",
                "norm = np.sqrt((grads**2).sum(axis=(1, 2))).sum()",
                "the norm",
                (
                    "The direction is right. Is the length the threshold?",
                    "The length of all together is no sum of lengths: it is the root of the sum of all squares.",
                    "np.sqrt((grads**2).sum())",
                ),
            ),
            Slip(
                "grads * np.minimum(1.0, threshold / norm)",
                "grads * (threshold / norm)",
                "the threshold",
                ("What happens to a gradient that is short enough?", "Nothing should: the factor is at most 1."),
            ),
            Slip(
                "return grads * np.minimum(1.0, threshold / norm)",
                "return np.clip(grads, -threshold, threshold)",
                "the direction",
                ("That is clipping by value.", "Shorten all numbers by the same factor."),
            ),
        ),
    ),
    Exercise(
        "VANISHES",
        "predict whether a gradient must vanish",
        "(γ σ)^z",
        hints=("How steep is the logistic function at most?", "A quarter. So what can one step do at most?"),
        slips=(
            Slip(
                'VANISHES = "must"',
                'VANISHES = "need not"',
                "the steepest slope",
                (
                    "sigma_max is above 1. Is that all that counts?",
                    "The slope counts too: 1/4 times 3 is below 1.",
                ),
            ),
        ),
    ),
    Exercise(
        "STEPS",
        "predict when a thousandth is left",
        "(γ σ)^z",
        hints=("0.9 to the power of how many is below 0.001?", "ln(0.001) / ln(0.9), and the next whole number."),
        slips=(
            Slip(
                "STEPS = 66",
                "STEPS = 65",
                "the number of steps",
                ("What is 0.9 to the power of 65?", "A little more than 0.001. One step more is needed."),
            ),
            Slip(
                "STEPS = 66",
                "STEPS = 10",
                "the product",
                ("What is left after ten steps?", "0.9 multiplied ten times is about a third: nothing is subtracted."),
            ),
        ),
    ),
]
