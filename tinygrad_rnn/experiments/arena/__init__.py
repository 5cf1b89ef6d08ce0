"""What a gradient is worth: rivals that search for weights, each with the same number of passes.

``tasks`` says what is learnt, ``objective`` what a rival sees of it, and what that takes; ``rivals`` are the ways to
search. ``contest`` tunes and runs them, as points of a sweep, and ``standings`` says what came of it.
"""

from .contest import arena
from .standings import Standings

__all__ = ["Standings", "arena"]
