"""A picture as it is printed: so wide at most, its letters so large at least, and nothing told by a hue alone."""

from __future__ import annotations

import html
import re
from dataclasses import replace

from ..autodiff import Tape
from . import formats, svg
from .picture import Picture
from .scene import Scene
from .text import printable

WIDEST, TALLEST = 160.0, 240.0  # millimetres: the text of a page of A4
SMALLEST = 8.0  # points, of any letter
USUAL = 0.75  # of the size that a picture has on a page: names are then as large as a paper's text
SUBSCRIPT = 0.8  # of the size of a letter
DPI = 300  # of a picture in pixels
MILLIMETRE = 72 / 25.4  # in points
PALE = "#8C8C8C"  # what is grey on a page


class TooSmallError(ValueError):
    """A picture that cannot be read where it is printed."""


class Printed(Picture):
    """A picture of the size at which it is printed, in black.

    Raises
    ------
    TooSmallError
        If it cannot be read at that size.
    """

    def __init__(self, scene: Scene, tape: Tape | None = None) -> None:
        super().__init__(scene, tape)
        self._element = element(scene)

    @property
    def svg(self) -> str:
        """The picture as an SVG element with its width in millimetres."""
        return self._element

    def to_bytes(self, suffix: str) -> bytes:
        """See `Picture`; there are more pixels to the inch."""
        return formats.pixels(self.svg, DPI) if suffix == ".png" else super().to_bytes(suffix)


def element(scene: Scene) -> str:
    """The picture as an SVG element of the size, in millimetres, at which it is printed.

    Raises
    ------
    TooSmallError
        If its letters would be too small.
    """
    drawing = svg.drawing(replace(scene, caption=re.sub(r"\bred\b", "black", scene.caption)), smaller=SUBSCRIPT)
    least = min(float(size) for size in re.findall(r'font-size="([0-9.]+)"', drawing.body))
    room = min(WIDEST / drawing.width, TALLEST / drawing.height) * MILLIMETRE
    scale = min(max(USUAL, SMALLEST / least), room)
    if scale * least < SMALLEST - 0.01:
        raise TooSmallError(
            f"for_='print': on {WIDEST:g} by {TALLEST:g} mm this picture would have letters of {scale * least:.1f} "
            f"points, and print needs {SMALLEST:g}"
        )
    width, height = scale * drawing.width, scale * drawing.height
    title, description = (html.escape(printable(text)) for text in (scene.title, scene.description))
    return (
        f'<svg class="tinygrad-rnn" width="{width / MILLIMETRE:.2f}mm" height="{height / MILLIMETRE:.2f}mm" '
        f'viewBox="0 0 {width:.2f} {height:.2f}" role="img" xmlns="http://www.w3.org/2000/svg" aria-label="{title}">\n'
        f"<title>{title}</title>\n<desc>{description}</desc>\n"
        f'<g transform="scale({scale:.4f})">\n{in_black(drawing.body)}\n</g>\n</svg>\n'
    )


def in_black(body: str) -> str:
    """The inside of an SVG element without colours: lines and letters black or grey, faces as light as they were."""

    def element_of(found: re.Match[str]) -> str:
        letters = found[1] in ("text", "polygon")  # the tip of an arrow is a part of its line
        return re.sub(
            r'\b(fill|stroke)="(#[0-9a-fA-F]{6})"',
            lambda at: f'{at[1]}="{_line(at[2]) if letters or at[1] == "stroke" else _face(at[2])}"',
            found[0],
        )

    return re.sub(r"<(\w+) [^>]*>", element_of, body)


def _line(color: str) -> str:
    """Black, unless it is a light grey, which says that something stands back."""
    r, g, b = _channels(color)
    light = max(r, g, b) - min(r, g, b) < 16 and r > 128
    return color if color.lower() == "#ffffff" else PALE if light else "#000000"


def _face(color: str) -> str:
    light = round(sum(part * weight for part, weight in zip(_channels(color), (0.2126, 0.7152, 0.0722), strict=True)))
    return "#FFFFFF" if light > 246 else f"#{light:02X}{light:02X}{light:02X}"


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
