"""A network that is called with data of any shape: each shape is recorded once and replayed from then on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from ..autodiff.asked import asked
from ..autodiff.calling import as_array
from .losses import known_loss
from .paying import check_reduction, named_steps
from .recipe import Cell, Loss
from .structure import flatten, rebuild
from .unfolded import Unfolded
from .unfolding import unfold
from .validation import check_cell, check_keep, initial_state


class Network:
    """A recurrent network that unfolds over the data it is called with, and remembers the last few unfoldings.

    Parameters
    ----------
    cell, params, loss, reduction, batch_first, input_grads, finite, keep
        As for `unfold`. The parameters may be changed in place between calls.
    kept : int
        How many unfoldings of different shapes are remembered; the one unused for longest is forgotten first.

    Raises
    ------
    ValueError
        If `kept` is not a positive integer.
    """

    @asked
    def __init__(
        self,
        cell: Cell,
        params: Mapping[str, Any],
        *,
        loss: str | Loss = "cross_entropy",
        reduction: str = "sum",
        batch_first: bool | None = None,
        input_grads: bool = False,
        finite: bool = False,
        keep: str = "needed",
        kept: int = 4,
    ) -> None:
        check_cell(cell)
        known_loss(loss)
        check_reduction(reduction, "own_mean")
        check_keep(keep)
        if isinstance(kept, bool) or not isinstance(kept, int) or kept < 1:
            raise ValueError(f"kept={kept!r}: how many unfoldings are remembered is an integer from 1 up")
        self.cell = cell
        self.params = params
        self.kept = kept
        self._options: dict[str, Any] = {
            "loss": loss,
            "reduction": reduction,
            "batch_first": batch_first,
            "input_grads": input_grads,
            "finite": finite,
            "keep": keep,
        }
        self._unfolded: OrderedDict[Any, Unfolded] = OrderedDict()

    @asked
    def __call__(
        self,
        x: Any,
        d: Any,
        *,
        s0: Any = None,
        mask: Any = None,
        losses: Iterable[int] | str | None = None,
        weights: Any = None,
    ) -> Unfolded:
        """The network over these data, its forward pass done.

        Parameters
        ----------
        x, d, s0, mask, losses, weights
            As for `unfold`.

        Returns
        -------
        Unfolded
            For data of the same shapes it is the same object again, replayed: what was read from it before
            stays, its nodes and gradients are those of the new data. Of a cell whose steps are not copies of one
            step, it is a new one.

        Raises
        ------
        ShapeError, ValueError, TapeError
            See `unfold`.
        """
        x, d = as_array(x, "x"), as_array(d, "d")
        start = None
        if x.ndim == 3:
            batch_first = bool(self._options["batch_first"])
            losses = losses if losses is None else named_steps(x.shape[batch_first], losses)
            start = initial_state(self.cell, self.params, s0, x.shape[not batch_first])
        names = tuple(s if isinstance(s, str) else "" for s in flatten(start))
        sizes = tuple((name, w.shape, w.dtype) for name, w in ((n, as_array(w, n)) for n, w in self.params.items()))
        losses = losses if x.ndim == 3 else None  # what is no sequence is refused
        key = (x.shape, x.dtype, d.shape, d.dtype, names, mask is None, weights is None, losses, sizes)
        net = self._unfolded.get(key)
        if net is None or net.difference is not None:
            net = unfold(
                self.cell, self.params, x, d, s0=s0, mask=mask, losses=losses, weights=weights, **self._options
            )
            self._unfolded[key] = net
            if len(self._unfolded) > self.kept:
                self._unfolded.popitem(last=False)
        else:
            given = [None if isinstance(s, str) else s for s in flatten(start)]
            net.replay(x, d, mask=mask, s0=rebuild(start, given), weights=weights)
            self._unfolded.move_to_end(key)
        return net

    def __repr__(self) -> str:
        return f"<network of {self.cell}, {len(self._unfolded)} of {self.kept} unfoldings remembered>"
