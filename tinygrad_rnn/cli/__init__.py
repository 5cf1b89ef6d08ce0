"""The command ``tinygrad-rnn``: a file for each of its words."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import click

from .. import __version__
from ..view.terminal import cleaned_streams
from . import (
    arena,
    convert,
    doctor,
    draw,
    exercise,
    forecast,
    lesson,
    report,
    resume,
    sample,
    step,
    sweep,
    train,
    verify,
    write,
)
from .files import let_go, says
from .network import CELLS

__all__ = ["CELLS", "main"]


class Commands(click.Group):
    """Commands that end with a line, and not with a traceback, where the system takes no more output."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command that the words name."""
        _ready_the_streams()
        with cleaned_streams():
            try:
                return super().main(*args, **extra)
            except OSError as error:
                let_go(sys.stdout)
                click.echo(f"Error: {says(error)}", err=True)
                sys.exit(1)


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


COMMANDS = (
    lesson.lesson,
    exercise.exercise,
    step.step,
    draw.draw,
    verify.verify,
    write.write,
    convert.convert,
    train.train,
    resume.resume,
    report.report,
    sample.sample,
    forecast.forecast,
    sweep.sweep_command,
    arena.arena_command,
    doctor.doctor,
)
for command in COMMANDS:
    main.add_command(command)
