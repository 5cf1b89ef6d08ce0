"""Which line of a cell records which node."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from ..autodiff import Node, Place, Tape
from ..autodiff.errors import places

OURS = {"Recipe.record", "fold_step"}  # what is recorded here comes from no line of a cell


class Watched(Tape):
    """A tape that notes, for each node of a time step, the line of the cell or the loss that recorded it.

    Attributes
    ----------
    places : dict of int to Place
        The line, by the node's role.
    """

    def __init__(self, equations: Mapping[Any, str] | None = None) -> None:
        super().__init__(equations)
        self.places: dict[int, Place] = {}

    def _append(self, *args: Any) -> Node:
        node = super()._append(*args)
        if node.op is not None and node.t:
            for place in places(sys._getframe(1), until=OURS):
                self.places.setdefault(node.role, place)
        return node
