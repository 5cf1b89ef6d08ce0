"""The arena: what a gradient is worth, on equal budgets of forward passes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from ...autodiff.asked import asked, counted
from ...autodiff.calling import shortened
from ..sweeps import grid, sweep
from ..sweeps.file import Record
from .objective import BudgetSpent, Objective
from .rivals import RIVALS, STREAMS
from .standings import Standings
from .tasks import SHIPPED, TASKS, task
from .tuning import TUNED_ON, Pair, Setting, middle, tuned

EVERYONE = RIVALS | STREAMS


@asked
def arena(
    tasks: Sequence[str] = SHIPPED,
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
    takes what its formula says. Every rival is tuned first, with the same budget, on seeds of its own: from the middle
    of its lists of settings it goes to the best one beside, until none beside is better.

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
        The values of a rival's settings from small to large, by its name; the others have lists of their own.
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
    _refuse_what_is_not_installed(rivals)
    lists = {rival: _lists((settings or {}).get(rival, EVERYONE[rival].settings)) for rival in rivals}
    played = {t: task(t) for t in tasks}  # before the first run: the laser's data may not be installed
    pairs = {(t, r): lists[r] for t in tasks for r in rivals if r not in STREAMS or played[t].on_line}
    if not pairs:
        raise ValueError(
            f"arena: {', '.join(rivals)} work on-line, and {', '.join(tasks)} cost something at the end alone: add "
            f"one of {', '.join(t for t in SHIPPED if task(t).on_line)}"
        )

    def run(chosen: Iterable[tuple[Pair, Setting]], numbers: Sequence[int]) -> list[Record]:
        """A run with each of these settings and seeds."""
        points = [
            {"task": t, "rival": r, "setting": setting, "seed": seed, "budget": budget}
            for (t, r), setting in chosen
            for seed in numbers
        ]
        return sweep(play, points, out=out, client=client, processes=processes)

    chosen, looked_at = tuned(pairs, lambda several: run(several, TUNED_ON)) if tune else (middle(pairs), [])
    return Standings(run(chosen.items(), range(seeds)), looked_at, budget)


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


def _lists(axes: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The values of each setting, checked."""
    return {name: [point[name] for point in grid(**{name: values})] for name, values in axes.items()}


def _refuse_what_is_not_installed(rivals: Sequence[str]) -> None:
    """Before the first run: each would fail, and its failure would be kept as what came of it."""
    for rival in rivals:
        needs = EVERYONE[rival].needs
        if needs and find_spec(needs) is None:
            able = ",".join(name for name in rivals if not EVERYONE[name].needs) or "adam"
            raise ModuleNotFoundError(
                f"arena: {rival} needs {needs}, which is not installed: pip install 'tinygrad-rnn[experiments]', or "
                f"leave it to rivals such as {able}",
                name=needs,
            )


def _known(what: str, given: Sequence[str], known: Mapping[str, Any]) -> None:
    if not given:
        raise ValueError(f"arena: {what} is empty: name some of {', '.join(known)}")
    for name in given:
        if not isinstance(name, str) or name not in known:
            raise ValueError(f"arena: {what} has {shortened(name)}: they are {', '.join(known)}")
