"""A scene in Graphviz's language. All positions are given, so the engine only has to draw."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .marks import SERIF_ITALIC, Mark, Words, marks
from .scene import Point, Scene
from .text import printable

OUTLINE = {
    "": {"shape": "none", "style": ""},
    "rounded": {},
    "square": {"style": "filled"},
    "ellipse": {"shape": "ellipse", "style": "filled"},
}


def dot(scene: Scene) -> str:
    """The scene as DOT, to be drawn with ``neato -n2``.

    A node of the tape is a DOT node ``n<index>``, an argument an edge with the id ``e<index>-<slot>``;
    the numbers in a box are nodes of class ``number``, which a reader of the graph leaves out.
    """
    import graphviz  # not with the package: only drawing needs it

    g = graphviz.Digraph(printable(scene.title), engine="neato")
    g.attr("graph", bb=_list(scene.bounds()), splines="line", bgcolor="white", outputorder="edgesfirst")
    g.attr("node", shape="box", style="rounded,filled", fixedsize="true", fontname=SERIF_ITALIC, fontsize="14")
    g.attr("edge", arrowsize="0.6", color="#444444")
    shown = marks(scene)
    for frame, members in shown.frames:
        with g.subgraph(name=f"cluster_{frame.id}") as cluster:
            (x, y), right, up = frame.at, frame.width / 2, frame.height / 2
            assert frame.words is not None  # a frame has a title
            look = {"style": "rounded,filled", "color": frame.color, "fillcolor": frame.fill}
            place = {"bb": _list([x - right, y - up, x + right, y + up]), "lp": _point(frame.words.at)}
            cluster.attr(id=frame.id, **look, **place, **_words(frame.words))
            for mark in members:
                _node(cluster, mark)
    for mark in shown.others:
        _node(g, mark)
    for curve in shown.curves:
        look = {"color": curve.color, "penwidth": f"{curve.pen:g}"} | ({"style": "dashed"} if curve.dashed else {})
        tip = {} if curve.tip else {"arrowhead": "none"}
        pos = " ".join([*([f"e,{_point(curve.tip)}"] if curve.tip else []), *map(_point, curve.points)])
        g.edge(curve.tail, curve.head, id=curve.id, pos=pos, **look, **tip, **{"class": curve.classes})
    return str(g.source)


def _node(g: Any, mark: Mark) -> None:
    look = dict(OUTLINE[mark.outline])
    if mark.outline:
        look |= {"color": mark.color, "fillcolor": mark.fill, "penwidth": f"{mark.pen:g}"}
    if mark.tooltip:
        look["tooltip"] = _text(mark.tooltip)
    words = _words(mark.words) if mark.words else {"label": ""}
    size = {"width": f"{mark.width / 72:.3f}", "height": f"{mark.height / 72:.3f}"}
    g.node(
        mark.id,
        id=mark.id,
        pos=_point(mark.at),
        **size,
        **look,
        **words,
        **{"class": mark.classes},
    )


def _words(words: Words) -> dict[str, str]:
    return {"label": _text(words.text), "fontname": words.font, "fontsize": f"{words.size:g}", "fontcolor": words.ink}


def _text(text: str) -> str:
    """Text as Graphviz reads it: a backslash starts an escape there, an ampersand an entity.

    The graphviz library quotes the rest, but would take text in angle brackets for HTML: a space
    without width in front prevents that.
    """
    text = printable(text).replace("&", "&amp;").replace("\\", "\\\\").replace("\n", "\\n")
    return "\u200b" + text if text.startswith("<") and text.endswith(">") else text


def _point(point: Point) -> str:
    return _list(point)


def _list(values: Iterable[float]) -> str:
    return ",".join(f"{v:.1f}" for v in values)
