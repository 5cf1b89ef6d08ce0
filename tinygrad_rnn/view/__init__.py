"""Pictures, formulas and lessons: everything shown is made from the tape."""

from .engine import EngineError
from .flow import draw_flow
from .ledger import Ledger, ledger
from .lessons import new_folder
from .picture import Picture, draw
from .scene import Scene
from .terminal import show

__all__ = ["EngineError", "Ledger", "Picture", "Scene", "draw", "draw_flow", "ledger", "new_folder", "show"]
