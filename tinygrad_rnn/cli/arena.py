"""``tinygrad-rnn arena``: what a gradient is worth, measured."""

from __future__ import annotations

import contextlib
import json
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import click

from ..exchange.files import write_whole
from ..experiments.arena import arena as held
from ..experiments.arena.contest import EVERYONE
from ..experiments.arena.rivals import RIVALS, STREAMS
from ..experiments.arena.tasks import SHIPPED, TASKS, task
from .files import fail
from .runs import swept

BESIDE = ("lbfgs", "adam")  # who is held against those that learn on-line


@click.command()
@click.option("--tasks", default=",".join(SHIPPED), show_default=True, help=f"Some of {', '.join(TASKS)}.")
@click.option("--rivals", default=",".join(RIVALS), help=f"Some of {', '.join(EVERYONE)}.  [default: the first 12]")
@click.option("--budget", type=click.IntRange(2), default=4000, show_default=True, help="Forward passes of a run.")
@click.option("--seeds", type=click.IntRange(1), default=10, show_default=True, help="Runs of each.")
@click.option(
    "--on-line",
    type=click.IntRange(2),
    metavar="BUDGET",
    help=f"Forward passes of a run in a second table: {', '.join(STREAMS)}, beside {' and '.join(BESIDE)}.",
)
@click.option("--tune/--no-tune", default=True, help="Look for each rival's best setting first.  [default: tune]")
@click.option("-o", "--output", default="arena.jsonl", show_default=True, help="The file of all runs.")
@click.option("--summary", type=click.Path(path_type=Path), help="A file of JSON for what came of it; it is replaced.")
@click.option("--scheduler", metavar="ADDRESS", help="The address of a Dask scheduler.")
@click.option("--processes", type=click.IntRange(0), help="Processes on this machine; 0 is a loop.  [default: as fits]")
def arena(
    tasks: str,
    rivals: str,
    budget: int,
    on_line: int | None,
    output: str,
    summary: Path | None,
    scheduler: str | None,
    **how: Any,
) -> None:
    """Let gradients, evolution and chance search for weights, on equal budgets.

    \b
    tinygrad-rnn arena
    tinygrad-rnn arena --tasks sunspots --rivals adam,cma,guessing --budget 1000 --seeds 5
    tinygrad-rnn arena --on-line 1000

    Of a run that was stopped nothing is lost: the same command goes on from there.
    """  # noqa: D301  click keeps the lines below \b apart; of a raw one it would print the letters
    how |= {"out": output, "client": scheduler}
    named, second = _words(tasks), None
    with swept(output):
        standings = held(named, _words(rivals), budget=budget, **how)
        click.echo(str(standings))
        if on_line is not None and (streams := [name for name in named if task(name).on_line]):
            second = held(streams, [*BESIDE, *STREAMS], budget=on_line, **how)
            click.echo(str(second))
    if on_line is not None and second is None:
        click.echo(f"no second table: on {', '.join(named)} nothing can be learnt on-line")
    if summary is not None:
        found = standings.summary() | ({"on_line": second.summary()} if second else {})
        content = json.dumps(_when_and_with_what() | found) + "\n"
        try:
            write_whole(summary, content.encode, overwrite=True)
        except OSError as error:
            fail(summary, error)


def _when_and_with_what() -> dict[str, Any]:
    found = {"Python": platform.python_version()}
    for name in ("numpy", "scipy", "cma"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return {"date": str(datetime.now(UTC).date()), "versions": found}


def _words(text: str) -> list[str]:
    return [word for word in (part.strip() for part in text.split(",")) if word]
