"""Unfolding a recurrent network in time: tied copies of one cell."""

from . import cells, losses
from .cells import Guo
from .recipe import Recipe
from .steps import Step
from .unfolded import Unfolded, delta, unfold

__all__ = ["Guo", "Recipe", "Step", "Unfolded", "cells", "delta", "losses", "unfold"]
