"""The ledger: what each copy of a weight contributed to its gradient, and that the sum is the gradient."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.asked import asked
from ..autodiff.notation import aligned, number, plain, symbol
from ..autodiff.worked import closing, total
from ..unfold import Unfolded
from .text import called

if TYPE_CHECKING:
    from ..exchange.watched import Watched

MOST_COLUMNS = 9
TERMINAL = 80  # characters of a line


class Ledger:
    """The shares of one weight's copies, one row a time step, with their sum below.

    Attributes
    ----------
    weight : str
        The weight's name.
    shares : ndarray, (T, ...)
        dC / d copy for each time step.
    total : ndarray
        dC / d weight, as the tape added it up.
    once : ndarray or None
        Of a watched model, what comes back to the weight from where it stands in no loop.
    gradient : str
        Its name.
    """

    @asked
    def __init__(self, net: Unfolded | Watched, weight: str) -> None:
        self.weight = weight
        self.shares: NDArray[Any] = net.copies[weight]
        self.total: NDArray[Any] = net.grads[weight]
        if isinstance(net, Unfolded):
            self.once = None
            self.gradient = f"∂{called(net.tape.swept)}/∂{plain(symbol(weight))}"
        else:
            self.once = net.once.get(weight)
            self.gradient = f"∂C/∂{weight}"

    def columns(self) -> list[str]:
        """The heads of the columns: an entry of the weight each, or the length where there are too many."""
        if self.total.size > MOST_COLUMNS:
            return ["‖share‖", "‖sum so far‖"]
        return entries(self.weight, self.total.shape)

    def rows(self) -> Iterator[tuple[str, list[str]]]:
        """Each row's head and its numbers: one row a time step, then their sum, then the gradient."""
        if self.total.size > MOST_COLUMNS:
            for t, share in enumerate(self.shares, start=1):
                so_far = np.linalg.norm(self.shares[:t].sum(axis=0))
                yield str(t), [number(float(np.linalg.norm(share))), number(float(so_far))]
            if self.once is not None:
                yield "in no loop", [number(float(np.linalg.norm(self.once))), ""]
            yield self.gradient, ["", number(float(np.linalg.norm(self.total)))]
            return
        parts = [*self.shares, *([] if self.once is None else [self.once])]
        more = digits(parts, {len(parts): self.total})
        for t, share in enumerate(self.shares, start=1):
            yield str(t), written(share, more)
        if self.once is not None:
            yield "in no loop", written(self.once, more)
        yield "sum", written(sum(parts[1:], parts[0]))
        yield self.gradient, written(self.total)

    def __str__(self) -> str:
        names, cells = zip(*self.rows(), strict=True)
        columns = [aligned(column) for column in zip(*cells, strict=True)]
        rows = [("t", self.columns()), *zip(names, zip(*columns, strict=True), strict=True)]
        widths = [max(len(row[k]) for _, row in rows) for k in range(len(rows[0][1]))]
        head = max(len(name) for name, _ in rows)
        # A row that is broken is no row: the columns stand closer where a terminal has no room for two blanks.
        between = "  " if head + sum(widths) + 2 * len(widths) <= TERMINAL else " "
        lines = [
            between.join([f"{name:>{head}}", *(f"{cell:>{w}}" for cell, w in zip(row, widths, strict=True))]).rstrip()
            for name, row in rows
        ]
        rule = "─" * len(lines[0])
        below = len(self.shares) + (self.once is not None) + 1
        return "\n".join([lines[0], rule, *lines[1:below], rule, *lines[below:]])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        def row(tag: str, head: str, cells: list[str]) -> str:
            scope = "col" if tag == "th" else "row"
            inside = "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells)
            return f'<tr><th scope="{scope}">{html.escape(head)}</th>{inside}</tr>'

        rows = "".join(row("td", *each) for each in self.rows())
        return f"<table><thead>{row('th', 't', self.columns())}</thead><tbody>{rows}</tbody></table>"


def digits(shares: Sequence[NDArray[Any]], sums: Mapping[int, NDArray[Any]]) -> list[int]:
    """How many more digits of the shares are shown, entry by entry, so that what is shown adds up.

    Parameters
    ----------
    shares : sequence of ndarray
        In the order in which they are added up.
    sums : mapping of int to ndarray
        What so many of the first shares give.
    """
    columns = np.reshape(shares, (len(shares), -1)).T.tolist()
    return [
        closing(*((total(column[:count]), float(of_all.flat[k])) for count, of_all in sums.items()))
        for k, column in enumerate(columns)
    ]


def written(values: NDArray[Any], more: Sequence[int] | None = None) -> list[str]:
    """The entries as text, each with so many more digits than numbers have anyway."""
    return [number(float(v), k) for v, k in zip(values.flat, more or [0] * values.size, strict=True)]


def part_along(share: Any, gradient: NDArray[Any]) -> float | None:
    """How much of a gradient a share is, measured along it: the parts of all copies add up to 1.

    None if there is no gradient, or a number is not finite.
    """
    size = float(np.abs(gradient).max(initial=0.0))  # taken out: squares of very small and very large numbers are none
    if not 0 < size < np.inf:
        return None
    along = gradient / size
    with np.errstate(all="ignore"):
        part = float((share / size * along).sum()) / float((along * along).sum())
    return part if math.isfinite(part) else None


def entries(weight: str, shape: tuple[int, ...]) -> list[str]:
    """The names of a weight's entries, in plain text: those of the matrix U are u with two subscripts.

    A weight of another library's, as ``cell.weight_hh``, has the entries [1, 1], ...
    """
    if "." in weight or weight.startswith(("weight", "bias")):
        return [str([i + 1 for i in index]) for index in np.ndindex(*shape)]
    stem = (weight if len(shape) == 1 else weight.lower()).partition("_")[0]
    return [plain(symbol(f"{stem}_{''.join(str(i + 1) for i in index)}")) for index in np.ndindex(*shape)]


@asked
def ledger(net: Unfolded | Watched, weight: str) -> Ledger:
    """The table of what each copy of a weight contributes to the weight's gradient.

    Parameters
    ----------
    net : Unfolded or Watched
        A network, or a watched model, whose backward pass is done.
    weight : str
        The weight's name, such as ``"U"``.

    Returns
    -------
    Ledger
        It prints as a table.
    """
    return Ledger(net, weight)
