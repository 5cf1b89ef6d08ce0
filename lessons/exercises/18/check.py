"""What lesson 18 asks, and the mistakes it knows."""

import numpy as np

from tinygrad_rnn.exercises import Exercise, Slip


def played(T, m, l, seed):
    """x, net_j, s, u_j of Mozer's cell, from a state that is not zero."""
    rng = np.random.default_rng(seed)
    x, net_j = rng.normal(size=(T, l)), rng.normal(size=(T, m))
    u_j, s = rng.uniform(0.3, 0.95, size=m), rng.normal(size=(T + 1, m))
    for t in range(1, T + 1):
        s[t] = u_j * s[t - 1] + np.tanh(net_j[t - 1])
    return x, net_j, s, u_j


def beta_as_a_sum(x, net_j, u_j):
    """All that came in, each part shrunk as often as there were steps since."""
    T = len(x)
    came_in = (1 - np.tanh(net_j) ** 2)[:, :, None] * x[:, None, :]
    return np.array([sum(u_j[:, None] ** (t - z) * came_in[z] for z in range(t + 1)) for t in range(T)])


def alpha_by_differences(s, u_j):
    """Move u_j and play again: what came in, s(t) - u s(t-1), stays."""
    came_in, h = s[1:] - u_j * s[:-1], 1e-6

    def states(u):
        now, out = s[0], []
        for c in came_in:
            now = u * now + c
            out.append(now)
        return np.array(out)

    return (states(u_j + h) - states(u_j - h)) / (2 * h)


def gradient_step_by_step(errors, beta):
    total = np.zeros(beta.shape[1:])
    for error, trace in zip(errors, beta, strict=True):
        total += error[:, None] * trace
    return total


long, short = played(5, 4, 3, seed=180), played(2, 2, 3, seed=181)
rng = np.random.default_rng(182)

EXERCISES = [
    Exercise(
        "beta_traces",
        "the traces of V",
        "beta_ji(t)",
        cases=[(case[0], case[1], case[3]) for case in (long, short)],
        oracle=beta_as_a_sum,
        axes="tji",
        hints=(
            "What is left of the trace a step later, and what comes in?",
            "The part u_j is left; through f comes f'(net_j(t)) x_i(t).",
            "beta = u_j[:, None] * beta + (1 - tanh(net_j)**2)[:, None] * x[None, :]",
        ),
        slips=(
            Slip(
                "u_j[:, None] * before + slope",
                "before + slope",
                "the part u_j that is left",
                (
                    "At the first step you are right. What becomes of it at the second?",
                    "The unit forgets: of its state, and so of its trace, the part u_j is left.",
                    "u_j[:, None] * beta(t-1)",
                ),
                first=2,
            ),
            Slip(
                "u_j[:, None] * before + slope[:, None] * x[t][None, :]",
                "slope[:, None] * x[t][None, :]",
                "the trace of the step before",
                (
                    "Does the weight act at this step alone?",
                    "It acted at every step before, and the unit remembers a part of that.",
                    "Add u_j[:, None] * beta(t-1).",
                ),
                first=2,
            ),
            Slip(
                "slope = 1 - np.tanh(net_j[t]) ** 2",
                "slope = np.ones(len(u_j))",
                "the factor f'",
                (
                    "What lies between the input's weight and the state?",
                    "An f: what comes in is multiplied by its slope, 1 - tanh(net_j)**2.",
                ),
                first=1,
            ),
            Slip(
                "slope = 1 - np.tanh(net_j[t]) ** 2",
                "slope = np.tanh(net_j[t])",
                "the factor f'",
                ("You have f itself. What is its derivative?", "The derivative of tanh is 1 - tanh**2."),
                first=1,
            ),
            Slip(
                "slope = 1 - np.tanh(net_j[t]) ** 2",
                "slope = 1 - net_j[t] ** 2",
                "the factor f'",
                ("Is net_j the value of f, or what f is taken of?", "What it is taken of: 1 - np.tanh(net_j)**2."),
                first=1,
            ),
            Slip(
                "u_j[:, None] * before + slope[:, None] * x[t][None, :]",
                "slope[:, None] * (u_j[:, None] * before + x[t][None, :])",
                "the factor f'",
                (
                    "In Mozer's cell, does the memory go through f?",
                    "No: s(t) = u s(t-1) + f(net). What is remembered stands outside of f.",
                    "Only x is multiplied by the slope.",
                ),
                first=2,
            ),
        ),
    ),
    Exercise(
        "alpha_traces",
        "the traces of u",
        "alpha_j(t)",
        cases=[(case[2], case[3]) for case in (long, short)],
        oracle=alpha_by_differences,
        axes="tj",
        rtol=1e-5,
        hints=(
            "What is u_j multiplied with at time t?",
            "With s_j(t-1). That comes in; of the trace before, the part u_j is left.",
            "alpha(t) = u_j * alpha(t-1) + s(t-1), and s(t-1) is s[t - 1].",
        ),
        slips=(
            Slip(
                "+ s[t - 1]",
                "+ s[t]",
                "the state that comes in",
                (
                    "Which state does u_j multiply at time t?",
                    "The one of the step before, s(t-1).",
                    "s[t - 1]: s has one row more than alpha.",
                ),
                first=1,
            ),
            Slip(
                "u_j * left + s",
                "left + s",
                "the part u_j that is left",
                ("What is left of a trace a step later?", "The part u_j: u_j * alpha(t-1)."),
                first=2,
            ),
            Slip(
                "u_j * left + s[t - 1]",
                "u_j * (left + s[t - 1])",
                "the state that comes in",
                ("What is the derivative of u_j s_j(t-1) by u_j?", "s_j(t-1), without a factor u_j."),
                first=1,
            ),
            Slip(
                "range(1, len(s))",
                "range(2, len(s))",
                "the first step",
                (
                    "How many rows of alpha do you fill?",
                    "u_j acts from the first step on, where it multiplies s(0). That is not zero here.",
                ),
                first=1,
            ),
        ),
    ),
    Exercise(
        "gradient_of_v",
        "find the bug: errors and traces of several costs",
        "dC/dv_ji",
        cases=[
            (rng.normal(size=(5, 4)), rng.normal(size=(5, 4, 3))),
            (rng.normal(size=(1, 2)), rng.normal(size=(1, 2, 3))),
        ],
        oracle=gradient_step_by_step,
        axes="ji",
        hints=(
            "There is a cost at every step. Which trace belongs to which error?",
            "The error of time t meets the trace of time t; then the products are added.",
            "The sum over t of errors[t][:, None] * beta[t].",
        ),
        slips=(
            Slip(
                'np.einsum("tj,tji->ji", errors, beta)',
                "errors.sum(axis=0)[:, None] * beta[-1]",
                "the time of the trace",
                (
                    "All your errors meet the trace of the last step. Had v_ji done all that at the first step?",
                    "C(1) knows nothing of what the weight did later: it meets beta(1).",
                    "Multiply step by step, then add.",
                ),
            ),
            Slip(
                'np.einsum("tj,tji->ji", errors, beta)',
                "errors[-1][:, None] * beta[-1]",
                "the costs before the last one",
                ("How many costs are there?", "One at every step; the gradient of their sum is a sum over t."),
            ),
        ),
    ),
    Exercise(
        "TRACES",
        "predict the size of the traces",
        "beta, alpha",
        hints=(
            "One number for each weight that acts on the state.",
            "V has m l entries, b_j and u_j have m each.",
        ),
        slips=(
            Slip(
                "TRACES = 56",
                "TRACES = 40",
                "the vectors",
                ("That is V alone.", "b_j has a trace too, and so has u_j: 8 numbers each."),
            ),
            Slip(
                "TRACES = 56",
                "TRACES = 448",
                "the units",
                (
                    "That is a number for each weight and each unit. Which units does a weight move here?",
                    "Its own alone.",
                ),
            ),
        ),
    ),
    Exercise(
        "TABLE",
        "predict the size of RTRL's table",
        "ds_h/dw",
        hints=(
            "RTRL has a number for each weight AND each unit.",
            "V, b_j and U have 40 + 8 + 64 entries.",
        ),
        slips=(
            Slip(
                "TABLE = 896",
                "TABLE = 112",
                "the units",
                ("That is one number for each weight.", "A weight moves all units, sooner or later: times m."),
            ),
            Slip(
                "TABLE = 896",
                "TABLE = 384",
                "the entries of U",
                ("Have you counted U?", "U has 64 entries, each with a number for 8 units."),
            ),
        ),
    ),
]
