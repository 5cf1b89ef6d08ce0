"""What is learned from a series: from each row what the target is some steps ahead, in numbers of a good size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import Table
from ..through_time.pieces import Pieces
from . import scaling
from .baselines import Autoregression, Baseline, Seasonal, autoregression
from .parts import parts
from .rows import side_by_side
from .settings import Settings

Array = NDArray[Any]

MOST = 2000  # rows that an autoregression is fitted on, and told by: it takes a part of a second
WARM = 1000  # rows before a part that are read without being paid for: the state comes from there


class SeriesTask:
    """A series to be learned.

    Parameters
    ----------
    data : Table
        The series.
    settings : Settings
        The run's.

    Attributes
    ----------
    n_in, n_out : int
        How many columns are read, and told.
    x, d : ndarray, (T, B, n_in) and (T, B, n_out)
        The training part in rows, scaled, and what is to be told.
    inputs, targets : Scaler
        How both were scaled, by the training part alone.
    loss : str
        What a step pays.
    head : str
        What the output must be.
    unit : str
        What a price is in.
    price : float
        What it is of a step's cost, in one row: squared errors are halved there, and those of all targets summed.

    Raises
    ------
    ValueError
        If the series is too short for the rows, the windows and the horizon.
    """

    loss, unit, head = "squared_error", "mean squared error, scaled", "identity"

    def __init__(self, data: Table, settings: Settings) -> None:
        self.data, self.settings = data, settings
        self.n_in, self.n_out = len(data.columns), len(data.target)
        self.price = 2 / self.n_out
        self.parts = parts(len(data.values), settings.validate, settings.test)
        known, ahead = self.parts.validation, settings.horizon
        if known < 2:
            raise ValueError(f"of {len(data.values)} rows {known} are left to learn from: take a longer series")
        values, told = (unseen(numbers, gaps, known) for numbers, gaps in self._numbers())
        self.inputs, self.targets = (scaling.scaler(settings.scale, each[:known]) for each in (values, told))
        with np.errstate(over="ignore"):  # of what is too large for the type
            self.values = self.inputs.there(values).astype(settings.dtype)
            self.told = self.targets.there(told).astype(settings.dtype)
        if not (np.isfinite(self.values).all() and np.isfinite(self.told).all()):
            raise ValueError(
                f"scale={settings.scale!r}: there are numbers that are too large for {settings.dtype}: choose another "
                "scale, or dtype='float64'"
            )
        rows = [side_by_side(each[:known], settings.batch) for each in (self.values, self.told)]
        if len(rows[0]) - ahead < settings.k1:
            raise ValueError(
                f"{known:,} rows are left to learn from, {len(rows[0])} in each of batch={settings.batch}: "
                f"a window of k1={settings.k1}, with horizon={ahead}, needs {settings.k1 + ahead}. "
                "Choose a smaller k1, batch or horizon, or a longer series"
            )
        self.x, self.d = rows[0][:-ahead], rows[1][ahead:]
        for name in ("validate", "test"):
            begin, end = self.parts.of(name)
            if getattr(settings, name) and (end == begin or begin < ahead):
                raise ValueError(
                    f"{name}={getattr(settings, name)}: there is no row in it that could be told; take more"
                )

    def _numbers(self) -> list[tuple[Array, Array]]:
        n = self.n_in
        return [(self.data.values, self.data.gaps[:, :n]), (self.data.targets, self.data.gaps[:, n:])]

    def places(self, part: str) -> int:
        """How many windows an evaluation plays."""
        begin, end = self._rows(part)
        return -(-(end - begin) // self.settings.k1)

    def _rows(self, part: str) -> tuple[int, int]:
        """The inputs that are read for a part: those whose targets lie in it, and some before."""
        begin, end = self.parts.of(part)
        return max(0, begin - self.settings.horizon - WARM), end - self.settings.horizon

    def told_in(self, nets: Pieces, rest: Pieces, part: str) -> Array:
        """What is told of each row of a part, scaled; the state has read the rows before, as they were.

        Parameters
        ----------
        nets, rest : Pieces
            The networks over whole blocks, and over the last one.
        part : {"validate", "test"}
            Of which part.
        """
        begin, end = self._rows(part)
        k, ahead, found = self.settings.k1, self.settings.horizon, []
        state = nets.cell.initial_state(nets.params, 1)  # type: ignore[attr-defined]  # one of ours
        for first in range(begin, end, k):
            inside = slice(first, min(first + k, end))
            x = self.values[inside, None]
            d = self.told[inside.start + ahead : inside.stop + ahead, None]
            net = (nets if len(x) == k else rest).over(x, d, state)
            found += [y.value[0].copy() for y in net.outputs]
            state = net.last_state
        first, last = self.parts.of(part)
        return np.stack(found)[-(last - first) :]

    def evaluated(self, nets: Pieces, rest: Pieces, part: str) -> float:
        """The mean squared error of a part, in scaled numbers."""
        begin, end = self.parts.of(part)
        errors = self.told_in(nets, rest, part).astype(float) - self.told[begin:end]
        return float((errors**2).mean())

    def as_words(self) -> dict[str, Any]:
        """What of the data the run has to know beside them."""
        return {
            "columns": list(self.data.columns),
            "target": list(self.data.target),
            "inputs": self.inputs.as_words(),
            "targets": self.targets.as_words(),
        }

    def same_as(self, words: Mapping[str, Any]) -> bool:
        """Whether data that were read once more are what the run was begun with."""
        return dict(words) == self.as_words()

    def lines(self) -> list[str]:
        """What is to be known before it begins."""
        lines = [f"rows: {self.parts}; the parts follow each other in time"]
        names = ", ".join(self.data.target)
        lines.append(f"told: {names}, {self.settings.horizon} step{'s' * (self.settings.horizon > 1)} ahead")
        begin, end = self.parts.of("validate")
        if end > begin:
            prices = {"the last value": self.paid_by([Seasonal()] * self.n_out, "validate")}
            if end - begin <= MOST:
                fitted = self.fitted(MOST)
                name = f"autoregression ({', '.join(str(each.order) for each in fitted)})"
                prices[name] = self.paid_by(fitted, "validate")
            said = ", ".join(f"{price:.4g} by {name}" for name, price in prices.items())
            lines.append(f"without a network the validation part costs {said} ({self.unit})")
        return lines

    def fitted(self, most: int) -> list[Autoregression]:
        """An autoregression of each target, fitted on the last rows of the training part, `most` or fewer."""
        begin, end = max(0, self.parts.validation - most), self.parts.validation
        return [autoregression(column) for column in self.told[begin:end].astype(float).T]

    def paid_by(self, baselines: Sequence[Baseline], part: str) -> float:
        """What a part costs who tells each target so; the first rows, which nobody can tell so far ahead, are free."""
        begin, end = self.parts.of(part)
        begin = max(begin, self.settings.horizon)
        told = self.told[:end].astype(float)
        errors = [
            baseline.ahead(column, begin, end, self.settings.horizon) - column[begin:end]
            for baseline, column in zip(baselines, told.T, strict=True)
        ]
        return float(np.mean(np.square(errors)))


def unseen(numbers: Array, gaps: Array, known: int) -> Array:
    """The numbers with gaps at the end of the training part filled from before them.

    Where a gap reaches over the end, what it was filled with may have been made of the value behind it, which nobody
    who trains may know.
    """
    numbers = numbers.copy()
    for column in range(numbers.shape[1]):
        there = np.flatnonzero(~gaps[:known, column])
        if not len(there):
            raise ValueError(f"in the training part, the first {known} rows, a column has no value at all")
        numbers[there[-1] : known, column] = numbers[there[-1], column]
    return numbers
