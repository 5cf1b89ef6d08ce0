"""The time copies of the weights: what ties one step of a network to all others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..autodiff import Node, ops
from ..autodiff.errors import noted


class Copies(Mapping[str, Node]):
    """The weights as one time step sees them: a copy is made when the cell first reads the weight.

    Where they are untied, it is the step's own row of the weight.
    """

    def __init__(
        self, weights: Mapping[str, Node], t: int, initial: frozenset[str] = frozenset(), untied: bool = False
    ) -> None:
        self._weights = weights
        self._t = t
        self._initial = initial
        self._untied = untied
        self.made: dict[str, Node] = {}

    def __getitem__(self, name: str) -> Node:
        if name not in self.made:
            if name in self._initial:
                raise ValueError(
                    f"the cell reads the parameter {name!r} at t={self._t}, and s0 names it as an initial state, which "
                    "is read once, before the first step: give the initial state a parameter of its own"
                )
            if name not in self._weights:
                raise noted(
                    KeyError(
                        f"the cell reads the parameter {name!r} at t={self._t}; params has {', '.join(self._weights)}"
                    )
                )
            weight = self._weights[name]
            if self._untied:
                self.made[name] = ops.getitem(weight, key=ops.index_key(self._t - 1, weight.ndim), name=name)
            else:
                self.made[name] = ops.copy(weight, name=name)
        return self.made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._weights  # a Mapping would look by reading, and make a copy

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)
