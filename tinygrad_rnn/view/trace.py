"""The steps as data: what is on screen at each step of the forward and the backward pass, and nothing that computes.

A trace is made once from a network, is written and read as JSON, and is what the terminal, the page, the notebook
and the site show. None of them needs the network.
"""

from __future__ import annotations

import json
import math
import re
import reprlib
from collections.abc import Iterator, Set
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..autodiff.asked import asked
from ..autodiff.notation import array, number, plain, symbol
from ..autodiff.traits import is_tie
from ..unfold import Step, Unfolded
from .arithmetic import evaluate, terms
from .asked import a_path, a_text
from .files import write_whole
from .foreign import briefly, every_text_printable, parsed, read, text_of
from .ledger import MOST_COLUMNS, entries
from .picture import draw
from .redrawn import redrawn
from .views import MOST_BOXES
from .views import shown as shown_steps

VERSION = 1
LONGEST = 200_000  # characters of a formula in a file; with the numbers of 1000 units it has 83,000
MOST_WRITTEN = 3_000_000  # characters of all formulas: they are parted into lines
MOST_ROWS = 20_000  # of the numbers of a step
MOST_AXES = 64  # NumPy has no more


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

    def after(self, number: int) -> list[tuple[str, tuple[str, ...]]]:
        """The rows as they stand after the step of this number, empty where nothing has arrived, and their sum."""
        rows = [(row.copies, row.cells if row.arrives <= number else ()) for row in self.rows]
        sums = [cells for arrives, cells in self.sums if arrives <= number]
        return [*rows, ("sum so far", sums[-1] if sums else ())]


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

    @asked
    def ledger(self, at: int) -> list[tuple[str, list[tuple[str, tuple[str, ...]]]]]:
        """Each weight's ledger as it stands after moment number `at` (from 0): rows that have arrived, and the sum."""
        if isinstance(at, bool) or not isinstance(at, int | np.integer) or not 0 <= at < len(self.moments):
            raise ValueError(f"ledger({briefly(at)}): it is the number of a moment, from 0 to {len(self.moments) - 1}")
        now = self.moments[at].number
        return [(account.weight, account.after(now)) for account in self.accounts]

    @asked
    def find(self, after: int, **wanted: Any) -> int | None:
        """The next moment (from 0) after moment `after` whose attributes are as wanted; None if there is none.

        ``find(3, t=2)``, ``find(3, equation="G26")``, ``find(3, weight="U", t=2)``, ``find(3, op="tanh")``;
        ``find(3, value=None)`` finds the first number that is not finite.
        """
        unknown = [name for name in wanted if name not in Moment.__dataclass_fields__]
        if unknown or isinstance(after, bool) or not isinstance(after, int):
            raise ValueError(
                f"find({briefly(after)}, {', '.join(wanted)}): the number of a moment, then its attributes"
            )
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
        a_text("Trace.from_json", "text", text)
        try:
            data = parsed(text)
        except ValueError as error:
            raise ValueError(f"this is no trace: {error}") from None
        if not isinstance(data, dict) or data.get("format") != "tinygrad_rnn trace":
            raise ValueError('this is no trace: its "format" is not "tinygrad_rnn trace"')
        if data.get("version") != VERSION:
            raise ValueError(
                f"this trace has version {reprlib.repr(data.get('version'))}, and only version {VERSION} is known here"
            )
        try:
            found: Trace = read(cls, data, "trace")
            _refuse_unborne(found)
            return replace(found, svg=redrawn(found.svg))
        except ValueError as error:
            raise ValueError(f"this trace is not whole: {error}") from None

    @classmethod
    def load(cls, path: str | Path) -> Trace:
        """The trace in a file that `save` wrote.

        Raises
        ------
        OSError
            If it cannot be read.
        ValueError
            If it is something else.
        """
        try:
            text = text_of(a_path(path))
        except ValueError as error:
            raise ValueError(f"this is no trace: {error}") from None
        return cls.from_json(text)

    def save(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write the trace as a JSON file, whole or not at all.

        Raises
        ------
        FileExistsError
            If there is such a file, and `overwrite` is not set.
        """
        return write_whole(path, lambda: self.to_json().encode(), overwrite)


def _refuse_unborne(found: Trace) -> None:
    """Raise ValueError if a number or a name says what the rest of the trace does not bear out.

    What is sized by a number, or looked up by a name, is then sized by what the file holds.
    """
    t = found.shown
    if not t or t[0] < 1 or any(a >= b for a, b in pairwise(t)):
        raise ValueError(f"trace.shown is {briefly(t)}: time steps, each later than the one before")
    if t[-1] != found.T:
        raise ValueError(f"trace.T is {found.T}, but the last of the time steps that are shown is {t[-1]}")
    if not found.moments or not found.parts:
        raise ValueError("it has no steps: trace.moments and trace.parts must each hold one at least")
    before, times = 0, {None, 0, *t}
    for k, m in enumerate(found.moments):
        where = f"trace.moments[{k}]"
        if m.phase not in ("forward", "backward") or not re.fullmatch(r"(G[0-9]{1,4})?", m.equation):
            raise ValueError(f"{where} is {briefly(m.phase)} and computes {briefly(m.equation)}")
        if not before < m.number <= found.steps:
            raise ValueError(
                f"{where}.number is {m.number}: after {before} comes a larger one, up to trace.steps, {found.steps}"
            )
        if m.t not in times:
            raise ValueError(f"{where}.t is {m.t}, which is not in trace.shown")
        if len(m.shape) > MOST_AXES or any(size < 0 for size in m.shape):
            raise ValueError(f"{where}.shape is {briefly(m.shape)}: at most {MOST_AXES} sizes, each 0 or more")
        longest = max(map(len, (m.text, m.worked, m.formula, m.source, m.op)))
        rows = sum(values.count("\n") for _, values in (*m.read, m.result))
        if longest > LONGEST or rows > MOST_ROWS:
            raise ValueError(
                f"{where} has a text of {longest:,} characters and {rows:,} rows of numbers: at most {LONGEST:,} and "
                f"{MOST_ROWS:,} are shown"
            )
        before = m.number
    written = sum(len(m.text) + len(m.worked) for m in found.moments)
    if written > MOST_WRITTEN:
        raise ValueError(f"its formulas have {written:,} characters: at most {MOST_WRITTEN:,} are shown")
    hidden = found.T - len(t)
    if found.steps - len(found.moments) < hidden or (not hidden and found.steps != before):
        raise ValueError(
            f"trace.steps is {found.steps}, but trace.moments holds {len(found.moments)}, up to step {before}, and "
            f"{hidden} time steps are not shown"
        )
    _refuse_parts(found, times)


def _refuse_parts(found: Trace, times: Set[int | None]) -> None:
    ids: set[str] = set()
    for k, part in enumerate(found.parts):
        if part.id in ids:
            raise ValueError(f"trace.parts[{k}].id is {briefly(part.id)}, which another part has")
        ids.add(part.id)
        if part.t not in times:
            raise ValueError(f"trace.parts[{k}].t is {part.t}, which is not in trace.shown")
    names = {part.name for part in found.parts if part.t}
    if not names or len(names) * len(found.shown) > MOST_BOXES:
        raise ValueError(f"trace.parts has {len(names)} names at {len(found.shown)} times: no picture can show that")
    for k, account in enumerate(found.accounts):
        where, columns = f"trace.accounts[{k}]", len(account.columns)
        widths = {len(cells) for _, cells in account.sums} | {len(row.cells) for row in account.rows}
        if not account.sums or widths != {columns}:
            raise ValueError(f"{where} has {columns} columns, its rows and sums have {briefly(sorted(widths))}")
        arrive = [row.arrives for row in account.rows] + [number for number, _ in account.sums]
        if not all(1 <= number <= found.steps for number in arrive):
            raise ValueError(f"{where}: what arrives in step {briefly(arrive)} arrives in none of {found.steps}")


@asked
def trace(net: Unfolded, of: int | None = None, title: str = "") -> Trace:
    """Run a network forwards and backwards, and keep what is to be seen of each step.

    Parameters
    ----------
    net : Unfolded
        The network. Its passes are run anew, beside the last ones: its numbers and gradients stay what they are.
    of : int, optional
        Start the error from the cost of this time step alone; from the whole cost if none is named.
    title : str
        What to call it.

    Returns
    -------
    Trace
        Of more than 8 time steps, the first and the last three are shown.

    Raises
    ------
    TypeError
        If it is no network.
    ValueError
        If `of` is no time step.
    """
    passes = net.tape.passes
    held = passes.values, passes.cotangents
    try:
        return every_text_printable(_traced(net, of, title))
    finally:  # looking changes nothing, nor does a look that failed
        passes.values, passes.cotangents = held


def _traced(net: Unfolded, of: int | None, title: str) -> Trace:
    steps = net.steps(of)
    shown = tuple(shown_steps(net, None))  # as in the picture
    lines = net.source_lines()
    weights = {leaf.index: name for name, leaf in net.weights.items()}
    moments: list[Moment] = []
    books = {name: _Book(name, net.weights[name].shape, shown) for name in net.weights}
    count = 0
    steps_from = net.cost if of is None else net.losses[of - 1]
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
        redrawn(draw(net).svg),
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
