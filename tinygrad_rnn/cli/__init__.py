"""The command ``tinygrad-rnn``: a file for each of its words."""

from __future__ import annotations

import io
import sys

import click

from .. import __version__
from . import doctor, draw, exercise, lesson, step
from .network import CELLS

__all__ = ["CELLS", "main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tinygrad-rnn")
def main() -> None:
    """See every step of backpropagation through time."""
    for stream in (sys.stdout, sys.stderr):
        # A file or a pipe gets UTF-8 wherever we are; an old terminal gets a question mark, not an error.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")


for command in (lesson.lesson, exercise.exercise, step.step, draw.draw, doctor.doctor):
    main.add_command(command)
