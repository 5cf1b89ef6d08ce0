"""A plot as a part of a page: in the page's own colours, light or dark, and with its message in words."""

from __future__ import annotations

import hashlib
import html
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .dark import scheme
from .ids import new_id
from .text import printable

_DRAWN = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"
MANY = 20  # points, from which on a jump between two is worth a word
_REFERENCE = re.compile(r"#([\w.-]+)")
# Text stays text, and takes the page's font; no date and no chance, so that a plot is the same bytes in each build.
_HOW = {"svg.fonttype": "none", "svg.hashsalt": "tinygrad_rnn"}
# A map of heat is made of pixels. Their lightness turned over and their hue kept, its order stays one.
_HEAT = "filter:invert(1) hue-rotate(180deg)"
_PIXELS = (
    ".plot image{image-rendering:pixelated}"
    f'[data-theme="dark"] .plot image,[data-jp-theme-light="false"] .plot image,.vscode-dark .plot image{{{_HEAT}}}'
    f'@media (prefers-color-scheme:dark){{[data-theme="auto"] .plot image{{{_HEAT}}}}}'
)


class Plot(Figure):  # type: ignore[misc]  # matplotlib's types are not looked at
    """Matplotlib's figure; in a notebook and on a page it is SVG that follows light and dark."""

    def _repr_html_(self) -> str:
        return f'<figure class="tinygrad-rnn plot" tabindex="0" style="overflow-x:auto;margin:0">{self.svg()}</figure>'

    @property
    def words(self) -> str:
        """What the plot shows, for a reader who does not see it."""
        return " ".join(said for ax in self.axes for said in _words(ax))

    def svg(self) -> str:
        """The plot as an SVG element of a page, which sets the font and the colour of its text."""
        file = io.StringIO()
        with mpl.rc_context(_HOW):
            self.savefig(file, format="svg", transparent=True, metadata={"Date": None})
        root = ET.fromstring(file.getvalue())
        id = new_id(f"plot-{hashlib.sha256(file.getvalue().encode()).hexdigest()[:8]}")
        wanted = {name for part in root.iter() for value in part.attrib.values() for name in _REFERENCE.findall(value)}
        body = "".join(_written(part, id, wanted) for part in root)
        width, height = (float(number) for number in root.attrib["viewBox"].split()[2:])
        said = html.escape(printable(self.words))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{said}" fill="currentColor" '
            f'viewBox="0 0 {width:g} {height:g}" stroke-linejoin="round" '
            f'style="width:{width:g}pt;max-width:100%;height:auto">'
            f"<title>{said}</title><style>{scheme(body)}{_PIXELS}</style>{body}</svg>"
        )


def _written(part: ET.Element, id: str, wanted: set[str]) -> str:
    """The part of a drawing in as few words as it needs: an attribute for each property, ids where one is named."""
    tag = part.tag.removeprefix(_DRAWN)
    if tag in ("metadata", "style"):
        return ""
    inside = html.escape((part.text or "").strip()) + "".join(_written(each, id, wanted) for each in part)
    if tag in ("g", "defs") and not inside:
        return ""
    had = part.attrib | dict(re.findall(r"([\w-]+): ([^;]+)", part.get("style", "")))
    link = had.pop(_LINK, "")
    attributes = {"href": link if link.startswith("data:") else f"#{id}-{link[1:]}"} if link else {}
    for name, value in had.items():
        if name in ("d", "x", "y"):
            short = re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), value)
            attributes[name] = " ".join(short.split())
        elif name == "id" and value in wanted:
            attributes[name] = f"{id}-{value}"
        elif name not in ("id", "style", "font-family", "image-rendering") and not value.startswith("rotate(-0 "):
            changed = "currentColor" if value == "#000000" else value
            attributes[name] = _REFERENCE.sub(rf"#{id}-\1", changed) if changed.startswith("url(") else changed
    if tag == "g" and not attributes:
        return inside
    written = "".join(f' {name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<{tag}{written}>{inside}</{tag}>"


def _words(ax: Axes) -> Iterator[str]:
    """What stands in one pair of axes: how each line goes, and from where to where a map does."""
    if ax.get_label() == "<colorbar>":
        return
    yield f"{ax.get_title() or f'{ax.get_ylabel()} against {ax.get_xlabel()}'}."
    at = ax.fmt_xdata or "{:.4g}".format
    for line in ax.lines:
        x, y = line.get_data()
        y = np.ma.masked_invalid(np.ma.asarray(y, float))
        shown = np.flatnonzero(~np.ma.getmaskarray(y))
        if not len(shown):
            continue
        label = str(line.get_label())
        name = "" if label.startswith("_") else f"{label}: "  # so matplotlib calls what nobody has named
        x, y = np.asarray(x)[shown], y[shown]
        said = f"{name}from {y[0]:.3g} at {at(x[0])} to {y[-1]:.3g} at {at(x[-1])}"
        jumps = np.abs(np.diff(y))
        if len(y) > MANY and jumps.max() > np.ptp(y) / 2:
            k = int(jumps.argmax())
            said += f", of which from {y[k]:.3g} to {y[k + 1]:.3g} between {at(x[k])} and {at(x[k + 1])}"
        yield f"{said}."
    for image in ax.images:
        values = np.ma.compressed(image.get_array())
        if len(values):
            least, most = values.min(), values.max()
            which = f", from {least:.2g} to {most:.2g}" if least < most else f", {most:.2g} each" if most else ""
            yield f"{image.get_label()}: {len(values)} entries{which}."
