"""What lesson 19 asks, and the mistakes it knows."""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.exercises import Exercise, Slip


def played(T, n, m, o, seed):
    """delta_k, net_j, U, W, s: sizes differ, U is not symmetric, s(0) not zero."""
    rng = np.random.default_rng(seed)
    U, W = rng.normal(size=(m, m)), rng.normal(size=(o, m))
    net_j, s = np.zeros((T, n, m)), np.zeros((T + 1, n, m))
    s[0] = rng.normal(size=(n, m))
    for t in range(1, T + 1):
        net_j[t - 1] = rng.normal(size=(n, m)) + s[t - 1] @ U.T
        s[t] = np.tanh(net_j[t - 1])
    return rng.normal(size=(T, n, o)), net_j, U, W, s


def by_guo(delta_k, net_j, U, W):
    """Each cost by itself: (9), then (19) as far back as there are steps; all of it added."""
    errors = np.zeros_like(net_j)
    for t in range(len(net_j)):
        at = tg.guo.hidden_error(delta_k[t], W, net_j[t], "tanh")
        errors[t] += at
        for row in range(t - 1, -1, -1):
            at = tg.guo.hidden_error_before(at, U, net_j[row], "tanh")
            errors[row] += at
    return errors


def parts(T, seed):
    """An influence matrix with some of its parts right, some missing, some wrong; one of them is wrong and small."""
    rng = np.random.default_rng(seed)
    right = rng.normal(size=(T, T, 3, 3)) * np.tril(np.ones((T, T)))[:, :, None, None]
    got = right.copy()
    got[T - 1, 0] = 0
    got[1, 0] *= -1
    got[T - 1, T - 1, 0, 0] = 0
    return got, right


def codes(got, right):
    off, there = np.abs(got - right).max(axis=(2, 3)) > 1e-12, np.abs(got).max(axis=(2, 3)) > 0
    return off * (1 + there)


long, short = played(5, 2, 4, 3, seed=190), played(3, 1, 3, 2, seed=191)
errors = [by_guo(*case[:4]) for case in (long, short)]

EXERCISES = [
    Exercise(
        "signature",
        "mark each part of the influence matrix",
        "G[t, τ]",
        cases=[parts(4, 192), parts(2, 193)],
        oracle=codes,
        axes="tτ",
        hints=(
            "Go through all pairs of a cost and a copy, and compare got[t, tau] with right[t, tau].",
            "First ask whether they are equal, all of the matrix; then whether got is all zeros.",
            "0 if np.allclose(got, right), 1 if not got.any(), else 2.",
        ),
        slips=(
            Slip(
                "elif not got[t, tau].any()",
                "elif not got[t, tau].all()",
                "what counts as missing",
                (
                    "Is a share missing if one of its entries is zero?",
                    "It is missing if all of its entries are: not got[t, tau].any().",
                ),
                first=4,
            ),
            Slip(
                "codes = np.full(got.shape[:2], 2)\n    for t, tau in np.ndindex(codes.shape):\n        "
                "if np.allclose(got[t, tau], right[t, tau], rtol=0, atol=1e-12):\n            codes[t, tau] = 0\n"
                "        elif not got[t, tau].any():",
                "codes = np.where(np.abs(got - right).max(axis=(2, 3)) < 1e-12, 0, 2)\n"
                "    for t, tau in np.ndindex(codes.shape):\n        if not got[t, tau].any():",
                "the parts above the diagonal",
                (
                    "What should a part with tau > t be?",
                    "Zero: no copy moves an earlier cost. There, zero is right.",
                    "Ask first whether it is right, and only then whether it is zero.",
                ),
                first=1,
            ),
        ),
    ),
    Exercise(
        "hidden_errors",
        "find the bug: hidden errors of a whole sequence",
        "(19)",
        cases=[long[:4], short[:4]],
        oracle=by_guo,
        axes="tpj",
        backwards=True,
        hints=(
            "The error of a step has two parts: that of its own output, and what step t + 1 hands on. Which is wrong?",
            "What does step t + 1 hand on: only its own part, or everything that has arrived at it?",
            "Everything, times the slope where it arrives: (delta_j[row + 1] @ U) * slope[row].",
        ),
        parts={
            "delta_j[row + 1] @ U": "the share from t+1",
            "(delta_j[row + 1] @ U) * slope[row]": "the share from t+1",
            "own[row]": "the share from the output at t",
            "slope": "the factor f'",
            "slope[row]": "the factor f'",
        },
        slips=(
            Slip(
                "(delta_j[row + 1] @ U)",
                "(own[row + 1] @ U)",
                "the error that is handed on",
                (
                    "The last two steps are right, the third from the end is not. What is different there?",
                    "It should get something that has travelled two steps. Does step t + 1 hand on what it was handed?",
                    "delta_j[row + 1] @ U, not own[row + 1] @ U.",
                ),
                first=3,
            ),
            Slip(
                "(delta_j[row + 1] @ U) * slope[row]",
                "(delta_j[row + 1] @ U) * slope[row + 1]",
                "the factor f'",
                ("Where is the slope taken?", "Where the error arrives: slope[row]."),
                first=4,
            ),
            Slip(
                "delta_j[row + 1] @ U)",
                "delta_j[row + 1] @ U.T)",
                "the sum over U",
                ("Over which index of u_hj does (19) sum?", "Over the first one: @ U, without .T."),
                first=4,
            ),
            Slip(
                "own[row] + (delta_j[row + 1] @ U) * slope[row]",
                "own[row] + delta_j[row + 1] @ U",
                "the factor f' of the error from t+1",
                ("Does everything that arrives at s(t) go through f?", "Yes: (delta_j[row + 1] @ U) * slope[row]."),
                first=4,
            ),
        ),
    ),
    Exercise(
        "gradient_of_u",
        "find the two bugs: fold back",
        "(28)",
        cases=[(errors[0], long[4]), (errors[1], short[4])],
        oracle=lambda delta, s: -tg.guo.folded_weight_change(delta, s[:-1]),
        axes="jh",
        hints=(
            "How many copies have left something in the result? And which state does U multiply?",
            "The loop forgets what it had; and U reads the state of the step before.",
            "total += -delta_j[t - 1].T @ s[t - 1]",
        ),
        slips=(
            Slip(
                "total += -delta_j[t - 1].T @ s[t - 1]",
                "total = -delta_j[t - 1].T @ s[t]",
                "the sum over the copies, and the state",
                (
                    "There are two mistakes. How many copies have left something in the result?",
                    "One only: the loop forgets what it had. And which state does U multiply at time t?",
                    "+= instead of =, and the state of the step before.",
                ),
            ),
            Slip(
                "total += -delta_j[t - 1].T @ s[t - 1]",
                "total = -delta_j[t - 1].T @ s[t - 1]",
                "the sum over the copies",
                ("One of the two is repaired. How many copies are in the result?", "Add: +=."),
            ),
            Slip(
                "-delta_j[t - 1].T",
                "delta_j[t - 1].T",
                "the sign",
                ("Is delta a derivative of the cost?", "It is its negative, and +dC/dU is asked for: keep the minus."),
            ),
            Slip(
                "-delta_j[t - 1].T @ s[t - 1]",
                "-s[t - 1].T @ delta_j[t - 1]",
                "the transpose",
                ("Which index of U[j, h] belongs to the error?", "The first one, j: delta_j.T comes first."),
            ),
            Slip(
                "@ s[t - 1]",
                "@ s[t]",
                "the state at the tail of U",
                (
                    "One of the two is repaired. Which state does U multiply at time t?",
                    "That of the step before, s(t-1); s[0] is s(0).",
                    "s[t - 1]",
                ),
            ),
        ),
    ),
    Exercise(
        "MISTAKE",
        "diagnose a program from its influence matrix",
        "G[t, τ]",
        hints=(
            "The diagonal is right: an error that has not travelled is right, and so is what it is multiplied with.",
            "What happens to an error between one step and the one before it?",
        ),
        slips=(
            Slip(
                'MISTAKE = "A"',
                'MISTAKE = "B"',
                "the diagonal",
                ("Would the diagonal be right without f'?", "No: the error goes through f at its own step already."),
            ),
            Slip(
                'MISTAKE = "A"',
                'MISTAKE = "C"',
                "the diagonal",
                ("Would the diagonal be right with the wrong state?", "No: each share has the state as a factor."),
            ),
            Slip(
                'MISTAKE = "A"',
                'MISTAKE = "D"',
                "what is missing",
                (
                    "What does = instead of += leave in the columns?",
                    "Zeros in all columns but one. There are none here.",
                ),
            ),
        ),
    ),
    Exercise(
        "SMALLEST_T",
        "predict when a check of the sum sees a mistake",
        "(19)",
        hints=(
            "With T = 1 nothing is handed on. With T = 2, what does step 2 hand on to step 1?",
            "With T = 2 the last step has nothing but its own error, so handing on that is right.",
        ),
        slips=(
            Slip(
                "SMALLEST_T = 3",
                "SMALLEST_T = 2",
                "what the last step hands on",
                (
                    "What is there to hand on at the last step, besides its own error?",
                    "Nothing. So at T = 2 the mistake changes nothing.",
                ),
            ),
            Slip(
                "SMALLEST_T = 3",
                "SMALLEST_T = 4",
                "what has been handed to step 2",
                ("With T = 3, what does step 2 have besides its own error?", "That of step 3: it should hand both on."),
            ),
        ),
    ),
]
