"""Two processes that begin at one moment: one trains, and the other is told so in a line."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import tinygrad_rnn as tg
from released_together import both_of
from small_runs import SENTENCES, fitted, kept
from tinygrad_rnn.cli import main

ROUNDS = 12
WORDS = ["--hidden", "5", "--batch", "2", "--k1", "4", "--updates", "24", "--every", "4"]


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
