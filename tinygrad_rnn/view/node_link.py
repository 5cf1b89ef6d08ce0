"""A scene as JSON: nodes, edges and where they stand, as networkx reads and other programs can."""

from __future__ import annotations

import json
import re
from typing import Any

from ..autodiff import Tape
from .scene import Box, Scene

FORMAT, VERSION = "tinygrad_rnn.graph", 1


def node_link(scene: Scene, tape: Tape | None = None) -> str:
    """The scene in the node-link form: ``networkx.node_link_graph(json.loads(text), edges="edges")`` reads it.

    ``graph`` says format and version, title, description, caption, the bounds, and the frames with their members.
    A node has its ``id``, ``label``, ``kind``, ``position`` of its middle and ``size`` in points, y upwards, the
    ``numbers`` that stand in it, ``tooltip``, ``color``, and, if it is a node of the tape, ``name``, ``t``, ``op``,
    ``role``, ``shape`` and ``equation``. An edge has ``source``, ``target``, ``key``, which is the argument's number
    for an edge of the tape, ``id``, ``kind``, ``color``, the ``points`` it is drawn along, and whether it is drawn
    ``backward``. A key is added without notice; where one is taken away or changes its meaning, the version goes up.
    """
    recorded = {f"n{node.index}": node for node in tape or ()}
    keys: dict[tuple[str, str], int] = {}
    edges = []
    for line in scene.lines:
        slot = re.fullmatch(r"[eb]\d+-(\d+)", line.id)
        counted = keys[line.start, line.end] = keys.get((line.start, line.end), -1) + 1
        edges.append(
            {
                "source": line.start,
                "target": line.end,
                "key": int(slot[1]) if slot else counted,
                "id": line.id,
                "kind": line.kind,
                "color": line.color or None,
                "backward": line.backward,
                "points": [_rounded(point) for point in line.way],
            }
        )

    def attributes(box: Box) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": box.id,
            "label": box.name,
            "kind": box.kind,
            "position": _rounded((box.x, box.y)),
            "size": _rounded((box.width, box.height)),
            "numbers": dict(box.numbers),
            "tooltip": box.tooltip,
            "color": scene.colors.get(box.id),
        }
        node = recorded.get(box.id)
        if node is not None:
            shown |= {
                "name": node.name,
                "t": node.t,
                "op": node.op.name if node.op else "leaf",
                "role": node.role,
                "shape": list(node.value.shape),
                "equation": node.equation or None,
            }
        return shown

    graph = {
        "format": FORMAT,
        "version": VERSION,
        "title": scene.title,
        "description": scene.description,
        "caption": scene.caption,
        "bounds": _rounded(scene.bounds()),
        "frames": [
            {
                "id": frame.id,
                "title": frame.title,
                "bounds": _rounded((frame.left, frame.bottom, frame.right, frame.top)),
                "members": list(frame.members),
            }
            for frame in scene.frames
        ],
    }
    whole = {
        "directed": True,
        "multigraph": True,
        "graph": graph,
        "nodes": [attributes(box) for box in scene.boxes],
        "edges": edges,
    }
    # Plain ASCII: no reader can take a name for something else, not even half a surrogate pair.
    return json.dumps(whole, indent=1) + "\n"


def _rounded(values: tuple[float, ...]) -> list[float]:
    return [round(float(v), 2) for v in values]
