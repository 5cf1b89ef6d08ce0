"""What came of an arena: medians with their intervals, who is better how often, and who gets there when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..sweeps.file import Record
from .objective import marks
from .rivals import RIVALS, STREAMS

Array = NDArray[Any]
RESAMPLES = 2000


class Standings:
    """The runs of an arena.

    Attributes
    ----------
    runs, tuned : list of dict
        The records of the runs that count, and of those that were only there to find settings.
    budget : int
        FE of each.
    marks : list of int
        The FE at which curves are read.
    tasks, rivals : list of str
        Those that have runs.
    """

    def __init__(self, runs: Sequence[Record], tuned: Sequence[Record], budget: int) -> None:
        self.runs, self.tuned, self.budget, self.marks = list(runs), list(tuned), budget, marks(budget)
        self._by: dict[tuple[str, str], list[Record]] = {}
        for record in self.runs:
            self._by.setdefault((record["point"]["task"], record["point"]["rival"]), []).append(record)
        self.tasks = list(dict.fromkeys(t for t, _ in self._by))
        self.rivals = list(dict.fromkeys(r for _, r in self._by))

    def has(self, task: str, rival: str) -> bool:
        """Whether that rival has done that task."""
        return (task, rival) in self._by

    def of(self, task: str, rival: str, what: str = "cost") -> Array:
        """One number of each run, seed by seed: ``cost``, ``test``, ``cpu``, ...; or all curves, (seeds, marks).

        A run that has failed counts as infinite.
        """
        records = self._by[task, rival]
        if what == "curve":
            return np.array([r["result"]["curve"] if r["ok"] else [np.inf] * len(self.marks) for r in records])
        return np.array([r["result"][what] if r["ok"] else np.inf for r in records], dtype=float)

    def median(self, task: str, rival: str, what: str = "cost") -> float:
        """The median over seeds."""
        return float(np.median(self.of(task, rival, what)))

    def interval(self, task: str, rival: str, what: str = "cost") -> tuple[float, float]:
        """The 95 % bootstrap interval of that median: percentiles of the medians of runs drawn with replacement."""
        found = np.sort(self.of(task, rival, what))  # so that it does not depend on the order of the runs
        drawn = np.random.default_rng(0).integers(len(found), size=(RESAMPLES, len(found)))
        low, high = np.quantile(np.median(found[drawn], axis=1), [0.025, 0.975], method="inverted_cdf")
        return float(low), float(high)

    def better(self, task: str, rival: str, other: str, what: str = "cost") -> float:
        """How often a run of one is better than a run of the other, over all pairs; a tie counts one half."""
        a, b = self.of(task, rival, what)[:, None], self.of(task, other, what)[None, :]
        return float(np.mean((a < b) + 0.5 * (a == b)))

    def reached(self, task: str, rival: str, goal: float) -> float:
        """The FE at which the median of the best costs has come down to a goal; infinite if it never does."""
        median = np.median(self.of(task, rival, "curve"), axis=0)
        there = np.flatnonzero(median <= goal)
        return float(self.marks[there[0]]) if there.size else np.inf

    def setting(self, task: str, rival: str) -> dict[str, Any]:
        """The setting that the runs were done with."""
        found: dict[str, Any] = self._by[task, rival][0]["point"]["setting"]
        return found

    def edges(self) -> list[tuple[str, str, str, Any]]:
        """(task, rival, setting, value) where the value that was best is the first or the last one that was tried."""
        found = []
        tried: dict[tuple[str, str, str], set[Any]] = {}
        for record in self.tuned:
            point = record["point"]
            for name, value in point["setting"].items():
                tried.setdefault((point["task"], point["rival"], name), set()).add(value)
        for (task, rival, name), values in tried.items():
            value = self.setting(task, rival)[name]
            if len(values) > 1 and value in (min(values), max(values)):
                found.append((task, rival, name, value))
        return found

    @property
    def cpu_seconds(self) -> float:
        """The processor time of all runs together, those for settings included."""
        return float(sum(r["result"]["cpu"] for r in [*self.runs, *self.tuned] if r["ok"]))

    def rows(self) -> list[dict[str, Any]]:
        """A row for each task and rival: what the table has, and what a file may keep."""
        adam = {t for t in self.tasks if self.has(t, "adam")}
        return [
            {
                "task": t,
                "rival": r,
                "name": (RIVALS | STREAMS)[r].name,
                "setting": self.setting(t, r),
                "runs": len(self._by[t, r]),
                "weights": next((run["result"]["n"] for run in self._by[t, r] if run["ok"]), None),
                "train": self.median(t, r),
                "train_interval": list(self.interval(t, r)),
                "test": self.median(t, r, "test"),
                "test_interval": list(self.interval(t, r, "test")),
                "better_than_adam": self.better(t, r, "adam") if t in adam else None,
                "us_per_FE": 1e6 * float(np.median(self.of(t, r, "cpu") / np.maximum(self.of(t, r, "spent"), 1))),
            }
            for t in self.tasks
            for r in self.rivals
            if self.has(t, r)
        ]

    def summary(self) -> dict[str, Any]:
        """What a page shows, for a file of JSON: the rows of each task, each with the quartiles of its curves.

        Numbers have five digits.
        """

        def quartiles(row: dict[str, Any]) -> list[list[float]]:
            curves = self.of(row["task"], row["rival"], "curve")
            found: list[list[float]] = np.quantile(curves, [0.25, 0.5, 0.75], axis=0, method="inverted_cdf").tolist()
            return found

        rows = [row | {"quartiles": quartiles(row)} for row in self.rows()]
        found: dict[str, Any] = _short(
            {
                "budget": self.budget,
                "seeds": max((len(records) for records in self._by.values()), default=0),
                "marks": self.marks,
                "tasks": {t: [row for row in rows if row["task"] == t] for t in self.tasks},
                "edges": self.edges(),
                "cpu_seconds": self.cpu_seconds,
            }
        )
        return found

    def __str__(self) -> str:
        lines = []
        for t in self.tasks:
            lines += [
                f"{t}, {self.budget:,} FE: normalised mean squared error, median [95 % interval]",
                f"{'':24}{'training':>31}{'test':>31}  better than Adam   us/FE",
            ]
            for row in sorted((row for row in self.rows() if row["task"] == t), key=lambda row: float(row["train"])):
                wins = row["better_than_adam"]
                columns = (_with(row[w], row[f"{w}_interval"]) for w in ("train", "test"))
                cells = "".join(f"{c:>31}" for c in columns)
                said = "" if wins is None else f"{wins:.2f}"
                lines.append(f"{row['name']:24}{cells}{said:>18}{row['us_per_FE']:8.0f}")
            lines.append("")
        lines.append(
            f"{len(self.runs)} runs and {len(self.tuned)} for settings: {self.cpu_seconds:,.0f} s of processor time"
        )
        edges = [f"{r} {name} = {value} on {t}" for t, r, name, value in self.edges()]
        if edges:
            lines.append(f"best at the edge of what was tried: {'; '.join(edges)}")
        failed = [r for r in [*self.runs, *self.tuned] if not r["ok"]]
        if failed:
            lines.append(f"{len(failed)} runs failed; the first with {failed[0]['error']}")
        return "\n".join(lines)


def _short(value: Any) -> Any:
    """The same with five digits, in dicts and lists too."""
    if isinstance(value, dict):
        return {name: _short(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_short(each) for each in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def _with(median: float, interval: Sequence[float]) -> str:
    return f"{median:.3g} [{interval[0]:.3g}, {interval[1]:.3g}]"
