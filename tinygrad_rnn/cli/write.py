"""``tinygrad-rnn write``: a network as a file of NumPy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from ..exchange.files import write_whole
from ..unfold import Unfolded
from ..view.text import one_line
from .files import fail, print_whole, refuse_existing
from .network import reads_network


@click.command()
@reads_network
@click.option("-o", "--output", default="-", help="The file; - is the standard output.  [default: -]")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def write(make: Callable[[], tuple[Unfolded, dict[str, list[str]]]], output: str, force: bool) -> None:
    """Write a network out, its backward pass included, as one file of NumPy to be read.

    \b
    tinygrad-rnn write --text "we see" -o bptt.py
    tinygrad-rnn write --cell lstm --layers 2 | less

    Run by itself, python bptt.py, the file measures its own gradients.
    """  # noqa: D301  click keeps the lines below \b apart; of a raw one it would print the letters
    path = Path(output)
    if output != "-":
        if path.suffix != ".py":
            raise click.ClickException(f"{one_line(output)}: what is written is Python; call it something.py.")
        refuse_existing(path, force)
    net, _ = make()
    content = net.written().encode()
    if output == "-":
        print_whole(content)
        return
    try:
        write_whole(path, lambda: content, overwrite=force)
    except OSError as error:
        fail(output, error)
    click.echo(f"written: {one_line(output)}")
