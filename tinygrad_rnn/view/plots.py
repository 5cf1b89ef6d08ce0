"""Plots of influence: which step's copy moves which step's cost, and how this dies away. They need matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..autodiff.asked import asked
from ..autodiff.calling import numbers
from .asked import a_text
from .palette import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INSTALL = "pip install 'tinygrad-rnn[plots]'"
MARKERS = "osD^vPX*"


@asked
def plot_influence(norms: ArrayLike, *, name: str = "U", ax: Axes | None = None) -> Axes:
    """The influence matrix as a map of heat, on a logarithmic scale.

    Parameters
    ----------
    norms : array_like, (T, T)
        ``norms[t - 1, tau - 1]`` is the length of dC(t) / d copy(tau). What is above the diagonal is left white: no
        copy moves an earlier cost. A zero below it, as truncation makes, is grey.
    name : str
        The weight's name, for the labels.
    ax : matplotlib.axes.Axes, optional
        Where to plot; a new figure if it is not given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If `norms` is not a square matrix of numbers that are finite and not negative.
    ImportError
        If matplotlib is not installed.
    """
    a_text("plot_influence", "name", name)
    values = _lengths("norms", norms)
    if values.ndim != 2 or values.shape[0] != values.shape[1] or not values.size:
        raise ValueError(
            f"norms has shape {values.shape}: it must be (T, T), a row for each cost, a column for each copy"
        )
    if np.triu(values, 1).any():
        raise ValueError(
            "norms has something above its diagonal: rows are costs, columns copies. Did you pass norms.T?"
        )
    plt = _pyplot()
    from matplotlib.colors import LinearSegmentedColormap, LogNorm
    from matplotlib.ticker import MaxNLocator

    T = len(values)
    ax = _axes(ax, (5.4, 4.2), plt)
    heat = LinearSegmentedColormap.from_list("influence", ["#EAF2F8", PALETTE[0], "#001D33"])
    positive = values[values > 0]
    low, high = (positive.min(), positive.max()) if positive.size else (0.1, 1.0)
    scale = LogNorm(low, high if high > low else 10 * low)
    zeros = np.ma.masked_where((values > 0) | (np.arange(T)[:, None] < np.arange(T)), np.ones_like(values))
    ends = (0.5, T + 0.5, T + 0.5, 0.5)
    flat = LinearSegmentedColormap.from_list("zero", ["#C9C9C2", "#C9C9C2"])
    ax.imshow(zeros, cmap=flat, extent=ends, interpolation="none")
    image = ax.imshow(np.ma.masked_equal(values, 0), norm=scale, cmap=heat, extent=ends, interpolation="none")
    ax.figure.colorbar(image, ax=ax, label=f"‖dC(t) / d{name}(τ)‖")
    for axis, label in ((ax.xaxis, f"τ: the copy {name}(τ)"), (ax.yaxis, "t: the cost C(t)")):
        axis.set_label_text(label)
        axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_title(f"What each copy of {name} does to each cost")
    return ax


@asked
def plot_lags(lengths: ArrayLike | Mapping[str, ArrayLike], *, ax: Axes | None = None) -> Axes:
    """How influence dies away: lengths against the number of steps they go back, on a logarithmic scale.

    Parameters
    ----------
    lengths : array_like, (K,), or mapping of str to array_like
        Entry k is the length for copies k steps before the cost; with names, a line for each. A zero has no place on
        a logarithmic scale and is left out.
    ax : matplotlib.axes.Axes, optional
        Where to plot; a new figure if it is not given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there is nothing to plot, or a line is not a row of numbers that are finite and not negative.
    ImportError
        If matplotlib is not installed.
    """
    named = lengths if isinstance(lengths, Mapping) else {"": lengths}
    rows = {name: _lengths(f"lengths[{name!r}]" if name else "lengths", row) for name, row in named.items()}
    if not rows:
        raise ValueError("lengths is empty: there is nothing to plot")
    for name, row in rows.items():
        if row.ndim != 1 or not row.size:
            raise ValueError(
                f"lengths{f'[{name!r}]' if name else ''} has shape {row.shape}: it must be (K,), a number a lag"
            )
    plt = _pyplot()
    from matplotlib.ticker import MaxNLocator

    ax = _axes(ax, (6.0, 3.6), plt)
    for k, (name, row) in enumerate(rows.items()):
        color, marker = PALETTE[k % len(PALETTE)], MARKERS[k % len(MARKERS)]
        lags = np.arange(len(row))
        # A gap, not a line to the bottom, where there is a zero.
        ax.plot(lags, np.ma.masked_equal(row, 0), color=color, marker=marker, markersize=4, label=name or None)
    if any(row.any() for row in rows.values()):
        ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_xlabel("t − τ: steps back from the cost to the copy")
    ax.set_ylabel("‖dC(t) / d copy(τ)‖")
    ax.grid(visible=True, color="#C9C9C2", linewidth=0.5)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    if any(rows):
        ax.legend(frameon=False)
    return ax


def _lengths(what: str, values: ArrayLike) -> NDArray[Any]:
    array = numbers(values, what).astype(float)
    bad = np.argwhere(~np.isfinite(array) | (array < 0))
    if bad.size:
        at = tuple(int(i) for i in bad[0])
        raise ValueError(f"{what} is {array[at]} at {at}: a length is a finite number, and not negative")
    return array


def _axes(ax: Axes | None, size: tuple[float, float], plt: Any) -> Axes:
    if ax is not None:
        return ax
    _, made = plt.subplots(figsize=size, layout="constrained")
    return made


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f"plots need matplotlib: {INSTALL}") from error
    return plt
