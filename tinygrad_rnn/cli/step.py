"""``tinygrad-rnn step``: through a network step by step, in the terminal or as a page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
from click.core import ParameterSource

from ..unfold import Unfolded
from ..view import EngineError, Trace, player, trace
from ..view.terminal import Keyboard
from ..view.text import clean, one_line
from ..view.walk import listing, walk, without_unicode
from .files import fail, refuse_existing
from .network import reads_network
from .screen import Screen


@click.command("step")
@reads_network
@click.option("--of", "of", type=click.IntRange(1), help="Start the error from the cost of this time step alone.")
@click.option("--trace", "kept", type=click.Path(path_type=Path), help="Show the steps that are kept in this file.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write a page (.html) or a trace (.json) instead."
)
@click.option("--predict", is_flag=True, help="Be asked for a number before it is shown.")
@click.option("--ascii", "plain", is_flag=True, help="No other characters than ASCII.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def step(
    make: Callable[[], tuple[Unfolded, dict[str, list[str]]]],
    of: int | None,
    kept: Path | None,
    output: Path | None,
    predict: bool,
    plain: bool,
    force: bool,
) -> None:
    """Step through a network, forwards and backwards.

    \b
    tinygrad-rnn step --text "we see"
    tinygrad-rnn step --cell lstm --steps 3 -o steps.html

    In a terminal, the arrows go on and back, g goes to a step, u until something happens, w shows another
    weight's ledger, ? all keys, q quits. When the output goes elsewhere, all steps are printed.
    """  # noqa: D301  click keeps the lines below \b apart; of a raw one it would print the letters
    if kept is not None:
        _refuse_beside_a_trace()
    if output is not None:
        if output.suffix not in (".html", ".json"):
            raise click.ClickException(f"{one_line(output)}: the suffix says how to write it; choose .html or .json.")
        refuse_existing(output, force)
    shown = _kept(kept) if kept else _made(make, of)
    if output is not None:
        _write(shown, output, predict, force)
        return
    screen = Screen()
    if screen.here:
        plain = plain or screen.plain
        keyboard = Keyboard(screen.key, screen.over)

        def show(text: str) -> None:
            screen.show(without_unicode(text) if plain else clean(text))

        with screen.unechoed():
            walk(shown, keyboard.key, show, keyboard.line, predict, screen.size)
        click.echo()
        return
    for text in listing(shown):
        click.echo(without_unicode(text) if plain else text)


def _refuse_beside_a_trace() -> None:
    context = click.get_current_context()
    asked = [
        p for p in context.command.params if context.get_parameter_source(str(p.name)) is ParameterSource.COMMANDLINE
    ]
    of_network = [p.opts[0] for p in asked if p.name not in ("kept", "output", "predict", "plain", "force")]
    if of_network:
        raise click.UsageError(f"{', '.join(of_network)} and --trace: what a trace shows is said when it is made.")


def _made(make: Callable[[], tuple[Unfolded, dict[str, list[str]]]], of: int | None) -> Trace:
    net, _ = make()
    if of is not None and of > net.T:
        raise click.ClickException(f"--of {of}: the network has {net.T} time steps.")
    try:
        return trace(net, of)
    except EngineError as error:
        raise click.ClickException(str(error)) from error


def _kept(path: Path) -> Trace:
    try:
        return Trace.load(path)
    except OSError as error:
        fail(path, error)
    except ValueError as error:
        raise click.ClickException(f"{one_line(path)}: {error}") from error


def _write(shown: Trace, output: Path, predict: bool, force: bool) -> None:
    try:
        if output.suffix == ".json":
            shown.save(output, overwrite=force)
        else:
            player(shown, predict=predict).save(output, overwrite=force)
    except OSError as error:
        fail(output, error)
    click.echo(f"written: {one_line(output)}")
