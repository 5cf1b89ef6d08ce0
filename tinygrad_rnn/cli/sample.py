"""``tinygrad-rnn sample``: a text that a trained network writes."""

from __future__ import annotations

from pathlib import Path

import click

from .files import print_whole
from .runs import about


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--length", type=click.IntRange(1), default=500, show_default=True, help="How many characters to write.")
@click.option("--prime", default="", help="What the network reads first.  [default: one character, drawn]")
@click.option(
    "--temperature",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    help="0 takes the likeliest character each time; the larger, the more alike all are; inf draws them equally.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Where random numbers start.")
@click.option(
    "--unknown",
    type=click.Choice(["refuse", "skip"]),
    default="refuse",
    show_default=True,
    help="What to do with characters of --prime that the network does not know.",
)
@click.option("--best/--last", default=True, help="The weights that were best when validated, or the last.")
@click.option("--log-prob", is_flag=True, help="Say how likely the network finds what it has written.")
def sample(
    run: Path, length: int, prime: str, temperature: float, seed: int, unknown: str, best: bool, log_prob: bool
) -> None:
    """Let a network write that was trained on a text.

    \b
    tinygrad-rnn sample my_run --prime "We the " --length 200
    tinygrad-rnn sample my_run --temperature 0.5 --log-prob > text.txt

    RUN is the folder that tinygrad-rnn train has made. The text goes to the standard output, all else to the other.
    """  # noqa: D301  click keeps the lines below \b apart; of a raw one it would print the letters
    with about(run, {"temperature": "--temperature"}) as opened:
        # Of bytes, each symbol is one, whatever the terminal writes.
        as_bytes = opened.known.get("alphabet") == list(map(chr, range(256)))
        given = prime.encode("utf-8", "surrogateescape").decode("latin-1") if as_bytes else prime
        found = opened.sample(length, prime=given, temperature=temperature, rng=seed, unknown=unknown, last=not best)
    if found.skipped:
        click.echo(f"passed over: {', '.join(map(repr, dict.fromkeys(found.skipped)))}", err=True)
    text = str(found)
    print_whole(text.encode("latin-1") if as_bytes else (text + "\n").encode("utf-8", "replace"))
    if log_prob:
        click.echo(f"ln p = {found.log_probability:.4f}, {found.price:.4f} nats a character", err=True)
