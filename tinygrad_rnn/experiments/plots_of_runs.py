"""Plots of many runs: how they come down, with the spread between seeds, and a map of a sweep. They need matplotlib."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..autodiff.asked import asked
from ..autodiff.calling import a_text, numbers, shortened
from ..view.palette import PALETTE
from ..view.plots import HEAT, MARKERS, ZERO, heat_map, log_scale, new_figure, plot_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE, HIGH = 6.4, 4.4
DASHES = ("-", "--", ":")  # for the second and the third line of one colour


@asked
def plot_runs(
    at: ArrayLike,
    curves: Mapping[str, ArrayLike],
    *,
    title: str = "",
    xlabel: str = "forward passes",
    ylabel: str = "best normalised squared error",
    ax: Axes | None = None,
) -> Axes:
    """How the runs of several methods come down: the median of each, in a band from quartile to quartile.

    Parameters
    ----------
    at : array_like, (K,)
        How far a run is at each of its numbers; above 0.
    curves : mapping of str to array_like, (runs, K)
        The runs of each method, by its name. What is not finite, or not above 0, is left out.
    title, xlabel, ylabel : str
        The words at the plot. Both scales are logarithmic.
    ax : matplotlib.axes.Axes, optional
        Where to plot; a new figure if it is not given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there is nothing to plot, or arrays do not fit together.
    ImportError
        If matplotlib is not installed.
    """
    for name, text in (("title", title), ("xlabel", xlabel), ("ylabel", ylabel)):
        a_text("plot_runs", name, text)
    x = numbers(at, "at").astype(float)
    if x.ndim != 1 or not x.size or not (x > 0).all() or not np.isfinite(x).all():
        raise ValueError(f"at={shortened(at)}: it must be numbers above 0, one for each place of a curve")
    if not curves:
        raise ValueError("curves is empty: there is nothing to plot")
    found = {}
    for name, given in curves.items():
        runs = numbers(given, f"curves[{name!r}]").astype(float)
        if runs.ndim != 2 or runs.shape[1] != len(x) or not len(runs):
            raise ValueError(f"curves[{name!r}] has shape {runs.shape}: it must be (runs, {len(x)}), as at has it")
        found[name] = runs
    ax = plot_axes(WIDE, HIGH) if ax is None else ax
    for k, (name, runs) in enumerate(found.items()):
        seen = np.where(np.isfinite(runs) & (runs > 0), runs, np.inf)
        low, middle, high = (_quantile(seen, q) for q in (0.25, 0.5, 0.75))
        color, marker = PALETTE[k % len(PALETTE)], MARKERS[k % len(MARKERS)]
        ax.fill_between(x, low, high, where=~np.ma.getmaskarray(high), color=color, alpha=0.18, linewidth=0)
        dashes = DASHES[k // len(PALETTE) % len(DASHES)]
        every = (3 * k % 8, 8)  # not all at one place
        ax.plot(x, middle, dashes, color=color, marker=marker, markersize=4, markevery=every, label=name)
    ax.set(xscale="log", yscale="log", title=title, xlabel=xlabel, ylabel=ylabel)
    ax.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def _quantile(runs: Any, q: float) -> Any:
    """A quantile of the runs at each place, one of their own numbers, masked where that is not finite."""
    return np.ma.masked_invalid(np.quantile(runs, q, axis=0, method="inverted_cdf"))


@asked
def plot_sweep(
    records: Iterable[Mapping[str, Any]],
    x: str,
    y: str,
    *,
    value: str = "cost",
    diverged: str = "diverged",
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """A sweep as a map of heat: the median of what came out, and the share of the runs that diverged.

    Parameters
    ----------
    records : iterable of mapping
        What `sweep` returns; those that failed are taken for diverged.
    x, y : str
        The names, in each record's point, of what goes to the right and upwards. All other values of the points are
        taken together.
    value : str
        The number of the result that is shown.
    diverged : str
        The name, in the result, of whether the run is to be left out of the median. Where one did, a cell has the
        share in per cent; where all did, it is grey.
    title : str
        The words above.
    ax : matplotlib.axes.Axes, optional
        Where to plot; a new figure if it is not given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there are no records, or one has no such value.
    ImportError
        If matplotlib is not installed.
    """
    for name, text in (("x", x), ("y", y), ("value", value), ("diverged", diverged), ("title", title)):
        a_text("plot_sweep", name, text)
    cells: dict[tuple[Any, Any], list[float]] = {}
    for k, record in enumerate(records):
        point = record.get("point") if isinstance(record, Mapping) else None
        if not isinstance(point, Mapping) or x not in point or y not in point:
            raise ValueError(
                f"records[{k}]={shortened(record)}: it must be a record of a sweep whose point has {x}, {y}"
            )
        cells.setdefault((point[x], point[y]), []).append(_number(k, record, value, diverged))
    if not cells:
        raise ValueError("records is empty: there is nothing to plot")
    across, up = (_ordered(name, {key[k] for key in cells}) for k, name in enumerate((x, y)))
    median = np.full((len(up), len(across)), np.nan)
    share = np.full(median.shape, np.nan)
    for (a, b), found in cells.items():
        at = up.index(b), across.index(a)
        good = [v for v in found if np.isfinite(v)]
        share[at] = 1 - len(good) / len(found)
        if good:
            median[at] = np.median(good)
    return _map_of(ax, median, share, across, up, {"xlabel": x, "ylabel": y, "title": title}, value)


def _map_of(ax: Any, median: Any, share: Any, across: list[Any], up: list[Any], words: Any, value: str) -> Any:
    ax = new_figure(5.6, 4.4).add_subplot() if ax is None else ax
    shown = np.ma.masked_invalid(median)
    gone = np.ma.masked_where(~(share == 1), np.ones_like(median))
    where = {"origin": "lower", "aspect": "auto"}
    heat_map(ax, gone, [ZERO] * 2, "all diverged", **where)
    norm = log_scale(shown.compressed()[shown.compressed() > 0])
    image = heat_map(ax, np.ma.masked_less_equal(shown, 0), HEAT, f"median {value}", norm=norm, **where)
    ax.figure.colorbar(image, ax=ax, label=f"median {value}")
    for i, j in itertools.product(range(len(up)), range(len(across))):
        if share[i, j] > 0:
            dark = share[i, j] < 1 and norm(median[i, j]) > 0.5
            ax.text(
                j, i, f"{100 * share[i, j]:.0f} %", ha="center", va="center", fontsize=8, color="w" if dark else "k"
            )
    ax.set_xticks(range(len(across)), [f"{v:.3g}" if isinstance(v, float) else str(v) for v in across])
    ax.set_yticks(range(len(up)), [f"{v:.3g}" if isinstance(v, float) else str(v) for v in up])
    ax.set(**words)
    return ax


def _number(k: int, record: Mapping[str, Any], value: str, diverged: str) -> float:
    """What a record says, infinite if it failed or diverged."""
    if not record.get("ok"):
        return np.inf
    result = record.get("result")
    if not isinstance(result, Mapping) or not isinstance(result.get(value), int | float):
        raise ValueError(f"records[{k}] has no number {value!r} in its result, {shortened(result)}")
    return np.inf if result.get(diverged) else float(result[value])


def _ordered(name: str, values: set[Any]) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        raise ValueError(f"the values of {name} cannot be put in an order: {shortened(values)}") from None
