"""What a reader gets of a lesson: its page, and files to take away, all from the one file in ../lessons.

The page is the lesson, with its time and its files in the list below its title, and its exercises at its end; what is
to be predicted is answered there, by what was foreseen, with no request and without a script. The files are the lesson
itself, the same cells as a notebook, and the exercises to fill in. Of a lesson that names another value for one of its
lines there is a second page, on which it was run with that.
"""

import json
import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from textwrap import dedent

import jupytext
from sphinx.errors import ExtensionError

from tinygrad_rnn.exercises import Folder, folders, predictions
from tinygrad_rnn.view import lessons

FILES = "_generated/files"  # seen from the pages' folder
OTHERWISE = "otherwise"  # the folder of the second pages: those beside the lessons are numbered

ORPHAN = "# ---\n# jupyter:\n#   orphan: true\n# ---\n"

SESSION, AT_MOST = 90, 75  # minutes, and what of them may go to lessons


def pages(folder: Path) -> Iterator[tuple[str, str]]:
    """The source of each lesson's page, with its name."""
    for path, asked in _lessons(folder):
        lesson = lessons.Lesson(asked.number, path)
        title, head, below = lesson.text.split("\n#\n", 2)
        words = ", ".join(f"{{index}}`!{word}`" for word in lesson.head["Words"].split(", "))
        program, notebook, start = path.name, f"{path.stem}.ipynb", f"exercise_{asked.path.name}.py"
        links = _file(program, "the program"), _file(notebook, "the notebook"), _file(start, "the exercises to fill in")
        more = [f"# * **Time**: {lesson.takes}, together", f"# * **To take away**: {', '.join(links)}"]
        if said := lessons.otherwise(lesson.text)[0]:
            more.append(f"# * **Also**: {{doc}}`run with {said} </{OTHERWISE}/{path.stem}>`")
        head = "\n".join([head.replace(lesson.head["Words"], words), *more])
        yield path.name, _with("\n#\n".join([title, head, below]), f"{asked.invitation}\n\n{_predicted(asked)}")


def second_pages(folder: Path) -> Iterator[tuple[str, str]]:
    """The source of the page of each lesson that can be run otherwise, with its name. No list of pages has it."""
    for path, _ in _lessons(folder):
        said, text = lessons.otherwise(path.read_text("utf-8"))
        if said:
            title, head, below = text.split("\n#\n", 2)
            back = f"# This is {{doc}}`the lesson </lessons/{path.stem}>` once more, run with `{said}`."
            head = re.sub(r"\n# \* \*\*Words.*", "", head)  # they lead to the first page
            title = f"{title}: {said.partition(' = ')[2].strip(chr(34))}"
            yield path.name, "\n".join([ORPHAN, "\n#\n".join([title, head, back, below])])


def files(folder: Path) -> Iterator[tuple[str, str]]:
    """What there is to download, by name."""
    for path, asked in _lessons(folder):
        text = path.read_text("utf-8")
        yield path.name, text
        yield f"{path.stem}.ipynb", notebook(_with(text, asked.invitation))
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


def _lessons(folder: Path) -> Iterator[tuple[Path, Folder]]:
    asked = {f"{found.number:02}": found for found in folders()}
    for path in sorted(folder.glob("[0-9][0-9]_*.py")):
        yield path, asked[path.name[:2]]


def _with(text: str, below: str) -> str:
    """The lesson with what stands below it, as its last cell."""
    return "\n".join([text, "# %% [markdown]", *(f"# {line}".rstrip() for line in below.split("\n")), ""])


def _predicted(asked: Folder) -> str:
    """What a reader is to predict, as HTML in Markdown: an answer opens when it is chosen, or when it is typed."""
    boxes = [_box(prediction) for prediction in predictions.predictions(asked)]
    if not boxes:
        return ""
    head = "<h3>What do you expect?</h3>\n<p>Say it, or write it down, before you open the answers.</p>"
    return "\n".join(["```{raw} html", head, *boxes, "```"])


def _box(asked: predictions.Prediction) -> str:
    answers = []
    for one in asked.foreseen:
        says = "Right." if one.is_right else f"Not right. Look again at this: {one.term}."
        answers.append(_details(one.text, says, one.hints, json.dumps(one.value), one.is_right))
    answers.append(_details("another answer", "Not right, and not foreseen: look again.", asked.hints))
    answers = [
        '<details class="answers"><summary>The answers, and what is said of each</summary>',
        *answers,
        "</details>",
    ]
    label = f"Your prediction of <code>{asked.name}</code>"
    return "\n".join(
        [
            '<div class="prediction">',
            *(
                f"<pre>{escape(dedent(part))}</pre>" if part.startswith("    ") else f"<p>{escape(part)}</p>"
                for part in asked.question
            ),
            f'<form hidden="hidden"><label>{label} <input type="text" size="12" autocomplete="off" /></label>',
            '<button type="submit">Compare</button> <div role="status"></div></form>',
            *answers,
            "</div>",
        ]
    )


def _details(text: str, says: str, hints: Sequence[str], answer: str = "", is_right: bool = False) -> str:
    """An answer with what is said of it; each hint leads to a clearer one, and of a right answer all lead to it."""
    said = ""
    for hint in reversed(hints):
        more = f"<details><summary>A clearer hint</summary>{said}</details>" if said else ""
        said = f"<p>{escape(hint)}</p>{more}"
    if is_right:
        said = (
            f"<details><summary>How to find it</summary>{''.join(f'<p>{escape(hint)}</p>' for hint in hints)}</details>"
        )
    data = f' data-answer="{escape(answer)}"' if answer else ""
    return f"<details{data}><summary>{escape(text)}</summary><p>{escape(says)}</p>{said}</details>"


def _file(name: str, text: str) -> str:
    return f"{{download}}`{text} </{FILES}/{name}>`"
