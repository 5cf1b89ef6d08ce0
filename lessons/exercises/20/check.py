"""What lesson 20 asks, and the mistakes it knows."""

import networkx as nx
import numpy as np

from tinygrad_rnn.exercises import Exercise, Slip

rng = np.random.default_rng(200)


def step_by_step(x, V):
    return np.array([x_t @ V.T for x_t in x])


def copy_by_copy(delta_j, before):
    return sum(-delta.T @ s for delta, s in zip(delta_j, before, strict=True))


def by_components(reads):
    """The strongly connected components with a ring in them."""
    graph = nx.from_numpy_array(np.array(reads), create_using=nx.DiGraph)
    found = np.zeros(len(reads), int)
    for part in nx.strongly_connected_components(graph):
        if len(part) > 1 or any(graph.has_edge(node, node) for node in part):
            found[list(part)] = 1
    return found


def arrows(size, *pairs):
    reads = np.zeros((size, size), int)
    for a, b in pairs:
        reads[a, b] = 1
    return reads


# A ring of three with a tail before and behind it, one node that reads itself, and one that nobody reads.
TAILS = arrows(7, (0, 1), (1, 2), (2, 3), (3, 1), (3, 4), (5, 5), (4, 6))
STRAIGHT = arrows(4, (0, 1), (1, 2), (0, 2), (2, 3))

EXERCISES = [
    Exercise(
        "inputs_at_once",
        "the inputs of all steps in one product",
        "(2)",
        cases=[
            (rng.normal(size=(5, 2, 3)), rng.normal(size=(4, 3))),
            (rng.normal(size=(3, 3, 2)), rng.normal(size=(3, 2))),
        ],
        oracle=step_by_step,
        axes="tpj",
        hints=(
            "How many rows does x have, if all steps lie below each other?",
            "x.reshape(T * n, l) has them. Multiply by V.T, and you have (T * n, m).",
            "(x.reshape(T * n, l) @ V.T).reshape(T, n, m)",
        ),
        slips=(
            Slip(
                ".reshape(T, n, len(V))",
                ".reshape(n, T, len(V)).swapaxes(0, 1)",
                "the order of the rows",
                (
                    "In which order do the rows of x lie below each other?",
                    "Time first: all samples of step 1, then all samples of step 2. Take them apart in the same order.",
                    ".reshape(T, n, m)",
                ),
                first=1,
            ),
            Slip(
                "(x.reshape(T * n, l) @ V.T)",
                "(x.swapaxes(0, 1).reshape(T * n, l) @ V.T)",
                "the order of the rows",
                ("What is the first axis of x?", "Time: it must be the slower one when the rows are laid out."),
                first=1,
            ),
        ),
    ),
    Exercise(
        "gradient_in_one_product",
        "the gradient of U in one product",
        "(28)",
        cases=[
            (rng.normal(size=(5, 2, 4)), rng.normal(size=(5, 2, 4))),
            (rng.normal(size=(2, 1, 3)), rng.normal(size=(2, 1, 3))),
        ],
        oracle=copy_by_copy,
        axes="jh",
        hints=(
            "Time and sample are summed over in the same way. So let them be one axis.",
            "delta_j.reshape(-1, m) has T n rows, and so has before.reshape(-1, m).",
            "-delta_rows.T @ state_rows",
        ),
        slips=(
            Slip(
                "-rows.T @ columns",
                "rows.T @ columns",
                "the sign",
                ("Is delta a derivative of the cost?", "It is its negative: put a minus in front."),
            ),
            Slip(
                "-rows.T @ columns",
                "-columns.T @ rows",
                "the transpose",
                (
                    "Which index of U[j, h] belongs to the error?",
                    "The first one: the errors' rows, turned over, come first.",
                ),
            ),
            Slip(
                "-rows.T @ columns",
                "-rows.T @ columns / len(delta_j)",
                "the sum over the copies",
                ("Sum or average?", "The shares are added. There is nothing to divide by."),
            ),
            Slip(
                "delta_j.reshape(-1, delta_j.shape[-1]), before.reshape(-1, before.shape[-1])",
                "delta_j.sum(axis=1), before.sum(axis=1)",
                "the sum over the samples",
                (
                    "You have added up the samples first. Is a sum of products a product of sums?",
                    "No: each error meets the state of its own sample.",
                    "Keep the rows apart: reshape(-1, m).",
                ),
            ),
        ),
    ),
    Exercise(
        "on_a_ring",
        "find the nodes that have to wait for themselves",
        "net.fold()",
        cases=[(TAILS,), (STRAIGHT,)],
        oracle=by_components,
        axes="k",
        hints=(
            "From where to where can one get in two arrows? A product of matrices says it.",
            "reads @ reads counts the ways of two arrows. Collect the ways of one, two, ..., K arrows.",
            "A node is on a ring if there is a way from it to itself: look at the diagonal.",
        ),
        slips=(
            Slip(
                "for _ in range(len(reads))",
                "for _ in range(0)",
                "longer ways",
                (
                    "Is a ring always a single arrow?",
                    "Node 1 reads node 3, which reads node 2, which reads node 1: that is a ring too.",
                    "Collect ways of up to K arrows.",
                ),
            ),
            Slip(
                "np.diag(ways).astype(int)",
                "(ways.any(axis=0) & ways.any(axis=1)).astype(int)",
                "the way back to itself",
                (
                    "Is a node on a ring if it reads something and is read?",
                    "There must be a way back to the node ITSELF: the diagonal.",
                ),
            ),
            Slip(
                "np.array(reads) > 0",
                "np.array(reads) - np.diag(np.diag(reads)) > 0",
                "a node that reads itself",
                ("What about a node that reads its own value of the step before?", "One arrow is a ring, too."),
            ),
        ),
    ),
    Exercise(
        "RINGS",
        "predict the rings of a network with two layers",
        "net.fold()",
        hints=(
            "Is there a way from s_2 back to s_1?",
            "No: the second layer reads the first, and the first never reads the second.",
        ),
        slips=(
            Slip(
                "RINGS = 2",
                "RINGS = 1",
                "a way back",
                ("For one ring there must be a way from layer 2 back to layer 1.", "There is none: two rings."),
            ),
            Slip(
                "RINGS = 2",
                "RINGS = 4",
                "the nodes of a ring",
                ("net_1 and s_1: does each have a ring of its own?", "They are on one ring together."),
            ),
        ),
    ),
    Exercise(
        "AT_ONCE",
        "predict what leaves the loop",
        "net.fold()",
        hints=(
            "When is s_1(t) known for all t?",
            "After the whole first ring has been played. Then V_2 can be applied to all of it.",
        ),
        slips=(
            Slip(
                'AT_ONCE = "yes"',
                'AT_ONCE = "no"',
                "the order of play",
                (
                    "Which ring has to be played before s_1(t) V_2^T is needed?",
                    "Only the first one; and it does not wait for the second.",
                ),
            ),
        ),
    ),
]
