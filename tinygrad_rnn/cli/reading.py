"""The data that a command reads: one group of options for all commands that read a table or a text."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import IO, Any, NamedTuple

import click

from ..data import DataError, Table, Text, table, text
from ..data.refusal import told
from ..view.text import one_line
from .files import fail


class Reading(NamedTuple):
    """Which file is to be read, and by which settings; it is read when asked for."""

    csv: Path | None
    text_file: Path | None
    settings: dict[str, Any]

    def read(self, watch: Callable[[int, int], None] | None = None) -> Table | Text | None:
        """What the file holds, once what was understood is printed; None if no file is named.

        `watch` is called with the rows and columns of a table while it is read, and may raise.
        """
        path = self.csv or self.text_file
        if path is None:
            return None
        source: Path | IO[bytes] = sys.stdin.buffer if path == Path("-") else path
        try:
            found = table(source, **self.settings, watch=watch) if self.csv else text(source, **self.settings)
        except OSError as error:
            fail(path, error)
        except DataError as error:
            raise click.ClickException(told(error.says, error.ways, option, " ")) from error
        except ValueError as error:
            setting, *rest = re.split(r"\b", str(error), maxsplit=2)[1:]  # it begins with the name of the setting
            raise click.UsageError(_name(setting) + "".join(rest)) from error
        for line in found.understood:
            click.echo(one_line(line), err=True)
        return found


def reads_data(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say what to read; it is called with `data`, a `Reading`."""

    @wraps(command)
    def with_data(csv: Path | None, text_file: Path | None, encoding: str | None, **others: Any) -> None:
        settings = {name: others.pop(name) for name in OF_TABLES}
        given = {name: value for name, value in settings.items() if value is not None}
        if csv and text_file:
            raise click.UsageError("--csv and --text-file both say what to read: give one of them.")
        if given and not csv:
            raise click.UsageError(f"{_name(next(iter(given)))} says how to read a table: name one by --csv.")
        if encoding and not (csv or text_file):
            raise click.UsageError("--encoding says how to read a file: name one by --csv or --text-file.")
        if encoding:
            given["encoding"] = encoding
        command(data=Reading(csv, text_file, given), **others)

    for option in reversed(OPTIONS):
        with_data = option(with_data)
    return with_data


FILE = click.Path(path_type=Path, allow_dash=True)

OPTIONS = [
    click.option("--csv", type=FILE, help="Read a table of numbers, a row each time step; - is the standard input."),
    click.option("--text-file", type=FILE, help="Read a text, character by character; - is the standard input."),
    click.option("--encoding", help="Of the file, such as cp1252; bytes for a text.  [default: its mark, or utf-8]"),
    click.option("--columns", metavar="NAMES", help="Columns to read, by name or number: a,b or 1,3.  [default: all]"),
    click.option("--target", metavar="NAMES", help="Columns of which the next row is told.  [default: --columns]"),
    click.option("--sep", metavar="SIGN", help="What parts columns: one sign, tab or space.  [default: found]"),
    click.option("--decimal", type=click.Choice([".", ","]), help="What stands before decimals.  [default: found]"),
    click.option("--thousands", metavar="SIGN", help="What parts thousands: , . ' _ or space.  [default: nothing]"),
    click.option(
        "--header", type=click.Choice(["auto", "yes", "no"]), help="Whether the first row holds names.  [default: auto]"
    ),
    click.option("--skip-rows", type=click.IntRange(0), help="Lines to pass over at the beginning."),
    click.option("--date-column", metavar="NAME", help="A column that says when and is no data."),
    click.option("--date-format", metavar="FORM", help="How dates are written, such as %d.%m.%Y.  [default: found]"),
    click.option(
        "--missing",
        type=click.Choice(["refuse", "interpolate", "hold", "drop"]),
        help="Where there is no value: refuse the table, go straight across, keep the value before, drop the row.  "
        "[default: refuse]",
    ),
]

OF_TABLES = (
    *("columns", "target", "sep", "decimal", "thousands", "header"),
    *("skip_rows", "date_column", "date_format", "missing"),
)


def _name(setting: str) -> str:
    return f"--{setting.replace('_', '-')}"


def option(setting: str, value: Any) -> str:
    """A setting as it is written on the command line."""
    return f"{_name(setting)} {SPELLED.get(value) or shlex.quote(str(value))}"


SPELLED = {"\t": "tab", " ": "space"}
