"""Experiments: what training meets, measured. Error surfaces, sweeps, and what a gradient is worth."""

from .arena import Standings, arena
from .bifurcation import attractor, different_values, lyapunov
from .cliff import Descent, cliff, descend, logistic_unit
from .many_weights import AtWeights, at_weights
from .minima import Minima, minima
from .plots_of_runs import plot_runs, plot_sweep
from .plots_of_surfaces import plot_bifurcation, plot_surface, plot_surfaces
from .surface import Surface, filter_direction, surface
from .surface_ends import Ends, ends
from .sweeps import grid, sweep

__all__ = [
    "AtWeights",
    "Descent",
    "Ends",
    "Minima",
    "Standings",
    "Surface",
    "arena",
    "at_weights",
    "attractor",
    "cliff",
    "descend",
    "different_values",
    "ends",
    "filter_direction",
    "grid",
    "logistic_unit",
    "lyapunov",
    "minima",
    "plot_bifurcation",
    "plot_runs",
    "plot_surface",
    "plot_surfaces",
    "plot_sweep",
    "surface",
    "sweep",
]
