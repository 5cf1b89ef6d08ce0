"""Pictures, formulas and lessons: everything shown is made from the tape."""

from ..exchange.files import new_folder
from . import notebook as notebook
from .accounts import Account, Amount, Contribution, Factors, Other, Row
from .engine import EngineError
from .flow import draw_flow
from .ledger import Ledger, ledger
from .picture import Picture
from .player import Player, player
from .plots import plot_axes, plot_influence, plot_lags, plot_masks
from .plots_of_runs import plot_runs, plot_sweep
from .scene import Scene
from .surfaces import plot_bifurcation, plot_surface, plot_surfaces
from .terminal import show
from .trace import Drawn, Entry, Moment, Part, Trace
from .tracing import trace
from .views import draw

__all__ = [
    "Account",
    "Amount",
    "Contribution",
    "Drawn",
    "EngineError",
    "Entry",
    "Factors",
    "Ledger",
    "Moment",
    "Other",
    "Part",
    "Picture",
    "Player",
    "Row",
    "Scene",
    "Trace",
    "draw",
    "draw_flow",
    "ledger",
    "new_folder",
    "player",
    "plot_axes",
    "plot_bifurcation",
    "plot_influence",
    "plot_lags",
    "plot_masks",
    "plot_runs",
    "plot_surface",
    "plot_surfaces",
    "plot_sweep",
    "show",
    "trace",
]
