"""The network that a command is about: its cell, and what it reads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, NamedTuple

import click
import numpy as np

from ..autodiff import TapeError
from ..data import Table
from ..unfold import Unfolded, cells, unfold
from .reading import Reading, reads_data

CELLS: dict[str, Any] = cells.BY_NAME


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
        data: Reading,
        steps: int,
        inputs: int,
        outputs: int,
        cell: str,
        layers: int,
        hidden: int,
        seed: int,
        **others: Any,
    ) -> None:
        if text is not None and (data.csv or data.text_file):
            file = "--csv" if data.csv else "--text-file"
            raise click.UsageError(f"--text and {file} both say what to read: give one of them.")

        def make() -> tuple[Unfolded, dict[str, list[str]]]:
            refuse = partial(refuse_too_large, layers, hidden)
            if text is not None:
                given = _sentence(text, refuse)
            elif found := data.read(lambda rows, _: refuse(rows - 1, 1, 1)):
                given = _rows(found, refuse) if isinstance(found, Table) else _sentence(found.text, refuse)
            else:
                refuse(steps, inputs, outputs)
                given = _noise(steps, inputs, outputs, seed)
            try:
                return _network(cell, layers, hidden, seed, given), given.captions
            except (ValueError, TapeError) as error:
                raise click.ClickException(str(error)) from error

        command(make=make, **others)

    for option in reversed(OPTIONS):
        with_network = option(with_network)
    return reads_data(with_network)


# Measured: an LSTM's step, which is the largest, takes some 12 KB and 270 bytes a unit, most of it on the tape.
PER_LAYER, PER_UNIT = 12_000, 270
MOST = 10**9  # bytes: what any machine can spare, and half a minute's work

Refuse = Callable[[int, int, int], None]  # given time steps, inputs and outputs: ends the command if they are too many

OPTIONS = [
    click.option("--text", help="Read this sentence, character by character; each should tell the next."),
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


def refuse_too_large(layers: int, hidden: int, steps: int, inputs: int, outputs: int) -> None:
    """End the command if all numbers of all steps have no room."""
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
        net = unfold(whole, params, data.x, data.d, loss=loss, finite=True, batch_first=False)
        net.backward()
    return net


def _sentence(text: str, refuse: Refuse) -> Data:
    """One-hot rows: the input is a character, the target the next one."""
    if len(text) < 2:
        raise click.ClickException("a text needs two characters at least: each one should tell the next.")
    alphabet = list(dict.fromkeys(text))
    refuse(len(text) - 1, len(alphabet), len(alphabet))
    rows = np.eye(len(alphabet))[[alphabet.index(c) for c in text]][:, None]
    letters = [f"“{c}”" for c in text]
    return Data(rows[:-1], rows[1:], {"x": letters[:-1], "d": letters[1:]}, "classes")


def _rows(table: Table, refuse: Refuse) -> Data:
    """Numbers: the input is a row, what is told the next one."""
    if len(table.values) < 2:
        raise click.ClickException("a table needs two rows of numbers at least: each one should tell the next.")
    refuse(len(table.values) - 1, len(table.columns), len(table.target))
    return Data(table.values[:-1, None], table.targets[1:, None], {}, "numbers")


def _noise(steps: int, inputs: int, outputs: int, seed: int) -> Data:
    rng = np.random.default_rng(seed)
    return Data(rng.normal(size=(steps, 1, inputs)), rng.normal(size=(steps, 1, outputs)), {}, "numbers")
