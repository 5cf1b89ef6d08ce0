"""Pictures, formulas and lessons: everything shown is made from the tape."""

from .engine import EngineError
from .picture import Picture, draw

__all__ = ["EngineError", "Picture", "draw"]
