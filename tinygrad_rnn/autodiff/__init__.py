"""Reverse-mode differentiation on an explicit tape."""

from . import ops, writing
from .batched import BatchedValues
from .chain import Push, Share, by_rule, pullback, pushforward, received
from .check import CheckReport, Compared, Finding, check, check_pass, check_tape
from .derivatives import Tangents, record_pullback, record_pushforward
from .errors import ShapeError, SourceLine, TapeError
from .form import Addend, Joins, Puts, Takes
from .node import Node
from .nonfinite import BadNumber, first_bad
from .op import OPS, Op, Rule, op
from .passes import Cotangents, OnTape, Passes, Values
from .tape import Tape
from .terms import Outer
from .worked import Term, Worked

__all__ = [
    "OPS",
    "Addend",
    "BadNumber",
    "BatchedValues",
    "CheckReport",
    "Compared",
    "Cotangents",
    "Finding",
    "Joins",
    "Node",
    "OnTape",
    "Op",
    "Outer",
    "Passes",
    "Push",
    "Puts",
    "Rule",
    "ShapeError",
    "Share",
    "SourceLine",
    "Takes",
    "Tangents",
    "Tape",
    "TapeError",
    "Term",
    "Values",
    "Worked",
    "by_rule",
    "check",
    "check_pass",
    "check_tape",
    "first_bad",
    "op",
    "ops",
    "pullback",
    "pushforward",
    "received",
    "record_pullback",
    "record_pushforward",
    "writing",
]
