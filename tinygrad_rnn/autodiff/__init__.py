"""Reverse-mode differentiation on an explicit tape."""

from . import ops, writing
from .bad import BadNumber, first_bad
from .check import CheckReport, Compared, Finding, check, check_tape
from .differentiate import by_rule, record_pullback
from .errors import Place, ShapeError, TapeError
from .forward import Push, Tangents, play_copies, record_pushforward
from .op import OPS, Op, Rule, op
from .outer import Outer
from .tape import Node, Rows, Share, Tape

__all__ = [
    "OPS",
    "BadNumber",
    "CheckReport",
    "Compared",
    "Finding",
    "Node",
    "Op",
    "Outer",
    "Place",
    "Push",
    "Rows",
    "Rule",
    "ShapeError",
    "Share",
    "Tangents",
    "Tape",
    "TapeError",
    "by_rule",
    "check",
    "check_tape",
    "first_bad",
    "op",
    "ops",
    "play_copies",
    "record_pullback",
    "record_pushforward",
    "writing",
]
