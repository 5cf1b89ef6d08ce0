"""Pictures of a network: made from the tape, shown in a notebook, saved as a file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from ..autodiff import Tape
from ..autodiff import asked as arguments
from ..exchange.files import a_path, write_whole
from . import formats, svg
from .dot import dot
from .ids import new_id
from .mermaid import mermaid
from .node_link import node_link
from .scene import Scene


class Picture:
    """A picture of a network. It shows itself in a notebook; `save` writes it to a file.

    Attributes
    ----------
    scene : Scene
        What is drawn, and where.
    tape : Tape or None
        What it is drawn of.
    """

    def __init__(self, scene: Scene, tape: Tape | None = None) -> None:
        self.scene = scene
        self.tape = tape

    @cached_property
    def dot(self) -> str:
        """The scene in Graphviz's language."""
        return dot(self.scene)

    @property
    def svg(self) -> str:
        """The picture as an SVG element that scales down to the width of its place, light or dark as its page is."""
        return svg.whole(self.scene)

    def _repr_html_(self) -> str:
        return self.fragment(new_id(f"p{hashlib.sha256(self.dot.encode()).hexdigest()[:8]}"))

    @arguments.asked
    def fragment(self, id: str) -> str:
        """The picture as a part of a page, where it keeps a size at which it can be read, and scrolls in its own place.

        Parameters
        ----------
        id : str
            What the ids of its parts start with: every picture has a node n1, and ids are unique in a page.
        """
        inside = svg.whole(self.scene, "width:{width}px;max-width:none;height:auto", f"{id}-")
        return f'<figure class="tinygrad-rnn" tabindex="0" style="overflow-x:auto;margin:0">{inside}</figure>'

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<picture: {self.scene.title}>"

    @arguments.asked
    def to_bytes(self, suffix: str) -> bytes:
        """What a file with this suffix holds: .svg, .png, .pdf, .dot, .mmd (Mermaid) or .json.

        Raises
        ------
        ValueError
            If the suffix is another one.
        EngineError
            If what draws this format is missing or fails. SVG, DOT, Mermaid and JSON need nothing.
        """
        if suffix not in SUFFIXES:
            raise ValueError(
                f"{suffix or 'no suffix'}: the suffix says how to write it; choose one of {', '.join(SUFFIXES)}"
            )
        return _WRITERS[suffix](self)

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
        path = a_path(path)
        return write_whole(path, lambda: self.to_bytes(path.suffix), overwrite)


_WRITERS: dict[str, Callable[[Picture], bytes]] = {
    ".svg": lambda picture: picture.svg.encode(),
    ".png": lambda picture: formats.png(picture.scene),
    ".pdf": lambda picture: formats.pdf(picture.svg, picture.scene.title, picture.scene.description),
    ".dot": lambda picture: picture.dot.encode(),
    ".mmd": lambda picture: mermaid(picture.scene).encode(),
    ".json": lambda picture: node_link(picture.scene, picture.tape).encode(),
}
SUFFIXES = tuple(_WRITERS)
