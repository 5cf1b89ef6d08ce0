"""The commands sweep and arena, as somebody types them."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import tinygrad_rnn as tg
from tinygrad_rnn.cli import main
from tinygrad_rnn.experiments.arena.rivals import STREAMS
from tinygrad_rnn.experiments.arena.tasks import task
from tinygrad_rnn.experiments.kinds import descent, train

MINE = "def train(eta, seed, T):\n    if seed == 9:\n        raise ValueError('no nine')\n    return eta * seed + T\n"
FEW = ["--rivals", "guessing", "--budget", "30", "--seeds", "1", "--no-tune"]
WHOLE = {
    "function": 'function = "mine:train"',
    "out": 'out = "mine.jsonl"',
    "grid": "[grid]\neta = [0.1, 1.0]\nseed = [1, 2]",
    "fixed": "[fixed]\nT = 5",
}


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(MINE)


def run(*words):
    return CliRunner().invoke(main, words)


def said(**changed):
    Path("s.toml").write_text("\n".join({**WHOLE, **changed}.values()))
    return "s.toml"


def test_a_file_is_run_and_gone_on_with():
    result = run("sweep", said(), "--processes", "0")
    assert (result.exit_code, result.output) == (0, "4 points, 0 failed: mine.jsonl\n")
    records = [json.loads(line) for line in Path("mine.jsonl").read_text().splitlines()]
    assert [r["result"] for r in records] == [0.1 * 1 + 5, 0.1 * 2 + 5, 6.0, 7.0]
    assert records[0]["point"] == {"T": 5, "eta": 0.1, "seed": 1}
    before = Path("mine.jsonl").read_bytes()
    more = said(grid="[grid]\neta = [0.1, 1.0]\nseed = [1, 2, 9]")
    result = run("sweep", more, "--processes", "0")
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "6 points, 2 failed: mine.jsonl",
        "the first with ValueError: no nine (mine.py:3, in train)",
        "once the cause is mended, --retry-failed runs them again",
    ]
    assert Path("mine.jsonl").read_bytes().startswith(before)
    Path("mine.py").write_text(MINE.replace("== 9", "== 10"))
    again = run("sweep", more, "--processes", "0", "--retry-failed")
    assert "2 failed" in again.output  # a module that is imported stays as it is in this process
    assert Path("mine.jsonl").read_text().count('"ok": false') == 4


def test_after_ctrl_c_the_code_is_that_of_a_stop_and_the_same_command_goes_on():
    Path("stopped.py").write_text(MINE.replace("raise ValueError('no nine')", "raise KeyboardInterrupt"))
    result = run("sweep", said(function='function = "stopped:train"', grid="[grid]\neta = [0.1]\nseed = [1, 9]"))
    assert (result.exit_code, result.output) == (
        130,
        "stopped. What is done is kept, and the same command goes on from there.\n",
    )
    assert Path("mine.jsonl").read_text().count("\n") == 1  # what was done before


def test_a_kind_is_known_by_one_word():
    file = said(
        function='function = "descent"', grid="[grid]\neta = [0.1]\nradius = [1.0]", fixed="[fixed]\nupdates = 3"
    )
    assert run("sweep", file, "--processes", "0").exit_code == 0
    (record,) = map(json.loads, Path("mine.jsonl").read_text().splitlines())
    assert record["result"] == descent(eta=0.1, radius=1.0, updates=3)


def test_a_training_run_is_a_kind():
    fixed = "[fixed]\ndata = 'sunspots'\nupdates = 3\nhidden = 2\ntest = 0.1"
    file = said(function='function = "train"', grid="[grid]\neta = [0.01, 0.1]\nseed = [0, 1]", fixed=fixed)
    result = run("sweep", file, "--processes", "0")
    assert (result.exit_code, result.output) == (0, "4 points, 0 failed: mine.jsonl\n")
    records = [json.loads(line) for line in Path("mine.jsonl").read_text().splitlines()]
    assert len({r["result"]["best"] for r in records}) == 4
    for record in records:
        place = f"by hand {record['point']['eta']} {record['point']['seed']}"
        by_hand = tg.train.fit("lstm", tg.data.sunspots(), out=place, **_without_data(record["point"]))
        expected = {"best": by_hand.history[-1]["best"], "test": by_hand.price("test"), "updates": 3}
        assert record["result"] == expected


def _without_data(point):
    return {name: value for name, value in point.items() if name != "data"}


def test_a_training_run_reads_a_file():
    Path("table.csv").write_text("a;b\n" + "".join(f"{k % 7};{k % 5}\n" for k in range(200)))
    Path("text.txt").write_text("to be or not to be, " * 60)
    few = {"updates": 2, "hidden": 2, "k1": 10, "batch": 1}
    found = train(csv="table.csv", target="b", missing="hold", **few)
    read = tg.data.table("table.csv", target="b", missing="hold")
    assert found["best"] == tg.train.fit("lstm", read, out="by hand", **few).history[-1]["best"]
    assert found != train(csv="table.csv", **few)
    assert train(text_file="text.txt", cell="elman", **few)["updates"] == 2


def test_a_training_run_without_a_validation_part_says_what_training_came_to():
    found = train(data="nile", updates=2, hidden=2, validate=0)
    assert found == {"train": pytest.approx(found["train"]), "updates": 2}
    assert found["train"] > 0


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "nothing says what to learn"),
        ({"data": "nile", "csv": "a.csv"}, "data, csv says what to learn: give one of"),
        ({"data": "chess"}, "data='chess': it must be one of constitution, "),
        ({"data": "nile", "target": "Nile"}, "unexpected keyword argument 'target'"),
        ({"data": "nile", "depth": 3}, "unexpected keyword argument 'depth'"),
        ({"data": "nile", "out": "a"}, "'out'"),
    ],
)
def test_what_is_no_training_run_is_refused(given, says):
    with pytest.raises((ValueError, TypeError), match=says):
        train(**given)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"function": ""}, "function is missing"),
        ({"grid": ""}, "grid is missing"),
        ({"function": "function = 3"}, "function must be a text"),
        ({"function": 'function = "mine"'}, "write module:function, or one of the kinds, descent"),
        ({"function": 'function = "nomodule:f"'}, "No module named 'nomodule'"),
        ({"function": 'function = "mine:test"'}, "mine has no such name"),
        ({"function": 'function = "mine:__name__"'}, "it is no function"),
        ({"grid": "[grid]\neta = 3"}, "eta=3: give the values in a list"),
        ({"grid": "[grid]\neta = []"}, "eta=[]: it has no value, and so there is no point"),
        ({"fixed": "[fixed]\neta = 3"}, "eta is in grid and in fixed"),
        ({"out": 'onto = "a"'}, "onto means nothing here"),
        ({"out": "out = "}, "is no TOML"),
        ({"out": 'out = "nodir/a"'}, "there is no folder nodir"),
        ({"out": 'out = "mine.py"'}, "mine.py, line 1: this is no line of a sweep"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(changed, says):
    result = run("sweep", said(**changed), "--processes", "0")
    assert result.exit_code == 1
    assert says in result.output
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    assert Path("mine.py").read_text() == MINE


@pytest.mark.skipif(os.name == "nt", reason="Windows has other terminals")
def test_at_a_terminal_the_bar_is_drawn():
    Path("mine.toml").write_text(
        'function = "descent"\nout = "r.jsonl"\n[grid]\nradius = [1.0]\n[fixed]\neta = 0.1\nupdates = 1'
    )
    ours, theirs = os.openpty()
    with contextlib.closing(os.fdopen(ours, "rb", buffering=0)) as reader:
        command = [sys.executable, "-m", "tinygrad_rnn", "sweep", "mine.toml", "--processes", "0"]
        environment = {**os.environ, "TERM": "xterm"}
        done = subprocess.Popen(command, stderr=theirs, stdout=subprocess.DEVNULL, env=environment)
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # so Linux says that the program has ended
            while part := reader.read(65536):
                shown += part
        assert done.wait(300) == 0
    assert b"\x1b[" in shown
    assert "\N{SYMBOL FOR ESCAPE}".encode() not in shown


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is full")
@pytest.mark.parametrize("word", ["sweep", "arena"])
def test_a_file_that_takes_no_more_is_named(word):
    words = [said(out='out = "/dev/full"')] if word == "sweep" else ["--tasks", "parity", "-o", "/dev/full", *FEW]
    result = run(word, *words, "--processes", "0")
    assert (result.exit_code, result.output) == (1, "Error: /dev/full: No space left on device\n")


def test_what_is_not_installed_is_said_before_the_first_run(monkeypatch):
    monkeypatch.setitem(sys.modules, "cma", None)
    result = run("arena", "--tasks", "parity", "--rivals", "adam,cma", "--budget", "30", "--processes", "0")
    assert result.exit_code == 1
    assert result.output == (
        "Error: arena: cma needs cma, which is not installed: pip install 'tinygrad-rnn[experiments]', or leave it to "
        "rivals such as adam\n"
    )
    monkeypatch.setitem(sys.modules, "reservoirpy", None)
    task.cache_clear()
    result = run("arena", "--tasks", "parity,laser", *FEW, "--processes", "0")
    assert result.exit_code == 1
    assert "pip install 'tinygrad-rnn[data]'" in result.output
    assert not Path("arena.jsonl").exists()


def test_a_file_that_is_not_there_and_a_scheduler_that_does_not_answer():
    assert run("sweep", "no.toml").output == "Error: no.toml: No such file or directory\n"
    result = run("sweep", said(), "--scheduler", "tcp://127.0.0.1:9")
    assert "there is no scheduler of Dask at tcp://127.0.0.1:9" in result.output
    assert not Path("mine.jsonl").exists()


def test_the_arena_prints_its_table_and_refuses_what_it_does_not_know():
    words = "--budget", "30", "--seeds", "2", "--no-tune", "--processes", "0"
    ran = "--tasks", "sunspots, parity", "--rivals", "adam,guessing", "--summary", "kept.json"
    result = run("arena", *ran, *words)
    assert result.exit_code == 0, result.output
    assert result.output.count("BPTT + Adam") == 2
    assert len(Path("arena.jsonl").read_text().splitlines()) == 8
    kept = json.loads(Path("kept.json").read_text())
    assert [row["name"] for row in kept["tasks"]["parity"]] == ["BPTT + Adam", "guessing"]
    for rows in kept["tasks"].values():
        for row in rows:
            low, middle, high = np.array(row["quartiles"])
            assert middle.shape == np.shape(kept["marks"])
            assert (low <= middle).all()
            assert (middle <= high).all()
    assert kept["versions"]["numpy"] == np.__version__
    assert "on_line" not in kept
    result = run("arena", "--tasks", "chess", *words)
    assert result.exit_code == 1
    assert result.output.startswith("Error: arena: tasks has 'chess': they are mackey_glass")


def test_the_first_table_is_there_even_if_the_second_is_not(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    result = run("arena", "--tasks", "sunspots", *FEW, "--on-line", "40", "--processes", "0")
    assert result.exit_code == 1
    assert "sunspots, 30 FE" in result.stdout
    assert result.stderr.startswith("Error: arena: lbfgs needs scipy")


def test_a_second_table_has_those_who_learn_on_line():
    words = "--tasks", "sunspots,parity", "--rivals", "guessing", "--budget", "30", "--on-line", "40"
    result = run("arena", *words, "--seeds", "1", "--no-tune", "--processes", "0", "--summary", "kept.json")
    assert result.exit_code == 0, result.output
    kept = json.loads(Path("kept.json").read_text())
    assert list(kept["tasks"]) == ["sunspots", "parity"]
    assert list(kept["on_line"]["tasks"]) == ["sunspots"]
    assert {row["rival"] for row in kept["on_line"]["tasks"]["sunspots"]} >= STREAMS.keys()
    assert (kept["budget"], kept["on_line"]["budget"]) == (30, 40)
    assert "sunspots, 40 FE" in result.output
    assert "no second table" not in result.output
    other = run("arena", "--tasks", "parity", *words[2:], "--seeds", "1", "--no-tune", "--processes", "0")
    assert other.output.endswith("\nno second table: on parity nothing can be learnt on-line\n")
