"""Curves as SVG for a page that has the colours: readable on a telephone, in both schemes, and told in words."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .text import printable

WIDTH, HEIGHT = 420.0, 230.0
LEFT, RIGHT, TOP, BOTTOM = 50.0, 10.0, 12.0, 34.0
LETTER = 12.0
POINTS = 400  # of a curve; more are averaged
WIDE = 6.0  # how many times the largest of the numbers is the smallest, from which on the scale is one of factors
EMPTY = "There is nothing to draw."
# Of a chart that is a file of its own; a page has its own colours.
ALONE = (
    ":root{color-scheme:light dark;color:light-dark(#1b1b1b,#e6e6e6)}"
    ".paper{fill:light-dark(#fff,#17181a)}text{font:12px system-ui,sans-serif;fill:currentColor}"
    ".curve,.grid,.level{fill:none}.grid{stroke:currentColor;stroke-opacity:.28;stroke-width:.7}"
    ".level{stroke:currentColor;stroke-dasharray:5 4;opacity:.65}.curve{stroke-width:2;stroke-linejoin:round}"
    ".dot{fill:light-dark(#fff,#17181a);stroke-width:2}.name{paint-order:stroke;stroke:light-dark(#fff,#17181a);"
    "stroke-width:4px}.c0{stroke:light-dark(#1565c0,#7cbaff)}"
    ".c1{stroke:light-dark(#c62828,#ff8a7d)}.curve.c1{stroke-dasharray:6 2.5}"
)


@dataclass(frozen=True, slots=True)
class Trend:
    """Numbers above numbers; what is not finite is left out.

    Attributes
    ----------
    name : str
        What it is.
    x, y : sequence of float
        The points, from left to right.
    look : int
        Which of the page's colours and dashes.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    look: int = 0

    def points(self) -> list[tuple[float, float]]:
        """Those that can be drawn."""
        return [(a, b) for a, b in zip(self.x, self.y, strict=True) if math.isfinite(a) and math.isfinite(b)]


@dataclass(frozen=True, slots=True)
class Chart:
    """Some curves over one axis, and levels across.

    Attributes
    ----------
    id : str
        What its ids begin with.
    title, across, up : str
        What it shows, and what the axes are.
    curves : sequence of Trend
        The curves.
    levels : sequence of (str, float)
        What is to be compared with; each with its name on the line.
    factors : bool or None
        Whether equal factors are equally far from each other on the scale upwards; as the numbers ask for if None.
    share : bool
        Whether the numbers are shares, from 0 to 1, and are shown in per cent.
    mark : float or None
        A place on the axis that is marked, as where a forecast begins.
    begin : float or None
        Where the axis begins; at the first point if None.
    """

    id: str
    title: str
    across: str
    up: str
    curves: Sequence[Trend]
    levels: Sequence[tuple[str, float]] = field(default=())
    factors: bool | None = None
    share: bool = False
    mark: float | None = None
    begin: float | None = None

    def told(self) -> str:
        """What is to be seen, in words."""
        said = []
        for curve in self.curves:
            points = curve.points()
            if points:
                low, high = min(points, key=lambda p: p[1]), max(points, key=lambda p: p[1])
                said.append(
                    f"{curve.name}: {self._n(points[0][1])} at {points[0][0]:,.10g}, {self._n(points[-1][1])} at "
                    f"{points[-1][0]:,.10g}; lowest {self._n(low[1])} at {low[0]:,.10g}, highest {self._n(high[1])} at "
                    f"{high[0]:,.10g}"
                )
        said += [f"{name}: {self._n(value)} throughout" for name, value in self.levels]
        return ". ".join(said) + "." if said else EMPTY

    def svg(self, kind: str = "") -> str:
        """The chart as an SVG element without any colour of its own; `kind` is a class for it."""
        title, told = (html.escape(printable(text)) for text in (f"{self.title}, by {self.across}", self.told()))
        head = (
            f'<svg class="chart {kind}" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" '
            f'aria-labelledby="{self.id}-t {self.id}-d">'
            f'<title id="{self.id}-t">{title}</title><desc id="{self.id}-d">{told}</desc>'
        )
        return f"{head}{self._inside()}</svg>"

    def alone(self) -> str:
        """The chart as an SVG file of its own, with the names of its curves."""
        _, _, rest = self.svg().partition(">")
        lines = []
        for k, curve in enumerate(reversed([one for one in self.curves if len(one.x) > 1])):
            x, y = LEFT + 8, HEIGHT - BOTTOM - 8 - 1.25 * LETTER * k
            name = html.escape(printable(curve.name))
            lines.append(f'<path class="curve c{curve.look}" d="M{x:g} {y - 4:g}h22"/>')
            lines.append(f'<text class="name" x="{x + 28:g}" y="{y:g}">{name}</text>')
        paper = f'<style>{ALONE}</style><rect class="paper" width="{WIDTH:g}" height="{HEIGHT:g}"/>'
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" width="{1.5 * WIDTH:g}" '
            f'height="{1.5 * HEIGHT:g}" role="img" aria-labelledby="{self.id}-t {self.id}-d">'
        )
        return f"{head}{rest.replace('</desc>', '</desc>' + paper, 1).replace('</svg>', ''.join(lines) + '</svg>')}\n"

    def _inside(self) -> str:
        drawn = [(curve, _thinned(curve.points())) for curve in self.curves]
        ys = [y for _, points in drawn for _, y in points] + [y for _, y in self.levels if math.isfinite(y)]
        xs = [x for _, points in drawn for x, _ in points]
        if not xs:
            return f'<text x="{WIDTH / 2}" y="{HEIGHT / 2}" text-anchor="middle">{EMPTY}</text>'
        positive = [y for y in ys if y > 0]
        by_factor = self.factors
        if by_factor is None:
            by_factor = len(positive) == len(ys) and max(ys) > WIDE * min(ys)
        if self.share:
            low, high, ticks = 0.0, 1.0, [0.0, 0.25, 0.5, 0.75, 1.0]
        elif by_factor and positive:
            low, high, ticks = _factors(min(positive), max(positive))
        else:
            by_factor = False
            low, high, ticks = _steps(min(ys), max(ys))
        left, right = min(xs) if self.begin is None else min(self.begin, *xs), max(xs)
        right = right if right > left else left + 1
        up = _scale(low, high, HEIGHT - BOTTOM, TOP, by_factor)
        along = _scale(left, right, LEFT, WIDTH - RIGHT, False)
        parts = []
        for tick in ticks:
            parts.append(f'<path class="grid" d="M{LEFT:g} {up(tick):.1f}H{WIDTH - RIGHT:g}"/>')
            parts.append(
                f'<text x="{LEFT - 6:g}" y="{up(tick) + 4:.1f}" text-anchor="end">{html.escape(self._n(tick))}</text>'
            )
        for tick in _steps(left, right, 4)[2]:
            if left <= tick <= right and float(tick).is_integer():
                at = along(tick)
                anchor = "end" if at > WIDTH - RIGHT - 14 else "middle"
                parts.append(f'<path class="grid" d="M{at:.1f} {HEIGHT - BOTTOM:g}v4"/>')
                parts.append(
                    f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 17:g}" text-anchor="{anchor}">{tick:,.0f}</text>'
                )
        parts.append(
            f'<text class="axis" x="{LEFT:g}" y="{HEIGHT - 3:g}">{html.escape(printable(self.across))}'
            f"{', up by factors' if by_factor else ''}</text>"
        )
        if self.mark is not None and left <= self.mark <= right:
            parts.append(f'<path class="mark" d="M{along(self.mark):.1f} {TOP:g}V{HEIGHT - BOTTOM:g}"/>')
        for curve, points in drawn:
            shown = [(x, y) for x, y in points if not by_factor or y > 0]
            where = [f"{along(x):.1f} {up(min(max(y, low), high)):.1f}" for x, y in shown]
            if len(where) == 1:
                x, y = where[0].split()
                parts.append(f'<circle class="dot c{curve.look}" cx="{x}" cy="{y}" r="3"/>')
            elif where:
                parts.append(f'<path class="curve c{curve.look}" d="M{"L".join(where)}"/>')
        parts += self._levels(up, by_factor)
        return "".join(parts)

    def _levels(self, up: Callable[[float], float], by_factor: bool) -> list[str]:
        shown = [(name, y) for name, y in self.levels if math.isfinite(y) and (y > 0 or not by_factor)]
        heights = [float(up(y)) for _, y in shown]
        parts, last = [], -math.inf
        for k in sorted(range(len(shown)), key=heights.__getitem__):  # from the top: names that would meet go down
            at = max(heights[k] - 4, last + LETTER, TOP + 8)
            last = at
            name = html.escape(printable(f"{shown[k][0]} {self._n(shown[k][1])}"))
            parts.append(f'<path class="level" d="M{LEFT:g} {heights[k]:.1f}H{WIDTH - RIGHT:g}"/>')
            parts.append(f'<text class="name" x="{WIDTH - RIGHT:g}" y="{at:.1f}" text-anchor="end">{name}</text>')
        return parts

    def _n(self, value: float) -> str:
        return per_cent(value) if self.share else number(value)


def number(value: float) -> str:
    """A number with four digits that count, and without a sign for tens where it can be read without."""
    if not math.isfinite(value):
        return "not finite"
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e6:
        return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    digits, tens = f"{value:.3e}".split("e")
    digits = digits.rstrip("0").rstrip(".")
    power = str(int(tens)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{power}" if digits == "1" else f"{digits}·10{power}"


def per_cent(part: float) -> str:
    """A share with two digits that count, more where they stand before the point."""
    return f"{100 * part:.0f} %" if part >= 0.0995 else f"{100 * part:.2g} %"


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """So many points at most: the means of neighbours."""
    many = -(-len(points) // POINTS)
    if many <= 1:
        return points
    groups = [points[k : k + many] for k in range(0, len(points), many)]
    return [(group[-1][0], math.fsum(y for _, y in group) / len(group)) for group in groups]


def _scale(low: float, high: float, at_low: float, at_high: float, by_factor: bool) -> Callable[[float], float]:
    def place(value: float) -> float:
        if by_factor:
            part = math.log(value / low) / math.log(high / low)
        else:
            part = (value - low) / (high - low)
        return at_low + part * (at_high - at_low)

    return place


def _steps(low: float, high: float, most: int = 5) -> tuple[float, float, list[float]]:
    """Round numbers below, above and between."""
    if not high > low:
        low, high = low - (abs(low) / 10 or 0.5), high + (abs(high) / 10 or 0.5)
    rough = (high - low) / most
    ten = 10.0 ** math.floor(math.log10(rough))
    step = next(ten * k for k in (1, 2, 5, 10) if ten * k >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [round(k * step, 12 - math.floor(math.log10(step))) for k in range(first, last + 1)]
    return ticks[0], ticks[-1], ticks


def _factors(low: float, high: float) -> tuple[float, float, list[float]]:
    """Powers of ten below, above and between; where these are few, 2 and 5 times them, too."""
    decades = math.log10(high / low)
    parts = (1, 2, 5) if decades < 2.2 else (1,)
    every = 1 if decades < 6 else math.ceil(decades / 5)
    first, last = math.floor(math.log10(low) - 1e-9), math.ceil(math.log10(high) + 1e-9)
    ticks = [k * 10.0**n for n in range(first, last + 1) if (n - first) % every == 0 for k in parts]
    below = max((t for t in ticks if t <= low), default=10.0**first)
    above = min((t for t in ticks if t >= high), default=10.0**last)
    if above <= below:
        above = below * 10
    return below, above, [t for t in ticks if below <= t <= above]
