"""Which picture is asked for: its view, its overlay and the time steps that it shows."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..autodiff import Tape
from ..autodiff import asked as arguments
from ..autodiff.calling import shortened
from ..unfold import Unfolded
from . import arcs, asked, layers, printed
from . import overlay as overlays
from .backward import backward
from .figure import unrolled
from .folded import FoldedPicture, OfAllSteps
from .fragment import Fragment
from .highlight import highlighted
from .picture import Picture
from .scene import Scene
from .tiles import with_ledger
from .unfolding import unfolded
from .units import zoomed

VIEWS = ("unfolded", "folded", "staircase", "window", "backward")
LEVELS = ("ops", "layers", "figure")
FOR = ("page", "print")
WRITTEN = (None, "values", "cotangents", "both")  # the overlays that only write
READABLE = 8  # so many steps a picture shows by itself
ENDS = 3  # of a longer one, so many at either end
MOST_BOXES = 60_000  # a picture of more takes a minute, and nothing can show it


@arguments.asked
def draw(
    net: Unfolded | Tape,
    *,
    view: str = "unfolded",
    overlay: str | None = "both",
    of: int | None = None,
    window: str | tuple[int, int] | None = None,
    level: str | None = None,
    zoom: tuple[int, str] | None = None,
    limits: tuple[float, float] | None = None,
    captions: Mapping[str, Sequence[str]] | None = None,
    highlight: str | None = None,
    ledger: str | None = None,
    for_: str = "page",
) -> Picture:
    """Draw a network. All that is drawn is read off the tape, and drawing changes no number.

    Parameters
    ----------
    net : Unfolded or Tape
        The network; or a tape, such as that of an error which ended the recording of a network. A tape without
        time steps is drawn as a list, with an arc for each thing that a node reads.
    view : {"unfolded", "folded", "staircase", "window", "backward"}
        A column for each time step, its weight copies inside it; the cell, once, with its delays; what one output
        depends on, as Guo draws it (Figure 2); the first and the last steps alone; or the lines along which the
        error comes back.
    overlay : str or None
        What is written or coloured: ``"values"``, ``"cotangents"``, ``"both"``; ``"gradient"``, the length of each
        cotangent as a colour; ``"shares"``, each copy's part of the gradient of its weight; ``"path"``, the lines
        that carry the error of one time step back; ``"jacobian"``, the singular values of ds(t)/ds(t-1).
        What has not been computed yet is a dash.
    of : int, optional
        The time step whose output or error is meant, in a staircase or a path; the last one if none is named.
    window : (int, int) or "all", optional
        How many first and last steps are drawn; by itself a picture shows all steps up to 8 and otherwise the
        first and the last 3. What is left out is said in words.
    level : {"ops", "layers", "figure"}, optional
        Whether each op has a box, or each layer: input, state, output and cost, and on the lines their matrices, as
        textbooks unroll a network; a ``"figure"`` is that without the numbers, to be read at any size. By
        itself it is the ops, and the figure for print.
    zoom : (int, str), optional
        A time step and a node's name: this node alone is drawn, opened into its units.
    limits : (float, float), optional
        The ends of the scale of ``overlay="gradient"``, so that several pictures have the same one.
    captions : mapping of str to sequence of str, optional
        A word for each time step under the nodes of a name, such as the characters that x(t) stands
        for: ``{"x": "we se"}``.
    highlight : str, optional
        The name of a weight, such as ``"U"``: its copies are filled, the other weights grey.
    ledger : str, optional
        The name of a weight whose ledger stands below the columns of a figure: the share of each copy as a tile, its
        part of the gradient, the largest entry, and what they add up to.
    for_ : {"page", "print"}
        Whether the picture is for a screen, or for a paper: at most 160 mm wide, its letters at least 8 points large,
        in black, without numbers, with fewer time steps where not all of them have room.

    Returns
    -------
    Picture

    Raises
    ------
    TypeError
        If it is no network, or if the captions are no words.
    ValueError
        If an argument is unknown or does not fit the others, or if there is nothing to draw.
    TapeError
        If an overlay needs a backward pass that was not run.
    """
    captions = {} if captions is None else captions
    asked.captions(captions)
    tape = net if isinstance(net, Tape) else net.tape

    def scene(overlay: str | None, level: str, window: Any) -> Scene:
        return _scene(net, view, overlay, of, window, level, zoom, limits, captions, highlight, ledger)

    if for_ == "page":
        return Picture(scene(overlay, "ops" if level is None else level, window), tape)
    overlay = for_print(for_, overlay, zoom, ledger)
    level = level or ("ops" if net is tape else "figure")
    # From the steps that a picture shows by itself down to the first and the last one.
    by_itself = window is None and view in ("unfolded", "window") and net is not tape
    fewer = [(3, 3), (2, 3), (2, 2), (1, 2), (1, 1)] if by_itself else []
    for tried in (window, *fewer):
        try:
            return printed.Printed(scene(overlay, level, tried), tape)
        except printed.TooSmallError as error:
            if tried == (fewer[-1] if fewer else window):
                raise printed.TooSmallError(f"{error}: {_smaller(view, level, bool(fewer))}") from None
    raise AssertionError("the last one is returned or raised")


def _scene(
    net: Unfolded | Tape,
    view: str,
    overlay: str | None,
    of: int | None,
    window: Any,
    level: str,
    zoom: tuple[int, str] | None,
    limits: tuple[float, float] | None,
    captions: Mapping[str, Sequence[str]],
    highlight: str | None,
    ledger: str | None,
) -> Scene:
    """What is asked for, if it is not refused."""
    _one_of("view", view, VIEWS)
    _one_of("level", level, LEVELS)
    _one_of("overlay", overlay, overlays.NAMES)
    _limits(limits)
    if ledger is not None and (level != "figure" or view not in ("unfolded", "window") or zoom is not None):
        raise ValueError(
            f"ledger={ledger!r}: it stands below the columns of level='figure': say so, and no view or zoom"
        )
    if isinstance(net, Tape) and not any(node.t for node in net):
        told = {"view": view != "unfolded", "overlay": overlay not in WRITTEN, "level": level != "ops"}
        told |= {"zoom": zoom is not None, "of": of is not None, "window": window is not None}
        told |= {"highlight": highlight is not None}
        wrong = [name for name, different in told.items() if different]
        if wrong:
            raise ValueError(f"this tape has no time steps: it is drawn as a list, and {', '.join(wrong)} says nothing")
        return arcs.listed(net, overlay)
    whole = Fragment(net) if isinstance(net, Tape) else net
    step = _time("of", of, whole.T)
    if zoom is not None:
        if highlight is not None:
            raise ValueError("zoom shows one node, highlight a weight among others: give one of them")
        return zoomed(whole, zoom)
    chosen = overlays.make(overlay, captions, step, limits)
    made = _made(whole, chosen, view, level, step, window, ledger)
    return made if highlight is None else highlighted(made, whole, highlight)


def _smaller(view: str, level: str, by_itself: bool) -> str:
    """What to ask for where a picture is too wide for print."""
    if view == "backward":
        return "view='backward' has a box for each op: ask for another view, or for fewer time steps by window="
    if level != "figure":
        return "ask for level='figure', which has no box for each op, or for fewer time steps by window="
    if by_itself:
        return "it has two time steps and is as wide as its longest names and captions: it can be for_='page' alone"
    return "ask for fewer time steps by window="


def for_print(for_: object, overlay: str | None, zoom: object, ledger: object) -> str | None:
    """The overlay of a picture for print; one that would only write numbers is none.

    Raises
    ------
    ValueError
        If something is asked for that only colours tell.
    """
    _one_of("for_", for_, FOR)
    told = {f"overlay={overlay!r}": overlay not in (*WRITTEN, "path", "shares"), "zoom": zoom is not None}
    for what, by_color in (told | {"ledger": ledger is not None}).items():
        if by_color:
            raise ValueError(
                f"for_='print' and {what}: its colours say what black would not; print overlay=None, 'path' or 'shares'"
            )
    return None if overlay in WRITTEN else overlay


def _made(
    whole: Unfolded | Fragment,
    chosen: overlays.Overlay,
    view: str,
    level: str,
    step: int | None,
    window: Any,
    ledger: str | None,
) -> Scene:
    """The scene of a view."""
    everywhere = chosen if type(chosen) is overlays.Overlay else OfAllSteps(chosen)
    if view == "staircase":
        last = step or whole.T
        return layers.staircase(_complete(whole, view), chosen, last, _copies(window, last))
    if level != "ops" and view != "backward":
        complete = _complete(whole, level)
        if view == "folded":
            return layers.folded(complete, everywhere)
        steps = shown(whole, window, view == "window")
        made = unrolled(complete, chosen, steps, level == "layers")
        return made.scene if ledger is None else with_ledger(made, complete, ledger)
    if view == "folded":
        return FoldedPicture(_complete(whole, view), everywhere).scene()
    if view == "backward":
        return backward(whole, chosen, shown(whole, window))
    return unfolded(whole, chosen, shown(whole, window, view == "window"))


def shown(net: Unfolded | Fragment, window: Any, short: bool = False) -> Sequence[int]:
    """The time steps that have a column."""
    T = net.T
    everything = range(1, T + 1)
    if window is None:
        ends = (ENDS, ENDS)
        return everything if (2 * ENDS if short else READABLE) >= T else _ends(T, *ends)
    if isinstance(window, str) and window == "all":
        boxes = len(net.tape)
        if boxes <= MOST_BOXES:
            return everything
        most = max(ENDS, MOST_BOXES * T // boxes // 2)
        warnings.warn(
            f"{T} time steps are {boxes} boxes: more than {MOST_BOXES}, which is as much as a page can show. The first "
            f"and the last {most} steps are drawn; say window=(first, last) for others",
            stacklevel=4,
        )
        return _ends(T, most, most)
    pair = isinstance(window, tuple | list) and len(window) == 2
    if not pair or not all(isinstance(n, int | np.integer) and not isinstance(n, bool) and n >= 0 for n in window):
        raise ValueError(
            f"window={shortened(window)}: it is the number of first and of last steps to be drawn, such as (3, 3), "
            "or 'all'"
        )
    if not sum(window):
        raise ValueError(f"window={shortened(window)}: at least one time step must be drawn")
    return _ends(T, *(int(n) for n in window))


def _copies(window: Any, last: int) -> int:
    """How many copies of the network a staircase shows."""
    if window is None:
        return last if last <= READABLE else ENDS + 1
    if window == "all":
        return min(last, 200)
    if isinstance(window, int) and not isinstance(window, bool) and window > 0:
        return window
    raise ValueError(f"window={shortened(window)}: of a staircase it is the number of copies to be drawn, or 'all'")


def _ends(T: int, first: int, last: int) -> Sequence[int]:
    if first + last >= T:
        return range(1, T + 1)
    return [*range(1, first + 1), *range(T - last + 1, T + 1)]


def _complete(net: Unfolded | Fragment, view: str) -> Unfolded:
    if isinstance(net, Fragment):
        raise ValueError(f"view={view!r} is for a whole network; of a tape, draw the view 'unfolded' or 'backward'")
    return net


def _time(argument: str, t: int | None, T: int) -> int | None:
    if t is not None and (isinstance(t, bool) or not isinstance(t, int | np.integer) or not 1 <= t <= T):
        raise ValueError(f"{argument}={t!r}: it is a time step, an integer from 1 to {T}")
    return None if t is None else int(t)


def _limits(limits: Any) -> None:
    if limits is None:
        return
    numbers = isinstance(limits, tuple | list) and all(isinstance(v, int | float | np.number) for v in limits)
    if not numbers or len(limits) != 2 or not 0 < limits[0] < limits[1] < np.inf:
        given = shortened(limits)
        raise ValueError(f"limits={given}: they are two lengths, the smaller one first, such as (1e-6, 1.0)")


def _one_of(argument: str, given: object, known: Sequence[object]) -> None:
    if not isinstance(given, str | None) or given not in known:
        raise ValueError(f"{argument}={given!r}: it is one of {', '.join(map(repr, known))}")
