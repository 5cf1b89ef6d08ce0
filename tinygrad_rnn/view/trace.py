"""The steps as data: what is on screen at each step of the forward and the backward pass, and nothing that computes.

A trace is made once from a network, is written and read as JSON, and is what the terminal, the page, the notebook
and the site show. None of them needs the network.
"""

from __future__ import annotations

import json
import math
import re
import reprlib
from collections.abc import Set
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..autodiff.asked import asked
from ..autodiff.calling import a_text
from ..exchange.files import a_path, write_whole
from .accounts import (
    MOST_REACHES,
    MOST_SAMPLES,
    Account,
    spans,
)
from .foreign import briefly, parsed, read, text_of
from .redrawn import redrawn
from .tiles import MOST as MOST_BLOCKS
from .tiles import NAMED as MOST_ENTRIES
from .views import MOST_BOXES

VERSION = 2  # what was written since version 1 has defaults, so that the old ones are still read
MOST_WORKED = 36  # entries of a result
LONGEST = 200_000  # characters of a formula in a file; with the numbers of 1000 units it has 83,000
MOST_WRITTEN = 3_000_000  # characters of all formulas: they are parted into lines
MOST_ROWS = 20_000  # of the numbers of a step
WIDEST = 1e6  # points of the textbook picture
MOST_AXES = 64  # NumPy has no more


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a step's result.

    Attributes
    ----------
    value, worked : str
        The number, and the formula with the numbers that give it.
    reads : tuple of int
        For each thing that the step reads, the entry that counts most in this one; -1 if none does.
    """

    value: str
    worked: str
    reads: tuple[int, ...]


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
    origins : tuple of (str, str)
        Where each thing that it reads comes from: the id of a node, and whether it is the node's ``value`` or its
        ``cotangent``. This and what follows is missing in a trace of version 1.
    entries : tuple of Entry
        Each entry of the result, worked out; none if there are too many, or nothing is computed.
    length : float or None
        The length of the share.
    alone : tuple of (float or None)
        The same if the error starts at the cost of one time step alone, for each of them; of few time steps.
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
    origins: tuple[tuple[str, str], ...] = ()
    entries: tuple[Entry, ...] = ()
    length: float | None = None
    alone: tuple[float | None, ...] = ()

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
class Drawn:
    """The textbook picture, and what of it a page must know to put ledgers below its columns.

    Attributes
    ----------
    svg : str
        The picture.
    left, pitch : float
        Where the first column begins, and how wide each is: parts of the whole width.
    width, height : float
        The picture's size.
    boxes : tuple of (str, str)
        For each node that stands in the steps, the box that stands for it.
    gaps : tuple of str
        The lines into and out of the time steps that are not drawn.
    """

    svg: str
    left: float
    pitch: float
    width: float
    height: float
    boxes: tuple[tuple[str, str], ...]
    gaps: tuple[str, ...]


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
    start : (str, int)
        The weight and the time step whose share says most; this and what follows is missing in version 1.
    figure : Drawn or None
        The textbook picture.
    costs : tuple of (str, int)
        The ids of the costs, each with its time step.
    bridges : tuple of (str, str)
        Across time steps that are not shown: a node before, and one behind whose error comes to it.
    differing : tuple of str
        The lines on which the error of the network that this one is held against is another one.
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
    start: tuple[str, int] = ("", 0)
    figure: Drawn | None = None
    costs: tuple[tuple[str, int], ...] = ()
    bridges: tuple[tuple[str, str], ...] = ()
    differing: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.moments)

    @property
    def columns(self) -> list[tuple[int, int]]:
        """The first and the last time step of each column, see `spans`."""
        return spans(self.shown)

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
        """The trace as JSON, in the form of ``trace-2.schema.json`` beside this module."""
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
        version = data.get("version")
        if type(version) is not int or not 1 <= version <= VERSION:
            raise ValueError(f"this trace has version {reprlib.repr(version)}, and only 1 to {VERSION} are known here")
        try:
            found: Trace = read(cls, data, "trace")
            _refuse_unborne(found)
            drawn = found.figure and replace(found.figure, svg=redrawn(found.figure.svg))
            return replace(found, svg=redrawn(found.svg), figure=drawn)
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
    written = sum(len(m.text) + len(m.worked) + sum(len(e.worked) for e in m.entries) for m in found.moments)
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
        _refuse_account(found, account, where)
    _refuse_figure(found)


def _refuse_account(found: Trace, account: Account, where: str) -> None:
    """Raise ValueError if the ledger on its side does not hold what its shape and the time steps say."""
    columns = [(c.first, c.last) for c in account.shares]
    if columns and columns != found.columns:
        raise ValueError(f"{where}.shares stand for {briefly(columns)}, and the columns are {briefly(found.columns)}")
    if (
        len(account.shape) > MOST_AXES
        or not all(1 <= n <= MOST_ROWS for n in account.shape)
        or len(account.others) > MOST_REACHES
    ):
        raise ValueError(f"{where} has the shape {briefly(account.shape)} and {len(account.others)} other ledgers")
    size = math.prod(account.shape)
    texts = size if size <= MOST_ENTRIES else 0
    wide = account.shape[-1] if account.shape else 1
    values = size if texts else min(wide, MOST_BLOCKS) * min(size // wide, MOST_BLOCKS)
    amounts = [amount for c in account.shares for amount in (c.share, c.so_far)]
    amounts += [] if account.total is None else [account.total]
    amounts += [amount for other in account.others for amount in (*other.shares, other.total)]
    if amounts and (len(account.entries) != texts or account.total is None):
        raise ValueError(f"{where} names {len(account.entries)} entries; of a weight of {size} it is {texts}")
    for amount in amounts:
        if len(amount.texts) != texts or len(amount.values) != values:
            raise ValueError(f"{where} has {len(amount.texts)} entries in a share, and a weight of {size}")
    for other in account.others:
        if (
            len(other.shares) != len(columns)
            or not 0 <= other.reach <= found.T
            or len(other.errors) not in (0, len(columns))
            or any(error and (len(error),) != account.shape[:1] for error in other.errors)
        ):
            raise ValueError(f"{where}.others: {len(other.shares)} shares that reach {other.reach} steps back")
    for k, column in enumerate(account.shares):
        if not 1 <= column.arrives <= found.steps or len(column.costs) not in (0, len(columns)):
            raise ValueError(f"{where}.shares[{k}] arrives in step {column.arrives} from {len(column.costs)} costs")
        if len(column.products) > MOST_SAMPLES or any(
            len(account.shape) != 2
            or (len(p.error[1]), len(p.read[1])) != account.shape
            or len(p.entries) not in (0, texts)
            for p in column.products
        ):
            raise ValueError(f"{where}.shares[{k}].products do not have the shape {briefly(account.shape)}")


def _refuse_figure(found: Trace) -> None:
    """Raise ValueError if the picture's columns cannot stand where it says, or a step is worked out beyond its size."""
    drawn = found.figure
    if drawn is not None:
        wide = drawn.left + drawn.pitch * len(found.columns)
        if not (
            0 <= drawn.left < 1
            and 0 < drawn.pitch <= 1
            and wide <= 1.5
            and len(drawn.boxes) + len(drawn.gaps) <= MOST_BOXES
        ):
            raise ValueError(f"trace.figure has columns from {drawn.left} on, each {drawn.pitch} wide")
        if not (1 <= drawn.width <= WIDEST and 1 <= drawn.height <= WIDEST):
            raise ValueError(f"trace.figure is {drawn.width} x {drawn.height} points")
    if len(found.bridges) + len(found.costs) > MOST_BOXES or abs(found.start[1]) > found.T:
        raise ValueError(f"trace.bridges are {len(found.bridges)}, and trace.start is {briefly(found.start)}")
    if len(found.differing) > len(found.moments):
        raise ValueError(f"trace.differing are {len(found.differing)} lines of {len(found.moments)} steps")
    for k, m in enumerate(found.moments):
        where = f"trace.moments[{k}]"
        if any(length is not None and length < 0 for length in (m.length, *m.alone)):
            raise ValueError(f"{where} has a length below 0")
        if len(m.origins) not in (0, len(m.read)) or len(m.alone) not in (0, found.T):
            raise ValueError(f"{where} reads {len(m.read)} things from {len(m.origins)}, of {len(m.alone)} costs")
        if len(m.entries) > MOST_WORKED or any(len(entry.reads) != len(m.read) for entry in m.entries):
            raise ValueError(f"{where}.entries are {len(m.entries)}: at most {MOST_WORKED}, as many as it gives")
