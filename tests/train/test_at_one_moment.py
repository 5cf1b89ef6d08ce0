"""Two processes that begin at one moment: one trains, and the other is told so in a line."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import tinygrad_rnn as tg
from small_runs import SENTENCES, fitted, kept
from tinygrad_rnn.cli import main

ROUNDS = 12
WORDS = ["--hidden", "5", "--batch", "2", "--k1", "4", "--updates", "24", "--every", "4"]


def many_times(commands, released, answers):
    """Say each command's exit code and last line; both processes begin each at one moment."""
    for command in commands:
        released.wait()
        result = CliRunner().invoke(main, command)
        answers.put((command, result.exit_code, result.stderr.splitlines()[-1:]))


def both_of(commands):
    """How two processes have ended that were released at one moment, for each command."""
    spawned = multiprocessing.get_context("spawn")
    released, answers = spawned.Barrier(2), spawned.Queue()
    two = [spawned.Process(target=many_times, args=(commands, released, answers)) for _ in range(2)]
    for one in two:
        one.start()
    found = [answers.get(timeout=300) for _ in range(2 * len(commands))]
    for one in two:
        one.join()
    return [sorted((code, says) for command, code, says in found if command == each) for each in commands]


@pytest.mark.slow
def test_of_two_that_begin_a_run_one_does(tmp_path):
    (tmp_path / "t.txt").write_text(SENTENCES)
    runs = [tmp_path / f"run{k}" for k in range(ROUNDS)]
    words = ["--text-file", str(tmp_path / "t.txt"), *WORDS]
    ended = both_of([["train", "--out", str(run), *words] for run in runs])
    whole = kept(fitted(tmp_path / "whole"))
    for run, (one, (code, says)) in zip(runs, ended, strict=True):
        assert one[0] == 0
        assert code == 1
        assert "another process trains in this folder" in says[0] or "holds a run already: go on with it" in says[0]
        assert kept(tg.train.Run(run)) == whole
        assert not list(run.glob(".unfinished*"))


@pytest.mark.slow
def test_of_two_that_go_on_one_does(tmp_path):
    done = fitted(tmp_path / "done", updates=12)
    runs = [shutil.copytree(done.path, tmp_path / f"run{k}") for k in range(ROUNDS)]
    ended = both_of([["resume", str(run), "--updates", "24"] for run in runs])
    whole = kept(fitted(tmp_path / "whole"))
    for run, (one, (code, says)) in zip(runs, ended, strict=True):
        assert one[0] == 0
        assert code == 1
        assert "another process trains in this folder" in says[0] or "nothing is left to do" in says[0]
        assert kept(tg.train.Run(run)) == whole


@pytest.mark.slow
def test_whoever_comes_behind_a_holder_that_was_killed_goes_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("t.txt").write_text(SENTENCES)
    words = ["train", "--out", "a", "--text-file", "t.txt", *WORDS, "--updates", "1000000"]
    with subprocess.Popen([sys.executable, "-m", "tinygrad_rnn", *words], stdout=subprocess.PIPE, text=True) as holder:
        while not holder.stdout.readline().startswith("update 8,"):
            assert holder.poll() is None
        refused = CliRunner().invoke(main, ["resume", "a", "--minutes", "0.01"])
        assert refused.exit_code == 1
        assert refused.stderr == "Error: a: another process trains in this folder; wait for its end\n"
        os.kill(holder.pid, signal.SIGKILL)
    at = tg.train.Run("a").update
    result = CliRunner().invoke(main, ["resume", "a", "--updates", str(at + 4)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert tg.train.Run("a").update == at + 4
