"""Gradients through time: ways of summing the influence of each copy of a weight on each cost.

Each takes a cell, its parameters and a stream, and yields gradients.
"""

from .eprop import eprop
from .focused import focused
from .rtrl import rtrl
from .stream import Window, stream
from .uoro import uoro

__all__ = ["Window", "eprop", "focused", "rtrl", "stream", "uoro"]
