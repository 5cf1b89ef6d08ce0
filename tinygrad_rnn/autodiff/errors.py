"""The two errors of the tape: values that do not fit, and questions asked at the wrong moment."""

from __future__ import annotations


class ShapeError(ValueError):
    """Arrays that an op cannot combine: says what was given, what must hold and what to do."""


class TapeError(RuntimeError):
    """A question the tape cannot answer in its present state, and what to do first."""
