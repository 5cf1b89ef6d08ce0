"""``tinygrad-rnn draw``: a picture of a network."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..autodiff import TapeError
from ..exchange.files import write_whole
from ..unfold import Unfolded
from ..view import EngineError
from ..view import draw as draw_network
from ..view.overlay import NAMES as OVERLAYS
from ..view.picture import SUFFIXES
from ..view.text import one_line
from ..view.views import FOR, LEVELS, VIEWS
from .files import fail, print_whole, refuse_existing
from .network import reads_network


@click.command("draw")
@reads_network
@click.option(
    "--view",
    type=click.Choice(VIEWS),
    default=VIEWS[0],
    show_default=True,
    help="A column for each step; the cell with its delays; what one output depends on; the first and last steps; "
    "the way back.",
)
@click.option(
    "--overlay",
    type=click.Choice([o or "none" for o in OVERLAYS]),
    default="both",
    show_default=True,
    help="What stands in the boxes: numbers; as a colour, the length of each dC / d box; each copy's share; "
    "the way of one error back; how far each step stretches the state.",
)
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    help="What gets a box: each op, or input, state and output with the matrices between them; or a textbook's figure. "
    "[default: ops; for print, figure]",
)
@click.option(
    "--for",
    "for_",
    type=click.Choice(FOR),
    default=FOR[0],
    show_default=True,
    help="A screen; or a paper: in black, 160 mm wide at most, letters of 8 points at least, no numbers.",
)
@click.option("--highlight", metavar="WEIGHT", help="The weight to bring forward, such as U; the others are grey.")
@click.option("--ledger", metavar="WEIGHT", help="The weight whose shares stand below the columns of a figure.")
@click.option("--of", "of", type=click.IntRange(1), help="The time step that a staircase or a path is of.")
@click.option("--window", help="How many first and last steps to draw, such as 3,3, or all.")
@click.option(
    "-o", "--output", default="-", help="The file; its suffix says how. - is the standard output.  [default: -]"
)
@click.option(
    "--format", "form", type=click.Choice([s[1:] for s in SUFFIXES]), help="How to write it, whatever the suffix."
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def draw(
    make: Callable[[], tuple[Unfolded, dict[str, list[str]]]],
    view: str,
    overlay: str,
    level: str | None,
    for_: str,
    highlight: str | None,
    ledger: str | None,
    of: int | None,
    window: str | None,
    output: str,
    form: str | None,
    force: bool,
) -> None:
    """Draw a network unfolded in time, numbers and gradients.

    \b
    tinygrad-rnn draw --text "we see" -o sentence.svg
    tinygrad-rnn draw --csv data.csv --cell gru --layers 2 -o table.pdf
    tinygrad-rnn draw --cell lstm --steps 4 -o - --format dot | less
    """  # noqa: D301  click keeps the lines below \b apart; of a raw one it would print the letters
    if output == "-" and sys.stdout.isatty() and form not in ("svg", "dot", "mmd", "json"):
        raise click.ClickException("name a file with -o, such as -o network.svg, or pipe the output on.")
    suffix = f".{form}" if form else ".svg" if output == "-" else Path(output).suffix
    if suffix not in SUFFIXES:
        raise click.ClickException(
            f"{one_line(output)}: the suffix says how to write it; choose one of {', '.join(SUFFIXES)}."
        )
    if output != "-":
        refuse_existing(Path(output), force)
    net, captions = make()
    try:
        with warnings.catch_warnings(record=True) as notes:
            picture = draw_network(
                net,
                view=view,
                overlay=None if overlay == "none" else overlay,
                level=level,
                of=of,
                window=_window(window),
                captions=captions,
                highlight=highlight,
                ledger=ledger,
                for_=for_,
            )
            content = picture.to_bytes(suffix)
    except (ValueError, EngineError, TapeError) as error:
        raise click.ClickException(str(error)) from error
    for note in notes:
        click.echo(f"Note: {note.message}", err=True)
    if output == "-":
        print_whole(content)
        return
    try:
        write_whole(output, lambda: content, force)
    except OSError as error:
        fail(output, error)
    click.echo(f"written: {one_line(output)}")


def _window(text: str | None) -> Any:
    """3,3 as a pair, 3 as a number; anything else is for `draw` to judge."""
    numbers = tuple(int(part) if part.isdecimal() else part for part in (text or "").split(","))
    return text if text in (None, "all") else numbers if len(numbers) > 1 else numbers[0]
