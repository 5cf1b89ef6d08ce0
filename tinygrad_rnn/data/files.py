"""The characters of a file: all of them, or a reason."""

from __future__ import annotations

import codecs
import errno
import os
from pathlib import Path
from typing import IO, NamedTuple

from ..autodiff.calling import shortened
from .refusal import DataError

Source = str | os.PathLike[str] | IO[bytes]

MOST = 2**28  # bytes: a table of some ten million rows; what has no end, such as a pipe, would fill the memory
LONGEST = 10**6  # bytes without the end of a line: no table has such a line, and /dev/zero has no other

# What other programs write is told by its first bytes, and is better named than read as text.
KINDS = {
    b"PK\x03\x04": "a workbook or another zip; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old workbook; save the sheet as CSV",
    b"\x1f\x8b": "compressed by gzip; unpack it",
    b"BZh": "compressed by bzip2; unpack it",
    b"\xfd7zXZ\x00": "compressed by xz; unpack it",
    b"PAR1": "in Parquet's format; save it as CSV",
    b"\x93NUMPY": "an array of NumPy's; numpy.load reads it",
    b"\x89HDF": "in HDF5; save it as CSV",
    b"%PDF": "a PDF; a table must be text",
}

# The marks are also how UTF-32 and UTF-16 begin, so the longer ones come first.
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class Characters(NamedTuple):
    """What a file holds, with the name to call it by, the encoding that it was read in, and its bytes."""

    name: str
    text: str
    encoding: str
    raw: bytes


def name_of(source: Source) -> str:
    """What to call a file in a message.

    Raises
    ------
    TypeError
        If it is neither a path nor a file that is open for bytes.
    """
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    if not hasattr(source, "read"):
        raise TypeError(f"source={shortened(source)} is no file: give a path, or a file opened with 'rb'")
    name = getattr(source, "name", "the file")
    return "the standard input" if name == "<stdin>" else name if isinstance(name, str) else "the file"


def content(source: Source, *, lines: bool) -> bytes:
    """The bytes of a file.

    Parameters
    ----------
    source : path-like or binary file
        The file.
    lines : bool
        Whether it must have lines, as a table has.

    Raises
    ------
    DataError
        If it is no text, has no end in sight, or is no file.
    OSError
        If the system does not read it.
    """
    name = name_of(source)
    if not isinstance(source, str | os.PathLike):
        return _content(name, source, lines)
    try:
        refuse_what_is_no_file(Path(source))
        with Path(source).open("rb") as file:
            return _content(name, file, lines)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise DataError(
            f"{shortened(name)} is too long for the name of a file: give a text that is in memory as "
            "io.BytesIO(text.encode())"
        ) from None


def refuse_what_is_no_file(path: Path) -> None:
    """Raise DataError for a pipe or a device: it may wait for ever, has perhaps no end, and is read only once."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise DataError(
            f"{path} is a pipe, a device or the like, which cannot be read once more: save what it says in a file, or "
            "give it as the standard input"
        )


def _content(name: str, file: IO[bytes], lines: bool) -> bytes:
    raw = file.read(LONGEST)
    if not isinstance(raw, bytes):
        raise TypeError(f"{name} is open for text: open it with 'rb', so that its encoding can be told")
    for mark, kind in KINDS.items():
        if raw.startswith(mark):
            raise DataError(f"{name} is {kind}")
    if lines and len(raw) == LONGEST and b"\n" not in raw and b"\r" not in raw:
        raise DataError(f"{name} is no table: it has a line of more than {LONGEST:,} characters")
    raw += file.read(MOST + 1 - len(raw))
    if len(raw) > MOST:
        raise DataError(f"{name} has more than {MOST:,} bytes, which is all that is read: give a part of it")
    return raw


def characters(source: Source, encoding: str | None, *, lines: bool) -> Characters:
    """The characters of a file, without the mark that says its encoding.

    Parameters
    ----------
    source : path-like or binary file
        The file.
    encoding : str, optional
        Its encoding. Without one, the file's mark is obeyed, and a file without a mark is in UTF-8.
    lines : bool
        Whether it must have lines, as a table has.

    Raises
    ------
    DataError
        If the bytes mean nothing in that encoding, or the mark says another one; the byte is named.
    """
    given = _known(encoding)
    name, raw = name_of(source), content(source, lines=lines)
    marked = next((codec for mark, codec in MARKS.items() if raw.startswith(mark)), None)
    if marked and given and not given.startswith(marked[:6]):
        raise DataError(
            f"{name} begins with the mark of {_called(marked)}, and encoding is {encoding!r}: leave it out",
        )
    if not marked and not given and b"\0" in raw[:1000]:
        # A character of ASCII in UTF-16 is itself and a zero; which comes first says the order.
        order = "be" if raw[:1000:2].count(0) > raw[1:1000:2].count(0) else "le"
        raise DataError(
            f"{name} has bytes of 0: it is in UTF-16 without a mark, or no text", {"encoding": f"utf-16-{order}"}
        )
    codec = marked or given or "utf-8"
    try:
        text = raw.decode(codec)
    except UnicodeError as error:
        place = getattr(error, "start", 0) + 3 * (codec == "utf-8-sig")  # whose places are counted behind the mark
        line = len((raw[:place] + b".").splitlines())
        says = f"{name}, line {line}: byte {place} (0x{raw[place : place + 1].hex()}) means nothing in {_called(codec)}"
        if marked:
            raise DataError(f"{says}, which the file's mark says it is in: a part is missing or damaged") from None
        other = "cp1252" if codec == "utf-8" else "utf-8"
        raise DataError(f"{says}; programs of Windows often write cp1252", {"encoding": other}) from None
    # A mark is taken off by its codec, and a second one is a character.
    return Characters(name, text if marked else text.removeprefix("\ufeff"), _called(codec), raw)


def _known(encoding: str | None) -> str | None:
    if encoding is None:
        return None
    try:
        "a".encode(encoding)
        return codecs.lookup(encoding).name
    except (LookupError, UnicodeError, TypeError, ValueError):
        raise DataError(
            f"encoding={shortened(encoding)} is no encoding that Python knows, such as utf-8 or cp1252"
        ) from None


def _called(codec: str) -> str:
    return codec.removesuffix("-sig").upper() if codec.startswith("utf") else codec
