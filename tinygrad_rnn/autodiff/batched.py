"""A tape's values, played for many disturbances or many samples at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .node import Node
from .passes import Array, L, OnTape, Values


class BatchedValues(Values):
    """The values that nodes would have, were some leaves other arrays.

    Parameters
    ----------
    values : Values
        What the nodes have that depend on none of those leaves.
    given : mapping of Node to ndarray
        The leaves' arrays. Axes in front of a leaf's own are copies, all played at once.

    Attributes
    ----------
    changed : dict of Node to ndarray
        The values of the leaves, and of every node played since that depends on them.
    """

    __slots__ = ("changed", "unchanged")

    def __init__(self, values: Values, given: Mapping[Node, Array]) -> None:
        super().__init__()
        self.unchanged = values
        self.changed: dict[Any, Array] = dict(given)

    def __getitem__(self, node: OnTape) -> Array:
        value = self.changed.get(node)
        return self.unchanged[node] if value is None else value

    def __setitem__(self, node: OnTape, value: Any) -> None:
        self.changed[node] = value

    def run(self, nodes: Iterable[L]) -> BatchedValues:
        """Compute the values of those nodes that depend on the leaves which were given."""
        for node in nodes:
            if not self.changed.keys().isdisjoint(node.parents):
                self.compute(node)
        return self
