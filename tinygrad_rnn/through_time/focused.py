"""Focused backpropagation: where each unit remembers itself alone, the exact gradient costs two traces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..autodiff.asked import asked
from ..unfold.losses import known_loss
from ..unfold.recipe import Cell, Loss
from .stream import Window
from .traces import Hand, traced


@asked
def focused(
    cell: Cell, params: Mapping[str, Any], x: Any, d: Any, *, loss: str | Loss = "cross_entropy", s0: Any = None
) -> Iterator[Window]:
    """Focused backpropagation: the whole gradient of C(t) at each time step, where every unit remembers itself alone.

    Then the influence of `rtrl` has one number for each weight and sample, its trace:
    ``trace(t) = ds_j(t)/ds_j(t-1) trace(t-1) + ds_j(t)/dw_ji``. A step takes O(P) time and memory. It serves
    `tinygrad_rnn.cells.Mozer` and every other cell whose recurrence goes unit by unit, such as gates that read the
    input alone; that this is so is checked at every step.

    Parameters
    ----------
    cell, params, x, d, loss, s0
        See `rtrl`; the initial state is an array, not a parameter.

    Yields
    ------
    Window
        For each time step, the gradient of C(t) alone. `carried` holds the traces, (B, ...) with one number for each
        sample and entry, by the weight's name, or ``"V[0]"``, ... for a state in several parts. Of the cell ``Mozer``
        these are Mozer's beta, ``"V"``, and his alpha, ``"u_j"``.

    Raises
    ------
    ShapeError, ValueError
        If arrays do not fit together, the stream is empty, `loss` is unknown, a unit reads another unit, or samples
        have to do with each other, in the cell or in a loss that is no sum over them.

    Notes
    -----
    Source: Mozer (1989), "A focused backpropagation algorithm for temporal pattern recognition", Complex Systems 3.
    """
    known_loss(loss)
    otherwise = "unit by unit the gradient would be wrong. Use rtrl, or eprop, which leaves the other units out"
    return traced(cell, params, x, d, loss, s0, lambda _: Hand(), otherwise)
