"""Pictures made ready for slides: as wide as the screen, in its proportions, for light and dark.

The directive ``slides`` lists them: what the lessons have shown when they were run for this site, and of the gallery
what has no numbers in it.
"""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from tinygrad_rnn.view import formats
from tinygrad_rnn.view.dark import dark
from tinygrad_rnn.view.svg import size

WIDTH, HEIGHT, MARGIN = 1440, 810, 40  # points, 16:9: at 96 pixels to the inch, 1920 by 1080


class Slides(nodes.General, nodes.Element):
    """Stands for the list, until all lessons have been read."""


class Shown(NamedTuple):
    """A picture, and the page it stands on."""

    docname: str
    name: str
    svg: str

    @property
    def title(self) -> str:
        """What the picture says that it shows."""
        found = re.search(r"<title>(.*?)</title>", self.svg)
        assert found is not None  # every picture has one
        return html.unescape(found[1])


class SlidesDirective(SphinxDirective):
    """``slides``: the list."""

    def run(self) -> list[nodes.Node]:
        """Docutils asks for the nodes."""
        return [Slides()]


def pictures(app: Sphinx) -> Iterator[Shown]:
    """Those of the lessons, as they stand on their pages, then those of the gallery."""
    for docname in sorted(name for name in app.env.found_docs if name.startswith("lessons/")):
        found = [raw.astext() for raw in app.env.get_doctree(docname).findall(nodes.raw)]
        found = [text for text in found if text.startswith('<figure class="tinygrad-rnn"')]
        for number, text in enumerate(found, start=1):
            name = Path(docname).name.replace("_", "-") + f"-{number}" * (len(found) > 1)
            yield Shown(docname, name, text)
    files = sorted(Path(app.srcdir, "gallery").glob("*.svg"))
    for path in (path for path in files if path.stem.endswith(("-none", "-layers"))):
        yield Shown(f"gallery/{path.stem.partition('-')[0]}", path.stem, path.read_text("utf-8"))


def slide(shown: Shown, *, on_dark: bool) -> str:
    """The picture in the middle of a slide, without paper: the slide's own colour shows through."""
    width, height = size(shown.svg)
    body = shown.svg[shown.svg.index("</style>") + len("</style>") : shown.svg.rindex("</svg>")]
    body = re.sub(r'<(polygon|rect) [^>]*stroke="(none|transparent)"[^>]*/>', "", body, count=1)
    if on_dark:
        body = re.sub(r'\b(fill|stroke)="([^"]+)"', lambda m: f'{m[1]}="{dark(m[2])}"', body)
    scale = min((WIDTH - 2 * MARGIN) / width, (HEIGHT - 2 * MARGIN) / height)
    x, y = (WIDTH - scale * width) / 2, (HEIGHT - scale * height) / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">\n'
        f"<title>{html.escape(shown.title)}</title>\n"
        f'<g transform="translate({x:.2f} {y:.2f}) scale({scale:.4f})">{body}</g>\n</svg>\n'
    )


def resolve(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for node in list(doctree.findall(Slides)):
        cards = [_card(app, docname, shown) for shown in pictures(app)]
        node.replace_self(nodes.raw("", f'<div class="slides">{"".join(cards)}</div>', format="html"))


def _card(app: Sphinx, docname: str, shown: Shown) -> str:
    lesson = app.builder.get_relative_uri(docname, shown.docname)
    title, about = html.escape(shown.title), html.escape(app.env.titles[shown.docname].astext())
    files = {scheme: f"slides/{shown.name}{'-dark' * (scheme == 'dark')}" for scheme in ("light", "dark")}
    images = (f'<img class="only-{s}" loading="lazy" src="{file}.svg" alt="{title}">' for s, file in files.items())
    links = (
        f'for {s} slides: <a download href="{file}.svg">SVG<span class="hidden-words"> of {about}, {s}</span></a>, '
        f'<a download href="{file}.png">PNG<span class="hidden-words"> of {about}, {s}</span></a>'
        for s, file in files.items()
    )
    return (
        f'<figure>{"".join(images)}<figcaption><a href="{lesson}">{about}</a>: {title}<br>'
        f"{'<br>'.join(links)}</figcaption></figure>"
    )


def write(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "slides"
    folder.mkdir(exist_ok=True)
    for shown in pictures(app):
        for on_dark in (False, True):
            text = slide(shown, on_dark=on_dark)
            path = folder / (shown.name + "-dark" * on_dark)
            path.with_suffix(".svg").write_text(text, "utf-8")
            path.with_suffix(".png").write_bytes(formats.pixels(text))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_node(Slides)
    app.add_directive("slides", SlidesDirective)
    app.connect("doctree-resolved", resolve)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True}
