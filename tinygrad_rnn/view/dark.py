"""The colours of a picture where its page is dark."""

from __future__ import annotations

import re


def scheme(body: str) -> str:
    """CSS that turns every colour of the picture over where the page is dark.

    ``light-dark()`` asks for the colour scheme of the place: the page's own where the picture stands in a page, the
    reader's where it is a file of its own. A program that does not know it draws the light picture.
    """
    used = sorted(set(re.findall(r'\b(fill|stroke)="([^"]+)"', body)))
    rules = [
        f'.tinygrad-rnn [{kind}="{color}"]{{{kind}:light-dark({color},{dark(color)})}}'
        for kind, color in used
        if color not in ("none", "transparent")
    ]
    return (
        ":root.tinygrad-rnn{color-scheme:light dark}"
        # Pages that turn dark without telling the browser: Sphinx themes, JupyterLab, VS Code.
        '[data-theme="dark"] .tinygrad-rnn,[data-jp-theme-light="false"] .tinygrad-rnn,.vscode-dark .tinygrad-rnn'
        "{color-scheme:dark}"
        '@media (prefers-color-scheme:dark){[data-theme="auto"] .tinygrad-rnn{color-scheme:dark}}'
        "@supports (color:light-dark(red,red)){" + "".join(rules) + "}"
    )


def dark(color: str) -> str:
    """The colour for a dark page: hue kept, lightness turned over, so that what stood out still does.

    White becomes a dark grey and black nearly white; the order of lightness is reversed, so a scale stays one.
    Source: Ottosson (2020), A perceptual color space for image processing (Oklab).
    """
    named = {"white": "#ffffff", "black": "#000000", "red": "#ff0000"}
    code = named.get(color.lower(), color)
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", code):
        return color
    r, g, b = (_to_linear(int(code[k : k + 2], 16) / 255) for k in (1, 3, 5))
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    medium = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    light = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    u = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    v = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    light = 0.17 + 0.80 * max(0.0, 1 - light) ** 0.65
    long = (light + 0.3963377774 * u + 0.2158037573 * v) ** 3
    medium = (light - 0.1055613458 * u - 0.0638541728 * v) ** 3
    short = (light - 0.0894841775 * u - 1.2914855480 * v) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    return "#" + "".join(f"{round(255 * _from_linear(min(1.0, max(0.0, c)))):02x}" for c in linear)


def _to_linear(c: float) -> float:
    return c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4


def _from_linear(c: float) -> float:
    return 12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055
