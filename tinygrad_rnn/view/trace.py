"""The steps as data: what is on screen at each step of the forward and the backward pass, and nothing that computes.

A trace is made once from a network, is written and read as JSON, and is what the terminal, the page, the notebook
and the site show. None of them needs the network.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..autodiff.asked import asked
from ..autodiff.notation import array, number, plain, symbol
from ..autodiff.traits import is_tie
from ..unfold import Step, Unfolded
from .arithmetic import evaluate, terms
from .files import write_whole
from .foreign import read, refuse_active
from .ledger import MOST_COLUMNS, entries
from .picture import draw
from .views import shown as shown_steps

VERSION = 1


@dataclass(frozen=True, slots=True)
class Moment:
    """One step, in words and numbers.

    Attributes
    ----------
    number : int
        Its place in the whole of the forward and the backward pass, from 1.
    phase : str
        ``forward`` or ``backward``.
    op : str
        The op.
    t : int or None
        The time step, None for what belongs to none.
    node, edge : str
        The ids of what is computed, or hands on its error, and of the line along which it goes back, in the picture.
    parent : str
        The id of the node that receives a share, backwards.
    equation : str
        The id of Guo's equation, such as ``G26``.
    formula, text : str
        The formula in LaTeX and in plain text.
    read : tuple of (str, str)
        What it reads: names and numbers.
    result : (str, str)
        What it gives: name and numbers.
    before, after : str
        What had come to the parent before this share, and what has now; empty forwards, or if it is the first.
    shape : tuple of int
        The shape of the result.
    entry, worked : str
        The entry that is worked out, and its formula with numbers.
    value : float or None
        The value of this entry; None if it is not finite.
    terms : tuple of (str, float)
        The terms of the worked formula, if it is a sum.
    weight : str
        The weight whose copy hands its share to it here; empty in all other steps.
    source : str
        The line of the cell that this comes from.
    """

    number: int
    phase: str
    op: str
    t: int | None
    node: str
    edge: str
    parent: str
    equation: str
    formula: str
    text: str
    read: tuple[tuple[str, str], ...]
    result: tuple[str, str]
    before: str
    after: str
    shape: tuple[int, ...]
    entry: str
    worked: str
    value: float | None
    terms: tuple[tuple[str, float], ...]
    weight: str
    source: str

    @property
    def title(self) -> str:
        """Where we are, in a few words: ``backward 61, t = 2, Guo (28)``."""
        where = "" if self.t is None else f", t = {self.t}"
        equation = f", Guo ({self.equation.removeprefix('G')})" if self.equation else ""
        return f"{self.phase} {self.number}{where}{equation}"


@dataclass(frozen=True, slots=True)
class Part:
    """A box of the network: its id in the picture, its name without the time, its time, and whether it is computed."""

    id: str
    name: str
    t: int
    computed: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a ledger: which copies, their share, and the step in which it arrives."""

    copies: str
    cells: tuple[str, ...]
    arrives: int


@dataclass(frozen=True, slots=True)
class Account:
    """The ledger of one weight as it fills: the share of each copy, and after each step what has been added up.

    Attributes
    ----------
    weight : str
        The weight's name in plain text.
    columns : tuple of str
        An entry of the weight each, or the length where there are too many.
    rows : tuple of Row
        One for each time step, or for the time steps that are not shown.
    sums : tuple of (int, tuple of str)
        The number of a step, and what has been added up after it; of the time steps that are not shown, once.
    """

    weight: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    sums: tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """All that is to be seen of a network, step by step.

    Attributes
    ----------
    title : str
        What it is.
    T : int
        How many time steps the network has.
    shown : tuple of int
        The time steps whose steps are here.
    steps : int
        How many steps there are in all, shown or not.
    cost : float or None
        The cost that the error starts from; None if it is not finite.
    moments : tuple of Moment
        The steps that are shown.
    accounts : tuple of Account
        The ledgers.
    parts : tuple of Part
        What stands at the time steps that are shown, without the copies of weights, in the order of the tape.
    svg : str
        The picture; ids as in the moments.
    """

    title: str
    T: int
    shown: tuple[int, ...]
    steps: int
    cost: float | None
    moments: tuple[Moment, ...]
    accounts: tuple[Account, ...]
    parts: tuple[Part, ...]
    svg: str

    def __len__(self) -> int:
        return len(self.moments)

    def ledger(self, at: int) -> list[tuple[str, list[tuple[str, tuple[str, ...]]]]]:
        """Each weight's ledger as it stands after moment number `at` (from 0): rows that have arrived, and the sum."""
        now = self.moments[at].number if self.moments else 0
        found = []
        for account in self.accounts:
            rows = [(row.copies, row.cells if row.arrives <= now else ()) for row in account.rows]
            sums = [cells for arrives, cells in account.sums if arrives <= now]
            found.append((account.weight, [*rows, ("sum so far", sums[-1] if sums else ())]))
        return found

    def find(self, after: int, **wanted: Any) -> int | None:
        """The next moment (from 0) after moment `after` whose attributes are as wanted; None if there is none.

        ``find(3, t=2)``, ``find(3, equation="G26")``, ``find(3, weight="U", t=2)``, ``find(3, op="tanh")``;
        ``find(3, value=None)`` finds the first number that is not finite.
        """
        for k in range(after + 1, len(self.moments)):
            if all(getattr(self.moments[k], name) == value for name, value in wanted.items()):
                return k
        return None

    def to_json(self) -> str:
        """The trace as JSON, in the form of ``trace-1.schema.json`` beside this module."""
        return json.dumps({"format": "tinygrad_rnn trace", "version": VERSION, **asdict(self)}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Trace:
        """The trace that `to_json` wrote.

        Raises
        ------
        ValueError
            If it is something else, or of a version that is not known here.
        """
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"this is no trace: it is not JSON ({error})") from None
        if not isinstance(data, dict) or data.get("format") != "tinygrad_rnn trace":
            raise ValueError('this is no trace: its "format" is not "tinygrad_rnn trace"')
        if data.get("version") != VERSION:
            raise ValueError(
                f"this trace has version {data.get('version')!r}, and only version {VERSION} is known here"
            )
        try:
            found: Trace = read(cls, data, "trace")
            found._refuse_parts()
        except (KeyError, ValueError) as error:
            raise ValueError(f"this trace is not whole: {type(error).__name__} {error}") from None
        return found

    def _refuse_parts(self) -> None:
        """Raise ValueError if there is nothing to show, or if something says what it cannot mean."""
        if not self.moments or not self.parts:
            raise ValueError("it has no steps")
        for k, m in enumerate(self.moments):
            if m.phase not in ("forward", "backward") or not re.fullmatch(r"(G\d+)?", m.equation):
                raise ValueError(f"trace.moments[{k}] is {m.phase!r} and computes {m.equation!r}")
        for account in self.accounts:
            widths = {len(cells) for _, cells in account.sums} | {len(row.cells) for row in account.rows}
            if not account.sums or widths != {len(account.columns)}:
                raise ValueError(
                    f"the ledger of {account.weight} has {len(account.columns)} columns, its rows {widths}"
                )
        refuse_active(self.svg)

    def save(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write the trace as a JSON file, whole or not at all.

        Raises
        ------
        FileExistsError
            If there is such a file, and `overwrite` is not set.
        """
        return write_whole(path, lambda: self.to_json().encode(), overwrite)


@asked
def trace(net: Unfolded, of: int | None = None, title: str = "") -> Trace:
    """Run a network forwards and backwards, and keep what is to be seen of each step.

    Parameters
    ----------
    net : Unfolded
        The network. Its passes are run anew; its numbers stay what they are.
    of : int, optional
        Start the error from the cost of this time step alone; from the whole cost if none is named.
    title : str
        What to call it.

    Returns
    -------
    Trace
        Of more than 8 time steps, the first and the last three are shown.
    """
    steps = net.steps(of)  # asks whether there is such a step
    steps_from = net.cost if of is None else net.losses[of - 1]
    shown = tuple(shown_steps(net, None))  # as in the picture
    lines = net.source_lines()
    weights = {leaf.index: name for name, leaf in net.weights.items()}
    moments: list[Moment] = []
    books = {name: _Book(name, net.weights[name].shape, shown) for name in net.weights}
    count = 0
    for step in steps:
        count = step.number
        share = step.share
        weight = weights.get(share.parent.index, "") if share is not None else ""
        if share is not None and weight:
            books[weight].enter(step)
        if _shown(step, shown):
            moments.append(moment(step, weight, str(lines.get(step.node.role, "")) if step.t else ""))
    return Trace(
        title or f"A recurrent network, unfolded over {net.T} time step{'s' if net.T > 1 else ''}",
        net.T,
        shown,
        count,
        _finite(float(steps_from.value)),
        tuple(moments),
        tuple(book.account() for book in books.values() if book.rows or book.hidden),
        tuple(
            Part(f"n{n.index}", plain(symbol(n.name or f"v_{n.role}")), n.t, n.op is not None)
            for n in net.tape
            if n.t in (0, *shown) and n.t is not None and not is_tie(n)
        ),
        draw(net).svg,
    )


def _shown(step: Step, shown: tuple[int, ...]) -> bool:
    times = [step.node.t] if step.share is None else [step.node.t, step.share.parent.t]
    return all(not t or t in shown for t in times)


def moment(step: Step, weight: str = "", source: str = "") -> Moment:
    """A step as data."""
    share, index = step.share, step.largest()
    name = plain(step.result)
    worked = step.unit(index)
    value = float(step.value[index])
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
        tuple((read, array(values)) for read, values in step.operands),
        (name, array(step.value)),
        "" if share is None or step.before is None else array(step.before),
        "" if share is None else array(step.after),
        step.value.shape,
        "(" + ", ".join(str(i + 1) for i in index) + ")" if index else "",
        f"{worked} = {number(value)}" if worked else number(value),
        _finite(value),
        tuple(_terms(worked)),
        weight,
        source,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None  # JSON has no other numbers


def _terms(worked: str) -> Iterator[tuple[str, float]]:
    each = terms(worked)
    if len(each) > 1:
        for term in each:
            value = evaluate(term)
            if math.isfinite(value):
                yield term, value


class _Book:
    """One weight's ledger while the error comes back; of the time steps that are not shown it keeps the sum."""

    def __init__(self, weight: str, shape: tuple[int, ...], shown: tuple[int, ...]) -> None:
        self.weight = weight
        self.shape = shape
        self.shown = shown
        self.small = math.prod(shape) <= MOST_COLUMNS
        self.rows: dict[int, Row] = {}  # by the time step that each begins with
        self.sums: list[tuple[int, tuple[str, ...]]] = []
        self.hidden: list[int] = []  # the time steps that are not shown, from the last one backwards,
        self.total: Any = 0.0  # what their shares add up to,
        self.last: Step | None = None  # and the last of their shares, until its sum is written down

    def enter(self, step: Step) -> None:
        t = step.node.t or 0
        if t and t not in self.shown:
            self.hidden.append(t)
            self.total, self.last = self.total + step.value, step
            return
        self._sum_up()
        self.rows[t] = Row(str(t), self._cells(step.value), step.number)
        self.sums.append((step.number, self._cells(step.after)))

    def _sum_up(self) -> None:
        """Write down what has come once all that is not shown has come: each sum is a look at all copies so far."""
        if self.last is not None:
            first, last = self.hidden[-1], self.hidden[0]
            self.rows[first] = Row(f"{first} to {last}", self._cells(self.total), self.last.number)
            self.sums.append((self.last.number, self._cells(self.last.after)))
            self.last = None

    def _cells(self, values: Any) -> tuple[str, ...]:
        return tuple(number(float(v)) for v in values.flat) if self.small else (number(float(np.linalg.norm(values))),)

    def account(self) -> Account:
        self._sum_up()
        rows = tuple(self.rows[t] for t in sorted(self.rows))
        return Account(plain(symbol(self.weight)), self._columns(), rows, tuple(self.sums))

    def _columns(self) -> tuple[str, ...]:
        if not self.small:
            return ("‖share‖",)
        return tuple(entries(self.weight, self.shape))
