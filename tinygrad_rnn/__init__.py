"""tinygrad_rnn: see and check every step of backpropagation through time.

Independent of the tinygrad project.
"""

from . import guo
from .autodiff import ShapeError, Tape, TapeError, ops
from .unfold import Step, Unfolded, cells, unfold

__version__ = "0.1.0"

__all__ = ["ShapeError", "Step", "Tape", "TapeError", "Unfolded", "cells", "guo", "ops", "unfold"]
