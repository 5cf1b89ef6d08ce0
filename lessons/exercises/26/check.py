"""What lesson 26 asks, and the mistakes it knows."""

import math

import numpy as np

from tinygrad_rnn.exercises import Exercise, Slip

rng = np.random.default_rng(260)
START = np.array([6.0, 1.0, 6.0, 0.5, 5.0, 2.0])


def counted(start, cost):
    return sum(not math.isfinite(c) or c > 10 * s for s, c in zip(start, cost, strict=True)) / len(start)


def along_a_unit_vector(g, threshold, eta):
    length = np.linalg.norm(g)
    return -eta * min(length, threshold) * g / length


def sorted_and_halved(cost, cell, count):
    """The middle one of each cell, or the mean of the two in the middle."""
    found = []
    for k in range(count):
        row = sorted(c for c, at in zip(cost, cell, strict=True) if at == k)
        found.append((row[(len(row) - 1) // 2] + row[len(row) // 2]) / 2)
    return np.array(found)


cells = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 0])

EXERCISES = [
    Exercise(
        "share_diverged",
        "find the bug: the share of runs that have diverged",
        "not (cost <= 10 start)",
        cases=[
            (START, np.array([np.nan, 20.0, 12.0, 0.4, np.inf, 1.0])),
            (START, np.array([50.0, 9.0, np.nan, 4.0, np.nan, 15.0])),
        ],
        oracle=counted,
        hints=(
            "Try it with a cost that is not a number. Does it count?",
            "Every comparison with NaN is false: ask what must hold of a run that has not diverged, and turn it over.",
            "np.mean(~(cost <= 10 * start))",
        ),
        slips=(
            Slip(
                "~(cost <= 10 * start)",
                "cost > 10 * start",
                "NaN",
                ("Is NaN > 10 true or false?", "It is false, as is NaN <= 10. Turn the second one over."),
            ),
            Slip(
                "~(cost <= 10 * start)",
                "~np.isfinite(cost)",
                "ten times the start",
                ("Some runs wander far off and stay finite.", "Compare with ten times the start, too."),
            ),
            Slip(
                "~(cost <= 10 * start)",
                "~(cost <= 10)",
                "its own start",
                ("A run that begins at 6 and ends at 12: has it diverged?", "Ten times *its own* start."),
            ),
            Slip(
                "np.mean(~(cost <= 10 * start))",
                "np.mean((cost > 10 * start)[np.isfinite(cost)])",
                "the runs that are no number",
                (
                    "Which runs did you leave out, and had they not diverged?",
                    "NaN and infinity count as diverged, among all runs.",
                ),
            ),
        ),
    ),
    Exercise(
        "clipped_step",
        "a step of gradient descent with a clipped gradient",
        "-eta g",
        cases=[
            (3 * rng.normal(size=5), 1.0, 0.3),
            (0.1 * rng.normal(size=4), 1.0, 0.5),
            (rng.normal(size=6), 0.7, 2.0),
        ],
        oracle=along_a_unit_vector,
        axes="i",
        hints=(
            "How long is g? And how long may it be?",
            "If it is longer than threshold, multiply it by threshold / length; then comes -eta.",
            "-eta * min(1, threshold / length) * g",
        ),
        slips=(
            Slip(
                "factor = min(1.0, threshold / length)",
                "factor = threshold / length",
                "the short gradient",
                ("What becomes of a gradient that is short?", "It stays: the factor is never above 1."),
            ),
            Slip(
                "return -eta * factor * g",
                "return eta * factor * g",
                "the sign",
                ("Does the cost go up or down along the gradient?", "Up. A step goes the other way."),
            ),
            Slip(
                "return -eta * factor * g",
                "return -eta * np.clip(g, -threshold, threshold)",
                "the direction",
                ("Does your step still point against g?", "Shorten the whole vector, not each entry by itself."),
            ),
            Slip(
                "min(1.0, threshold / length)",
                "min(1.0, threshold / (eta * length))",
                "what is shortened",
                ("Is it the gradient that is shortened, or the step?", "The gradient, before eta comes to it."),
            ),
        ),
    ),
    Exercise(
        "middles",
        "the median in each cell of a map",
        "median",
        cases=[(rng.uniform(0.5, 9, 12), cells, 3), (rng.uniform(0.5, 9, 12), cells[::-1], 3)],
        oracle=sorted_and_halved,
        axes="k",
        hints=(
            "Which runs are in the cell k?",
            "cost[cell == k] are its costs; np.median is their middle.",
        ),
        slips=(
            Slip(
                "np.median(cost[cell == k])",
                "np.mean(cost[cell == k])",
                "the median",
                ("One run of four has gone wild. What does that do to your number?", "Take the median."),
            ),
            Slip(
                "np.median(cost[cell == k])",
                "np.min(cost[cell == k])",
                "the median",
                ("Is the best seed what the next reader will get?", "Take the median."),
            ),
            Slip(
                "np.median(cost[cell == k])",
                "np.sort(cost[cell == k])[(cell == k).sum() // 2]",
                "the two in the middle",
                ("Of four runs, which one is the middle?", "None: it is halfway between the second and the third."),
            ),
        ),
    ),
    Exercise(
        "POINTS",
        "predict the number of points",
        "the grid",
        hints=("Every combination is a point.", "7 times 7 times 2 times 4."),
        slips=(
            Slip("POINTS = 392", "POINTS = 98", "the seeds", ("Is the seed an axis?", "Yes: times 4.")),
            Slip("POINTS = 392", "POINTS = 196", "the clipping", ("And without clipping?", "Times 2.")),
            Slip(
                "POINTS = 392",
                "POINTS = 20",
                "every combination",
                ("You have added the lengths of the axes.", "Each radius is tried with each step: multiply."),
            ),
        ),
    ),
    Exercise(
        "CALLS_LEFT",
        "predict how many calls are left",
        "the file",
        hints=("What does the file hold?", "100 of the 392 are in it, and are not done again."),
        slips=(
            Slip(
                "CALLS_LEFT = 292",
                "CALLS_LEFT = 392",
                "what is done",
                ("That is all of them once more.", "What stands in the file is not done again."),
            ),
            Slip("CALLS_LEFT = 292", "CALLS_LEFT = 0", "the rest", ("Is the sweep at its end?", "It was killed.")),
        ),
    ),
]
