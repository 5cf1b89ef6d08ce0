"""Reverse-mode differentiation on an explicit tape."""

from . import ops
from .bad import BadNumber, first_bad
from .chain import Push, Share, by_rule, pullback, pushforward, received
from .check import CheckReport, Compared, Finding, check, check_pass, check_tape
from .differentiate import record_pullback, record_pushforward
from .errors import ShapeError, SourceLine, TapeError
from .forward import Tangents, ValuesWith, play_copies
from .node import Node
from .op import OPS, Op, Rule, op
from .passes import Cotangents, Values
from .tape import Tape
from .terms import Outer

__all__ = [
    "OPS",
    "BadNumber",
    "CheckReport",
    "Compared",
    "Cotangents",
    "Finding",
    "Node",
    "Op",
    "Outer",
    "Push",
    "Rule",
    "ShapeError",
    "Share",
    "SourceLine",
    "Tangents",
    "Tape",
    "TapeError",
    "Values",
    "ValuesWith",
    "by_rule",
    "check",
    "check_pass",
    "check_tape",
    "first_bad",
    "op",
    "ops",
    "play_copies",
    "pullback",
    "pushforward",
    "received",
    "record_pullback",
    "record_pushforward",
]
