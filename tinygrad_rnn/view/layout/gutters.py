"""The lines between two columns, side by side in the order in which they cross least."""

from __future__ import annotations

from itertools import permutations

from .doors import Doors
from .traffic import Traffic
from .wanted import Net

Levels = tuple[float, ...]  # the heights at which lines come or go


def tracks(traffic: Traffic, doors: Doors) -> dict[tuple[int, Net], int]:
    """The places of the nets between each column and the one before it, from left to right."""
    found: dict[tuple[int, Net], int] = {}
    known: dict[object, tuple[int, ...]] = {}
    for c, edges in traffic.gutters.items():
        nets = sorted(traffic.crossing[c], key=lambda net: traffic.where[net[0]])
        ins: dict[Net, set[float]] = {net: set() for net in nets}  # the heights at which it comes from the left
        outs: dict[Net, set[float]] = {net: set() for net in nets}  # and goes to the right
        for e in edges:
            a, b = traffic.ends(e)
            (ins if a < c else outs)[e.net].add(doors.height_out(e))
            (outs if b >= c else ins)[e.net].add(doors.height_in(e))
        key = tuple((tuple(sorted(ins[net])), tuple(sorted(outs[net]))) for net in nets)
        if key not in known:
            known[key] = _fewest_crossings(key)
        found |= {(c, net): place for net, place in zip(nets, known[key], strict=True)}
    return found


def _fewest_crossings(spans: tuple[tuple[Levels, Levels], ...]) -> tuple[int, ...]:
    """Places for the lines between two columns, given the heights at which each comes in and goes out."""
    if len(spans) > 6:
        return tuple(range(len(spans)))

    def crossings(order: tuple[int, ...]) -> float:
        total = 0.0
        for one, (ins, outs) in enumerate(spans):
            low, high = min(ins + outs), max(ins + outs)
            for other, (their_ins, their_outs) in enumerate(spans):
                if one != other:
                    passing = their_ins if order[other] > order[one] else their_outs
                    total += sum(low < y < high for y in passing)
                    total += 5 * sum(y in (*outs,) for y in their_ins if order[other] > order[one])
        return total

    return min(permutations(range(len(spans))), key=crossings)
