"""A cell through whose state no large error goes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...autodiff import Node, ops
from ...autodiff.asked import asked_if_it_fails, takes
from ...autodiff.calling import shortened
from ..structure import flatten, rebuild


class ErrorClipped:
    """A cell whose state hands back no entry of the error beyond +-`bound`: clipping inside the recursion.

    Forwards nothing changes. Backwards, what comes to s(t) from step t + 1 is clipped, entry by entry, before the
    error of y(t) is added to it. The state is the node ``s_clipped``, a copy of ``s`` with that rule.

    What such a network calls gradients are none where it clips, and `Unfolded.check` says so.

    Parameters
    ----------
    cell : callable
        The cell; whatever else it has, such as ``init``, is had from here too.
    bound : float
        The largest size of an entry.

    Raises
    ------
    TypeError
        If the cell is not callable.
    ValueError
        If the bound is not above 0.

    Notes
    -----
    Source: Mikolov (2012), "Statistical language models based on neural networks", section 3.2.2: errors beyond
    +-15 are cut off, to keep training stable.
    """

    @asked_if_it_fails
    def __init__(self, cell: Any, bound: float = 15.0) -> None:
        if not takes(3)(cell):
            raise TypeError(f"ErrorClipped({shortened(cell)}): pass a cell, such as Guo()")
        if not bound > 0:
            raise ValueError(f"ErrorClipped(bound={bound!r}): the bound must be above 0")
        self.cell = cell
        self.bound = float(bound)

    def __repr__(self) -> str:
        return f"ErrorClipped({self.cell!r}, {self.bound:g})"

    def __call__(self, params: Mapping[str, Any], x: Any, s: Any) -> tuple[Any, Any]:
        """One time step of the cell, its new state with the error clipped."""
        return self._clipped(self.cell(params, x, s))

    def layer(self, params: Mapping[str, Any], x: Any, s: Any) -> tuple[Any, Any]:
        """One time step of the cell without its head, its new state with the error clipped."""
        return self._clipped(getattr(self.cell, "layer", self.cell)(params, x, s))

    def __getattr__(self, name: str) -> Any:
        if name == "cell":  # not there before __init__, such as while it is being copied
            raise AttributeError(name)
        return getattr(self.cell, name)

    @property
    def equations(self) -> dict[Any, str]:
        """The cell's equations, of what reads the clipped state too."""
        known = dict(getattr(self.cell, "equations", {}))
        return known | {(key[0], f"{key[1]}_clipped"): eq for key, eq in known.items() if isinstance(key, tuple)}

    def _clipped(self, result: Any) -> Any:
        if not isinstance(result, tuple) or len(result) != 2:
            return result  # `unfold` says what must be returned
        state, y = result
        return rebuild(state, [self._one(s) for s in flatten(state)]), y

    def _one(self, s: Any) -> Any:
        name = f"{s.tape.unsuffixed(s.name)}_clipped" if isinstance(s, Node) and s.name else ""
        return ops.clip_error(s, bound=self.bound, name=name)
