"""When a run ends: what it was asked for, or somebody who wants it to."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Mapping
from typing import Any


class StopRequest:
    """Ctrl-C and SIGTERM, taken note of and obeyed between two updates; a second one is obeyed at once.

    Outside the main thread signals are none of ours, and nothing is changed.
    """

    def __init__(self) -> None:
        self.by: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            for which in (signal.SIGINT, signal.SIGTERM):
                self._before[which] = signal.signal(which, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        for which, handler in self._before.items():
            signal.signal(which, signal.SIG_DFL if handler is None else handler)

    def _note(self, number: int, frame: object) -> None:  # noqa: ARG002  a handler is given both
        if self.by is not None:
            raise KeyboardInterrupt
        self.by = signal.Signals(number)


class RunEnds:
    """What a run was asked for: the first that is reached ends it.

    Parameters
    ----------
    stops : mapping of str to Any
        ``updates``, ``epochs``, ``minutes`` and ``patience``; None is no end.
    """

    def __init__(self, stops: Mapping[str, Any]) -> None:
        self.stops = stops
        self._until = time.monotonic() + 60 * stops["minutes"] if stops["minutes"] else float("inf")

    def reached(self, update: int, epoch: int, waited: int) -> str:
        """Why a run is at its end; empty if it is not."""
        if self.stops["updates"] is not None and update >= self.stops["updates"]:
            return f"{update:,} updates are done, as was asked"
        if self.stops["epochs"] is not None and epoch >= self.stops["epochs"]:
            return f"{epoch:,} epochs are done, as was asked"
        if self.stops["patience"] is not None and waited >= self.stops["patience"]:
            return f"the last {waited} evaluations were no better than the best one"
        if time.monotonic() >= self._until:
            return f"{self.stops['minutes']:g} minutes are over, as was asked"
        return ""
