"""A folder that takes nothing, and a disk that is full: a line says so, and the run stays what it was."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

import tinygrad_rnn as tg
from small_runs import SENTENCES, copied, fitted, kept
from tinygrad_rnn.cli import main
from tinygrad_rnn.train import folder as folder_module

SMALL = ["--hidden", "5", "--batch", "2", "--k1", "4", "--every", "4"]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return fitted(tmp_path_factory.mktemp("done") / "run")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("t.txt").write_text(SENTENCES)


@contextmanager
def mounted(at, *words):
    """A folder in which something else is mounted: root may write wherever a mode says no."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root can mount, and only here")
    if subprocess.run(["mount", *words, str(at)], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(at)], check=True)


@contextmanager
def taking_nothing(folder):
    """A folder that cannot be written into."""
    if sys.platform == "win32":
        pytest.skip("a folder has no such mode")
    if os.geteuid():
        mode = folder.stat().st_mode
        folder.chmod(0o555)
        try:
            yield
        finally:
            folder.chmod(mode)
        return
    with mounted(folder, "--bind", str(folder)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        yield


def refused(*words):
    """What a command says in its last line, which is all that it says of what went wrong."""
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.stderr.count("Error") == 1
    return result.stderr.splitlines()[-1]


def begin(out):
    return refused("train", "--out", str(out), "--text-file", "t.txt", *SMALL, "--updates", "24")


def test_a_folder_that_takes_nothing_is_named(done):
    run = copied(done, Path("a/run"))
    Path("a/empty").mkdir()
    before = kept(run)
    with taking_nothing(Path("a")):
        assert begin("a/new").startswith("Error: a/new: ")
    for each in ("a/run", "a/empty"):
        with taking_nothing(Path(each)):
            says = refused("resume", "a/run", "--updates", "30") if each == "a/run" else begin("a/empty")
            assert says in (f"Error: {each}: Read-only file system", f"Error: {each}: Permission denied")
            if each == "a/run":
                assert tg.train.Run(each).update == 24  # who only looks is let in
                assert CliRunner().invoke(main, ["sample", each, "--length", "5"]).exit_code == 0
                assert refused("report", each).startswith(f"Error: {Path(each) / 'report.html'}: ")
    assert kept(run) == before
    assert list(Path("a/empty").iterdir()) == []


def test_below_a_file_there_is_no_folder():
    assert begin("t.txt/run") == "Error: t.txt/run: Not a directory"
    assert "holds no run" in refused("resume", "t.txt/run")
    assert Path("t.txt").read_text() == SENTENCES


def test_a_file_system_without_locks_is_not_taken_for_another_process(done, monkeypatch):
    def without(file):
        raise OSError(95, "Operation not supported")

    run = copied(done, Path("run"))
    monkeypatch.setattr(folder_module, "_lock", without)
    assert refused("resume", "run", "--updates", "30") == "Error: run: Operation not supported"
    assert run.update == 24


def filled(folder, room):
    """All of a disk but so many bytes."""
    with (folder / "filler").open("wb", buffering=0) as file:
        while True:
            try:
                file.write(b"x" * 4096)
            except OSError:
                break
    os.truncate(folder / "filler", (folder / "filler").stat().st_size - room)


@pytest.mark.parametrize("pages", [0, 1])
def test_on_a_full_disk_nothing_is_lost(done, pages):
    disk = Path("disk")
    disk.mkdir()
    with mounted(disk, "-t", "tmpfs", "-o", "size=200k", "none"):
        run = copied(done, disk / "run")
        filled(disk, 4096 * pages)
        says = refused("resume", str(run.path), "--updates", "60")
        assert says.startswith(f"Error: {run.path}")
        assert says.endswith(": No space left on device")
        assert run.update >= 24
        assert run.sample(5).text
        (disk / "filler").unlink()
        run.resume(updates=60)
        assert kept(run) == kept(fitted(Path("whole"), updates=60))


@pytest.mark.parametrize("pages", [0, 1, 2, 3])
def test_a_run_that_a_full_disk_has_kept_from_beginning_is_begun_there_later(pages):
    disk = Path("disk")
    disk.mkdir()
    with mounted(disk, "-t", "tmpfs", "-o", "size=200k", "none"):
        (disk / "run").mkdir()
        filled(disk, 4096 * pages)
        assert begin(disk / "run").endswith(": No space left on device")
        (disk / "filler").unlink()
        if (disk / "run" / "run.json").exists():
            tg.train.Run(disk / "run").resume()
        else:
            fitted(disk / "run")
        assert kept(tg.train.Run(disk / "run")) == kept(fitted(Path("whole")))
