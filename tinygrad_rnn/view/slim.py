"""A picture as it stands in a page: what its parts have in common is said once, what no page asks for not at all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Set

_TAG = re.compile(r'<(\w+)((?: [\w:-]+="[^"]*")+)')
_ATTRIBUTE = re.compile(r' ([\w:-]+)="([^"]*)"')
_HANDED_ON = ("xml:space", "text-anchor", "font-family", "font-style", "font-size", "font-weight")
_MEASURES = {
    "d",
    "points",
    "x",
    "y",
    "x1",
    "y1",
    "x2",
    "y2",
    "cx",
    "cy",
    "r",
    "rx",
    "ry",
    "width",
    "height",
    "font-size",
}
_POINT = r"-?[0-9.]+,-?[0-9.]+"
_CURVE = re.compile(rf"M({_POINT})C((?:{_POINT} {_POINT} {_POINT} ?)+)")


def slim(picture: str, ids: Set[str] | None = None) -> str:
    """The same picture in fewer bytes: to a tenth of a point, and a font that all its texts have said by the whole.

    Parameters
    ----------
    picture : str
        An SVG element that `redrawn` wrote.
    ids : set of str, optional
        The parts that are looked for: all others lose their ids and classes. None keeps them.
    """
    texts = [dict(_ATTRIBUTE.findall(tag[2])) for tag in _TAG.finditer(picture) if tag[1] == "text"]
    shared = {}
    for name in _HANDED_ON:
        if texts and all(name in text for text in texts):  # one that does not say it would take the whole's
            shared[name] = Counter(text[name] for text in texts).most_common(1)[0][0]

    def tag(found: re.Match[str]) -> str:
        element, given = found[1], dict(_ATTRIBUTE.findall(found[2]))
        if element == "svg":
            return found[0] + _written(shared)
        if element == "text":
            given = {name: value for name, value in given.items() if shared.get(name) != value}
        left_out = {"data-via"} if ids is None or given.get("id") in ids else {"data-via", "id", "class"}
        return f"<{element}{_written({k: v for k, v in given.items() if k not in left_out})}"

    short = _TAG.sub(tag, picture)
    if ids is not None:
        short = re.sub(r"<g>\s*(<text[^>]*>[^<]*</text>)\s*</g>", r"\1", short)
    return re.sub(r">\n(?=<)", ">", short)


def _written(attributes: dict[str, str]) -> str:
    return "".join(
        f' {name}="{_measured(value) if name in _MEASURES else value}"' for name, value in attributes.items()
    )


def _measured(value: str) -> str:
    short = re.sub(r"-?[0-9]+\.[0-9]+", lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), value)
    return _CURVE.sub(_straightened, short)


def _straightened(curve: re.Match[str]) -> str:
    """A curve that is drawn to neither side is a line."""
    here, points = curve[1], curve[2].split()
    path, bent = f"M{here}", False
    for one, two, there in zip(points[::3], points[1::3], points[2::3], strict=True):
        if (one, two) == (here, there):
            path, bent = f"{path}L{there}", False
        else:
            path, bent = f"{path}{' ' if bent else 'C'}{one} {two} {there}", True
        here = there
    return path
