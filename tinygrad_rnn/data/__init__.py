"""Data: tables and texts read from files, by rules that are said, with nothing guessed in silence."""

from .origin import Origin
from .refusal import DataError
from .tables import Table, table
from .texts import Text, text

__all__ = ["DataError", "Origin", "Table", "Text", "table", "text"]
