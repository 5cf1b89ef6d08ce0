"""Sweeps: a function at every point of a grid, on one core or a cluster, to be killed and gone on with at any time."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...autodiff.asked import asked, counted
from ...autodiff.calling import shortened
from ...view.terminal import raw
from .cluster import connected, on_a_cluster
from .file import Point, Record, RunsFile, key_of
from .here import on_this_machine
from .point import Job, name_of


@asked
def grid(**axes: Any) -> list[dict[str, Any]]:
    """Every combination of some values: a list of points, each the arguments of one call.

    Parameters
    ----------
    **axes : sequence
        The values of each argument.

    Returns
    -------
    list of dict
        The last axis runs fastest.

    Raises
    ------
    TypeError
        If an axis is no sequence of values.
    ValueError
        If one has no value.

    Examples
    --------
    >>> import tinygrad_rnn as tg
    >>> tg.grid(eta=[0.1, 1], seed=range(2))
    [{'eta': 0.1, 'seed': 0}, {'eta': 0.1, 'seed': 1}, {'eta': 1, 'seed': 0}, {'eta': 1, 'seed': 1}]
    """
    for name, values in axes.items():
        one_value = isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable)
        if one_value or getattr(values, "shape", None) == ():
            raise TypeError(f"grid: {name}={shortened(values)}: give the values in a list, one alone as [value]")
    lists = {name: list(values) for name, values in axes.items()}
    for name, values in lists.items():
        if not values:
            raise ValueError(f"grid: {name}={shortened(axes[name])}: it has no value, and so there is no point")
    return [dict(zip(lists, values, strict=True)) for values in itertools.product(*lists.values())]


@asked
def sweep(
    fn: Callable[..., Any],
    points: Any,
    *,
    out: Any = "runs.jsonl",
    client: Any = None,
    processes: int | None = None,
    retry_failed: bool = False,
) -> list[Record]:
    """Call a function at every point, and keep what each call gives as a line of a file, as soon as it is there.

    What stands in the file already is not done again, so the same call goes on after Ctrl-C, a crash or ``kill -9``,
    and with more points does the new ones. An exception, and a point that takes its process with it, become records
    too, and the others go on. The points are known by their values; seeds belong among them.

    Parameters
    ----------
    fn : callable
        Called with a point's values by name. What it returns must fit into JSON: numbers, texts, lists, dicts, arrays.
    points : sequence of mapping
        The arguments of each call, such as `grid` makes.
    out : path-like
        The file, in JSON Lines: ``pandas.read_json(out, lines=True)`` reads it. It is only ever added to.
    client : distributed.Client or str, optional
        A cluster of Dask's, or the address of its scheduler. Without one, this machine: a loop if the points look as
        if they took less than about 5 s, otherwise all its cores, by Dask's scheduler for processes, with one thread
        each. Without Dask it stays a loop.
    processes : int, optional
        On this machine, how many processes; 0 is a loop in this one, in which a point that ends its process ends the
        sweep.
    retry_failed : bool
        Whether points whose record is an exception are done again.

    Returns
    -------
    list of dict
        The record of each point, in their order: ``key``, ``function``, ``point``, ``ok``, the ``result`` or the
        ``error`` (its ``type``, ``text`` and ``where``), ``seconds`` and ``pid``.

    Raises
    ------
    TypeError, ValueError
        If a point is no mapping of names to what JSON holds, or the file is not one of a sweep of this function.
    OSError
        If the file cannot be written, another sweep writes to it, or the cluster is gone.
    ImportError
        If `client` or `processes` need Dask and it is not installed.
    """
    path = _file(out)
    given = [_point(k, point) for k, point in enumerate(_several(points))]
    if client is not None and processes is not None:
        raise ValueError(
            f"sweep: client and processes={shortened(processes)}: the cluster says how many, so give one of them"
        )
    if processes is not None:
        counted("sweep: processes", processes, 0)
    name = name_of(fn)
    keys = [key_of(point) for point in given]
    runs = RunsFile(path, name)
    jobs = [
        Job(key, name, fn, point)
        for key, point in dict(zip(keys, given, strict=True)).items()
        if key not in runs.done or (retry_failed and not runs.done[key]["ok"])
    ]
    if jobs:
        with connected(client) as cluster, runs.open(), _progress(len(set(keys)), len(jobs)) as tick:

            def keep(line: str) -> None:
                tick(runs.add(line))

            if cluster is None:
                on_this_machine(jobs, keep, processes)
            else:
                on_a_cluster(cluster, jobs, keep)
    return [runs.done[key] for key in keys]


def _file(out: Any) -> Path:
    if not isinstance(out, str | os.PathLike) or not os.fspath(out):
        raise TypeError(f"sweep: out={shortened(out)}: it must be the name of a file")
    if "\0" in os.fsdecode(out):
        raise ValueError(f"sweep: out={shortened(out)}: no file can have a name with a NUL in it")
    path = Path(os.fsdecode(out))
    if path.is_dir():
        raise IsADirectoryError(f"sweep: out={shortened(out)} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"sweep: out={shortened(out)}: there is no folder {path.parent}; make it first")
    return path


def _several(points: Any) -> Sequence[Any]:
    if isinstance(points, Mapping | str | bytes) or not isinstance(points, Iterable):
        raise TypeError(f"sweep: points={shortened(points)}: it must be a list of dicts, such as tg.grid(...) gives")
    return list(points)


def _point(k: int, point: Any) -> Point:
    if not isinstance(point, Mapping) or not all(isinstance(name, str) for name in point):
        raise TypeError(f"sweep: points[{k}]={shortened(point)}: it must be a dict of arguments by name")
    try:
        key_of(point)
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"sweep: points[{k}]={shortened(point)}: {error}") from None
    return dict(point)


@contextmanager
def _progress(total: int, left: int) -> Iterator[Callable[[Record], None]]:
    """A bar at a terminal, and nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(file=raw(sys.stderr))  # a command cleans its streams, and a bar is drawn with escapes
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task, failed = bar.add_task("points", total=total, completed=total - left), 0

        def tick(record: Record) -> None:
            nonlocal failed
            failed += not record["ok"]
            bar.update(task, advance=1, description=f"points, {failed} failed" if failed else "points")

        yield tick
