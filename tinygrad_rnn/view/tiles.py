"""The ledger turned on its side: below each column of a figure the share of its copy, and at the left their sum."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.notation import number, plain, symbol
from ..unfold import Unfolded
from .figure import Figure
from .ledger import Ledger, entries, part_along
from .overlay import mixed, percent
from .scene import Box, Scene

MOST = 12  # rows and columns of a tile; of a larger weight, so many blocks, each as dark as it is long
LARGEST, CELL = 60.0, 12.0  # the sides of a tile, and of a cell in it, at most
NAMED = 400  # a weight of more entries has none that stands for it
POSITIVE, NEGATIVE, LENGTH = "#D55E00", "#0072B2", "#444444"


def with_ledger(figure: Figure, net: Unfolded, weight: str) -> Scene:
    """The figure with the ledger of a weight below it.

    Raises
    ------
    ValueError
        If there is no such weight, or if it has no copies that add up.
    TapeError
        If no backward pass was run.
    """
    if not isinstance(weight, str) or weight not in net.weights:
        raise ValueError(f"ledger={weight!r}: it is the name of a weight, one of {', '.join(map(repr, net.weights))}")
    try:
        ledger = Ledger(net, weight)
    except KeyError as error:  # an initial state
        raise ValueError(f"ledger={weight!r}: {error.args[0]}") from None
    if ledger.shares.shape[1:] != ledger.total.shape:
        raise ValueError(f"ledger={weight!r}: each step has a weight of its own, so there are no shares that add up")
    scene = figure.scene
    boxes = {box.id: box for box in scene.boxes}
    shares = [ledger.shares[c.first - 1 : c.last].sum(axis=0) for c in figure.columns]
    inputs = [f"gap{c.first}" if c.kind == "gap" else f"n{net.inputs[c.first - 1].index}" for c in figure.columns]
    ends = [boxes[name].x for name in inputs]
    sums = 64.0  # the width of what stands below the sum
    places = [(scene.boxes[0].left[0] + sums / 2, ledger.total), *zip(ends, shares, strict=True)]
    most = max(float(np.abs(share[np.isfinite(share)]).max(initial=0.0)) for _, share in places) or 1.0
    letter = plain(symbol(weight))
    names = [f"{letter}({c.first})" if c.kind == "t" else "…" for c in figure.columns]
    largest = int(np.abs(ledger.total).argmax())
    top = min(frame.bottom for frame in scene.frames) - 4
    tall = _size(ledger.total)[1] * len(blocks(ledger.total)[0])
    pitch = figure.step - 16
    added: list[Box] = []
    for k, (x, share) in enumerate(places):
        name, wide = (names[k - 1], pitch) if k else (ledger.gradient, sums)
        added.append(Box(f"share{k}-name", name, x, top - 10, wide, 18, "label"))
        added += _tile(f"share{k}", share, x, top - 22 - tall / 2, most, largest)
        along = part_along(share, ledger.total)
        part = "—" if along is None else percent(along)
        entry = number(float(share.flat[largest])) if ledger.total.size <= NAMED else ""
        if entry and not k:
            entry = f"{entries(weight, ledger.total.shape)[largest]} {entry}"
        added.append(Box(f"share{k}", part, x, top - 26 - tall - 14, wide, 32, "label", (("value", entry),)))
        if k:
            at = (x + places[k - 1][0]) / 2
            added.append(Box(f"share{k}-sign", "=" if k == 1 else "+", at, top - 22 - tall / 2, 12, 18, "label"))
    what = f"Below each column the share of its copy of {letter}, at the left their sum, {ledger.gradient}."
    return replace(scene, boxes=(*scene.boxes, *added), description=f"{scene.description} {what}")


def blocks(share: NDArray[Any]) -> tuple[NDArray[Any], bool]:
    """A share as the rows of a tile, and whether they have signs: those of a large one are the lengths of blocks."""
    rows = share.reshape(-1, share.shape[-1]) if share.ndim else share.reshape(1, 1)
    if max(rows.shape) <= MOST:
        return rows, True
    cut = [np.array_split(np.arange(n), min(n, MOST)) for n in rows.shape]
    return np.array([[np.linalg.norm(rows[np.ix_(a, b)]) for b in cut[1]] for a in cut[0]]), False


def _size(share: NDArray[Any]) -> tuple[float, float]:
    """The width and the height of a cell in a tile."""
    rows, _ = blocks(share)
    return min(CELL, LARGEST / rows.shape[1]), min(CELL, LARGEST / rows.shape[0])


def _tile(name: str, share: NDArray[Any], x: float, y: float, most: float, marked: int) -> list[Box]:
    """A cell for each entry, that of the marked one on top; negative ones have a sign, where there is room."""
    rows, signs = blocks(share)
    wide, high = _size(share)
    room = min(wide, high) >= 9
    cells = []
    for (i, j), value in np.ndenumerate(rows):
        color = LENGTH if not signs else POSITIVE if value > 0 else NEGATIVE
        fill = mixed("#EFEFEA", color, min(1.0, abs(value) / most) if np.isfinite(value) else 0.0)
        on_top = signs and i * rows.shape[1] + j == marked
        border = "#111111" if on_top else "#FFFFFF" if room else fill
        at = x + (j + 0.5 - rows.shape[1] / 2) * wide, y + (rows.shape[0] / 2 - i - 0.5) * high
        sign = (("value", "−"),) if signs and value < 0 and room else ()
        box = Box(f"{name}-{i}-{j}", "", *at, wide, high, "tile", sign, f"{value:.4g}", fill, border)
        cells.append((on_top, box))
    return [box for _, box in sorted(cells, key=lambda cell: cell[0])]
