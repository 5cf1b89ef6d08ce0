"""The README keeps its word: its two commands stand in their place, its ten lines run, its links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_ten_lines_run(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in code.split("\n") if line and not line.startswith("import")]) <= 10
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "unrolled.svg").stat().st_size > 1000
    (table,) = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    assert done.stdout == table


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
