"""Where everything stands: time runs left to right, one column a step; within a step data runs upwards.

No layout engine is asked: positions follow from what is read by what. Lines run in lanes of their own. Between two
rows, those that stay in the step; between two columns, those that go from step to step; below all columns, those
that tie copies to their weight; above, those that go to the sum of the costs.

A *net* is what lines from one box have in common: they run together as far as they can. A *gutter* is the room between
two columns, a *track* the place of one line among those beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..scene import Box, Frame, Line
from .boxes import boxes_of, frames_of
from .doors import Doors
from .heights import Heights
from .traffic import Traffic
from .wanted import Column, Edge, Item
from .ways import Ways
from .widths import Widths

__all__ = ["Column", "Edge", "Item", "Placed", "place"]


@dataclass
class Placed:
    """Boxes, lines and frames in their places."""

    boxes: dict[str, Box]
    lines: list[Line]
    frames: list[Frame]


def place(
    columns: Sequence[Column], edges: Sequence[Edge], shared: Sequence[Item] = (), end: Sequence[Item] = ()
) -> Placed:
    """Find a place for every box and a way for every line.

    Parameters
    ----------
    columns : sequence of Column
        The steps from left to right; the first one is that of the initial states, and may be empty.
    edges : sequence of Edge
        Who is read by whom; in the order of a reader's arguments.
    shared : sequence of Item
        What all steps share: the weights.
    end : sequence of Item
        What comes after all steps, as the sum of the costs.
    """
    # Each one reads those before it: what goes where, how high it is, where its lines come out, how wide that makes it.
    traffic = Traffic(columns, edges, shared, end)
    heights = Heights(traffic)
    doors = Doors(traffic, heights)
    widths = Widths(traffic, heights, doors)
    boxes = boxes_of(traffic, heights, widths)
    ways = Ways(traffic, heights, doors, widths, boxes)
    lines = [Line(e.id, e.source, e.target, ways.of(e), e.kind, e.color) for e in edges]
    return Placed(boxes, lines, frames_of(traffic, heights, widths, boxes))
