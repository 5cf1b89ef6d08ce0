"""One weight of a picture brought forward: its copies filled, the other weights grey."""

from __future__ import annotations

from dataclasses import replace

from ..autodiff.traits import is_tie
from ..unfold import Unfolded
from .fragment import Fragment
from .overlay import GREY, mixed
from .scene import Box, Line, Scene

THICK = 2.4
SHARED = ("weight", "copy")  # the kinds of box that a weight and its copies have


def highlighted(scene: Scene, net: Unfolded | Fragment, name: str) -> Scene:
    """The scene with this weight's boxes and lines brought forward.

    Raises
    ------
    ValueError
        If there is no such weight, or it has no box in this picture.
    """
    known = {n.name: n for n in net.weights.values()}
    if not isinstance(name, str) or name not in known:
        raise ValueError(f"highlight={name!r}: it is the name of a weight, one of {', '.join(map(repr, known))}")
    weight = known[name]
    mine = {f"n{n.index}" for n in net.tape if n is weight or (is_tie(n) and n.parents[0] is weight)}
    # A matrix that a step uses twice has more boxes at the level of layers: n7, n7x1.
    mine = {box.id for box in scene.boxes if box.kind in SHARED and box.id.partition("x")[0] in mine}
    if not mine:
        raise ValueError(f"highlight={name!r}: this picture has no box for it; level='ops' shows every weight")

    def box_of(box: Box) -> Box:
        if box.kind not in SHARED:
            return box
        if box.id not in mine:
            return replace(box, fill="#FFFFFF", border=GREY, ink=GREY)
        tint = mixed("#FFFFFF", box.border or scene.colors[box.id], 0.3)
        return replace(box, fill=box.fill or tint, ink=box.ink if box.fill else "#111111")

    def line_of(line: Line) -> Line:
        ends = {line.source, line.target}
        if ends & mine:
            return replace(line, width=max(line.width, THICK))
        return replace(line, color=GREY) if ends & scene.colors.keys() else line

    lines = sorted(map(line_of, scene.lines), key=lambda line: line.color != GREY)  # what is grey lies below
    return replace(scene, boxes=tuple(map(box_of, scene.boxes)), lines=tuple(lines))
