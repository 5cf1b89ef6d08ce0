"""What is learned from a text: from each character the next one, and what is paid for it in nats."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import Text
from ..through_time.pieces import Pieces
from .baselines import bigram, unigram
from .parts import parts
from .rows import OneHot, side_by_side
from .settings import Settings

Array = NDArray[Any]

ROWS = 32  # that are read side by side when the price is asked for
MANY = 1000  # symbols, from which on the output is what costs


class TextTask:
    """A text to be learned.

    Parameters
    ----------
    data : Text
        The text.
    settings : Settings
        The run's.

    Attributes
    ----------
    n_in, n_out : int
        How many symbols there are.
    x, d : OneHot
        The training part in rows, and the same one character later.
    loss : str
        What a step pays.
    head : str
        What the output must be.
    unit : str
        What a price is in.
    price : float
        What it is of a step's cost, in one row.

    Raises
    ------
    ValueError
        If the text is too short for the rows and windows.
    """

    loss, unit, head = "cross_entropy", "nats a character", "softmax"
    price = 1.0

    def __init__(self, data: Text, settings: Settings) -> None:
        self.data, self.settings = data, settings
        self.n_in = self.n_out = len(data.alphabet)
        self.codes = encoded(data)
        self.parts = parts(len(self.codes), settings.validate, settings.test)
        table = side_by_side(self.codes[: self.parts.validation], settings.batch)
        if len(table) - 1 < settings.k1:
            raise ValueError(
                f"of the text {self.parts.validation:,} characters are left to learn from, {len(table)} in each of "
                f"batch={settings.batch} rows: a window of k1={settings.k1} needs {settings.k1 + 1}. Choose a smaller "
                "batch or k1, or a longer text"
            )
        one_hot = partial(OneHot, symbols=self.n_in, dtype=settings.dtype)
        self.x, self.d = one_hot(table[:-1]), one_hot(table[1:])
        for name in ("validate", "test"):
            begin, end = self.parts.of(name)
            if getattr(settings, name) and end - begin < 2:
                raise ValueError(
                    f"{name}={getattr(settings, name)}: of one character no next one can be told; take more"
                )

    def places(self, part: str) -> int:
        """How many windows an evaluation plays."""
        return -(-self._table(part).shape[0] // self.settings.k1)

    def evaluated(self, nets: Pieces, rest: Pieces, part: str) -> float:
        """The price of a character of a part; each row starts from the initial state.

        Parameters
        ----------
        nets, rest : Pieces
            The networks over whole blocks, and over the last one.
        part : {"validate", "test"}
            Of which part.
        """
        table, k = self._table(part), self.settings.k1
        state, paid = nets.cell.initial_state(nets.params, table.shape[1]), 0.0  # type: ignore[attr-defined]  # one of ours
        for first in range(0, len(table) - 1, k):
            piece = table[first : first + k + 1]
            x, d = (OneHot(codes, self.n_in, self.settings.dtype)[:] for codes in (piece[:-1], piece[1:]))
            net = (nets if len(x) == k else rest).over(x, d, state)
            paid += net.loss
            state = net.last_state
        return paid / (table.size - table.shape[1])

    def _table(self, part: str) -> Array:
        begin, end = self.parts.of(part)
        rows = min(ROWS, max(1, (end - begin) // (4 * self.settings.k1)))
        return side_by_side(self.codes[begin:end], rows)

    def as_words(self) -> dict[str, Any]:
        """What of the data the run has to know beside them."""
        return {"alphabet": list(self.data.alphabet)}

    def same_as(self, words: Mapping[str, Any]) -> bool:
        """Whether data that were read once more are what the run was begun with."""
        return list(words["alphabet"]) == list(self.data.alphabet)

    def lines(self) -> list[str]:
        """What is to be known before it begins."""
        lines = [f"characters: {self.parts}; the parts follow each other in time"]
        lines.append(
            f"ln K = {np.log(self.n_in):.3f} {self.unit} is the price of knowing nothing but the {self.n_in} symbols"
        )
        begin, end = self.parts.of("validate")
        if end - begin > 1 and self.parts.validation > 1:
            counted = self.counted("validate")
            lines.append(f"of the validation part, {counted[0]:.3f} by counting characters, {counted[1]:.3f} by pairs")
        if self.n_in > MANY:
            lines.append(
                f"NOTE: {self.n_in:,} symbols: the output costs more than all the rest; encoding=bytes has 256"
            )
        return lines

    def counted(self, part: str) -> tuple[float, float]:
        """What a character of a part costs who has counted characters, and pairs, in the training part."""
        known, paid = self.codes[: self.parts.validation], self.codes[slice(*self.parts.of(part))]
        return unigram(known, paid, self.n_in), bigram(known, paid, self.n_in)


def encoded(data: Text) -> Array:
    """The characters as numbers, by their place in the alphabet.

    Raises
    ------
    ValueError
        If the alphabet lacks one: a text that somebody has changed may have others than when it was read.
    """
    points = np.frombuffer(data.text.encode("utf-32-le", "surrogatepass"), np.uint32)
    known = np.array([ord(c) for c in data.alphabet], np.uint32)
    order = np.argsort(known)
    places = order[np.minimum(np.searchsorted(known[order], points), len(known) - 1)]
    if (strange := known[places] != points).any():
        place = int(np.argmax(strange))
        raise ValueError(
            f"data: character {place + 1:,} of the text is {data.text[place]!r}, which its alphabet has not"
        )
    return places
