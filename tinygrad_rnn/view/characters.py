"""A picture in characters, where it can be read so: boxes in rows, and lines that are straight and do not cross."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from rich.cells import cell_len

from .scene import Box, Line, Scene

WIDE, HIGH = 7.5, 17.5  # points for each character
LONGEST = 400  # boxes and lines of a picture that is tried


def in_characters(scene: Scene, width: int) -> str:
    """The picture as lines of text; empty if it is wider, or if lines would bend or cross.

    Parameters
    ----------
    scene : Scene
        The picture.
    width : int
        The characters of a line.
    """
    boxes = [box for box in scene.boxes if box.kind != "tile"]
    if not boxes or len(scene.boxes) + len(scene.lines) > LONGEST:
        return ""
    labels = [label for box in boxes for label in _labels(box)]
    rows = _rows([y for _, _, y in labels])
    left = min(box.x - box.width / 2 for box in boxes)
    sheet: dict[tuple[int, int], str] = {}
    for line in scene.lines:
        if not _draw(line, sheet, left, rows):
            return ""
    taken: set[tuple[int, int]] = set()
    for text, x, y in labels:
        begin, row = round((x - left) / WIDE - cell_len(text) / 2), rows[y]
        place = {(row, begin + k) for k in range(-1, len(text) + 1)}
        if place & taken or cell_len(text) != len(text):
            return ""
        taken |= {(row, begin + k) for k in range(len(text))}
        sheet |= {(row, begin + k): letter for k, letter in enumerate(text)}
    shift = -min(0, *(column for _, column in sheet))
    wide = max(column for _, column in sheet) + 1 + shift
    if wide > width:
        return ""
    count = max(rows.values()) + 1
    return "\n".join("".join(sheet.get((r, c - shift), " ") for c in range(wide)).rstrip() for r in range(count))


def _labels(box: Box) -> Iterator[tuple[str, float, float]]:
    """What is written in a box, each with the middle of its place."""
    texts = [box.name, *(text for _, text in box.numbers)]
    for k, text in enumerate(text for text in texts if text):
        yield text, box.x, round(box.y + HIGH * ((len(texts) - 1) / 2 - k), 1)


def _rows(heights: Sequence[float]) -> dict[float, int]:
    """The line of each height, from above."""
    found, row = {}, 0
    ordered = sorted(set(heights), reverse=True)
    for before, y in pairwise([ordered[0], *ordered]):
        row += 0 if y == before else 1 if before - y < 1.5 * HIGH else 2  # of wide gaps, one empty line is left
        found[y] = row
    return found


def _draw(line: Line, sheet: dict[tuple[int, int], str], left: float, rows: dict[float, int]) -> bool:
    """Draw a line that is upright or level; whether it is one, and crosses no other."""

    def place(x: float, y: float) -> tuple[int, int]:
        near = min(rows, key=lambda height: abs(height - y))
        return rows[near] - round((y - near) / HIGH), round((x - left) / WIDE - 0.5)

    xs, ys = ({round(point[axis], 1) for point in line.points} for axis in (0, 1))
    if len(xs) > 1 and len(ys) > 1:
        return False
    sign = "│" if len(xs) == 1 else "─"
    ends = [place(*line.points[0]), place(*line.points[-1])]
    (r0, r1), (c0, c1) = (sorted(axis) for axis in zip(*ends, strict=True))
    drawn = {(r, c): sign for r in range(r0, r1 + 1) for c in range(c0, c1 + 1)}
    if any(sheet.get(at, sign) != sign for at in drawn):
        return False
    sheet |= drawn
    return True
