"""What an op computes, as data: sums of terms, and columns that are taken, put or joined."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Addend:
    """One term of a sum: an argument, or the matrix product of two.

    Attributes
    ----------
    slots : tuple of int
        The one argument, or the two factors.
    turned : tuple of bool
        Whether each is transposed.
    repeated, summed : bool
        Whether the argument is one row that every sample gets, or is summed over its samples.
    """

    slots: tuple[int, ...]
    turned: tuple[bool, ...] = (False, False)
    repeated: bool = False
    summed: bool = False

    @property
    def plain(self) -> bool:
        """Whether the term is an argument as it is."""
        return len(self.slots) == 1 and not (self.turned[0] or self.repeated or self.summed)

    @property
    def product(self) -> bool:
        """Whether the term is a product."""
        return len(self.slots) == 2

    def beside(self, slot: int) -> int:
        """The factor beside this one of a product."""
        return sum(self.slots) - slot


@dataclass(frozen=True, slots=True)
class Takes:
    """The columns from `start` to before `stop` of the argument, along its last axis."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Puts:
    """The argument in the columns from `start` on; zeros everywhere else."""

    start: int


@dataclass(frozen=True, slots=True)
class Joins:
    """The arguments one behind the other along an axis, counted from the last one."""

    axis: int


Block = Takes | Puts | Joins
