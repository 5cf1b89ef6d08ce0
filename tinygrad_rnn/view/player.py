"""The player: a trace as a page that needs no server and no network, and as a part of a notebook or a site."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..autodiff.asked import asked
from ..unfold import Unfolded
from .asked import a_path
from .files import write_whole
from .guess import answers, otherwise, question
from .ids import new_id
from .redrawn import redrawn
from .text import printable
from .trace import Trace, trace

if TYPE_CHECKING:
    from jinja2 import Environment


class Player:
    """The steps of a trace, to be gone through with buttons, keys or clicks. It shows itself in a notebook.

    Attributes
    ----------
    trace : Trace
        What it shows.
    predict : bool
        Whether the reader is asked for a value before it is shown.
    """

    @asked
    def __init__(self, steps: Trace, predict: bool = False) -> None:
        self.trace = steps
        self.predict = predict
        self.id = "bptt-" + hashlib.sha256(steps.to_json().encode()).hexdigest()[:8]

    @asked
    def fragment(self, link: Callable[[str], str] | None = None, id: str = "") -> str:
        """The player as a part of a page that has `style()` and `script()` too.

        Parameters
        ----------
        link : callable, optional
            What gives the address of the page that shows an equation, such as ``G26``.
        id : str, optional
            What the ids of its parts start with; made from what it shows if it is not given.
        """
        shown = self.trace
        id = id or self.id
        # What the error starts from is told by the first share: its name is that of ∂C/∂..., or of one C(t) alone.
        slope = next((m.result[0].partition("/")[0] for m in shown.moments if m.phase == "backward"), "∂C")
        return (
            _templates()
            .get_template("stepper.html")
            .render(
                trace=shown,
                id=id,
                picture=_marked(_fitting(shown.svg, id)),
                predict=self.predict,
                until=_until(shown),
                link=link,
                hidden=_hidden(shown),
                slope=slope,
                question=question,
                answers=answers,
                otherwise=otherwise,
            )
        )

    def page(self) -> str:
        """The whole page: one file that asks for nothing else."""
        script = script_text()
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        return (
            _templates()
            .get_template("page.html")
            .render(
                trace=self.trace,
                hidden=_hidden(self.trace),
                css=_marked(style_text()),
                script=_marked(script),
                script_hash=f"sha256-{digest}",
                stepper=_marked(self.fragment()),
            )
        )

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the page to a file, whole or not at all.

        Parameters
        ----------
        path : path-like
            A name that ends in .html.
        overwrite : bool
            Whether a file of that name may be replaced.

        Raises
        ------
        ValueError
            If the name ends in something else.
        FileExistsError
            If there is such a file, and `overwrite` is not set.
        """
        path = a_path(path)
        if path.suffix != ".html":
            raise ValueError(f"{path}: the page is written as .html")
        return write_whole(path, lambda: self.page().encode(), overwrite)

    def _repr_html_(self) -> str:
        return f"<style>{style_text()}</style>{self.fragment(id=new_id(self.id))}<script>{script_text()}</script>"


@asked
def player(net: Unfolded | Trace, *, of: int | None = None, title: str = "", predict: bool = False) -> Player:
    """Step through a network: each step forwards and backwards with its formula, its numbers and the ledger.

    Parameters
    ----------
    net : Unfolded or Trace
        The network, or what was kept of one.
    of : int, optional
        Start the error from the cost of this time step alone.
    title : str
        What to call it.
    predict : bool
        Whether the reader is asked for a value or a shape before each step is shown. The reader can switch it.

    Returns
    -------
    Player
    """
    if isinstance(net, Trace):
        if of is not None or title:
            raise ValueError("player: of= and title= are said when a trace is made; this one has both already")
        return Player(net, predict)
    return Player(trace(net, of, title), predict)


@cache
def style_text() -> str:
    """The player's CSS."""
    return (resources.files(__package__) / "page/stepper.css").read_text("utf-8")


@cache
def script_text() -> str:
    """The player's JavaScript."""
    return (resources.files(__package__) / "page/stepper.js").read_text("utf-8")


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # not with the package: only pages need it

    # Every string of a trace comes here, and nowhere else, into a page: it is escaped, and cannot be but text.
    return Environment(
        loader=PackageLoader("tinygrad_rnn.view", "page"),
        autoescape=True,
        finalize=_text,
        undefined=StrictUndefined,
        trim_blocks=True,
    )


def _text(thing: Any) -> Any:
    """A string without what no page can hold; what is markup already was written here."""
    return printable(thing) if type(thing) is str else thing


def _fitting(picture: str, id: str) -> str:
    """A picture whose ids are its own, as wide as its place, but never so small that it cannot be read."""
    # The numbers of the picture are 10 points high: at 0.85 they can still be read.
    return redrawn(picture, f"{id}-", "width:clamp(calc(.85*{width}px),100%,calc(1.34*{width}px));height:auto")


def _marked(html: str) -> str:
    from markupsafe import Markup

    return Markup(html)


def _hidden(shown: Trace) -> str:
    missing = shown.steps - len(shown.moments)
    gaps = [(a + 1, b - 1) for a, b in pairwise([0, *shown.shown]) if b - a > 1]
    if not missing or not gaps:
        return ""
    first, last = gaps[0][0], gaps[-1][1]
    return f"{missing} steps of the time steps {first} to {last}, which do the same again, are not shown."


def _until(shown: Trace) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a reader can go on to: groups of (what must hold, in the list's own words; what it is called)."""

    def each(values: list[tuple[dict[str, str], str]]) -> list[tuple[str, str]]:
        return [(json.dumps(wanted), called) for wanted, called in values]

    moments = shown.moments
    times = sorted({m.t for m in moments if m.t})
    phases: list[tuple[dict[str, str], str]] = [({"phase": "backward"}, "the backward pass")]
    phases += [({"phase": p, "t": str(t)}, f"t = {t}, {p}s") for p in ("forward", "backward") for t in times]
    equations = sorted({m.equation for m in moments if m.equation}, key=lambda e: int(e[1:]))
    weights = list(dict.fromkeys((m.weight, m.t) for m in moments if m.weight))
    return [
        ("time", each(phases)),
        ("equation", each([({"equation": e}, f"Guo ({e[1:]})") for e in equations])),
        ("share of a copy", each([({"weight": w, "t": str(t)}, f"{w}({t})") for w, t in weights])),
        ("op", each([({"op": op}, op) for op in sorted({m.op for m in moments})])),
        ("trouble", each([({"value": ""}, "a number that is not finite")])),
    ]
