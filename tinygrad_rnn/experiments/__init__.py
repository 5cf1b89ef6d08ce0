"""Experiments: sweeps over settings, and what a gradient is worth."""

from .arena import arena
from .arena_standings import Standings
from .sweeps import grid, sweep

__all__ = ["Standings", "arena", "grid", "sweep"]
