"""Cells: what a recurrent network computes in one time step.

A cell is a function ``cell(params, x, s)`` that returns the new state and the output, ``(s, y)``,
written with the ops of `tinygrad_rnn.autodiff.ops`. `params[name]` is the weight's copy at this time
step. `unfold` calls the cell once for each step.

Arrays are indexed ``x[p, i]``, ``s[p, j]``, ``y[p, k]`` and weights ``V[j, i]``, ``U[j, h]``, ``W[k, j]``. The sizes
are l inputs, m hidden units and o outputs. Gates lie one below the other in V, U and b_j: (count * m, ...).
"""

from typing import TYPE_CHECKING, NoReturn

from ...autodiff.elsewhere import no_attribute
from .base import Cell
from .clipped import ErrorClipped
from .gru import GRU
from .lstm import LSTM
from .mozer import Mozer
from .simple import IRNN, Elman, Guo
from .stacked import Stacked

BY_NAME: dict[str, type[Cell]] = {"guo": Guo, "elman": Elman, "irnn": IRNN, "lstm": LSTM, "gru": GRU}  # one word each

__all__ = ["GRU", "IRNN", "LSTM", "Cell", "Elman", "ErrorClipped", "Guo", "Mozer", "Stacked"]

if not TYPE_CHECKING:  # a type checker would take every name for one of ours

    def __getattr__(name: str) -> NoReturn:
        raise no_attribute(__name__, name, [f"cells.{ours}" for ours in __all__])
