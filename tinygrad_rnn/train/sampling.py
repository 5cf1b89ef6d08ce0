"""Sampling: a text written by a network, character by character, each drawn from what it expects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.asked import asked, counted
from ..autodiff.calling import shortened
from ..data import DataError
from ..unfold.recipe import Cell
from .running import Running

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """A text that a network has written.

    Attributes
    ----------
    prime, text : str
        What it was given to begin with, and what it has written behind that.
    log_probability : float
        ln of the probability that the network gives to the text, whatever the temperature was.
    skipped : tuple of str
        Characters of the prime that the alphabet has not, where they were to be skipped.
    """

    prime: str
    text: str
    log_probability: float
    skipped: tuple[str, ...] = ()

    @property
    def price(self) -> float:
        """Nats a character, as the cost is in training."""
        return -self.log_probability / len(self.text)

    def __str__(self) -> str:
        return self.prime + self.text


@asked
def sample(
    cell: Cell,
    params: Mapping[str, Any],
    alphabet: str | Sequence[str],
    *,
    length: int = 500,
    prime: str = "",
    temperature: float = 1.0,
    rng: int | np.random.Generator = 0,
    unknown: str = "refuse",
) -> Sample:
    """Let a network write.

    Parameters
    ----------
    cell, params
        The network: it reads one-hot rows of the alphabet, and its output is the softmax of what comes next.
    alphabet : str or sequence of str
        The character of each of its inputs and outputs.
    length : int
        How many characters to write.
    prime : str
        What the network is given to read first. Without it, its first character is drawn from all of them equally.
    temperature : float
        What the softmax's net inputs are divided by: 0 takes the likeliest character each time, 1 draws them as the
        network expects them, and the larger it is, the more alike they are; infinity draws all equally.
    rng : int or numpy.random.Generator
        A seed, or where random numbers come from.
    unknown : {"refuse", "skip"}
        What to do with characters of the prime that the alphabet has not.

    Returns
    -------
    Sample
        The text, and how likely the network finds it.

    Raises
    ------
    ValueError
        If the prime has a character that the alphabet has not, which is named with its place; if the alphabet has not
        as many characters as the network has outputs, or one twice; if a number or word is out of its range, or the
        network's output is no softmax or is not finite.
    ShapeError, TypeError
        See `unfold`.
    """
    how: dict[str, Any] = {"prime": prime, "temperature": temperature, "rng": rng, "unknown": unknown}
    return Writing(cell, params, alphabet, length=length, **how).whole()


class Writing:
    """A text that is being written: an iterator over its characters, which keeps none of them.

    Parameters
    ----------
    cell, params, alphabet, length, prime, temperature, rng, unknown
        See `sample`, also for what is refused.

    Attributes
    ----------
    prime : str
        What the network is given to begin with.
    skipped : tuple of str
        Characters of the prime that the alphabet has not.
    length, written : int
        How many characters there will be, and are.
    log_probability : float
        Of what is written.
    """

    @asked
    def __init__(
        self,
        cell: Cell,
        params: Mapping[str, Any],
        alphabet: str | Sequence[str],
        *,
        length: int,
        prime: str = "",
        temperature: float = 1.0,
        rng: int | np.random.Generator = 0,
        unknown: str = "refuse",
    ) -> None:
        self._symbols = _alphabet(alphabet)
        self.length = counted("length", length, 1, 2**31 - 1)
        if isinstance(temperature, bool) or not temperature >= 0:
            raise ValueError(
                f"temperature={shortened(temperature)}: it must be a number from 0 up; infinity is one too"
            )
        self._temperature = temperature
        self._reads, self.skipped = _places(prime, self._symbols, unknown)
        self.prime = "".join(self._symbols[k] for k in self._reads)
        self._rng, self._running = np.random.default_rng(rng), Running(cell, params, before_softmax=True)
        self.written, self.log_probability = 0, 0.0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.written == self.length:
            raise StopIteration
        place, log_p = self._drawn() if self._reads else self._first()
        self._reads = [place]
        self.written += 1
        self.log_probability += log_p
        return self._symbols[place]

    @property
    def price(self) -> float:
        """Nats a character, of those that are written."""
        return -self.log_probability / self.written

    def whole(self) -> Sample:
        """All of it, written to its end."""
        text = "".join(self)
        return Sample(self.prime, text, self.log_probability, self.skipped)

    def _first(self) -> tuple[int, float]:
        """The first character, if there was no prime, and ln of its probability."""
        rows = len(self._symbols)
        return int(self._rng.integers(rows)), -float(np.log(rows))

    def _drawn(self) -> tuple[int, float]:
        """What follows what is read, and ln of the probability that the network gives to it."""
        rows = len(self._symbols)
        net = self._running(_one_hot(self._reads, rows))[-1].astype(float)
        if len(net) != rows:
            raise ValueError(f"the alphabet has {rows} characters, and the network {len(net)} outputs: one for each")
        if not np.isfinite(net).all():
            raise ValueError(
                f"the network's output after {len(self.prime) + self.written} characters is not finite: were its "
                "weights learnt with too large steps?"
            )
        place = drawn_from(net, self._temperature, self._rng)
        return place, float(net[place] - net.max() - np.log(np.exp(net - net.max()).sum()))


def _alphabet(alphabet: Iterable[Any]) -> list[str]:
    symbols = list(alphabet)
    if not symbols or not all(isinstance(one, str) and len(one) == 1 for one in symbols):
        raise ValueError(f"alphabet={shortened(alphabet)}: it must be characters, one for each output of the network")
    if len({*symbols}) < len(symbols):
        twice = next(one for k, one in enumerate(symbols) if one in symbols[:k])
        raise ValueError(f"alphabet: {twice!r} stands in it twice")
    return symbols


def _places(prime: str, symbols: Sequence[str], unknown: str) -> tuple[list[int], tuple[str, ...]]:
    if unknown not in ("refuse", "skip"):
        raise ValueError(f"unknown={shortened(unknown)}: it must be 'refuse' or 'skip'")
    known = {one: k for k, one in enumerate(symbols)}
    skipped = tuple(one for one in prime if one not in known)
    if skipped and unknown == "refuse":
        place = prime.index(skipped[0]) + 1
        raise DataError(
            f"prime: its character {place}, {skipped[0]!r}, is not among the {len(symbols)} that the network knows",
            {"unknown": "skip"},
        )
    return [known[one] for one in prime if one in known], skipped


def _one_hot(places: Sequence[int], rows: int) -> Array:
    x = np.zeros((len(places), rows))
    x[np.arange(len(places)), places] = 1
    return x


def drawn_from(net: Array, temperature: float, rng: np.random.Generator) -> int:
    """One of the places, with the probabilities of softmax(net / temperature)."""
    below = net - net.max()  # so that nothing overflows, however small the temperature is
    if temperature == 0:
        return int(np.argmax(net))
    with np.errstate(over="ignore", under="ignore"):
        up_to = np.cumsum(np.exp(below / temperature))
    drawn = min(rng.random() * up_to[-1], np.nextafter(up_to[-1], 0))  # the product may be rounded up to the whole
    return int(np.searchsorted(up_to, drawn, side="right"))
