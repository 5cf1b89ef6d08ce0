"""The arena: what a gradient is worth, on equal budgets of forward passes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..autodiff.asked import asked, counted
from ..autodiff.calling import shortened
from .arena_objective import BudgetSpent, Objective
from .arena_standings import Standings
from .rivals import RIVALS, STREAMS
from .sweeps import grid, sweep
from .sweeps_file import Record
from .tasks import TASKS, task

TUNED_ON = (1000, 1001)  # seeds that no result is of
EVERYONE = RIVALS | STREAMS


@asked
def arena(
    tasks: Sequence[str] = ("mackey_glass", "sunspots", "adding", "parity", "reber"),
    rivals: Sequence[str] = tuple(RIVALS),
    *,
    budget: int = 4000,
    seeds: int = 10,
    tune: bool = True,
    settings: Mapping[str, Any] | None = None,
    out: Any = "arena.jsonl",
    client: Any = None,
    processes: int | None = None,
) -> Standings:
    """Let rivals search for weights, each with the same number of passes over the training set, from the same start.

    The unit is the forward equivalent, FE: one pass over the whole training set. A cost takes 1, a gradient by
    backpropagation through time 2, a Jacobian by forward mode 1 and one for each weight; a method that works on-line
    takes what its formula says. Every rival is tuned first, with the same budget, on seeds of its own.

    Parameters
    ----------
    tasks : sequence of str
        Some of ``mackey_glass``, ``sunspots``, ``adding``, ``parity``, ``reber``; ``laser`` and
        ``laser_in_two_layers`` need ``pip install 'tinygrad-rnn[data]'``.
    rivals : sequence of str
        By gradients ``lbfgs``, ``adam``, ``sgd``, ``lm``; by evolution ``cma``, ``snes``, ``openai``, ``one_plus_one``,
        ``de``; by differences ``fd``, ``spsa``; by chance ``guessing``; on-line ``TBPTT``, ``RTRL``, ``UORO``,
        ``e-prop``, for tasks that are paid for at every step of sequences of one length.
    budget : int
        FE of a run.
    seeds : int
        How many runs of each, with the seeds 0, 1, ...
    tune : bool
        Whether settings are looked for; the middle one of each list is taken if not.
    settings : mapping of str to mapping, optional
        The values that are tried of a rival's settings, by its name; the others have lists of their own.
    out, client, processes
        As for `sweep`, which runs it: what is done is kept, and the same call goes on from there.

    Returns
    -------
    Standings
        It prints as a table.

    Raises
    ------
    ValueError
        If there is no such task or rival, nobody is asked for, or a number is not positive.
    ImportError
        If SciPy or cma are needed and not installed: ``pip install 'tinygrad-rnn[experiments]'``.

    Notes
    -----
    A run's record has its ``curve``, the best cost after so many FE (`Standings.marks`), the ``cost`` at the end, the
    ``test`` of the same weights on what nobody has learnt from, and ``cpu`` seconds.
    """
    _known("tasks", tasks, TASKS)
    _known("rivals", rivals, EVERYONE)
    for what, number, least in (("budget", budget, 2), ("seeds", seeds, 1)):
        counted(f"arena: {what}", number, least)
    for rival, axes in (settings or {}).items():
        known = EVERYONE[rival].settings if rival in EVERYONE else {}
        if rival not in EVERYONE or not isinstance(axes, Mapping) or axes.keys() != known.keys():
            raise ValueError(
                f"arena: settings[{rival!r}]={shortened(axes)}: give a list of values for each of "
                f"{', '.join(known) or 'none'}"
            )
    where = {"out": out, "client": client, "processes": processes}
    tried = {rival: grid(**(settings or {}).get(rival, EVERYONE[rival].settings)) for rival in rivals}

    def points(chosen: Mapping[tuple[str, str], Sequence[Any]], numbers: Iterable[int]) -> list[dict[str, Any]]:
        return [
            {"task": t, "rival": r, "setting": setting, "seed": seed, "budget": budget}
            for seed in numbers
            for (t, r), several in chosen.items()
            for setting in several
        ]

    pairs = [(t, r) for t in tasks for r in rivals if r not in STREAMS or task(t).on_line]
    tuned: list[Record] = []
    chosen = {(t, r): tried[r][len(tried[r]) // 2] for t, r in pairs}
    if tune:
        several = {(t, r): tried[r] for t, r in pairs if len(tried[r]) > 1}
        tuned = sweep(play, points(several, TUNED_ON), **where)
        chosen |= _best(tuned)
    runs = sweep(play, points({pair: [setting] for pair, setting in chosen.items()}, range(seeds)), **where)
    return Standings(runs, tuned, budget)


def play(*, task: str, rival: str, setting: Mapping[str, Any], seed: int, budget: int) -> dict[str, Any]:
    """One run of one rival."""
    what = _task(task)
    objective = Objective(what, what.start(seed), budget, noise=seed)
    how = {"method": rival} if rival in STREAMS else {}
    start = time.process_time()
    with np.errstate(all="ignore"):  # weights that are no good: their cost is infinite
        with contextlib.suppress(BudgetSpent):
            EVERYONE[rival].search(objective, np.random.default_rng([seed, 1]), **how, **setting)
        spent = time.process_time() - start
        objective.finish()
        return {
            "cost": objective.best,
            "test": objective.tested(),
            "curve": objective.curve,
            "spent": objective.spent,
            "evaluations": objective.evaluations,
            "n": objective.n,
            "cpu": round(spent, 3),
        }


_task = task


def _best(tuned: Sequence[Record]) -> dict[tuple[str, str], Any]:
    """Of each task and rival the setting whose costs have the smallest mean of logarithms."""
    costs: dict[tuple[str, str], dict[str, tuple[Any, list[float]]]] = {}
    for record in tuned:
        point = record["point"]
        cost = record["result"]["cost"] if record["ok"] else np.inf
        of = costs.setdefault((point["task"], point["rival"]), {})
        of.setdefault(str(point["setting"]), (point["setting"], []))[1].append(cost)

    def mean(of: tuple[Any, list[float]]) -> float:
        with np.errstate(divide="ignore"):
            return np.inf if np.isinf(of[1]).any() else float(np.mean(np.log(of[1])))

    return {pair: min(of.values(), key=mean)[0] for pair, of in costs.items()}


def _known(what: str, given: Sequence[str], known: Mapping[str, Any]) -> None:
    if not given:
        raise ValueError(f"arena: {what} is empty: name some of {', '.join(known)}")
    for name in given:
        if not isinstance(name, str) or name not in known:
            raise ValueError(f"arena: {what} has {shortened(name)}: they are {', '.join(known)}")
