"""Unfolding a recurrent network in time: tied copies of one cell."""

from ..replay import Folded
from . import cells, losses
from .cells import Guo
from .derivation import Derivation, DerivedEquation
from .fold import Different
from .gradients import delta
from .network import Network
from .paying import Paying
from .recipe import Recipe, Recorded
from .recording import Recording
from .steps import Read, Step
from .unfolded import Unfolded
from .unfolding import unfold, with_weights

__all__ = [
    "Derivation",
    "DerivedEquation",
    "Different",
    "Folded",
    "Guo",
    "Network",
    "Paying",
    "Read",
    "Recipe",
    "Recorded",
    "Recording",
    "Step",
    "Unfolded",
    "cells",
    "delta",
    "losses",
    "unfold",
    "with_weights",
]
