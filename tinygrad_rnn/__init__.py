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
from .through_time import (
    Ordered,
    Window,
    eprop,
    flow,
    flow_graph,
    focused,
    ordered,
    rtrl,
    transfer,
    transposed,
    uoro,
)
from .unfold import Step, Unfolded, cells, delta, unfold
from .unfold.graph import graph
from .view import EngineError, Ledger, Picture, draw, draw_flow, ledger, new_folder, show

__version__ = "0.1.0"

__all__ = [
    "BadNumber",
    "CheckReport",
    "Compared",
    "EngineError",
    "Finding",
    "Ledger",
    "Node",
    "Ordered",
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
    "delta",
    "draw",
    "draw_flow",
    "eprop",
    "flow",
    "flow_graph",
    "focused",
    "graph",
    "guo",
    "ledger",
    "new_folder",
    "ops",
    "ordered",
    "rtrl",
    "show",
    "transfer",
    "transposed",
    "unfold",
    "uoro",
]
