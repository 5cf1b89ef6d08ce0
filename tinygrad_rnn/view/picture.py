"""Pictures of a network: made from the tape, shown in a notebook, saved as a file."""

from __future__ import annotations

import hashlib
import html
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from ..autodiff import Tape
from ..autodiff import asked as arguments
from ..unfold import Unfolded
from . import asked, formats, svg, views
from .dot import dot
from .files import write_whole
from .ids import new_id
from .mermaid import mermaid
from .node_link import node_link
from .overlay import NAMES as OVERLAYS
from .redrawn import STYLE
from .scene import Scene
from .views import VIEWS

SUFFIXES = (".svg", ".png", ".pdf", ".dot", ".mmd", ".json")

__all__ = ["OVERLAYS", "SUFFIXES", "VIEWS", "Picture", "draw"]


class Picture:
    """A picture of a network. It shows itself in a notebook; `save` writes it to a file.

    Attributes
    ----------
    scene : Scene
        What is drawn, and where.
    """

    def __init__(self, scene: Scene, tape: Tape | None = None) -> None:
        self.scene = scene
        self._tape = tape

    @cached_property
    def dot(self) -> str:
        """The scene in Graphviz's language."""
        return dot(self.scene)

    @property
    def svg(self) -> str:
        """The picture as an SVG element that scales down to the width of its place, light or dark as its page is."""
        return self._svg(STYLE)

    def _svg(self, style: str, prefix: str = "") -> str:
        drawing = svg.drawing(self.scene, prefix)
        return svg.dressed(drawing, self.scene.title, self.scene.description, style)

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
        inside = self._svg("width:{width}px;max-width:none;height:auto", f"{html.escape(id)}-")
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
        match suffix:
            case ".svg":
                return self.svg.encode()
            case ".png":
                return formats.png(self.scene, lambda: self.dot, lambda: self.svg)
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
        path = asked.a_path(path)
        return write_whole(path, lambda: self.to_bytes(path.suffix), overwrite)


@arguments.asked
def draw(
    net: Unfolded | Tape,
    *,
    view: str = "unfolded",
    overlay: str | None = "both",
    of: int | None = None,
    window: str | tuple[int, int] | None = None,
    level: str = "ops",
    zoom: tuple[int, str] | None = None,
    limits: tuple[float, float] | None = None,
    captions: Mapping[str, Sequence[str]] | None = None,
    highlight: str | None = None,
    ledger: str | None = None,
) -> Picture:
    """Draw a network. All that is drawn is read off the tape, and drawing changes no number.

    Parameters
    ----------
    net : Unfolded or Tape
        The network; or a tape, such as that of an error which ended the recording of a network. A tape without
        time steps is drawn as a list, with an arc for each thing that a node reads.
    view : {"unfolded", "folded", "staircase", "window", "backward"}
        A column for each time step, its weight copies inside it; the cell, once, with its delays; what one output
        depends on, as Guo draws it (Figure 2); the first and the last steps alone; or the lines along which the
        error comes back.
    overlay : str or None
        What is written or coloured: ``"values"``, ``"cotangents"``, ``"both"``; ``"gradient"``, the length of each
        cotangent as a colour; ``"shares"``, each copy's part of the gradient of its weight; ``"path"``, the lines
        that carry the error of one time step back; ``"jacobian"``, the singular values of ds(t)/ds(t-1).
        What has not been computed yet is a dash.
    of : int, optional
        The time step whose output or error is meant, in a staircase or a path; the last one if none is named.
    window : (int, int) or "all", optional
        How many first and last steps are drawn; by itself a picture shows all steps up to 8 and otherwise the
        first and the last 3. What is left out is said in words.
    level : {"ops", "layers", "figure"}
        Whether each op has a box, or each layer: input, state, output and cost, and on the lines their matrices, as
        textbooks unroll a network; a ``"figure"`` is that without the numbers, to be read at any size.
    zoom : (int, str), optional
        A time step and a node's name: this node alone is drawn, opened into its units.
    limits : (float, float), optional
        The ends of the scale of ``overlay="gradient"``, so that several pictures have the same one.
    captions : mapping of str to sequence of str, optional
        A word for each time step under the nodes of a name, such as the characters that x(t) stands
        for: ``{"x": "we se"}``.
    highlight : str, optional
        The name of a weight, such as ``"U"``: its copies are filled, the other weights grey.
    ledger : str, optional
        The name of a weight whose ledger stands below the columns of a figure: the share of each copy as a tile, its
        part of the gradient, the largest entry, and what they add up to.

    Returns
    -------
    Picture

    Raises
    ------
    TypeError
        If it is no network, or if the captions are no words.
    ValueError
        If an argument is unknown or does not fit the others, or if there is nothing to draw.
    TapeError
        If an overlay needs a backward pass that was not run.
    """
    asked.captions({} if captions is None else captions)
    return Picture(
        views.scene(
            net,
            view=view,
            overlay=overlay,
            of=of,
            window=window,
            level=level,
            zoom=zoom,
            limits=limits,
            captions=captions or {},
            highlight=highlight,
            ledger=ledger,
        ),
        net if isinstance(net, Tape) else net.tape,
    )
