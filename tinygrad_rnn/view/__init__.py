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
from .scene import Scene
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
    "plot_influence",
    "plot_lags",
    "plot_masks",
    "show",
    "trace",
]
