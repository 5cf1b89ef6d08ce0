"""The places within each step; steps that are alike share them."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from .rows import PlacedStep, StepPart, step
from .traffic import Traffic
from .wanted import END


def steps_of(traffic: Traffic) -> dict[int, PlacedStep]:
    """The places in every column that is not empty and not elided."""
    kinds: dict[Any, list[int]] = defaultdict(list)
    local: dict[int, list[tuple[int, ...]]] = {}
    for c in [*range(1, len(traffic.columns)), END, 0]:  # the initial states last: their rows are those of others
        items = traffic.items(c)
        local[c] = [tuple(traffic.where[p][1] for p in traffic.reads[item.id]) for item in items]
        if items and not traffic.elided(c):
            shape = tuple((reads, i.beside, i.first) for reads, i in zip(local[c], items, strict=True))
            kinds[min(c, 1), shape].append(c)
    steps: dict[int, PlacedStep] = {}
    for alike in kinds.values():
        placed = step(_parts(traffic, alike, local[alike[0]], steps))
        for c in alike:
            steps[c] = placed
    return steps


def _parts(
    traffic: Traffic, alike: list[int], reads: list[tuple[int, ...]], steps: dict[int, PlacedStep]
) -> tuple[StepPart, ...]:
    """The parts of steps that are alike: each as large as in any of them, with the lines that it has in any of them."""
    parts = []
    for k, same in enumerate(zip(*map(traffic.items, alike), strict=True)):
        ids = [item.id for item in same]
        like = [(item, *traffic.where[item.like]) for item in same if item.like]
        rows = [max(0, steps[c].row[n] - item.below) for item, c, n in like]
        most: list[int] = max([traffic.enter.get(i, []) for i in ids], key=len)
        parts.append(
            StepPart(
                max(item.width for item in same),
                max(item.height for item in same),
                reads[k],
                same[0].beside,
                same[0].first,
                rows[0] if rows else None,
                tuple(sorted(most)),
                tuple(sorted(set().union(*(traffic.leave[i] for i in ids if i in traffic.leave)))),
                any(i in traffic.up for i in ids),
            )
        )
    return tuple(parts)
