"""What lesson 15 asks, and the mistakes it knows."""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.exercises import Exercise, Slip

rng = np.random.default_rng(150)


def states(T, m):
    """g, s and U of a network whose U is not symmetric and whose s(0) is not zero."""
    return rng.normal(size=(T, m)), np.tanh(rng.normal(size=(T + 1, m))), rng.normal(size=(m, m))


def by_tangents(M, s_before, s, U):
    """The tape's tangents, one push at a time; a bias makes the state what it is."""
    tape, found = tg.Tape(), np.zeros_like(M)
    before, weight = tape.leaf(s_before[None], "s"), tape.leaf(U, "U")
    after = tg.ops.tanh(tg.ops.linear(before, weight, np.arctanh(s) - U @ s_before))
    for j, h in np.ndindex(U.shape):
        push = np.zeros_like(U)
        push[j, h] = 1
        found[j, h] = tape.tangents({weight: push, before: M[j, h][None]})[after][0]
    return found


def going_back(g, s, U):
    """Each cost by itself goes back over all copies, by (19) and (12)."""
    found = np.zeros((len(g), *U.shape))
    for t in range(1, len(s)):
        error = g[t - 1]
        for tau in range(t, 0, -1):
            at_net = error * (1 - s[tau] ** 2)
            found[t - 1] += np.outer(at_net, s[tau - 1])
            error = at_net @ U
    return found


one, two = states(5, 4), states(3, 2)
M, M_small = rng.normal(size=(4, 4, 4)), rng.normal(size=(2, 2, 2))

EXERCISES = [
    Exercise(
        "carried",
        "carry the influence one step on",
        "M(t)",
        cases=[(M, one[1][1], one[1][2], one[2]), (M_small, two[1][1], two[1][2], two[2])],
        oracle=by_tangents,
        axes="jhi",
        hints=(
            "A push to u_jh reaches s(t) in two ways. Which?",
            "By the state before, through U; and by this step's copy, where u_jh multiplies s_h(t-1) in unit j.",
            "arrived = M @ U.T; arrived[j, :, j] += s_before for each j; then times 1 - s**2.",
        ),
        slips=(
            Slip(
                "arrived = M @ U.T",
                "arrived = M @ U",
                "the sum over U",
                (
                    "Forwards, what does unit i read?",
                    "It reads unit k with u_ik: the sum runs over the second index, as forwards always.",
                    "M @ U.T",
                ),
            ),
            Slip(
                "(1 - s**2) * arrived",
                "arrived",
                "the factor f'",
                ("What lies between the sum and the state?", "f does: multiply by its slope, 1 - s**2."),
            ),
            Slip(
                "(1 - s**2) * arrived",
                "(1 - s_before**2) * arrived",
                "the factor f'",
                ("At which step does the push go through f?", "At t, where it arrives: 1 - s**2."),
            ),
            Slip(
                "(1 - s**2) * arrived",
                "(1 - s**2)[:, None, None] * arrived",
                "the factor f'",
                (
                    "Whose slope is it: that of j, of h or of i?",
                    "That of the unit which feels the push: i, the last index.",
                    "(1 - s**2) * arrived: NumPy lines up the last axis.",
                ),
            ),
            Slip(
                "(1 - s**2) * arrived",
                "(1 - np.tanh(s) ** 2) * arrived",
                "the factor f'",
                ("What is s: the sum net, or what tanh has made of it?", "s is tanh(net) already: 1 - s**2."),
            ),
            Slip(
                "    arrived = M @ U.T\n    for j in range(len(U)):\n        arrived[j, :, j] += s_before\n"
                "    return (1 - s**2) * arrived",
                "    arrived = (1 - s**2) * (M @ U.T)\n"
                "    for j in range(len(U)):\n        arrived[j, :, j] += s_before\n    return arrived",
                "the factor f'",
                (
                    "Two things arrive at the sum of unit i. Which of them go through f?",
                    "Both do. What the copy of this step adds must be multiplied by the slope, too.",
                    "First add, then multiply: (1 - s**2) * arrived.",
                ),
            ),
            Slip(
                "arrived[j, :, j] += s_before",
                "arrived[j, :, j] += s",
                "the copy of this step",
                ("What does u_jh multiply at step t?", "The state before: s_h(t-1)."),
            ),
            Slip(
                "arrived[j, :, j] += s_before",
                "arrived[j, :, j] += s_before[j]",
                "the copy of this step",
                (
                    "What does u_jh multiply: s_j(t-1) or s_h(t-1)?",
                    "s_h(t-1), and h is the index that runs in arrived[j, :, j].",
                    "arrived[j, :, j] += s_before",
                ),
            ),
            Slip(
                "arrived[j, :, j] += s_before",
                "arrived[:, j, j] += s_before",
                "the copy of this step",
                (
                    "Which unit feels u_jh directly?",
                    "Unit j does, not unit h: i = j. So the first and the last index are the same.",
                    "arrived[j, :, j] += s_before",
                ),
            ),
            Slip(
                "arrived = M @ U.T",
                "arrived = 0 * M",
                "the state before",
                ("What has the push done up to t-1?", "That is M(t-1), and it goes on through U."),
            ),
        ),
    ),
    Exercise(
        "gradient",
        "the gradient, from what is carried",
        "M(t)",
        cases=[(M, one[0][0]), (M_small, two[0][0])],
        oracle=lambda M, g: np.einsum("jhi,i->jh", M, g),
        axes="jh",
        hints=(
            "A push to u_jh moves each unit a little. What does that cost?",
            "The sum over the units i of M[j, h, i] g[i].",
            "M @ g",
        ),
        slips=(
            Slip(
                "return M @ g",
                "return g @ M",
                "the sum over the units",
                ("Over which index of M do you sum?", "Over the last one, the units: M @ g."),
            ),
            Slip(
                "return M @ g",
                "return np.tensordot(g, M, 1)",
                "the sum over the units",
                ("Over which index of M do you sum?", "That is j. The units are the last index: M @ g."),
            ),
            Slip(
                "return M @ g",
                "return M.sum(axis=-1)",
                "the error at the state",
                ("Does every unit matter equally to the cost?", "Unit i matters as much as g[i] says."),
            ),
        ),
    ),
    Exercise(
        "gradients",
        "find the bug: a gradient at every step",
        "M(t)",
        cases=[one, two],
        oracle=going_back,
        axes="tjh",
        hints=(
            "As it was given, the first gradient is right. What is missing in the second?",
            "What is M before the second step?",
            "M must be made once, before the loop, and be carried on: M = M @ U.T.",
        ),
        slips=(
            Slip(
                "M = M @ U.T",
                "M = np.zeros_like(M)",
                "the state before",
                (
                    "At t = 1 you are right. What is M before the second step?",
                    "You begin anew at each step: a copy moves its own cost alone. It is the diagonal of the table.",
                    "Make M once, before the loop, and carry it on with M @ U.T.",
                ),
                first=2,
            ),
            Slip(
                "M = M @ U.T",
                "M = 1 * M",
                "the sum over U",
                ("What happens to the push between two steps?", "It goes through U: M @ U.T."),
                first=2,
            ),
            Slip(
                "M = (1 - s[t] ** 2) * M\n        found.append(M @ g[t - 1])",
                "found.append(((1 - s[t] ** 2) * M) @ g[t - 1])",
                "the factor f'",
                (
                    "Is what you carry on the influence on the state, or on its sum?",
                    "M(t) is the influence on s(t): keep the factor in M.",
                ),
                first=2,
            ),
        ),
    ),
    Exercise(
        "MEGABYTES",
        "predict how much is carried",
        "M(t)",
        hints=("How many entries has U, and how many units are there for each?", "100 · 100 · 100 numbers of 8 bytes."),
        slips=(
            Slip(
                "MEGABYTES = 8",
                "MEGABYTES = 0.08",
                "the units",
                ("That is a number for each weight.", "There is one for each weight and each unit."),
            ),
            Slip(
                "MEGABYTES = 8",
                "MEGABYTES = 1",
                "the bytes",
                ("That is how many million numbers there are.", "Each of them takes 8 bytes."),
            ),
        ),
    ),
    Exercise(
        "PUSHED",
        "predict a push that is carried forwards",
        "M(t)",
        hints=(
            "M(t) = u M(t-1) + s(t-1), M(0) = 0. What is s(1), what is s(2)?",
            "s is 0, 1, 2, 3. M(1) = 0, M(2) = 0 + 1.",
        ),
        slips=(
            Slip(
                "PUSHED = 3",
                "PUSHED = 2",
                "the state before",
                ("That is what the copy of the third step gives.", "And what M(2) brings along?"),
            ),
            Slip(
                "PUSHED = 3",
                "PUSHED = 6",
                "the state before",
                ("Which state does u multiply at step t?", "s(t-1), not s(t): 0 + 1 + 2."),
            ),
        ),
    ),
    Exercise(
        "EXACT",
        "predict when e-prop is exact",
        "e-prop",
        hints=("What does e-prop throw away?", "What goes from one unit to another. When is there no such thing?"),
        slips=(
            Slip(
                'EXACT = "diagonal"',
                'EXACT = "symmetric"',
                "what e-prop throws away",
                (
                    "Do units read each other if U is symmetric?",
                    "They do, and equally. Nothing may go from unit to unit.",
                ),
            ),
            Slip(
                'EXACT = "diagonal"',
                'EXACT = "orthogonal"',
                "what e-prop throws away",
                ("Do units read each other if U is a rotation?", "They do. Nothing may go from unit to unit."),
            ),
        ),
    ),
]
