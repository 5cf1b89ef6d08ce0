"""Gradients through time: ways of summing the influence of each copy of a weight on each cost.

Each takes a cell, its parameters and a stream, and yields gradients.
"""

from . import pathology
from .checkpoints import Checkpointed, Checkpoints, checkpointed, fewest_plays
from .diagnosis import Diagnosis, Explanation, Wrong, diagnose
from .eprop import eprop
from .focused import focused
from .gamma import GammaMemory, fixed_memory
from .influence import influence, influence_norms
from .ordered import Ordered, ordered
from .random_truncation import artbp, artbp_gradient
from .rtrl import rtrl
from .stream import Carry, Window, stream
from .transposition import flow, flow_graph, transfer, transposed
from .truncation import cut, epochwise, naive_splitting, truncated, truncated_gradient, wikipedia, williams_peng
from .untied import untie
from .uoro import uoro
from .windows import truncation_mask

__all__ = [
    "Carry",
    "Checkpointed",
    "Checkpoints",
    "Diagnosis",
    "Explanation",
    "GammaMemory",
    "Ordered",
    "Window",
    "Wrong",
    "artbp",
    "artbp_gradient",
    "checkpointed",
    "cut",
    "diagnose",
    "epochwise",
    "eprop",
    "fewest_plays",
    "fixed_memory",
    "flow",
    "flow_graph",
    "focused",
    "influence",
    "influence_norms",
    "naive_splitting",
    "ordered",
    "pathology",
    "rtrl",
    "stream",
    "transfer",
    "transposed",
    "truncated",
    "truncated_gradient",
    "truncation_mask",
    "untie",
    "uoro",
    "wikipedia",
    "williams_peng",
]
