"""Gradients through time: ways of summing the influence of each copy of a weight on each cost.

Each takes a cell, its parameters and a stream, and yields gradients.
"""

from .eprop import eprop
from .focused import focused
from .ordered import Ordered, ordered
from .rtrl import rtrl
from .stream import Window, stream
from .transposition import flow, flow_graph, transfer, transposed
from .uoro import uoro

__all__ = [
    "Ordered",
    "Window",
    "eprop",
    "flow",
    "flow_graph",
    "focused",
    "ordered",
    "rtrl",
    "stream",
    "transfer",
    "transposed",
    "uoro",
]
