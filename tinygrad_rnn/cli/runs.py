"""The folder of a run that a command is about, and what is wrong with it in one line."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from ..data import DataError
from ..data.refusal import told
from ..train import Run
from ..view.text import one_line
from .files import fail
from .reading import option


@contextlib.contextmanager
def about(path: Path, options: Mapping[str, str] | None = None) -> Iterator[Run]:
    """The run in a folder; what goes wrong with it, within too, ends the command with a line.

    Parameters
    ----------
    path : pathlib.Path
        The folder.
    options : mapping of str to str, optional
        What arguments are called on the command line.
    """
    try:
        yield Run(path)
    except FileNotFoundError as error:
        if error.errno is not None:  # the system has said it, of a file of the run
            fail(error.filename or path, error)
        raise click.ClickException(one_line(error)) from error
    except OSError as error:
        fail(error.filename or path, error)
    except DataError as error:
        raise click.ClickException(told(error.says, error.ways, option, " ")) from error
    except (ValueError, TypeError) as error:
        name, equals, rest = re.sub(r"^\w+: ", "", one_line(error)).partition("=")
        called = (options or {}).get(name)
        raise click.ClickException(f"{called} {rest}" if called and equals else one_line(error)) from error
