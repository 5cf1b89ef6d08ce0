"""The columns of a table: which row holds their names, and what each of them is."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .cells import (
    DECIMAL_COMMA,
    ENGLISH,
    GROUPED,
    SPACES,
    CellError,
    Dates,
    Notation,
    dates,
    is_gap,
    is_infinite,
    looks_like_date,
    looks_like_number,
)
from .layout import TableRows
from .refusal import DataError, Way, shown

Array = NDArray[Any]

MOST_ABOVE = 5  # rows above the numbers of a column that may be part of a header
YEARS = range(1500, 2101)
WHOLE = re.compile(r"\d{1,15}", re.ASCII)
LONGEST_UNIT = 12  # characters
DATE_LIKE = re.compile(r"\d+[-/.: ]\d+[-/.: ]\d+.*", re.ASCII)


class TableColumn(NamedTuple):
    """A column: numbers if `values` is there, dates if `dates` is; of neither, `bad` says where it is no number."""

    number: int  # from 1 on
    name: str
    cells: tuple[str, ...]
    values: Array | None
    dates: Dates | None
    bad: CellError | None

    @property
    def empty(self) -> bool:
        """Whether it has no value at all."""
        return self.values is not None and bool(np.isnan(self.values).all())

    def __str__(self) -> str:
        """How it is called in messages."""
        return f"column {self.number} {shown(self.name)}" if self.name else f"column {self.number}"


class TableSheet(NamedTuple):
    """The columns of a table, the lines that its rows begin in, and what was understood so far."""

    file: str
    columns: list[TableColumn]
    headed: bool
    lines: list[int]
    sep: str
    notation: Notation
    understood: list[str]

    def others(self, column: TableColumn, among: Sequence[TableColumn]) -> Way:
        """The argument that takes the others of some columns, those with numbers."""
        good = [c for c in among if c is not column and c.values is not None and not c.empty]
        names = [c.name for c in good]
        plain = all(n and "," not in n and not n.isdecimal() and n == n.strip() and n.isprintable() for n in names)
        named = plain and len({c.name for c in self.columns}) == len(self.columns)
        return {"columns": ",".join(names if named else [str(c.number) for c in good])} if good else {}

    def _first_row(self, column: TableColumn) -> int | None:
        """The row from which on a column is numbers, if the few above have no number, as lines of a header have not."""
        for first in range(min(MOST_ABOVE, len(column.cells))):
            if any(looks_like_number(other.cells[first]) for other in self.columns):
                below = _column(column.number, column.name, column.cells[first:], self.notation, None)
                return first or None if below.bad is None or below.dates else None
        return None

    def refuse_cell(self, column: TableColumn, among: Sequence[TableColumn]) -> DataError:
        """Why a column among others is not one of numbers: its first cell that is none, and what would read it."""
        assert column.bad is not None
        cell, line = column.bad.cell, self.lines[column.bad.index]
        where = f"{self.file}, line {line}, {column}: {shown(cell)}"
        leave_out = [way for way in [self.others(column, among)] if way]
        plain = cell.translate(SPACES)
        if column.bad.too_large:
            return DataError(
                f"{where} is beyond the largest number, about 1.8e308: mend it or leave it out", *leave_out
            )
        if is_infinite(cell):
            return DataError(f"{where} is not finite: mend it or leave it out", *leave_out)
        if column.dates:
            return DataError(f"{where} is a date, and only numbers are data", *leave_out)
        ways: list[Way] = []
        if self.notation.thousands is None:
            ways = [{"thousands": sign} for sign, form in GROUPED.items() if form.fullmatch(plain)]
        if self.notation.decimal == "." and DECIMAL_COMMA.fullmatch(cell):
            if any(ENGLISH.search("\n".join(other.cells)) for other in self.columns):
                return DataError(f"{where} has a comma before decimals, and other numbers have a point: mend them")
            ways.insert(0, {"decimal": ","})
        if ways:
            return DataError(f"{where} is a number only if its signs are named", *ways)
        for sign in ";|\t ,:^&~":
            parts = [part.strip() for part in cell.split(sign)]
            if len(parts) > 1 and all(map(looks_like_number, parts)):
                return DataError(f"{where} is not a number, but numbers parted by {sign!r}", {"sep": sign})
        if looks_like_date(cell):
            line, other = next(
                (line, other)
                for line, other in zip(self.lines, column.cells, strict=True)
                if not is_gap(other) and dates([cell, other]) is None
            )
            says = f"{self.file}, line {line}, {column}: {shown(other)} is not a date written as {shown(cell)} is"
            return DataError(says, *leave_out)
        if (first := self._first_row(column)) is not None:
            leave_out.insert(0, {"skip_rows": self.lines[first] - 1, "header": "no"})
        if not self.headed and column.bad.index == 0:
            leave_out.insert(0, {"header": "yes"})
        if DATE_LIKE.fullmatch(cell):
            way: Way = {"date_column": column.name or column.number}
            return DataError(f"{where} is not a number; if it is a date, say so", way, *leave_out)
        return DataError(f"{where} is not a finite number", *leave_out)


def sheet_of(
    name: str, rows: TableRows, sep: str, header: str, notation: Notation, date_format: str | None
) -> TableSheet:
    """The columns of a table, with names if the first row holds any.

    Raises
    ------
    DataError
        If the first row may be names as well as data, or there is no row of data.
    """
    lines, fields, understood = rows
    columns = _columns(fields[1:], [""] * len(fields[0]), notation, date_format)
    found = header == "yes" or (header == "auto" and _is_header(name, lines[0], fields, columns, notation))
    if not found:
        understood.append(f"line {lines[0]} is taken as data, so there is no header")
        whole = [
            _with_first(cell, column, notation, date_format) for cell, column in zip(fields[0], columns, strict=True)
        ]
        return TableSheet(name, whole, False, lines, sep, notation, understood)
    names = fields[0]
    unsure = "; with header no it is data" if any(map(looks_like_number, names)) else ""
    understood.append(f"line {lines[0]} is taken as the header{unsure}")
    skip = 1
    if header != "no" and len(fields) > 2 and _is_units(fields[1]):
        below = _columns(fields[2:], names, notation, date_format)
        if all(column.bad is None or column.dates for cell, column in zip(fields[1], below, strict=True) if cell):
            understood.append(f"line {lines[1]} is taken as units: {', '.join(map(shown, filter(None, fields[1])))}")
            columns, skip = below, 2
    if len(fields) <= skip:
        raise DataError(f"{name} has a header in line {lines[0]}, and no rows", *_no_header(fields[0]))
    named = [column._replace(name=title) for title, column in zip(names, columns, strict=True)]
    return TableSheet(name, named, True, lines[skip:], sep, notation, understood)


def _no_header(fields: Sequence[str]) -> list[Way]:
    return [{"header": "no"}] if any(map(looks_like_number, fields)) else []


def _columns(
    rows: Sequence[Sequence[str]], names: Sequence[str], notation: Notation, date_format: str | None
) -> list[TableColumn]:
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return [
        _column(i, name, column, notation, date_format)
        for i, (name, column) in enumerate(zip(names, cells, strict=True), 1)
    ]


def _column(number: int, name: str, cells: tuple[str, ...], notation: Notation, date_format: str | None) -> TableColumn:
    try:
        return TableColumn(number, name, cells, notation.column(cells) if cells else np.zeros(0), None, None)
    except CellError as bad:
        return TableColumn(number, name, cells, None, dates(cells, date_format), bad)


def _with_first(cell: str, below: TableColumn, notation: Notation, date_format: str | None) -> TableColumn:
    """The column with one cell more, above: numbers that were read are not read again."""
    cells = (cell, *below.cells)
    if below.values is not None:
        with contextlib.suppress(CellError):
            return below._replace(cells=cells, values=np.append(notation.column([cell]), below.values))
    return _column(below.number, below.name, cells, notation, date_format)


def _is_units(row: Sequence[str]) -> bool:
    """Whether a row below the names has words in it, short ones, and nothing that could be data."""
    words = [cell for cell in row if cell not in {"", "-"}]
    return bool(words) and all(_is_word(cell) and len(cell) <= LONGEST_UNIT for cell in words)


def _is_word(cell: str) -> bool:
    if is_gap(cell) or is_infinite(cell):
        return False
    # The name of a month or of a weekday is a word here: tables have columns that are called so.
    return not (any(map(str.isdigit, cell)) and (looks_like_number(cell) or looks_like_date(cell)))


def _is_header(
    name: str, line: int, fields: Sequence[Sequence[str]], columns: Sequence[TableColumn], notation: Notation
) -> bool:
    """Whether the first row holds names; what may be names as well as data is refused."""
    head, body = fields[0], fields[1:]
    words = {i: cell for i, cell in enumerate(head) if _is_word(cell)}
    others = [i for i, cell in enumerate(head) if cell and i not in words]
    if not others:
        return True
    if not body:
        return False

    def unclear(why: str) -> DataError:
        row = ", ".join(shown(cell, 12) for cell in head[:6]) + (", …" if len(head) > 6 else "")
        return DataError(f"{name}, line {line}: {row} may be names or data: {why}", {"header": ("yes", "no")})

    # A number above dates, or a date above numbers, is a name.
    other_kind = any(
        columns[i].dates is not None if looks_like_number(head[i]) else columns[i].values is not None
        for i in others
        if not is_gap(head[i])
    )
    numbers = [head[i] for i in others if columns[i].dates is None and not is_gap(head[i])]
    whole = [int(cell) for cell in numbers if WHOLE.fullmatch(cell)]
    counts = len(whole) == len(numbers) and whole == list(range(whole[0], whole[0] + len(whole))) if whole else False
    years = counts and all(n in YEARS for n in whole)
    if words:
        above_dates = [cell for i, cell in words.items() if columns[i].dates]
        if above_dates:  # a word above dates is a name, unless it is a date in words, as JAN above FEB
            return not all(map(looks_like_date, above_dates))
        if any(is_gap(head[i]) for i in others):
            raise unclear("words beside gaps")
        if other_kind and not numbers:
            return True
        several = counts and len(whole) > 1
        below = any(are_years(values).any() for i in others if (values := columns[i].values) is not None)
        if several and years and not below:
            return True
        if all(columns[i].values is None for i in words):  # words above words: labels of rows, or the name of these
            if counts and (whole[0] in (0, 1) or years):
                raise unclear("words above words, beside numbers")
            return False
        if several and whole[0] in (0, 1):
            return True
        raise unclear("words above numbers, beside numbers")
    if other_kind:
        return True
    if not head[0] and len(head) > 1:  # as pandas writes an index
        index = columns[0].values
        if index is not None and index[0] in (0, 1) and np.array_equal(index, index[0] + np.arange(len(index))):
            return True
        if counts and whole[0] == 0:
            return True
        raise unclear("the first is empty, as above an index")
    if not counts:
        return False
    alike = all(_counts(row) for row in body)
    if years:
        if not any(are_years(column.values).any() for column in columns if column.values is not None):
            raise unclear("years")
        return False
    if whole[0] == 0 and len(head) == len(whole):
        fractions = all("." in cell or is_gap(cell) or "e" in cell.lower() for row in body for cell in row)
        if len(whole) > 1 and fractions and notation.decimal == ".":
            return True  # whole numbers that count, above fractions alone, are the names that pandas writes
        raise unclear("pandas counts columns so")
    if whole[0] in (0, 1) and len(whole) > 2 and not alike:
        raise unclear("they count the columns")
    return False


def are_years(values: Array) -> Array:
    """Which numbers may be years."""
    return np.asarray((values >= YEARS.start) & (values < YEARS.stop) & (values % 1 == 0))


def _counts(row: Sequence[str]) -> bool:
    whole = [int(cell) for cell in row if WHOLE.fullmatch(cell)]
    return len(whole) == len(row) and whole == list(range(whole[0], whole[0] + len(whole)))
