"""A learner's attempt: the file is run in a process of its own, and judged there.

This keeps mistakes from doing harm: an endless loop, a process that is left running, a list that grows without end.
It is no prison. The file runs with the rights of whoever checks it, and may read, write and send what they may: a file
of somebody you do not trust belongs in a container, or in an account of its own.
"""

from __future__ import annotations

import faulthandler
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, TextIO

from ..view.foreign import read
from . import guard
from .exercise import Folder
from .verdicts import ERROR, LATE, RIGHT, Verdict, judge, told

SECONDS = 10  # for all of a learner's file
MOST_PRINTED = 2000  # characters that are kept of what it prints
# What it may take, where the system has such limits. Memory is that of addresses: NumPy alone has half a gigabyte.
MOST_MEMORY = 3 * 2**30
MOST_WRITTEN = 32 * 2**20  # bytes of any file
MOST_MORE = 64  # processes and threads, besides those that run already
MOST_OPEN = 256  # files at once


@dataclass(frozen=True)
class Report:
    """What the check says of a learner's file: a verdict for each exercise, and what the file printed."""

    verdicts: tuple[Verdict, ...]
    printed: str

    @property
    def first(self) -> Verdict | None:
        """The first exercise that is not right."""
        return next((v for v in self.verdicts if v.status != RIGHT), None)


def check_file(folder: Folder, path: Path, seconds: float = SECONDS) -> Report:
    """Run a learner's file in a process of its own, within limits, and judge it.

    All that it has started ends with it; on systems other than Linux, what has left its group of processes does not.
    """
    path = path.resolve()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        result, trace = Path(work) / "result", Path(work) / "trace"
        call = f"from {__name__} import child; child()"
        command = [sys.executable, "-P", "-c", call, folder.path, path, result, trace, seconds]
        _run_guarded([str(word) for word in command], path.parent, seconds + 10)  # the child stops itself before that
        found = [line for line in map(_told, _beginning(result).splitlines()) if line is not None]
        where = _last_line(_beginning(trace), path)
    printed = "".join(said for said in found if isinstance(said, str))[:MOST_PRINTED]
    names = [exercise.name for exercise in folder.exercises]
    judged = zip((said for said in found if isinstance(said, Verdict)), names, strict=False)
    verdicts = [verdict for verdict, _ in takewhile(lambda pair: pair[0].name == pair[1], judged)]
    if len(verdicts) < len(names):
        if where:
            says = f"it was not done after {seconds:g} s and was stopped in line {where}: a loop without an end?"
        else:
            says = "Python itself ended here"
        verdicts.append(Verdict(names[len(verdicts)], ERROR, says=says))
        verdicts += [Verdict(name, LATE) for name in names[len(verdicts) :]]
    return Report(tuple(verdicts), printed)


def _run_guarded(command: list[str], folder: Path, seconds: float) -> None:
    """Run a program until it has ended or its time is up; nothing that it has started is left."""
    # One thread: what is judged is small, and threads take memory and count as processes.
    environment = os.environ | dict.fromkeys(["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"], "1")
    with subprocess.Popen(
        [sys.executable, "-I", "-S", guard.__file__, str(seconds), *command],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            process.wait(seconds + 2 * guard.SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
        # Whatever else ends the wait, such as Ctrl-C, closes the guard's input, and it ends what it guards.


def _beginning(path: Path) -> str:
    """What a file holds, and no more of it than a report has: the learner's file can write there too."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return file.read(10**6).decode(errors="replace")


def _told(line: str) -> Verdict | str | None:
    """What a line of the result says: a verdict, or what was printed."""
    try:
        said = json.loads(line)
        if set(said) == {"printed"}:
            return str(said["printed"])
        verdict = read(Verdict, said, "verdict")
    except (ValueError, TypeError, RecursionError):
        return None
    assert isinstance(verdict, Verdict)
    return verdict


def _last_line(trace: str, path: Path) -> str:
    """The line of a file in which Python was when it was stopped."""
    for name, line in re.findall(r'File "(.+)", line (\d+) in', trace):
        if name == str(path):
            return str(line)
    return ""


# ---- in the learner's process


class _Kept(io.StringIO):
    """Takes what is printed and keeps its beginning: a loop that prints must not fill the memory."""

    def write(self, text: str) -> int:
        if self.tell() < MOST_PRINTED:
            super().write(text[: MOST_PRINTED - self.tell()])
        return len(text)


def child() -> None:
    """Judge a learner's file and write down each verdict as soon as it is known."""
    folder, path, result, trace, seconds = sys.argv[1:]
    guard.die_with_the_guard()
    sys.path.append(str(Path(path).parent))
    kept = _Kept()
    with open(trace, "w") as hung, open(result, "w", encoding="utf-8") as out:  # noqa: PTH123  faulthandler's own files
        exercises = Folder(Path(folder)).exercises
        _stop_after(float(seconds), hung)
        _limit(int(float(seconds)) + 10)

        def tell(**what: Any) -> None:
            out.write(json.dumps(what) + "\n")
            out.flush()

        with redirect_stdout(kept), redirect_stderr(kept):
            names = _run(Path(path), exercises[0].name)
            if isinstance(names, Verdict):
                tell(**asdict(names))
                for exercise in exercises[1:]:
                    tell(**asdict(Verdict(exercise.name, LATE)))
            else:
                solution = Folder(Path(folder)).solution
                search = float(seconds) / 2 / len(exercises)  # the other half of the time is the learner's own
                for exercise in exercises:
                    tell(**asdict(judge(exercise, names, Path(path), solution, search)))
        faulthandler.cancel_dump_traceback_later()
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        tell(printed=kept.getvalue())
    os._exit(0)  # a thread that the file has left running is not waited for


def _limit(seconds: int) -> None:
    """Take no more of the machine than an exercise can need."""
    if sys.platform == "win32":
        return  # Windows has no such limits
    import resource

    limits = {
        "RLIMIT_AS": MOST_MEMORY,
        "RLIMIT_FSIZE": MOST_WRITTEN,
        "RLIMIT_NOFILE": MOST_OPEN,
        "RLIMIT_CPU": seconds,
        "RLIMIT_CORE": 0,
    }
    with suppress(OSError, ValueError, IndexError):  # Linux says how many there are: all are counted, of all programs
        running = Path("/proc/loadavg").read_text("ascii").split()[3]
        limits["RLIMIT_NPROC"] = int(running.partition("/")[2]) + MOST_MORE
    for name, most in limits.items():
        with suppress(AttributeError, ValueError, OSError):  # a limit that the system does not have, or has lower
            which = getattr(resource, name)
            hard = resource.getrlimit(which)[1]
            limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(which, (limit, limit))


def _stop_after(seconds: float, hung: TextIO) -> None:
    """End the process then, after writing down where it was."""

    def stop(*_: object) -> None:
        faulthandler.dump_traceback(file=hung)
        hung.flush()
        os._exit(1)

    late = seconds
    if hasattr(signal, "setitimer"):  # where it is, Python itself stops between two lines, and knows which
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        late += 5  # for a call that does not come back to Python
    faulthandler.dump_traceback_later(late, exit=True, file=hung)


def _run(path: Path, first: str) -> dict[str, Any] | Verdict:
    """The names that the learner's file defines, or why it could not be run."""
    names: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
    try:
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    except SyntaxError as error:
        where = f"line {error.lineno}" if error.lineno else "your file"
        return Verdict(first, ERROR, says=f"{where} cannot be read: {error.msg}")
    except BaseException as error:
        return Verdict(first, ERROR, says=told(error, path))
    return names
