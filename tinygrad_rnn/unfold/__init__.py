"""Unfolding a recurrent network in time: tied copies of one cell."""

from . import cells, losses
from .cells import Guo
from .steps import Step
from .unfolded import Recipe, Unfolded, delta, unfold

__all__ = ["Guo", "Recipe", "Step", "Unfolded", "cells", "delta", "losses", "unfold"]
