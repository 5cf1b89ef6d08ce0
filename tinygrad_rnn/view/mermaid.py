"""A scene as Mermaid text, which many sites draw where they find it in Markdown. Mermaid places the boxes itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .marks import FILL
from .scene import Box, Line, Scene
from .text import printable

ARROWS = {"tie": "-.->", "state": "==>", "copy": "-.->", "error": "-.->", "data stem": "---", "state stem": "==="}


def mermaid(scene: Scene) -> str:
    """The scene as a Mermaid flowchart: the same nodes, frames as subgraphs, ties dotted, the state's way thick."""
    boxes = {box.id: box for box in scene.boxes}
    inside = {name for frame in scene.frames for name in frame.members}
    lines = [
        "flowchart LR",
        f"  accTitle: {_one_line(scene.title)}",
        f"  accDescr: {_one_line(scene.description)}",
    ]
    for frame in scene.frames:
        lines += [f"  subgraph {_id(frame.id)} [{_quoted([frame.title])}]"]
        lines += [f"  {_box(boxes[name])}" for name in frame.members]
        lines += ["  end"]
    lines += [_box(box) for box in scene.boxes if box.id not in inside]
    lines += [_arrow(line) for line in scene.lines]
    for kind in dict.fromkeys(box.kind for box in scene.boxes):
        lines += [f"  classDef {kind} fill:{FILL.get(kind, '#FFFFFF')},stroke:#444444,color:#111111"]
    for k, line in enumerate(scene.lines):
        if line.color:
            lines += [f"  linkStyle {k} stroke:{line.color}"]
    lines += [f"  style {_id(name)} stroke:{color}" for name, color in scene.colors.items() if name in boxes]
    return "\n".join([*lines, ""])


def _box(box: Box) -> str:
    return f"  {_id(box.id)}({_quoted([box.name, *(text for _, text in box.numbers if text)])}):::{box.kind}"


def _arrow(line: Line) -> str:
    return f"  {_id(line.start)} {ARROWS.get(line.kind, '-->')} {_id(line.end)}"


def _id(name: str) -> str:
    return name.replace("-", "_")  # two of them are an arrow


def _quoted(lines: Sequence[str]) -> str:
    return '"' + "<br/>".join(_escaped(line) for text in lines for line in printable(text).split("\n")) + '"'


def _escaped(text: str) -> str:
    """All that could mean something to Mermaid, to Markdown or to HTML, as a numbered entity."""
    return re.sub(r"[^\w\s.,()·‖=+−—“”∂ᵀ⊙-]", lambda m: f"#{ord(m[0])};", text) or "#8203;"


def _one_line(text: str) -> str:
    return re.sub(r"[\s;#]+", " ", printable(text))
