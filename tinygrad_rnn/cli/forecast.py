"""``tinygrad-rnn forecast``: how a series goes on, by a trained network, and how wrong that is."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..data import DataError, Table, table
from ..data.refusal import told
from ..exchange.files import write_whole
from ..train import Forecast, Run
from ..view.text import one_line
from .files import fail, print_whole, refuse_existing
from .reading import option
from .runs import about

NAMES = {"start": "--from", "steps": "--steps", "season": "--season", "order": "--ar", "variance": "--variance"}


def _number_or(word: str, least: int) -> Callable[[click.Context, click.Parameter, str], int | str]:
    """What reads a whole number, or a word that stands for what is found."""

    def read(ctx: click.Context, param: click.Parameter, value: str) -> int | str:
        if value == word:
            return word
        if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) < least:
            raise click.BadParameter(
                f"{one_line(value)} is neither a whole number from {least} up nor {word}.", ctx, param
            )
        return int(value)

    return read


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--steps", type=click.IntRange(1), default=100, show_default=True, help="How many rows are told.")
@click.option(
    "--from",
    "start",
    type=click.IntRange(0),
    metavar="ROW",
    help="How many rows are known.  [default: all before the test part or the validation part; of --csv, all]",
)
@click.option("--csv", "other", type=click.Path(path_type=Path), help="Tell this table, which has the same columns.")
@click.option(
    "--season",
    metavar="N|auto",
    default="auto",
    callback=_number_or("auto", 1),
    show_default=True,
    help="How many rows a season has.",
)
@click.option(
    "--ar",
    metavar="N|aic",
    default="aic",
    callback=_number_or("aic", 0),
    show_default=True,
    help="How many rows the autoregression reads.",
)
@click.option("--variance", type=float, help="What the NMSE is in parts of, as in a published figure.")
@click.option("--best/--last", default=True, help="The weights that were best when validated, or the last.")
@click.option("--json", "as_json", is_flag=True, help="Print all numbers as JSON.")
@click.option("--csv-out", type=click.Path(path_type=Path), help="Write what is told into this file, row by row.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def forecast(
    run: Path,
    steps: int,
    start: int | None,
    other: Path | None,
    season: int | str,
    ar: int | str,
    variance: float | None,
    best: bool,
    as_json: bool,
    csv_out: Path | None,
    force: bool,
) -> None:
    """Tell how a series goes on, by a network trained on it.

    \b
    tinygrad-rnn forecast my_run
    tinygrad-rnn forecast my_run --from 1000 --steps 50 --csv-out told.csv

    RUN is the folder that tinygrad-rnn train has made. Each row is told twice: from the true rows before it, and from
    the network's own outputs since the first. How wrong both are stands beside the value before, the last season, an
    autoregression and the mean, fitted on the training part; where they are no worse, it is said.
    """  # noqa: D301  click keeps the lines below \b apart; of a raw one it would print the letters
    if csv_out is not None:
        refuse_existing(csv_out, force)
    with about(run, NAMES) as opened:
        found = opened.forecast(
            steps,
            start=start,
            data=None if other is None else _table(opened, other),
            season=None if season == "auto" else int(season),
            order=ar,
            variance=variance,
            last=not best,
        )
    if csv_out is not None:
        try:
            write_whole(csv_out, lambda: _rows(found).encode(), overwrite=force)
        except OSError as error:
            fail(csv_out, error)
        click.echo(f"written: {one_line(csv_out)}", err=True)
    if as_json:
        print_whole((json.dumps(_numbers(found), indent=1) + "\n").encode())
    elif repr(found):
        click.echo(repr(found))


def _table(run: Run, path: Path) -> Table:
    """Another table, read by the settings of the run's."""
    try:
        found = table(path, **run.read_with)
    except OSError as error:
        fail(path, error)
    except DataError as error:
        raise click.ClickException(told(error.says, error.ways, option, " ")) from error
    for line in found.understood:
        click.echo(line, err=True)
    return found


def _rows(found: Forecast) -> str:
    """A line for each row: what came, and what each has told of it."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    everyone = (found.network, *found.baselines)
    titles = ["row"]
    for column in found.columns:
        titles.append(column)
        for one in everyone:
            titles += [
                f"{column}, {one.name} ahead",
                *([f"{column}, {one.name} on its own"] if one.free is not None else []),
            ]
    lines.writerow(titles)
    steps = max(len(one.free) if one.free is not None else len(one.ahead) for one in everyone)
    for t in range(steps):
        line: list[Any] = [found.start + t]
        for k in range(len(found.columns)):
            line.append(_at(found.true, t, k))
            for one in everyone:
                line.append(_at(one.ahead, t, k))
                line += [_at(one.free, t, k)] if one.free is not None else []
        lines.writerow(line)
    return out.getvalue()


def _at(values: Any, t: int, k: int) -> str:
    return repr(float(values[t, k])) if t < len(values) else ""


def _numbers(found: Forecast) -> dict[str, Any]:
    """Everything, in the words of JSON: what is not finite is null."""
    said = {
        one.name: {"ahead": one.ahead.tolist(), "free": None if one.free is None else one.free.tolist()}
        for one in (found.network, *found.baselines)
    }
    scores = [
        {field: getattr(one, field) for field in ("name", "column", "how", "nmse", "mase", "rmse")}
        for one in found.scores
    ]
    whole = {
        "start": found.start,
        "horizon": found.horizon,
        "columns": list(found.columns),
        "true": found.true.tolist(),
        "told": said,
        "scores": scores,
        "remarks": list(found.remarks),
    }
    return dict(_finite(whole))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
