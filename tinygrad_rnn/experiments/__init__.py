"""Experiments: sweeps over settings, and what a gradient is worth."""

from .sweeps import grid, sweep

__all__ = ["grid", "sweep"]
