"""Lessons: literate programs in the percent format, found by number and run cell by cell."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..exchange.files import new_folder
from .engine import EngineError
from .picture import Picture
from .player import Player

_PACKAGE = Path(__file__).resolve().parent.parent
# An installed package carries its lessons; in a checkout they stand beside it.
FOLDERS = (_PACKAGE / "_lessons", _PACKAGE.parent / "lessons")

# How long a lesson takes when a class goes through it together.
WORDS, STATEMENTS, FORMULA = 120, 10, 1.5  # words a minute, statements a minute, minutes for a displayed formula


@dataclass(frozen=True)
class LessonCell:
    """A piece of a lesson: text in Markdown, or code."""

    kind: str  # "markdown" or "code"
    source: str
    line: int  # where its source starts in the file
    seconds: int = 0  # how long its code runs, where that is long: ``# %% seconds=30 quick=10``


@dataclass(frozen=True)
class Lesson:
    """A lesson: its number, its title, its file."""

    number: int
    path: Path

    @property
    def text(self) -> str:
        """The whole file."""
        return self.path.read_text(encoding="utf-8")

    @property
    def title(self) -> str:
        """The first heading."""
        return next(cell.source for cell in cells(self.text) if cell.source.startswith("# ")).split("\n")[0][2:]

    @property
    def head(self) -> dict[str, str]:
        """The list below the title: the ``Goal``, what the lesson ``Needs``, its ``Words``."""
        return dict(re.findall(r"^# \* \*\*(\w+)\*\*: (.+)$", self.text, re.MULTILINE))

    @property
    def minutes(self) -> float:
        """How long it takes together, by its length."""
        words = sum(len(cell.source.split()) for cell in cells(self.text) if cell.kind == "markdown")
        statements = sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(self.text)))
        return words / WORDS + statements / STATEMENTS + FORMULA * (self.text.count("$$") // 2)

    @property
    def takes(self) -> str:
        """The same, as one says it."""
        return f"about {5 * max(1, round(self.minutes / 5))} minutes"

    def cells(self, quick: bool = False) -> list[LessonCell]:
        """Its cells; with the smaller numbers that it names itself, if it is to be quick."""
        return list(cells(quicker(self.text) if quick else self.text))

    def opening(self, quick: bool = False) -> str:
        """What is said before it begins: how long it takes, its reader and the computer."""
        computed, faster = (sum(cell.seconds for cell in self.cells(way)) for way in (quick, True))
        says = f"Lesson {self.number}, {self.takes}"
        if computed:
            says += f"; of these, the computer needs {computed} seconds or so"
            says += f" ({faster} with --quick)" * (not quick)
        return says


def lessons() -> list[Lesson]:
    """Every lesson there is, in order."""
    for folder in FOLDERS:
        found = sorted(folder.glob("[0-9][0-9]_*.py"))
        if found:
            return [Lesson(int(path.name[:2]), path) for path in found]
    return []


def cells(text: str) -> Iterator[LessonCell]:
    """The cells of a file in the percent format: ``# %% [markdown]`` starts text, ``# %%`` code."""
    kind, start, seconds = "", 0, 0
    lines: list[str] = []
    for number, line in enumerate([*text.split("\n"), "# %%"], start=1):
        if line.startswith("# %%"):
            source = "\n".join(lines).strip("\n")
            if kind == "markdown":
                source = re.sub(r"^# ?", "", source, flags=re.MULTILINE)
            if kind and source:
                blank = next(k for k, text in enumerate(lines) if text)
                yield LessonCell(kind, source, start + blank, seconds)
            kind, start, lines = "markdown" if "[markdown]" in line else "code", number + 1, []
            seconds = int((re.findall(r"\bseconds=(\d+)", line) or [0])[0])
        else:
            lines.append(line)


def quicker(text: str) -> str:
    """The lesson with the smaller numbers that it names itself: ``updates = 2500  # quick: 900``."""
    text = re.sub(r"^( *\w+ = ).*?(?=  # quick: (.*)$)", r"\1\2", text, flags=re.MULTILINE)
    return re.sub(r"^(# %% seconds=)\d+ quick=", r"\1", text, flags=re.MULTILINE)


def otherwise(text: str) -> tuple[str, str]:
    """The lesson with the other value that it names itself, ``series = "laser"  # otherwise: "Mackey-Glass"``.

    Returns
    -------
    tuple of str
        What is said then, ``series = "Mackey-Glass"``, and the whole text; two empty ones if the lesson names none.
    """
    found = re.search(r"^(\w+ = )(.*)  # otherwise: (.*)$", text, re.MULTILINE)
    if found is None:
        return "", ""
    said = found[1] + found[3]
    return said, text.replace(found[0], f"{said}  # otherwise: {found[2]}")


def fresh_names(lesson: Lesson) -> dict[str, Any]:
    """The names that a lesson begins with."""
    return {"__name__": "__main__", "__file__": str(lesson.path)}


def execute(cell: LessonCell, lesson: Lesson, names: dict[str, Any]) -> Any:
    """Run a cell of code with these names, and add to them.

    Returns
    -------
    object
        The value of the expression that it ends with; None if it ends with something else.
    """
    tree = ast.parse(cell.source)
    ast.increment_lineno(tree, cell.line - 1)  # so that an error names the line of the file
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, str(lesson.path), "exec"), names)
    if last is None:
        return None
    assert isinstance(last, ast.Expr)  # asked above
    return eval(compile(ast.Expression(last.value), str(lesson.path), "eval"), names)


SMALL = 60  # so many boxes are drawn in pixels at once


class Shown:
    """The pictures and players of a lesson as files, in a folder of their own that is made for the first of them."""

    def __init__(self, lesson: Lesson) -> None:
        self._name = f"lesson-{lesson.number:02}"
        self._folder: Path | None = None
        self._count: Counter[str] = Counter()

    def save(self, shown: Picture | Player) -> Path:
        """Write the next one to a file; a small picture in pixels too, for viewers that show no SVG.

        Raises
        ------
        OSError, EngineError
            If it cannot be written.
        """
        kind, suffix = ("picture", "svg") if isinstance(shown, Picture) else ("player", "html")
        self._folder = self._folder or new_folder(self._name)
        self._count[kind] += 1
        file = shown.save(self._folder / f"{kind}-{self._count[kind]}.{suffix}")
        if isinstance(shown, Picture) and len(shown.scene.boxes) <= SMALL:
            with suppress(EngineError):
                shown.save(file.with_suffix(".png"))
        return file
