"""A lesson at a terminal: pages that fit its height, turned with the keys."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import click
from rich.console import Console, RenderableType
from rich.markdown import Markdown
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.syntax import Syntax
from rich.text import Text

from ..view import EngineError, Picture, Player
from ..view.characters import in_characters
from ..view.lessons import Lesson, LessonCell, Shown, execute, fresh_names
from ..view.prose import in_a_terminal
from ..view.terminal import TURNS, Keyboard, Printer, printing_with, raw
from ..view.text import clean
from ..view.walk import FIRST, walk, without_unicode
from .pages import folded, pages, parts
from .screen import Screen, opened

T = TypeVar("T")
WIDEST = 88  # characters of a line of text: longer ones are hard to read
FREE = 2  # lines that a page leaves to the keys
KEYS = {**TURNS, **FIRST, "?": "help", "o": "open", "w": "walk", "c": "code", "s": "skip"}
BREAK = "\f"  # between two steps that are printed
EXPLAINED = """\
Enter, space, → or ↓   the next page
← or ↑, Backspace      the page before
s                      go on to the next heading
Home                   the first page
o                      open the picture of the page
w                      walk through every step of the page's network
c                      show all code, or what matters of it
q or Escape            quit; Escape also leaves a prompt

Any key goes back to the page."""


class CellPrinter(Printer):
    """What is printed while a cell runs: steps are kept apart, and a bar on the screen shows how far it is."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, texts: Iterable[str]) -> None:
        """Print the texts of one part."""
        click.echo(BREAK.join(texts))

    def follow(self, steps: Iterable[T], total: int) -> Iterator[T]:
        """Go through the steps of something that takes long."""
        bar = [] if self._console.color_system is None else [BarColumn()]
        columns = [TextColumn("   running"), *bar, TaskProgressColumn(), TimeRemainingColumn()]
        # What is printed meanwhile is kept for the page.
        with Progress(*columns, console=self._console, redirect_stdout=False, redirect_stderr=False) as shown:
            yield from shown.track(steps, total)


@dataclass
class Section:
    """What is shown together: a text, and what its code has printed.

    Attributes
    ----------
    blocks : list of (str, str)
        Of each the kind, ``text``, ``code``, ``output`` or ``note``, and the source.
    files : list of pathlib.Path
        The pictures and the pages of players.
    pictures : dict of int to Picture
        For the number of a note, the picture that it names.
    player : Player or None
        Its player, if it has one.
    """

    blocks: list[tuple[str, str]] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    pictures: dict[int, Picture] = field(default_factory=dict)
    player: Player | None = None

    @property
    def heads(self) -> bool:
        """Whether it begins with a heading."""
        return self.blocks[0][0] == "text" and self.blocks[0][1].startswith("#")


def groups(lesson: Lesson, quick: bool) -> Iterator[list[LessonCell]]:
    """The cells that are shown together: a text and its code. Code that runs long comes after its text was read."""
    found: list[LessonCell] = []
    for cell in lesson.cells(quick):
        if found and (cell.kind == "markdown" or cell.seconds):
            yield found
            found = []
        found.append(cell)
    yield found


def coloured(code: str) -> Syntax:
    """Python code in the colours of the terminal."""
    return Syntax(code, "python", theme="ansi_dark", background_color="default", word_wrap=True)


class Reader:
    """Shows a lesson to somebody who turns the pages.

    Parameters
    ----------
    lesson : Lesson
        What to read.
    after : str
        What stands at its end, in Markdown.
    screen : Screen
        Where it is shown.
    plain : bool
        Whether no other characters than ASCII are shown.
    quick : bool
        Whether the code takes the smaller numbers that it names.
    """

    def __init__(self, lesson: Lesson, after: str, screen: Screen, plain: bool = False, quick: bool = False) -> None:
        self.lesson, self.after, self.screen, self.plain = lesson, after, screen, plain
        self.keyboard = Keyboard(screen.key, screen.over)
        self.console = Console(file=raw(sys.stdout), color_system=None if plain else "auto")
        self.names, self.shown = fresh_names(lesson), Shown(lesson)
        self.quick, self.groups = quick, list(groups(lesson, quick))
        self.sections: list[Section] = []
        self._made: dict[tuple[int, int, int, bool], list[list[str]]] = {}
        self.at, self.page, self.whole, self.says = 0, 0, False, ""

    def read(self) -> None:
        """Show page after page, until the reader has had enough or has reached the end."""
        self._reach(0)
        while True:
            width, height = self.screen.size()
            section = self.sections[self.at]
            all_ = self.pages(section, width, height - FREE)
            self.page = min(self.page, len(all_) - 1)
            self._put(all_[self.page], self.says[: width - 1] or self._foot(section, width))
            self.says = ""
            match KEYS.get(self.keyboard.key()):
                case "next" if self.page + 1 < len(all_):
                    self.page += 1
                case "next":
                    if not self._reach(self.at + 1):
                        return
                case "back" if self.page:
                    self.page -= 1
                case "back" if self.at:
                    self.at, self.page = self.at - 1, sys.maxsize
                case "skip":
                    while self._reach(self.at + 1) and not self.sections[self.at].heads:
                        pass
                case "first":
                    self.at, self.page = 0, 0
                case "code":
                    self.whole = not self.whole
                case "open":
                    self.says = self._letters(f"   {self._opened(section)}")
                case "help":
                    self._put(self.lines(Text(EXPLAINED), width), "")
                    self.keyboard.key()
                case "walk" if section.player:
                    self._walked(section.player)
                case "walk":
                    self.says = self._letters("   there are no steps to walk through on this page")
                case "quit":
                    return

    # ---- sections

    def _reach(self, number: int) -> bool:
        """Go to the beginning of a section, and run its code if nobody has been there; whether there is one."""
        if number >= len(self.groups):
            return False
        if number == len(self.sections):
            if self.groups[number][0].seconds:
                self.screen.show("")  # to a bar
            elif self.sections:
                self.screen.over("   one moment ...")
            self.sections.append(self._played(number))
        self.at, self.page = number, 0
        return True

    def _played(self, number: int) -> Section:
        made = Section([] if number else [("note", self.lesson.opening(self.quick))])
        for cell in self.groups[number]:
            if cell.kind == "markdown":
                made.blocks += [("text", part) for part in parts(cell.source)]
                continue
            made.blocks.append(("code", cell.source))
            printed = io.StringIO()
            with redirect_stdout(printed), printing_with(CellPrinter(self.console)):
                value = execute(cell, self.lesson, self.names)
            made.blocks += [("output", part.strip("\n")) for part in printed.getvalue().split(BREAK) if part.strip()]
            if isinstance(value, Picture | Player):
                self._keep(value, made)
        if number + 1 == len(self.groups):
            made.blocks += [("text", part) for part in parts(self.after)]
        elif seconds := self.groups[number + 1][0].seconds:
            made.blocks.append(("note", f"What comes next takes about {seconds} seconds to compute. Enter starts it."))
        return made

    def _keep(self, value: Picture | Player, made: Section) -> None:
        try:
            made.files.append(self.shown.save(value))
        except (OSError, EngineError) as error:  # the lesson goes on without it
            made.blocks.append(("note", f"the picture could not be written: {error}"))
            return
        path = made.files[-1].as_posix()
        if isinstance(value, Player):
            made.player = value
            weight, t = value.start
            walks = f"w walks through its {len(value.trace)} steps here, from the share of {weight}({t})"
            made.blocks.append(("note", f"o opens the player: {path}\n{walks}"))
        else:
            made.pictures[len(made.blocks)] = value
            made.blocks.append(("note", f"o opens the picture: {path}"))

    # ---- pages

    def pages(self, section: Section, width: int, room: int) -> list[list[str]]:
        """The pages of a section, each a list of lines."""
        key = id(section), width, room, self.whole
        if key not in self._made:
            self._made[key] = list(pages(self._blocks(section, width, room), max(1, room)))
        return self._made[key]

    def _blocks(self, section: Section, width: int, room: int) -> list[list[str]]:
        """The lines of its blocks. Code is folded to the room that text and output leave to it."""
        narrow = min(width, WIDEST)
        picture = next((path for path in section.files if path.suffix == ".svg"), None)
        blocks: list[list[str]] = []
        for k, (kind, source) in enumerate(section.blocks):
            if kind == "text":
                blocks.append(self.lines(Markdown(self._letters(in_a_terminal(source, picture))), narrow))
            elif kind == "code":
                blocks.append([])
            else:
                drawn = in_characters(section.pictures[k].scene, width) if k in section.pictures else ""
                fits = drawn and drawn.count("\n") + 3 <= room
                blocks.append(self.lines(Text(self._letters(f"{drawn}\n\n{source}" if fits else source)), width))
        for k, (kind, source) in enumerate(section.blocks):
            if kind == "code":
                left = room - sum(len(lines) + 1 for lines in blocks if lines)
                blocks[k] = self._code(source, narrow, room // 3 if left < 1 else min(left, room // 2))
        return blocks

    def _code(self, source: str, width: int, most: int) -> list[str]:
        """Code in about that many lines, or all of it if the reader has asked for it."""
        for count in range(max(1, most), 0, -1):  # long lines are wrapped
            code = self._letters(source if self.whole else folded(source, count))
            lines = self.lines(coloured(code), width)
            if len(lines) <= most or self.whole:
                break
        return lines

    def lines(self, what: RenderableType, width: int) -> list[str]:
        """Something as lines of this width, without empty ones at its ends."""
        with self.console.capture() as captured:
            self.console.print(what, width=width, highlight=False)
        lines = captured.get().rstrip("\n").split("\n")
        written = [k for k, line in enumerate(lines) if re.sub(r"\x1b\[[\d;]*m", "", line).strip()] or [0]
        return [without_unicode(line) if self.plain else line for line in lines[written[0] : written[-1] + 1]]

    def _letters(self, text: str) -> str:
        """Text in the letters of the terminal: before its lines are measured, for some of them become two."""
        return without_unicode(text) if self.plain else clean(text)

    # ---- the screen

    def _walked(self, player: Player) -> None:
        keys, screen = self.keyboard, self.screen
        walk(player.trace, keys.key, self._show, keys.line, size=screen.size, start=player.start)

    def _show(self, text: str) -> None:
        self.screen.show(self._letters(text))

    def _put(self, lines: list[str], foot: str) -> None:
        """Show a page, and the keys on the last line."""
        room = max(1, self.screen.size()[1] - 1)
        below = room - len(lines) if self.screen.clears else 1
        self.screen.show("\n".join([*lines[:room], *[""] * below, foot]))

    def _foot(self, section: Section, width: int) -> str:
        """Where the reader is, and as many of the keys as there is room for."""
        more = ["o open"] * bool(section.files) + ["w walk"] * bool(section.player)
        more += ["c code"] * any(kind == "code" for kind, _ in section.blocks)
        where = f"   {self.at + 1}/{len(self.groups)}   "
        for keys in (["→ next", "← back", *more, "? keys", "q quit"], ["→ ←", *more, "?", "q quit"], ["?", "q quit"]):
            foot = self._letters(where + "   ".join(keys))
            if len(foot) < width:
                return foot
        return foot[-(width - 1) :]

    def _opened(self, section: Section) -> str:
        """Open the picture of a section, and say so, or where it is."""
        if not section.files:
            return "there is no picture on this page"
        path = section.files[-1]
        return f"{'opened: ' if opened(path) else 'open it in a browser: '}{path.as_posix()}"
