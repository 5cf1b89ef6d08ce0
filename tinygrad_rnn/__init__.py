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
from .through_time import Checkpointed, Checkpoints, Window, checkpointed, pathology, untie
from .train import clip_by_norm, clip_by_value
from .unfold import Network, Step, Unfolded, cells, delta, unfold
from .unfold.graph import graph
from .view import EngineError, Ledger, Picture, draw, ledger, new_folder, show

__version__ = "0.1.0"

__all__ = [
    "BadNumber",
    "CheckReport",
    "Checkpointed",
    "Checkpoints",
    "Compared",
    "EngineError",
    "Finding",
    "Ledger",
    "Network",
    "Node",
    "Picture",
    "Push",
    "ShapeError",
    "Step",
    "Tangents",
    "Tape",
    "TapeError",
    "Unfolded",
    "Window",
    "cells",
    "check",
    "checkpointed",
    "clip_by_norm",
    "clip_by_value",
    "delta",
    "draw",
    "graph",
    "guo",
    "ledger",
    "new_folder",
    "ops",
    "pathology",
    "show",
    "unfold",
    "untie",
]
