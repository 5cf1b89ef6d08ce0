"""Gradients through time: ways of summing the influence of each copy of a weight on each cost.

Each takes a cell, its parameters and a stream, and yields gradients.
"""

from . import pathology
from .checkpoints import Checkpointed, Checkpoints, checkpointed, fewest_plays
from .eprop import eprop
from .focused import focused
from .gamma import GammaMemory, fixed_memory
from .ordered import Ordered, ordered
from .rtrl import rtrl
from .stream import Window, stream
from .transposition import flow, flow_graph, transfer, transposed
from .untied import untie
from .uoro import uoro

__all__ = [
    "Checkpointed",
    "Checkpoints",
    "GammaMemory",
    "Ordered",
    "Window",
    "checkpointed",
    "eprop",
    "fewest_plays",
    "fixed_memory",
    "flow",
    "flow_graph",
    "focused",
    "ordered",
    "pathology",
    "rtrl",
    "stream",
    "transfer",
    "transposed",
    "untie",
    "uoro",
]
