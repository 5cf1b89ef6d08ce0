"""Gradients through time: ways of summing the influence of each copy of a weight on each cost.

Each takes a cell, its parameters and a stream, and yields gradients.
"""

from . import pathology
from .checkpoints import Checkpointed, Checkpoints, checkpointed, fewest_plays
from .gamma import GammaMemory, fixed_memory
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
from .untied import untie
from .windows import truncation_mask

__all__ = [
    "Checkpointed",
    "Checkpoints",
    "GammaMemory",
    "Window",
    "artbp",
    "artbp_gradient",
    "checkpointed",
    "cut",
    "epochwise",
    "fewest_plays",
    "fixed_memory",
    "influence",
    "influence_norms",
    "naive_splitting",
    "pathology",
    "stream",
    "truncated",
    "truncated_gradient",
    "truncation_mask",
    "untie",
    "wikipedia",
    "williams_peng",
]
