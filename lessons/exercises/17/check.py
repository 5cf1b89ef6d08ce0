"""What lesson 17 asks, and the mistakes it knows."""

import numpy as np

from tinygrad_rnn import GammaMemory
from tinygrad_rnn.exercises import Exercise, Slip
from tinygrad_rnn.through_time import fewest_plays

rng = np.random.default_rng(170)


def pushed(taps, signal, mu):
    """The library's memory, with these taps in it."""
    memory = GammaMemory(len(taps), mu)
    memory.values = np.array(taps, dtype=float)
    memory.push(signal)
    return memory.values


def by_root(T):
    """The minimum of T / k + k lies at the root of T: one of its two neighbours is the best whole number."""
    below = max(1, int(np.sqrt(T)))
    return below if T / below + below <= T / (below + 1) + below + 1 else below + 1


EXERCISES = [
    Exercise(
        "best_segment",
        "the best length of a segment",
        "T / k + k",
        cases=[(144,), (30,), (1000,), (1,)],
        oracle=by_root,
        hints=(
            "T is small: you may try every k.",
            "min(range(1, T + 1), key=...) gives the first k at which the key is smallest.",
            "The key is T / k + k.",
        ),
        slips=(
            Slip(
                "T / k + k",
                "T / k",
                "the steps of a segment",
                (
                    "What else is kept while the error goes through a segment?",
                    "All k steps of that one segment.",
                    "T / k checkpoints, plus k steps.",
                ),
            ),
            Slip(
                "key=lambda k: T / k + k",
                "key=lambda k: T + k",
                "the number of checkpoints",
                ("How many segments of k steps are there in T steps?", "T / k of them, each with a state before it."),
            ),
            Slip(
                "min(range(1, T + 1), key=lambda k: T / k + k)",
                "min(T / k + k for k in range(1, T + 1))",
                "what is asked for",
                ("Is that a length, or what is kept with it?", "The k is asked for, and not T / k + k."),
            ),
            Slip(
                "min(range(1, T + 1), key=lambda k: T / k + k)",
                "int(T ** 0.5)",
                "the rounding",
                (
                    "The root of T is no whole number here. Which of its two neighbours is better?",
                    "Compare T / k + k for both, or try every k.",
                ),
            ),
            Slip(
                "min(range(1, T + 1), key=lambda k: T / k + k)",
                "int(np.ceil(T**0.5))",
                "the rounding",
                (
                    "The root of T is no whole number here. Which of its two neighbours is better?",
                    "Compare T / k + k for both, or try every k.",
                ),
            ),
        ),
    ),
    Exercise(
        "plays",
        "the fewest steps that must be played",
        "C(t, p)",
        cases=[(9, 3), (12, 2), (7, 7), (1, 1)],
        oracle=fewest_plays,
        hints=(
            "There are two cases that are known at once, and one that tries every y.",
            "Behind the state that is kept there is a place less; before it, all places again.",
            "min(y + plays(t - y, places - 1) + plays(y, places) for y in range(1, t))",
        ),
        slips=(
            Slip(
                "plays(t - y, places - 1)",
                "plays(t - y, places)",
                "the places behind the state that is kept",
                (
                    "While the error goes through the steps behind the kept state, is that place free?",
                    "No: the state stands there until the error arrives. One place less.",
                    "plays(t - y, places - 1)",
                ),
            ),
            Slip(
                "+ plays(y, places)",
                "+ plays(y, places - 1)",
                "the places for the first y steps",
                (
                    "When the error comes to the first y steps, is the state behind them still needed?",
                    "No, its place is free again: all places.",
                    "plays(y, places)",
                ),
            ),
            Slip(
                "min(y + plays",
                "min(plays",
                "the y steps on the way",
                (
                    "How does one get to the state that is to be kept?",
                    "By playing y steps from the one before: they count.",
                    "y + plays(...) + plays(...)",
                ),
            ),
            Slip(
                "t * (t + 1) // 2",
                "t",
                "C(t, 1)",
                (
                    "With one place only, what has to be done for each step of the error?",
                    "Everything before it is played again from s(0): t + (t - 1) + ... + 1.",
                ),
            ),
        ),
    ),
    Exercise(
        "push",
        "find the bug: one step of a gamma memory",
        "g_k(t)",
        cases=[(rng.normal(size=5), 0.7, 0.25), (rng.normal(size=3), -1.0, 1.0)],
        oracle=pushed,
        axes="k",
        hints=(
            "Which time do the taps on the right side of the formula belong to?",
            "To t-1, all of them. When your loop comes to tap k, which one is tap k-1?",
            "Go through the taps from the last to the first, and put the signal in at the end.",
        ),
        slips=(
            Slip(
                "for k in reversed(range(1, len(taps))):\n        taps[k] = (1 - mu) * taps[k] + mu * taps[k - 1]\n"
                "    taps[0] = signal",
                "taps[0] = signal\n    for k in range(1, len(taps)):\n"
                "        taps[k] = (1 - mu) * taps[k] + mu * taps[k - 1]",
                "the time of tap k-1",
                (
                    "With mu = 1 this must be a delay line. What does yours do then?",
                    "The new signal runs through all taps at once: each reads its neighbour's NEW value.",
                    "Go from the last tap to the first, and put the signal in last.",
                ),
            ),
            Slip(
                "in reversed(range(1, len(taps)))",
                "in range(1, len(taps))",
                "the time of tap k-1",
                (
                    "You put the signal in last; that is right. But what is tap 2 fed with?",
                    "With tap 1, which has just been changed. It should be tap 1 of the step before.",
                    "for k in reversed(range(1, len(taps)))",
                ),
            ),
            Slip(
                "(1 - mu) * taps[k] + mu * taps[k - 1]",
                "mu * taps[k] + (1 - mu) * taps[k - 1]",
                "the part that moves on",
                ("Which part of a tap moves on in a step?", "mu moves on, 1 - mu stays."),
            ),
            Slip(
                "    taps[0] = signal\n",
                "",
                "the signal",
                (
                    "What is g_0 at time t?",
                    "The signal itself: put it into taps[0], after the loop has read the old one.",
                ),
            ),
            Slip(
                "    taps[0] = signal",
                "    taps[0] = (1 - mu) * taps[0] + mu * signal",
                "the signal",
                ("Does g_0 leak?", "No: g_0(t) is the signal. Only the taps behind it mix."),
            ),
        ),
    ),
    Exercise(
        "STEPS_PLAYED",
        "predict what checkpoints cost",
        "T / k + k",
        hints=(
            "How often is a step of the first segment played? And one of the last segment?",
            "Each step twice, but those of the last segment once.",
        ),
        slips=(
            Slip(
                "STEPS_PLAYED = 190",
                "STEPS_PLAYED = 200",
                "the last segment",
                (
                    "What has to be forgotten between the two passes over the last segment?",
                    "Nothing: it is played once.",
                ),
            ),
            Slip(
                "STEPS_PLAYED = 190",
                "STEPS_PLAYED = 100",
                "the second time",
                (
                    "Where do the steps of the first segment come from, when the error gets there?",
                    "They are played again.",
                ),
            ),
            Slip(
                "STEPS_PLAYED = 190",
                "STEPS_PLAYED = 110",
                "the number of segments",
                (
                    "How many segments are played again?",
                    "All but the last one, nine of them with ten steps each.",
                ),
            ),
            Slip(
                "STEPS_PLAYED = 190",
                "STEPS_PLAYED = 20",
                "what is counted",
                ("That is how much is kept, T / k + k. What is asked for?", "How many steps are PLAYED, forwards."),
            ),
        ),
    ),
    Exercise(
        "MEAN_DELAY",
        "predict how far a gamma memory reaches",
        "k / mu",
        hints=("From one tap to the next a signal takes 1 / mu steps on the average.", "The last tap is g_6."),
        slips=(
            Slip(
                "MEAN_DELAY = 18",
                "MEAN_DELAY = 21",
                "the number of the tap",
                ("How many taps does a signal have to pass to get from g_0 to g_6?", "Six, not seven."),
            ),
            Slip(
                "MEAN_DELAY = 18",
                "MEAN_DELAY = 2",
                "the factor mu",
                ("Is a memory that leaks slower or quicker?", "Slower: divide by mu."),
            ),
            Slip(
                "MEAN_DELAY = 18",
                "MEAN_DELAY = 6",
                "the factor mu",
                ("That is a delay line, mu = 1. What does a leak do?", "Each tap takes 1 / mu steps on average."),
            ),
        ),
    ),
]
