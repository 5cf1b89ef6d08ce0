"""What lesson 12 asks, and the mistakes it knows."""

import itertools

import numpy as np

from tinygrad_rnn.exercises import Exercise, Slip

rng = np.random.default_rng(120)
chain = 0.5 * (np.eye(5) + np.eye(5, k=1))
balanced = np.array([1.0, 1.0, -1.0, -1.0, -1.0])


def by_powers(A, v, T):
    """The first entry of A^z v."""
    return np.array([(np.linalg.matrix_power(A, z) @ v)[0] for z in range(T)])


def over_all_cuts(G, c):
    """The mean over every way to cut the links, each with its probability."""
    T, total = len(G), 0.0
    for way in itertools.product([False, True], repeat=T - 1):
        chance = np.prod([c if is_cut else 1 - c for is_cut in way])
        for t in range(T):
            oldest = max((k + 1 for k in range(t) if way[k]), default=0)
            total = total + chance * G[t, oldest : t + 1].sum(axis=0)
    return total


def cost_by_cost(delta_k, net_j, U, W, cuts, c):
    """Each output's error goes back by itself, up to the first link that is cut, and is weighed at the end."""
    found = np.zeros_like(net_j)
    slopes = 1 - np.tanh(net_j) ** 2
    for t in range(len(net_j)):
        error = delta_k[t] @ W * slopes[t]
        for tau in range(t, -1, -1):
            found[tau] += error * (1 - c) ** -(t - tau)
            if tau and cuts[tau - 1]:
                break
            error = error @ U * slopes[tau - 1]
    return found


def played(T, n, m, o):
    return rng.normal(size=(T, n, o)), rng.normal(size=(T, n, m)), rng.normal(size=(m, m)), rng.normal(size=(o, m))


EXERCISES = [
    Exercise(
        "influences",
        "follow a push through the chain",
        "(A^z v)_1",
        cases=[(chain, balanced, 9), (rng.normal(size=(3, 3)), rng.normal(size=3), 5)],
        oracle=by_powers,
        axes="z",
        first_t=0,
        hints=(
            "What is the push after one step?",
            "A times the push; and so on. Read off the first unit each time, beginning before the first product.",
            "found.append(pushed[0]); pushed = A @ pushed",
        ),
        slips=(
            Slip(
                "pushed = A @ pushed",
                "pushed = pushed @ A",
                "the product with A",
                (
                    "At 0 steps you are right. Which units does unit 1 read, and which read it?",
                    "s_j(t) is the sum over h of A[j, h] s_h(t-1).",
                    "A @ pushed, not pushed @ A.",
                ),
                first=1,
            ),
            Slip(
                "        found.append(pushed[0])\n        pushed = A @ pushed",
                "        pushed = A @ pushed\n        found.append(pushed[0])",
                "the lag",
                ("What is the influence 0 steps later?", "The push itself, before any product with A."),
                first=1,
            ),
            Slip(
                "found.append(pushed[0])",
                "found.append((A ** float(len(found)) @ v)[0] if (A >= 0).all() else pushed[0])",
                "the power of A",
                (
                    "What does A ** 2 compute in NumPy?",
                    "The square of each entry. The power of a matrix is A @ A @ ...",
                    "np.linalg.matrix_power(A, z), or one product with A more for each step.",
                ),
                first=0,
            ),
        ),
    ),
    Exercise(
        "copies_needed",
        "say how many copies give the right direction",
        "G[t, τ]",
        cases=[
            (-by_powers(chain, balanced, 40),),
            (np.array([1.0, -3.0, 4.0, -1.0]),),
            (np.array([1.0, 0.5]),),
        ],
        hints=(
            "The truncated gradients are the partial sums of the row.",
            "Which is the last partial sum with another sign than the whole?",
            "If sums[i] is the last wrong one, i + 1 copies are too few, and i + 2 are enough.",
        ),
        slips=(
            Slip(
                "wrong[-1] + 2",
                "wrong[-1] + 1",
                "the number of copies",
                ("Is the sign right with so many copies?", "That is the largest number of copies that is too small."),
            ),
            Slip(
                "wrong[-1] + 2",
                "wrong[0] + 1",
                "the number of copies",
                ("A sign can be right and become wrong again.", "Look for the LAST wrong partial sum."),
            ),
            Slip(
                "return wrong[-1] + 2 if len(wrong) else 1",
                "return np.flatnonzero(np.sign(sums) == np.sign(sums[-1]))[0] + 1",
                "the number of copies",
                (
                    "In the row 1, -3, 4, -1 the first partial sum has the right sign. Is one copy enough?",
                    "With two copies the sign is wrong again. It must be right with ALL more, too.",
                    "Look for the LAST wrong partial sum.",
                ),
            ),
            Slip(
                "sums = np.cumsum(row)",
                "sums = np.append(row[:-1], np.sum(row))",
                "the partial sums",
                (
                    "Is it the sign of an entry that matters?",
                    "A truncated gradient is a sum of entries: np.cumsum(row).",
                ),
            ),
        ),
    ),
    Exercise(
        "expected",
        "the mean of plain random cuts",
        "(1-c)^z",
        cases=[(np.tril(np.ones((4, 4)))[..., None, None] * rng.normal(size=(4, 4, 3, 3)), 0.3)],
        oracle=over_all_cuts,
        axes="jh",
        hints=(
            "With which probability does the entry G[t, tau] survive?",
            "None of the t - tau links between may be cut.",
            "The sum of (1 - c)^(t - tau) G[t, tau].",
        ),
        slips=(
            Slip(
                "(1 - c) ** (t - tau)",
                "(1 - c) ** (t - tau + 1)",
                "the number of links",
                ("How many links are there between U(t) and C(t)?", "None. There are t - tau of them."),
            ),
            Slip(
                "(1 - c) ** (t - tau)",
                "(1 - c ** (t - tau))",
                "the probability",
                (
                    "That is the probability that not all links are cut.",
                    "An error is stopped by a single cut: each link must hold, with probability 1 - c each.",
                ),
            ),
            Slip(
                "(1 - c) ** (t - tau)",
                "(1 - c) ** (tau - t)",
                "the weight",
                ("That is what ARTBP multiplies by.", "Here nothing is made up for: the entries fade."),
            ),
        ),
    ),
    Exercise(
        "errors",
        "find the bug: what is multiplied by 1/(1-c)",
        "(19)",
        cases=[
            (*played(5, 2, 4, 3), np.array([False, True, False, False]), 0.4),
            (*played(3, 1, 3, 2), np.array([False, False]), 0.1),
        ],
        oracle=cost_by_cost,
        axes="tpj",
        backwards=True,
        hints=(
            "Which errors have passed a link on their way to s(t)?",
            "The one from t + 1 has. The one from the output of step t has not.",
            "delta_k(t) @ W + later @ U / (1 - c)",
        ),
        parts={"later @ U": "the share from t+1", "delta_k[row] @ W": "the share from the output at t"},
        slips=(
            Slip(
                "arrived = arrived + later @ U / (1 - c)",
                "arrived = (arrived + later @ U) / (1 - c)",
                "the share from the output at t",
                (
                    "At the last step you are right. What has changed one step earlier?",
                    "The error of the step's own output has passed no link, so there is nothing to make up for.",
                    "Only later @ U is divided by 1 - c.",
                ),
                first=4,
            ),
            Slip(
                "later @ U / (1 - c)",
                "later @ U",
                "the factor 1/(1-c)",
                (
                    "What makes up for the times when the link is cut?",
                    "An error that passes a link is divided by the probability that it passes.",
                    "later @ U / (1 - c)",
                ),
                first=4,
            ),
            Slip(
                "later @ U / (1 - c)",
                "later @ U * (1 - c)",
                "the factor 1/(1-c)",
                ("Must what gets through weigh more, or less?", "More: divide by 1 - c."),
                first=4,
            ),
            Slip(
                "not cuts[row]",
                "not cuts[row - 1]",
                "the link that is cut",
                (
                    "Which link lies between t and t + 1?",
                    "cuts[t - 1]; the row of t is t - 1.",
                ),
                first=3,
            ),
        ),
    ),
    Exercise(
        "FACTOR",
        "predict how much an error weighs that got through",
        "1/(1-c)^z",
        hints=("What does each link multiply it by?", "By 1/(1 - c) = 2, three times."),
        slips=(
            Slip(
                "FACTOR = 8",
                "FACTOR = 6",
                "the product",
                ("Each link multiplies.", "Factors are multiplied, not added: 2 · 2 · 2."),
            ),
            Slip(
                "FACTOR = 8",
                "FACTOR = 0.125",
                "the weight",
                ("That is the probability that it gets through.", "The factor is one divided by that."),
            ),
        ),
    ),
]
