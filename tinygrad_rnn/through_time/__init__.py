"""Gradients through time: ways of summing the influence of each copy of a weight on each cost.

Each takes a cell, its parameters and a stream, and yields gradients.
"""

from . import pathology
from .checkpoints import Checkpointed, Checkpoints, checkpointed, fewest_plays
from .gamma import GammaMemory, fixed_memory
from .stream import Window, stream
from .untied import untie

__all__ = [
    "Checkpointed",
    "Checkpoints",
    "GammaMemory",
    "Window",
    "checkpointed",
    "fewest_plays",
    "fixed_memory",
    "pathology",
    "stream",
    "untie",
]
