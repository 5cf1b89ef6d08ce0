"""The README keeps its word: its two commands stand in their place, its lines run, its links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

from tinygrad_rnn.view import lessons

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


TEN_LINES, TRAINING, KEEPING = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
TABLE, DERIVED = re.findall(r"```text\n(.*?)```", README, re.DOTALL)


def run(code, folder):
    return subprocess.run(
        [sys.executable, "-X", "utf8", "-W", "error", "-c", code], cwd=folder, capture_output=True, encoding="utf-8"
    )


def test_the_ten_lines_run(tmp_path):
    assert len([line for line in TEN_LINES.split("\n") if line and not line.startswith("import")]) <= 10
    done = run(TEN_LINES, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "unrolled.svg").stat().st_size > 1000
    assert done.stdout == TABLE


def test_four_lines_more_train_it_and_two_keep_it(tmp_path):
    assert TRAINING.count("\n") == 4
    assert KEEPING.count("\n") == 2
    told = "print(net.loss, again.loss)"
    done = run("\n".join([TEN_LINES, "print(net.loss)", TRAINING, KEEPING, told]), tmp_path)
    assert done.returncode == 0, done.stderr
    *_, before, after = done.stdout.splitlines()
    trained, again = map(float, after.split())
    assert float(before) > 10 * trained
    assert trained <= 0.1
    assert abs(again - trained) < 1e-12


def test_the_line_that_is_derived_is_that_of_lesson_22():
    lesson = next(lesson for lesson in lessons.lessons() if lesson.number == 22)
    names = lessons.fresh_names(lesson)
    lessons.execute(next(cell for cell in lesson.cells() if cell.kind == "code"), lesson, names)
    assert DERIVED.strip() in map(str, names["net"].derivation().backwards)


def test_what_it_links_to_is_there():
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert len(targets) > 5
    assert [path for path in targets if not (ROOT / path).exists()] == []


def test_quick_start_holds_the_two_commands_and_nothing_else():
    section = README.split("## Quick start")[1].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)\n```", section, re.DOTALL)
    assert [block.count("\n") for block in blocks] == [0, 0]
    assert blocks[0].endswith("tinygrad-rnn lesson 1")
    assert blocks[1].endswith("nox -s tests")


def test_the_first_lines_say_what_it_is_not():
    assert "not related to the tinygrad project" in README.split("![")[0]
