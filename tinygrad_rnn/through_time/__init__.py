"""Gradients through time: ways of summing the influence of each copy of a weight on each cost.

Each takes a cell, its parameters and a stream, and yields gradients.
"""

from .influence import influence, influence_norms
from .random_truncation import artbp, artbp_gradient
from .stream import Window, stream
from .truncation import (
    cut,
    epochwise,
    naive_splitting,
    truncated,
    truncated_gradient,
    wikipedia,
    williams_peng,
)
from .windows import truncation_mask

__all__ = [
    "Window",
    "artbp",
    "artbp_gradient",
    "cut",
    "epochwise",
    "influence",
    "influence_norms",
    "naive_splitting",
    "stream",
    "truncated",
    "truncated_gradient",
    "truncation_mask",
    "wikipedia",
    "williams_peng",
]
