"""``tinygrad-rnn resume``: a run goes on as if it had not been stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..train import Run
from .progress import listener
from .report import shown
from .runs import NumberRange, ended_well, to_go_on
from .train import ends


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@ends
@click.option("--eta", type=NumberRange(0, min_open=True), help="Another step size; what follows is another run.")
def resume(run: Path, eta: float | None, **given: Any) -> None:
    """Go on with a run, bit by bit as if it had not been stopped.

    \b
    tinygrad-rnn resume shakespeare
    tinygrad-rnn resume shakespeare --updates 20000

    All settings are those that it was begun with. Other ends replace those that were asked for before. On another
    machine, or with other libraries, it goes on too, and says that the last bits may differ.
    """  # noqa: D301  click keeps the lines below \b apart; of a raw one it would print the letters
    stops = {name: value for name, value in given.items() if value is not None}
    with ended_well(run, then=to_go_on(run)):
        found = Run(run)
        with listener(stops.get("updates") or found.settings["updates"]) as tell:
            found.go_on(stops, eta, tell)
        shown(found)
