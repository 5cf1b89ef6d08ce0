"""Replays: a folded time step as data, passes that rewrite it, and the program that plays all its copies."""

from .folded import Delay, Folded
from .passes import PASSES, join_products
from .program import Program, read_only

__all__ = ["PASSES", "Delay", "Folded", "Program", "join_products", "read_only"]
