"""A text file, as the characters that it holds."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .files import Source, characters, content, name_of
from .origin import Origin, hash_of, origin
from .refusal import DataError


@dataclass(frozen=True, slots=True, repr=False)
class Text:
    """A text that was read: its characters, its alphabet, and what was understood.

    Attributes
    ----------
    text : str
        The characters.
    alphabet : tuple of str
        Which characters there are, in the order of their first use; of bytes, all 256.
    understood : tuple of str
        What was done and found while reading, line by line: show it.
    origin : Origin or None
        The file, so that it can be read once more.
    """

    text: str
    alphabet: tuple[str, ...]
    understood: tuple[str, ...]
    origin: Origin | None = None

    @property
    def content(self) -> str:
        """A hash of all that it holds: texts with the same one are the same."""
        return hash_of(self.text, self.alphabet)

    def __repr__(self) -> str:
        """What was understood."""
        return "\n".join(self.understood)


def text(source: Source, *, encoding: str | None = None) -> Text:
    """Read a text file.

    A mark at its beginning that says its encoding is obeyed and is no character of the text. Line ends of Windows
    become newlines, which is said. Nothing else is changed.

    Parameters
    ----------
    source : path-like or binary file
        The file.
    encoding : str, optional
        Its encoding, if it is not UTF-8 and has no mark; ``"bytes"`` takes each byte as a symbol of its own.

    Returns
    -------
    Text
        The characters and what was understood.

    Raises
    ------
    DataError
        If the file is empty, or its bytes mean nothing in that encoding: the byte and a way are named.
    OSError
        If the system does not read it.
    """
    as_bytes = isinstance(encoding, str) and encoding == "bytes"
    if as_bytes:
        raw = content(source, lines=False)
        name, written, called = name_of(source), raw.decode("latin-1"), "bytes"
        alphabet = tuple(map(chr, range(256)))
    else:
        name, written, called, raw = characters(source, encoding, lines=False)
    if not written:
        raise DataError(f"{name} is empty")
    understood = []
    if not as_bytes:
        if ends := written.count("\r\n"):
            written = written.replace("\r\n", "\n")
            understood.append(f"{ends:,} line ends of Windows have become newlines")
        alphabet = tuple(dict.fromkeys(written))
    understood.insert(0, f"{name}: {len(written):,} symbols, {len(alphabet):,} different ones; read as {called}")
    found = Text(written, alphabet, tuple(understood))
    return replace(found, origin=origin(source, raw, found.content, encoding=encoding))
