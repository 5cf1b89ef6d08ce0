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
from .through_time import Checkpointed, Checkpoints, GammaMemory, Window, checkpointed, fixed_memory, pathology, untie
from .train import clip_by_norm, clip_by_value
from .unfold import Network, Step, Unfolded, cells, delta, unfold
from .unfold.graph import graph
from .view import EngineError, Ledger, Picture, Player, Trace, draw, ledger, new_folder, player, show, trace

__version__ = "0.1.0"

__all__ = [
    "BadNumber",
    "CheckReport",
    "Checkpointed",
    "Checkpoints",
    "Compared",
    "EngineError",
    "Finding",
    "GammaMemory",
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
    "Window",
    "cells",
    "check",
    "checkpointed",
    "clip_by_norm",
    "clip_by_value",
    "delta",
    "draw",
    "fixed_memory",
    "graph",
    "guo",
    "ledger",
    "new_folder",
    "ops",
    "pathology",
    "player",
    "show",
    "trace",
    "unfold",
    "untie",
]
