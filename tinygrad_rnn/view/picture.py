"""Pictures of a network: made from the tape, shown in a notebook, saved as a file."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..autodiff import Tape
from ..unfold import Unfolded
from . import arcs, formats, layout, svg
from .dot import dot
from .files import write_whole
from .mermaid import mermaid
from .node_link import node_link
from .scene import Scene

MOST_STEPS = 100
SUFFIXES = (".svg", ".png", ".pdf", ".dot", ".mmd", ".json")
VIEWS = ("unfolded",)
OVERLAYS = (None, "value", "gradient", "both")


class Picture:
    """A picture of a network. It shows itself in a notebook; `save` writes it to a file.

    Attributes
    ----------
    scene : Scene
        What is drawn, and where.
    dot : str
        The scene in Graphviz's language.
    """

    def __init__(self, scene: Scene, tape: Tape | None = None) -> None:
        self.scene = scene
        self.dot = dot(scene)
        self._tape = tape

    @property
    def svg(self) -> str:
        """The picture as an SVG element that scales down to the width of its place, light or dark as its page is."""
        return self._svg("width:{width}pt;max-width:100%;height:auto")

    def _svg(self, style: str) -> str:
        return svg.dressed(formats.drawn(self.scene, self.dot), self.scene.title, self.scene.description, style)

    def _repr_html_(self) -> str:
        # In a page the picture keeps a size at which it can be read, and scrolls inside its own place.
        # Its ids get a prefix of their own: every picture has a node n1, and ids are unique in a page.
        prefix = hashlib.sha256(self.dot.encode()).hexdigest()[:8]
        inside = re.sub(r'\bid="', f'id="p{prefix}-', self._svg("width:{width}px;max-width:none;height:auto"))
        return f'<figure class="tinygrad-rnn" tabindex="0" style="overflow-x:auto;margin:0">{inside}</figure>'

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<picture: {self.scene.title}>"

    def to_bytes(self, suffix: str) -> bytes:
        """What a file with this suffix holds: .svg, .png, .pdf, .dot, .mmd (Mermaid) or .json.

        Raises
        ------
        ValueError
            If the suffix is another one.
        EngineError
            If what draws this format is missing or fails. SVG, DOT, Mermaid and JSON need nothing.
        """
        match suffix:
            case ".svg":
                return self.svg.encode()
            case ".png":
                return formats.png(self.dot, lambda: self.svg)
            case ".pdf":
                return formats.pdf(self.svg, self.scene.title, self.scene.description)
            case ".dot":
                return self.dot.encode()
            case ".mmd":
                return mermaid(self.scene).encode()
            case ".json":
                return node_link(self.scene, self._tape).encode()
            case _:
                raise ValueError(
                    f"{suffix or 'no suffix'}: the suffix says how to write it; choose one of {', '.join(SUFFIXES)}"
                )

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the picture to a file, whole or not at all; the suffix says how, see `to_bytes`.

        Parameters
        ----------
        path : path-like
            A name that ends in .svg, .png, .pdf, .dot, .mmd or .json.
        overwrite : bool
            Whether a file of that name may be replaced.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ValueError
            If the suffix is another one.
        FileExistsError
            If there is such a file and `overwrite` is not set.
        EngineError
            If what draws this format is missing or fails.
        """
        path = Path(path)
        if path.is_file() and not overwrite:
            raise FileExistsError(f"{path} exists already: choose another name, or pass overwrite=True")
        write_whole(path, self.to_bytes(path.suffix))
        return path


def draw(
    net: Unfolded | Tape,
    *,
    view: str = "unfolded",
    overlay: str | None = "both",
    captions: Mapping[str, Sequence[str]] | None = None,
) -> Picture:
    """Draw an unfolded network: a column for each time step, its weight copies inside it.

    Parameters
    ----------
    net : Unfolded or Tape
        The network; or a tape, such as that of an error which ended the recording of a network. A tape without
        time steps is drawn as a list, with an arc for each thing that a node reads.
    view : {"unfolded"}
        What is drawn.
    overlay : {"both", "value", "gradient", None}
        Which numbers stand in the boxes. What has not been computed yet is a dash.
    captions : mapping of str to sequence of str, optional
        A word for each time step under the nodes of a name, such as the characters that x(t) stands
        for: ``{"x": "we se"}``.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If `view` or `overlay` is unknown, or if there are more time steps than a picture can show, or none.
    """
    if view not in VIEWS:
        raise ValueError(f"view={view!r}: it is one of {', '.join(repr(v) for v in VIEWS)}")
    if overlay not in OVERLAYS:
        raise ValueError(f"overlay={overlay!r}: it is one of {', '.join(repr(o) for o in OVERLAYS)}")
    if isinstance(net, Tape) and not any(node.t for node in net):
        return Picture(arcs.listed(net, overlay))
    whole = layout.Fragment(net) if isinstance(net, Tape) else net
    if whole.T > MOST_STEPS:
        raise ValueError(
            f"a picture of {whole.T} time steps would be {whole.T * 3.3:.0f} inches wide, and nobody could read it: "
            f"draw at most {MOST_STEPS}, for example by unfolding x[:8], d[:8]"
        )
    return Picture(layout.unfolded(whole, overlay, captions or {}), net if isinstance(net, Tape) else net.tape)
