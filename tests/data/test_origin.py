"""What was read says where it came from, so that it can be read once more, and be told from what has changed."""

import hashlib
import io

import numpy as np

import tinygrad_rnn as tg


def test_a_table_can_be_read_once_more(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    raw = b"day;a;b\n1;1,5;2\n2;;3\n3;2,5;4\n"
    (tmp_path / "t.csv").write_bytes(raw)
    read = tg.data.table("t.csv", sep=";", decimal=",", columns=["a", "b"], missing="hold")
    origin = read.origin
    assert origin.path == str(tmp_path / "t.csv")
    assert (origin.bytes, origin.sha256) == (len(raw), hashlib.sha256(raw).hexdigest())
    again = tg.data.table(origin.path, **origin.settings)
    assert np.array_equal(again.values, read.values)
    assert again.origin == origin
    assert "header" not in origin.settings


def test_a_text_says_its_encoding(tmp_path):
    (tmp_path / "t.txt").write_bytes("löß".encode("cp1252"))
    read = tg.data.text(tmp_path / "t.txt", encoding="cp1252")
    assert tg.data.text(read.origin.path, **read.origin.settings) == read
    as_bytes = tg.data.text(tmp_path / "t.txt", encoding="bytes")
    assert as_bytes.origin.sha256 == read.origin.sha256


def test_what_has_no_name_has_no_path():
    assert tg.data.text(io.BytesIO(b"abc")).origin.path == ""
