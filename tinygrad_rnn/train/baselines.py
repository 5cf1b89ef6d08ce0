"""What costs nothing to know: what a network must be better than to have learnt anything.

Each is fitted on the data that it is given, which are those that were trained on, and sees nothing else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.asked import asked, counted
from ..autodiff.calling import shortened
from .measures import series

Array = NDArray[Any]

MOST_ORDERS = 40  # of autoregressions that are tried


@asked
def unigram(train: Any, test: Any, symbols: int) -> float:
    """The price of a symbol to who knows how often each comes, in nats.

    Parameters
    ----------
    train, test : array_like of int, (N,)
        The symbols, as whole numbers from 0 up: those that are counted, and those that are paid for.
    symbols : int
        How many there are. Each is counted once more than it came, so that what never came has a price.

    Returns
    -------
    float
        ``-mean ln p(symbol)`` over `test`.

    Raises
    ------
    ValueError
        If these are no such numbers.
    """
    train, test = _symbols("train", train, symbols), _symbols("test", test, symbols)
    counts = np.bincount(train, minlength=symbols) + 1.0
    return float(-np.log(counts / counts.sum())[test].mean())


@asked
def bigram(train: Any, test: Any, symbols: int) -> float:
    """The price of a symbol to who knows how often each comes behind each other one, in nats.

    Parameters
    ----------
    train, test : array_like of int, (N,)
        The symbols, as whole numbers from 0 up: those that are counted, and those that are paid for, two at least.
    symbols : int
        How many there are. Each pair is counted once more than it came.

    Returns
    -------
    float
        ``-mean ln p(symbol | the one before)`` over `test`, but for its first symbol.

    Raises
    ------
    ValueError
        If these are no such numbers.
    """
    train, test = _symbols("train", train, symbols), _symbols("test", test, symbols)
    if len(test) < 2:
        raise ValueError(f"test={shortened(test)}: there must be two symbols at least, as one tells the next")
    # Only the pairs that came are kept: of a large alphabet all of them would fill the memory.
    pairs, counts = np.unique(train[:-1].astype(np.int64) * symbols + train[1:], return_counts=True)
    asked_for = test[:-1].astype(np.int64) * symbols + test[1:]
    at = np.searchsorted(pairs, asked_for)
    came = np.zeros(len(asked_for))
    met = at < len(pairs)
    met[met] = pairs[at[met]] == asked_for[met]
    came[met] = counts[at[met]]
    of_first = np.bincount(train[:-1], minlength=symbols)[test[:-1]]
    return float(-np.log((came + 1) / (of_first + symbols)).mean())


def _symbols(what: str, values: Any, symbols: int) -> Array:
    counted("symbols", symbols, 1, 2**31)
    try:
        found = np.asarray(values)
    except ValueError:  # rows of several lengths
        found = np.zeros(())
    if found.ndim != 1 or not len(found) or found.dtype.kind not in "iu":
        raise ValueError(f"{what}={shortened(values)}: it must be whole numbers in a row, one for each symbol")
    if found.min() < 0 or found.max() >= symbols:
        raise ValueError(f"{what} goes from {found.min()} to {found.max()}, and there are {symbols} symbols, from 0 up")
    return found


class Baseline(ABC):
    """What tells a series without a network."""

    @abstractmethod
    def on(self, past: Array, steps: int) -> Array:
        """What comes behind the past, step by step, each told from the past and from what was told before.

        Parameters
        ----------
        past : ndarray of shape (N,)
            All that is known.
        steps : int
            How far.

        Returns
        -------
        ndarray of shape (steps,)
        """

    def ahead(self, x: Array, start: int, stop: int, horizon: int = 1) -> Array:
        """Each value of x[start:stop], told from those up to `horizon` steps before it.

        Returns
        -------
        ndarray of shape (stop - start,)
        """
        return np.array([self.on(x[: t - horizon + 1], horizon)[-1] for t in range(start, stop)])


@dataclass(frozen=True)
class Average(Baseline):
    """Tells the mean of what it was fitted on."""

    mean: float

    def on(self, past: Array, steps: int) -> Array:  # noqa: ARG002  it needs none
        """The mean, so many times."""
        return np.full(steps, self.mean)

    def __str__(self) -> str:
        return "mean"


@dataclass(frozen=True)
class Seasonal(Baseline):
    """Tells the value one season before; with a season of 1 step, the last value."""

    season: int = 1

    def on(self, past: Array, steps: int) -> Array:
        """The last season, again and again."""
        return np.resize(past[-self.season :], steps)

    def ahead(self, x: Array, start: int, stop: int, horizon: int = 1) -> Array:
        """The same for many rows at once: the values are there already, some steps before."""
        if start - horizon + 1 < self.season:
            return super().ahead(x, start, stop, horizon)
        shift = self.season * (1 + (horizon - 1) // self.season)
        return x[start - shift : stop - shift]

    def __str__(self) -> str:
        return "last value" if self.season == 1 else f"{self.season} before"


@dataclass(frozen=True)
class Autoregression(Baseline):
    """Tells ``constant + sum_i weights[i] x[t - 1 - i]``, see `autoregression`."""

    constant: float
    weights: tuple[float, ...]

    @property
    def order(self) -> int:
        """How many values it reads."""
        return len(self.weights)

    def on(self, past: Array, steps: int) -> Array:
        """Each value from those before it."""
        p, weights = self.order, np.array(self.weights[::-1])
        missing = np.full(max(0, p - len(past)), past[0])  # before the first value there was none
        x = np.concatenate([missing, past[max(0, len(past) - p) :], np.zeros(steps)])
        with np.errstate(over="ignore", invalid="ignore"):  # some grow without end
            for t in range(p, len(x)):
                x[t] = self.constant + weights @ x[t - p : t]
        return x[p:]

    def __str__(self) -> str:
        return f"AR({self.order})"


@asked
def autoregression(train: Any, order: int | str = "aic") -> Autoregression:
    """The linear autoregression of least squares.

    Parameters
    ----------
    train : array_like, (N,)
        What it is fitted on.
    order : int or "aic"
        How many values it reads; with ``"aic"`` as many, up to 40, as have the least criterion of Akaike, all orders
        being compared on the same rows.

    Returns
    -------
    Autoregression
        The constant and the weights, the last value's first.

    Raises
    ------
    ValueError
        If the order is neither, or there are not twice as many rows as are needed to tell its weights.
    """
    x = series("train", train)
    most = (len(x) - 2) // 3  # then two rows for each weight, the constant's too
    if isinstance(order, str) and order == "aic":
        most = max(0, min(MOST_ORDERS, most))
        order = min(range(most + 1), key=lambda p: _akaike(x, p, most))
    elif isinstance(order, bool) or not isinstance(order, int | np.integer) or order < 0:
        raise ValueError(f"order={shortened(order)}: it must be a whole number from 0 up, or 'aic'")
    elif order > max(0, most):
        raise ValueError(f"order={shortened(order)}: of {len(x)} rows at most {max(0, most)} weights can be told")
    constant, *weights = _least_squares(x, order, order)[0]
    return Autoregression(constant, tuple(weights))


def _least_squares(x: Array, order: int, skip: int) -> tuple[list[float], float]:
    """The constant and the weights that tell x[skip:] best, and the sum of squares that is left."""
    columns = [np.ones(len(x) - skip), *(x[skip - i : len(x) - i] for i in range(1, order + 1))]
    design = np.stack(columns, axis=1)
    weights, *_ = np.linalg.lstsq(design, x[skip:], rcond=None)
    return weights.tolist(), float(((x[skip:] - design @ weights) ** 2).sum())


def _akaike(x: Array, order: int, skip: int) -> float:
    rows = len(x) - skip
    left = _least_squares(x, order, skip)[1] / rows
    least = 1e-20 * float(np.mean(x**2)) + 1e-300  # what rounding leaves of a series that is told exactly
    return rows * float(np.log(max(left, least))) + 2 * (order + 1)


@asked
def season_of(train: Any) -> int:
    """How many steps a season has: the lag of the highest peak of the autocorrelation.

    Parameters
    ----------
    train : array_like, (N,)
        The series.

    Returns
    -------
    int
        The lag, at least 2 and at most a third of the rows; 1 if no peak is above 0, or nothing ever changes.
    """
    x = series("train", train)
    if not np.ptp(x):
        return 1  # its mean is rounded, and so what is left without it has peaks
    longest = min(len(x) // 3, 1000)
    x = x - x.mean()
    size = 2 ** int(np.ceil(np.log2(2 * len(x))))
    spectrum = np.fft.rfft(x, size)
    products = np.fft.irfft(spectrum * spectrum.conj(), size)[: longest + 2]
    lags = np.arange(2, longest + 1)
    lags = lags[lags + 1 < len(products)]
    # Divided by the products' count: of long lags there are fewer.
    correlation = products / (len(x) - np.arange(len(products)))
    peaks = lags[(correlation[lags] > correlation[lags - 1]) & (correlation[lags] >= correlation[lags + 1])]
    peaks = peaks[correlation[peaks] > 0]
    return int(peaks[np.argmax(correlation[peaks])]) if len(peaks) else 1
