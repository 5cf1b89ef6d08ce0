"""Pictures, formulas and lessons: everything shown is made from the tape."""

from .engine import EngineError
from .ledger import Ledger, ledger
from .lessons import new_folder
from .picture import Picture, draw
from .plots import plot_influence, plot_lags
from .scene import Scene
from .terminal import show

__all__ = [
    "EngineError",
    "Ledger",
    "Picture",
    "Scene",
    "draw",
    "ledger",
    "new_folder",
    "plot_influence",
    "plot_lags",
    "show",
]
