"""A sample that takes minutes: it is written as it comes, shows how far it is, ends when asked and fills no memory."""

import os
import re
import select
import signal
import subprocess
import sys
import tracemalloc
from collections import deque
from itertools import islice
from pathlib import Path

import pytest
from click.testing import CliRunner

import tinygrad_rnn as tg
from small_runs import fitted
from tinygrad_rnn.cli import main
from tinygrad_rnn.cli.files import print_parts

MANY = 1_000_000


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return fitted(tmp_path_factory.mktemp("runs") / "run")


def command(run, *words):
    return [sys.executable, "-W", "error", "-m", "tinygrad_rnn", "sample", str(run.path), *words]


def stopped(process, written):
    """Ctrl-C, once something is written."""
    while not written.stat().st_size:
        assert process.poll() is None
    os.kill(process.pid, signal.SIGINT)


def has_begun(run, written, says):
    """Whether a text is the beginning of what the run writes, and as long as is said."""
    text = written.read_text("utf-8")
    assert text == str(run.sample(len(text)))
    done = int(re.search(r"stopped after ([\d,]+) of 1,000,000 characters", says)[1].replace(",", ""))
    assert len(text) <= done <= len(text) + 64  # a piece may be on its way
    return True


@pytest.mark.slow
def test_what_was_written_stays_written_when_it_is_stopped(run, tmp_path):
    with (tmp_path / "text").open("wb") as out:
        words = command(run, "--length", str(MANY))
        with subprocess.Popen(words, stdout=out, stderr=subprocess.PIPE, text=True) as process:
            stopped(process, tmp_path / "text")
            _, says = process.communicate(timeout=300)
    assert process.returncode == 130
    assert re.fullmatch(r"stopped after [\d,]+ of 1,000,000 characters\n", says)
    assert has_begun(run, tmp_path / "text", says)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no pseudo-terminal")
def test_who_waits_at_a_terminal_sees_how_long(run, tmp_path):
    ours, theirs = os.openpty()
    with (tmp_path / "text").open("wb") as out:
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
        words = command(run, "--length", str(MANY))
        with subprocess.Popen(words, stdout=out, stderr=theirs, env=environment) as process:
            os.close(theirs)
            seen = ""
            while not re.search(r"[1-9][\d,]* of 1,000,000 characters", seen):
                assert select.select([ours], [], [], 300)[0]
                seen += os.read(ours, 65536).decode(errors="replace")
            stopped(process, tmp_path / "text")
            while True:
                try:
                    seen += os.read(ours, 65536).decode(errors="replace")
                except OSError:  # so Linux says that the program has ended
                    break
    os.close(ours)
    assert process.returncode == 130
    assert has_begun(run, tmp_path / "text", seen)


def test_no_bar_where_the_text_itself_is_seen_or_nobody_looks(run):
    result = CliRunner().invoke(main, ["sample", str(run.path), "--length", "200", "--prime", "the "])
    assert result.exit_code == 0
    assert result.stdout == f"{run.sample(200, prime='the ')}\n"
    assert result.stderr == ""


def test_a_letter_whose_bytes_lie_in_two_parts_is_one_at_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_parts([b"to b\xc3", b"\xa4", b"", b" or\xc3"], end=b"no end")
    assert capsys.readouterr().out == "to bä or\ufffd\n"


def test_a_text_takes_no_memory_as_it_gets_longer(run):
    def taken(length):
        writing = run.writing(length)
        deque(islice(writing, 100), maxlen=0)  # the network is recorded
        tracemalloc.start()
        deque(writing, maxlen=0)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert taken(4000) < taken(400) + 1000


@pytest.mark.parametrize(
    ("given", "says"),
    [({"temperature": "x"}, "temperature='x'"), ({"rng": "x"}, "rng='x'"), ({"prime": 3}, "prime=3")],
)
def test_what_cannot_be_written_is_refused_before_it_is(run, given, says):
    with pytest.raises(TypeError, match=says):
        run.writing(5, **given)


def test_a_text_is_the_same_in_pieces(run):
    how = {"prime": "the ", "temperature": 0.7, "rng": 3, "unknown": "refuse"}
    writing = run.writing(50, **how)
    text = "".join(islice(writing, 20)) + "".join(writing)
    assert tg.train.Sample("the ", text, writing.log_probability) == run.sample(50, **how)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_an_output_that_takes_no_more_is_said(run):
    with Path("/dev/full").open("w") as full:
        found = subprocess.run(command(run), stdout=full, stderr=subprocess.PIPE, text=True, timeout=300)
    assert found.returncode == 1
    assert found.stderr == "Error: the standard output: No space left on device\n"
