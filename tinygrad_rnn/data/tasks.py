"""Tasks that are drawn at random: sequences in which what is asked for stood long before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.asked import asked, counted

Array = NDArray[Any]

MOST = 2**34  # bytes of one array: more than most machines have


@dataclass(frozen=True, slots=True, eq=False)
class Sequences:
    """Sequences to learn, as `tinygrad_rnn.unfold` and `tinygrad_rnn.Network` take them.

    ``net(**task.arguments)`` hands on all four of them.

    Attributes
    ----------
    x : ndarray of shape (T, B, l)
        The inputs.
    d : ndarray of shape (T, B, o)
        The targets; 0 at steps that are not paid for.
    losses : "last", sequence of int, or None
        Which steps are paid for: each sequence's last one, those that are named, from 1 on, or all.
    mask : ndarray of shape (T, B), or None
        1 where a sequence has the step; None if all are of one length.
    g, loss : str
        The output's activation and the cost that belong to these targets.
    allowed : ndarray of bool, of shape (T, B, o), or None
        Which targets could have been, where the task leaves it to chance.
    """

    x: Array
    d: Array
    losses: str | Sequence[int] | None = None
    mask: Array | None = None
    g: str = "softmax"
    loss: str = "cross_entropy"
    allowed: Array | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """What a network is called with: x, d, losses and mask."""
        return {"x": self.x, "d": self.d, "losses": self.losses, "mask": self.mask}

    @property
    def paid(self) -> Array:
        """1 for each step of each sequence that is paid for, 0 elsewhere, (T, B)."""
        there = np.ones(self.x.shape[:2]) if self.mask is None else self.mask
        if self.losses is None:
            return there
        if isinstance(self.losses, str):  # behind the last step there are none
            return there * (np.cumsum(there[::-1], axis=0)[::-1] == 1)
        named = np.zeros((len(there), 1))
        named[[t - 1 for t in self.losses]] = 1
        return there * named

    @property
    def variance(self) -> float:
        """The mean squared distance of what is to be said from its mean, all outputs together."""
        said = self.d[self.paid > 0]
        return float(((said - said.mean(axis=0)) ** 2).sum(axis=1).mean())

    def __repr__(self) -> str:
        """Its sizes, and what is paid for."""
        (T, B, l), o = self.x.shape, self.d.shape[-1]
        named = f"{len(self.losses)} steps" if self.losses is not None else "every step"
        paid = "the last step" if self.losses == "last" else named
        lengths = "" if self.mask is None else f" of lengths up to {T}"
        return f"<{B} sequences{lengths}, x {(T, B, l)}, d {(T, B, o)}, {self.g}, {self.loss} of {paid}>"


@asked
def adding(T: int, B: int, *, rng: int | np.random.Generator) -> Sequences:
    """The adding problem: at the end, the sum of the two numbers that were marked is asked for.

    The inputs are a number from 0 to 1, and a mark that is 1 at two steps, one in each half. Who always says 1 has a
    squared error of 1/6 on average.

    Parameters
    ----------
    T, B : int
        The length of the sequences, at least 2, and how many.
    rng : int or numpy.random.Generator
        A seed, or where random numbers come from.

    Returns
    -------
    Sequences
        x (T, B, 2), d (T, B, 1).

    Raises
    ------
    ValueError
        If T or B is too small, or there is no room for so many.

    Notes
    -----
    Source: Hochreiter and Schmidhuber (1997), task 4, with numbers from 0 to 1 as in Le, Jaitly and Hinton (2015).
    """
    T, B, rng = _sizes(T, 2, B, 2, rng)
    x, d, samples = np.zeros((T, B, 2)), np.zeros((T, B, 1)), np.arange(B)
    x[:, :, 0] = rng.random((T, B))
    for half in (rng.integers(0, T // 2, B), rng.integers(T // 2, T, B)):
        x[half, samples, 1] = 1
        d[-1, :, 0] += x[half, samples, 0]
    return Sequences(x, d, "last", g="identity", loss="squared_error")


@asked
def temporal_order(T: int, B: int, *, rng: int | np.random.Generator) -> Sequences:
    """The temporal order problem: at the end one of four classes, by which of X and Y came first and which second.

    A sequence begins with E, ends with B, and has the letters a to d between, but for two places, in the second tenth
    and in the sixth, where X or Y stands: XX, XY, YX and YY are the classes.

    Parameters
    ----------
    T, B : int
        The length of the sequences, at least 10, and how many.
    rng : int or numpy.random.Generator
        A seed, or where random numbers come from.

    Returns
    -------
    Sequences
        x (T, B, 8), one of the letters E, B, a, b, c, d, X, Y at each step; d (T, B, 4).

    Raises
    ------
    ValueError
        If T or B is too small, or there is no room for so many.

    Notes
    -----
    Source: Hochreiter and Schmidhuber (1997), task 6a, with T = 100 to 110 there.
    """
    T, B, rng = _sizes(T, 10, B, 8, rng)
    letters, samples = rng.integers(2, 6, (T, B)), np.arange(B)
    letters[0], letters[-1] = 0, 1
    kind = rng.integers(0, 2, (2, B))
    for which, tenth in zip(kind, (1, 5), strict=True):
        letters[rng.integers(tenth * T // 10, (tenth + 1) * T // 10, B), samples] = 6 + which
    d = np.zeros((T, B, 4))
    d[-1, samples, 2 * kind[0] + kind[1]] = 1
    return Sequences(np.eye(8)[letters], d, "last")


@asked
def copy_memory(T: int, B: int, *, rng: int | np.random.Generator, symbols: int = 8, length: int = 10) -> Sequences:
    """The copy problem: some symbols, a long pause, and at a sign all of them are to be said again.

    Who forgets them says blanks and then guesses, which costs ``length ln(symbols) / (T + 2 length)`` a step.

    Parameters
    ----------
    T : int
        The pause, its last step being the sign, at least 1. The sequences have T + 2 length steps.
    B : int
        How many.
    rng : int or numpy.random.Generator
        A seed, or where random numbers come from.
    symbols, length : int
        How many different symbols there are, at least 2, and how many are to be kept.

    Returns
    -------
    Sequences
        x and d, (T + 2 length, B, symbols + 2): a symbol, the blank or the sign at each step.

    Raises
    ------
    ValueError
        If a size is too small, or there is no room for so many.

    Notes
    -----
    Source: Arjovsky, Shah and Bengio (2016), section 5.1, after Hochreiter and Schmidhuber (1997).
    """
    symbols, length = counted("symbols", symbols, 2), counted("length", length, 1)
    T, B, rng = _sizes(T, 1, B, symbols + 2, rng, more=2 * length)
    blank, sign = symbols, symbols + 1
    kept = rng.integers(0, symbols, (length, B))
    read, said = np.full((T + 2 * length, B), blank), np.full((T + 2 * length, B), blank)
    read[:length], said[-length:] = kept, kept
    read[length + T - 1] = sign
    rows = np.eye(symbols + 2)
    return Sequences(rows[read], rows[said])


@asked
def parity(T: int, B: int, *, rng: int | np.random.Generator) -> Sequences:
    """The parity problem: at the end, whether the number of ones was odd.

    Parameters
    ----------
    T, B : int
        The length of the sequences, and how many.
    rng : int or numpy.random.Generator
        A seed, or where random numbers come from.

    Returns
    -------
    Sequences
        x (T, B, 1), bits; d (T, B, 1), 1 where the bits so far have an odd sum. It is said for each step: to be paid
        for all of them, which is much easier, leave `losses` out.

    Raises
    ------
    ValueError
        If T or B is too small, or there is no room for so many.
    """
    T, B, rng = _sizes(T, 1, B, 1, rng)
    bits = rng.integers(0, 2, (T, B, 1))
    return Sequences(bits.astype(float), (np.cumsum(bits, axis=0) % 2).astype(float), "last", g="sigmoid")


def _sizes(
    T: int, shortest: int, B: int, l: int, rng: int | np.random.Generator, more: int = 0
) -> tuple[int, int, np.random.Generator]:
    T, B = counted("T", T, shortest), counted("B", B, 1)
    if 8 * (T + more) * B * l > MOST:
        raise ValueError(f"T={T:.6g}, B={B:.6g}: x would have more than {MOST / 2**30:.0f} GiB; ask for less")
    return T, B, np.random.default_rng(rng)
