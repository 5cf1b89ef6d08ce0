"""What a lesson's page offers to take away: the program, the notebook, the exercises."""

from pathlib import Path

import jupytext
import nbformat
import pytest

from tinygrad_rnn.view import lessons

LESSONS = lessons.lessons()


@pytest.fixture(params=LESSONS, ids=lambda lesson: lesson.path.stem)
def lesson(request):
    return request.param


@pytest.fixture
def offered(site, lesson):
    """The files that the page links to, by the end of their names."""
    page = (site / "lessons" / f"{lesson.path.stem}.html").read_text("utf-8")
    links = [part.partition('"')[0] for part in page.split('href="../_downloads/')[1:]]
    return {Path(link).name: site / "_downloads" / link for link in links}


def test_three_files_are_offered(lesson, offered):
    stem = lesson.path.stem
    assert set(offered) == {f"{stem}.py", f"{stem}.ipynb", f"exercise_{lesson.number:02}.py"}


def test_the_program_is_the_lesson(lesson, offered):
    assert offered[lesson.path.name].read_text("utf-8") == lesson.text


def test_the_notebook_holds_the_lessons_cells_not_yet_run(lesson, offered):
    notebook = jupytext.read(offered[f"{lesson.path.stem}.ipynb"])
    nbformat.validate(notebook)
    told = [(cell.cell_type, cell.source) for cell in notebook.cells]
    meant = [(cell.kind, cell.source) for cell in lessons.cells(lesson.text)]
    assert told[:-1] == meant
    assert told[-1][1].startswith("## Your turn")
    assert [cell.id for cell in notebook.cells] == [f"cell-{k}" for k in range(1, len(told) + 1)]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert notebook.metadata.kernelspec.name == "python3"


def test_the_exercises_are_what_start_writes(lesson, offered):
    blank = lesson.path.parent / f"exercises/{lesson.number:02}/blank.py"
    assert offered[f"exercise_{lesson.number:02}.py"].read_text("utf-8") == blank.read_text("utf-8")
