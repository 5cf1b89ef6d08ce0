"""Exercises: what a lesson asks, and a check that names the first thing that is wrong, not just that something is.

A lesson's exercises are a folder ``lessons/exercises/NN`` with three files: ``blank.py`` is what a learner starts from,
``solution.py`` is right, and ``check.py`` lists an `Exercise` for each name that the learner writes. Typical mistakes
are `Slip` objects: edits of the solution, so that what a mistake gives is computed and not written down.
"""

from __future__ import annotations

import copy
import faulthandler
import io
import json
import os
import re
import runpy
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from .files import write_whole
from .lessons import FOLDERS

SECONDS = 10  # for all of a learner's file
MOST_PRINTED = 2000  # characters that are kept of what it prints
CLOCKS = ("t", "τ", "z")  # letters that count steps: of a cost, of a copy, of the lag between them
RIGHT, EMPTY, WRONG, ERROR, LATE = "right", "not written yet", "wrong", "stopped", "not reached"


@dataclass(frozen=True)
class Slip:
    """A typical mistake.

    Attributes
    ----------
    old, new : str
        The edit of the solution that makes it.
    term : str
        What is wrong, named as it is in the equation.
    hints : tuple of str
        What to tell a learner who made it, clearer each time.
    first : int or None
        The time step at which it shows first in the first case.
    equation : str
        The equation, if it is another one than the exercise's.
    """

    old: str
    new: str
    term: str
    hints: tuple[str, ...]
    first: int | None = None
    equation: str = ""


@dataclass(frozen=True)
class Exercise:
    """One name that a learner writes: a function, or a value that is to be predicted.

    Attributes
    ----------
    name : str
        The name.
    asks : str
        What it must be, in one line.
    equation : str
        The equation it is about, such as ``(26)``.
    cases : sequence of tuple
        The arguments it is tried with; empty for a value.
    oracle : callable or None
        The right answer for these arguments; that of the solution if there is no other witness.
    axes : str
        A letter for each axis of the answer: ``tpj``. A first axis ``t``, ``τ`` or ``z`` is time: that of a cost, that
        of a copy, or the lag between the two.
    first_t : int
        The time of the first entry along it.
    backwards : bool
        Whether time is gone through from the last step to the first.
    rtol : float
        How far off an answer may be, as a part of the largest entry; more where numbers are measured.
    hints : tuple of str
        For a mistake that is none of the slips.
    slips : tuple of Slip
        The mistakes that are known.
    """

    name: str
    asks: str
    equation: str
    hints: tuple[str, ...]
    cases: Sequence[tuple[Any, ...]] = ()
    oracle: Callable[..., Any] | None = None
    axes: str = ""
    first_t: int = 1
    backwards: bool = False
    rtol: float = 1e-7
    slips: tuple[Slip, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What the check says of one exercise.

    Attributes
    ----------
    name, status : str
        Which exercise, and one of ``right``, ``not written yet``, ``wrong``, ``stopped``, ``not reached``.
    equation, term : str
        What is wrong, where it is known.
    t : int or None
        The first time step that is wrong, in the order of the computation.
    clock : str
        The letter that counts it.
    says : str
        What was found, in a sentence.
    hints : tuple of str
        From a nudge to nearly the answer.
    """

    name: str
    status: str
    equation: str = ""
    t: int | None = None
    term: str = ""
    says: str = ""
    hints: tuple[str, ...] = ()
    clock: str = "t"


@dataclass(frozen=True)
class Report:
    """What the check says of a learner's file: a verdict for each exercise, and what the file printed."""

    verdicts: tuple[Verdict, ...]
    printed: str

    @property
    def first(self) -> Verdict | None:
        """The first exercise that is not right."""
        return next((v for v in self.verdicts if v.status != RIGHT), None)


@dataclass(frozen=True)
class Folder:
    """The exercises of one lesson."""

    path: Path

    @property
    def number(self) -> int:
        """The lesson's number."""
        return int(self.path.name)

    @property
    def blank(self) -> str:
        """What a learner starts from."""
        return (self.path / "blank.py").read_text(encoding="utf-8")

    @property
    def solution(self) -> str:
        """A file that is right."""
        return (self.path / "solution.py").read_text(encoding="utf-8")

    @property
    def exercises(self) -> tuple[Exercise, ...]:
        """What ``check.py`` lists."""
        return tuple(runpy.run_path(str(self.path / "check.py"))["EXERCISES"])

    @property
    def invitation(self) -> str:
        """What stands below the lesson, in Markdown: what is asked, and how to begin."""
        asked = [f"{k}. `{e.name}`: {e.asks}" for k, e in enumerate(self.exercises, start=1)]
        return "\n".join(
            [
                "## Your turn",
                "",
                *asked,
                "",
                f"`tinygrad-rnn exercise {self.number} --start` writes a file for you to fill in.",
                f"`tinygrad-rnn exercise {self.number} --check` names the first thing in it that is wrong.",
            ]
        )

    def start(self, path: Path) -> Path:
        """Write the blank file.

        Raises
        ------
        FileExistsError
            If there is such a file: nobody's work is overwritten.
        """
        return write_whole(path, self.blank.encode)

    def check(self, path: Path, seconds: float = SECONDS) -> Report:
        """Run a learner's file in a process of its own, so that nothing in it can harm, and judge it."""
        path = path.resolve()
        with tempfile.TemporaryDirectory() as work:
            result, trace = Path(work) / "result", Path(work) / "trace"
            call = f"from {__name__} import child; child()"
            command = [sys.executable, "-P", "-c", call, self.path, path, result, trace, seconds]
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
        names = [exercise.name for exercise in self.exercises]
        if len(verdicts) < len(names):
            if where:
                says = f"it was not done after {seconds:g} s and was stopped in line {where}: a loop without an end?"
            else:
                says = "Python itself ended here"
            verdicts.append(Verdict(names[len(verdicts)], ERROR, says=says))
            verdicts += [Verdict(name, LATE) for name in names[len(verdicts) :]]
        return Report(tuple(verdicts), printed)


def folders() -> list[Folder]:
    """The exercises there are, in the order of the lessons."""
    for place in FOLDERS:
        found = sorted(place.glob("exercises/[0-9][0-9]"))
        if found:
            return [Folder(path) for path in found]
    return []


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
        return Verdict(first, ERROR, says=_told(error, path))
    return names


def judge(exercise: Exercise, names: dict[str, Any], path: Path, solution: str) -> Verdict:
    """Hold what a learner has written against what is right."""
    written = names.get(exercise.name)
    if exercise.name not in names or written is None or written is Ellipsis:
        return Verdict(exercise.name, EMPTY, hints=exercise.hints)
    if exercise.cases and not callable(written):
        return Verdict(exercise.name, WRONG, says=f"{exercise.name} must be a function")
    answers = _defined(solution)
    for case in exercise.cases or [()]:
        try:
            yours = written(*copy.deepcopy(case)) if exercise.cases else written
        except NotImplementedError:
            return Verdict(exercise.name, EMPTY, hints=exercise.hints)
        except BaseException as error:
            return Verdict(exercise.name, ERROR, exercise.equation, says=_told(error, path), hints=exercise.hints)
        if yours is None or yours is Ellipsis:
            return Verdict(exercise.name, EMPTY, hints=exercise.hints)
        right = exercise.oracle(*copy.deepcopy(case)) if exercise.oracle else _answer(answers, exercise, case)
        wrong = _compare(exercise, case, yours, right, solution)
        if wrong:
            return wrong
    return Verdict(exercise.name, RIGHT)


def _defined(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "solution"}
    exec(compile(source, "solution", "exec"), names)
    return names


def _answer(names: dict[str, Any], exercise: Exercise, case: tuple[Any, ...]) -> Any:
    return names[exercise.name](*copy.deepcopy(case)) if exercise.cases else names[exercise.name]


def _compare(exercise: Exercise, case: tuple[Any, ...], yours: Any, right: Any, solution: str) -> Verdict | None:
    """What is wrong with an answer, or None."""

    def verdict(says: str, t: int | None = None, slip: Slip | None = None, term: str = "") -> Verdict:
        source = slip or exercise
        equation = (slip.equation if slip else "") or exercise.equation
        term = slip.term if slip else term
        return Verdict(exercise.name, WRONG, equation, t, term, says, source.hints, exercise.axes[:1] or "t")

    if isinstance(right, str):
        if isinstance(yours, str) and yours.strip().lower() == right.lower():
            return None
        return verdict(f"{yours!r} is not right", slip=_known(exercise, case, yours, solution))
    try:
        got, true = np.asarray(yours, dtype=float), np.asarray(right, dtype=float)
    except (TypeError, ValueError):
        return verdict(f"{exercise.name} gives {type(yours).__name__}; it must give numbers of shape {np.shape(right)}")
    slip = _known(exercise, case, got, solution)
    if got.shape != true.shape:
        turned = got.T.shape == true.shape and _close(got.T, true, exercise.rtol)
        axes = f", [{', '.join(exercise.axes)}]" if exercise.axes else ""
        says = f"the shape is {got.shape} and must be {true.shape}{axes}" + ("; it is the transpose" * turned)
        if not exercise.cases:
            says = f"{_shown(got)} is not right"
        return verdict(says, slip=slip, term="the transpose" if turned else "the shape")
    if _close(got, true, exercise.rtol):
        return None
    if not exercise.cases:
        return verdict(f"{_shown(got)} is not right", slip=slip)
    at = _first_wrong(exercise, got, true)
    t = at[0] + exercise.first_t if exercise.axes[:1] in CLOCKS else None
    counted = [k + 1 for k in at] if t is None else [t, *(k + 1 for k in at[1:])]
    place = ", ".join(f"{letter} = {k}" for letter, k in zip(exercise.axes, counted, strict=False))
    says = f"at {place} you have" if place else "you have"
    says += f" {float(got[at]):.6g}, and {float(true[at]):.6g} is right"
    term = ""
    if slip is None:
        ratio = _ratio(got, true)
        if ratio is not None and abs(ratio + 1) < 1e-6:
            term = "the sign"
        elif ratio is not None and got.size > 1:  # between two single numbers there is always a factor
            term = f"a factor: everything is {ratio:.6g} times what is right"
        elif got.ndim == 2 and got.shape[0] == got.shape[1] and _close(got.T, true, exercise.rtol):
            term = "the transpose"
    return verdict(says, t, slip, term)


def _known(exercise: Exercise, case: tuple[Any, ...], yours: Any, solution: str) -> Slip | None:
    """The typical mistake that gives just this answer."""
    for slip in exercise.slips:
        try:
            would = _answer(_defined(solution.replace(slip.old, slip.new)), exercise, case)
        except Exception:  # with these shapes, this mistake cannot even be computed
            continue
        if isinstance(would, str) or isinstance(yours, str):
            if isinstance(would, str) and isinstance(yours, str) and would == yours:
                return slip
        elif np.shape(would) == np.shape(yours) and _close(
            np.asarray(yours), np.asarray(would, dtype=float), exercise.rtol
        ):
            return slip
    return None


def _off(a: Any, b: Any, rtol: float) -> Any:
    """Where two arrays differ by more than a part of the largest entry."""
    return ~np.isclose(a, b, rtol=0, atol=rtol * max(1e-3, float(np.abs(b).max(initial=0.0))))


def _close(a: Any, b: Any, rtol: float = 1e-7) -> bool:
    return not _off(a, b, rtol).any()


def _first_wrong(exercise: Exercise, got: Any, true: Any) -> tuple[int, ...]:
    """The first entry that is wrong: along time in the order of the computation, then in the order of the indices."""
    wrong = np.argwhere(_off(got, true, exercise.rtol))
    if exercise.axes[:1] in CLOCKS and exercise.backwards:
        wrong = wrong[wrong[:, 0] == wrong[:, 0].max()]
    return tuple(int(k) for k in wrong[0]) if len(wrong) else (0,) * true.ndim


def _ratio(got: Any, true: Any) -> float | None:
    """The one factor between two arrays, or None."""
    size = float((true * true).sum())
    ratio = float((got * true).sum() / size) if size else 0.0
    return ratio if ratio and np.isfinite(ratio) and _close(got, ratio * true) else None


def _shown(value: Any) -> str:
    return f"{value:g}" if value.ndim == 0 else str(tuple(float(v) if v % 1 else int(v) for v in value.flat))


def _told(error: BaseException, path: Path) -> str:
    """An error of the learner's file in one line, with the line of that file."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    where = f"line {lines[-1]}" if lines else "your file"
    if isinstance(error, SystemExit):
        return f"{where} ends the program: take exit() out"
    text = str(error).split("\n")[0]
    return f"{where} raises {type(error).__name__}{': ' if text else ''}{text}"


def _last_line(trace: str, path: Path) -> str:
    """The line of a file in which Python was when it was stopped."""
    for name, line in re.findall(r'File "(.+)", line (\d+) in', trace):
        if name == str(path):
            return str(line)
    return ""


# ---- hints


def hint_level(memory: Path, verdict: Verdict) -> int:
    """Which hint to give: one clearer each time the same mistake is checked again.

    Parameters
    ----------
    memory : pathlib.Path
        A small file that keeps the last mistake; where it cannot be written, every hint is the first one.
    verdict : Verdict
        The mistake.
    """
    mistake = f"{verdict.name}: {verdict.status}: {verdict.term}: {verdict.hints}"
    try:
        last = json.loads(memory.read_text(encoding="utf-8"))
        level = int(last["level"]) + 1 if last["mistake"] == mistake else 1
    except (OSError, ValueError, KeyError, TypeError):
        level = 1
    level = max(1, min(level, len(verdict.hints)))
    try:
        memory.write_text(json.dumps({"mistake": mistake, "level": level}), encoding="utf-8")
    except OSError:
        return level
    return level
