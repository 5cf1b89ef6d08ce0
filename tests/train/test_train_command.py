"""The commands train and resume, as somebody types them: what they say first, what they make, and how they end."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import tinygrad_rnn as tg
from small_runs import SENTENCES, kept
from tinygrad_rnn.cli import main

SMALL = ["--hidden", "5", "--batch", "2", "--k1", "4", "--updates", "24", "--every", "8"]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("t.txt").write_text(SENTENCES)


def run(*words, **how):
    return CliRunner().invoke(main, words, **how)


def test_a_text_is_learned_and_gone_on_with():
    result = run("train", "--out", "a", "--text-file", "t.txt", *SMALL)
    assert result.exit_code == 0, result.output
    said = result.stdout.splitlines()
    assert result.stderr.startswith(f"t.txt: {len(SENTENCES)} symbols")
    assert re.match(r"characters: \d+ train, \d+ validate, 0 test", said[0])
    assert "is the price of knowing nothing but the" in said[1]
    assert "by counting characters" in said[2]
    assert re.search(r"GRU.*5 hidden.*float32", said[3])
    lines = [line for line in said if line.startswith("update ")]
    assert len(lines) == 3
    assert re.match(
        r"update 8, epoch 1, train [\d.]+, validation [\d.]+\*?, best [\d.]+, gradient .*steps/s$", lines[0]
    )
    assert said[-2:] == [
        "the end: 24 updates are done, as was asked",
        f"the page of the run: {Path('a') / 'report.html'}",
    ]

    result = run("resume", "a", "--updates", "40")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("going on after update 24, in epoch ")
    assert run("train", "--out", "b", "--text-file", "t.txt", *SMALL, "--updates", "40").exit_code == 0
    assert kept(tg.train.Run("a")) == kept(tg.train.Run("b"))
    settings = json.loads(Path("a/run.json").read_text())["settings"]
    assert (settings["kind"], settings["updates"], settings["eta"]) == ("text", 40, 0.004)


def test_a_table_is_learned():
    Path("t.csv").write_text("day;a;b\n" + "".join(f"{k};{k % 7},5;{k % 5}\n" for k in range(90)))
    words = ["--csv", "t.csv", "--sep", ";", "--decimal", ",", "--columns", "a,b", "--target", "b", "--test", "0.1"]
    result = run("train", "--out", "a", *words, *SMALL, "--batch", "1", "--horizon", "2", "--cell", "elman")
    assert result.exit_code == 0, result.output
    assert "told: b, 2 steps ahead" in result.stdout
    assert re.search(
        r"without a network the validation part costs .* by the last value, .* by autoregression", result.stdout
    )
    assert re.search(r"test [\d.]+ mean squared error", result.stdout.splitlines()[-2])
    opened = tg.train.Run("a")
    assert opened.cell == tg.cells.Elman(g="identity")
    assert opened.data.target == ("b",)


def test_the_standard_input_is_kept_beside_the_run():
    result = run("train", "--out", "a", "--text-file", "-", *SMALL, input=SENTENCES)
    assert result.exit_code == 0, result.output
    assert Path("a/data.txt").read_text() == SENTENCES
    assert run("resume", "a", "--updates", "25").exit_code == 0


def test_data_that_the_package_brings_along():
    result = run("train", "--out", "a", "--data", "sunspots", "--hidden", "3", "--updates", "4", "--k1", "9")
    assert result.exit_code == 0, result.output
    assert "column 2 'SUNACTIVITY'" in result.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--out", "a"], 2, "nothing to learn from: give --text-file, --csv or --data"),
        (["--text-file", "t.txt"], 2, "--out"),
        (["--out", "a", "--text-file", "t.txt", "--data", "nile"], 2, "give one of them"),
        (["--out", "a", "--text-file", "t.txt", "--cell", "x"], 2, "--cell"),
        (["--out", "a", "--text-file", "nothing.txt"], 1, "nothing.txt: No such file"),
        (
            ["--out", "a", "--text-file", "t.txt", "--decay", "x"],
            2,
            "Invalid value for '--decay': decay='x': it is one of",
        ),
        (["--out", "a", "--text-file", "t.txt", "--decay", "cosine:0"], 2, "as in cosine:3000"),
        (["--out", "a", "--text-file", "t.txt", "--eta", "nan"], 2, "'--eta': nan is not a number"),
        (["--out", "a", "--text-file", "t.txt", "--clip", "inf"], 2, "'--clip': inf is not a finite number"),
        (["--out", "a", "--text-file", "t.txt", "--init-from", ".", *SMALL], 1, ". is a folder: name a file in it"),
        (["--out", "a", "--text-file", "t.txt", "--k1", "40", "--batch", "9"], 1, "a window of k1=40 needs 41"),
        (["--out", ".", "--text-file", "t.txt"], 1, "holds t.txt: choose another name"),
        (["--out", "t.txt", "--text-file", "t.txt"], 1, "is a file"),
        (
            ["--out", "a", "--text-file=t.txt", *SMALL[:6], "--decay", "cosine", "--minutes", "1"],
            1,
            "say how many by updates",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_made(words, code, says):
    result = run("train", *words)
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert says in result.stderr.splitlines()[-1], result.stderr
    assert sorted(each.name for each in Path().iterdir()) == ["t.txt"]


def test_what_is_no_run_is_said():
    result = run("resume", "nothing")
    assert result.exit_code == 1
    assert "holds no run" in result.stderr
    assert run("train", "--out", "a", "--text-file", "t.txt", *SMALL).exit_code == 0
    result = run("resume", "a")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "nothing is left to do" in result.stderr
    result = run("resume", "a", "--hidden", "3")
    assert result.exit_code == 2


def test_a_number_that_is_not_finite_ends_with_1():
    Path("t.csv").write_text("a\n" + "".join(f"{k % 7}\n" for k in range(90)))
    words = ["--csv", "t.csv", "--cell", "irnn", *SMALL, "--batch", "1", "--optimiser", "sgd", "--eta", "1e25"]
    result = run("train", "--out", "a", *words, "--clip", "0")
    assert result.exit_code == 1
    assert re.search(r"Error: update \d+, epoch 1, steps .*: the .*What there was after update", result.stderr)
    assert tg.train.Run("a").update >= 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_stops_it_can_go_on(number):
    words = ["train", "--out", "a", "--text-file", "t.txt", *SMALL, "--updates", "1000000"]
    command = [sys.executable, "-W", "error", "-m", "tinygrad_rnn", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not process.stdout.readline().startswith("update 8,"):
            assert process.poll() is None
        os.kill(process.pid, number)
        _, complained = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.search(r"stopped after update \d+, which is kept in a; go on by: tinygrad-rnn resume a\n$", complained)
    at = tg.train.Run("a").update
    assert at >= 8
    assert run("resume", "a", "--updates", str(at + 1)).exit_code == 0


@pytest.mark.parametrize("command", ["resume", "forecast"])
def test_a_file_of_a_run_that_is_gone_is_named(command):
    Path("v.csv").write_text("v\n" + "\n".join(str(k % 7) for k in range(60)))
    assert run("train", "--out", "r", "--csv", "v.csv", "--hidden", "2", "--k1", "5", "--updates", "2").exit_code == 0
    Path("r/state.safetensors").unlink()
    found = run(command, "r")
    assert found.exit_code == 1
    assert "Error: r/state.safetensors: No such file or directory" in found.output


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_an_output_that_takes_no_more_is_not_taken_for_the_folder():
    with Path("/dev/full").open("w") as full:
        words = [sys.executable, "-m", "tinygrad_rnn", "train", "--out", "r", "--text-file", "t.txt", *SMALL]
        # As it is for most: what is written waits in a buffer, and is tried again when Python ends.
        buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        found = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, timeout=300, env=buffered)
    assert found.returncode == 1
    assert found.stderr.splitlines()[-1] == "Error: the standard output: No space left on device"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
@pytest.mark.parametrize("option", ["--text-file", "--csv"])
def test_a_pipe_is_refused_at_once_and_not_waited_for(option):
    os.mkfifo("pipe")
    for path in ("pipe", "/dev/null"):
        result = run("train", "--out", "a", option, path, *SMALL)
        assert result.exit_code == 1
        assert result.stderr.startswith(
            f"Error: {path} is a pipe, a device or the like, which cannot be read once more: "
        )
        assert result.stderr.count("\n") == 1
        assert not Path("a").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_nor_are_data_that_have_become_one():
    assert run("train", "--out", "a", "--text-file", "t.txt", *SMALL).exit_code == 0
    Path("t.txt").unlink()
    os.mkfifo("t.txt")
    result = run("resume", "a", "--updates", "30")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {Path('t.txt').resolve()} is a pipe, a device or the like")
    assert result.stderr.count("\n") == 1
    assert "is a pipe" in tg.train.Run("a").report().read_text("utf-8")  # which is shown without them


def test_what_is_not_installed_is_a_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    Path("w.pt").write_bytes(b"")
    result = run("train", "--out", "a", "--text-file", "t.txt", "--init-from", "w.pt", *SMALL)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].endswith("pip install 'tinygrad-rnn[torch]'")
    assert isinstance(result.exception, SystemExit)
    assert not Path("a").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no file has such a name there")
def test_a_name_of_several_lines_is_one():
    Path("a\nError: b.txt").write_text(SENTENCES)
    result = run("train", "--out", "a", "--text-file", "a\nError: b.txt", *SMALL)
    assert result.exit_code == 0, result.output
    assert "Error" not in {line[:5] for line in result.output.splitlines()}
