"""What sweeps are tried with: functions that another process can import, and a sweep to be killed."""

import os
import signal
import sys
import time
from pathlib import Path

import tinygrad_rnn as tg

POINTS = tg.grid(
    radius=[0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0], eta=[0.003 * 3**k for k in range(7)], clip=[None, 1], seed=range(4)
)


def tiny(radius, eta, clip, seed):
    """A number for each point, a failure for some."""
    if seed == 3 and radius == 4.0:
        raise ZeroDivisionError(f"eta is {eta}")
    return {"cost": radius / eta - (clip or 0) ** seed, "start": [radius, seed]}


def waits(folder, seconds, k):
    """Says who ran it and when it began, and takes its time."""
    (Path(folder) / f"{os.getpid()}-{k}").touch()
    time.sleep(seconds)
    return k


def ends_its_process(fatal, k):
    """One of them takes its process with it."""
    if k == fatal:
        os.kill(os.getpid(), signal.SIGKILL)
    return k


def no_json(k):
    return {1, 2} if k == 1 else k


if __name__ == "__main__":
    # Who was started in the background of a shell ignores Ctrl-C, and this is here to be stopped by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder, processes = sys.argv[1:]
    tg.sweep(
        waits,
        tg.grid(folder=[folder], seconds=[0.05], k=range(60)),
        out=f"{folder}/runs.jsonl",
        processes=int(processes),
    )
