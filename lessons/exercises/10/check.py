"""What lesson 10 asks, and the mistakes it knows."""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.exercises import Exercise, Slip


def played(T, n, m, seed):
    """A network that hides no mistake: sizes differ, U is not symmetric, s(0) not zero, a cost at every step."""
    rng = np.random.default_rng(seed)
    cell = tg.cells.Guo(f="tanh", g="softmax")
    params = {name: rng.normal(size=w.shape) for name, w in cell.init(m + 1, m, m - 1, rng=rng).items()}
    x, s0 = rng.normal(size=(T, n, m + 1)), rng.normal(size=(n, m))
    return tg.unfold(cell, params, x, rng.dirichlet(np.ones(m - 1), size=(T, n)), s0=s0)


def errors(net):
    """delta_j(T), net_j, s and U of a network."""
    net.backward(of=net.T)
    sums = [s.parents[0] for s in net.states[1:]]
    delta = np.array(tg.delta(sums[-1]))
    found = delta, np.array([s.value for s in sums]), np.array([s.value for s in net.states]), net.params["U"]
    net.backward()
    return found


long, short = played(5, 2, 4, seed=100), played(3, 1, 3, seed=101)
tables = {id(net): tg.influence(net, "U") for net in (long, short)}
G, G_short = tables.values()
last_rows = [(errors(net), tables[id(net)][-1]) for net in (long, short)]


def last_row(delta_j, net_j, s, U):
    """The last row of the table that the package has made of this network."""
    return next(row for (_, sums, _, _), row in last_rows if sums.shape == net_j.shape)


EXERCISES = [
    Exercise(
        "of_one_cost",
        "read the gradient of one cost off the table",
        "G[t, τ]",
        cases=[(G, 3), (G_short, 3)],
        axes="jh",
        hints=(
            "Which index of G is the cost's, and which entry along it is C(t)?",
            "The first index is the cost's. Add up what all copies do to it.",
            "G[t - 1].sum(axis=0)",
        ),
        slips=(
            Slip(
                "G[t - 1].sum(axis=0)",
                "G[:, t - 1].sum(axis=0)",
                "the index of the cost",
                (
                    "Is that one cost and all copies, or one copy and all costs?",
                    "You have added up a column: the share of U(t) in everything.",
                    "The cost is the first index: G[t - 1].",
                ),
            ),
            Slip(
                "G[t - 1].sum(axis=0)",
                "G[t].sum(axis=0) if t < len(G) else G[0].sum(axis=0)",
                "the time step",
                ("Time is counted from 1, Python counts from 0.", "The row of C(t) is G[t - 1]."),
            ),
            Slip(
                "G[t - 1].sum(axis=0)",
                "G[t - 1].sum(axis=1)",
                "the sum over the copies",
                (
                    "In G[t - 1] the first axis is the copies. Which axis have you added up?",
                    "G[t - 1] is (T, m, m): axis 1 is j, and you have added up the rows of each matrix.",
                    "Add up over the copies: sum(axis=0).",
                ),
            ),
            Slip(
                "G[t - 1].sum(axis=0)",
                "G[t - 1, t - 1]",
                "the copies before t",
                (
                    "How many copies does C(t) depend on?",
                    "You have the diagonal alone, the copy of step t. The state before it came from copies too.",
                    "Add up the whole row.",
                ),
            ),
        ),
    ),
    Exercise(
        "of_one_copy",
        "read the share of one copy off the table",
        "G[t, τ]",
        cases=[(G, 2), (G_short, 1)],
        oracle=lambda G, tau: (long if len(G) == 5 else short).copies["U"][tau - 1],
        axes="jh",
        hints=(
            "Is a copy a row of the table or a column?",
            "The second index is the copy's. Add up what it does to all costs.",
            "G[:, tau - 1].sum(axis=0)",
        ),
        slips=(
            Slip(
                "G[:, tau - 1].sum(axis=0)",
                "G[tau - 1].sum(axis=0)",
                "the index of the copy",
                (
                    "Is that one copy and all costs, or one cost and all copies?",
                    "You have added up a row: the gradient of C(tau).",
                    "The copy is the second index: G[:, tau - 1].",
                ),
            ),
            Slip(
                "G[:, tau - 1].sum(axis=0)",
                "G[:, tau].sum(axis=0)",
                "the time step",
                ("Time is counted from 1, Python counts from 0.", "The copy of time step tau is in column tau - 1."),
            ),
        ),
    ),
    Exercise(
        "by_28",
        "find equation (28) in the table",
        "(28)",
        cases=[(G, 4, 2), (G_short, 3, 0)],
        axes="jh",
        hints=(
            "In which row are you, and at which column does (28) begin?",
            "It begins at the diagonal and goes to the left; z takes depth + 1 values.",
            "The columns are those of t - depth, ..., t.",
        ),
        slips=(
            Slip(
                "first = t - depth",
                "first = t - depth + 1",
                "the number of copies",
                (
                    "How many copies does z from 0 to the depth make?",
                    "The depth counts the EXTRA copies, so there are depth + 1.",
                    "The oldest copy is that of t - depth.",
                ),
            ),
            Slip(
                "first = t - depth",
                "first = 1",
                "the oldest copy",
                ("That is the whole row. How far back does (28) look?", "It stops at the copy of t - depth."),
            ),
        ),
    ),
    Exercise(
        "row_of_the_table",
        "fill in a row of the table, from right to left",
        "(19)",
        cases=[case for case, _ in last_rows],
        oracle=last_row,
        axes="τjh",
        backwards=True,
        hints=(
            "Begin on the diagonal, tau = T, where the error is delta_j(T).",
            "Each entry is minus the error times the state before; then the error goes one step back, by (19).",
            "row[tau - 1] = -error.T @ s[tau - 1]; error = (error @ U) * (1 - tanh(net_j(tau - 1))**2).",
        ),
        parts={"error @ U": "the error from the copy after"},
        slips=(
            Slip(
                "(error @ U)",
                "(error @ U.T)",
                "the sum over U",
                (
                    "The diagonal is right, and the entry left of it is not. What lies between?",
                    "One step of (19): the sum runs over the first index of u_hj.",
                    "error @ U, without .T.",
                ),
                first=4,
            ),
            Slip(
                "np.tanh(net_j[tau - 2])",
                "np.tanh(net_j[tau - 1])",
                "the factor f'",
                (
                    "At which step is the slope of tanh taken?",
                    "Where the error arrives: one step before the copy that you have just left.",
                    "net_j(tau - 1) is net_j[tau - 2].",
                ),
                first=4,
            ),
            Slip(
                "row[tau - 1] = -error.T @ s[tau - 1]",
                "row[tau - 1] = -error.T @ s[tau]",
                "the state at the tail of U",
                ("Which state does U(tau) read?", "The one before: s(tau - 1), which is s[tau - 1]."),
                first=5,
                equation="(12)",
            ),
            Slip(
                "-error.T @ s",
                "error.T @ s",
                "the sign",
                ("Is it a change of U or a gradient that you give?", "delta = -dC/dnet: put a minus in front."),
                first=5,
                equation="(12)",
            ),
            Slip(
                "-error.T @ s[tau - 1]",
                "-s[tau - 1].T @ error",
                "the transpose",
                (
                    "Which index of u_jh is the error's, and which the state's?",
                    "j, the first one, is the error's: rows are j.",
                    "-error.T @ s[tau - 1]",
                ),
                first=5,
                equation="(12)",
            ),
            Slip(
                "(error @ U) * (1 - np.tanh(net_j[tau - 2]) ** 2)",
                "error @ U",
                "the factor f'",
                (
                    "The diagonal is right. What does (19) have besides the sum?",
                    "The slope of tanh, where the error arrives.",
                    "Multiply by 1 - np.tanh(net_j[tau - 2]) ** 2.",
                ),
                first=4,
            ),
            Slip(
                "return row",
                "return row[::-1]",
                "the order of the copies",
                (
                    "Which copy is in row[0]?",
                    "Time runs forwards in the answer: row[0] is U(1), row[T - 1] is U(T).",
                    "Whoever appends from the diagonal on must turn the list round: [::-1].",
                ),
                first=5,
            ),
        ),
    ),
    Exercise(
        "by_lag",
        "find the bug: the mean influence at each lag",
        "G[t, τ]",
        cases=[(np.linalg.norm(G, axis=(2, 3)),), (np.linalg.norm(G_short, axis=(2, 3)),)],
        axes="z",
        first_t=0,
        hints=(
            "How many pairs of a cost and a copy lie two steps apart? That is lag z = 2.",
            "A diagonal gets shorter, the further it is from the main one.",
            "Divide by T - lag.",
        ),
        slips=(
            Slip(
                "/ (T - lag)",
                "/ T",
                "the number of pairs",
                (
                    "At lag 0 you are right. By what do you divide at lag 1?",
                    "There are T pairs at lag 0, T - 1 at lag 1, and a single one at lag T - 1.",
                    "Divide by T - lag.",
                ),
                first=1,
            ),
            Slip(
                "np.diagonal(norms, -lag)",
                "np.diagonal(norms, lag)",
                "the side of the diagonal",
                ("On which side of the diagonal does the table have entries?", "Below it: np.diagonal(norms, -lag)."),
                first=1,
            ),
        ),
    ),
    Exercise(
        "ENTRIES",
        "predict how many entries the table has",
        "G[t, τ]",
        hints=(
            "Which copies have a hand in C(t)?",
            "Those of 1 to t: t of them. Add that up over all rows.",
            "1 + 2 + ... + 20",
        ),
        slips=(
            Slip(
                "ENTRIES = 210",
                "ENTRIES = 400",
                "the entries above the diagonal",
                ("Can U(7) change C(3)?", "No copy works backwards in time: half of the table is empty."),
            ),
            Slip(
                "ENTRIES = 210",
                "ENTRIES = 190",
                "the diagonal",
                ("Does U(3) change C(3)?", "It does: the diagonal belongs to the table."),
            ),
        ),
    ),
]
