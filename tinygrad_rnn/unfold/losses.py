"""Costs: what one time step pays for its output. Summing over time is the business of `unfold`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ..autodiff import Node, ops


def cross_entropy(y: Node, d: Node) -> Node:
    """The cross-entropy that belongs to the output's activation, so that delta = d - y holds.

    A softmax pays ``-sum_k d_k ln y_k``; a sigmoid pays Guo's two-term cost (16).

    Raises
    ------
    ValueError
        If the output is neither.
    """
    if y.op is ops.softmax:
        cost = ops.cross_entropy
    elif y.op is ops.sigmoid:
        cost = ops.bernoulli_cross_entropy
    else:
        raise ValueError(
            f"the loss 'cross_entropy' needs an output that is a softmax or a sigmoid; {y} is "
            f"{y.op.name if y.op else 'a leaf'}. Choose g='softmax' or g='sigmoid', or loss='squared_error'."
        )
    return cost(y.parents[0], y, d, name="C")


def squared_error(y: Node, d: Node) -> Node:
    """Half the squared distance between target and output, Guo (2013), eq. (5)."""
    return ops.squared_error(y, d, name="C")


LOSSES: Mapping[str, Callable[[Node, Node], Node]] = MappingProxyType(
    {"cross_entropy": cross_entropy, "squared_error": squared_error}
)
"""The costs that can be asked for by name."""
