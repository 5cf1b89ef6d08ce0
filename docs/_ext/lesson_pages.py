"""What a reader gets of a lesson: its page, and files to take away, all from the one file in ../lessons.

The page is the lesson, with its time and its files in the list below its title, and its exercises at its end. The files
are the lesson itself, the same cells as a notebook, and the exercises to fill in.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import jupytext
from sphinx.errors import ExtensionError

from tinygrad_rnn.view import exercises, lessons

FILES = "_generated/files"  # seen from the pages' folder

SESSION, AT_MOST = 90, 75  # minutes, and what of them may go to lessons


def pages(folder: Path) -> Iterator[tuple[str, str]]:
    """The source of each lesson's page, with its name."""
    for path, asked in _lessons(folder):
        lesson = lessons.Lesson(asked.number, path)
        title, head, below = lesson.text.split("\n#\n", 2)
        words = ", ".join(f"{{index}}`!{word}`" for word in lesson.head["Words"].split(", "))
        program, notebook, start = path.name, f"{path.stem}.ipynb", f"exercise_{asked.path.name}.py"
        links = _file(program, "the program"), _file(notebook, "the notebook"), _file(start, "the exercises to fill in")
        more = f"# * **Time**: {lesson.takes}, together", f"# * **To take away**: {', '.join(links)}"
        head = "\n".join([head.replace(lesson.head["Words"], words), *more])
        yield path.name, _with("\n#\n".join([title, head, below]), asked)


def files(folder: Path) -> Iterator[tuple[str, str]]:
    """What there is to download, by name."""
    for path, asked in _lessons(folder):
        text = path.read_text("utf-8")
        yield path.name, text
        yield f"{path.stem}.ipynb", notebook(_with(text, asked))
        yield f"exercise_{asked.path.name}.py", asked.blank


def notebook(text: str) -> str:
    """A lesson as a notebook, not yet run: what comes out is for its reader to find. The same bytes each time."""
    made = jupytext.reads(text, fmt="py:percent")
    made.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    made.nbformat_minor = 5  # since then cells have ids, which jupytext draws at random
    for number, cell in enumerate(made.cells, start=1):
        cell.id = f"cell-{number}"
    return jupytext.writes(made, fmt="ipynb")


def needs() -> str:
    """A row for each lesson, of what its head says."""
    rows = ["| lesson | minutes | before it | what they can do afterwards |", "|---|---|---|---|"]
    for lesson in lessons.lessons():
        link = f"{{doc}}`{lesson.number} <lessons/{lesson.path.stem}>`"
        rows.append(f"| {link} | {lesson.minutes:.0f} | {lesson.head['Needs']} | {lesson.head['Goal']} |")
    return "\n".join([*rows, ""])


def minutes(teaching: Path) -> str:
    """How the time of a session is spent; its lessons, by their length, must leave some for questions and exercises."""
    takes = {f"{lesson.number:02}": lesson.minutes for lesson in lessons.lessons()}
    spent = []
    for row in re.findall(r"^\| (\d+\. .*)$", teaching.read_text("utf-8"), re.MULTILINE):
        title, in_class, *_ = row.split(" | ")
        spent.append(sum(takes[number] for number in re.findall(r"(?<!\()\{doc\}`\d+ <lessons/(\d\d)", in_class)))
        if not 0 < spent[-1] < AT_MOST:
            raise ExtensionError(f"teaching.md, {title}: its lessons take {spent[-1]:.0f} minutes of {SESSION}")
    left = SESSION - max(spent)
    pace = f"{lessons.WORDS} words and {lessons.STATEMENTS} statements a minute"
    return (
        f"Gone through together, at {pace}, the lessons of a session take {min(spent):.0f} to {max(spent):.0f} "
        f"minutes. At least {left:.0f} are left: five for what was hard at home, five for each question to stop at, "
        "and the rest for the first exercises, in pairs.\n"
    )


def _lessons(folder: Path) -> Iterator[tuple[Path, exercises.Folder]]:
    asked = {f"{found.number:02}": found for found in exercises.folders()}
    for path in sorted(folder.glob("[0-9][0-9]_*.py")):
        yield path, asked[path.name[:2]]


def _with(text: str, asked: exercises.Folder) -> str:
    """The lesson with what its exercises ask, as its last cell."""
    return "\n".join([text, "# %% [markdown]", *(f"# {line}".rstrip() for line in asked.invitation.split("\n")), ""])


def _file(name: str, text: str) -> str:
    return f"{{download}}`{text} </{FILES}/{name}>`"
