"""A function at every point of a grid, kept in a file that only grows.

``sweep`` is what is called, ``file`` what is kept, and ``point`` one call of the function; ``here`` and ``cluster``
are where it is made.
"""

from .sweep import grid, sweep

__all__ = ["grid", "sweep"]
