"""A program that runs another one and sees to it that nothing of it is left: ``guard.py SECONDS PROGRAM ARGUMENT ...``.

It is run by itself, without the package, and ends what it runs when the time is up, or when its standard input is
closed because whoever has started it is gone. What the program has started ends with it: the processes of its group
everywhere, and on Linux those too that have left the group, which are handed to the guard when their parents end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

SECONDS_TO_END = 5
_ADOPT_ORPHANS, _DIE_WITH_PARENT = 36, 1  # prctl's PR_SET_CHILD_SUBREAPER and PR_SET_PDEATHSIG


def main() -> None:
    """Run the program that the words name."""
    seconds, *command = sys.argv[1:]
    _prctl(_ADOPT_ORPHANS, 1)
    program = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    threading.Thread(target=_until_alone, args=[program], daemon=True).start()
    with contextlib.suppress(subprocess.TimeoutExpired):
        program.wait(float(seconds))
    end_all(program)


def die_with_the_guard() -> None:
    """Be killed when the guard is: for the program itself to call. Only Linux knows how."""
    _prctl(_DIE_WITH_PARENT, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)


def end_all(program: subprocess.Popen[bytes]) -> None:
    """End a program, its group, and what has been handed to us."""
    program.kill()
    if sys.platform == "win32":
        return
    late = time.monotonic() + SECONDS_TO_END
    while time.monotonic() < late:
        with contextlib.suppress(OSError):
            os.killpg(program.pid, signal.SIGKILL)
        for orphan in _children():
            with contextlib.suppress(OSError):
                os.kill(orphan, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)


def _until_alone(program: subprocess.Popen[bytes]) -> None:
    """Wait until whoever has started us closes our input, which is all it is for."""
    os.read(0, 1)  # not through sys.stdin, whose lock would be held while Python ends
    program.kill()


def _children() -> list[int]:
    """The processes that are ours, as Linux lists them."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            # A name stands between parentheses, with whatever in it; the parent is the second word behind it.
            if int(entry.read_bytes().rpartition(b")")[2].split()[1]) == os.getpid():
                found.append(int(entry.parent.name))
    return found


def _prctl(what: int, value: int) -> None:
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).prctl(what, value, 0, 0, 0)


if __name__ == "__main__":
    main()
