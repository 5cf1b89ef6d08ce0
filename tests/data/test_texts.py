"""Texts: every character as it stands, but for the marks and line ends that are named."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_rnn.data import DataError, text


def read(content, **settings):
    return text(io.BytesIO(content), **settings)


@settings(deadline=None)
@given(st.text(min_size=1).filter(lambda written: "\r\n" not in written and not written.startswith("\ufeff")))
def test_characters_come_back_one_by_one(written):
    encoded = written.encode(errors="ignore")
    if b"\0" not in encoded and encoded and not encoded.startswith((b"BZh", b"%PDF", b"PAR1")):
        found = read(encoded)
        assert found.text == encoded.decode()
        assert set(found.alphabet) == set(found.text)
        assert len(found.alphabet) == len(set(found.alphabet))


def test_a_mark_is_obeyed_and_is_no_character():
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        assert read("we sée".encode(encoding)).text == "we sée"


def test_line_ends_of_windows_become_newlines_and_no_other_is_touched():
    found = read("a\r\nb\rc\u2028d\u0301\r\n".encode())
    assert found.text == "a\nb\rc\u2028d\u0301\n"
    assert found.understood == (
        "the file: 9 symbols, 8 different ones; read as UTF-8",
        "2 line ends of Windows have become newlines",
    )


def test_bytes_are_symbols_of_their_own():
    found = read(b"\xff\x00\r\n", encoding="bytes")
    assert [ord(symbol) for symbol in found.text] == [255, 0, 13, 10]
    assert len(found.alphabet) == 256


def test_what_is_no_text_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"line 2: byte 3 \(0xe9\) means nothing in UTF-8.* pass encoding='cp1252'"):
        read("ab\né".encode("cp1252"))
    with pytest.raises(DataError, match="is empty"):
        read(b"")
    with pytest.raises(DataError, match="pass encoding='utf-16-le'"):
        read("abc".encode("utf-16-le"))
    with pytest.raises(DataError, match="no encoding that Python knows"):
        read(b"a", encoding="no such")
    with pytest.raises(FileNotFoundError):
        text(tmp_path / "no.txt")
