"""A picture that somebody else may have made, written anew: what is embedded is what was understood, and no more.

The text of a foreign SVG reaches no page. It is parsed, and what stands on the lists below is written again: elements,
attributes, and for each attribute the values it can have. All else is refused, but for comments and processing
instructions, which draw nothing, and style sheets, which are made anew from the colours: these are left out.
"""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ET
from typing import Any

from . import svg
from .text import printable

LARGEST = 4_000_000  # characters; a picture of eight steps of twenty layers has three million
MOST_ELEMENTS = 200_000
MOST_COLORS = 1_000
DEEPEST = 16  # ours are five deep
LONGEST = 500_000  # characters of an attribute
WIDEST = 1e7  # points

_SVG = "http://www.w3.org/2000/svg"
_SHAPES = {"g", "path", "line", "polyline", "polygon", "rect", "circle", "ellipse"}
_WRITING = {"text", "tspan"}
_SAYING = {"title", "desc", "style"}  # hold text alone: in an HTML page, an element in a title would be one of HTML

# Possessive throughout: a value is read in one go, whatever stands in it.
_NUMBER = r"[-+]?+(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][-+]?+[0-9]{1,2}+)?+"
_NUMBERS = rf"(?:{_NUMBER}|[\s,]++)*+"
_VALUES = {
    "id": r"[A-Za-z][A-Za-z0-9_.:-]{0,200}+",
    "class": r"[A-Za-z0-9_\s-]*+",
    "data-c": r"[0-9 -]*+",  # what a line of a figure carries, and the matrix that it leaves
    "data-via": r"[A-Za-z][A-Za-z0-9_.:-]{0,200}+",
    "d": rf"(?:[MmLlHhVvCcSsQqTtAaZz]|{_NUMBER}|[\s,]++)*+",
    "points": _NUMBERS,
    "transform": rf"(?:(?:matrix|translate|scale|rotate|skewX|skewY)\s*+\({_NUMBERS}\)[\s,]*+)*+",
    **dict.fromkeys(["dy", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy"], _NUMBER),
    **dict.fromkeys(["width", "height", "rx", "ry", "r", "stroke-width"], rf"(?!-){_NUMBER}"),
    **dict.fromkeys(["opacity", "fill-opacity", "stroke-opacity"], rf"(?!-){_NUMBER}"),
    **dict.fromkeys(["fill", "stroke"], r"#[0-9A-Fa-f]{3,8}+|[A-Za-z]{1,30}+"),
    "stroke-dasharray": _NUMBERS,
    "stroke-linecap": "butt|round|square",
    "stroke-linejoin": "miter|round|bevel",
    "font-size": rf"(?!-){_NUMBER}(?:px|pt)?",
    "font-family": r"[A-Za-z][A-Za-z0-9 ,_-]{0,200}+",
    "font-style": "normal|italic|oblique",
    "font-weight": "normal|bold|[1-9]00",
    "text-anchor": "start|middle|end",
    "xml:space": "preserve|default",
}
_KNOWN = {name: re.compile(pattern, re.ASCII) for name, pattern in _VALUES.items()}
# What a style or a script of a page goes by must not come from outside: these are the classes of our own pictures.
_CLASSES = {
    "graph", "cluster", "node", "edge", "number", "label", "legend", "name", "value", "cotangent", "caption", "elided",
    "constant", "op", "leaf", "input", "target", "weight", "copy", "state", "cost", "unit", "tie", "data",
    "error", "stem", "delay", "scissors", "tile",
}  # fmt: skip
_ELSEWHERE = re.compile(r"@import|javascript:|expression\(|url\((?!\s*['\"]?#)", re.IGNORECASE)
_XML = "{http://www.w3.org/XML/1998/namespace}"


def redrawn(picture: str, prefix: str = "", style: str = svg.STYLE) -> str:
    """The picture as an SVG element that was written here, from what stands on the lists of this module.

    Parameters
    ----------
    picture : str
        SVG, of whoever.
    prefix : str
        What to put before each id, so that no other part of a page has it.
    style : str
        The size, as CSS in which ``{width}`` stands for the width in points.

    Raises
    ------
    ValueError
        If it is more than a picture, or none.
    """
    if len(picture) > LARGEST:
        raise ValueError(f"its picture has {len(picture):,} characters: at most {LARGEST:,} are drawn")
    parser = ET.XMLParser(target=_Tree())
    try:
        parser.feed(picture)
        root = parser.close()
    except (ET.ParseError, UnicodeError) as error:
        raise ValueError(f"its picture is no SVG: {error}") from None
    writer = _Writer(prefix)
    drawing = svg.Drawing(writer.element(root, "").strip(), *_size(root.get("viewBox", "")))
    written = svg.dressed(drawing, writer.said.get("title", ""), writer.said.get("desc", ""), style)
    if len(written) > LARGEST and not prefix:  # what is not refused once is not refused when it is embedded
        raise ValueError(f"its picture has {len(written):,} characters: at most {LARGEST:,} are drawn")
    return written


class _Tree(ET.TreeBuilder):
    """Refuses what is too much, or could become it, before it is a tree."""

    def __init__(self) -> None:
        super().__init__()
        self._count = self._deep = 0

    def doctype(self, *_: Any) -> None:
        raise ValueError("its picture declares entities, or another document type")

    def start(self, tag: Any, attributes: dict[Any, Any], /) -> Any:
        self._count += 1
        if self._count > MOST_ELEMENTS or self._deep > DEEPEST:
            raise ValueError(f"its picture has more than {MOST_ELEMENTS:,} elements, or is more than {DEEPEST} deep")
        self._deep += 1
        return super().start(tag, attributes)

    def end(self, tag: Any, /) -> Any:
        self._deep -= 1
        return super().end(tag)


class _Writer:
    """Writes down what may stand in a picture."""

    def __init__(self, prefix: str) -> None:
        self.said: dict[str, str] = {}  # of the picture as a whole: its title, and what it describes
        self._prefix = prefix
        self._ids: set[str] = set()
        self._colors: set[str] = set()

    def element(self, found: ET.Element, parent: str) -> str:
        """An element with all that is in it; of the outermost one, only that."""
        space, _, name = found.tag.rpartition("}")
        if space not in ("", "{" + _SVG) or name not in (_SHAPES | _WRITING | _SAYING if parent else {"svg"}):
            raise ValueError(f"its picture holds <{name[:40]}>")
        if parent in _SAYING or (parent in _WRITING and name not in ("tspan", "title")):
            raise ValueError(f"its picture holds <{name}> in <{parent}>")
        _refuse_active(found.attrib)
        attributes = [self._attribute(name, *pair) for pair in found.items()] if name in _SHAPES | _WRITING else []
        text = (found.text or "") if name in _WRITING | _SAYING else ""
        inside = html.escape(printable(text))
        for child in found:
            inside += self.element(child, name)
            if name in _WRITING:
                inside += html.escape(printable(child.tail or ""))
        if name == "style" and _ELSEWHERE.search(text):
            raise ValueError("its picture asks for something elsewhere")
        if parent == "svg" and name in ("title", "desc"):
            self.said.setdefault(name, text)
            return ""
        if name == "svg":
            return inside
        if name in ("style", "desc"):
            return ""
        start, line = f"<{name}{''.join(attributes)}", "" if parent in _WRITING else "\n"  # there it would be a space
        return f"{start}>{inside}</{name}>{line}" if inside or name not in _SHAPES else f"{start}/>{line}"

    def _attribute(self, element: str, attribute: str, value: str) -> str:
        name = attribute.replace(_XML, "xml:")
        if name not in _KNOWN:
            raise ValueError(f"its picture has {_local(name)[:40]}= on <{element}>, which no picture here has")
        if len(value) > LONGEST or not _KNOWN[name].fullmatch(value):
            raise ValueError(f"its picture has {name}={value[:40]!r} on <{element}>, which is no value of it")
        if name == "class":
            value = " ".join(word for word in value.split() if re.sub(r"-[0-9]+$", "", word) in _CLASSES)
        if name == "id":
            if value in self._ids:
                raise ValueError(f"its picture has two elements of the id {value[:40]!r}")
            self._ids.add(value)
        if name in ("id", "data-via"):
            value = self._prefix + value
        if name in ("fill", "stroke"):
            self._colors.add(value)
            if len(self._colors) > MOST_COLORS:
                raise ValueError(f"its picture has more than {MOST_COLORS:,} colours")
        return f' {name}="{html.escape(value)}"'


def _refuse_active(attributes: dict[str, str]) -> None:
    """Say of an attribute that would do something what it would do: whoever made the picture may not know."""
    for attribute, value in attributes.items():
        name = _local(attribute)
        if name.lower().startswith("on"):
            raise ValueError(f"its picture has {name[:40]}=, which runs something")
        if name == "href" and not value.startswith("#"):
            raise ValueError("its picture leads elsewhere")
        if _ELSEWHERE.search(value):
            raise ValueError("its picture asks for something elsewhere")


def _size(box: str) -> tuple[float, float]:
    words = box.replace(",", " ").split()
    if len(words) == 4 and all(re.fullmatch(_NUMBER, word) for word in words):
        x, y, width, height = map(float, words)
        if x == y == 0 and 0 < width <= WIDEST and 0 < height <= WIDEST:
            return width, height
    raise ValueError(f"its picture has viewBox={box[:40]!r}: it must be 0 0, a width and a height")


def _local(name: str) -> str:
    return name.rpartition("}")[2]
