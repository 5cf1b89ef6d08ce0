"""Who is told how a run goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Listener:
    """Hears what is said of a run, line by line.

    Parameters
    ----------
    watch : callable, optional
        Called with each line.
    """

    def __init__(self, watch: Callable[[str], Any] | None = None) -> None:
        self._watch = watch

    def say(self, line: str) -> None:
        """Hear a line."""
        if self._watch is not None:
            self._watch(line)

    def moved(self, update: int, price: float) -> None:
        """Hear that an update was done, and at what price its window was told."""
