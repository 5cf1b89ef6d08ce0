"""A scene in Graphviz's language. All positions are given, so the engine only has to draw."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from .scene import CUT, Box, Line, Point, Scene
from .text import printable

Graph = Any  # a graphviz.Digraph, or what takes the same calls
SERIF_ITALIC, SANS = "Times-Italic", "Helvetica"
INK = {"value": "#333333", "cotangent": "#B3261E", "caption": "#0B5394", "elided": "#555555"}
FILL = {"leaf": "#F1F1EE", "elided": "#F6F6F2"}  # the others are white
SHAPE = {
    "unit": {"shape": "ellipse", "style": "filled"},
    "label": {"style": "filled", "color": "#FFFFFF"},
    "tile": {"style": "filled"},
}
STYLE = {
    "tie": {"style": "dashed", "penwidth": "0.9"},
    "state": {"penwidth": "2"},
    "copy": {"style": "dashed", "penwidth": "1.4"},
    "error": {"style": "dashed", "penwidth": "1.4"},
}
# Blade, handle, handle, blade: one stroke through the screw at (0, 0), so that no font need have a sign for it.
SCISSORS = (
    *((6.5, 8.5), (4.5, 5.5), (2, 2.5), (0, 0)),
    *((-2, -2.5), (-2.5, -8), (-6, -8), (-9, -8), (-7.5, -3), (0, 0)),
    *((7.5, -3), (9, -8), (6, -8), (2.5, -8), (2, -2.5), (0, 0)),
    *((-2, 2.5), (-4.5, 5.5), (-6.5, 8.5)),
)
CORNER = 9.0
ARROW = 7.0
LABEL = 0.3  # where on the last stretch of a line its label stands: nearer to where it comes from, lines lie apart


def dot(scene: Scene) -> str:
    """The scene as DOT, to be drawn with ``neato -n2``.

    A node of the tape is a DOT node ``n<index>``, an argument an edge with the id ``e<index>-<slot>``;
    the numbers in a box are nodes of class ``number``, which a reader of the graph leaves out.
    """
    import graphviz  # not with the package: only drawing needs it

    g = graphviz.Digraph(printable(scene.title), engine="neato")
    fill(g, scene)
    return str(g.source)


def fill(g: Graph, scene: Scene) -> None:
    """Put the scene on a graph: in Graphviz's language, or on our own paper, which takes the same calls."""
    left, bottom, right, top = scene.bounds()
    g.attr(
        "graph",
        bb=_list([left, bottom, right, top]),
        splines="line",
        bgcolor="white",
        fontname=SANS,
        fontsize="11",
        fontcolor="#555555",
        outputorder="edgesfirst",
    )
    if scene.caption:
        g.attr("graph", label=_text(scene.caption), lp=_point(((left + right) / 2, bottom + 14)))
    g.attr("node", shape="box", style="rounded,filled", fixedsize="true", fontname=SERIF_ITALIC, fontsize="14")
    g.attr("edge", arrowsize="0.6", color="#444444")
    inside = {name for frame in scene.frames for name in frame.members}
    boxes = {box.id: box for box in scene.boxes}
    for frame in scene.frames:
        with g.subgraph(name=f"cluster_{frame.id}") as cluster:
            cluster.attr(
                bb=_list([frame.left, frame.bottom, frame.right, frame.top]),
                label=_text(frame.title),
                lp=_point(((frame.left + frame.right) / 2 if frame.at is None else frame.at, frame.top - 12)),
                id=frame.id,
                style="rounded,filled",
                color="#C9C9C2",
                fillcolor="#FBFBF8",
                fontname=SANS,
                fontsize="12",
                fontcolor="#333333",
            )
            for name in frame.members:
                _box(cluster, boxes[name], scene.colors.get(name, ""))
    for box in scene.boxes:
        if box.id not in inside:
            _box(g, box, scene.colors.get(box.id, ""))
    for line in scene.lines:
        _line(g, line)
    _legend(g, scene.signs, ((left + right) / 2, bottom + (40 if scene.caption else 16)))


def _box(g: Graph, box: Box, color: str) -> None:
    numbers = [(kind, text) for kind, text in box.numbers if text]
    spare = box.height - 17 * bool(box.name) - 12 * len(numbers) - (0 if box.name else 3)
    name_y = box.y + box.height / 2 - spare / 2 - (9 if box.name else -7)
    g.node(
        box.id,
        label="",
        id=box.id,
        pos=_point((box.x, box.y)),
        width=_inches(box.width),
        height=_inches(box.height),
        fillcolor=box.fill or FILL.get(box.kind, "#FFFFFF"),
        penwidth="1.4" if color else "1",
        tooltip=_text(box.tooltip),
        **{"class": box.kind, "color": box.border or color or "#444444"} | SHAPE.get(box.kind, {}),
    )
    if box.name:
        name = box.name.replace("⊙", "·")  # a sign that many fonts lack
        _writing(g, box, "name", name, name_y, SERIF_ITALIC, "15", box.ink or color or "#111111")
    for k, (kind, text) in enumerate(numbers):
        _writing(g, box, kind, text, name_y - 15 - 12 * k, SANS, "10", box.ink or INK[kind.partition("-")[0]])


def _writing(g: Graph, box: Box, kind: str, text: str, y: float, font: str, size: str, color: str) -> None:
    g.node(
        f"{box.id}_{kind}",
        label=_text(text),
        id=f"{box.id}_{kind}",
        shape="plain",
        style="",
        pos=_point((box.x, y)),
        width=_inches(box.width),
        height=_inches(12),
        fontname=font,
        fontsize=size,
        fontcolor=color,
        **{"class": f"number {kind}"},
    )


def _line(g: Graph, line: Line) -> None:
    kind, _, stem = line.kind.partition(" ")  # a stem runs on behind the box that it ends at, so it has no arrowhead
    style = STYLE.get(kind, {}) | ({"arrowhead": "none"} if stem else {})
    if line.color:
        style = style | {"color": line.color}
    if line.width:
        style = style | {"penwidth": f"{line.width:.1f}"}
    g.edge(line.start, line.end, id=line.id, pos=_spline(line.way, not stem), **style, **{"class": line.kind})
    if line.cut:
        _scissors(g, f"{line.id}_cut", line.where_cut)
    if line.label:
        g.node(
            f"{line.id}_label",
            label=_text(line.label),
            id=f"{line.id}_label",
            shape="box",
            style="filled",
            fillcolor="white",
            color="white",
            margin="0",
            pos=_point(_towards(line.points[-2], line.points[-1], LABEL * math.dist(line.points[-2], line.points[-1]))),
            width=_inches(5 * len(line.label) + 2),
            height=_inches(10),
            fontname=SANS,
            fontsize="9",
            fontcolor=line.color or "#444444",
            **{"class": "number label"},
        )


def _legend(g: Graph, legend: Sequence[tuple[str, str]], middle: Point) -> None:
    """Patches of colour with what they mean, in a row."""
    widths = [24 + 5.4 * len(text) for _, text in legend]
    x, y = middle[0] - sum(widths) / 2, middle[1]
    for k, ((color, text), width) in enumerate(zip(legend, widths, strict=True)):
        patch = {"label": "", "color": "#777777", "fillcolor": color, "style": "filled"}
        if color == CUT:
            _scissors(g, f"legend{k}", (x + 6, y))
        else:
            g.node(
                f"legend{k}",
                id=f"legend{k}",
                pos=_point((x + 6, y)),
                width=_inches(11),
                height=_inches(11),
                **patch,
                **{"class": "number legend"},
            )
        _plain(g, f"legend{k}_text", text, (x + 14 + 2.7 * len(text), y), width, "#555555")
        x += width


def _scissors(g: Graph, name: str, at: Point) -> None:
    """A mark where a line is cut: the curve of a line, from a node without writing to itself."""
    _plain(g, name, "", at, 18, INK["cotangent"])
    pos = " ".join(_point((at[0] + x, at[1] + y)) for x, y in SCISSORS)
    look = {"arrowhead": "none", "color": INK["cotangent"], "penwidth": "1.6"}
    g.edge(name, name, id=f"{name}_mark", pos=pos, **look, **{"class": "scissors"})


def _plain(g: Graph, name: str, text: str, at: Point, width: float, color: str, size: str = "10") -> None:
    g.node(
        name,
        label=_text(text),
        id=name,
        shape="plain",
        style="",
        pos=_point(at),
        width=_inches(width),
        height=_inches(float(size) + 2),
        fontname=SANS,
        fontsize=size,
        fontcolor=color,
        **{"class": "number legend"},
    )


def _spline(points: Sequence[Point], arrow: bool = True) -> str:
    """The points as the cubic curve of Graphviz, corners rounded, ending in an arrowhead at the last one."""
    tip = points[-1]
    way = [*points[:-1], _towards(tip, points[-2], ARROW if arrow else 0)]
    curve = [way[0]]
    for before, corner, after in zip(way, way[1:], way[2:], strict=False):
        radius = min(CORNER, math.dist(before, corner) / 2, math.dist(corner, after) / 2)
        start, end = _towards(corner, before, radius), _towards(corner, after, radius)
        curve += [curve[-1], start, start, corner, corner, end]
    curve += [curve[-1], way[-1], way[-1]]
    return (f"e,{_point(tip)} " if arrow else "") + " ".join(_point(p) for p in curve)


def _towards(start: Point, goal: Point, distance: float) -> Point:
    length = math.dist(start, goal)
    if not length:
        return start
    part = distance / length
    return start[0] + (goal[0] - start[0]) * part, start[1] + (goal[1] - start[1]) * part


def _text(text: str) -> str:
    """Text as Graphviz reads it: a backslash starts an escape there, an ampersand an entity.

    The graphviz library quotes the rest, but would take text in angle brackets for HTML: a space
    without width in front prevents that.
    """
    text = printable(text).replace("&", "&amp;").replace("\\", "\\\\").replace("\n", "\\n")
    return "\u200b" + text if text.startswith("<") and text.endswith(">") else text


def _point(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"


def _list(values: Iterable[float]) -> str:
    return ",".join(f"{v:.1f}" for v in values)


def _inches(points: float) -> str:
    return f"{points / 72:.3f}"
