"""What lesson 24 asks, and the mistakes it knows."""

import numpy as np

from tinygrad_rnn.exercises import Exercise, Slip

rng = np.random.default_rng(240)


def smallest_of_all_before(costs):
    return np.array([costs[: k + 1].min() for k in range(len(costs))])


def by_a_right_angle(directions, gradient):
    """What is left of a direction without its part along the gradient: Pythagoras."""
    along = gradient / np.linalg.norm(gradient)
    unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    across = unit - np.outer(unit @ along, along)
    return 1 - (across**2).sum(axis=1)


def one_after_another(mean, spread, z, costs, utility):
    """Who is the k-th best brings utility(k)."""
    moved = np.array(mean, dtype=float)
    for one, cost in zip(z, costs, strict=True):
        rank = int((costs < cost).sum())
        moved += spread * utility[rank] * one
    return moved


def cloud(K, n, seed):
    draw = np.random.default_rng(seed)
    utility = np.maximum(0, np.log(K / 2 + 1) - np.log(np.arange(1, K + 1)))
    utility = utility / utility.sum() - 1 / K
    return draw.normal(size=n), draw.uniform(0.5, 2, n), draw.normal(size=(K, n)), draw.uniform(1, 3, K), utility


EXERCISES = [
    Exercise(
        "best_so_far",
        "find the bug: the best cost after each look",
        "the curve",
        cases=[(np.array([3.0, 4.0, 2.0, 2.5, 1.0, 5.0]),), (rng.uniform(1, 2, 9),), (np.array([2.0, 1.0, 3.0]),)],
        oracle=smallest_of_all_before,
        axes="k",
        hints=(
            "After the first look, which costs are known?",
            "Only those of the looks so far count: the best of the first k costs, for each k.",
            "best[k] = min(best[k - 1], costs[k])",
        ),
        slips=(
            Slip(
                "    return best",
                "    return np.sort(costs)[::-1]",
                "the order of the looks",
                (
                    "Your curve begins with the worst cost of all. Was that the first one to be found?",
                    "Sorting forgets when a cost was found. Go through them in their order.",
                    "best[k] = min(best[k - 1], costs[k])",
                ),
            ),
            Slip(
                "best[k] = min(best[k - 1], costs[k])",
                "best[k] = min(costs[k - 1], costs[k])",
                "the best before",
                (
                    "You compare two neighbours. What of a good one three looks ago?",
                    "The best so far is carried along: compare with best[k - 1].",
                ),
            ),
            Slip(
                "best[k] = min(best[k - 1], costs[k])",
                "best[k] = max(best[k - 1], costs[k])",
                "the smaller one",
                ("Is a large cost good?", "The best cost is the smallest: min."),
            ),
            Slip(
                "    return best",
                "    return np.minimum.accumulate(costs[::-1])[::-1]",
                "the direction of the looks",
                (
                    "Is your last entry the best of all, or the first one?",
                    "You look at what is still to come. Take the smallest of what was seen: costs[: k + 1].",
                ),
            ),
            Slip(
                "    return best",
                "    return np.full_like(best, costs.min())",
                "the looks so far",
                (
                    "After the first look, is the best of all known?",
                    "Entry k is the smallest of the looks up to k: costs[: k + 1].",
                ),
            ),
        ),
    ),
    Exercise(
        "squared_cosines",
        "how much of the gradient is in each direction",
        "cos^2 phi",
        cases=[(rng.normal(size=(6, 4)), rng.normal(size=4)), (3 * rng.normal(size=(3, 9)), rng.normal(size=9))],
        oracle=by_a_right_angle,
        axes="k",
        hints=(
            "What is the cosine of the angle between two vectors?",
            "The inner product, divided by both lengths.",
            "(directions @ gradient / (length of each row * length of the gradient)) ** 2",
        ),
        slips=(
            Slip(
                "(directions @ gradient / lengths) ** 2",
                "directions @ gradient / lengths",
                "the square",
                ("Can a squared number be negative?", "These are the cosines. Square them."),
            ),
            Slip(
                "np.sqrt((directions**2).sum(axis=1)) * np.sqrt((gradient**2).sum())",
                "np.sqrt((gradient**2).sum())",
                "the length of the direction",
                (
                    "A direction that is twice as long points the same way. Does your answer know that?",
                    "Divide by the length of each row, too.",
                ),
            ),
            Slip(
                "np.sqrt((directions**2).sum(axis=1)) * np.sqrt((gradient**2).sum())",
                "np.sqrt((directions**2).sum(axis=1))",
                "the length of the gradient",
                ("Can a cosine be above 1?", "Divide by the length of the gradient, too."),
            ),
            Slip(
                "(directions @ gradient / lengths) ** 2",
                "(directions @ gradient) ** 2 / lengths",
                "the square of the lengths",
                (
                    "A gradient that is twice as long points the same way. Does your answer know that?",
                    "The whole cosine is squared, so the lengths are, too.",
                ),
            ),
            Slip(
                "(directions @ gradient / lengths) ** 2",
                "1 - (directions @ gradient / lengths) ** 2",
                "sine for cosine",
                (
                    "What should a direction along the gradient have: 1 or 0?",
                    "These are the squared sines, what is across the gradient: leave out 1 -.",
                ),
            ),
        ),
    ),
    Exercise(
        "new_middle",
        "where the middle of SNES goes",
        "the new middle",
        cases=[cloud(6, 4, seed=241), cloud(5, 3, seed=242)],
        oracle=one_after_another,
        axes="i",
        hints=(
            "Whose utility is utility[0]?",
            "The best one's: put the rows of z in the order of their costs first.",
            "mean + spread * (utility @ z[np.argsort(costs)])",
        ),
        slips=(
            Slip(
                "z[np.argsort(costs)]",
                "z",
                "the order of the costs",
                (
                    "Do your costs change the answer at all?",
                    "utility is for the best one first, and z is in the order in which they were tried.",
                    "z[np.argsort(costs)]",
                ),
            ),
            Slip(
                "z[np.argsort(costs)]",
                "z[np.argsort(-costs)]",
                "which end is the best",
                ("Where does the middle go: towards the best or towards the worst?", "The smallest cost comes first."),
            ),
            Slip(
                "z[np.argsort(costs)]",
                "z[np.argsort(np.argsort(costs))]",
                "the order of the costs",
                (
                    "np.argsort says which one is the k-th best. What does it say when it is asked twice?",
                    "Asked twice it says which rank the k-th one has: that would index utility, and not z.",
                ),
            ),
            Slip(
                "mean + spread * (utility @ ranked)",
                "mean + utility @ ranked",
                "the spread",
                (
                    "In what unit is z?",
                    "What was tried is mean + spread * z: so what is gone towards is spread * z as well.",
                ),
            ),
        ),
    ),
    Exercise(
        "BY_MEASURING",
        "predict the price of ten steps by measuring",
        "C(w + h) - C(w)",
        hints=(
            "How many costs does one step need?",
            "One for each weight that is moved, and one that all are compared with.",
        ),
        slips=(
            Slip(
                "BY_MEASURING = 560",
                "BY_MEASURING = 550",
                "the cost at w itself",
                ("From what do you subtract?", "C(w) is a look, too: 56 a step."),
            ),
            Slip(
                "BY_MEASURING = 560",
                "BY_MEASURING = 1100",
                "the side",
                ("That is measuring to both sides.", "Here C(w) is the other end of all of them: 55 + 1 a step."),
            ),
            Slip(
                "BY_MEASURING = 560",
                "BY_MEASURING = 56",
                "the ten steps",
                ("That is one step.", "At the next weights, all slopes are others."),
            ),
        ),
    ),
    Exercise(
        "BY_BPTT",
        "predict the price of ten steps by BPTT",
        "C(w), dC/dw",
        hints=("How does the work go back?", "Each number that goes forwards once comes back once."),
        slips=(
            Slip(
                "BY_BPTT = 20",
                "BY_BPTT = 10",
                "the way back",
                ("And the backward pass?", "One look forwards and one back, in each step."),
            ),
            Slip(
                "BY_BPTT = 20",
                "BY_BPTT = 1100",
                "the weights",
                ("Does the price depend on how many weights there are?", "One pass back finds all slopes."),
            ),
        ),
    ),
]
