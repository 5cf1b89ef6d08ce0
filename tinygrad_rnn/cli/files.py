"""The files and streams of a command, and what it says when the system refuses one."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from ..view import files


def fail(what: object, error: OSError) -> NoReturn:
    """End the command with what the system says about a file."""
    match error:
        case FileExistsError():
            says = f"{what} exists already: choose another name, or pass --force."
        case IsADirectoryError():
            says = f"{what} is a folder: name a file in it."
        case _:
            says = f"{what}: {error.strerror or error}"
    raise click.ClickException(says) from error


def refuse_existing(path: Path, force: bool) -> None:
    """End the command before its work, if what it makes could not be written."""
    try:
        files.refuse_existing(path, force)
    except OSError as error:
        fail(path, error)


def print_whole(content: bytes) -> None:
    """Write to the standard output, all or with an error, even if its reader has gone."""
    out = sys.stdout.buffer
    try:
        rest = memoryview(content)
        while rest:  # where Python does not buffer (PYTHONUNBUFFERED), a write may take a part
            rest = rest[out.write(rest) :]
        out.flush()
    except OSError as error:
        # What is left in the buffer would be tried again, and fail again, when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
        if isinstance(error, BrokenPipeError):
            raise click.ClickException("the reader of the output has gone before its end.") from error
        fail("the standard output", error)
