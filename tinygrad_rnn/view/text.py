"""Names as every file format can hold them."""

from __future__ import annotations

_PICTURES = {c: chr(0x2400 + c) for c in range(32) if chr(c) != "\n"}
_FORBIDDEN = [*range(0x7F, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF]
_TABLE = _PICTURES | dict.fromkeys(_FORBIDDEN, "\N{REPLACEMENT CHARACTER}")


def printable(text: str) -> str:
    """The text without what no XML file may hold: a control character becomes its picture, such as ␛.

    Source: Extensible Markup Language (XML) 1.0, production [2], and its advice on control characters.
    """
    return text.translate(_TABLE)


def called(node: object | None, otherwise: str = "C") -> str:
    """What a node is called, or what stands for none: the whole cost."""
    return otherwise if node is None else str(node)
