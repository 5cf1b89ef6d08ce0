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


KINDS = {
    "one symbol": (b"a", "a"),
    "one symbol again and again": (b"aaaa", "aaaa"),
    "line ends of Unix": (b"a\nb\n", "a\nb\n"),
    "line ends of Windows": (b"a\r\nb\r\n", "a\nb\n"),
    "line ends of old Macs": (b"a\rb\r", "a\rb\r"),
    "all of them mixed": (b"a\r\n\rb\n\r\r\n", "a\n\rb\n\r\n"),
    "no line end at the end": (b"a\nb", "a\nb"),
    "other separators of lines": ("a\u2028b\u2029c\x85d\x0be\x0c".encode(), "a\u2028b\u2029c\x85d\x0be\x0c"),
    "a mark of UTF-8": ("\ufeffwe sée".encode(), "we sée"),
    "two marks": ("\ufeff\ufeffa".encode(), "\ufeffa"),
    "a mark in the middle": ("a\ufeffb".encode(), "a\ufeffb"),
    "a letter with its accent": ("é".encode(), "\u00e9"),
    "a letter and its accent": ("e\u0301".encode(), "e\u0301"),
    "a family of four": ("👨‍👩‍👧‍👦!".encode(), "👨\u200d👩\u200d👧\u200d👦!"),
    "Chinese": ("学而时习之".encode(), "学而时习之"),
    "Arabic and Hebrew": ("سلام שלום".encode(), "سلام שלום"),
    "Greek in UTF-16": ("λόγος".encode("utf-16"), "λόγος"),
    "old Mac in UTF-16": ("a\rb".encode("utf-16"), "a\rb"),
    "English in UTF-32": (b"\xff\xfe\x00\x00" + "a b".encode("utf-32-le"), "a b"),
    "control characters": (b"a\x1b[31mb\x07\x08\t", "a\x1b[31mb\x07\x08\t"),
    "a tune": (b"X:1\nT:Reel\nK:D\n|:A2 d>e|\n", "X:1\nT:Reel\nK:D\n|:A2 d>e|\n"),
    "code": (b"int main() {\n\treturn 0;\n}\n", "int main() {\n\treturn 0;\n}\n"),
    "markup": (b"<p>&amp;</p>", "<p>&amp;</p>"),
    "JSON": (b'{"a": "\\u00e9"}', '{"a": "\\u00e9"}'),
    "trailing spaces": (b"a  \n  b\t\n", "a  \n  b\t\n"),
}


@pytest.mark.parametrize(("content", "written"), KINDS.values(), ids=KINDS)
def test_each_kind_of_text_is_read_as_it_stands(content, written):
    found = read(content)
    assert found.text == written
    assert found.alphabet == tuple(dict.fromkeys(written))


REFUSED = {
    "nothing": (b"", {}, "is empty"),
    "a mark alone": ("\ufeff".encode(), {}, "is empty"),
    "Windows-1252": ("déjà".encode("cp1252"), {}, r"line 1: byte 1 \(0xe9\) means nothing in UTF-8.*'cp1252'"),
    "half a character": ("é".encode()[:1], {}, r"byte 0 \(0xc3\)"),
    "a surrogate": (b"\xed\xa0\x80", {}, r"byte 0 \(0xed\)"),
    "UTF-16 without a mark": ("abc".encode("utf-16-be"), {}, "pass encoding='utf-16-be'"),
    "half of UTF-16": (b"\xff\xfea", {}, "means nothing in UTF-16, which the file's mark says"),
    "a mark and a wrong byte": (b"\xef\xbb\xbfa\xff", {}, r"byte 4 \(0xff\) .*, which the file's mark says"),
    "zeros": (b"a\x00b\x00", {}, "bytes of 0"),
    "gzip": (b"\x1f\x8b\x08\x00", {}, "is compressed by gzip; unpack it"),
    "a PDF": (b"%PDF-1.7\n", {}, "is a PDF"),
    "a word processor's": (b"PK\x03\x04", {}, "another zip"),
    "another mark than is said": ("\ufeffa".encode(), {"encoding": "latin-1"}, "the mark of UTF-8"),
    "no ASCII": ("é".encode(), {"encoding": "ascii"}, "means nothing in ascii"),
    "no encoding": (b"a", {"encoding": "rot13"}, "no encoding that Python knows"),
}


@pytest.mark.parametrize(("content", "settings", "why"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_told_is_refused_with_the_way_out(content, settings, why):
    with pytest.raises(DataError, match=why) as refused:
        read(content, **settings)
    for way in refused.value.ways:
        assert read(content, **{**settings, **way}).text


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


def test_a_text_is_not_taken_for_the_name_of_its_file():
    with pytest.raises(DataError, match=r"'to be or .* is too long for the name of a file: .* io\.BytesIO"):
        text("to be or not to be, " * 60)
