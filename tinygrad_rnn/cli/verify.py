"""``tinygrad-rnn verify``: numbers of your own against the network's."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import numpy as np

from ..autodiff import TapeError
from ..data import DataError, table
from ..data.refusal import shown
from ..through_time import Diagnosis, diagnose
from ..unfold import Unfolded, unfold
from ..view.text import one_line, says
from .arrays import MOST, Array, arrays
from .network import CELLS, refuse_too_large

KINDS = ("values", "deltas", "copies", "grads")  # what follows stands behind what it follows from
CHECKED = [f"{kind}.NAME" for kind in KINDS]
WORDS = ("cell", "f", "g", "loss", "reduction")
DATA = ("x", "d", "s0", "c0", "mask")


class Unreadable(click.ClickException):
    """A file that nothing can be said about."""

    exit_code = 2


@contextlib.contextmanager
def _about(path: Path) -> Iterator[None]:
    """What is wrong with a file, in one line that names it."""
    try:
        yield
    except click.ClickException as error:
        raise Unreadable(f"{one_line(path)}: {error.message}") from error
    except OSError as error:
        raise Unreadable(says(error, path)) from error
    except DataError as error:
        raise Unreadable(one_line(error.says)) from error  # it begins with the file
    except (ValueError, KeyError, TapeError, TypeError, MemoryError, ArithmeticError) as error:
        wrong = error.args[0] if error.args else type(error).__name__  # a KeyError's own text has quotation marks
        raise Unreadable(f"{one_line(path)}: {one_line(wrong)}") from error


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--weights", "rest", type=click.Path(path_type=Path), help="An .npz or JSON file with what FILE has not.")
@click.option(
    "--as", "named", metavar="NAME", help="What the rows of a CSV file are, such as copies.U.  [default: its name]"
)
@click.option("--digits", type=click.IntRange(1, 17), help="How many significant digits the numbers are rounded to.")
def verify(file: Path, rest: Path | None, named: str | None, digits: int | None) -> None:
    """Check numbers of your own, and name the mistake that gives them.

    \b
    tinygrad-rnn verify mine.npz
    tinygrad-rnn verify mine.json --digits 4
    tinygrad-rnn verify copies.U.csv --weights rest.npz

    FILE, written by numpy.savez or as a JSON object, holds by name

    \b
    x (T, B, l), d (T, B, o)   inputs and targets: time, sample, unit
    V, U, b_j, W, b_k          the weights, as the cell calls them
    s0 (B, m)                  the first state, if it is not the cell's own;
                               c0 beside it, of an lstm
    mask (T, B)                1 where a sample has the step, if not everywhere
    cell, f, g                 words: guo, elman, irnn, lstm or gru; activations
    loss, reduction            words: cross_entropy or squared_error; sum or mean

    and, one or several of them, what is to be checked

    \b
    values.s (T, B, m)         what the forward pass has found, by node
    deltas.net_j (T, B, m)     errors, -dC / d net
    copies.U (T, ...)          what each time step gives to the gradient
    grads.U                    the gradient

    A CSV file holds one of these, a row for each time step, the entries row by row. What follows from a wrong value
    is not held against you a second time: it is compared with what follows.

    The exit code is 0 if all is right, 1 if something is wrong, and 2 if a file cannot be read.
    """  # noqa: D301  click keeps the lines below \b apart; of a raw one it would print the letters
    table_given = file.suffix.lower() == ".csv"
    if table_given and rest is None:
        raise click.UsageError("a CSV file holds one array: name the file with all others by --weights.")
    if named is not None and not table_given:
        raise click.UsageError(f"--as says what a CSV file holds, and {one_line(file)} is none.")
    source = rest if rest is not None and table_given else file
    with _about(source):
        have = arrays(source)
    if rest is not None and not table_given:
        with _about(rest):
            _add(have, arrays(rest))
    with _about(source):
        given = _given(have)
        if not (given or table_given):
            raise ValueError(f"there is nothing to check: an array is named {', '.join(CHECKED)}")
        net, judge = _net(have)
    with _about(file):
        if table_given:
            name = named or (file.stem if "." in file.stem else f"copies.{file.stem}")
            kind, what = _kind(name)
            read: dict[str, Array | str] = {name: _rows(file, net, kind, what)}
            _add(have, read)
            given = _given(have)
        found = _judged(net, given, digits)
    click.echo(judge, err=True)
    for said, diagnosis in found:
        click.echo(f"{said}: {diagnosis}")
    if not all(diagnosis.right for _, diagnosis in found):
        raise SystemExit(1)


def _add(have: dict[str, Array | str], more: dict[str, Array | str]) -> None:
    if twice := sorted(have.keys() & more.keys()):
        raise ValueError(f"{shown(twice[0])} stands in the other file too")
    have |= more


def _judged(net: Unfolded, given: dict[str, dict[str, Array]], digits: int | None) -> list[tuple[str, Diagnosis]]:
    """What is found out, kind by kind, with what each is called."""
    found: list[tuple[str, Diagnosis]] = []
    gone_on_with: dict[str, Array] | None = None
    for kind in (kind for kind in KINDS if kind in given):
        how: dict[str, Any] = {kind: given[kind]}
        diagnosis = diagnose(net, **how, with_values=gone_on_with, digits=digits)
        after = ", by your own values" if gone_on_with else ""
        found.append((f"{kind} of {', '.join(given[kind])}{after}", diagnosis))
        if kind == "values" and not diagnosis.right:
            gone_on_with = given[kind]
    return found


def _kind(name: str) -> tuple[str, str]:
    kind, _, what = name.partition(".")
    if kind not in KINDS or not what:
        raise ValueError(f"{shown(name)} is none of {', '.join(CHECKED)}")
    return kind, what


def _given(have: dict[str, Array | str]) -> dict[str, dict[str, Array]]:
    """What is to be checked, by kind and name."""
    found: dict[str, dict[str, Array]] = {}
    for name, array in have.items():
        if isinstance(array, str):
            if name not in WORDS:
                raise ValueError(f"{shown(name)} is a word, and must be an array")
            continue
        if name in WORDS:
            raise ValueError(f"{shown(name)} is an array, and must be a word")
        padding = name in ("x", "d") and "mask" in have  # what stands there is not looked at
        if not padding and not np.isfinite(array).all():
            at = ", ".join(str(k + 1) for k in np.argwhere(~np.isfinite(array))[0])
            raise ValueError(f"{shown(name)}[{at}] is not finite")
        if "." in name:
            kind, what = _kind(name)
            found.setdefault(kind, {})[what] = array
    return found


def _net(have: dict[str, Array | str]) -> tuple[Unfolded, str]:
    """The network of a file, and what there is to be said of it."""
    words = {name: str(have[name]) for name in WORDS if name in have}
    called = words.get("cell", "guo")
    if called not in CELLS:
        raise ValueError(f"cell is {shown(called)}: it is one of {', '.join(CELLS)}")
    takes = {each.name for each in fields(CELLS[called]) if each.init}
    for name in ("f", "g"):
        if name in words and name not in takes:
            raise ValueError(f"{name} is given, and {called} has none to choose")
    cell = CELLS[called](**{name: words[name] for name in ("f", "g") if name in words})
    data: dict[str, Any] = {name: have.get(name) for name in DATA}
    params: dict[str, Any] = {n: a for n, a in have.items() if n not in (*DATA, *WORDS) and "." not in n}
    for name in ("x", "d"):
        if data[name] is None:
            raise KeyError(f"there is no {name}")
        if data[name].ndim != 3:
            raise ValueError(f"{name} has the shape {data[name].shape}, and must have three axes: time, sample, unit")
    T, B, l = data["x"].shape
    m = max([w.shape[-1] for w in params.values() if w.ndim == 2], default=1)
    refuse_too_large(1, B * m, T, B * l, math.prod(data["d"].shape[1:]))
    s0, c0 = data["s0"], data["c0"]
    if c0 is not None:
        if called != "lstm":
            raise ValueError(f"c0 is given, and {called} has no second state")
        s0 = (s0, c0) if s0 is not None else None
    if called == "lstm" and (data["s0"] is None) != (c0 is None):
        raise ValueError("an lstm's state is s0 and c0: give both or none")
    loss = words.get("loss", "cross_entropy" if cell.g == "softmax" else "squared_error")
    reduction = words.get("reduction", "sum")
    how: dict[str, Any] = {"s0": s0, "mask": data["mask"], "loss": loss, "reduction": reduction}
    with np.errstate(all="ignore"):  # a number that is not finite is named by the net
        net = unfold(cell, params, data["x"], data["d"], **how, finite=True, batch_first=False)
        net.backward()
    read = {node.name for node in net.tape.nodes if node.t}
    if unread := [name for name in params if name not in read]:
        raise ValueError(
            f"{shown(unread[0])} is no weight of {called}, which reads {', '.join(n for n in params if n in read)}"
        )
    return net, f"compared with {cell!r}, loss {loss}, reduction {reduction}, T = {T}, B = {B}"


def _rows(path: Path, net: Unfolded, kind: str, what: str) -> Array:
    """A CSV file as the array that it holds: a row for each time step, or of a gradient the rows that it has."""
    shape: tuple[int, ...] = (net.inputs[0].shape[0], -1)
    if kind in ("copies", "grads"):
        if what not in net.weights:
            raise KeyError(f"there is no weight {shown(what)}; there are {', '.join(net.weights)}")
        shape = net.weights[what].shape
    wanted = shape[0] if kind == "grads" and len(shape) > 1 else 1 if kind == "grads" else net.T

    def refuse(rows: int, columns: int) -> None:
        if rows * columns * 8 > MOST:
            raise ValueError(f"more than {rows:,} rows of {columns:,} numbers have no room here")

    try:
        rows = table(path, header="no", watch=refuse).values
    except DataError:
        rows = None
    if rows is None or len(rows) == wanted + 1:  # numbers may be names of columns, too: the count of rows decides
        rows = table(path, header="yes", watch=refuse).values
    if len(rows) != wanted:
        of = f"{what} has so many" if kind == "grads" else "one for each time step"
        raise ValueError(f"there are {len(rows):,} rows, and must be {wanted:,}: {of}")
    whole = shape if kind == "grads" else (net.T, *shape)
    try:
        return np.asarray(rows.reshape(whole))
    except ValueError:
        raise ValueError(f"a row has {rows.shape[1]:,} numbers, and {what} is {shape}") from None
