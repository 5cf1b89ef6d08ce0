"""The way of the error: the same boxes, and the lines along which they hand it back, from a node to what it read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..unfold import Unfolded
from .fragment import Fragment
from .overlay import ERROR, Overlay, carries
from .scene import BETWEEN, Scene
from .text import called
from .unfolding import unfolded


def backward(net: Unfolded | Fragment, overlay: Overlay, shown: Sequence[int]) -> Scene:
    """The scene of the backward pass: a line for each share of error that is handed back."""
    overlay.fades = True
    scene = unfolded(net, overlay, shown)
    colors = scene.colors
    lines = []
    for line in scene.lines:
        node, slot = overlay.ends.get(line.id, (None, 0))
        known = node is None or (carries(node, slot) and (overlay.reached is None or node.index in overlay.reached))
        if known:
            color = colors.get(line.source, "") if line.kind == "tie" else ERROR
            lines.append(replace(line, id=f"b{line.id[1:]}", kind="error", color=color, backward=True))
    start = overlay.start()
    return replace(
        scene,
        title=f"The error of {called(start)} on its way back through {net.T} time steps",
        description=scene.description
        + " Each line runs backwards, from a node to one that it has read, and hands it its share of the error.",
        lines=tuple(lines),
        caption=BETWEEN.join(text for text in ("dashed: the error on its way back", scene.caption) if text),
    )
