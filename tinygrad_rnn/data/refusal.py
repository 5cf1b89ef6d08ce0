"""Why a file is not read, and which arguments would read it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Way = dict[str, Any]


class DataError(ValueError):
    """A file that is not read, as its content has no one meaning, or none at all.

    Attributes
    ----------
    says : str
        The file, the line, the column, what stands there and what must hold.
    ways : tuple of dict
        Each the arguments that would read it, by name; empty if none would. A value that is a tuple is a choice.
    """

    def __init__(self, says: str, *ways: Way) -> None:
        self.says, self.ways = says, ways
        super().__init__(says, *ways)

    def __str__(self) -> str:
        """What is said, and the arguments as they are written in Python."""
        return told(self.says, self.ways, lambda name, value: f"{name}={value!r}", ", ")


def told(says: str, ways: tuple[Way, ...], write: Callable[[str, Any], str], joint: str) -> str:
    """What is said, and the ways out of it: each argument as `write(name, value)`, and those of one way joined."""
    written = [
        joint.join(
            " or ".join(write(name, v) for v in (value if isinstance(value, tuple) else (value,)))
            for name, value in way.items()
        )
        for way in ways
    ]
    return f"{says}; pass {' or '.join(written)}" if written else says


def shown(cell: str, most: int = 40) -> str:
    """A cell or a name as it is quoted: control characters escaped, a long one shortened."""
    return repr(cell if len(cell) <= most else cell[: most - 1] + "…")
