"""Each rival's settings, looked for with the same budget, on seeds that no result is of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..sweeps.file import Record

TUNED_ON = (1000, 1001)  # the seeds

Pair = tuple[str, str]  # a task and a rival
Setting = dict[str, Any]
Lists = Mapping[str, Sequence[Any]]  # of each setting the values, from small to large
Place = tuple[int, ...]  # of a setting: which value it is in each list


def middle(lists: Mapping[Pair, Lists]) -> dict[Pair, Setting]:
    """The settings in the middle of the lists."""
    return {pair: _setting(of, _middle(of)) for pair, of in lists.items()}


def tuned(
    lists: Mapping[Pair, Lists], run: Callable[[list[tuple[Pair, Setting]]], list[Record]]
) -> tuple[dict[Pair, Setting], list[Record]]:
    """Go from the middle of the lists to the best setting beside, until none beside is better.

    So the lists may be long, and only what lies on the way is tried; who stands at a list's end was led there.

    Parameters
    ----------
    lists : mapping of (str, str) to mapping
        Of each task and rival the values of its settings.
    run : callable
        Given tasks, rivals and settings, it gives the records of their runs; all pairs that still go on at a time.

    Returns
    -------
    chosen : dict of (str, str) to dict
        The settings at the end. Best is what has the smallest mean of the logarithms of its costs.
    looked_at : list of dict
        The records of all runs.
    """
    at = {pair: _middle(of) for pair, of in lists.items()}
    means: dict[tuple[Pair, Place], float] = {}
    looked_at: list[Record] = []
    on_the_way = [pair for pair, of in lists.items() if any(len(values) > 1 for values in of.values())]
    while on_the_way:
        around = {pair: [at[pair], *_beside(at[pair], lists[pair])] for pair in on_the_way}
        new = [(pair, place) for pair in on_the_way for place in around[pair] if (pair, place) not in means]
        records = run([(pair, _setting(lists[pair], place)) for pair, place in new])
        of_each = len(records) // max(1, len(new))
        for k, key in enumerate(new):
            means[key] = _mean(records[k * of_each : (k + 1) * of_each])
        looked_at += records
        best = {p: min(places, key=lambda place: means[p, place]) for p, places in around.items()}
        on_the_way = [pair for pair in on_the_way if best[pair] != at[pair]]
        at |= best
    return {pair: _setting(lists[pair], place) for pair, place in at.items()}, looked_at


def _middle(lists: Lists) -> Place:
    return tuple(len(values) // 2 for values in lists.values())


def _setting(lists: Lists, place: Place) -> Setting:
    return {name: values[k] for (name, values), k in zip(lists.items(), place, strict=True)}


def _beside(place: Place, lists: Lists) -> Iterator[Place]:
    """The places one step away along one list."""
    for axis, values in enumerate(lists.values()):
        for k in (place[axis] - 1, place[axis] + 1):
            if 0 <= k < len(values):
                yield (*place[:axis], k, *place[axis + 1 :])


def _mean(records: Sequence[Record]) -> float:
    """The mean of the logarithms of the costs of some runs."""
    costs = [record["result"]["cost"] if record["ok"] else np.inf for record in records]
    with np.errstate(divide="ignore"):
        return np.inf if np.isinf(costs).any() else float(np.mean(np.log(costs)))
