"""The command ``tinygrad-rnn``."""

from __future__ import annotations

import io
import sys

import click
from rich.console import Console
from rich.markdown import Markdown
from rich.syntax import Syntax

from . import __version__
from .view import EngineError
from .view.lessons import Lesson, lessons, plain_math, run
from .view.terminal import Pager, Printer, Quit, printing_with


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tinygrad-rnn")
def main() -> None:
    """See every step of backpropagation through time."""
    for stream in (sys.stdout, sys.stderr):
        # A file or a pipe gets UTF-8 wherever we are; an old terminal gets a question mark, not an error.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")


@main.command()
@click.argument("number", type=int, required=False)
def lesson(number: int | None) -> None:
    """Step through lesson NUMBER, or list the lessons.

    In a terminal, Enter and the right arrow go on, the left arrow goes back, s skips a part, q quits.
    When the output goes elsewhere, the lesson runs to its end without waiting.
    """
    known = {found.number: found for found in lessons()}
    if number is None:
        for found in known.values():
            click.echo(f"{found.number:>3}  {found.title}")
        return
    if number not in known:
        raise click.UsageError(f"there is no lesson {number}; there are {', '.join(map(str, known)) or 'none'}.")
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    pager = Pager(click.getchar, click.clear) if interactive else None
    try:
        with printing_with(pager or Printer()):
            _read(known[number], pager)
    except Quit:
        click.echo()
    except (OSError, EngineError) as error:
        raise click.ClickException(f"the lesson could not go on: {error}") from error


def _read(chosen: Lesson, pager: Pager | None) -> None:
    console = Console(width=None if pager else 88, soft_wrap=False)

    def on_text(source: str) -> None:
        console.print()
        console.print(Markdown(plain_math(source)))
        if pager:
            pager.wait()

    def on_code(source: str) -> None:
        console.print()
        console.print(Syntax(source, "python", theme="ansi_dark", background_color="default", word_wrap=True))
        console.print()

    run(chosen, on_text, on_code)
