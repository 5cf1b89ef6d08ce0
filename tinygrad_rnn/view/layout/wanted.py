"""What a picture asks of the layout: boxes that want a place, and lines that want a way."""

from __future__ import annotations

from dataclasses import dataclass

Net = tuple[str, str]  # where lines come from that run together, and the height that they keep
SHARED, END = -1, -2  # the columns of what all steps share, and of what comes after all steps


@dataclass(slots=True)
class Item:
    """A box that wants a place.

    Attributes
    ----------
    beside : bool
        Whether it stands beside what reads it.
    first : bool
        Whether it is an input, at the bottom of its step.
    like : str
        The id of the box in the next column whose row it shares, as s(0) does that of s(1).
    below : int
        So many rows lower.
    """

    id: str
    name: str
    width: float
    height: float
    kind: str
    numbers: tuple[tuple[str, str], ...] = ()
    tooltip: str = ""
    beside: bool = False
    first: bool = False
    like: str = ""
    below: int = 0
    fill: str = ""
    border: str = ""
    ink: str = ""


@dataclass(slots=True)
class Edge:
    """A line that wants a way.

    Attributes
    ----------
    like : str
        The box whose height a line out of an elided column keeps.
    again : int
        How many arguments before this one are the same node, as in ``x * x``.
    """

    id: str
    source: str
    target: str
    kind: str = "data"
    color: str = ""
    like: str = ""
    again: int = 0

    @property
    def net(self) -> Net:
        """What it has in common with the lines that it runs together with: they come from the same box."""
        return self.source, self.like


@dataclass(slots=True)
class Column:
    """What stands in one time step, in the order of recording; an elided one has a single box, as tall as the rest."""

    id: str
    title: str
    items: list[Item]
    elided: bool = False
