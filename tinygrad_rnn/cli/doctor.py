"""``tinygrad-rnn doctor``: what is installed."""

from __future__ import annotations

import click

from ..view.doctor import report


@click.command()
def doctor() -> None:
    """Say what is installed, what is missing, and how to get it."""
    lines, fine = report()
    for line in lines:
        click.echo(line)
    if not fine:
        raise SystemExit(1)
