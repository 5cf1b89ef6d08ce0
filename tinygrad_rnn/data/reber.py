"""Reber's grammar: strings whose next letter is in part chance, and in part known from long before."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..autodiff.asked import asked, counted
from .tasks import MOST, Sequences

LETTERS = "BTPSXVE"

# node -> the letters that may follow, with the node each leads to; a string begins with B and ends with E.
ARROWS = {
    0: {"T": 1, "P": 2},
    1: {"S": 1, "X": 3},
    2: {"T": 2, "V": 4},
    3: {"X": 2, "S": 5},
    4: {"P": 3, "V": 5},
    5: {"E": 6},
}
END = 6


@asked
def reber(B: int, *, rng: int | np.random.Generator, embedded: bool = True, distinct: bool = False) -> Sequences:
    """Strings of Reber's grammar: each letter tells the next.

    The embedded ones have T or P in the second place, a string of the grammar, and the same letter again before the
    last: to know it, one has to remember it all the way.

    Parameters
    ----------
    B : int
        How many strings.
    rng : int or numpy.random.Generator
        A seed, or where random numbers come from.
    embedded : bool
        Whether each stands within such a frame.
    distinct : bool
        Whether no string may come twice, as for strings to learn and others to be tested with.

    Returns
    -------
    Sequences
        x and d, (T, B, 7), of the letters B, T, P, S, X, V, E; `mask`, as lengths differ; `allowed`, the letters that
        could have come.

    Raises
    ------
    ValueError
        If B is below 1, there is no room for so many, or so many distinct ones are not met with.

    Notes
    -----
    Source: Reber (1967); embedded, Fahlman (1991), and Hochreiter and Schmidhuber (1997), task 1.
    """
    B, rng = counted("B", B, 1), np.random.default_rng(rng)
    if 8 * 7 * 20 * B > MOST:
        raise ValueError(f"B={B:.6g}: x would have more than {MOST / 2**30:.0f} GiB; ask for less")
    drawn: list[ReberString] = []
    met: set[str] = set()
    for _ in range(100 * B + 1000):
        one = _embedded(rng) if embedded else _inner(rng)
        if not (distinct and one.letters in met):
            drawn.append(one)
            met.add(one.letters)
        if len(drawn) == B:
            return _sequences(drawn)
    raise ValueError(f"B={B}: so many distinct strings are not met with in {100 * B + 1000:,}; ask for fewer")


class ReberString(NamedTuple):
    """A string, and for each of its letters but the first those that could have stood there."""

    letters: str
    allowed: list[str]


def _inner(rng: np.random.Generator) -> ReberString:
    letters, allowed, node = "B", [], 0
    while node != END:
        choices = "".join(ARROWS[node])
        letter = choices[int(rng.integers(len(choices)))]
        letters, node = letters + letter, ARROWS[node][letter]
        allowed.append(choices)
    return ReberString(letters, allowed)


def _embedded(rng: np.random.Generator) -> ReberString:
    frame, inner = "TP"[int(rng.integers(2))], _inner(rng)
    return ReberString(f"B{frame}{inner.letters}{frame}E", ["TP", "B", *inner.allowed, frame, "E"])


def _sequences(drawn: list[ReberString]) -> Sequences:
    T = max(len(one.allowed) for one in drawn)
    x, d, mask = np.zeros((T, len(drawn), 7)), np.zeros((T, len(drawn), 7)), np.zeros((T, len(drawn)))
    allowed = np.zeros(d.shape, dtype=bool)
    for p, one in enumerate(drawn):
        places = [LETTERS.index(letter) for letter in one.letters]
        steps = np.arange(len(places) - 1)
        x[steps, p, places[:-1]] = d[steps, p, places[1:]] = mask[steps, p] = 1
        for t, letters in enumerate(one.allowed):
            allowed[t, p, [LETTERS.index(letter) for letter in letters]] = True
    return Sequences(x, d, mask=mask, allowed=allowed)
