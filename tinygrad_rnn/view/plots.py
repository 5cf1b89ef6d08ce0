"""Plots of influence: which step's copy moves which step's cost, and how this dies away. They need matplotlib.

A plot that is made here follows the page that it stands on, light or dark, and says what it shows (`plotted.Plot`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..autodiff.asked import asked
from ..autodiff.calling import a_text, numbers
from .palette import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INSTALL = "pip install 'tinygrad-rnn[plots]'"
MARKERS = "osD^vPX*"
ZERO = "#C9C9C2"  # and the lines of a grid
HEAT = ("#EAF2F8", PALETTE[0], "#001D33")
WRITTEN = 12  # steps whose squares have room for a number
WIDEST = 100  # inches


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
    values = _influences("norms", norms)
    ax = new_figure(5.4, 4.2).add_subplot() if ax is None else ax
    T = len(values)
    zeros = np.ma.masked_where((values > 0) | (np.arange(T)[:, None] < np.arange(T)), np.ones_like(values))
    _map(ax, zeros, [ZERO] * 2, "zeros")
    image = _map(ax, np.ma.masked_equal(values, 0), HEAT, "lengths", norm=log_scale(values[values > 0]))
    ax.figure.colorbar(image, ax=ax, label=f"‖dC(t) / d{name}(τ)‖")
    ax.set(
        xlabel=f"τ: the copy {name}(τ)", ylabel="t: the cost C(t)", title=f"What each copy of {name} does to each cost"
    )
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
    rows = {name: _by_lag(what, row) for name, what, row in _named("lengths", lengths)}
    ax = plot_axes() if ax is None else ax
    from matplotlib.ticker import MaxNLocator

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
    if any(rows):
        ax.legend(frameon=False)
    return ax


@asked
def plot_masks(masks: ArrayLike | Mapping[str, ArrayLike]) -> list[Axes]:
    """What truncation counts: a map of each mask, grey where an entry is left out, a number where it counts twice.

    Parameters
    ----------
    masks : array_like, (T, T), or mapping of str to array_like
        ``mask[t - 1, tau - 1]`` is how often the entry of C(t) and copy(tau) is counted, as `truncation_mask` has it;
        with names, a map for each, three beside each other.

    Returns
    -------
    list of matplotlib.axes.Axes
        Those of each map, in a figure of their own.

    Raises
    ------
    ValueError
        If there is nothing to plot, or a mask is not a square matrix of numbers that are finite and not negative.
    ImportError
        If matplotlib is not installed.
    """
    counts = {name: _influences(what, mask) for name, what, mask in _named("masks", masks)}
    across = min(3, len(counts))
    down = -(-len(counts) // across)
    figure = new_figure(2.1 * across, 2.4 * down)
    axes: list[Axes] = [figure.add_subplot(down, across, k) for k in range(1, len(counts) + 1)]
    for ax, (name, mask) in zip(axes, counts.items(), strict=True):
        T = len(mask)
        _map(ax, np.ma.masked_where((mask > 0) | (np.arange(T)[:, None] < np.arange(T)), mask), [ZERO] * 2, "left out")
        _map(ax, np.ma.masked_equal(mask, 0), HEAT[:2], "counted", vmin=0, vmax=max(1.0, mask.max()) / 0.6)
        for t, tau in np.argwhere(mask) if T <= WRITTEN and mask.max() > 1 else ():
            ax.text(tau + 1, t + 1, f"{mask[t, tau]:g}", ha="center", va="center", fontsize=8)
        ax.set_title(name, fontsize=10)
    for k, ax in enumerate(axes):
        ax.set_ylabel("" if k % across else "t: the cost C(t)")
        ax.set_xlabel("τ: the copy" if k + across >= len(axes) else "")
    return axes


@asked
def plot_axes(width: float = 6.0, height: float = 3.6) -> Axes:
    """Empty axes for a plot of your own, in the drawings' colours; where a page shows it, it follows light and dark.

    Parameters
    ----------
    width, height : float
        The size of the figure, in inches.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a size is not positive and finite.
    ImportError
        If matplotlib is not installed.
    """
    for name, size in (("width", width), ("height", height)):
        if not 0 < size < WIDEST:
            raise ValueError(f"plot_axes: {name}={size}: it is a number of inches between 0 and {WIDEST}")
    ax: Axes = new_figure(width, height).add_subplot()
    ax.set_prop_cycle(color=PALETTE)
    ax.grid(visible=True, color=ZERO, linewidth=0.5)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return ax


def _named(argument: str, given: ArrayLike | Mapping[str, ArrayLike]) -> list[tuple[str, str, ArrayLike]]:
    """Each array with its name, and with what an error calls it."""
    if not isinstance(given, Mapping):
        return [("", argument, given)]
    if not given:
        raise ValueError(f"{argument} is empty: there is nothing to plot")
    return [(name, f"{argument}[{name!r}]", values) for name, values in given.items()]


def _by_lag(what: str, values: ArrayLike) -> NDArray[Any]:
    found = _lengths(what, values)
    if found.ndim != 1 or not found.size:
        raise ValueError(f"{what} has shape {found.shape}: it must be (K,), a number a lag")
    return found


def _influences(what: str, values: ArrayLike) -> NDArray[Any]:
    """The matrix, if it is one with a row for each cost and a column for each copy, and nothing above its diagonal."""
    found = _lengths(what, values)
    if found.ndim != 2 or found.shape[0] != found.shape[1] or not found.size:
        raise ValueError(
            f"{what} has shape {found.shape}: it must be (T, T), a row for each cost, a column for each copy"
        )
    if np.triu(found, 1).any():
        raise ValueError(
            f"{what} has something above its diagonal: rows are costs, columns copies. Did you pass {what}.T?"
        )
    return found


def heat_map(ax: Axes, values: Any, colors: Sequence[str], label: str, **how: Any) -> Any:
    """A map of the entries that are not masked, from one colour to the last; nothing is blurred between them."""
    from matplotlib.colors import LinearSegmentedColormap

    heat = LinearSegmentedColormap.from_list(label, list(colors))
    # Not resampled: a file then holds a pixel for each entry.
    return ax.imshow(values, cmap=heat, interpolation="none", label=label, **how)


def log_scale(values: NDArray[Any]) -> Any:
    """A logarithmic scale over these positive numbers, of which there may be one or none."""
    from matplotlib.colors import LogNorm

    low, high = (values.min(), values.max()) if values.size else (0.1, 1.0)
    return LogNorm(low, high if high > low else 10 * low)


def _map(ax: Axes, values: NDArray[Any], colors: Sequence[str], label: str, **how: Any) -> Any:
    """A square for each entry that is not masked, t = 1 at the top."""
    from matplotlib.ticker import MaxNLocator

    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    end = len(values) + 0.5
    return heat_map(ax, values, colors, label, extent=(0.5, end, end, 0.5), **how)


def _lengths(what: str, values: ArrayLike) -> NDArray[Any]:
    array = numbers(values, what).astype(float)
    bad = np.argwhere(~np.isfinite(array) | (array < 0))
    if bad.size:
        at = tuple(int(i) for i in bad[0])
        raise ValueError(f"{what} is {array[at]} at {at}: a length is a finite number, and not negative")
    return array


def new_figure(width: float, height: float) -> Any:
    """A figure of so many inches that follows the page it stands on."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f"plots need matplotlib: {INSTALL}") from error
    from .plotted import Plot

    return plt.figure(FigureClass=Plot, figsize=(width, height), layout="constrained")
