"""``tinygrad-rnn report``: a training run as a page."""

from __future__ import annotations

import click

from ..train import Run
from ..view.text import one_line, says
from .files import fail


@click.command()
@click.argument("run", metavar="RUN")
@click.option("-o", "--output", metavar="FILE", help="The page.  [default: report.html in RUN, which is replaced]")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
def report(run: str, output: str | None, force: bool) -> None:
    """Show a training run: prices, curves, how far back it has learned, and what it writes or tells.

    \b
    tinygrad-rnn report RUN
    tinygrad-rnn report RUN -o run.html

    One file, which needs no server, no network and no script. A run that still trains is shown as it stands.
    """  # noqa: D301  click keeps the lines below \b apart; of a raw one it would print the letters
    try:
        written = Run(run).report(output, overwrite=force)
    except ValueError as error:
        raise click.ClickException(one_line(error)) from error
    except OSError as error:
        if error.filename is None:
            raise click.ClickException(one_line(error)) from error
        fail(error.filename, error)
    click.echo(f"written: {one_line(written)}")


def shown(run: Run) -> None:
    """Show a run that has come to its end: its page is written into its folder, if that can be."""
    try:
        click.echo(f"the page of the run: {one_line(run.report())}")
    except (ValueError, OSError) as error:
        click.echo(f"NOTE: the run has no page: {says(error)}", err=True)
