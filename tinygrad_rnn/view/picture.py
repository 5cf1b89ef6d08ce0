"""Pictures of a network: made from the tape, shown in a notebook, saved as a file."""

from __future__ import annotations

import hashlib
import html
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..autodiff import Tape
from ..unfold import Unfolded
from . import engine, views
from .dot import dot
from .scene import Scene


class Picture:
    """A picture of a network. It shows itself in a notebook; `save` writes it to a file."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.dot = dot(scene)

    @property
    def svg(self) -> str:
        """The picture as an SVG element that scales down to the width of its place."""
        return self._svg("width:{width:.0f}pt;max-width:100%;height:auto")

    def _svg(self, style: str) -> str:
        text = engine.render(self.dot, "svg").decode()
        text = text[text.index("<svg") :]
        size = re.search(r'viewBox="([^"]+)"', text)
        assert size is not None  # Graphviz always writes one
        width = float(size[1].split()[2])
        # Without fixed width and height a notebook neither clips the picture nor makes it overflow.
        head = (
            f'<svg viewBox="{size[1]}" style="{style.format(width=width)}" role="img" '
            f'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'aria-label="{html.escape(self.scene.title)}">\n'
            f"<title>{html.escape(self.scene.title)}</title>\n<desc>{html.escape(self.scene.description)}</desc>"
        )
        body = text[text.index(">") + 1 :]
        # Titles are shown when the pointer rests on a thing. Graphviz puts "n3->n7" there, which tells a reader
        # nothing, and our tooltips into links that lead nowhere, which a page's style then underlines.
        body = re.sub(r"<title>[^<]*</title>\n?", "", body)
        body = re.sub(r'<a xlink:title="([^"]*)">', r"<g><title>\1</title>", body).replace("</a>", "</g>")
        return head + body

    def _repr_html_(self) -> str:
        # In a page the picture keeps a size at which it can be read, and scrolls inside its own place.
        # Its ids get a prefix of their own: every picture has a node n1, and ids are unique in a page.
        prefix = hashlib.sha256(self.dot.encode()).hexdigest()[:8]
        svg = re.sub(r'\bid="', f'id="p{prefix}-', self._svg("width:{width:.0f}px;max-width:none;height:auto"))
        return f'<figure class="tinygrad-rnn" tabindex="0" style="overflow-x:auto;margin:0">{svg}</figure>'

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the picture to a file; the suffix says how.

        Parameters
        ----------
        path : path-like
            A name that ends in .svg, .png or .dot.
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
            If Graphviz is missing or fails.
        """
        path = Path(path)
        makers = {
            ".svg": lambda: self.svg.encode(),  # noqa: PLW0108  without the lambda it would be drawn for a .dot too
            ".png": lambda: engine.render(self.dot, "png"),
            ".dot": lambda: self.dot.encode(),  # noqa: PLW0108  like its neighbours
        }
        if path.suffix not in makers:
            raise ValueError(f"{path}: the suffix says how to write it; choose one of {', '.join(makers)}")
        if path.exists() and not overwrite:
            raise FileExistsError(f"{path} exists already: choose another name, or pass overwrite=True")
        content = makers[path.suffix]()
        _write_whole(path, content)
        return path


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
) -> Picture:
    """Draw a network. All that is drawn is read off the tape, and drawing changes no number.

    Parameters
    ----------
    net : Unfolded or Tape
        The network; or a tape, such as that of an error which ended the recording of a network.
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
    level : {"ops", "layers"}
        Whether each op has a box, or each layer: input, state, output, and on the lines their matrices, as in Guo's
        figures.
    zoom : (int, str), optional
        A time step and a node's name: this node alone is drawn, opened into its units.
    limits : (float, float), optional
        The ends of the scale of ``overlay="gradient"``, so that several pictures have the same one.
    captions : mapping of str to sequence of str, optional
        A word for each time step under the nodes of a name, such as the characters that x(t) stands
        for: ``{"x": "we se"}``.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If an argument is unknown or does not fit the others, or if there is nothing to draw.
    TapeError
        If an overlay needs a backward pass that was not run.
    """
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
        )
    )


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees half of it, not even when the disk is full."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
        unfinished = Path(file.name)
        try:
            file.write(content)
            file.close()
            unfinished.chmod(0o644)
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink()
            raise
