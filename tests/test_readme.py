"""The README keeps its word: its two commands stand where they are looked for, and its ten lines run."""

import re
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_ten_lines_run(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in code.split("\n") if line and not line.startswith("import")]) <= 10
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "unrolled.svg").stat().st_size > 1000
    assert "sum" in done.stdout


def test_quick_start_holds_the_two_commands_and_nothing_else():
    section = README.split("## Quick start")[1].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)\n```", section, re.DOTALL)
    assert [block.count("\n") for block in blocks] == [0, 0]
    assert blocks[0].endswith("tinygrad-rnn lesson 1")
    assert blocks[1].endswith("nox -s tests")


def test_the_first_lines_say_what_it_is_not():
    assert "not related to the tinygrad project" in README.split("![")[0]
