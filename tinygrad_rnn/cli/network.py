"""The network that a command is about: its cell, and what it reads."""

from __future__ import annotations

import csv
import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from ..autodiff import TapeError
from ..unfold import Unfolded, cells, unfold
from .files import fail

CELLS: dict[str, Any] = {
    "guo": cells.Guo,
    "elman": cells.Elman,
    "irnn": cells.IRNN,
    "lstm": cells.LSTM,
    "gru": cells.GRU,
}


class Data(NamedTuple):
    """Inputs x[t, p, i], what should come out d[t, p, k], and a word for each time step of both."""

    x: Any
    d: Any
    captions: dict[str, list[str]]
    kind: str  # "classes" or "numbers"


def reads_network(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which network: ``make``, which it is called with, makes it."""

    @functools.wraps(command)
    def with_network(
        *,
        text: str | None,
        table: Path | None,
        steps: int,
        inputs: int,
        outputs: int,
        cell: str,
        layers: int,
        hidden: int,
        seed: int,
        **others: Any,
    ) -> None:
        if text is not None and table is not None:
            raise click.UsageError("--text and --csv both say what to read: give one of them.")

        def make() -> tuple[Unfolded, dict[str, list[str]]]:
            if text is not None:
                data = _sentence(text)
            elif table is not None:
                data = _table(table)
            else:
                data = _noise(steps, inputs, outputs, seed)
            try:
                return _network(cell, layers, hidden, seed, data), data.captions
            except (ValueError, TapeError) as error:
                raise click.ClickException(str(error)) from error

        command(make=make, **others)

    for option in reversed(OPTIONS):
        with_network = option(with_network)
    return with_network


OPTIONS = [
    click.option("--text", help="Read this sentence, character by character; each should tell the next."),
    click.option(
        "--csv", "table", type=click.Path(path_type=Path), help="Read a table of numbers, a row each time step."
    ),
    click.option("--steps", type=click.IntRange(1), default=3, show_default=True, help="Time steps of random numbers."),
    click.option("--inputs", type=click.IntRange(1), default=2, show_default=True, help="Their inputs."),
    click.option("--outputs", type=click.IntRange(1), default=2, show_default=True, help="Their outputs."),
    click.option("--cell", type=click.Choice(list(CELLS)), default="guo", show_default=True),
    click.option("--layers", type=click.IntRange(1), default=1, show_default=True, help="Cells, one above the other."),
    click.option("--hidden", type=click.IntRange(1), default=3, show_default=True, help="Hidden units of each."),
    click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Where random numbers start."),
]


def _network(cell: str, layers: int, hidden: int, seed: int, data: Data) -> Unfolded:
    g, loss = ("softmax", "cross_entropy") if data.kind == "classes" else ("identity", "squared_error")
    made = [CELLS[cell](g=g) for _ in range(layers)]
    whole = made[0] if layers == 1 else cells.Stacked(*made)
    params = whole.init(data.x.shape[-1], hidden, data.d.shape[-1], rng=seed)
    with np.errstate(all="ignore"):  # a number that is not finite is named by the net
        net = unfold(whole, params, data.x, data.d, loss=loss, finite=True)
        net.backward()
    return net


def _sentence(text: str) -> Data:
    """One-hot rows: the input is a character, the target the next one."""
    if len(text) < 2:
        raise click.ClickException("--text needs two characters at least: each one should tell the next.")
    alphabet = sorted(set(text), key=text.index)
    rows = np.eye(len(alphabet))[[alphabet.index(c) for c in text]][:, None]
    letters = [f"“{c}”" for c in text]
    return Data(rows[:-1], rows[1:], {"x": letters[:-1], "d": letters[1:]}, "classes")


def _table(path: Path) -> Data:
    """Numbers: the input is a row, the target the next one. A first row of words is passed over."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            lines = [(reader.line_num, row) for row in reader if row]
    except OSError as error:
        fail(path, error)
    except (UnicodeDecodeError, csv.Error) as error:
        raise click.ClickException(f"{path} is no CSV in UTF-8: {error}") from error
    if lines and not any(_is_number(cell) for cell in lines[0][1]):
        lines = lines[1:]
    if len(lines) < 2:
        raise click.ClickException(f"{path} needs two rows of numbers at least: each one should tell the next.")
    width = len(lines[0][1])
    for line, row in lines:
        if len(row) != width:
            raise click.ClickException(f"{path}, line {line}: {len(row)} columns, but {width} in the rows before.")
        for column, cell in enumerate(row, start=1):
            if not _is_number(cell):
                raise click.ClickException(
                    f"{path}, line {line}, column {column}: {cell!r} is not a finite number. Columns are parted by "
                    "commas, decimals by points."
                )
    rows = np.array([[float(cell) for cell in row] for _, row in lines])[:, None]
    return Data(rows[:-1], rows[1:], {}, "numbers")


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _noise(steps: int, inputs: int, outputs: int, seed: int) -> Data:
    rng = np.random.default_rng(seed)
    return Data(rng.normal(size=(steps, 1, inputs)), rng.normal(size=(steps, 1, outputs)), {}, "numbers")
