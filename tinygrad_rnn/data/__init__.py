"""Data: tables and texts, read from files by rules that are said, brought along, or drawn at random."""

from .laser import laser
from .mackey_glass import mackey_glass
from .origin import Origin
from .reber import reber
from .refusal import DataError
from .shipped import co2, constitution, nile, sunspots
from .tables import Table, table
from .tasks import Sequences, adding, copy_memory, parity, temporal_order
from .texts import Text, text

__all__ = [
    "DataError",
    "Origin",
    "Sequences",
    "Table",
    "Text",
    "adding",
    "co2",
    "constitution",
    "copy_memory",
    "laser",
    "mackey_glass",
    "nile",
    "parity",
    "reber",
    "sunspots",
    "table",
    "temporal_order",
    "text",
]
