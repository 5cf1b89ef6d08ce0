"""The making of a trace: a network is run once, and what is to be seen of each step is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import naming
from ..autodiff.asked import asked
from ..autodiff.notation import array, number, plain
from ..autodiff.traits import is_tie
from ..autodiff.worked import Worked, closing_each
from ..unfold import Read, Step, Unfolded
from ..unfold.structure import flatten
from . import svg
from .accounts import (
    MOST_REACHES,
    OTHER,
    Account,
    Book,
    Others,
    copied,
    finite,
    given_by_costs,
    truncations,
)
from .differing import differing
from .figure import figure
from .foreign import every_text_printable
from .redrawn import redrawn
from .tiles import NAMED as MOST_ENTRIES
from .trace import MOST_WORKED, Drawn, Entry, Moment, Part, Trace
from .views import draw
from .views import shown as shown_steps

LONG = 160  # characters of an entry's formula


@asked
def trace(
    net: Unfolded,
    of: int | None = None,
    title: str = "",
    compare: Unfolded | Mapping[str, Any] | None = None,
) -> Trace:
    """Run a network forwards and backwards, and keep what is to be seen of each step.

    Parameters
    ----------
    net : Unfolded
        The network. Its passes are run anew, beside the last ones: its numbers and gradients stay what they are.
    of : int, optional
        Start the error from the cost of this time step alone; from the whole cost if none is named.
    title : str
        What to call it.
    compare : Unfolded or mapping of str to array, optional
        What to hold the copies' shares against: another network with the same weights and time steps, its backward
        pass done, or arrays (T, ...) by the weights' names.

    Returns
    -------
    Trace
        Of more than 8 time steps, the first and the last three are shown.

    Raises
    ------
    TypeError
        If it is no network.
    ValueError
        If `of` is no time step, or nothing of `compare` can be held against it.
    """
    others = compared("trace", net, compare)
    passes = net.tape.passes
    held = passes.values, passes.cotangents
    try:
        found = _traced(net, of, title, others)
        lines = differing(net, compare, of) if isinstance(compare, Unfolded) else ()
        return every_text_printable(replace(found, differing=tuple(m.edge for m in found.moments if m.edge in lines)))
    finally:  # looking changes nothing, nor does a look that failed
        passes.values, passes.cotangents = held


def _traced(net: Unfolded, of: int | None, title: str, compare: Mapping[str, Others]) -> Trace:
    walked = net.steps(of)
    shown = tuple(shown_steps(net, None))  # as in the picture
    alone = _alone(net) if of is None and net.T <= MOST_REACHES else []
    lines = net.source_lines()
    weights = {leaf.index: name for name, leaf in net.weights.items()}
    moments: list[Moment] = []
    books = {name: Book(name, net.weights[name].shape, shown) for name in net.weights}
    counted = [0.0] * net.T  # how much each cost counts in the whole
    costs = {cost.index: t for t, cost in enumerate(net.losses)}
    steps_from = net.cost if of is None else net.losses[of - 1]
    if steps_from.index in costs:
        counted[costs[steps_from.index]] = 1.0
    step: Step | None = None
    for step in walked:
        share = step.share
        weight = ""
        if share is not None:
            weight = weights.get(share.parent.index, "")
            if weight:
                books[weight].enter(step)
            elif copied(step) and share.parent.t in shown:
                books[weights[share.parent.parents[0].index]].note(step)
            elif share.parent.index in costs:
                counted[costs[share.parent.index]] = float(step.after)
        if _shown(step, shown):
            made = moment(step, weight, str(lines.get(step.node.role, "")) if step.t else "")
            lengths = tuple(found.get(made.edge, 0.0) for found in alone) if share is not None else ()
            moments.append(replace(made, alone=lengths))
    assert step is not None  # a network has steps
    filled = [name for name, book in books.items() if book.arrived or book.hidden]
    given = {name: given_by_costs(net, name, counted, net.copies[name]) for name in filled if name in net.copies}
    accounts = tuple(
        books[name].account(given.get(name), truncations(given.get(name)) | compare.get(name, {})) for name in filled
    )
    return Trace(
        title or f"A recurrent network, unfolded over {net.T} time step{'s' if net.T > 1 else ''}",
        net.T,
        shown,
        step.number,
        finite(float(steps_from.value)),
        tuple(moments),
        accounts,
        tuple(
            Part(f"n{n.index}", plain(naming.latex(n, naming.no_time)), n.t, n.op is not None)
            for n in net.tape
            if n.t in (0, *shown) and n.t is not None and not is_tie(n)
        ),
        redrawn(draw(net).svg),
        _start(net, accounts),
        _drawn(net, moments),
        tuple((f"n{net.losses[t - 1].index}", t) for t in shown),
        tuple(_bridges(net, shown)),
    )


def compared(who: str, net: Unfolded, other: Unfolded | Mapping[str, Any] | None) -> dict[str, Others]:
    """For each weight, what another network's copies give, or what somebody has worked out, by its name.

    Raises
    ------
    ValueError
        If no weight of it has the same name, the same shape and as many copies.
    """
    if other is None:
        return {}
    shares = other.copies if isinstance(other, Unfolded) else other
    arrays = {name: _numbers(shares[name]) for name in shares}
    found: dict[str, Others] = {}
    for name, weight in net.weights.items():
        given = arrays.get(name)
        if given is not None and given.shape == (net.T, *weight.shape):
            found[name] = {OTHER: (0, given)}
    # Of two networks what they have in common is compared; who names arrays means each of them.
    if not found or (not isinstance(other, Unfolded) and len(found) < len(arrays)):
        has = ", ".join(f"{name} {'not real' if a is None else a.shape}" for name, a in arrays.items()) or "none"
        wanted = next((f"{name} {(net.T, *w.shape)}" for name, w in net.weights.items()), "none")
        raise ValueError(
            f"{who}: compare= has {has}: they must be called and shaped as the copies here, such as {wanted}"
        )
    return found


def _numbers(given: Any) -> NDArray[Any] | None:
    """An array of what is given, if it is one."""
    try:
        return None if np.iscomplexobj(given) else np.asarray(given, dtype=float)
    except (TypeError, ValueError, OverflowError):
        return None


def _alone(net: Unfolded) -> list[dict[str, float | None]]:
    """For the cost of each time step, how long the error is on each line if it starts there alone."""
    return [
        {
            f"e{step.node.index}-{step.share.slot}": finite(np.linalg.norm(step.value))
            for step in net.steps(t)
            if step.share is not None
        }
        for t in range(1, net.T + 1)
    ]


def _drawn(net: Unfolded, moments: Sequence[Moment]) -> Drawn:
    """The textbook picture, and which of its boxes stands for which node of the steps."""
    made = figure(net)
    known = {id for m in moments for id in (m.node, m.parent)}
    boxes = tuple((node, box) for node, box in made.boxes.items() if node in known and box)
    gaps = tuple(line.id for line in made.scene.lines if "gap" in (line.source[:3], line.target[:3]))
    return Drawn(redrawn(svg.whole(made.scene)), made.left, made.pitch, made.width, made.height, boxes, gaps)


def _start(net: Unfolded, accounts: Sequence[Account]) -> tuple[str, int]:
    """The second copy of the weight that the state is multiplied with: its error came from later."""
    before = {n.latex for s in net.states[:-1] for n in flatten(s)}
    names = {plain(latex) for latex in before}
    for account in accounts:
        if any(p.read[0] in names for column in account.shares for p in column.products if column.first > 1):
            return account.id, min(2, net.T)
    found = next((account.id for account in accounts if account.shares), "")
    return found, min(2, net.T) if found else 0


def _bridges(net: Unfolded, shown: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Where time steps are left out, the states before them and what reads a state behind them."""
    for a, b in pairwise(shown):
        if b - a > 1:
            after = {s.index for s in flatten(net.states[b - 1])}
            readers = [n for n in net.tape if n.t == b and any(p.index in after for p in n.parents)]
            yield from ((f"n{s.index}", f"n{n.index}") for s in dict.fromkeys(flatten(net.states[a])) for n in readers)


def _shown(step: Step, shown: tuple[int, ...]) -> bool:
    times = [step.node.t] if step.share is None else [step.node.t, step.share.parent.t]
    return all(not t or t in shown for t in times)


def moment(step: Step, weight: str = "", source: str = "") -> Moment:
    """A step as data."""
    share, index = step.share, step.largest()
    name = plain(step.result)
    worked = step.worked(index)
    value = float(step.value[index])
    reads, before = step.reads, step.before
    more = repeat(0) if before is None or share is None else closing_each([before, step.value], step.after)
    return Moment(
        step.number,
        step.phase,
        step.op,
        step.t,
        f"n{step.node.index}",
        f"e{step.node.index}-{share.slot}" if share is not None else "",
        f"n{share.parent.index}" if share is not None else "",
        step.equation,
        step.formula,
        step.text,
        tuple((read.name, array(read.value)) for read in reads),
        (name, array(step.value, more)),
        "" if share is None or before is None else array(before, more),
        "" if share is None else array(step.after),
        step.value.shape,
        "(" + ", ".join(str(i + 1) for i in index) + ")" if index else "",
        f"{worked} = {number(value)}" if worked else number(value),
        finite(value),
        worked.terms if worked else (),
        weight,
        source,
        tuple((f"n{read.node.index}", read.what) for read in reads),
        tuple(_entries(step)) if reads and step.value.size <= MOST_WORKED and not is_tie(step.node) else (),
        None if share is None else finite(np.linalg.norm(step.value)),
    )


def _entries(step: Step) -> Iterator[Entry]:
    """Each entry of the result, with what it reads most of: what moves it most when it grows by a millionth."""
    most = [_most(step, read) for read in step.reads]
    for k, index in enumerate(np.ndindex(*step.value.shape)):
        yield Entry(number(float(step.value[index])), _short(step.worked(index)), tuple(int(each[k]) for each in most))


def _short(worked: Worked | None) -> str:
    """A long sum by its first and its last terms."""
    whole = str(worked or "")
    if worked is None or len(whole) < LONG or len(worked.terms) < 9:
        return whole
    each = [text for text, _ in worked.terms]
    return f"{' + '.join(each[:5])} + … {len(each) - 7} more … + {' + '.join(each[-2:])}"


def _most(step: Step, read: Read) -> NDArray[Any]:
    if is_tie(read.node) or not 0 < read.value.size <= MOST_ENTRIES:  # a weight was computed nowhere
        return np.full(step.value.size, -1)
    moved, small = np.zeros((read.value.size, step.value.size)), 1e-3 * float(np.abs(read.value).max()) + 1e-9
    with np.errstate(all="ignore"):
        still = step.again(read)
        for k in range(read.value.size):
            grown = np.array(read.value, dtype=float)
            grown.flat[k] += 1e-6 * (abs(grown.flat[k]) + small)
            moved[k] = np.abs(step.again(read._replace(value=grown)) - still).ravel()
    moved = np.nan_to_num(moved)
    return np.where(moved.any(axis=0), moved.argmax(axis=0), -1)
