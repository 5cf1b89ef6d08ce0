"""A learner's attempt: the file is run in a process of its own, so that nothing in it can harm, and judged there."""

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
from pathlib import Path
from typing import Any, TextIO

from .exercises import Folder
from .verdicts import ERROR, LATE, RIGHT, Verdict, judge, told

SECONDS = 10  # for all of a learner's file
MOST_PRINTED = 2000  # characters that are kept of what it prints


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
    """Run a learner's file in a process of its own, so that nothing in it can harm, and judge it."""
    path = path.resolve()
    with tempfile.TemporaryDirectory() as work:
        result, trace = Path(work) / "result", Path(work) / "trace"
        call = f"from {__name__} import child; child()"
        command = [sys.executable, "-P", "-c", call, folder.path, path, result, trace, seconds]
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(
                [str(word) for word in command],
                cwd=path.parent,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=seconds + 20,  # the child stops itself before that
                check=False,
            )
        lines = result.read_text(encoding="utf-8").splitlines() if result.exists() else []
        where = _last_line(trace.read_text(encoding="utf-8", errors="replace"), path) if trace.exists() else ""
    found = [json.loads(line) for line in lines]
    verdicts = [Verdict(**v | {"hints": tuple(v["hints"])}) for v in found if "name" in v]
    printed = "".join(v["printed"] for v in found if "printed" in v)
    names = [exercise.name for exercise in folder.exercises]
    if len(verdicts) < len(names):
        if where:
            says = f"it was not done after {seconds:g} s and was stopped in line {where}: a loop without an end?"
        else:
            says = "Python itself ended here"
        verdicts.append(Verdict(names[len(verdicts)], ERROR, says=says))
        verdicts += [Verdict(name, LATE) for name in names[len(verdicts) :]]
    return Report(tuple(verdicts), printed)


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
    sys.path.append(str(Path(path).parent))
    kept = _Kept()
    with open(trace, "w") as hung, open(result, "w", encoding="utf-8") as out:  # noqa: PTH123  faulthandler's own files
        exercises = Folder(Path(folder)).exercises
        _stop_after(float(seconds), hung)

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
                for exercise in exercises:
                    tell(**asdict(judge(exercise, names, Path(path), solution)))
        faulthandler.cancel_dump_traceback_later()
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        tell(printed=kept.getvalue())


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
        return Verdict(first, ERROR, says=f"line {error.lineno} cannot be read: {error.msg}")
    except BaseException as error:
        return Verdict(first, ERROR, says=told(error, path))
    return names
