"""What lesson 25 asks, and the mistakes it knows."""

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import pathology
from tinygrad_rnn.exercises import Exercise, Slip
from tinygrad_rnn.experiments.minima import basins

rng = np.random.default_rng(250)


def of_the_basins(cost, i):
    """What the package says of a map of one row."""
    places, depths = basins(np.array([cost]))
    return depths[list(places).index(i)]


def by_row(w, z):
    """What the package draws, row by row with the same numbers."""
    rows = [tg.experiments.filter_direction({"w": row[None]}, _Drawn(these)) for row, these in zip(w, z, strict=True)]
    return np.concatenate([each["w"] for each in rows])


class _Drawn(np.random.Generator):
    """A generator that draws these numbers."""

    def __init__(self, these):
        super().__init__(np.random.PCG64(0))
        self._these = these

    def normal(self, size):
        return self._these.reshape(size)


def of_the_product(J, v):
    """The product of all Jacobians, taken at once."""
    whole = pathology.products(J[:, None])[0, 0]
    return np.log(np.linalg.norm(whole @ v) / np.linalg.norm(v)) / len(J)


CURVE = np.array([5.0, 2.0, 4.0, 3.0, 7.0, 1.0, 6.0, 0.0, 8.0, 9.0])

EXERCISES = [
    Exercise(
        "prominence",
        "how deep a minimum lies",
        "the lower pass",
        cases=[(CURVE, 1), (CURVE, 3), (CURVE, 5), (CURVE, 7)],
        oracle=of_the_basins,
        hints=(
            "Walk from i to the left until the ground is lower than cost[i]. What was the highest point on the way?",
            "Do the same to the right. One can leave on either side: which of the two passes does one take?",
            "min(passes) - cost[i]; and np.ptp(cost) if neither side has lower ground.",
        ),
        slips=(
            Slip(
                "min(passes) - cost[i]",
                "max(passes) - cost[i]",
                "the lower pass",
                ("On which side does one leave more easily?", "The lower of the two passes counts: min."),
            ),
            Slip(
                "side[: lower[0]].max()",
                "side.max()",
                "the way to lower ground",
                (
                    "How far does one have to walk?",
                    "Only to the first point that is lower: what is higher behind it need not be climbed.",
                ),
            ),
            Slip(
                "min(passes) - cost[i]",
                "min(passes)",
                "the height of the point",
                ("Is that how high the pass is, or how far one climbs?", "Subtract the height of the point itself."),
            ),
            Slip(
                "side[: lower[0]].max()",
                "side[:2].max()",
                "the way to lower ground",
                (
                    "Is the neighbour the pass?",
                    "One climbs on until it goes down to lower ground: the highest point before that.",
                ),
            ),
            Slip(
                "        lower = np.flatnonzero(side < cost[i])\n"
                "        if len(lower):\n"
                "            passes.append(side[: lower[0]].max())\n",
                "        passes.append(side[1])\n",
                "the way to lower ground",
                (
                    "Is the neighbour the pass?",
                    "One climbs on until it goes down to lower ground: the highest point before that.",
                ),
            ),
            Slip(
                "        lower = np.flatnonzero(side < cost[i])\n"
                "        if len(lower):\n"
                "            passes.append(side[: lower[0]].max())\n",
                "        passes.append(side.max())\n",
                "the way to lower ground",
                (
                    "Does one have to climb the highest point of a whole side?",
                    "Only as far as the first point that is lower. A side without one leads nowhere: leave it out.",
                ),
            ),
            Slip(
                "        lower = np.flatnonzero(side < cost[i])\n"
                "        if len(lower):\n"
                "            passes.append(side[: lower[0]].max())\n",
                "        lower = np.flatnonzero(side < cost[i])\n"
                "        passes.append(side[: lower[0] if len(lower) else None].max())\n",
                "the edge of the curve",
                (
                    "What lies behind the last point of the curve? Does anybody know?",
                    "A side without lower ground has no pass: leave it out.",
                    "If neither side has one, np.ptp(cost).",
                ),
            ),
        ),
    ),
    Exercise(
        "scaled",
        "a direction by the length of each unit's weights",
        "z |w_j| / |z_j|",
        cases=[(rng.normal(size=(3, 4)), rng.normal(size=(3, 4))), (rng.normal(size=(2, 2)), rng.normal(size=(2, 2)))],
        oracle=by_row,
        axes="jh",
        hints=(
            "How long is each row of w, and how long is each row of z?",
            "np.linalg.norm(w, axis=1, keepdims=True) has one length for each row.",
            "z * (length of w's row) / (length of z's row)",
        ),
        slips=(
            Slip(
                "z * wanted / drawn",
                "z * np.linalg.norm(w) / np.linalg.norm(z)",
                "one factor for each row",
                ("Is each row as long as that of w, or only all together?", "Each unit has a factor of its own."),
            ),
            Slip(
                "z * wanted / drawn",
                "z * wanted",
                "the length of what was drawn",
                ("How long was the row of z before?", "Divide by its length first."),
            ),
            Slip(
                "z * wanted / drawn",
                "z * np.linalg.norm(w, axis=0) / np.linalg.norm(z, axis=0)",
                "the rows",
                (
                    "Which weights come into one unit: a row of w, or a column?",
                    "A row, w[j, :]: the norm is over axis 1.",
                ),
            ),
            Slip(
                "z * wanted / drawn",
                "z * drawn / wanted",
                "the ratio",
                (
                    "If the weights of a unit are twice as long, is its row of your direction longer or shorter?",
                    "The two lengths are exchanged: the one that is wanted comes above the line.",
                ),
            ),
            Slip(
                "z * wanted / drawn",
                "z * (wanted / drawn) ** 2",
                "the root of the length",
                ("Is a sum of squares a length?", "Its root is."),
            ),
        ),
    ),
    Exercise(
        "growth",
        "how fast a push grows",
        "λ",
        cases=[
            (rng.normal(size=(5, 3, 3)), rng.normal(size=3)),
            (rng.normal(size=(4, 2, 2)), rng.normal(size=2)),
        ],
        oracle=of_the_product,
        hints=(
            "What has become of v after the last step?",
            "push = J[0] @ v, then J[1] @ that, and so on. By how much is it longer in the end?",
            "np.log(length at the end / length at the start) / T",
        ),
        slips=(
            Slip(
                "push = step @ push",
                "push = push @ step",
                "the side of the product",
                (
                    "Is it a push that goes forwards, or an error that goes back?",
                    "A push stands on the right: step @ push.",
                ),
            ),
            Slip(
                "for step in J:",
                "for step in J[::-1]:",
                "the order of time",
                ("Which step does the push meet first?", "J[0] is the first one."),
            ),
            Slip(
                " / len(J)",
                "",
                "the mean over the steps",
                ("Is that per step, or in all?", "Divide by the number of steps."),
            ),
            Slip(
                "np.log(np.linalg.norm(push) / np.linalg.norm(v))",
                "np.log(np.linalg.norm(push))",
                "the length at the start",
                ("How long was the push before the first step?", "What counts is the ratio of the two lengths."),
            ),
            Slip(
                "np.log(np.linalg.norm(push) / np.linalg.norm(v)) / len(J)",
                "np.mean([np.log(np.linalg.norm(step @ v) / np.linalg.norm(v)) for step in J])",
                "the push that goes on",
                (
                    "Which push comes into the second step?",
                    "Not v again: what the first step has made of it.",
                    "push = step @ push",
                ),
            ),
            Slip(
                "np.log(np.linalg.norm(push) / np.linalg.norm(v)) / len(J)",
                "(np.linalg.norm(push) / np.linalg.norm(v)) ** (1 / len(J))",
                "the logarithm",
                ("A push that keeps its length: should that be 1 or 0?", "That is the factor. Take its logarithm."),
            ),
        ),
    ),
    Exercise(
        "VALUES",
        "predict what one unit can do",
        "s = tanh(u s + b)",
        hints=(
            "Does s -> tanh(u s + b) ever turn round, as s grows?",
            "If it goes down, twice of it goes up, and what goes up comes to rest.",
        ),
        slips=(
            Slip(
                "VALUES = 2",
                "VALUES = 1",
                "the period",
                ("What if u is below -1?", "The state jumps back and forth between two values then."),
            ),
            Slip(
                "VALUES = 2",
                "VALUES = 4",
                "one unit",
                ("That takes a map that turns round.", "tanh(u s + b) goes only up or only down: no period of four."),
            ),
        ),
    ),
    Exercise(
        "COUNT",
        "predict what a count says",
        "the count",
        hints=(
            "What would a grid that is finer still find?",
            "What changes with the grid says nothing of the surface.",
        ),
        slips=(
            Slip(
                'COUNT = "no number"',
                'COUNT = "240"',
                "the grid",
                ("Is the finer grid fine enough?", "Nothing says so as long as the count grows."),
            ),
            Slip(
                'COUNT = "no number"',
                'COUNT = "80"',
                "the grid",
                ("Why should the coarser grid be right?", "The count still grows: it is no number of the surface."),
            ),
        ),
    ),
]
