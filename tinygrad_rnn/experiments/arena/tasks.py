"""The tasks of the arena: what is to be learnt, what it is tested with, and the network that learns it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import data
from ...data import Sequences
from ...unfold import cells

Array = NDArray[Any]
WINDOW = 20  # steps of a piece of a series; each begins with the cell's own first state


LINEAR: dict[str, Any] = {"g": "identity", "loss": "squared_error"}  # what every task here is learnt with


@dataclass(frozen=True, eq=False)
class Task:
    """Something to learn, with a network for it.

    Attributes
    ----------
    name : str
        What it is called.
    cell : Cell
        The cell; its output is linear, and the cost the squared error.
    n_hidden : int
        Its hidden units.
    train, test : Sequences
        What is learnt, and what nobody learns from.
    """

    name: str
    cell: Any
    n_hidden: int
    train: Sequences = field(repr=False)
    test: Sequences = field(repr=False)

    def start(self, seed: int) -> dict[str, Array]:
        """The weights that every rival starts from."""
        sizes = self.train.x.shape[-1], self.n_hidden, self.train.d.shape[-1]
        params: dict[str, Array] = self.cell.init(*sizes, rng=seed)
        return params

    @property
    def on_line(self) -> bool:
        """Whether it can be learnt on-line: each step is paid for, in sequences of one length."""
        return self.train.losses is None and self.train.mask is None


def _linear() -> Any:
    return cells.Guo(f="tanh", g="identity")


def _windows(series: Array) -> Sequences:
    """Pieces of a series (n,), each value to be told from those before it in its piece."""
    count = (len(series) - 1) // WINDOW
    x, d = (part[: count * WINDOW].reshape(count, WINDOW).T[..., None] for part in (series[:-1], series[1:]))
    return Sequences(x, d, **LINEAR)


def _goes_on(series: Array, first: int) -> Sequences:
    """A series as one sequence, paid for from the value `first` on; what is before it only leads up to that."""
    x, d = series[:-1, None, None], series[1:, None, None]
    return Sequences(x, d, range(first, len(series)), **LINEAR)


def _series(name: str, values: Array, known: int, until: int, n_hidden: int, cell: Any) -> Task:
    """The values before `known` are learnt from, those from there on told one step ahead."""
    learnt = values[:known]
    scaled = (values - learnt.mean()) / learnt.std()
    lead = known - WINDOW
    return Task(name, cell, n_hidden, _windows(scaled[:known]), _goes_on(scaled[lead:until], known - lead))


def mackey_glass() -> Task:
    """The Mackey-Glass equation with tau 17, one step ahead: 501 values, tested on the 500 behind them."""
    return _series("Mackey-Glass", data.mackey_glass(1001)[:, 0], 501, 1001, 6, _linear())


def sunspots() -> Task:
    """Sunspots of 1700-1920, a year ahead; tested on 1921-2008."""
    return _series("sunspots", data.sunspots().values[:, 0], 221, 309, 4, _linear())


def laser() -> Task:
    """The first 1,000 intensities of the Santa Fe laser, one step ahead; tested on the 100 behind them."""
    return _series("laser", data.laser().values[:, 0].astype(float), 1000, 1100, 8, _linear())


def laser_in_two_layers() -> Task:
    """The same laser, told by a recurrent multilayer perceptron: two hidden layers, each with a U of its own."""
    cell = cells.Stacked(cells.Guo(f="tanh"), _linear())
    return _series("laser, 2 layers", data.laser().values[:, 0].astype(float), 1000, 1100, 5, cell)


def adding() -> Task:
    """The sum of two marked numbers among 20, said at the end: 100 sequences, tested on 1,000 others."""
    return Task("adding", _linear(), 8, data.adding(20, 100, rng=1), data.adding(20, 1000, rng=2))


def parity() -> Task:
    """Whether the number of ones is odd, said at the end: all strings of 8 bits, tested on 500 strings of 50."""
    every = (np.arange(256)[None, :] >> np.arange(8)[:, None]) & 1
    long = np.random.default_rng(3).integers(0, 2, (50, 500))
    return Task("parity", _linear(), 3, _signs(every), _signs(long))


def _signs(bits: Array) -> Sequences:
    """Bits (T, B) as -1 and 1, and whether their number is odd as the same."""
    x = 2.0 * bits[..., None] - 1
    return Sequences(x, 2.0 * (np.cumsum(bits, axis=0)[..., None] % 2) - 1, "last", **LINEAR)


def reber() -> Task:
    """The next letter of strings of the embedded Reber grammar: 50 strings, tested on 50 others."""
    strings = data.reber(100, rng=4, distinct=True)
    x, d, mask = strings.x, strings.d, np.asarray(strings.mask)
    parts = slice(50), slice(50, None)
    halves = (Sequences(x[:, part], d[:, part], mask=mask[:, part], **LINEAR) for part in parts)
    return Task("Reber", _linear(), 5, *halves)


TASKS: dict[str, Callable[[], Task]] = {
    "mackey_glass": mackey_glass,
    "sunspots": sunspots,
    "laser": laser,
    "laser_in_two_layers": laser_in_two_layers,
    "adding": adding,
    "parity": parity,
    "reber": reber,
}
SHIPPED = ("mackey_glass", "sunspots", "adding", "parity", "reber")  # the laser's data are a package of their own


@lru_cache(maxsize=len(TASKS))
def task(name: str) -> Task:
    """The task of that name, made once in a process."""
    return TASKS[name]()
