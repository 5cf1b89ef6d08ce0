"""What a lesson asks, and what is wrong with an answer: the first thing that is, named."""

from .exercise import Exercise, Folder, Slip, folders

__all__ = ["Exercise", "Folder", "Slip", "folders"]
