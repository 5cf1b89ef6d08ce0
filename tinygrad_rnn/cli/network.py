"""The network that a command is about: its cell, and what it reads."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from functools import partial, wraps
from pathlib import Path
from typing import Any, NamedTuple, TextIO

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

    @wraps(command)
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
            refuse = partial(_refuse_too_large, layers, hidden)
            if text is not None:
                data = _sentence(text, refuse)
            elif table is not None:
                data = _table(table, refuse)
            else:
                refuse(steps, inputs, outputs)
                data = _noise(steps, inputs, outputs, seed)
            try:
                return _network(cell, layers, hidden, seed, data), data.captions
            except (ValueError, TapeError) as error:
                raise click.ClickException(str(error)) from error

        command(make=make, **others)

    for option in reversed(OPTIONS):
        with_network = option(with_network)
    return with_network


# Measured: an LSTM's step, which is the largest, takes some 12 KB and 270 bytes a unit, most of it on the tape.
PER_LAYER, PER_UNIT = 12_000, 270
MOST = 10**9  # bytes: what any machine can spare, and half a minute's work
LONGEST = 10**6  # characters in a line of a table

Refuse = Callable[[int, int, int], None]  # given time steps, inputs and outputs: ends the command if they are too many

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


def memory(layers: int, hidden: int, steps: int, inputs: int, outputs: int) -> int:
    """How many bytes a network takes at most: all numbers of all its steps are kept."""
    # The weights of an LSTM: no cell has more.
    weights = 4 * hidden * (inputs + hidden + 2 * hidden * (layers - 1)) + hidden * outputs
    of_step = layers * (PER_LAYER + PER_UNIT * hidden) + 8 * (2 * inputs + 8 * outputs)
    return 3 * 8 * weights + steps * of_step  # weights, their gradients, and those of a copy


def _refuse_too_large(layers: int, hidden: int, steps: int, inputs: int, outputs: int) -> None:
    need = memory(layers, hidden, steps, inputs, outputs)
    if need > MOST:
        raise click.ClickException(
            f"time steps: {steps:,}, layers: {layers:,}, hidden units: {hidden:,}, inputs: {inputs:,}, outputs: "
            f"{outputs:,}. All numbers of all steps are kept, here up to {need / 1e9:,.1f} GB, and at most "
            f"{MOST / 1e9:.0f} GB is taken. Ask for less; long sequences are trained on in Python, with "
            "tinygrad_rnn.checkpointed."
        )


def _network(cell: str, layers: int, hidden: int, seed: int, data: Data) -> Unfolded:
    g, loss = ("softmax", "cross_entropy") if data.kind == "classes" else ("identity", "squared_error")
    made = [CELLS[cell](g=g) for _ in range(layers)]
    whole = made[0] if layers == 1 else cells.Stacked(*made)
    params = whole.init(data.x.shape[-1], hidden, data.d.shape[-1], rng=seed)
    with np.errstate(all="ignore"):  # a number that is not finite is named by the net
        net = unfold(whole, params, data.x, data.d, loss=loss, finite=True)
        net.backward()
    return net


def _sentence(text: str, refuse: Refuse) -> Data:
    """One-hot rows: the input is a character, the target the next one."""
    if len(text) < 2:
        raise click.ClickException("--text needs two characters at least: each one should tell the next.")
    alphabet = list(dict.fromkeys(text))
    refuse(len(text) - 1, len(alphabet), len(alphabet))
    rows = np.eye(len(alphabet))[[alphabet.index(c) for c in text]][:, None]
    letters = [f"“{c}”" for c in text]
    return Data(rows[:-1], rows[1:], {"x": letters[:-1], "d": letters[1:]}, "classes")


def _table(path: Path, refuse: Refuse) -> Data:
    """Numbers: the input is a row, the target the next one. A first row of words is passed over."""
    lines: list[tuple[int, list[str]]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(_lines(path, file), strict=True)
            for row in filter(None, reader):
                lines.append((reader.line_num, row))
                refuse(len(lines) - 1, len(row), len(row))
    except OSError as error:
        fail(path, error)
    except (UnicodeDecodeError, csv.Error) as error:
        raise click.ClickException(f"{path} is no CSV in UTF-8: {error}") from error
    for line, row in lines:
        other = _parted_by(row)
        if other:
            raise click.ClickException(
                f"{path}, line {line}: the columns are parted by {other}; part them by commas, decimals by points."
            )
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
                    f"{path}, line {line}, column {column}: {cell!r} is not a finite number. Leave out columns of "
                    "dates and words, and rows with gaps; columns are parted by commas, decimals by points."
                )
    rows = np.array([[float(cell) for cell in row] for _, row in lines])[:, None]
    return Data(rows[:-1], rows[1:], {}, "numbers")


def _lines(path: Path, file: TextIO) -> Iterator[str]:
    """The lines of a file; what never ends a line, such as /dev/zero, would fill the memory."""
    while line := file.readline(LONGEST):
        if len(line) == LONGEST:
            raise click.ClickException(f"{path} is no table: it has a line of more than {LONGEST:,} characters.")
        yield line


def _parted_by(row: list[str]) -> str:
    """What stands between the numbers of a row instead of commas; empty if it is numbers, or something else."""
    if all(map(_is_number, row)):
        return ""
    for sign, name in ((";", "semicolons"), ("|", "bars"), (None, "spaces or tabs")):
        parts = [part for part in ",".join(row).split(sign) if part]
        if len(parts) > 1 and all(_is_number(part.replace(",", ".")) for part in parts):
            return name
    return ""


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _noise(steps: int, inputs: int, outputs: int, seed: int) -> Data:
    rng = np.random.default_rng(seed)
    return Data(rng.normal(size=(steps, 1, inputs)), rng.normal(size=(steps, 1, outputs)), {}, "numbers")
