"""Forecasting: what a network tells of a series, one step ahead and on its own, beside what costs nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.asked import asked, counted
from ..autodiff.calling import shortened
from ..data import Table
from ..unfold.recipe import Cell
from .baselines import Autoregression, Average, Baseline, Seasonal, autoregression, season_of
from .measures import mase, nmse, rmse
from .running import Running
from .scaling import Scaler
from .series import unseen

Array = NDArray[Any]

NETWORK = "network"
MOST = 10**7  # steps that are told


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What one forecaster tells, in the data's unit.

    Attributes
    ----------
    name : str
        Who.
    ahead : ndarray of shape (n, k)
        Each row from the true ones before it, as far as there are rows to compare with.
    free : ndarray of shape (steps, k), or None
        All rows from the true ones before the first, and from its own since; None if the network has inputs that it
        does not tell.
    """

    name: str
    ahead: Array
    free: Array | None


@dataclass(frozen=True, slots=True)
class Score:
    """How wrong a forecaster is in one column; a measure is NaN where it cannot be."""

    name: str
    column: str
    how: str  # "ahead" or "free"
    nmse: float
    mase: float
    rmse: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Forecast:
    """What a network tells from some row on, and what others tell who have learnt nothing, or little.

    Attributes
    ----------
    start, horizon : int
        How many rows were known, and how many steps ahead the network tells.
    columns : tuple of str
        What is told.
    true : ndarray of shape (n, k)
        What came, as far as the data go: n is `steps` or less.
    network : Told
        The network's forecast.
    baselines : tuple of Told
        The others', all of them fitted on what was trained on.
    scores : tuple of Score
        All of them compared with what came.
    remarks : tuple of str
        What is bad or odd about it, in words.
    """

    start: int
    horizon: int
    columns: tuple[str, ...]
    true: Array
    network: Told
    baselines: tuple[Told, ...]
    scores: tuple[Score, ...]
    remarks: tuple[str, ...]

    def score(self, name: str = NETWORK, how: str = "ahead", column: str | None = None) -> Score:
        """One of the scores; of the first column unless one is named.

        Raises
        ------
        KeyError
            If there is none.
        """
        column = self.columns[0] if column is None else column
        for one in self.scores:
            if (one.name, one.how, one.column) == (name, how, column):
                return one
        known = ", ".join(dict.fromkeys(one.name for one in self.scores))
        raise KeyError(f"no score of {name!r}, {how!r}, {column!r}: there are those of {known}, 'ahead' or 'free'")

    def __repr__(self) -> str:
        """The scores as a table, and what is to be said of them."""
        step = "one step ahead" if self.horizon == 1 else f"{self.horizon} steps ahead"
        lines = []
        for column in self.columns:
            for how, said in (("ahead", step), ("free", "on its own, from its own outputs")):
                rows = [one for one in self.scores if one.how == how and one.column == column]
                if not rows:
                    continue
                rows_told = f"{len(self.true)} row{'s' * (len(self.true) != 1)} from {self.start} on"
                lines += [f"{column}, {said}, {rows_told}", f"{'':14}{'NMSE':>10}{'MASE':>10}{'RMSE':>12}"]
                lines += [f"{one.name:14}{one.nmse:10.4g}{one.mase:10.4g}{one.rmse:12.5g}" for one in rows]
        return "\n".join([*lines, *self.remarks])


@asked
def forecast(
    cell: Cell,
    params: Mapping[str, Any],
    values: Any,
    *,
    start: int,
    steps: int = 100,
    targets: Any = None,
    columns: Sequence[str] | None = None,
    target: Sequence[str] | None = None,
    scale: tuple[Any, Any] | None = None,
    target_scale: tuple[Any, Any] | None = None,
    horizon: int = 1,
    trained: int | None = None,
    season: int | None = None,
    order: int | str = "aic",
    variance: float | None = None,
) -> Forecast:
    """Tell a series from some row on, and say how wrong that is.

    The network reads the rows before, as they are, from its initial state on. Then it tells each row twice: from the
    true rows before it, and from what it has told itself since, which is what a forecast of an unknown future is.

    Parameters
    ----------
    cell, params
        The network: it reads row t, scaled, and its output is what is told of row t + horizon, scaled.
    values : array_like, (N, n)
        The rows, in their own unit.
    start : int
        How many rows are known; what comes behind is told, and only compared with.
    steps : int
        How many rows are told. There may be fewer behind `start`, or none.
    targets : array_like, (N, k), optional
        What is told of each row; the values unless given.
    columns, target : sequence of str, optional
        The names of the columns of both. What is told under the name of a column is read there on the network's own.
    scale, target_scale : pair of array_like, optional
        How the columns of both were scaled, ``(value - middle) / spread``: middle and spread, each a number or one for
        each column. Without `targets`, the second is the first.
    horizon : int
        How many steps ahead the network tells.
    trained : int, optional
        How many rows were trained on: the baselines are fitted on these; on all that are known unless given.
    season : int, optional
        How many steps a season has, all of them known to who tells the first row; found in the rows that were trained
        on unless given.
    order : int or "aic"
        How many values the autoregression reads, see `autoregression`.
    variance : float, optional
        What to divide by in the NMSE, see `nmse`.

    Returns
    -------
    Forecast
        Both forecasts, those of the baselines, and scores.

    Raises
    ------
    ValueError
        If a number is out of its range, names or scales do not fit, or the series has gaps, or is too short.
    ShapeError, TypeError
        See `unfold`.
    """
    for what, given in (("target", target), ("target_scale", target_scale)):
        if targets is None and given is not None:
            raise ValueError(f"{what}={shortened(given)} is of targets, and there are none: pass targets too")
    x = _rows("values", values)
    d = x if targets is None else _rows("targets", targets)
    if len(x) != len(d):
        raise ValueError(f"values has {len(x)} rows, and targets {len(d)}: they must be as many")
    reads = _names("columns", columns, x.shape[1], "column")
    tells = reads if targets is None else _names("target", target, d.shape[1], "target")
    horizon, steps = counted("horizon", horizon, 1, MOST), counted("steps", steps, 1, MOST)
    if len(x) < (least := max(3, horizon)):
        raise ValueError(f"the series has {len(x)} rows, and at least {least} must be known: give a longer one")
    start = counted("start", start, least, len(x))
    trained = start if trained is None else counted("trained", trained, 3, start)
    longest = min(trained - 1, start - horizon + 1)  # a season lies behind who tells the first row
    if season is not None:
        season = counted("season", season, 1, longest)
    inside = _scaler("scale", scale, x.shape[1])
    outside = inside if targets is None else _scaler("target_scale", target_scale, d.shape[1])
    true = d[start : start + steps]
    count = "1 row is" if len(true) == 1 else f"{len(true) or 'no'} rows are"
    remarks = [f"{count} there to compare with, of {steps} that are told"] if len(true) < steps else []
    again = [tells.index(name) for name in reads if name in tells] if reads != tells else list(range(len(tells)))
    if len(again) < len(reads):
        missing = next(name for name in reads if name not in tells)
        remarks.append(f"the network reads {missing!r}, which it does not tell: it cannot go on on its own")
    network = _network(
        Running(cell, params),
        inside.there(x),
        (start, start + len(true), steps, horizon),
        outside,
        (lambda y: inside.there(y[again])) if len(again) == len(reads) else None,
    )
    told_by = [_baselines(d[:trained, k], season, longest, order) for k in range(len(tells))]
    others = [_by_baseline(same, d, start, len(true), steps, horizon) for same in zip(*told_by, strict=True)]
    if all(same[1].season == 1 for same in told_by):  # it is the last value once more
        del others[1]
    scores = []
    for k, column in enumerate(tells if len(true) else ()):
        for how in ("ahead", "free"):
            for told in (network, *others):
                y = told.ahead if how == "ahead" else told.free
                if y is not None:
                    known = d[:trained, k], told_by[k][1].season
                    scores.append(
                        Score(told.name, column, how, *_measured(true[:, k], y[: len(true), k], *known, variance))
                    )
    found = Forecast(start, horizon, tells, true, network, tuple(others), tuple(scores), ())
    return replace(found, remarks=(*remarks, *_weaknesses(found)))


def told_of(
    cell: Cell, params: Mapping[str, Any], table: Table, scalers: tuple[Scaler, Scaler], start: int, **how: Any
) -> Forecast:
    """The same of a table, as a run has scaled it.

    A gap before `start` is filled with what was before it: what a table fills it with may be made of what comes later.
    """
    n = table.values.shape[1]
    values, targets = table.values, table.targets
    trained = how.get("trained")
    for known in (trained, start):
        if isinstance(known, int) and 0 < known <= len(values):
            values = unseen(values, table.gaps[:, :n], known)
            targets = unseen(targets, table.gaps[:, n:], known)
    inputs, outputs = scalers
    found = forecast(
        cell,
        params,
        values,
        start=start,
        targets=targets,
        columns=table.columns,
        target=table.target,
        scale=(inputs.shift, inputs.size),
        target_scale=(outputs.shift, outputs.size),
        **how,
    )
    gaps = int(table.gaps[start : start + len(found.true)].any(axis=1).sum())
    if not gaps:
        return found
    said = f"{gaps} of the rows to compare with had gaps: what they were filled with may be made of later values"
    return replace(found, remarks=(said, *found.remarks))


def _network(
    running: Running,
    x: Array,
    rows: tuple[int, int, int, int],
    scaler: Scaler,
    as_input: Callable[[Array], Array] | None,
) -> Told:
    """What the network tells; `as_input` makes of it what the network reads."""
    start, stop, steps, horizon = rows
    known = running(x[:start])[-horizon:]
    if known.shape[1] != len(scaler.shift):
        raise ValueError(f"the network has {known.shape[1]} outputs, and {len(scaler.shift)} columns are to be told")
    state, ahead = running.state, known[: stop - start]
    if stop - start > horizon:
        ahead = np.concatenate([known, running(x[start : stop - horizon])])
    free = None
    if as_input is not None:
        running.state = state
        own = list(scaler.back(known.astype(float)))
        while len(own) < steps:
            (y,) = running(as_input(own[len(own) - horizon])[None])
            own.append(scaler.back(y.astype(float)))
        free = np.stack(own[:steps])
    ahead = scaler.back(ahead.astype(float))
    for y in (ahead, free):
        if y is not None and not np.isfinite(y).all():
            raise ValueError("the network's output is not finite: were its weights learnt with too large steps?")
    return Told(NETWORK, ahead, free)


def _baselines(
    train: Array, season: int | None, longest: int, order: int | str
) -> tuple[Seasonal, Seasonal, Autoregression, Average]:
    if season is None:
        found = season_of(train)
        season = found if found <= longest else 1
    return Seasonal(1), Seasonal(season), autoregression(train, order), Average(float(train.mean()))


def _by_baseline(same: Sequence[Baseline], d: Array, start: int, n: int, steps: int, horizon: int) -> Told:
    ahead = [b.ahead(d[:, k], start, start + n, horizon) for k, b in enumerate(same)]
    free = [b.on(d[:start, k], steps) for k, b in enumerate(same)]
    named = {str(b) for b in same}
    name = named.pop() if len(named) == 1 else type(same[0]).__name__.lower()
    return Told(name, np.stack(ahead, axis=1), np.stack(free, axis=1))


def _measured(d: Array, y: Array, train: Array, season: int, variance: float | None) -> tuple[float, float, float]:
    """NMSE, MASE and RMSE: infinite of what has left all bounds, NaN where there is nothing to divide by."""
    if not np.isfinite(y).all() or np.abs(y).max() > 1e150:
        return math.inf, math.inf, math.inf
    differs = variance is not None or np.ptp(d) > 0
    changes = (train[season:] != train[:-season]).any()
    return (
        nmse(d, y, variance=variance) if differs else math.nan,
        mase(d, y, train, season=season) if changes else math.nan,
        rmse(d, y),
    )


def _weaknesses(found: Forecast) -> list[str]:
    """Where the network is no better than what costs nothing."""
    said = []
    for mine in (one for one in found.scores if one.name == NETWORK):
        others = [one for one in found.scores if (one.how, one.column) == (mine.how, mine.column) and one is not mine]
        better = [one for one in others if one.rmse <= mine.rmse and mine.rmse > 0]  # without an error none is better
        where = (
            "on its own" if mine.how == "free" else "one step ahead" if found.horizon == 1 else f"{found.horizon} ahead"
        )
        at = f" at {mine.column!r}" if len(found.columns) > 1 else ""
        if mean := next((one for one in better if one.name == str(Average(0.0))), None):
            said.append(
                f"{where}, the network fails{at}: its RMSE is {mine.rmse:.4g}, and that of always telling the mean "
                f"{mean.rmse:.4g}"
            )
        elif better:
            names = ", ".join(f"{one.name} ({one.rmse:.4g})" for one in better)
            said.append(f"{where}, the network{at} is no better than {names}: its RMSE is {mine.rmse:.4g}")
    return said


def _rows(what: str, values: Any) -> Array:
    """Rows of numbers, (N, n); one column may be given as numbers in a row."""
    try:
        x = np.asarray(values, dtype=float)
    except (TypeError, ValueError, OverflowError):
        x = np.zeros(())
    x = x[:, None] if x.ndim == 1 else x
    if x.ndim != 2 or not x.size:
        raise ValueError(f"{what}={shortened(values)}: it must be rows of numbers, (N, n)")
    if not np.isfinite(x).all():
        row, column = np.argwhere(~np.isfinite(x))[0]
        raise ValueError(f"{what}[{row}, {column}] is not finite: fill gaps first, as tinygrad_rnn.data.table can")
    return x


def _names(what: str, names: Sequence[str] | None, count: int, called: str) -> tuple[str, ...]:
    found = [f"{called} {k + 1}" for k in range(count)] if names is None else list(names)
    if len(found) != count or not all(isinstance(name, str) for name in found):
        raise ValueError(f"{what}={shortened(names)}: it must be {count} names, one for each column")
    if len(set(found)) < count:
        raise ValueError(f"{what}={shortened(names)}: a name stands there twice, and what is told is read by its name")
    return tuple(found)


def _scaler(what: str, scale: tuple[Any, Any] | None, count: int) -> Scaler:
    """The scaler of so many columns, from middle and spread."""
    if scale is None:
        return Scaler(np.zeros(count), np.ones(count))
    try:
        middle, spread = (np.broadcast_to(np.asarray(part, dtype=float), (count,)) for part in scale)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f"{what}={shortened(scale)}: it must be middle and spread, each a number or {count}, one for each column"
        ) from None
    if not (np.isfinite(middle).all() and np.isfinite(spread).all() and (spread > 0).all()):
        raise ValueError(f"{what}={shortened(scale)}: the spread must be above 0, and all of it finite")
    return Scaler(middle, spread)
