"""The command ``tinygrad-rnn``: a file for each of its words, which is read when the word is said."""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module
from typing import Any

import click

from .. import __version__
from ..view.terminal import cleaned_streams
from ..view.text import says
from .files import flush_or_let_go
from .network import CELLS

__all__ = ["CELLS", "main"]


# Each is a command in the file of that name.
WORDS = (
    "arena",
    "convert",
    "doctor",
    "draw",
    "exercise",
    "forecast",
    "lesson",
    "report",
    "resume",
    "sample",
    "step",
    "sweep",
    "train",
    "verify",
    "write",
)


class Commands(click.Group):
    """Commands that end with a line, and not with a traceback, where the system takes no more output."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click gives it
        """The words, as the help lists them."""
        return list(WORDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click gives it
        """The command of a word; None if there is none."""
        if cmd_name not in WORDS:
            return None
        found: click.Command = getattr(import_module(f".{cmd_name}", __name__), cmd_name)
        return found

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command that the words name."""
        _ready_the_streams()
        with cleaned_streams():
            try:
                return super().main(*args, **extra)
            except OSError as error:
                click.echo(f"Error: {says(error)}", err=True)
                sys.exit(1)
            finally:  # what could not be written still waits, whoever has said so
                flush_or_let_go(sys.stdout)


def _ready_the_streams() -> None:
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # it was closed by whoever started us
            nothing = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(nothing, mode, encoding="utf-8", closefd=False))  # noqa: SIM115  open to the end
    for stream in (sys.stdout, sys.stderr):
        # A file or a pipe gets UTF-8 wherever we are; an old terminal gets a question mark, not an error.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tinygrad-rnn")
def main() -> None:
    """See every step of backpropagation through time.

    To begin: tinygrad-rnn lesson 1
    """
