"""A terminal: what is written to it, which keys are pressed, and a step as text."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, TypeVar, cast

from ..autodiff.asked import asked
from ..autodiff.calling import shortened
from ..unfold import Step
from .text import clean
from .trace import Moment
from .tracing import moment

T = TypeVar("T")
WIDTH = 78
NEXT, BACK, QUIT = "next", "back", "quit"
# What turns pages everywhere; arrows as they come from a terminal in its two modes, and from a Windows console.
TURNS = {
    **dict.fromkeys(["\r", "\n", " ", "\x1b[C", "\x1b[B", "\x1bOC", "\x1bOB", "\xe0M", "\xe0P"], NEXT),
    **dict.fromkeys(["\x7f", "\x08", "\x1b[D", "\x1b[A", "\x1bOD", "\x1bOA", "\xe0K", "\xe0H"], BACK),
    **dict.fromkeys(["q", "\x1b", "\x03", "\x04"], QUIT),
}
# One key at a time, of what a terminal hands over in one piece.
KEY = re.compile(r"\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])|[\xe0\0][GHKMOP]|.", re.DOTALL)


class Keyboard:
    """The keys that a reader presses, one by one, and the lines that they make.

    Parameters
    ----------
    getchar : callable
        Gives what has been pressed, one key or several.
    over : callable
        Shows a line in place of the last one.
    """

    def __init__(self, getchar: Callable[[], str], over: Callable[[str], None]) -> None:
        self._getchar, self._over = getchar, over
        self._waiting: list[str] = []

    def key(self) -> str:
        """The next key."""
        while not self._waiting:
            self._waiting = KEY.findall(self._getchar())
        return self._waiting.pop(0)

    def line(self, question: str) -> str | None:
        """What is typed until Enter; None if the reader leaves with Escape."""
        typed = ""
        while True:
            self._over(question + typed)
            match self.key():
                case "\r" | "\n":
                    return typed
                case "\x1b":
                    return None
                case "\x7f" | "\x08":
                    typed = typed[:-1]
                case key if key.isprintable():
                    typed += key


class Cleaned:
    """A stream that hands text on without what a terminal obeys, whoever has written it and wherever it comes from.

    Attributes
    ----------
    raw : text stream
        Where it goes, for what is ours alone: colours, and a screen to be cleared.
    letters : callable
        What is left of a text.
    """

    buffer = None  # who would write round it finds nothing

    def __init__(self, raw: TextIO, letters: Callable[[str], str] = clean) -> None:
        self.raw, self.letters = raw, letters

    def write(self, text: str) -> int:
        """Write the text, cleaned."""
        self.raw.write(self.letters(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each text, cleaned."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)


@contextmanager
def cleaned_streams() -> Iterator[None]:
    """Let all that is printed, or complained of, go through `Cleaned` for a while."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, stream and Cleaned(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def raw(stream: Any) -> Any:
    """The stream itself, for what is ours alone."""
    return stream.raw if isinstance(stream, Cleaned) else stream


def frame(step: Step | Moment, brief: bool = False, width: int = WIDTH) -> str:
    """One step as text: formula, the numbers it reads, its result, and one entry worked out.

    If it is to be brief, what is handed on as it is stands there once. Formulas have lines of at most this width.
    """
    shown = step if isinstance(step, Moment) else moment(step)
    where = f"   t = {shown.t}" if shown.t is not None else ""
    equation = f"   Guo ({shown.equation.removeprefix('G')})" if shown.equation else ""
    lines = [
        f"── {shown.phase} {shown.number}{where}{equation} ".ljust(width, "─"),
        "",
        *_wrapped(shown.text, "   ", width),
        "",
    ]
    name, value = shown.result
    results = [("before", shown.before), ("share", value), (name, shown.after)] if shown.before else [(name, value)]
    read = () if brief and shown.weight and shown.op == "copy" else shown.read
    names = min(width // 2, max(len(name) for name, _ in [*read, *results]))
    if read:
        lines += [*_listed(read, names, " "), "   " + " " * names + "  " + "┄" * 20]
    lines += _listed(results, names, "=")
    entry = f"entry {shown.entry}:  " if shown.entry else ""
    lines += ["", *_wrapped(shown.worked, f"   {entry}", width)]
    return "\n".join([*lines, ""])


def _wrapped(text: str, head: str, width: int) -> list[str]:
    """The text in lines that break between terms and, where there is room, never inside a product."""
    kept = text.replace(" · ", "\N{NO-BREAK SPACE}·\N{NO-BREAK SPACE}")
    indent = " " * min(len(head), width // 3)
    lines = textwrap.wrap(kept, max(width, 2), initial_indent=head, subsequent_indent=indent)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def _listed(named: Iterable[tuple[str, str]], width: int, sign: str) -> list[str]:
    lines = []
    for name, values in named:
        first, *more = values.split("\n")
        lines.append(f"   {name:>{width}} {sign} {first}")
        lines += [" " * (width + 6) + line for line in more]
    return lines


class Printer:
    """Shows texts one below the other, and how far something is to nobody."""

    def show(self, texts: Iterable[str]) -> None:
        """Show the texts of one part."""
        for text in texts:
            print(clean(text))

    def follow(self, steps: Iterable[T], total: int) -> Iterator[T]:  # noqa: ARG002  it is for those with a screen
        """Go through the steps of something that takes long."""
        yield from steps


_printer = Printer()


@contextmanager
def printing_with(printer: Printer) -> Iterator[None]:
    """Let `show` use this printer for a while."""
    global _printer  # noqa: PLW0603  there is one terminal, so there is one printer
    before, _printer = _printer, printer
    try:
        yield
    finally:
        _printer = before


def progress(steps: Iterable[T], total: int) -> Iterator[T]:
    """Go through the steps of something that takes long; a reader at a terminal sees how far it is.

    Parameters
    ----------
    steps : iterable
        The steps.
    total : int
        How many are taken.
    """
    return _printer.follow(steps, total)


@asked
def show(steps: Iterable[Step]) -> None:
    """Show steps as text, one below the other; in a lesson at a terminal, page by page.

    Parameters
    ----------
    steps : iterable of Step
        What `net.steps()` yields, or a choice of it.
    """
    chosen = list(steps) if isinstance(steps, Iterable) else []
    if not isinstance(steps, Iterable) or not all(isinstance(step, Step | Moment) for step in chosen):
        raise TypeError(f"show({shortened(steps)}): pass steps, such as net.steps() yields")
    _printer.show(frame(step) for step in chosen)
    sys.stdout.flush()
