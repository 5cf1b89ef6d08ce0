"""Windows of truncated backpropagation through time: where they lie in a stream, and which costs they count."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.asked import asked, room_for
from ..autodiff.errors import users_level

Array = NDArray[Any]

LOSSES = {
    "new": "those of the steps since the last window, so that each is counted once",
    "window": "those of all its steps, counted again where windows overlap",
    "last": "that of its last step alone",
}
TAILS = {
    "flush": "the rest is a window too, and reaches back over k2 steps as all do",
    "short": "the rest is a window that begins where a whole one would have begun",
    "drop": "the rest gets no gradient",
}


@dataclass(frozen=True, slots=True)
class Windows:
    """Where windows lie in a sequence, and which costs they count.

    Attributes
    ----------
    k1 : int
        How many steps there are from one window's end to the next one's.
    k2 : int
        Over how many steps a window reaches.
    losses : {"new", "window", "last"}
        Whose costs a window counts.
    tail : {"flush", "short", "drop"}
        What becomes of the steps after the last window, if k1 does not divide their number.
    names : (str, str)
        What k1 and k2 are called in messages.

    Raises
    ------
    TypeError, ValueError
        If k1 or k2 is not an integer from 1 up, or an option has no such value.
    """

    k1: int
    k2: int
    losses: str = "new"
    tail: str = "flush"
    names: tuple[str, str] = ("k1", "k2")

    def __post_init__(self) -> None:
        for name, k in zip(self.names, (self.k1, self.k2), strict=True):
            if isinstance(k, bool) or not isinstance(k, int | np.integer):
                raise TypeError(f"{name}={k!r}: it is a number of time steps, an integer from 1 up")
            if k < 1:
                raise ValueError(f"{name}={k}: it is a number of time steps, an integer from 1 up")
        for name, table in (("losses", LOSSES), ("tail", TAILS)):
            one_of(name, getattr(self, name), table)

    def warn(self) -> Windows:
        """Warn of costs that get no gradient at all."""
        if self.k1 > self.k2 and self.losses != "last":
            warnings.warn(
                f"{self.names[0]}={self.k1} is more than {self.names[1]}={self.k2}: {self.k1 - self.k2} of every "
                f"{self.k1} losses get no gradient at all, not even for the weights of the output. "
                f"Choose {self.names[1]} >= {self.names[0]}.",
                stacklevel=users_level(),
            )
        return self

    def fit(self, T: int) -> None:
        """Raise ValueError if the sequence ends before the first window."""
        if self.k1 > T:
            raise ValueError(
                f"{self.names[0]}={self.k1}, and the stream has {T} time steps: no window is longer than the stream. "
                f"{self.names[0]}={T} takes in all of it"
            )

    def depth(self, new: int) -> int:
        """Over how many steps the window reaches that has so many new ones."""
        if new == self.k1 or self.tail == "flush":
            return self.k2
        return max(self.k2 - (self.k1 - new), min(self.k2, new))

    def counted(self, new: int) -> int:
        """How many costs such a window counts, its newest ones."""
        return new if self.losses == "new" else self.depth(new) if self.losses == "window" else 1

    def over(self, T: int) -> Iterator[tuple[range, int]]:
        """The ends of the windows over T steps, and how many new steps each of them has."""
        yield range(self.k1, T + 1, self.k1), self.k1
        if T % self.k1 and self.tail != "drop":
            yield range(T, T + 1), T % self.k1


def one_of(name: str, given: Any, table: Mapping[str, str]) -> None:
    """Raise ValueError if an option is none of those there are; `table` says what each means."""
    if not isinstance(given, str) or given not in table:
        listed = "; ".join(f"{key!r}: {what}" for key, what in table.items())
        raise ValueError(f"{name}={given!r}: it is one of {listed}")


@asked
def truncation_mask(T: int, *, k1: int, k2: int, losses: str = "new", tail: str = "flush") -> Array:
    """How often each pair of a cost and a copy is counted, (T, T): row t - 1 is that of the cost at t.

    The gradient of TBPTT(k1, k2) with weights that stay as they are is the sum of this mask times `influence`.

    Parameters
    ----------
    T : int
        How many time steps there are.
    k1, k2, losses, tail
        As in `truncated`.

    Raises
    ------
    TypeError, ValueError
        As `truncated`; and if T is not an integer from 1 up.
    """
    if isinstance(T, bool) or not isinstance(T, int | np.integer) or T < 1:
        raise ValueError(f"T={T!r}: the number of time steps is an integer from 1 up")
    windows = Windows(k1, k2, losses, tail)
    windows.fit(int(T))
    room_for("the mask", (T, T), "take fewer steps")
    mask = np.zeros((T, T), int)
    for ends, new in windows.over(T):
        for last in ends:
            first = max(1, last - windows.depth(new) + 1)
            for t in range(max(first, last - windows.counted(new) + 1), last + 1):
                mask[t - 1, first - 1 : t] += 1
    return mask
