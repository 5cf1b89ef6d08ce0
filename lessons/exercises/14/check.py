"""What lesson 14 asks, and the mistakes it knows."""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import pathology
from tinygrad_rnn.exercises import Exercise, Slip

rng = np.random.default_rng(140)


def case(n, l, m):
    states = rng.normal(size=(n, m)), rng.normal(size=(n, m))
    return (
        rng.normal(size=(n, l)),
        *states,
        rng.normal(size=(4 * m, l)),
        rng.normal(size=(4 * m, m)),
        rng.normal(size=4 * m),
    )


def by_the_tape(x, s, c, V, U, b_j):
    """The package's LSTM, one step."""
    tape = tg.Tape()
    params = {name: tape.leaf(w, name) for name, w in (("V", V), ("U", U), ("b_j", b_j))}
    (s, c), _ = tg.cells.LSTM().layer(params, tape.leaf(x, "x"), (tape.leaf(s, "s"), tape.leaf(c, "c")))
    return np.array([s.value, c.value])


def by_jacobians(f):
    """Each step's Jacobian is the gate on the diagonal."""
    steps = np.array([np.diag(gate) for gate in f])[:, None]
    return np.array([np.diag(product[0]) for product in pathology.products(steps)])


def error_by_the_tape(g_s, g_c, c, o):
    """The cost is g_s s + g_c c, so that its errors are these."""
    tape = tg.Tape()
    memory = tape.leaf(c, "c")
    s = tg.ops.tanh(memory) * o
    tape.backward(tg.ops.add((s * g_s).sum(), (memory * g_c).sum()))
    return np.array(memory.cotangent)


def gate(*shape):
    return rng.uniform(0.1, 0.9, size=shape)


EXERCISES = [
    Exercise(
        "lstm",
        "write one step of an LSTM",
        "LSTM",
        cases=[case(2, 3, 4), case(1, 2, 3)],
        oracle=by_the_tape,
        hints=(
            "One product gives all four sums; np.split(net, 4, axis=1) takes them apart.",
            "i, f and o are logistic, g is tanh. c = f c + i g, and then s = o tanh(c).",
            "c = sigma(net_f) * c + sigma(net_i) * np.tanh(net_g); s = sigma(net_o) * np.tanh(c)",
        ),
        slips=(
            Slip(
                "net_i, net_f, net_g, net_o",
                "net_f, net_i, net_g, net_o",
                "the order of the gates",
                ("In which order do the gates stand in V and U?", "i comes first, then f, g, o."),
            ),
            Slip(
                "net_i, net_f, net_g, net_o",
                "net_i, net_f, net_o, net_g",
                "the order of the gates",
                ("In which order do the gates stand in V and U?", "g comes before o: i, f, g, o."),
            ),
            Slip(
                "return np.array([s, c])",
                "return np.array([c, s])",
                "the order of the answer",
                ("Which comes first in the answer, the state or the memory?", "np.array([s, c]): s(t) first."),
            ),
            Slip(
                "np.tanh(net_g)",
                "sigma(net_g)",
                "what is written",
                ("Is g a gate?", "It is what there is to be written, and may be negative: tanh."),
            ),
            Slip(
                "sigma(net_o) * np.tanh(c)",
                "sigma(net_o) * c",
                "what is shown",
                ("The memory is right. What is shown of it?", "s = o * tanh(c)."),
            ),
            Slip(
                "c = sigma(net_f) * c + sigma(net_i) * np.tanh(net_g)\n    s = sigma(net_o) * np.tanh(c)",
                "s = sigma(net_o) * np.tanh(c)\n    c = sigma(net_f) * c + sigma(net_i) * np.tanh(net_g)",
                "what is shown",
                ("Which memory is shown at t: the old one or the new one?", "First compute c(t), then s(t) from it."),
            ),
        ),
    ),
    Exercise(
        "kept",
        "follow the carousel back",
        "dc(T)/dc(τ)",
        cases=[(gate(5, 3),), (gate(2, 2),)],
        oracle=by_jacobians,
        axes="τj",
        first_t=0,
        backwards=True,
        hints=(
            "What is dc(T)/dc(T)? And what is one step before?",
            "Each step back multiplies by one forget gate more.",
            "found[T] = 1; found[tau] = found[tau + 1] * f(tau + 1), and f(tau + 1) is f[tau].",
        ),
        slips=(
            Slip(
                "found[tau + 1] * f[tau]",
                "found[tau + 1] * f[max(tau - 1, 0)]",
                "the forget gate",
                (
                    "Which gate stands between c(tau) and c(tau + 1)?",
                    "That of tau + 1, the step that decides what stays. In Python it is f[tau].",
                ),
                first=4,
            ),
            Slip(
                "found = np.ones((len(f) + 1, f.shape[1]))",
                "found = np.vstack([np.ones(f.shape), f[-1:]])",
                "the beginning",
                ("What is the derivative of c(T) by itself?", "One: the last row is all ones."),
                first=5,
            ),
            Slip(
                "found[tau] = found[tau + 1] * f[tau]",
                "found[tau] = f[tau]",
                "the product",
                ("One step back you are right. And two steps back?", "Both gates must let it through: multiply."),
                first=3,
            ),
            Slip(
                "for tau in range(len(f) - 1, -1, -1):\n        found[tau] = found[tau + 1] * f[tau]",
                "for tau in range(len(f)):\n        found[tau + 1] = found[tau] * f[tau]",
                "the direction",
                (
                    "What is dc(T)/dc(T)? And what does your answer say at tau = T?",
                    "You have dc(tau)/dc(0), what is left of the beginning. Wanted is what is left at the end.",
                    "Begin with 1 at tau = T, and go back.",
                ),
                first=5,
            ),
        ),
    ),
    Exercise(
        "gru_state",
        "find the bug: the new state of a GRU",
        "GRU",
        cases=[(gate(2, 3), rng.normal(size=(2, 3)), rng.normal(size=(2, 3)))],
        axes="pj",
        hints=(
            "If z is 1, what should the new state be?",
            "The old one. What does your formula give?",
            "(1 - z) * n + z * s",
        ),
        slips=(
            Slip(
                "(1 - z) * n + z * s",
                "(1 - z) * s + z * n",
                "the update gate",
                (
                    "If z is 1, what should the new state be, and what is it here?",
                    "Some papers write it so, and call z what is 1 - z here. Weights of one do not fit the other.",
                    "(1 - z) * n + z * s",
                ),
            ),
            Slip(
                "(1 - z) * n + z * s",
                "n + z * s",
                "the mean",
                ("Do the two weights add up to one?", "What z keeps it takes from the proposal: (1 - z) * n."),
            ),
        ),
    ),
    Exercise(
        "error_of_memory",
        "add up what comes to the memory",
        "LSTM",
        cases=[(*rng.normal(size=(3, 2, 3)), gate(2, 3))],
        oracle=error_by_the_tape,
        axes="pj",
        hints=(
            "Who reads c(t)? Two do.",
            "s(t), through o and tanh, and c(t+1) by the carousel. Their shares are added.",
            "g_c + g_s * o * (1 - np.tanh(c)**2)",
        ),
        slips=(
            Slip(
                "g_c + g_s",
                "g_s",
                "the share from the carousel",
                ("Who reads c(t) besides s(t)?", "c(t+1) does. Add g_c."),
            ),
            Slip(
                "* (1 - np.tanh(c) ** 2)",
                "* (1 - c**2)",
                "the factor f'",
                ("Where is the slope of tanh taken?", "c is what goes into tanh: 1 - tanh(c)**2."),
            ),
            Slip(
                "g_s * o * (1",
                "g_s * (1",
                "the output gate",
                ("What stands between tanh(c) and s?", "The output gate multiplies, backwards as forwards."),
            ),
            Slip(
                "g_c + g_s * o * (1 - np.tanh(c) ** 2)",
                "(g_c + g_s) * o * (1 - np.tanh(c) ** 2)",
                "the share from the carousel",
                (
                    "Does the error of the carousel go through the output gate?",
                    "It comes to c(t) directly: only g_s goes through o and tanh.",
                ),
            ),
        ),
    ),
    Exercise(
        "LEFT",
        "predict what is left after ten half open gates",
        "dc(T)/dc(τ)",
        hints=("What is left after one step? And after two?", "A half to the power of ten."),
        slips=(
            Slip(
                "LEFT = 1 / 1024",
                "LEFT = 1 / 20",
                "the product",
                ("The gates are multiplied.", "A half of a half is a quarter: 1/2 to the power of 10."),
            ),
            Slip(
                "LEFT = 1 / 1024",
                "LEFT = 1 / 512",
                "the number of gates",
                ("How many gates lie between c(0) and c(10)?", "Those of t = 1 to 10: ten of them."),
            ),
        ),
    ),
    Exercise(
        "NUMBERS",
        "predict how many numbers an LSTM has",
        "LSTM",
        hints=(
            "How many rows do V, U and b_j have?",
            "Four gates of 20 rows each; V has 10 columns, U has 20, b_j is one column.",
        ),
        slips=(
            Slip(
                "NUMBERS = 2480",
                "NUMBERS = 620",
                "the number of gates",
                ("That is a simple network.", "Here are four such sets, one for each of i, f, g, o."),
            ),
            Slip(
                "NUMBERS = 2480",
                "NUMBERS = 2400",
                "the biases",
                ("That is V and U.", "b_j has a number for each row, too."),
            ),
        ),
    ),
]
