"""The run that a command is about, how the command ends, and what is wrong in one line."""

from __future__ import annotations

import contextlib
import math
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from ..data import DataError
from ..data.refusal import told
from ..train import Run
from ..view.text import one_line, says
from .reading import option


class NumberRange(click.FloatRange):
    """A range of numbers, in which is neither what is no number nor, unless it is said, what is infinite."""

    def __init__(self, least: float, bound: float | None = None, *, infinite: bool = False, **open_at: bool) -> None:
        super().__init__(least, bound, **open_at)
        self._fits = (lambda v: not math.isnan(v)) if infinite else math.isfinite

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number that a word says."""
        found: float = super().convert(value, param, ctx)
        if not self._fits(found):
            self.fail(f"{found} is not a{'' if math.isnan(found) else ' finite'} number.", param, ctx)
        return found


def to_go_on(path: Path) -> str:
    """What to do behind a stop."""
    return f"go on by: tinygrad-rnn resume {one_line(path)}"


@contextlib.contextmanager
def about(path: Path, options: Mapping[str, str] | None = None) -> Iterator[Run]:
    """The run in a folder; what goes wrong with it, within too, ends the command well."""
    with ended_well(path, options):
        yield Run(path)


@contextlib.contextmanager
def ended_well(path: Path, options: Mapping[str, str] | None = None, then: str = "") -> Iterator[None]:
    """What ends a command early ends it with a line and the code 1, and Ctrl-C with 130.

    Parameters
    ----------
    path : pathlib.Path
        The folder of the run, or the file, which is named if the system says of no other file what is wrong.
    options : mapping of str to str, optional
        What arguments are called on the command line.
    then : str
        What can be done behind Ctrl-C.
    """
    try:
        yield
    except KeyboardInterrupt as stopped:
        click.echo(one_line(f"{stopped}; {then}" if then and str(stopped) else stopped), err=True)
        sys.exit(130)
    except OSError as error:
        # What the library refuses has no number, and names the folder itself.
        raise click.ClickException(says(error, path) if error.errno else one_line(error)) from error
    except DataError as error:
        raise click.ClickException(told(error.says, error.ways, option, " ")) from error
    except (ValueError, TypeError, ImportError) as error:  # what is not installed is said with how to get it
        name, equals, rest = re.sub(r"^\w+: ", "", one_line(error)).partition("=")
        called = (options or {}).get(name)
        raise click.ClickException(f"{called} {rest}" if called and equals else one_line(error)) from error


@contextlib.contextmanager
def swept(out: object) -> Iterator[None]:
    """The same for a sweep, which adds to the file `out`; what it has done is kept whatever ends it."""
    with ended_well(Path(str(out))):
        try:
            yield
        except KeyboardInterrupt:
            raise KeyboardInterrupt("stopped. What is done is kept, and the same command goes on from there.") from None
