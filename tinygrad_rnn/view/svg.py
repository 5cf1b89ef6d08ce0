"""SVG: drawn by ourselves where there is no Graphviz, and dressed for a page wherever it comes from."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import NamedTuple

from ..autodiff.notation import scripts
from .dark import scheme
from .dot import fill
from .scene import Scene
from .text import printable

FONTS = {
    "Times": 'font-family="Times,serif"',
    "Times-Italic": 'font-family="Times,serif" font-style="italic"',
    "Helvetica": 'font-family="Helvetica,sans-Serif"',
}
PAD = 4.0
DROP, SMALLER = 0.18, 0.72  # of a subscript: how far below the line, and its size, as parts of a letter's


class Drawing(NamedTuple):
    """The inside of an SVG element, and the size of the picture in points."""

    body: str
    width: float
    height: float


def own(scene: Scene, smaller: float = SMALLER) -> Drawing:
    """The scene as Graphviz would draw it: the same elements with the same ids and classes, drawn by ourselves.

    `smaller` is the size of a subscript, as a part of a letter's.
    """
    paper = Paper()
    fill(paper, scene)
    made = paper.drawing()
    return made._replace(body=_with_scripts(made.body, smaller))


def from_graphviz(text: str) -> Drawing:
    """What Graphviz has drawn, without its prolog and with titles that tell a reader something."""
    text = text[text.index("<svg") :]
    body = text[text.index(">") + 1 : text.rindex("</svg>")]
    # Titles are shown when the pointer rests on a thing. Graphviz puts "n3->n7" there, which tells a reader
    # nothing, and our tooltips into links that lead nowhere, which a page's style then underlines.
    body = re.sub(r"<title>[^<]*</title>\n?", "", body)
    body = re.sub(r'<g id="a_[^"]*"><a xlink:title="([^"]*)">', r"<title>\1</title>", body)
    body = re.sub(r"</a>\s*</g>", "", body)
    body = re.sub(r"\n\s*\n+|<!--.*?-->\n?", "\n", body, flags=re.DOTALL).strip()
    return Drawing(_with_scripts(body), *size(text))


def _with_scripts(body: str, smaller: float = SMALLER) -> str:
    """Names, which are in italics, with subscripts that are set: few letters have a sign that is one."""

    def written(found: re.Match[str]) -> str:
        size, low = float(found[2]), False
        spans = []
        for run, group in groupby(scripts(html.unescape(found[3])), key=lambda run: run[1]):
            text, shift = html.escape("".join(text for text, _ in group)), (run - low) * DROP * size
            low = run
            look = f' font-size="{smaller * size:.2f}"' if run else ""
            spans.append(f'<tspan dy="{shift:.2f}"{look}>{text}</tspan>' if shift else text)
        return f"{found[1]}{''.join(spans)}</text>"

    return re.sub(r'(<text [^>]*font-style="italic"[^>]*font-size="([0-9.]+)"[^>]*>)([^<]*)</text>', written, body)


def size(text: str) -> tuple[float, float]:
    """Width and height that an SVG element says it has, in points."""
    found = re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', text)
    assert found is not None  # Graphviz always writes one, and so do we
    return float(found[1]), float(found[2])


def dressed(drawing: Drawing, title: str, description: str, style: str) -> str:
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


class Paper:
    """Takes the calls that write a graph in Graphviz's language, and draws them. All positions must be given.

    It knows what `tinygrad_rnn.view.dot` uses: boxes and ellipses, splines with arrowheads, clusters, labels.
    """

    def __init__(self) -> None:
        self._default: dict[str, dict[str, str]] = {"graph": {}, "node": {}, "edge": {}}
        self._corners: list[tuple[float, float]] = []  # of all that is drawn
        self._clusters: list[str] = []
        self._edges: list[str] = []
        self._nodes: list[str] = []

    def attr(self, kind: str = "graph", **attributes: str) -> None:
        """Attributes of the graph, or what nodes or edges have that say nothing else."""
        self._default[kind] |= attributes

    @contextmanager
    def subgraph(self, name: str) -> Iterator[Paper]:
        """A cluster; its nodes are drawn on this paper."""
        inner = Paper()
        inner._default |= {"node": self._default["node"]}
        inner._nodes, inner._corners = self._nodes, self._corners
        yield inner
        a = self._default["graph"] | inner._default["graph"]
        left, bottom, right, top = (float(v) for v in a["bb"].split(","))
        self._corners += [(left, bottom), (right, top)]
        shape = _box((left + right) / 2, (bottom + top) / 2, right - left, top - bottom, a)
        self._clusters.append(_group("cluster", a | {"id": a.get("id", name)}, shape + _label(a, a.get("lp", ""))))

    def node(self, name: str, /, **attributes: str) -> None:
        """A box, an ellipse, or with ``shape=plain`` nothing but its label."""
        a = self._default["node"] | attributes
        x, y = _point(a["pos"])
        width, height = (72 * float(a[side]) for side in ("width", "height"))
        self._corners += [(x - width / 2, y - height / 2), (x + width / 2, y + height / 2)]
        match a.get("shape"):
            case "plain" | "plaintext" | "none":
                shape = ""
            case "ellipse" | "circle" | "oval":
                ends = f'cx="{x:.2f}" cy="{-y:.2f}" rx="{width / 2:.2f}" ry="{height / 2:.2f}"'
                shape = f"<ellipse {ends} {_ink(a)}/>\n"
            case _:
                shape = _box(x, y, width, height, a)
        self._nodes.append(_group("node", a | {"id": a.get("id", name)}, shape + _label(a, a["pos"])))

    def edge(self, tail: str, head: str, /, **attributes: str) -> None:
        """A curve with an arrowhead where ``pos`` says so."""
        a = self._default["edge"] | attributes
        tips = {}
        points = []
        for word in a["pos"].split():
            if word[:2] in ("e,", "s,"):
                tips[word[0]] = _point(word[2:])
            else:
                points.append(_point(word))
        self._corners += points
        start, *rest = (f"{x:.2f},{-y:.2f}" for x, y in points)
        shapes = f'<path d="M{start}C{" ".join(rest)}" {_ink(a | {"fillcolor": "none", "style": _line_style(a)})}/>\n'
        for end, tip in tips.items():
            shapes += _arrowhead(points[0] if end == "s" else points[-1], tip, a)
        self._edges.append(
            _group("edge", a | {"id": a.get("id", f"{tail}-{head}")}, shapes + _label(a, a.get("lp", "")))
        )

    def drawing(self) -> Drawing:
        """All that was drawn: frames at the back, then lines, then boxes, as ``outputorder=edgesfirst`` asks."""
        a = self._default["graph"]
        label = _label(a, a.get("lp", ""))
        if label:
            x, y = _point(a["lp"])
            size, lines = float(a["fontsize"]), _read(a["label"]).split("\n")
            # Helvetica: a space and a thin letter take half the room of the others.
            half = max(sum(0.14 if c in " .,:;|‖·()il" else 0.28 for c in line) for line in lines) * size
            self._corners += [(x - half, y - 0.6 * size * len(lines)), (x + half, y + 0.6 * size * len(lines))]
        left, right = min(x for x, _ in self._corners), max(x for x, _ in self._corners)
        bottom, top = min(y for _, y in self._corners), max(y for _, y in self._corners)
        width, height = right - left + 2 * PAD, top - bottom + 2 * PAD
        ground = (
            f'<rect x="{left - PAD:.2f}" y="{-top - PAD:.2f}" width="{width:.2f}" height="{height:.2f}" '
            f'fill="{a.get("bgcolor", "white")}" stroke="none"/>\n'
        )
        inside = "\n".join([*self._clusters, *self._edges, *self._nodes])
        shift = f'transform="translate({PAD - left:.2f} {top + PAD:.2f})"'
        return Drawing(f'<g id="graph0" class="graph" {shift}>\n{ground}{label}{inside}\n</g>', width, height)


def _point(text: str) -> tuple[float, float]:
    x, y = text.split(",")
    return float(x), float(y)


def _group(kind: str, a: dict[str, str], inside: str) -> str:
    title = f"<title>{html.escape(_read(a['tooltip']))}</title>\n" if a.get("tooltip") else ""
    return (
        f'<g id="{html.escape(a["id"])}" class="{" ".join([kind, *a.get("class", "").split()])}">\n{title}{inside}</g>'
    )


def _box(x: float, y: float, width: float, height: float, a: dict[str, str]) -> str:
    corner = f' rx="{min(12, width / 4, height / 3):.2f}"' if "rounded" in a.get("style", "") else ""
    place = f'x="{x - width / 2:.2f}" y="{-y - height / 2:.2f}" width="{width:.2f}" height="{height:.2f}"'
    return f"<rect {place}{corner} {_ink(a)}/>\n"


def _ink(a: dict[str, str]) -> str:
    """How a shape is filled and outlined."""
    inside = a.get("fillcolor", "none") if "filled" in a.get("style", "") else "none"
    ink = f'fill="{inside.lower()}" stroke="{a.get("color", "black").lower()}"'
    if a.get("penwidth", "1") != "1":
        ink += f' stroke-width="{a["penwidth"]}"'
    dashes = {"dashed": "5,2", "dotted": "1,5"}
    return ink + "".join(f' stroke-dasharray="{dash}"' for name, dash in dashes.items() if name in a.get("style", ""))


def _line_style(a: dict[str, str]) -> str:
    return a.get("style", "").replace("filled", "")


def _arrowhead(base: tuple[float, float], tip: tuple[float, float], a: dict[str, str]) -> str:
    across = 3.5 * float(a.get("arrowsize", "1"))
    (x0, y0), (x1, y1) = base, tip
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5 or 1.0
    dx, dy = (y1 - y0) / length * across, (x0 - x1) / length * across
    corners = [(x0 + dx, y0 + dy), tip, (x0 - dx, y0 - dy)]
    color = a.get("color", "black").lower()
    return f'<polygon fill="{color}" stroke="{color}" points="{" ".join(f"{x:.2f},{-y:.2f}" for x, y in corners)}"/>\n'


def _label(a: dict[str, str], at: str) -> str:
    """The lines of a label around the point `at`."""
    if not a.get("label") or not at:
        return ""
    x, y = _point(at)
    size = float(a.get("fontsize", "14"))
    lines = _read(a["label"]).split("\n")
    first = -y + 0.3 * size - (len(lines) - 1) * 0.6 * size
    head = f'<text xml:space="preserve" text-anchor="middle" x="{x:.2f}"'
    font = FONTS.get(a.get("fontname", "Times"), FONTS["Times"])
    look = f'{font} font-size="{size:.2f}" fill="{a.get("fontcolor", "black").lower()}"'
    return "".join(
        f'{head} y="{first + 1.2 * size * k:.2f}" {look}>{html.escape(line)}</text>\n' for k, line in enumerate(lines)
    )


def _read(text: str) -> str:
    """Text as it was before it was written for Graphviz."""
    text = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], text)
    return html.unescape(text)
