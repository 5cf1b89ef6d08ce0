"""A network that is run forwards over one sequence, piece by piece; its state is carried from each to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, ops
from ..autodiff.calling import as_array
from ..unfold import Unfolded, unfold
from ..unfold.recipe import Cell
from ..unfold.structure import flatten, rebuild
from ..unfold.validation import initial_state

Array = NDArray[Any]

PIECE = 64  # steps that are unfolded at once; what is left over goes step by step


class Running:
    """A network that is run forwards.

    Parameters
    ----------
    cell, params
        As for `unfold`.
    before_softmax : bool
        Whether what comes out is the net input of the softmax, and not the probabilities.

    Attributes
    ----------
    state : ndarray or tuple
        The state after what was read last; it may be put back.

    Raises
    ------
    ValueError
        If `before_softmax` is asked for and the output is no softmax.
    ShapeError, TypeError
        See `unfold`.
    """

    def __init__(self, cell: Cell, params: Mapping[str, Any], *, before_softmax: bool = False) -> None:
        params = {name: as_array(w, name) for name, w in params.items()}
        start = initial_state(cell, params, None, 1)
        self.state = rebuild(start, [params[s][None] if isinstance(s, str) else s for s in flatten(start)])
        self._params, self._dtype = params, np.result_type(*params.values()) if params else np.dtype(float)
        self._nets: dict[int, Unfolded] = {}

        def step(params: Any, x: Node, s: Any) -> tuple[Any, Node]:
            s, y = cell(params, x, s)
            if before_softmax and y.op is not ops.softmax:
                raise ValueError(f"the output {y} is no softmax: one of several symbols is drawn from probabilities")
            return s, y.parents[0] if before_softmax else y

        self._step = step

    def __call__(self, x: Any) -> Array:
        """Go on over these inputs.

        Parameters
        ----------
        x : array_like, (T, l)
            The inputs, at least one.

        Returns
        -------
        ndarray of shape (T, o)
            The outputs.
        """
        x, found, at = np.asarray(x, dtype=self._dtype), [], 0
        while at < len(x):
            T = PIECE if len(x) - at >= PIECE else 1
            found += self._piece(x[at : at + T, None])
            at += T
        return np.stack(found)

    def _piece(self, x: Array) -> list[Array]:
        net = self._nets.get(len(x))
        if net is None:
            d = np.zeros((*x.shape[:2], 1), x.dtype)
            net = unfold(self._step, self._params, x, d, s0=self.state, loss=_nothing, batch_first=False)
            self._nets[len(x)] = net
        # Of the first pass too it is a replay that counts: in its last digits a recording may differ.
        net.replay(x, s0=self.state)
        self.state = net.last_state
        return [y.value[0].copy() for y in net.outputs]


def _nothing(y: Node, d: Node) -> Node:  # noqa: ARG001  a loss is called with both
    """A cost that asks for no targets: none is paid here."""
    return ops.sum(y)
