"""Formulas as MathML, made when the site is built: the browser draws them as it draws text, without a program.

The font is a part of STIX Two Math, the characters that RANGE lists, and stands in the style sheet itself: from a page
on disk, some browsers load no font. ``python docs/_ext/formulas.py STIXTwoMath-Regular.ttf`` makes it anew; that needs
fonttools and brotli.
"""

import base64
import html
import re
import sys
from pathlib import Path
from typing import Any

import math_core
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

FONT = Path(__file__).parents[1] / "_static/stix/STIXTwoMath.woff2"
RANGE = (
    "U+20-7E,U+B7,U+D7,U+2C6,U+302,U+391-3C9,U+3D1,U+3D5,U+3F5,U+2016,U+2020,U+2026,U+2032-2034,U+2061,U+210E,U+2113,"
    "U+2190-2194,U+21A6,U+21D2,U+2200,U+2202,U+2203,U+2207-2209,U+220F,U+2211-2213,U+2215,U+2218-221A,U+221D,U+221E,"
    "U+2225-222B,U+223C,U+2248,U+2260,U+2261,U+2264,U+2265,U+226A,U+226B,U+2282,U+2286,U+2295,U+2297,U+2299,U+22A4,"
    "U+22A5,U+22C5,U+22EE-22F1,U+2308-230B,U+27E8,U+27E9,U+1D434-1D467,U+1D6E2-1D71B"
)
MACROS = {"net": r"\mathrm{net}"}  # Guo's net, as tinygrad_rnn.guo writes it
STYLE = """\
@font-face {{ font-family: "STIX of formulas"; src: url(data:font/woff2;base64,{font}); unicode-range: {range}; }}
math {{ font-family: "STIX of formulas", math; font-size: 1.15em; }}
math mfrac {{ margin-inline: .1em; }}
"""

HELD = {
    code
    for piece in RANGE.replace("U+", "").split(",")
    for low, _, high in [piece.partition("-")]
    for code in range(int(low, 16), int(high or low, 16) + 1)
}


def mathml(tex: str, *, block: bool, in_xml: bool = False) -> str:
    """The formula as an element of a page.

    Raises
    ------
    ValueError
        If it is none, or has a character that the font has not.
    """
    if block and r"\tag{" in tex:  # a tag is of an environment only
        tex = rf"\begin{{equation}}{tex}\end{{equation}}"
    converter = math_core.LatexToMathML(macros=MACROS, xml_namespace=in_xml, fancy_error=False)
    try:
        made = converter.convert_with_local_state(tex, displaystyle=block)
    except math_core.LatexError as error:
        raise ValueError(f"{tex}: {error}") from error
    missing = {c for c in html.unescape(re.sub(r"<[^>]*>", "", made)) if ord(c) not in HELD and not c.isspace()}
    if missing:
        raise ValueError(f"{tex}: the font has no {', '.join(sorted(missing))}: see RANGE in docs/_ext/formulas.py")
    return made


def visit_math(self: HTML5Translator, node: nodes.math) -> None:
    _visit(self, node, "span", block=False)


def visit_displaymath(self: HTML5Translator, node: nodes.math_block) -> None:
    if node.get("number"):
        raise ExtensionError(f"{node.astext()}: number an equation by \\tag{{...}}")
    _visit(self, node, "div", block=True)


def _visit(self: HTML5Translator, node: nodes.Element, tag: str, *, block: bool) -> None:
    try:
        made = mathml(node.astext(), block=block, in_xml=self.builder.name == "epub")
    except ValueError as error:
        logging.getLogger(__name__).warning("%s", error, location=node)
    else:
        self.body.append(f"{self.starttag(node, tag, '', CLASS='math notranslate nohighlight')}{made}</{tag}>")
    raise nodes.SkipNode


def add_style(app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    if "<math" in context.get("body", ""):
        app.add_css_file("formulas.css")


def write_style(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        font = base64.b64encode(FONT.read_bytes()).decode()
        (Path(app.outdir) / "_static/formulas.css").write_text(STYLE.format(font=font, range=RANGE), "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
    app.connect("html-page-context", add_style)
    app.connect("build-finished", write_style)
    return {"parallel_read_safe": True}


def write_font(whole: str) -> None:
    from fontTools import subset
    from fontTools.ttLib import TTFont

    font = TTFont(whole)
    for table in font["cmap"].tables:
        if table.isUnicode():  # the one made for an exponent, which Chromium does not choose by itself
            table.cmap[ord("′")] = "minute.ssty"
    # Chromium lets a letter's foot push its index down, so that y_k would hang lower than d_k; TeX does not.
    font["MATH"].table.MathConstants.SubscriptBaselineDropMin.Value = 0
    cut = subset.Subsetter(subset.Options(layout_features=["ssty"], hinting=False))
    cut.populate(unicodes=HELD)
    cut.subset(font)
    font.flavor = "woff2"
    font.save(FONT)


if __name__ == "__main__":
    write_font(*sys.argv[1:])
