"""Networks over pieces of a sequence: recorded once, played wherever they are needed, if that is allowed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import ShapeError
from ..unfold import Unfolded, unfold
from ..unfold.recipe import Cell, Loss

Array = NDArray[Any]


def refuse_unless_copies(net: Unfolded, method: str, instead: str) -> None:
    """Raise ValueError if the steps of a network are not copies of one step, which this method plays at other times."""
    if net.difference is not None:
        raise ValueError(
            f"{method} plays what it has recorded at other time steps too, and the cell does not do the same at each: "
            f"{net.difference}. {instead}"
        )


class Pieces:
    """Networks over pieces of a sequence; those of one shape are one network. The one asked for last is remembered.

    Where the steps of a network are not copies of one step, as of a cell that counts or draws, it is played nowhere
    but where it was recorded: the next piece is recorded anew.

    Parameters
    ----------
    cell, params, loss, reduction
        As for `unfold`. The parameters may change from piece to piece, but for their names and shapes.
    kept : int
        How many networks of different shapes are remembered.
    """

    def __init__(
        self,
        cell: Cell,
        params: Mapping[str, Any],
        loss: str | Loss = "cross_entropy",
        reduction: str = "sum",
        kept: int = 1,
    ) -> None:
        self.cell, self.params = cell, params
        self._options: dict[str, Any] = {"loss": loss, "reduction": reduction}
        self._kept = kept
        self._nets: OrderedDict[tuple[int, ...], Unfolded] = OrderedDict()  # the one asked for last is the last
        self._shapes: dict[str, tuple[int, ...]] = {}  # of the weights

    def over(self, x: Array, d: Array, s0: Any, counted: int | None = None) -> Unfolded:
        """The network over a piece, its forward pass done from the state `s0` on.

        Parameters
        ----------
        x, d : ndarray, (steps, B, l) and (steps, B, o)
            The piece.
        s0 : ndarray or tuple
            The state before it.
        counted : int, optional
            How many of its steps, the newest ones, have costs that count; all if it is not given.

        Raises
        ------
        ShapeError
            If a weight has another shape than it had, or arrays do not fit together.
        ValueError
            If whether its steps are copies is not to be seen before the cell is called where it should not be.
        """
        net = self.like(x, counted)
        if net is not None:
            net.replay(x, d, s0=s0)
            return net
        losses = None if counted is None else range(len(x) - counted + 1, len(x) + 1)
        net = unfold(self.cell, self.params, x, d, s0=s0, losses=losses, batch_first=False, **self._options)
        self._nets[_key(x, counted)] = net
        if len(self._nets) > self._kept:
            self._nets.popitem(last=False)
        if not net.obstacle:
            net.replay()  # what follows may take over what its schedule leaves
        return net

    def like(self, x: Array, counted: int | None = None) -> Unfolded | None:
        """The network over such a piece that is remembered, if it can be played over this one."""
        self.same_weights()
        key = _key(x, counted)
        net = self._nets.get(key)
        if net is None:
            return None
        self._nets.move_to_end(key)
        different = net.difference
        if different is None:
            return net
        if different.called_again:
            raise ValueError(
                f"{different}: it does not do the same at every step, and it has now been called once too often. "
                "Over longer pieces, or in rtrl, it is called once for each step"
            )
        return None

    def advance(self, state: Any, x: Array) -> Any:
        """The state after these steps, with the parameters as they are now."""
        self.same_weights()
        for x_t in x:
            state = self.cell(self.params, x_t, state)[0]
        return state

    def same_weights(self) -> None:
        """Raise ShapeError if parameters have other names or shapes than at first."""
        now = {name: w.shape if type(w) is np.ndarray else np.shape(w) for name, w in self.params.items()}
        self._shapes = self._shapes or now
        if now == self._shapes:
            return
        for name in {**now, **self._shapes}:
            if now.get(name) != self._shapes.get(name):
                became = f"has become {now[name]}" if name in now else "is gone"
                was = f"was {self._shapes[name]}" if name in self._shapes else "was not there"
                raise ShapeError(
                    f"between two windows the parameter {name} {became}, and it {was}: a stream is read with weights "
                    "of the same names and shapes"
                )


def _key(x: Array, counted: int | None) -> tuple[int, ...]:
    """What networks over pieces must have in common to be one: steps, samples, inputs, and how many costs count."""
    return *x.shape, len(x) if counted is None else counted
