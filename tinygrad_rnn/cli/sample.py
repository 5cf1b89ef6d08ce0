"""``tinygrad-rnn sample``: a text that a trained network writes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import click

from ..train.machine import one_thread
from ..train.sampling import Writing
from .files import print_parts
from .progress import followed
from .runs import NumberRange, about

PIECE = 64  # characters that are written at once


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--length", type=click.IntRange(1), default=500, show_default=True, help="How many characters to write.")
@click.option("--prime", default="", help="What the network reads first.  [default: one character, drawn]")
@click.option(
    "--temperature",
    type=NumberRange(0, infinite=True),
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
    with about(run) as opened:
        # Of bytes, each symbol is one, whatever the terminal writes.
        as_bytes = opened.known.get("alphabet") == list(map(chr, range(256)))
        given = prime.encode("utf-8", "surrogateescape").decode("latin-1") if as_bytes else prime
        how: dict[str, Any] = {"prime": given, "temperature": temperature, "rng": seed, "unknown": unknown}
        writing = opened.writing(length, last=not best, **how)
        if writing.skipped:
            click.echo(f"passed over: {', '.join(map(repr, dict.fromkeys(writing.skipped)))}", err=True)
        try:
            pieces = followed(_pieces(writing), len(writing.prime) + length, "characters")
            code, end = ("latin-1", b"") if as_bytes else ("utf-8", b"\n")
            print_parts((piece.encode(code, "replace") for piece in pieces), end)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"stopped after {writing.written:,} of {length:,} characters") from None
    if log_prob:
        click.echo(f"ln p = {writing.log_probability:.4f}, {writing.price:.4f} nats a character", err=True)


def _pieces(writing: Writing) -> Iterator[str]:
    """What the network reads first, and some characters at a time of what it writes."""
    yield writing.prime
    with one_thread():
        while piece := "".join(islice(writing, PIECE)):
            yield piece
