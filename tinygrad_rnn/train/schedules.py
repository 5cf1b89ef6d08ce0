"""How eta falls while a run goes on. Updates are counted, never seconds: a clock cannot be gone on with."""

from __future__ import annotations

import math
from dataclasses import dataclass

HALVED_AFTER = 2  # evaluations without a new best
LOWEST = 0.01  # of the first eta, at the end of a cosine


@dataclass(slots=True)
class EtaSchedule:
    """The step size, update by update.

    Attributes
    ----------
    decay : {"none", "plateau", "cosine:N"}
        See `fit`.
    eta : float
        From where it falls.
    halvings : int
        How often a plateau has halved it.
    waited : int
        How many evaluations in a row have been no better than the best one since it was last halved.
    """

    decay: str
    eta: float
    halvings: int = 0
    waited: int = 0

    @property
    def length(self) -> int | None:
        """Over how many updates a cosine falls."""
        return int(self.decay.partition(":")[2]) if self.decay.startswith("cosine:") else None

    def at(self, update: int) -> float:
        """The step size of an update; the first one is number 1."""
        if self.length is None:
            return self.eta * 0.5**self.halvings
        done = min(1.0, (update - 1) / self.length)
        return self.eta * (LOWEST + (1 - LOWEST) * 0.5 * (1 + math.cos(math.pi * done)))

    def evaluated(self, better: bool) -> None:
        """Take note of an evaluation."""
        self.waited = 0 if better else self.waited + 1
        if self.decay == "plateau" and self.waited >= HALVED_AFTER:
            self.halvings, self.waited = self.halvings + 1, 0
