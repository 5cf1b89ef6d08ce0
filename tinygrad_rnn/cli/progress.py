"""How a run goes, for who looks on: a line an evaluation, and at a terminal a bar that moves."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from ..train.listener import Listener
from ..view.terminal import raw
from ..view.text import clean

if TYPE_CHECKING:
    from rich.progress import Progress

T = TypeVar("T", bound=Sized)
OFTEN = 0.1  # seconds between two moves of the bar


def _echo(line: str) -> None:
    try:
        click.echo(line)
    except OSError as error:  # it is not the run's folder that the system refuses
        raise type(error)(error.errno, error.strerror, "the standard output") from error


class Bar(Listener):
    """Prints lines above a bar."""

    def __init__(self, bar: Any, total: int | None) -> None:
        super().__init__(lambda line: bar.console.print(clean(line), markup=False, highlight=False, soft_wrap=True))
        self._bar, self._task, self._moved = bar, bar.add_task("", total=total), 0.0

    def moved(self, update: int, price: float) -> None:
        """Move the bar, if it has not just been moved."""
        now = time.monotonic()
        if now - self._moved > OFTEN:
            self._moved = now
            self._bar.update(self._task, completed=update, description=f"update {update:,}, {price:.4g}")


def _progress(stream: TextIO) -> Progress:
    """A bar that moves at the bottom of a terminal, and is gone in the end."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn()
    console = Console(file=raw(stream))
    # What goes to another stream is no part of the screen, and stays as it is.
    return Progress(*columns, console=console, transient=True, redirect_stdout=stream is sys.stdout)


@contextlib.contextmanager
def listener(total: int | None) -> Iterator[Listener]:
    """Who tells of a run: with a bar at a terminal, without one elsewhere."""
    if not sys.stdout.isatty():
        yield Listener(_echo)
        return
    with _progress(sys.stdout) as bar:
        yield Bar(bar, total)


def followed(parts: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Go through the parts of an output; who waits for it at a terminal, and does not see it, sees how long it is."""
    if sys.stdout.isatty() or not sys.stderr.isatty():
        yield from parts
        return
    with _progress(sys.stderr) as bar:
        task, done = bar.add_task("", total=total), 0
        for part in parts:
            yield part
            done += len(part)
            bar.update(task, completed=done, description=f"{done:,} of {total:,} {what}")
