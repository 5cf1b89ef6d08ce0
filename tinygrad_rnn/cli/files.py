"""The files and streams of a command, and what it says when the system refuses one."""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, NoReturn

import click

from ..exchange import files
from ..view.terminal import raw
from ..view.text import one_line


def fail(what: object, error: OSError) -> NoReturn:
    """End the command with what the system says about a file."""
    what = one_line(what)
    match error:
        case FileExistsError():
            line = f"{what} exists already: choose another name, or pass --force."
        case IsADirectoryError():
            line = f"{what} is a folder: name a file in it."
        case _:
            line = f"{what}: {error.strerror or error}"
    raise click.ClickException(line) from error


def refuse_existing(path: Path, force: bool) -> None:
    """End the command before its work, if what it makes could not be written."""
    try:
        files.refuse_existing(path, force)
    except OSError as error:
        fail(path, error)


def flush_or_let_go(stream: IO[Any]) -> None:
    """Write what waits, or throw it away: it would be tried again, and fail again, when Python ends."""
    try:
        stream.flush()
    except OSError:
        with contextlib.suppress(OSError):  # a stream that is no file has nothing left
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def print_whole(content: bytes) -> None:
    """Write to the standard output, all or with an error, even if its reader has gone."""
    print_parts([content])


def print_parts(parts: Iterable[bytes], end: bytes = b"") -> None:
    """The same part by part, as they come, and `end` behind them; at a terminal that is a new line."""
    if sys.stdout.isatty():  # it is text then, and somebody looks at it; a letter's bytes may lie in two parts
        for text in codecs.iterdecode(parts, "utf-8", "replace"):
            click.echo(text, nl=False)
        click.echo()
        return
    for part in parts:
        _print(part)
    _print(end)


def _print(content: bytes) -> None:
    out = raw(sys.stdout).buffer
    try:
        rest = memoryview(content)
        while rest:  # where Python does not buffer (PYTHONUNBUFFERED), a write may take a part
            rest = rest[out.write(rest) :]
        out.flush()
    except OSError as error:
        flush_or_let_go(out)
        if isinstance(error, BrokenPipeError):
            raise click.ClickException("the reader of the output has gone before its end.") from error
        fail("the standard output", error)
