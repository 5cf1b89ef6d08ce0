"""One point of a sweep, run in whatever process, and the line that comes of it."""

from __future__ import annotations

import functools
import time
import traceback
from collections.abc import Callable
from pathlib import PurePath
from typing import Any, NamedTuple

from ...autodiff.calling import shortened
from .file import Point, in_json, key_of, line_of

LONGEST = 60  # letters of a fixed argument in a function's name


class Job(NamedTuple):
    """A point to be run."""

    key: str
    name: str
    function: Callable[..., Any]
    point: Point


def run(job: Job) -> str:
    """Call the function with a point, and give the line for the file: its result, or the exception and its place."""
    start = time.perf_counter()

    def line(**found: Any) -> str:
        return line_of(job.key, job.name, job.point, time.perf_counter() - start, **found)

    try:
        return line(ok=True, result=job.function(**job.point))
    except (Exception, SystemExit) as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{PurePath(last.filename).name}:{last.lineno}, in {last.name}"
        return line(ok=False, error={"type": type(error).__name__, "text": _said(error), "where": where})


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as another:  # it is the caller's own, whatever it does
        return f"its text cannot be had: {type(another).__name__}"


def killed(job: Job) -> str:
    """The line of a point that has taken its process with it."""
    says = "the process in which this point ran came to an end: by the point itself, or for want of memory"
    return line_of(job.key, job.name, job.point, 0.0, ok=False, error={"type": "Killed", "text": says, "where": ""})


def name_of(function: Callable[..., Any]) -> str:
    """What a function is called in the file, with what was fixed of its arguments.

    Raises
    ------
    TypeError
        If what was fixed has no words that tell it from everything else.
    """
    if isinstance(function, functools.partial):
        fixed = [*map(_fixed, function.args), *(f"{k}={_fixed(v)}" for k, v in function.keywords.items())]
        return f"{name_of(function.func)}({', '.join(fixed)})"
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return f"{getattr(function, '__module__', '')}:{name}"


def _fixed(value: Any) -> str:
    """A fixed argument as it is told from any other: with another one, the points of a file are other points."""
    try:
        written = in_json(value)
    except (TypeError, ValueError, RecursionError):
        said = repr(value)  # such as a cell's, which says all of it
        if said != shortened(value) or " at 0x" in said:
            raise TypeError(
                f"sweep: fn fixes {shortened(value)}, which no line of a file can tell from others like it: let the "
                "function make or read it, from what JSON can hold"
            ) from None
        return said
    return written if len(written) <= LONGEST else f"sha256:{key_of({'fixed': value})}"
