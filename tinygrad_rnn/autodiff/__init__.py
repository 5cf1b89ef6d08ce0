"""Reverse-mode differentiation on an explicit tape."""

from . import ops
from .errors import ShapeError, TapeError
from .op import OPS, Op, Rule, op
from .outer import Outer
from .tape import Node, Share, Tape

__all__ = ["OPS", "Node", "Op", "Outer", "Rule", "ShapeError", "Share", "Tape", "TapeError", "op", "ops"]
