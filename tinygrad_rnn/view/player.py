"""The player: a trace as a page that needs no server and no network, and as a part of a notebook or a site."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..autodiff.asked import asked
from ..autodiff.calling import shortened
from ..exchange.files import a_path, write_whole
from ..unfold import Unfolded
from .accounts import OTHER
from .ids import new_id
from .page_data import ledgers, quiet, script_data
from .redrawn import redrawn
from .slim import slim
from .text import printable
from .trace import Trace
from .tracing import trace

if TYPE_CHECKING:
    from jinja2 import Environment


class Player:
    """What each copy of each weight gives, and every step to it, to be tapped through. It shows itself in a notebook.

    Attributes
    ----------
    trace : Trace
        What it shows.
    predict : bool
        Whether the reader is asked for a value before it is shown.
    start : (str, int)
        The weight and the time step whose share is shown first.
    ops : bool
        Whether the picture of every op can be asked for.
    compared : bool
        Whether the shares are shown beside those that they are held against, from the start.
    """

    @asked
    def __init__(
        self,
        steps: Trace,
        predict: bool = False,
        start: tuple[str, int] | None = None,
        ops: bool = True,
        compared: bool = False,
    ) -> None:
        self.trace, self.predict, self.ops, self.compared = steps, predict, ops, compared
        _refuse_start(steps, start)
        self.start = steps.start if start is None else start
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
        shown, drawn = self.trace, self.trace.figure
        id = id or self.id
        # What the error starts from is told by the first share: its name is that of ∂C/∂..., or of one C(t) alone.
        slope = next((m.result[0].partition("/")[0] for m in shown.moments if m.phase == "backward"), "∂C")
        weights = ledgers(shown)
        asked_for = {f"{id}-{node}" for m in shown.moments for node in (m.node, m.parent)}
        data = script_data(shown, weights, self._place(weights))
        return (
            _templates()
            .get_template("player.html")
            .render(
                trace=shown,
                id=id,
                drawn=drawn,
                picture=_marked(slim(redrawn(drawn.svg if drawn else shown.svg, f"{id}-f-", "width:{width}px"))),
                ops=_marked(slim(redrawn(shown.svg, f"{id}-", "width:{width}px"), asked_for)) if self.ops else "",
                weights=weights,
                reach=_reach(weights),
                chosen=OTHER if self.compared else "",
                chapters=_chapters(shown),
                predict=self.predict,
                link=link,
                hidden=_hidden(shown),
                slope=slope,
                data=_marked(_for_a_script(data)),
            )
        )

    def _place(self, weights: list[dict[str, Any]]) -> tuple[int, int]:
        """Which weight and which column are shown first; the first ones if a file names others."""
        weight, t = self.start
        names = [w["id"] for w in weights]
        column = next((k for k, (a, b) in enumerate(self.trace.columns) if a <= t <= b), 0)
        return names.index(weight) if weight in names else 0, column

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
def player(
    net: Unfolded | Trace,
    *,
    of: int | None = None,
    title: str = "",
    predict: bool = False,
    start: tuple[str, int] | None = None,
    compare: Unfolded | Mapping[str, Any] | None = None,
    ops: bool = True,
) -> Player:
    """See what each copy of each weight gives to its gradient, and why: tap a share, then what it was made of.

    Parameters
    ----------
    net : Unfolded or Trace
        The network, or what was kept of one.
    of : int, optional
        Start the error from the cost of this time step alone.
    title : str
        What to call it.
    predict : bool
        Whether the reader is asked for a number before it is shown. The reader can switch it.
    start : (str, int), optional
        The share that is shown first, such as ``("U", 2)``; that of the second copy of the weight that the state is
        multiplied with, if none is named.
    compare : Unfolded or mapping of str to array, optional
        What to hold the shares against, see `trace`.
    ops : bool
        Whether the picture of every op is there too, to be asked for: a third of the page.

    Returns
    -------
    Player

    Raises
    ------
    TypeError, ValueError
        As `trace`; and if `start` is no share.
    """
    if isinstance(net, Trace):
        if of is not None or title or compare is not None:
            raise ValueError(
                "player: of=, title= and compare= are said when a trace is made; this one has all of them already"
            )
        shown = net
    else:
        shown = trace(net, of, title, compare)
    return Player(shown, predict, start, ops, compare is not None)


def _refuse_start(shown: Trace, start: Any) -> None:
    if start is None:
        return
    names = [account.id for account in shown.accounts if account.shares]
    if (
        not isinstance(start, tuple)
        or len(start) != 2
        or not isinstance(start[0], str)
        or start[0] not in names
        or isinstance(start[1], bool)
        or not isinstance(start[1], int)
        or not 1 <= start[1] <= shown.T
    ):
        raise ValueError(
            f"player: start={shortened(start)}: it is a weight, one of {', '.join(names) or 'none'}, and a time step "
            f'from 1 to {shown.T}, such as ("{names[0] if names else "U"}", {min(2, shown.T)})'
        )


@cache
def style_text() -> str:
    """The player's CSS."""
    return _short("player.css")


@cache
def script_text() -> str:
    """The player's JavaScript."""
    return _short("player.js")


def _short(name: str) -> str:
    """A file of the page without indents and without comments in lines of their own: no string goes over two lines."""
    text = (resources.files(__package__) / "page" / name).read_text("utf-8")
    text = re.sub(r"^ */\*.*?\*/\n|^ *//[^\n]*\n", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^ +|^\n", "", text, flags=re.MULTILINE)


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


def _reach(weights: list[dict[str, Any]]) -> tuple[str, list[tuple[str, str]]] | None:
    """What the shares can be held against: how it is called, and each choice."""
    names = list(dict.fromkeys(other.name for w in weights for other in w["account"].others))
    if not names:
        return None
    compared = OTHER in names
    return ("compare with" if compared else "error goes back"), [
        ("", "nothing" if compared else "fully"),
        *((name, name) for name in names),
    ]


def _chapters(shown: Trace) -> list[tuple[str, str, int]]:
    """Where one can go at once: the forward pass, each time step backwards, the sum, and what is not finite."""
    moments = list(enumerate(shown.moments))
    found = [
        ("forward", "forward" if len(shown.shown) < 6 else "fwd", next((k for k, m in moments if not quiet(m)), 0))
    ]
    for t in reversed(shown.shown):
        k = next((k for k, m in moments if m.phase == "backward" and m.t == t and not quiet(m)), None)
        found += [] if k is None else [(f"t{t}", f"t={t}", k)]
    bad = next((k for k, m in moments if m.value is None), None)
    found += [] if bad is None else [("bad", "not finite", bad)]
    return found + ([("sum", "sum", 0)] if any(account.shares for account in shown.accounts) else [])


def _for_a_script(data: Any) -> str:
    """JSON that can stand in a page: no sign in it ends the element that it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return printable(text)
