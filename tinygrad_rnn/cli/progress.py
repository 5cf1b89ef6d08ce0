"""How a run goes, for who looks on: a line an evaluation, and at a terminal a bar that moves."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from ..train.listener import Listener
from ..view.terminal import raw
from ..view.text import clean, one_line
from .files import fail

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


@contextlib.contextmanager
def listener(total: int | None) -> Iterator[Listener]:
    """Who tells of a run: with a bar at a terminal, without one elsewhere."""
    if not sys.stdout.isatty():
        yield Listener(_echo)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(file=raw(sys.stdout)), transient=True) as bar:
        yield Bar(bar, total)


@contextlib.contextmanager
def ended_well(path: Path) -> Iterator[None]:
    """What ends a run early ends the command: with a line and the code 1, after Ctrl-C with 130."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        click.echo(
            f"{one_line(stopped)}; go on by: tinygrad-rnn resume {one_line(path)}" if str(stopped) else "", err=True
        )
        sys.exit(130)
    except (FileExistsError, FileNotFoundError, BlockingIOError) as error:
        says = error.strerror if error.errno and error.strerror else str(error)
        where = f"{one_line(error.filename)}: " if error.filename else ""
        raise click.ClickException(where + one_line(says)) from error
    except OSError as error:
        fail(error.filename or path, error)
    except (ValueError, TypeError) as error:
        raise click.ClickException(one_line(error)) from error
