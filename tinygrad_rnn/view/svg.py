"""SVG: a scene written as text, and dressed for a page."""

from __future__ import annotations

import html
import re
from functools import partial
from itertools import groupby
from typing import NamedTuple

from ..autodiff.notation import scripts
from .dark import scheme
from .marks import SANS, SERIF_ITALIC, Curve, Mark, Words, marks
from .scene import Point, Scene
from .text import printable

FONTS = {SERIF_ITALIC: 'font-family="Times,serif" font-style="italic"', SANS: 'font-family="Helvetica,sans-Serif"'}
PAD = 4.0
DROP, SMALLER = 0.18, 0.72  # of a subscript: how far below the line, and its size, as parts of a letter's
STYLE = "width:{width}pt;max-width:100%;height:auto"  # it scales down to the width of its place
HALF_A_HEAD = 2.1  # of an arrowhead, across the line


class Drawing(NamedTuple):
    """The inside of an SVG element, and the size of the picture in points."""

    body: str
    width: float
    height: float


def drawing(scene: Scene, prefix: str = "", smaller: float = SMALLER) -> Drawing:
    """The scene as SVG: a group for each mark, with its id behind the prefix, and its classes.

    `smaller` is the size of a subscript, as a part of a letter's.
    """
    shown = marks(scene)
    frames = [frame for frame, _ in shown.frames]
    boxes = [*(mark for _, members in shown.frames for mark in members), *shown.others]
    corners = [
        (x + side * m.width / 2, y + side * m.height / 2) for m in frames + boxes for x, y in [m.at] for side in (-1, 1)
    ]
    corners += [point for curve in shown.curves for point in curve.points]
    left, right = min(x for x, _ in corners) - PAD, max(x for x, _ in corners) + PAD
    bottom, top = min(y for _, y in corners) - PAD, max(y for _, y in corners) + PAD
    paper = _rectangle((left + right) / 2, (bottom + top) / 2, right - left, top - bottom)
    inside = [f'<rect {paper} fill="white" stroke="none"/>\n']
    inside += [_group(prefix, "cluster", mark, _shape(mark, smaller)) for mark in frames]
    inside += [_group(prefix, "edge", curve, _path(curve), _told(prefix, curve)) for curve in shown.curves]
    inside += [_group(prefix, "node", mark, _shape(mark, smaller)) for mark in boxes]
    shift = f'transform="translate({-left:.2f} {top:.2f})"'
    body = f'<g id="{html.escape(prefix)}graph0" class="graph" {shift}>{"".join(inside)}</g>'
    return Drawing(body, right - left, top - bottom)


def size(text: str) -> tuple[float, float]:
    """Width and height that an SVG element says it has, in points."""
    found = re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', text)
    assert found is not None  # we always write one
    return float(found[1]), float(found[2])


def whole(scene: Scene, style: str = STYLE, prefix: str = "") -> str:
    """The scene as a whole SVG element, see `dressed`; its ids stand behind the prefix."""
    return dressed(drawing(scene, prefix), scene.title, scene.description, style)


def dressed(drawing: Drawing, title: str, description: str, style: str = STYLE) -> str:
    """A whole SVG element: it says what it shows, scales with its place, and turns dark where its page is dark.

    `style` is CSS in which ``{width}`` stands for the width in points. Without fixed width and height a notebook
    neither clips the picture nor makes it overflow.
    """
    title, description = (html.escape(printable(text)) for text in (title, description))
    return (
        f'<svg class="tinygrad-rnn" viewBox="0 0 {drawing.width:.2f} {drawing.height:.2f}" '
        f'style="{style.format(width=f"{drawing.width:.0f}")}" role="img" xmlns="http://www.w3.org/2000/svg" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink" aria-label="{title}">\n'
        f"<title>{title}</title>\n<desc>{description}</desc>\n"
        f"<style>{scheme(drawing.body)}</style>\n{drawing.body}\n</svg>\n"
    )


def _group(prefix: str, kind: str, mark: Mark | Curve, inside: str, told: str = "") -> str:
    start = f'<g id="{html.escape(prefix + mark.id)}" class="{" ".join([kind, *mark.classes.split()])}"{told}'
    return f"{start}>{inside}</g>\n" if inside else f"{start}/>\n"


def _told(prefix: str, curve: Curve) -> str:
    """What a page goes by that lights up a line."""
    carries = f' data-c="{" ".join(curve.carries)}"' if curve.carries else ""
    return carries + (f' data-via="{html.escape(prefix + curve.via)}"' if curve.via else "")


def _shape(mark: Mark, smaller: float) -> str:
    """The outline of a mark, what it says where the pointer rests, and its words."""
    (x, y), title = mark.at, f"<title>{html.escape(printable(mark.tooltip))}</title>\n" if mark.tooltip else ""
    ink = f'fill="{mark.fill.lower()}" {_stroke(mark.color, mark.pen)}'
    match mark.outline:
        case "":
            shape = ""
        case "ellipse":
            shape = (
                f'<ellipse cx="{x:.2f}" cy="{-y:.2f}" rx="{mark.width / 2:.2f}" ry="{mark.height / 2:.2f}" {ink}/>\n'
            )
        case outline:
            corner = f' rx="{min(12, mark.width / 4, mark.height / 3):.2f}"' if outline == "rounded" else ""
            shape = f"<rect {_rectangle(x, y, mark.width, mark.height)}{corner} {ink}/>\n"
    return title + shape + (_text(mark.words, smaller) if mark.words else "")


def _rectangle(x: float, y: float, width: float, height: float) -> str:
    return f'x="{x - width / 2:.2f}" y="{-y - height / 2:.2f}" width="{width:.2f}" height="{height:.2f}"'


def _path(curve: Curve) -> str:
    start, *rest = map(_point, curve.points)
    dashes = ' stroke-dasharray="5,2"' if curve.dashed else ""
    stroke = _stroke(curve.color, curve.pen)
    path = f'<path d="M{start}C{" ".join(rest)}" fill="none" {stroke}{dashes}/>\n'
    if curve.tip is None:
        return path
    (x0, y0), (x1, y1) = curve.points[-1], curve.tip
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5 or 1.0
    dx, dy = (y1 - y0) / length * HALF_A_HEAD, (x0 - x1) / length * HALF_A_HEAD
    corners = " ".join(map(_point, [(x0 + dx, y0 + dy), curve.tip, (x0 - dx, y0 - dy)]))
    return f'{path}<polygon fill="{curve.color.lower()}" {stroke} points="{corners}"/>\n'


def _stroke(color: str, pen: float) -> str:
    return f'stroke="{color.lower()}"' + (f' stroke-width="{pen:g}"' if pen != 1 else "")


def _point(point: Point) -> str:
    return f"{point[0]:.2f},{-point[1]:.2f}"


def _text(words: Words, smaller: float) -> str:
    """The lines of a text around its point; in a name, subscripts are set, for few letters have a sign that is one."""
    (x, y), lines = words.at, printable(words.text).split("\n")
    first = -y + 0.3 * words.size - (len(lines) - 1) * 0.6 * words.size
    head = f'<text xml:space="preserve" text-anchor="middle" x="{x:.2f}"'
    written = partial(_with_scripts, size=words.size, smaller=smaller) if words.font == SERIF_ITALIC else html.escape
    look = f'{FONTS[words.font]} font-size="{words.size:.2f}" fill="{words.ink.lower()}"'
    return "".join(
        f'{head} y="{first + 1.2 * words.size * k:.2f}" {look}>{written(line)}</text>\n'
        for k, line in enumerate(lines)
        if line
    )


def _with_scripts(line: str, size: float, smaller: float) -> str:
    low, spans = False, []
    for run, group in groupby(scripts(line), key=lambda run: run[1]):
        text, shift = html.escape("".join(text for text, _ in group)), (run - low) * DROP * size
        low = run
        look = f' font-size="{smaller * size:.2f}"' if run else ""
        spans.append(f'<tspan dy="{shift:.2f}"{look}>{text}</tspan>' if shift else text)
    return "".join(spans)
