"""The command ``tinygrad-rnn``."""

from __future__ import annotations

import csv
import io
import math
import os
import sys
import textwrap
import warnings
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import click
import numpy as np
from rich.console import Console
from rich.markdown import Markdown
from rich.syntax import Syntax

from . import __version__
from .autodiff import TapeError
from .unfold import Unfolded, cells, unfold
from .view import EngineError, Picture, draw, new_folder
from .view.doctor import report
from .view.exercises import EMPTY, WRONG, Folder, Report, Verdict, folders, hint_level
from .view.files import write_whole
from .view.lessons import Lesson, lessons, plain_math, run
from .view.overlay import NAMES as OVERLAYS
from .view.picture import SUFFIXES
from .view.terminal import Pager, Printer, Quit, printing_with
from .view.views import LEVELS, VIEWS

CELLS: dict[str, Any] = {
    "guo": cells.Guo,
    "elman": cells.Elman,
    "irnn": cells.IRNN,
    "lstm": cells.LSTM,
    "gru": cells.GRU,
}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tinygrad-rnn")
def main() -> None:
    """See every step of backpropagation through time."""
    for stream in (sys.stdout, sys.stderr):
        # A file or a pipe gets UTF-8 wherever we are; an old terminal gets a question mark, not an error.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")


@main.command()
@click.argument("number", type=int, required=False)
def lesson(number: int | None) -> None:
    """Step through lesson NUMBER, or list the lessons.

    In a terminal, Enter and the right arrow go on, the left arrow goes back, s skips a part, q quits.
    When the output goes elsewhere, the lesson runs to its end without waiting.
    """
    known = {found.number: found for found in lessons()}
    if number is None:
        for found in known.values():
            click.echo(f"{found.number:>3}  {found.title}")
        return
    if number not in known:
        raise click.UsageError(f"there is no lesson {number}; there are {', '.join(map(str, known)) or 'none'}.")
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    pager = Pager(click.getchar, click.clear) if interactive else None
    try:
        with printing_with(pager or Printer()):
            _read(known[number], pager)
    except Quit:
        click.echo()
    except (OSError, EngineError) as error:
        raise click.ClickException(f"the lesson could not go on: {error}") from error


def _read(chosen: Lesson, pager: Pager | None) -> None:
    console = Console(width=None if pager else 88, soft_wrap=False)

    def on_text(source: str) -> None:
        console.print()
        console.print(Markdown(plain_math(source)))
        if pager:
            pager.wait()

    def on_code(source: str) -> None:
        console.print()
        console.print(Syntax(source, "python", theme="ansi_dark", background_color="default", word_wrap=True))
        console.print()

    pictures: list[Path] = []

    def on_picture(picture: Picture) -> None:
        try:
            folder = pictures[0].parent if pictures else new_folder(f"lesson-{chosen.number:02}")
            pictures.append(picture.save(folder / f"picture-{len(pictures) + 1}.svg"))
            click.echo(f"the picture: {pictures[-1].as_posix()}")
        except (OSError, EngineError) as error:  # the lesson goes on without it
            click.echo(f"the picture could not be written: {error}")

    run(chosen, on_text, on_code, on_picture)
    for folder in folders():
        if folder.number == chosen.number:
            console.print()
            console.print(Markdown(folder.invitation))


@main.command()
@click.argument("number", type=int, required=False)
@click.option("--start", is_flag=True, help="Put the blank file exercise_NN.py into this folder.")
@click.option("--check", is_flag=True, help="Check exercise_NN.py and name the first thing that is wrong.")
@click.option("--hint", type=click.IntRange(min=1), help="Which hint to give; clearer ones have larger numbers.")
@click.option("--file", type=click.Path(path_type=Path), help="The file to check, if it has another name.")
def exercise(number: int | None, start: bool, check: bool, hint: int | None, file: Path | None) -> None:
    """Say what the exercises of lesson NUMBER ask, start them, or check them."""
    known = {folder.number: folder for folder in folders()}
    if number is None:
        for folder in known.values():
            click.echo(f"{folder.number:>3}  {', '.join(e.name for e in folder.exercises)}")
        return
    if number not in known:
        raise click.UsageError(f"there are no exercises {number}; there are {', '.join(map(str, known)) or 'none'}.")
    folder = known[number]
    path = file or Path(f"exercise_{folder.path.name}.py")
    if start:
        _start(folder, path)
    elif check or hint or file:
        _check(folder, path, hint)
    else:
        for k, asked in enumerate(folder.exercises, start=1):
            click.echo(f"{k:>3}  {asked.name:<22} {asked.asks}")
        click.echo(f"\nStart: tinygrad-rnn exercise {number} --start\nCheck: tinygrad-rnn exercise {number} --check")


def _start(folder: Folder, path: Path) -> None:
    try:
        written = folder.start(Path())
    except FileExistsError:
        raise click.ClickException(f"{path} is there already and stays as it is; rename it to start anew.") from None
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error
    number = folder.number
    click.echo(f"written: {written}\nFill it in with any editor, then: tinygrad-rnn exercise {number} --check")


def _check(folder: Folder, path: Path, hint: int | None) -> None:
    if not path.is_file():
        raise click.ClickException(
            f"there is no file {path} here; tinygrad-rnn exercise {folder.number} --start makes one"
        )
    report = folder.check(path)
    _tell(report, {asked.name: asked.asks for asked in folder.exercises})
    first = report.first
    if first is None:
        click.echo("\nAll right.")
        return
    if first.status == WRONG or (first.status == EMPTY and hint):
        memory = path.with_name(f".{path.stem}.hints")
        level = min(hint, len(first.hints)) if hint else hint_level(memory, first)
        says = f"Hint {level} of {len(first.hints)}: {first.hints[level - 1]}"
        click.echo("\n" + textwrap.fill(says, 84, initial_indent="   ", subsequent_indent="   "))
        if level < len(first.hints):
            click.echo(f"   A clearer one: check again, or add --hint {level + 1}")
    raise SystemExit(1)


def _tell(report: Report, asks: dict[str, str]) -> None:
    width = max(len(verdict.name) for verdict in report.verdicts)
    for k, verdict in enumerate(report.verdicts, start=1):
        status = f"{verdict.status}   {asks[verdict.name]}" if verdict.status == EMPTY else verdict.status
        click.echo(f"{k:>3}  {verdict.name:<{width}}  {status}")
    first = report.first
    if first and first.says:
        click.echo()
        for part in (f"{first.name}: {_where(first)}".removesuffix(": "), f"{first.says}."):
            click.echo(textwrap.fill(part, 84, initial_indent="   ", subsequent_indent="   "))
    if report.printed:
        click.echo("\n   Your file printed:")
        for line in report.printed.splitlines()[:20]:
            click.echo(f"   | {line}")


def _where(verdict: Verdict) -> str:
    """The equation, the time step and the term that are wrong, as far as they are known."""
    parts = [
        f"equation {verdict.equation}" if verdict.equation.startswith("(") else verdict.equation,
        f"t = {verdict.t}" if verdict.t is not None else "",
        verdict.term,
    ]
    return ", ".join(part for part in parts if part)


# ---- draw


class Data(NamedTuple):
    """Inputs x[t, p, i], what should come out d[t, p, k], and a word for each time step of both."""

    x: Any
    d: Any
    captions: dict[str, list[str]]
    kind: str  # "classes" or "numbers"


@main.command("draw")
@click.option("--text", help="Read this sentence, character by character; each should tell the next.")
@click.option("--csv", "table", type=click.Path(path_type=Path), help="Read a table of numbers, a row each time step.")
@click.option("--steps", type=click.IntRange(1), default=3, show_default=True, help="Time steps of random numbers.")
@click.option("--inputs", type=click.IntRange(1), default=2, show_default=True, help="Their inputs.")
@click.option("--outputs", type=click.IntRange(1), default=2, show_default=True, help="Their outputs.")
@click.option("--cell", type=click.Choice(list(CELLS)), default="guo", show_default=True)
@click.option("--layers", type=click.IntRange(1), default=1, show_default=True, help="Cells, one above the other.")
@click.option("--hidden", type=click.IntRange(1), default=3, show_default=True, help="Hidden units of each.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Where random numbers start.")
@click.option("--view", type=click.Choice(VIEWS), default=VIEWS[0], show_default=True)
@click.option(
    "--overlay",
    type=click.Choice([o or "none" for o in OVERLAYS]),
    default="both",
    show_default=True,
    help="What stands in the boxes.",
)
@click.option("--level", type=click.Choice(LEVELS), default=LEVELS[0], show_default=True, help="What gets a box.")
@click.option("--of", "of", type=click.IntRange(1), help="The time step that a staircase or a path is of.")
@click.option("--window", help="How many first and last steps to draw, such as 3,3, or all.")
@click.option(
    "-o", "--output", default="-", help="The file; its suffix says how. - is the standard output.  [default: -]"
)
@click.option(
    "--format", "form", type=click.Choice([s[1:] for s in SUFFIXES]), help="How to write it, whatever the suffix."
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def draw_command(
    text: str | None,
    table: Path | None,
    steps: int,
    inputs: int,
    outputs: int,
    cell: str,
    layers: int,
    hidden: int,
    seed: int,
    view: str,
    overlay: str,
    level: str,
    of: int | None,
    window: str | None,
    output: str,
    form: str | None,
    force: bool,
) -> None:
    r"""Draw a network, unfolded in time, with its numbers and its gradients.

    \b
    tinygrad-rnn draw --text "we see" -o sentence.svg
    tinygrad-rnn draw --csv data.csv --cell gru --layers 2 -o table.pdf
    tinygrad-rnn draw --cell lstm --steps 4 -o - --format dot | less
    """
    if text is not None and table is not None:
        raise click.UsageError("--text and --csv both say what to read: give one of them.")
    if output == "-" and sys.stdout.isatty() and form not in ("svg", "dot", "mmd", "json"):
        raise click.ClickException("name a file with -o, such as -o network.svg, or pipe the output on.")
    suffix = f".{form}" if form else ".svg" if output == "-" else Path(output).suffix
    if suffix not in SUFFIXES:
        raise click.ClickException(f"{output}: the suffix says how to write it; choose one of {', '.join(SUFFIXES)}.")
    if output != "-":
        _refuse_existing(Path(output), force)
    if text is not None:
        data = _sentence(text)
    elif table is not None:
        data = _table(table)
    else:
        data = _noise(steps, inputs, outputs, seed)
    try:
        net = _network(cell, layers, hidden, seed, data)
        with warnings.catch_warnings(record=True) as notes:
            picture = draw(
                net,
                view=view,
                overlay=None if overlay == "none" else overlay,
                level=level,
                of=of,
                window=_window(window),
                captions=data.captions,
            )
            content = picture.to_bytes(suffix)
    except (ValueError, EngineError, TapeError) as error:
        raise click.ClickException(str(error)) from error
    for note in notes:
        click.echo(f"Note: {note.message}", err=True)
    if output == "-":
        _print(content)
        return
    try:
        write_whole(Path(output), content)
    except OSError as error:
        _fail(output, error)
    click.echo(f"written: {output}")


def _window(text: str | None) -> Any:
    """3,3 as a pair, 3 as a number; anything else is for `draw` to judge."""
    numbers = tuple(int(part) if part.isdecimal() else part for part in (text or "").split(","))
    return text if text in (None, "all") else numbers if len(numbers) > 1 else numbers[0]


def _refuse_existing(path: Path, force: bool) -> None:
    try:
        folder, there = path.is_dir(), path.is_file()
    except OSError as error:
        _fail(path, error)
    if folder:
        raise click.ClickException(f"{path} is a folder: name a file in it.")
    if there and not force:
        raise click.ClickException(f"{path} exists already: choose another name, or pass --force.")


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
        _fail(path, error)
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


def _print(content: bytes) -> None:
    """Write to the standard output, all or with an error, even if its reader has gone."""
    out = sys.stdout.buffer
    try:
        rest = memoryview(content)
        while rest:  # where Python does not buffer (PYTHONUNBUFFERED), a write may take a part
            rest = rest[out.write(rest) :]
        out.flush()
    except OSError as error:
        # What is left in the buffer would be tried again, and fail again, when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
        if isinstance(error, BrokenPipeError):
            raise click.ClickException("the reader of the output has gone before its end.") from error
        _fail("the standard output", error)


def _fail(what: object, error: OSError) -> NoReturn:
    raise click.ClickException(f"{what}: {error.strerror or error}") from error


# ---- doctor


@main.command()
def doctor() -> None:
    """Say what is installed, what is missing, and how to get it."""
    lines, fine = report()
    for line in lines:
        click.echo(line)
    if not fine:
        raise SystemExit(1)
