"""Pictures, formulas and lessons: everything shown is made from the tape."""

from .engine import EngineError
from .ledger import Ledger, ledger
from .lessons import new_folder
from .picture import Picture, draw
from .player import Player, player
from .scene import Scene
from .terminal import show
from .trace import Account, Moment, Part, Row, Trace, trace

__all__ = [
    "Account",
    "EngineError",
    "Ledger",
    "Moment",
    "Part",
    "Picture",
    "Player",
    "Row",
    "Scene",
    "Trace",
    "draw",
    "ledger",
    "new_folder",
    "player",
    "show",
    "trace",
]
