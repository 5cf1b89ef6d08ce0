"""``tinygrad-rnn lesson``: a lesson, cell by cell."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.markdown import Markdown
from rich.syntax import Syntax

from ..view import EngineError, Picture, new_folder
from ..view.exercises import folders
from ..view.lessons import Lesson, lessons, plain_math, run
from ..view.terminal import Pager, Printer, Quit, printing_with, raw
from .files import clear_screen


@click.command()
@click.argument("number", type=int, required=False)
def lesson(number: int | None) -> None:
    """Step through lesson NUMBER, or list the lessons.

    In a terminal, Enter and the right arrow go on, the left arrow goes back, s skips a part, q quits.
    When the output goes elsewhere, the lesson runs to its end without waiting.
    """
    known = {found.number: found for found in lessons()}
    if number is None:
        for found in known.values():
            click.echo(f"{found.number:>3}  {found.title} ({found.takes})")
        return
    if number not in known:
        raise click.UsageError(f"there is no lesson {number}; there are {', '.join(map(str, known)) or 'none'}.")
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    pager = Pager(click.getchar, clear_screen) if interactive else None
    try:
        with printing_with(pager or Printer()):
            _read(known[number], pager)
    except Quit:
        click.echo()
    except (OSError, EngineError) as error:
        raise click.ClickException(f"the lesson could not go on: {error}") from error


def _read(chosen: Lesson, pager: Pager | None) -> None:
    console = Console(file=raw(sys.stdout), width=None if pager else 88, soft_wrap=False)
    console.print(f"Lesson {chosen.number}, {chosen.takes}", highlight=False)

    def on_text(source: str) -> None:
        console.print()
        console.print(Markdown(plain_math(source)))
        if pager:
            pager.wait()

    def on_code(source: str) -> None:
        console.print()
        console.print(Syntax(source, "python", theme="ansi_dark", background_color="default", word_wrap=True))
        console.print()

    pictures: list[Path] = []

    def on_picture(picture: Picture) -> None:
        try:
            folder = pictures[0].parent if pictures else new_folder(f"lesson-{chosen.number:02}")
            pictures.append(picture.save(folder / f"picture-{len(pictures) + 1}.svg"))
            click.echo(f"the picture: {pictures[-1].as_posix()}")
        except (OSError, EngineError) as error:  # the lesson goes on without it
            click.echo(f"the picture could not be written: {error}")

    run(chosen, on_text, on_code, on_picture)
    for folder in folders():
        if folder.number == chosen.number:
            console.print()
            console.print(Markdown(folder.invitation))
