"""``tinygrad-rnn convert``: a cell and its parameters from one file to another."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import numpy as np

from ..exchange.described import checked
from ..exchange.weights import NAMES, Loaded, form_of_file, read, save, what_is_lost
from ..unfold import cells
from ..view.text import one_line
from .files import fail, refuse_existing
from .network import CELLS

FORMS = {"": "tinygrad_rnn"}


@click.command()
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--cell", type=click.Choice(list(CELLS)), help="What the first file does not say: which cell,")
@click.option("--f", "f", help="the activation of its units, such as tanh or relu,")
@click.option("--g", "g", help="the activation of its head, such as softmax or identity,")
@click.option("--reset", type=click.Choice(["after", "before"]), help="and where its GRU resets.")
@click.option(
    "--only", metavar="NAMES", help="Which modules of it are meant, layers from the input upwards: rnn,linear"
)
@click.option(
    "--names", type=click.Choice(list(NAMES)), default="tinygrad_rnn", show_default=True, help="Names to write."
)
@click.option("--dtype", type=click.Choice(["float32", "float64"]), help="Numbers to write.  [default: as they are]")
@click.option("--force", "--overwrite", "force", is_flag=True, help="Replace the second file if it is there.")
def convert(
    source: Path,
    target: Path,
    cell: str | None,
    f: str | None,
    g: str | None,
    reset: str | None,
    only: str | None,
    names: str,
    dtype: str | None,
    force: bool,
) -> None:
    """Convert a recurrent network from one FILE to another.

    \b
    tinygrad-rnn convert model.pt model.safetensors
    tinygrad-rnn convert model.keras model.onnx --dtype float32
    tinygrad-rnn convert model.safetensors model.pt

    The suffixes say how the files are written: .safetensors and .npz of tinygrad_rnn, or with the names of PyTorch or
    Flax; .pt, a state_dict of PyTorch; .keras and .weights.h5 of Keras 3; .onnx.

    What a file does not say is asked for, what has no place in one is refused or said.
    """  # noqa: D301  click keeps the lines below \b apart; of a raw one it would print the letters
    refuse_existing(target, force)
    try:
        form_of_file(target, names)
        hint = _hinted(cell, {"f": f, "g": g, "reset": reset})
        found = read(source, hint, None if only is None else only.split(","))
        params = found.params if dtype is None else {n: w.astype(dtype) for n, w in found.params.items()}
        click.echo(f"read: {_summary(found)}")
        for note in [*found.notes, *_rounded(found, dtype), *what_is_lost(target, found.cell, params, names)]:
            click.echo(f"Note: {one_line(note)}", err=True)
        try:
            save(target, found.cell, params, names=names, overwrite=force)
        except OSError as error:
            fail(target, error)
    except OSError as error:
        fail(source, error)
    except (ValueError, TypeError, ImportError) as error:
        raise click.ClickException(one_line(error)) from error
    click.echo(f"written: {one_line(target)}")


def _hinted(called: str | None, settings: dict[str, str | None]) -> Any:
    """The cell that says what a file does not."""
    given = {name: value for name, value in settings.items() if value is not None}
    if called is None:
        if given:
            raise click.UsageError(f"--{next(iter(given))}: say with --cell of which cell.")
        return None
    kind = CELLS[called]
    takes = {each.name for each in fields(kind) if each.init}
    if wrong := sorted(given.keys() - takes):
        raise click.UsageError(f"--{wrong[0]}: a cell {called} has none to choose.")
    return kind(**{"g": "identity", **given})


def _rounded(found: Loaded, dtype: str | None) -> list[str]:
    if dtype is None or all(np.array_equal(w.astype(dtype), w) for w in found.params.values()):
        return []
    return [f"the numbers are rounded to {dtype}"]


def _summary(found: Loaded) -> str:
    """What was understood, in one line."""
    params, sizes = checked(found.cell, found.params)
    layers = found.cell.cells if isinstance(found.cell, cells.Stacked) else [found.cell]
    head = "o" in sizes
    units = [n for letter, n in sizes.items() if letter.startswith("m")]
    said = [
        f"{len(layers)} layer{'s' * (len(layers) > 1)}",
        f"l = {sizes['l']}",
        f"m = {', '.join(map(str, dict.fromkeys(units) if len(set(units)) == 1 else units))}",
        f"o = {sizes['o']}" if head else "no head",
        next(iter(params.values())).dtype.name,
    ]
    return f"{found.cell!r}, {', '.join(said)}, in the form of {FORMS.get(found.form, found.form)}"
