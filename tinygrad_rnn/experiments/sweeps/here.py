"""The points of a sweep on this machine: in a loop, and on its cores by Dask's scheduler for processes."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from .point import Job, killed, run

WORTH_PROCESSES = 5.0  # seconds of work: starting processes takes some, and each imports what it needs
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

Keep = Callable[[str], None]


def cores() -> int:
    """How many processes can run at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def on_this_machine(jobs: Sequence[Job], keep: Keep, processes: int | None) -> None:
    """Run the points, and hand on the line of each as soon as it is done.

    Parameters
    ----------
    jobs : sequence of Job
        The points.
    keep : callable
        Takes a line.
    processes : int, optional
        How many; 0 is a loop in this one. If it is not said, a loop for as long as what is left looks short.
    """
    if processes is None:
        alone = cores() == 1 or importlib.util.find_spec("dask") is None
        jobs = _in_a_loop(jobs, keep, float("inf") if alone else WORTH_PROCESSES)
        processes = cores()
    if processes == 0:
        jobs = _in_a_loop(jobs, keep, float("inf"))
    left = {job.key: job for job in jobs}

    def tick_off(line: str, key: str) -> None:
        del left[key]
        keep(line)

    while left:
        # Who was running when a process was killed is run by itself, so that the one at fault shows.
        for suspect in _in_processes(list(left.values()), tick_off, min(processes, len(left))):
            if _in_processes([suspect], tick_off, 1):
                tick_off(killed(suspect), suspect.key)


def _in_a_loop(jobs: Sequence[Job], keep: Keep, worth: float) -> Sequence[Job]:
    """Run points until what is left would take longer than that; those that are left."""
    start = time.perf_counter()
    for done, job in enumerate(jobs):
        if done and (time.perf_counter() - start) / done * (len(jobs) - done) > worth:
            return jobs[done:]
        keep(run(job))
    return []


def _in_processes(jobs: Sequence[Job], keep: Callable[[str, str], None], count: int) -> list[Job]:
    """Run points in so many processes; if one of these is killed, the points that were running then."""
    try:
        import dask
        from dask.callbacks import Callback
    except ImportError as error:
        raise ImportError("a sweep in several processes needs Dask: pip install 'tinygrad-rnn[sweep]'") from error
    by_key = {job.key: job for job in jobs}
    running: dict[str, Job] = {}

    def before(key: Any, *_: Any) -> None:
        if key in by_key:
            running[key] = by_key[key]

    def after(key: Any, line: Any, *_: Any) -> None:  # in this process, as soon as a point is done
        if key in by_key:
            del running[key]
            keep(line, key)

    one = dask.delayed(run, pure=False, traverse=False)
    tasks = [one(job, dask_key_name=job.key) for job in jobs]
    others = set(multiprocessing.active_children())
    with _for_workers():
        pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=_as_worker)
        try:
            with Callback(pretask=before, posttask=after):
                # One compute for all: each one has its price. A chunk is one point, so that none waits for another.
                dask.compute(*tasks, scheduler="processes", pool=pool, chunksize=1, optimize_graph=False)
        except BrokenProcessPool:
            return list(running.values())
        except BaseException:
            for worker in set(multiprocessing.active_children()) - others:
                worker.terminate()  # what is running is not waited for: it is done again
            raise
        finally:
            pool.shutdown(cancel_futures=True)
    return []


@contextmanager
def _for_workers() -> Iterator[None]:
    """While workers are started: one thread for each, and nothing of the caller's script.

    A new process would run that script again, up to the very sweep unless it stands below `if __name__ == "__main__"`.
    What it defines comes along with the function, by cloudpickle.
    """
    main: dict[str, Any] = vars(sys.modules["__main__"])
    hidden: dict[str, Any] = {name: main.pop(name) for name in ("__file__", "__spec__") if name in main}
    main["__spec__"] = None
    set_here = [name for name in ONE_THREAD if name not in os.environ]
    os.environ.update(dict.fromkeys(set_here, "1"))
    try:
        yield
    finally:
        for name in set_here:
            del os.environ[name]
        del main["__spec__"]
        main.update(hidden)


def _as_worker() -> None:
    """Leave Ctrl-C to the process that started this one, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def end() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=end, daemon=True).start()
