"""``tinygrad-rnn exercise``: what a lesson asks, a blank file to fill in, and its check."""

from __future__ import annotations

import json
import re
import shlex
import textwrap
from pathlib import Path

import click

from ..exchange.files import write_whole
from ..exercises import Folder, folders
from ..exercises.attempt import Report, check_file
from ..exercises.verdicts import EMPTY, RIGHT, WRONG, Verdict
from ..view.foreign import text_of
from ..view.text import one_line
from .files import fail


@click.command()
@click.argument("number", type=int, required=False)
@click.option("--start", is_flag=True, help="Write the blank file exercise_NN.py.")
@click.option("--check", is_flag=True, help="Check exercise_NN.py and name the first thing that is wrong.")
@click.option("--hint", type=click.IntRange(min=1), help="Which hint to give; clearer ones have larger numbers.")
@click.option("--file", type=click.Path(path_type=Path), help="The file to write or to check, if it has another name.")
def exercise(number: int | None, start: bool, check: bool, hint: int | None, file: Path | None) -> None:
    """Show, start or check the exercises of lesson NUMBER."""
    known = {folder.number: folder for folder in folders()}
    if number is None:
        for folder in known.values():
            click.echo(f"{folder.number:>3}  {', '.join(e.name for e in folder.exercises)}")
        return
    if number not in known:
        raise click.UsageError(f"there are no exercises {number}; there are {', '.join(map(str, known)) or 'none'}.")
    folder = known[number]
    path = file or Path(f"exercise_{folder.path.name}.py")
    called = f"tinygrad-rnn exercise {number}{f' --file {shlex.quote(str(file))}' if file else ''}"
    if start:
        _start(folder, path, called)
    elif check or hint or file:
        _check(folder, path, called, hint)
    else:
        for k, asked in enumerate(folder.exercises, start=1):
            click.echo(f"{k:>3}  {asked.name:<22} {asked.asks}")
        click.echo(f"\nStart: tinygrad-rnn exercise {number} --start\nCheck: tinygrad-rnn exercise {number} --check")


def _start(folder: Folder, path: Path, called: str) -> None:
    try:
        written = folder.start(path)
    except FileExistsError:
        raise click.ClickException(
            f"{one_line(path)} is there already and stays as it is; rename it to start anew."
        ) from None
    except OSError as error:
        fail(path, error)
    click.echo(f"written: {one_line(written)}\nFill it in with any editor, then: {one_line(called)} --check")


def _check(folder: Folder, path: Path, called: str, hint: int | None) -> None:
    if not path.is_file():
        raise click.ClickException(f"there is no file {one_line(path)} here; {one_line(called)} --start makes one")
    report = check_file(folder, path)
    _tell(report, {asked.name: asked.asks for asked in folder.exercises})
    first = report.first
    if first is None:
        click.echo("\nAll right.")
        return
    if first.status == WRONG or (first.hints and hint):
        memory = path.with_name(f".{path.stem}.hints")
        level = min(hint, len(first.hints)) if hint else _hint_level(memory, first)
        says = f"Hint {level} of {len(first.hints)}: {first.hints[level - 1]}"
        click.echo("\n" + textwrap.fill(says, 84, initial_indent="   ", subsequent_indent="   "))
        if level < len(first.hints):
            click.echo(f"   A clearer one: check again, or add --hint {level + 1}")
    raise SystemExit(1)


def _tell(report: Report, asks: dict[str, str]) -> None:
    width = max(len(verdict.name) for verdict in report.verdicts)
    for k, verdict in enumerate(report.verdicts, start=1):
        more = {EMPTY: asks[verdict.name], RIGHT: verdict.says}.get(verdict.status, "")
        status = f"{verdict.status}   {more}" if more else verdict.status
        click.echo(f"{k:>3}  {verdict.name:<{width}}  {status}")
    first = report.first
    if first and first.says:
        click.echo()
        for part in (f"{first.name}: {_where(first)}".removesuffix(": "), f"{first.says}."):
            click.echo(textwrap.fill(part, 84, initial_indent="   ", subsequent_indent="   "))
    if report.printed:
        click.echo("\n   Your file printed:")
        for line in report.printed.splitlines()[:20]:
            click.echo(f"   | {line}")


def _where(verdict: Verdict) -> str:
    """The equation, the time step and the term that are wrong, as far as they are known."""
    parts = [
        f"equation {verdict.equation}" if re.match(r"\(\d+\)", verdict.equation) else verdict.equation,
        f"{verdict.clock} = {verdict.t}" if verdict.t is not None else "",
        verdict.term,
    ]
    return ", ".join(part for part in parts if part)


def _hint_level(memory: Path, verdict: Verdict) -> int:
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
        last = json.loads(text_of(memory))
        level = int(last["level"]) + 1 if last["mistake"] == mistake else 1
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        level = 1
    level = max(1, min(level, len(verdict.hints)))
    try:
        write_whole(memory, json.dumps({"mistake": mistake, "level": level}).encode, overwrite=True)
    except OSError:
        return level
    return level
