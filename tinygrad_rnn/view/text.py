"""Names as every file format and every terminal can hold them."""

from __future__ import annotations

_PICTURES = {c: chr(0x2400 + c) for c in range(32) if chr(c) != "\n"}
_FORBIDDEN = [*range(0x7F, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF]
_TABLE = _PICTURES | dict.fromkeys(_FORBIDDEN, "\N{REPLACEMENT CHARACTER}")

# What turns the order of letters about, or ends a line where none should end: a name could pose as another one.
_TURNING = [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029]
# Letters that nobody sees: soft ends of words, marks, tags, and what stands between them.
_UNSEEN = [0x00AD, 0x180E, 0x200B, 0x2060, *range(0x2061, 0x2066), *range(0x206A, 0x2070), 0xFEFF]
_UNSEEN += [*range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080)]
_TAB = {ord("\t"): "\t"}
_TERMINAL = _TABLE | dict.fromkeys([*_TURNING, *_UNSEEN], "\N{REPLACEMENT CHARACTER}") | _TAB
_LINE = _TERMINAL | {ord("\n"): "\N{SYMBOL FOR NEWLINE}", ord("\t"): "\N{SYMBOL FOR HORIZONTAL TABULATION}"}


def printable(text: str) -> str:
    """The text without what no XML file may hold: a control character becomes its picture, such as ␛.

    Source: Extensible Markup Language (XML) 1.0, production [2], and its advice on control characters.
    """
    return text.translate(_TABLE)


def called(node: object | None, otherwise: str = "C") -> str:
    """What a node is called, or what stands for none: the whole cost."""
    return otherwise if node is None else str(node)


def clean(text: str) -> str:
    """The text without what a terminal obeys or what hides: only letters, lines and tabs are left."""
    return text.translate(_TERMINAL)


def one_line(text: object) -> str:
    """The same in one line: the name of a file may have several."""
    return str(text).translate(_LINE)


def says(error: Exception, of: object = "") -> str:
    """What is wrong, in one line: of what the system refuses with the file that it names, or else with `of`."""
    if not isinstance(error, OSError):
        return one_line(error)
    what = one_line(error.filename or of)
    return f"{what}: {one_line(error.strerror or error)}" if what else one_line(error.strerror or error)
