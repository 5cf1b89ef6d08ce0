"""A file is whole or not there: whoever else writes, whoever is killed, and however full the disk is."""

import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from tinygrad_rnn.exchange import files
from tinygrad_rnn.exchange.files import UNFINISHED, write_whole
from tinygrad_rnn.view import Trace

RACE = """
import sys, time
from tinygrad_rnn.exchange.files import write_whole
folder, me, start = sys.argv[1], sys.argv[2], float(sys.argv[3])
for k in range(50):
    while time.time() < start + 0.01 * k:
        pass
    try:
        write_whole(f"{folder}/{k}.txt", lambda: me.encode() * 100_000)
    except FileExistsError:
        continue
    print(k)
"""


@pytest.mark.slow
def test_of_four_who_write_a_new_file_one_has_written_it(tmp_path):
    start = str(time.time() + 4)
    command = [sys.executable, "-c", RACE, str(tmp_path)]
    writers = [subprocess.Popen([*command, me, start], stdout=subprocess.PIPE, text=True) for me in "abcd"]
    said = dict(zip("abcd", [writer.communicate(timeout=60)[0].split() for writer in writers], strict=True))
    assert sorted(int(k) for rounds in said.values() for k in rounds) == list(range(50))
    for me, rounds in said.items():
        for k in rounds:
            assert (tmp_path / f"{k}.txt").read_bytes() == me.encode() * 100_000
    assert len(list(tmp_path.iterdir())) == 50


KILLED = """
import sys
from tinygrad_rnn.exchange.files import write_whole
print("ready", flush=True)
for k in range(10**9):
    write_whole(sys.argv[1], lambda: bytes([k % 250]) * 3_000_000, overwrite=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_of_sixty_who_are_killed_none_leaves_half_a_file(tmp_path):
    path = tmp_path / "a.bin"
    for k in range(15):
        group = [subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE) for _ in range(4)]
        for writer in group:
            writer.stdout.readline()
        time.sleep(0.003 * k)
        for writer in group:
            writer.send_signal(signal.SIGKILL)
            writer.wait()
            writer.stdout.close()
        if path.exists():
            content = path.read_bytes()
            assert len(content) == 3_000_000
            assert len(set(content)) == 1
    write_whole(path, lambda: b"next", overwrite=True)
    assert [each.name for each in tmp_path.iterdir()] == ["a.bin"]


@pytest.mark.skipif(os.name == "nt", reason="no limit on the size of files")
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_full_disk_leaves_what_was_there(tmp_path, overwrite):
    resource = pytest.importorskip("resource")
    path = tmp_path / ("old" if overwrite else "new")
    (tmp_path / "old").write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_whole(path, lambda: bytes(20_000), overwrite)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [each.name for each in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old").read_bytes() == b"old"


@pytest.mark.parametrize("made", ["file", "folder", "link to nowhere", "link to a file"])
def test_what_appears_while_the_content_is_made_is_not_replaced(tmp_path, made):
    path = tmp_path / "a"

    def content():
        match made:
            case "file":
                path.write_bytes(b"theirs")
            case "folder":
                path.mkdir()
            case "link to nowhere":
                path.symlink_to(tmp_path / "b")
            case "link to a file":
                (tmp_path / "b").write_bytes(b"theirs")
                path.symlink_to(tmp_path / "b")
        return b"ours"

    if made == "link to nowhere":  # a link is followed
        write_whole(path, content)
        assert (tmp_path / "b").read_bytes() == b"ours"
    else:
        with pytest.raises(OSError, match=r"exists already|is a folder|Is a directory"):
            write_whole(path, content)
        assert path.is_dir() or path.read_bytes() == b"theirs"
    assert not list(tmp_path.glob(f"{UNFINISHED}*"))


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK])
def test_a_file_system_without_links(tmp_path, monkeypatch, number):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    assert write_whole(tmp_path / "a", lambda: b"a").read_bytes() == b"a"
    with pytest.raises(FileExistsError):
        files._take_the_name(tmp_path / "a", tmp_path / "a")
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_only_what_nobody_holds_is_left_over(tmp_path):
    (tmp_path / f"{UNFINISHED}0").write_bytes(b"left")
    with files._unfinished(tmp_path) as (_, held):
        write_whole(tmp_path / "a", lambda: b"a")
        assert held.exists()
        assert not (tmp_path / f"{UNFINISHED}0").exists()
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_trap_that_is_named_like_something_left_over_catches_nobody(tmp_path):
    os.mkfifo(tmp_path / f"{UNFINISHED}pipe")
    (tmp_path / "theirs").write_bytes(b"theirs")
    (tmp_path / f"{UNFINISHED}link").symlink_to(tmp_path / "theirs")
    (tmp_path / f"{UNFINISHED}folder").mkdir()
    write_whole(tmp_path / "a", lambda: b"a")
    assert (tmp_path / "theirs").read_bytes() == b"theirs"


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o444])
def test_an_old_file_keeps_its_permissions(tmp_path, mode):
    path = write_whole(tmp_path / "a", lambda: b"a")
    path.chmod(mode)
    write_whole(path, lambda: b"b", overwrite=True)
    assert path.stat().st_mode & 0o777 == mode
    assert path.read_bytes() == b"b"


def test_a_file_that_is_read_is_read_to_a_limit(tmp_path):
    for content, says in [
        (b"{" + b" " * 17_000_000, "more than 16 MB"),
        (b'{"format": "\xff"}', "can't decode byte"),
        (b"", "it is not JSON"),
        (b"\xef\xbb\xbf{}", "it is not JSON|is not"),
    ]:
        path = tmp_path / "a.json"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=says):
            Trace.load(path)


@pytest.mark.skipif(os.name == "nt", reason="links need permission on Windows")
@pytest.mark.parametrize("make", [lambda path: path.write_text("mine"), lambda path: path.symlink_to("nowhere")])
def test_where_no_folder_can_be_made(tmp_path, monkeypatch, make):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "out")
    with pytest.raises(FileExistsError):
        files.new_folder("a", under="out")


def test_a_folder_for_each_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [files.new_folder("a", under="b/c").as_posix() for _ in range(3)] == ["b/c/a", "b/c/a-2", "b/c/a-3"]


@pytest.mark.parametrize("name", [3, None, b"a", "", ".", "..", "a/b", "../a", "a\0b"])
def test_a_folder_has_one_name(tmp_path, name):
    with pytest.raises((TypeError, ValueError), match=r"it is (a string|one name)|a NUL in it"):
        files.new_folder(name, under=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("under", [3, None, b"a"])
def test_a_folder_is_made_under_a_path(under):
    with pytest.raises(TypeError, match="pass the name of a file"):
        files.new_folder("a", under=under)
