"""``tinygrad-rnn train``: a network that learns a text or a series, in a folder from which it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..data import DataError, Text
from ..data.by_name import BY_NAME
from ..through_time.windows import LOSSES
from ..train.fit import begun
from ..train.settings import CLIPS, DTYPES, OPTIMISERS, SCALES, USUAL, refuse_what_is_no_decay
from ..view.text import one_line
from .network import CELLS
from .progress import listener
from .reading import Reading, reads_data
from .report import shown
from .runs import NumberRange, ended_well, to_go_on

ENDS = [
    click.option("--updates", type=click.IntRange(1), help="End after so many updates."),
    click.option("--epochs", type=click.IntRange(1), help="End when the data were gone through so often."),
    click.option("--minutes", type=NumberRange(0, min_open=True), help="End so long after the start."),
    click.option(
        "--patience", type=click.IntRange(1), help="End when so many evaluations in a row were no better than the best."
    ),
]


def ends(command: Any) -> Any:
    """Give a command the options that say when a run ends."""
    for option in reversed(ENDS):
        command = option(command)
    return command


def _decay(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    try:
        if value is not None:
            refuse_what_is_no_decay(value)
    except ValueError as error:
        raise click.BadParameter(one_line(error), ctx, param) from error
    return value


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder of the run; it is made.")
@reads_data
@click.option("--data", "named", type=click.Choice(list(BY_NAME)), help="Data that the package brings along.")
@click.option("--cell", type=click.Choice(list(CELLS)), help="[default: gru for a text, lstm for a series]")
@click.option("--hidden", type=click.IntRange(1), help="Hidden units.  [default: 128 for a text, 32 for a series]")
@click.option("--layers", type=click.IntRange(1), default=1, show_default=True, help="Cells, one above the other.")
@click.option("--dtype", type=click.Choice(list(DTYPES)), default="float32", show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Where the weights are drawn from.")
@click.option(
    "--init-from", type=click.Path(path_type=Path), help="Weights to begin with, of any file that convert reads."
)
@click.option("--k1", type=click.IntRange(1), help="Steps from one update to the next.  [default: 50]")
@click.option("--k2", type=click.IntRange(1), help="Steps that an error goes back over.  [default: --k1]")
@click.option("--losses", type=click.Choice(list(LOSSES)), default="new", show_default=True)
@click.option("--reduction", type=click.Choice(["mean", "sum"]), default="mean", show_default=True)
@click.option(
    "--batch", type=click.IntRange(1), help="Rows read side by side.  [default: 32 for a text, 1 for a series]"
)
@click.option("--optimiser", type=click.Choice(list(OPTIMISERS)), default="adam", show_default=True)
@click.option("--eta", type=NumberRange(0, min_open=True), help="The step size.  [default: by the optimiser]")
@click.option("--decay", metavar="plateau|none|cosine[:N]", callback=_decay, help="How eta falls.  [default: plateau]")
@click.option("--clip", type=NumberRange(0), default=1.0, show_default=True, help="The longest gradient; 0: any.")
@click.option("--clip-by", type=click.Choice(list(CLIPS)), default="norm", show_default=True)
@ends
@click.option("--validate", type=NumberRange(0, 1, max_open=True), default=0.1, show_default=True)
@click.option("--test", type=NumberRange(0, 1, max_open=True), default=0.0, show_default=True)
@click.option("--every", type=click.IntRange(1), help="Updates from one evaluation to the next.  [default: found]")
@click.option("--scale", type=click.Choice(list(SCALES)), default="standard", show_default=True)
@click.option("--horizon", type=click.IntRange(1), default=1, show_default=True, help="How many rows ahead is told.")
def train(data: Reading, out: Path, named: str | None, cell: str | None, **given: Any) -> None:
    """Train a network on a text or a table, and keep all of it.

    \b
    tinygrad-rnn train --out shakespeare --text-file shakespeare.txt --minutes 5
    tinygrad-rnn train --out spots --data sunspots --test 0.1 --updates 1500
    tinygrad-rnn resume shakespeare

    What was understood is said first, and what it costs to know nothing. --validate and --test are shares of the
    data, the last ones in time: the first chooses the weights, the second is looked at once, at the end.

    Whatever happens, the folder is whole: Ctrl-C keeps where it stands, and so does a number that is not finite. The
    exit code is 0 at the end, 1 if something is wrong, 2 for a wrong option and 130 after Ctrl-C.
    """  # noqa: D301  click keeps the lines below \b apart; of a raw one it would print the letters
    if named and (data.csv or data.text_file):
        raise click.UsageError("--data and --csv or --text-file both say what to read: give one of them.")
    if not (named or data.csv or data.text_file):
        raise click.UsageError("nothing to learn from: give --text-file, --csv or --data.")
    with ended_well(out, then=to_go_on(out)):
        found = _shipped(named) if named else data.read()
        kind = "text" if isinstance(found, Text) else "series"
        given["init_from"] = str(given["init_from"]) if given["init_from"] else None
        with listener(given["updates"]) as tell:
            run = begun(cell or USUAL[kind]["cell"], found, out, given, tell)
        shown(run)


def _shipped(name: str) -> Any:
    try:
        found = BY_NAME[name]()
    except DataError as error:
        raise click.ClickException(str(error)) from error
    for line in found.understood:
        click.echo(line, err=True)
    return found
