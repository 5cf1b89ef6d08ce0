"""``tinygrad-rnn lesson``: a lesson, cell by cell."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Any

import click
from rich.console import Console
from rich.markdown import Markdown

from ..exercises import folders
from ..view import EngineError, Picture, Player
from ..view.characters import in_characters
from ..view.lessons import Lesson, Shown, execute, fresh_names, lessons
from ..view.prose import in_a_terminal
from ..view.terminal import Cleaned, raw
from ..view.walk import without_unicode
from .reader import WIDEST, Reader, coloured
from .screen import Screen


@click.command()
@click.argument("number", type=int, required=False)
@click.option("--quick", is_flag=True, help="Let long computations take less: the lesson names the smaller numbers.")
@click.option("--ascii", "plain", is_flag=True, help="No other characters than ASCII.")
def lesson(number: int | None, quick: bool, plain: bool) -> None:
    """Step through lesson NUMBER, or list the lessons.

    In a terminal, Enter and the right arrow go on, the left arrow goes back, ? shows all keys, q quits.
    When the output goes elsewhere, the lesson runs to its end without waiting.
    """
    known = {found.number: found for found in lessons()}
    if number is None:
        for found in known.values():
            click.echo(f"{found.number:>3}  {found.title} ({found.takes})")
        return
    if number not in known:
        raise click.UsageError(f"there is no lesson {number}; there are {', '.join(map(str, known)) or 'none'}.")
    screen = Screen()
    after = next((folder.invitation for folder in folders() if folder.number == number), "")
    if number + 1 in known:
        after += f"\n\nNext comes lesson {number + 1}, *{known[number + 1].title}*: `tinygrad-rnn lesson {number + 1}`."
    try:
        if screen.here:
            with screen.unechoed():
                Reader(known[number], after, screen, plain or screen.plain, quick).read()
            more = f"; tinygrad-rnn lesson {number + 1} goes on" if number + 1 in known else ""
            click.echo(f"\nThis was lesson {number}. tinygrad-rnn lesson {number} begins it again{more}.")
        else:
            _print(known[number], after, plain, quick)
    except (OSError, EngineError) as error:
        raise click.ClickException(f"the lesson could not go on: {error}") from error


def _print(chosen: Lesson, after: str, plain: bool, quick: bool) -> None:
    """Print a lesson from its beginning to its end."""
    stream: Any = Cleaned(raw(sys.stdout), without_unicode) if plain else raw(sys.stdout)
    console = Console(file=stream, width=WIDEST)
    console.print(chosen.opening(quick), highlight=False)
    shown, names = Shown(chosen), fresh_names(chosen)
    with redirect_stdout(stream if plain else sys.stdout):
        for cell in chosen.cells(quick):
            console.print()
            if cell.kind == "markdown":
                console.print(Markdown(in_a_terminal(cell.source)))
                continue
            console.print(coloured(cell.source))
            console.print()
            value = execute(cell, chosen, names)
            if isinstance(value, Picture | Player):
                _print_shown(value, shown)
    if after:
        console.print()
        console.print(Markdown(in_a_terminal(after)))


def _print_shown(value: Picture | Player, shown: Shown) -> None:
    kind = "picture" if isinstance(value, Picture) else "player"
    if isinstance(value, Picture) and (drawn := in_characters(value.scene, WIDEST)):
        click.echo(f"{drawn}\n")
    try:
        click.echo(f"the {kind}: {shown.save(value).as_posix()}")
    except (OSError, EngineError) as error:  # the lesson goes on without it
        click.echo(f"the {kind} could not be written: {error}")
