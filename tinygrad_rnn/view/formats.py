"""PNG and PDF: drawn by what is installed."""

from __future__ import annotations

from typing import Literal

from . import engine, svg
from .dot import dot
from .scene import Scene
from .text import printable

MOST_BOXES = 3_000  # Graphviz takes seconds and hundreds of megabytes for more, and draws nothing that we do not
TYPST = "pip install 'tinygrad-rnn[pdf]'"

_PAGE = b"""
#set page(width: auto, height: auto, margin: 0pt, fill: none)
#set document(title: sys.inputs.title, date: none)
#image(bytes(sys.inputs.svg), format: "svg", width: float(sys.inputs.width) * 1pt, alt: sys.inputs.alt)
"""


def png(scene: Scene) -> bytes:
    """The picture in pixels, 96 to the inch, by Graphviz, or by Typst where there is none.

    Raises
    ------
    EngineError
        If there is neither, if it fails, or if there is too much for it.
    """
    if len(scene.boxes) > MOST_BOXES:
        raise engine.EngineError(
            f"the picture has {len(scene.boxes):,} boxes, and a .png of more than {MOST_BOXES:,} takes minutes: draw "
            "fewer time steps, or save a .svg"
        )
    if engine.find() is not None:
        return engine.render(dot(scene), "png")
    return pixels(svg.whole(scene))


def pixels(picture: str, dpi: int = 96) -> bytes:
    """An SVG element in pixels, `dpi` to the inch, by Typst.

    Raises
    ------
    EngineError
        If Typst is not installed, or if it fails.
    """
    return _typst(picture, "png", "", "", f"a .png needs Graphviz or Typst: {engine.INSTALL}, or save a .svg", dpi)


def pdf(picture: str, title: str, description: str) -> bytes:
    """The picture on a page of its own size, its text selectable, by Typst.

    Raises
    ------
    EngineError
        If Typst is not installed, or if it fails.
    """
    return _typst(picture, "pdf", title, description, f"a .pdf needs Typst: {TYPST}, or save a .svg and print it")


def _typst(
    picture: str, file_format: Literal["png", "pdf"], title: str, description: str, missing: str, dpi: int = 96
) -> bytes:
    try:
        import typst
    except ImportError as error:
        raise engine.EngineError(missing) from error
    try:
        made = typst.compile(
            _PAGE,
            format=file_format,
            ppi=dpi,
            sys_inputs={
                "svg": picture,
                "title": printable(title),
                "alt": printable(description),
                "width": str(svg.size(picture)[0]),
            },
        )
    except RuntimeError as error:  # what Typst raises for whatever it refuses
        raise engine.EngineError(f"Typst could not draw the picture: {error}") from error
    return bytes(made)
