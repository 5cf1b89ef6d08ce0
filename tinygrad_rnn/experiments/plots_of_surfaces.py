"""Plots of error surfaces: slices as maps, the ways of optimisers over them, bifurcations. They need matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..autodiff.asked import asked, counted
from ..autodiff.calling import a_text, numbers, shortened
from ..view.palette import PALETTE
from ..view.plots import HEAT, MARKERS, heat_map, new_figure, plot_axes
from .cliff import Descent
from .surface import Surface

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE = 100.0  # a cost that spans more than this is shown on a logarithmic scale
DEEP = 1000.0  # and what is lower than the highest cost by more than this is white: else the rest would be black
BINS = 160


@asked
def plot_surface(surface: Surface, paths: Mapping[str, Any] | None = None, *, ax: Axes | None = None) -> Axes:
    """A slice of an error surface as a map: where the cost is low, it is like the page.

    Parameters
    ----------
    surface : Surface
        What `tinygrad_rnn.surface` gives.
    paths : mapping of str to Descent, optional
        Ways over it, by name, see `tinygrad_rnn.experiments.descend`. Only what moves within the slice is seen.
    ax : matplotlib.axes.Axes, optional
        Where to plot; a new figure if it is not given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a path is none, or of another network.
    ImportError
        If matplotlib is not installed.
    """
    ways = {name: _way(surface, name, way) for name, way in (paths or {}).items()}
    ax = plot_axes(5.4, 4.2) if ax is None else ax
    from matplotlib.patheffects import withStroke

    image = _map(ax, surface)
    ax.figure.colorbar(image, ax=ax, label="the cost")
    ax.set(
        xlabel=surface.names[1],
        ylabel=surface.names[0],
        title=f"The cost over {surface.names[0]} and {surface.names[1]}",
    )
    for k, (name, (y, x)) in enumerate(ways.items()):
        color, marker = PALETTE[(k + 1) % len(PALETTE)], MARKERS[k % len(MARKERS)]
        how = {"color": color, "linewidth": 1.2, "marker": marker, "markersize": 4, "markevery": [0, len(x) - 1]}
        ax.plot(x, y, label=name, path_effects=[withStroke(linewidth=3, foreground="#FFFFFF")], **how)
    if ways:
        ax.set(xlim=surface.axes[1][[0, -1]], ylim=surface.axes[0][[0, -1]])
        ax.legend(loc="best", fontsize=8)
    return ax


@asked
def plot_surfaces(surfaces: Mapping[str, Any], *, across: int = 4) -> list[Axes]:
    """Slices beside each other, each on a scale of its own: where the cost is low, a map is like the page.

    Parameters
    ----------
    surfaces : mapping of str to Surface
        The slices, by what stands above them.
    across : int
        How many stand in a row.

    Returns
    -------
    list of matplotlib.axes.Axes
        Those of each map, in a figure of their own.

    Raises
    ------
    ValueError
        If there is nothing to plot, one of them is no slice, or `across` is not an integer from 1 up.
    ImportError
        If matplotlib is not installed.
    """
    across = counted("plot_surfaces: across", across, 1, 20)
    if not surfaces:
        raise ValueError("plot_surfaces: surfaces is empty: there is nothing to plot")
    for name, each in surfaces.items():
        if not isinstance(each, Surface):
            raise ValueError(
                f"plot_surfaces: surfaces[{name!r}] is {shortened(each)}: it must be what tinygrad_rnn.surface gives"
            )
    across = min(across, len(surfaces))
    down = -(-len(surfaces) // across)
    figure = new_figure(1.75 * across + 0.3, 1.85 * down + 0.3)
    axes: list[Axes] = [figure.add_subplot(down, across, k) for k in range(1, len(surfaces) + 1)]
    for k, (ax, (name, each)) in enumerate(zip(axes, surfaces.items(), strict=True)):
        _map(ax, each)
        ax.set_title(name, fontsize=10)
        ax.locator_params(nbins=3)
        ax.tick_params(labelsize=8)
        ax.set_ylabel("" if k % across else each.names[0], fontsize=8)
        ax.set_xlabel(each.names[1] if k + across >= len(axes) else "", fontsize=8)
    return axes


@asked
def plot_bifurcation(weights: ArrayLike, states: ArrayLike, *, name: str = "w", ax: Axes | None = None) -> Axes:
    """What a state goes through in the long run, above each value of a weight: one mark at rest, two of period two.

    Parameters
    ----------
    weights : array_like, (n,)
        The values of the weight, evenly apart.
    states : array_like, (n, keep)
        What a unit goes through with each, see `tinygrad_rnn.experiments.attractor`.
    name : str
        The weight's name.
    ax : matplotlib.axes.Axes, optional
        Where to plot; a new figure if it is not given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there are not as many rows of finite numbers as values.
    ImportError
        If matplotlib is not installed.
    """
    a_text("plot_bifurcation", "name", name)
    x, rows = numbers(weights, "weights").astype(float), numbers(states, "states").astype(float)
    if x.ndim != 1 or len(x) < 2 or rows.ndim != 2 or len(rows) != len(x) or not rows.size:
        raise ValueError(
            f"weights is {x.shape} and states is {rows.shape}: they must be (n,) and (n, keep), n from 2 up"
        )
    if not np.isfinite(x).all() or not np.isfinite(rows).all():
        raise ValueError("weights or states holds a number that is not finite: leave such weights out")
    ax = plot_axes() if ax is None else ax
    low, high = rows.min(), rows.max()
    room = (high - low) * 0.05 or 0.5
    edges = np.linspace(low - room, high + room, BINS + 1)
    seen = np.stack([np.histogram(row, edges)[0] > 0 for row in rows], axis=1)
    half = (x[1] - x[0]) / 2
    heat_map(
        ax,
        np.ma.masked_equal(seen.astype(float), 0),
        [PALETTE[0]] * 2,
        "states that come again and again",
        extent=(x[0] - half, x[-1] + half, edges[0], edges[-1]),
        origin="lower",
        aspect="auto",
    )
    ax.set(xlabel=name, ylabel="the state in the long run", title=f"What the state comes to as {name} is turned")
    return ax


def _map(ax: Axes, surface: Surface) -> Any:
    """The cost as an image, the first axis upwards."""
    from matplotlib.colors import LogNorm

    cost = np.ma.masked_invalid(surface.cost)
    low, high = float(cost.min()), float(cost.max())
    rows, columns = surface.axes
    half = [(axis[1] - axis[0]) / 2 for axis in (columns, rows)]
    ax.grid(visible=False)
    return heat_map(
        ax,
        cost,
        HEAT,
        "costs",
        norm=LogNorm(max(low, high / DEEP), high, clip=True) if low > 0 and high > WIDE * low else None,
        extent=(columns[0] - half[0], columns[-1] + half[0], rows[0] - half[1], rows[-1] + half[1]),
        origin="lower",
        aspect="auto",
    )


def _way(surface: Surface, name: str, way: Descent) -> tuple[NDArray[Any], NDArray[Any]]:
    """Where a path runs in the slice: its distance from the middle along each direction."""
    if not isinstance(way, Descent) or way.params.keys() != surface.center.keys():
        raise ValueError(
            f"plot_surface: paths[{name!r}] is {shortened(way)}: it must be a way that descend has taken, with the "
            "weights of this surface"
        )
    found = []
    for k, direction in enumerate(surface.directions):
        moved = [((way.params[n] - w) * direction[n]).reshape(len(way.cost), -1) for n, w in surface.center.items()]
        long = sum(float((d**2).sum()) for d in direction.values())
        middle = surface.axes[k][len(surface.axes[k]) // 2]
        found.append(middle + np.concatenate(moved, axis=1).sum(axis=1) / long)
    return found[0], found[1]
