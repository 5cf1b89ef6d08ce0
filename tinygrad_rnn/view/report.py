"""The page of a training run: one file without a script, which asks for nothing else."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from .charts import Chart, Trend, number, per_cent
from .lags import FilmStrip
from .text import printable

if TYPE_CHECKING:
    from jinja2 import Environment

ROWS = 100  # of the log that stand on the page
COLUMNS = ("update", "epoch", "train", "validation", "best", "gradient", "clipped", "eta")


@dataclass(frozen=True, slots=True)
class Price:
    """What somebody pays, the network or who has learnt little."""

    name: str
    value: float
    remark: str
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that the network has written."""

    caption: str
    prime: str
    text: str


@dataclass(frozen=True, slots=True)
class Scores:
    """A table of how wrong forecasts are."""

    caption: str
    head: Sequence[str]
    rows: Sequence[tuple[str, Sequence[float]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """All that the page of a run shows.

    Attributes
    ----------
    title : str
        What was trained on what.
    lead : sequence of str
        What has come of it, in sentences.
    facts : sequence of (str, str)
        Some numbers.
    unit : str
        What prices are in.
    factors : bool or None
        See `Chart`, of the prices: nats are logarithms already.
    best : (int, float) or None
        After which update the price of the validation part was the lowest, and which it was.
    part : str
        Of which part the prices are.
    prices : sequence of Price
        The network's and others'.
    history : sequence of mapping
        The log, an evaluation a line.
    film : FilmStrip
        The film.
    film_says : str
        What is to be said of it.
    passages : sequence of Passage
        Of a text, what the network writes.
    drafts_say : str
        What is to be said of what it wrote at the moments of the film.
    forecasts : sequence of Chart
        Of a series, what the network tells.
    scores : sequence of Scores
        And how wrong that is.
    remarks : sequence of str
        What is to be said of the forecast or the sample.
    tables : sequence of (str, sequence of (str, str))
        What was set, understood and used.
    """

    title: str
    lead: Sequence[str]
    facts: Sequence[tuple[str, str]]
    unit: str
    factors: bool | None
    best: tuple[int, float] | None
    part: str
    prices: Sequence[Price]
    history: Sequence[Mapping[str, Any]]
    film: FilmStrip
    film_says: str = ""
    passages: Sequence[Passage] = ()
    drafts_say: str = ""
    forecasts: Sequence[Chart] = ()
    scores: Sequence[Scores] = ()
    remarks: Sequence[str] = ()
    tables: Sequence[tuple[str, Sequence[tuple[str, str]]]] = ()

    def page(self) -> str:
        """The page, as HTML."""
        from markupsafe import Markup

        shown = _shown(self.history)
        return (
            _templates()
            .get_template("report.html")
            .render(
                run=self,
                css=Markup(_style(len(self.film.rows))),
                charts=[(chart, Markup(chart.svg())) for chart in self.charts()],
                told=[(chart, Markup(chart.svg())) for chart in self.forecasts],
                heats=[Markup(self.film.heat(row)) for row in self.film.rows],
                fading=Markup(self.film.fading()),
                bars=self._bars(),
                columns=[name for name in COLUMNS if any(name in line for line in shown)],
                shown=shown,
                number=number,
                per_cent=per_cent,
                cell=_cell,
            )
        )

    def charts(self) -> list[Chart]:
        """The curves by update."""
        kept = self.history

        def trend(name: str, key: str, look: int) -> Trend:
            found = [line for line in kept if _is_number(line.get(key))]
            return Trend(name, [line["update"] for line in found], [float(line[key]) for line in found], look)

        prices = [trend("train", "train", 0), trend("validation", "validation", 1)]
        levels = [(price.name, price.value) for price in self.prices if not price.ours]
        prices += [Trend(f"best at {self.best[0]:,}", [self.best[0]], [self.best[1]], 1)] if self.best else []
        lengths, clipped, eta = (
            trend("mean length", "gradient", 0),
            trend("clipped", "clipped", 2),
            trend("eta", "eta", 3),
        )
        x = "updates"
        all_of_them = [
            Chart(
                "price", f"Price, {self.unit}", x, "price", [t for t in prices if t.y], levels, self.factors, begin=0
            ),
            Chart("length", "Length of the gradient", x, "length", [lengths], begin=0),
            Chart("clipped", "Share of updates clipped", x, "share", [clipped], share=True, begin=0),
            Chart("eta", "Step size eta", x, "eta", [eta], begin=0),
        ]
        return [chart for chart in all_of_them if any(one.y for one in chart.curves)]

    def _bars(self) -> list[tuple[Price, float]]:
        """Each price, the lowest first, and how long its bar is in parts of the longest."""
        found = sorted((price for price in self.prices if math.isfinite(price.value)), key=lambda price: price.value)
        longest = max((price.value for price in found), default=0) or 1.0
        return [(price, max(0.0, price.value / longest)) for price in found]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _shown(history: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """So many lines of the log, evenly, with the last one."""
    many = -(-len(history) // ROWS)
    return list(history[:: -many or None])[::-1] if many > 1 else list(history)


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in ("update", "epoch"):
        return f"{value:,}"
    return per_cent(float(value)) if name == "clipped" else number(float(value))


def _style(moments: int) -> str:
    """The page's CSS, with a rule for each moment of the film that brings it forward when it is chosen."""
    text = (resources.files(__package__) / "page" / "report.css").read_text("utf-8")
    text = re.sub(r"^ */\*.*?\*/\n", "", text, flags=re.MULTILINE | re.DOTALL)
    for k in range(moments):
        text += (
            f"#m{k}:checked~.strip .r{k}{{background:var(--soft);outline:2px solid var(--line)}}\n"
            f"#m{k}:focus-visible~.strip .r{k}{{outline:3px solid var(--blue)}}\n"
            f"#m{k}:checked~.now .c{k}{{stroke:var(--red);stroke-width:2.6;opacity:1}}\n"
            f"#m{k}:checked~.now .w{k}{{display:block}}\n"
        )
    return text


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # not with the package: only pages need it

    # What strangers have written comes into the page here and in the charts, and is escaped in both.
    return Environment(
        loader=PackageLoader("tinygrad_rnn.view", "page"),
        autoescape=True,
        finalize=lambda thing: printable(thing) if type(thing) is str else thing,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
