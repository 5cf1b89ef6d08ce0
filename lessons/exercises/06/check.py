"""What lesson 6 asks, and the mistakes it knows."""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.exercises import Exercise, Slip


def played(T, n, m, o, seed):
    """delta_k, net_j, U, W, s of a network that hides no mistake: sizes differ, U is not symmetric, s(0) not zero."""
    rng = np.random.default_rng(seed)
    U, W = rng.normal(size=(m, m)), rng.normal(size=(o, m))
    net_j, s = np.zeros((T, n, m)), np.zeros((T + 1, n, m))
    s[0] = rng.normal(size=(n, m))
    for t in range(1, T + 1):
        net_j[t - 1] = rng.normal(size=(n, m)) + s[t - 1] @ U.T
        s[t] = np.tanh(net_j[t - 1])
    return rng.normal(size=(T, n, o)), net_j, U, W, s


def by_the_tape(delta_k, net_j, U, W):
    """The hidden errors as the tape finds them: the cost is -sum delta_k net_k, so that its errors are delta_k."""
    tape = tg.Tape()
    weight, head, zero = tape.leaf(U, "U"), tape.leaf(W, "W"), np.zeros(len(W))
    bumps, costs, state = [], [], np.zeros_like(net_j[0])
    s = np.zeros_like(net_j[0])
    for delta, net in zip(delta_k, net_j, strict=True):
        bumps.append(tape.leaf(net - s @ U.T, "bump"))
        state = tg.ops.tanh(bumps[-1] + state @ weight.T)
        s = np.tanh(net)
        costs.append((tg.ops.linear(state, head, zero) * -delta).sum())
    tape.backward(tg.ops.add(*costs))
    return np.array([-np.asarray(bump.cotangent) for bump in bumps])


long, short = played(5, 2, 4, 3, seed=60), played(2, 1, 3, 2, seed=61)
delta_j = [by_the_tape(*case[:4]) for case in (long, short)]

EXERCISES = [
    Exercise(
        "error_before",
        "carry a hidden error one step back",
        "(19)",
        cases=[(delta_j[0][3], long[1][2], long[2]), (delta_j[1][1], short[1][0], short[2])],
        oracle=lambda delta, net, U: tg.guo.hidden_error_before(delta, U, net, "tanh"),
        axes="pj",
        hints=(
            "Compare with (9): the outputs have become the hidden units one step later, W has become U.",
            "Two factors: what arrives through U, and the slope of tanh at net_j(t-1).",
            "delta_j(t-1) = (delta_j(t) @ U) * (1 - tanh(net_j(t-1))**2)",
        ),
        slips=(
            Slip(
                "@ U)",
                "@ U.T)",
                "the sum over U",
                (
                    "Which index of u_hj does the sum in (19) run over?",
                    "The sum runs over the first index, and `a @ M` sums over the first index of M.",
                    "Write delta_j @ U. Forwards it was s @ U.T; backwards the matrix stands the other way round.",
                ),
            ),
            Slip(
                "* (1 - np.tanh(net_j_before) ** 2)",
                "* 1",
                "the factor f'",
                (
                    "What arrives at the state has not yet arrived at its sum.",
                    "Between net and s there is f, so the error is multiplied by its slope.",
                    "Multiply by 1 - np.tanh(net_j_before) ** 2.",
                ),
            ),
            Slip(
                "np.tanh(net_j_before) ** 2",
                "np.tanh(np.tanh(net_j_before)) ** 2",
                "the factor f'",
                (
                    "At which point is the slope of tanh taken?",
                    "This is the misprint in (19): f' belongs at net_j(t-1), not at s_j(t-1).",
                    "With the state it reads 1 - s**2; with the sum it reads 1 - tanh(net)**2.",
                ),
            ),
        ),
    ),
    Exercise(
        "hidden_errors",
        "the hidden errors of all steps, with a cost at every step",
        "(19)",
        cases=[long[:4], short[:4]],
        oracle=by_the_tape,
        axes="tpj",
        backwards=True,
        hints=(
            "Start at the last step and go back; which steps read the state s(t)?",
            "Two shares arrive at s(t): delta_k(t) @ W, and delta_j(t+1) @ U. Add them, then go through f.",
            "After the last step there is nothing: delta_j(T+1) = 0. Then (... @ W + ... @ U) * (1 - tanh(net)**2).",
        ),
        parts={"later @ U": "the share from t+1", "delta_k[row] @ W": "the share from the output at t"},
        slips=(
            Slip(
                "delta_k[row] @ W + later @ U",
                "delta_k[row] @ W",
                "the share from t+1",
                (
                    "At the last step you are right. What is different one step earlier?",
                    "There the state is read twice: by its output, and by the next state.",
                    "Add delta_j(t+1) @ U before you go through f.",
                ),
                first=4,
            ),
            Slip(
                "arrived = delta_k[row] @ W + later @ U",
                "arrived = delta_k[row] @ W if row == len(net_j) - 1 else later @ U",
                "the share from the output at t",
                (
                    "You have the error that comes back through U. Is it the only one that arrives?",
                    "Every step has a cost of its own here, not the last one alone.",
                    "Add delta_k(t) @ W at every step.",
                ),
                first=4,
                equation="(9)",
            ),
            Slip(
                "later @ U",
                "later @ U.T",
                "the share from t+1",
                (
                    "The first step back through U is wrong. U is square, so no shape complains.",
                    "The sum in (19) runs over the first index of u_hj.",
                    "Write delta_j(t+1) @ U, without .T.",
                ),
                first=4,
            ),
            Slip(
                "later = arrived * (1 - np.tanh(net_j[row]) ** 2)",
                "later = arrived",
                "the factor f'",
                (
                    "Even the last step is wrong. What lies between s and net?",
                    "The error has to go through f: multiply by its slope.",
                    "Multiply everything that has arrived by 1 - np.tanh(net_j(t)) ** 2.",
                ),
                first=5,
                equation="(9)",
            ),
            Slip(
                "arrived = delta_k[row] @ W + later @ U\n        later = arrived * (1 - np.tanh(net_j[row]) ** 2)",
                "later = (delta_k[row] @ W) * (1 - np.tanh(net_j[row]) ** 2) + later @ U",
                "the factor f' of the share from t+1",
                (
                    "Does the share from the next step go through f as well?",
                    "Both shares arrive at the state s(t); f' stands behind their sum.",
                    "(delta_k(t) @ W + delta_j(t+1) @ U) * f'(net_j(t)): mind the parentheses.",
                ),
                first=4,
            ),
            Slip(
                "np.tanh(net_j[row])",
                "np.tanh(net_j[min(row + 1, len(net_j) - 1)])",
                "the factor f'",
                (
                    "At the last step you are right. Which net does the slope belong to?",
                    "The slope is taken where the error arrives, not where it comes from.",
                    "For delta_j(t) take 1 - tanh(net_j(t))**2, in the row of t.",
                ),
                first=4,
            ),
            Slip(
                "reversed(range(len(net_j)))",
                "reversed(range(len(net_j) - 1))",
                "the step where the way back begins",
                (
                    "How many rows does delta_j have, and which of them do you fill?",
                    "The last time step has a cost too, and it is where the way back begins.",
                    "Let the loop run over len(net_j) rows, beginning with the last one.",
                ),
                first=5,
            ),
            Slip(
                "for row in reversed(range(len(net_j)))",
                "for row in range(len(net_j))",
                "the order of the steps",
                (
                    "In which order are the errors known?",
                    "delta_j(t) needs delta_j(t+1), so that one must be there first.",
                    "Use reversed(range(len(net_j))).",
                ),
                first=5,
            ),
        ),
    ),
    Exercise(
        "gradient_of_u",
        "fold back: the gradient of U from the errors of its copies",
        "(28)",
        cases=[(delta_j[0], long[4]), (delta_j[1], short[4])],
        oracle=lambda delta, s: -tg.guo.folded_weight_change(delta, s[:-1]),
        axes="jh",
        hints=(
            "Each copy has its own change, by (12): the error at its head times the value at its tail.",
            "The tail of U is the state one step earlier. Add the changes of all copies.",
            "minus the sum over t of delta_j(t).T @ s(t-1); s(t-1) is s[t - 1], because s[0] is s(0).",
        ),
        slips=(
            Slip(
                "return total",
                "return total / len(delta_j)",
                "the sum over the copies",
                (
                    "What happens to the cost when U changes a little? In how many places does U change?",
                    "In all places at once; small changes add up. Lesson 9 is about this.",
                    "Take the sum over t and do not divide.",
                ),
            ),
            Slip(
                "total = total - delta_j",
                "total = -delta_j",
                "the sum over the copies",
                (
                    "How many copies of U have left something in your result?",
                    "Each turn of the loop forgets the one before. It is the += of lesson 2.",
                    "Add to what is there: total = total + ...",
                ),
            ),
            Slip(
                "s[t - 1]",
                "s[t]",
                "the state at the tail of U",
                (
                    "What is the value at the tail of a recurrent weight?",
                    "U leads from the state one step earlier.",
                    "s has a row more than delta_j: to delta_j[t - 1] belongs s[t - 1], which is s(t-1).",
                ),
            ),
            Slip(
                "for t in range(1, len(delta_j) + 1)",
                "for t in range(2, len(delta_j) + 1)",
                "the copy at t = 1",
                (
                    "How many copies are there, and how many do you add?",
                    "The first copy of U reads the state before the first input.",
                    "s(0) is not zero here: begin with t = 1.",
                ),
            ),
            Slip(
                "total - delta_j",
                "total + delta_j",
                "the sign",
                (
                    "Is it the change of U or its gradient that you give?",
                    "Guo's error is delta = -dC/dnet, so the sum of delta s is -dC/dU.",
                    "Put a minus in front.",
                ),
            ),
            Slip(
                "delta_j[t - 1].T @ s[t - 1]",
                "(delta_j[t - 1].T @ s[t - 1]).T",
                "the transpose",
                (
                    "Which index of your matrix counts the heads of the weights?",
                    "U[j, h]: the error's index comes first, the state's second.",
                    "delta_j(t).T @ s(t-1), not s(t-1).T @ delta_j(t).",
                ),
            ),
        ),
    ),
    Exercise(
        "OLDEST_COPY",
        "predict how far back (28) reaches",
        "(28)",
        hints=(
            "The sum in (28) runs from z = 0 to T. Which step is z = 0?",
            "z = 0 is t = 5 itself. So how many copies are there for T = 2?",
            "z takes the values 0, 1, 2.",
        ),
        slips=(
            Slip(
                "OLDEST_COPY = 3",
                "OLDEST_COPY = 4",
                "the number of copies",
                (
                    "How many values does z take from 0 to T?",
                    "T counts the EXTRA copies: there are T + 1.",
                    "They stand at t, t - 1, ..., t - T.",
                ),
            ),
            Slip(
                "OLDEST_COPY = 3",
                "OLDEST_COPY = 2",
                "the oldest copy",
                (
                    "That is a time step which (28) reads something from. Is it the copy?",
                    "The copy at time t reads the state of t - 1.",
                    "The last term is s(t - T - 1) e_h(t - T): the copy stands where its error does.",
                ),
            ),
        ),
    ),
]
