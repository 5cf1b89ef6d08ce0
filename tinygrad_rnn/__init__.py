"""tinygrad_rnn: see and check every step of backpropagation through time.

Independent of the tinygrad project.
"""

from . import guo
from .autodiff import (
    BadNumber,
    CheckReport,
    Compared,
    Finding,
    Node,
    Push,
    ShapeError,
    Tangents,
    Tape,
    TapeError,
    check,
    ops,
)
from .unfold import Network, Step, Unfolded, cells, delta, unfold
from .unfold.graph import graph
from .view import EngineError, Ledger, Picture, Player, Trace, draw, ledger, new_folder, player, show, trace

__version__ = "0.1.0"

__all__ = [
    "BadNumber",
    "CheckReport",
    "Compared",
    "EngineError",
    "Finding",
    "Ledger",
    "Network",
    "Node",
    "Picture",
    "Player",
    "Push",
    "ShapeError",
    "Step",
    "Tangents",
    "Tape",
    "TapeError",
    "Trace",
    "Unfolded",
    "cells",
    "check",
    "delta",
    "draw",
    "graph",
    "guo",
    "ledger",
    "new_folder",
    "ops",
    "player",
    "show",
    "trace",
    "unfold",
]
