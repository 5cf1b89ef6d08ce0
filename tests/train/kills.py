"""Killed with -9 at so many moments, also inside a save, and gone on with: is it the run that was not killed?

    python tests/train/kills.py 50

A moment is a call that reaches the system for a file: to open, write, flush, sync, name or remove one.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__)
sys.path.insert(0, str(HERE.parents[1]))
FILES = {
    "open",
    "write",
    "flush",
    "fsync",
    "replace",
    "rename",
    "link",
    "unlink",
    "truncate",
    "flock",
    "close",
    "mkdir",
}
UPDATES = 24


def child(out, at):
    """Train or go on, and die at this moment; without one, say how many there are."""
    import tinygrad_rnn as tg
    from small_runs import fitted

    count = 0

    def moment(frame, event, called):
        nonlocal count
        if event == "c_call" and called.__name__ in FILES and "tinygrad_rnn" in frame.f_code.co_filename:
            count += 1
            if count == at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(moment)
    if (Path(out) / "run.json").exists():
        tg.train.Run(out).resume()
    else:
        fitted(Path(out), updates=UPDATES, k2=10)
    sys.setprofile(None)
    print(count)


def ran(out, at):
    return subprocess.run([sys.executable, str(HERE), "child", str(out), str(at)], capture_output=True, text=True)


def loadable(out):
    """Open a run as it was left."""
    import tinygrad_rnn as tg

    run = tg.train.Run(out)
    assert run.history == [] or run.history[-1]["update"] <= run.update
    assert run.best.keys() == run.params.keys()


def killed(folder, kills, seed=0):
    """How many tries so many kills took, and whether the files of each run are those of the one not killed."""
    whole = folder / "whole"
    moments = int(ran(whole, 0).stdout)
    rng, tries, hits = np.random.default_rng(seed), 0, 0
    while hits < kills:
        # A run is killed twice: what has gone far has few moments left, and a kill behind the last hits nobody.
        out = folder / f"run{tries // 2}"
        ended = ran(out, int(rng.integers(1, (moments if tries % 2 else moments * 3 // 4) + 1)))
        assert ended.returncode in (0, -signal.SIGKILL) or "nothing is left to do" in ended.stderr, ended.stderr
        tries, hits = tries + 1, hits + (ended.returncode == -signal.SIGKILL)
        if (out / "run.json").exists():
            loadable(out)
    names = ("state.safetensors", "best.safetensors", "log.jsonl")
    found = []
    for out in (folder / f"run{k}" for k in range((tries + 1) // 2)):
        last = ran(out, 0)
        assert last.returncode == 0 or "nothing is left to do" in last.stderr, last.stderr
        found.append({name: (out / name).read_bytes() for name in names})
        left = sorted(each.name for each in out.iterdir())
        assert not [name for name in left if name.startswith(".unfinished")], left
    return tries, [files == {name: (whole / name).read_bytes() for name in names} for files in found]


if __name__ == "__main__":
    if sys.argv[1] == "child":
        child(sys.argv[2], int(sys.argv[3]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            tries, equal = killed(Path(folder), int(sys.argv[1]))
        print(
            json.dumps(
                {
                    "kills that hit": int(sys.argv[1]),
                    "tries": tries,
                    "runs": len(equal),
                    "equal to the one not killed": sum(equal),
                }
            )
        )
