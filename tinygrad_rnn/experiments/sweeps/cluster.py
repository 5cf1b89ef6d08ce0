"""The points of a sweep on a cluster of Dask's."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from ...autodiff.calling import shortened
from .point import Job, killed, run

WAITING = 4  # points that wait for each thread: a scheduler that holds ten thousand is slow
LOOK = 50  # points, after which it is looked at how many threads there are now


@contextmanager
def connected(client: Any) -> Iterator[Any]:
    """The client that is given, or one for that address for as long as it is needed, or none.

    Raises
    ------
    TypeError
        If it is neither.
    ImportError
        If Dask's distributed is not installed.
    ConnectionError
        If nobody answers at the address.
    """
    if not isinstance(client, str):
        if client is not None and (not hasattr(client, "submit") or not hasattr(client, "nthreads")):
            raise TypeError(
                f"sweep: client={shortened(client)}: it must be a client of Dask's, or a scheduler's address"
            )
        yield client
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise ImportError("a sweep on a cluster needs Dask: pip install 'tinygrad-rnn[sweep]'") from error
    try:
        own = Client(client, timeout=5)
    except (OSError, ValueError) as error:
        raise ConnectionError(f"there is no scheduler of Dask at {client}: {error}") from error
    with own:
        yield own


def on_a_cluster(client: Any, jobs: Sequence[Job], keep: Callable[[str], None]) -> None:
    """Run the points, a few ahead of the workers, and hand on the line of each as soon as it is done.

    Raises
    ------
    ConnectionError
        If the cluster is gone.
    """
    # A worker that is killed may take points with it that only stood behind the one at fault, so each is run once more
    # with nobody beside it.
    for suspect in _run(client, jobs, keep):
        for job in _run(client, [suspect], keep):
            keep(killed(job))


def _run(client: Any, jobs: Sequence[Job], keep: Callable[[str], None]) -> list[Job]:
    """Run the points; those whose workers were killed, more often than the cluster allows."""
    from distributed import KilledWorker, as_completed

    mark, waiting = secrets.token_hex(4), iter(jobs)
    running: dict[str, Job] = {}
    suspects: list[Job] = []

    def started(count: int) -> list[Any]:
        futures = []
        for job in islice(waiting, count):
            futures.append(client.submit(run, job, key=f"sweep-{job.key}-{mark}", pure=False))
            running[futures[-1].key] = job
        return futures

    def room() -> int:
        return max(1, WAITING * max(1, sum(client.nthreads().values())) - len(running))

    # With results: they come many at a time, and no point waits for a message of its own.
    found = as_completed(started(room()), with_results=True, raise_errors=False)
    try:
        for done, (future, result) in enumerate(found, start=1):
            job = running.pop(future.key)
            match result:
                case str():
                    keep(result)
                case (_, KilledWorker(), _):
                    suspects.append(job)
                case (_, BaseException() as error, _):
                    raise error  # of the function as a whole: a worker cannot import it, say
                case _:  # cancelled
                    raise ConnectionError(
                        "the cluster is gone; what is done is kept, and the same call goes on from there"
                    )
            found.update(started(room() if done % LOOK == 0 else 1))
    except BaseException:
        client.cancel(list(found.futures))
        raise
    return suspects
