"""The parts of a sequence in time: what is learned from, what chooses, and what is looked at once, at the end."""

from __future__ import annotations

from typing import NamedTuple


class Parts(NamedTuple):
    """Where the parts lie: ``[0, validation)`` is learned from, then ``[validation, test)``, then ``[test, end)``."""

    validation: int
    test: int
    end: int

    def of(self, name: str) -> tuple[int, int]:
        """The first place of a part, and the first one behind it."""
        bounds = {
            "train": (0, self.validation),
            "validate": (self.validation, self.test),
            "test": (self.test, self.end),
        }
        return bounds[name]

    def __str__(self) -> str:
        sizes = {name: end - begin for name in ("train", "validate", "test") for begin, end in [self.of(name)]}
        return ", ".join(f"{size:,} {name}" for name, size in sizes.items())


def parts(count: int, validate: float, test: float) -> Parts:
    """The parts of so many symbols or rows; a share that is above 0 gets one at least."""
    tested = max(round(test * count), test > 0)
    validated = max(round(validate * count), validate > 0)
    return Parts(max(count - tested - validated, 0), max(count - tested, 0), count)
