"""``tinygrad-rnn sweep``: a function at every point of a grid that a file says."""

from __future__ import annotations

import importlib
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from .. import experiments
from ..experiments.kinds import KINDS
from ..view.text import one_line, says
from .runs import swept

KNOWN = {"function", "out", "grid", "fixed"}


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--scheduler", metavar="ADDRESS", help="The address of a Dask scheduler, such as tcp://10.0.0.1:8786.")
@click.option("--processes", type=click.IntRange(0), help="Processes on this machine; 0 is a loop.  [default: as fits]")
@click.option("--retry-failed", is_flag=True, help="Run the points again whose record is an exception.")
def sweep(file: Path, scheduler: str | None, processes: int | None, retry_failed: bool) -> None:
    """Run a function at every point of a grid, and go on where the last run ended.

    \b
    tinygrad-rnn sweep clip.toml
    tinygrad-rnn sweep clip.toml --scheduler tcp://10.0.0.1:8786

    FILE is in TOML:

    \b
    function = "mine:train"    # a module and its function, or one of the kinds
    out = "runs.jsonl"         # a line of JSON for each point that is done
    [grid]                     # every combination of these is a point
    eta = [0.01, 0.1, 1.0]
    seed = [0, 1, 2]
    [fixed]                    # and these are the same in all
    T = 20

    Modules are looked for in the current folder, too. FILE may name any function there is, so take it from nobody
    from whom you would not take a program. The kinds are

    \b
    descent    gradient descent on the adding problem, by radius, eta, clip, seed
    train      what `tinygrad-rnn train` does, by data, csv or text_file, and its options

    Of a run that was stopped, by Ctrl-C or otherwise, nothing is lost: the same command goes on from there.
    """  # noqa: D301  click keeps the lines below \b apart; of a raw one it would print the letters
    said = _read(file)
    function = _function(said["function"])
    points = [said.get("fixed", {}) | point for point in _grid(said["grid"])]
    out = said.get("out", "runs.jsonl")
    with swept(out):
        records = experiments.sweep(
            function,
            points,
            out=out,
            client=scheduler,
            processes=processes,
            retry_failed=retry_failed,
        )
    failed = [record for record in records if not record["ok"]]
    click.echo(f"{len(records)} point{'s' if len(records) > 1 else ''}, {len(failed)} failed: {one_line(out)}")
    if failed:
        first = failed[0]["error"]
        click.echo(f"the first with {one_line(first['type'])}: {one_line(first['text'])} ({one_line(first['where'])})")
        click.echo("once the cause is mended, --retry-failed runs them again")
        raise SystemExit(1)


def _read(file: Path) -> dict[str, Any]:
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise click.ClickException(says(error, file)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{one_line(file)} is no TOML: {one_line(error)}") from error
    for name in said.keys() - KNOWN:
        raise click.ClickException(
            f"{one_line(file)}: {one_line(name)} means nothing here; {', '.join(sorted(KNOWN))} do."
        )
    for name, kind, words in (("function", str, "a text"), ("grid", dict, "a table"), ("fixed", dict, "a table")):
        if name not in said and name != "fixed":
            raise click.ClickException(f"{one_line(file)}: {name} is missing, {words}.")
        if not isinstance(said.get(name, kind()), kind):
            raise click.ClickException(f"{one_line(file)}: {name} must be {words}.")
    if both := said["grid"].keys() & said.get("fixed", {}).keys():
        raise click.ClickException(f"{one_line(file)}: {one_line(min(both))} is in grid and in fixed.")
    return said


def _grid(axes: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        return experiments.grid(**axes)
    except (TypeError, ValueError) as error:
        raise click.ClickException(one_line(error)) from error


def _function(name: str) -> Callable[..., Any]:
    if name in KINDS:
        return KINDS[name]
    module, colon, function = name.partition(":")
    if not (module and colon and function):
        kinds = ", ".join(KINDS)
        raise click.ClickException(f"function = {one_line(name)}: write module:function, or one of the kinds, {kinds}.")
    sys.path.insert(0, "")  # where the command is called, as `python -m` does it
    try:
        found = getattr(importlib.import_module(module), function)
    except (ImportError, ValueError) as error:
        raise click.ClickException(f"function = {one_line(name)}: {one_line(error)}") from error
    except AttributeError as error:
        raise click.ClickException(f"function = {one_line(name)}: {one_line(module)} has no such name.") from error
    if not callable(found):
        raise click.ClickException(f"function = {one_line(name)}: it is no function.")
    return found
