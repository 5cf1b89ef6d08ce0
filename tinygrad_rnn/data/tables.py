"""A table of numbers, a row for each time step: what is data in it, and what is a header, a date or a gap."""

from __future__ import annotations

import csv
import operator
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.asked import counted
from ..autodiff.calling import shortened
from ..autodiff.collector import collector_at_rest
from .cells import DECIMAL_COMMA, ENGLISH, GROUPED, SPACES, THREE_DIGITS, TIMES, Notation, dates, is_gap, months
from .files import Source, characters
from .layout import ONE_COLUMN, SEPARATORS, TableRows, Watch, rows_of
from .origin import Origin, hash_of, origin
from .refusal import DataError, shown
from .sheet import WHOLE, TableColumn, TableSheet, are_years, sheet_of

Array = NDArray[Any]

HEADERS = ("auto", "yes", "no")
MISSING = ("refuse", "interpolate", "hold", "drop")
SIGNS = {"tab": "\t", "\\t": "\t", "space": " ", "comma": ",", "semicolon": ";", "bar": "|"}

# A column of one of these names that only rises says when, and is no data. A unit may stand behind it.
WHEN = re.compile(
    r"(?:|unnamed: ?\d+|index|idx|id|row|rownames?|obs|no\.?|nr\.?|#|t|ds|time|zeit|zeitpunkt|timestamp|epoch|step"
    r"|date|datum|date.?time|year|jahr|month|monat|week|woche|day|tag|hour|stunde|minutes?|seconds?|sec"
    r"|(?:decimal|dec|fractional)[ _.]?(?:date|year))(?:\s*[(\[/].*)?",
    re.IGNORECASE,
)
# Columns of whole numbers that together rise from row to row, the longest span first.
CALENDAR = [
    re.compile(names, re.IGNORECASE)
    for names in (
        *("year|yr|yyyy|jahr", "quarter|qtr|quartal", "month|mon|mo|mm|monat", "day|dy|dd|tag"),
        *("hour|hr|hh|stunde", "minute|min|mn", "second|sec|ss|sekunde"),
    )
]
POINT_THREE = re.compile(r"(?:[+-]?\d{1,3}(?:\.\d{3})?(?:\n|$))+", re.ASCII)
MARKS_OF_GAPS = (-200.0, -99.0, -999.0, -9999.0, -99999.0, -99.9, -99.99, -999.9, -999.99, 9999.0, 99999.0)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Table:
    """A table that was read: its numbers, and what was understood.

    Attributes
    ----------
    columns : tuple of str
        The names of the columns that are data.
    values : ndarray of shape (N, n)
        Their numbers, a row for each of the N time steps.
    target : tuple of str
        The names of the columns that are to be told; all of them if none was named.
    targets : ndarray of shape (N, k)
        Their numbers.
    dates : tuple of str
        What the columns of dates say in each row; empty if there are none.
    gaps : ndarray of bool, of shape (N, n + k)
        Where a value was missing in `values` and, behind them, in `targets`, and was filled in.
    understood : tuple of str
        What was done and found while reading, line by line: show it.
    origin : Origin or None
        The file, so that it can be read once more.
    """

    columns: tuple[str, ...]
    values: Array
    target: tuple[str, ...]
    targets: Array
    dates: tuple[str, ...]
    gaps: Array
    understood: tuple[str, ...]
    origin: Origin | None = None

    @property
    def content(self) -> str:
        """A hash of all that it holds: tables with the same one are the same."""
        return hash_of(self.columns, self.values, self.target, self.targets, self.dates, self.gaps)

    def __repr__(self) -> str:
        """What was understood."""
        return "\n".join(self.understood)


def table(
    source: Source,
    *,
    columns: str | int | Sequence[str | int] | None = None,
    target: str | int | Sequence[str | int] | None = None,
    sep: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    header: str = "auto",
    skip_rows: int = 0,
    date_column: str | int | None = None,
    date_format: str | None = None,
    missing: str = "refuse",
    encoding: str | None = None,
    watch: Watch | None = None,
) -> Table:
    """Read a table of numbers, a row for each time step.

    What one reader could take for this and another for that is refused, with the argument that decides; the result's
    `understood` says what was taken for what. Columns of dates, and columns that by name and numbers say when, such as
    a year that only rises, are no data unless `columns` names them.

    Parameters
    ----------
    source : path-like or binary file
        The file.
    columns : str, int or sequence, optional
        The columns that are data, by name or by number from 1 on; in a str, parted by commas. A name that is a number
        is taken as a name.
    target : str, int or sequence, optional
        Which columns are to be told; those of `columns` unless given.
    sep : str, optional
        The sign between columns, or ``"tab"`` or ``"space"``, which is any number of spaces and tabs.
    decimal : str, optional
        The sign before decimals, ``"."`` or ``","``.
    thousands : str, optional
        The sign between groups of three digits: a comma, a point, an apostrophe, a space or an underscore.
    header : {"auto", "yes", "no"}
        Whether the first row holds names.
    skip_rows : int
        How many lines to pass over before.
    date_column : str or int, optional
        A column that is no data but says when.
    date_format : str, optional
        How dates are written, in the signs of `datetime.datetime.strptime`.
    missing : {"refuse", "interpolate", "hold", "drop"}
        What to do where there is no value: refuse the table; go straight from the value before to the one behind, by
        rows; keep the value before; leave the row out.
    encoding : str, optional
        The encoding, if it is not UTF-8 and the file has no mark.
    watch : callable, optional
        Called with the number of rows and columns while rows are read; it may raise, to end a reading that gets too
        long.

    Returns
    -------
    Table
        The numbers and what was understood.

    Raises
    ------
    DataError
        If the table is not read: the line, the column and the argument that would read it are named.
    ValueError
        If an argument has no such value.
    OSError
        If the system does not read the file.
    """
    _one_of("header", header, HEADERS)
    _one_of("missing", missing, MISSING)
    skip_rows = counted("skip_rows", skip_rows, 0)
    how = {
        "columns": columns,
        "target": target,
        "sep": sep,
        "decimal": decimal,
        "thousands": thousands,
        "header": None if header == "auto" else header,
        "skip_rows": skip_rows or None,
        "date_column": date_column,
        "date_format": date_format,
        "missing": None if missing == "refuse" else missing,
        "encoding": encoding,
    }
    sep, notation = _signs(sep, decimal, thousands)
    for what, given in (("date_format", date_format), ("encoding", encoding)):
        if given is not None and not isinstance(given, str):
            raise ValueError(f"{what}={shortened(given)}: it must be a text")
    if watch is not None and not callable(watch):
        raise ValueError(f"watch={shortened(watch)}: it must be a function of the number of rows and of columns")
    name, text, called, raw = characters(source, encoding, lines=True)
    _refuse_other_kinds(name, text)
    said = sep is not None or decimal is not None or columns is not None
    with collector_at_rest():
        rows, sep = rows_of(name, text, sep, skip_rows, watch)
    if sep in (notation.decimal, notation.thousands) and not any(sep in cell for row in rows.fields for cell in row):
        what = "decimal" if notation.decimal == sep else "thousands"
        raise DataError(
            f"{name}: columns are parted by {SEPARATORS.get(sep, repr(sep))}, and {what}={sep!r} is only good where "
            "numbers with it stand in quotes; if there is one column",
            {"sep": ";", what: sep},
        )
    understood = rows.understood
    notation = _notation(name, rows, sep, notation, decimal is not None, understood)
    with collector_at_rest():
        sheet = sheet_of(name, rows, sep, header, notation, date_format)
    data, told, when = _picked(sheet, columns, target, date_column, date_format)
    found = _filled(sheet, data, told, when, missing)
    if not said and not sheet.headed and not re.search(r",[ \t]|[ \t],", text):
        _refuse_a_decimal_comma(name, sheet)
    parted = "one column" if sep == ONE_COLUMN else f"parted by {SEPARATORS.get(sep, repr(sep))}"
    count, lines = len(found.values), (sheet.lines[0], sheet.lines[-1])
    signs = f"decimal {notation.decimal!r}" + (f", thousands {notation.thousands!r}" if notation.thousands else "")
    title = f"{name}: {count:,} row{'s' * (count != 1)}, lines {lines[0]} to {lines[1]}; {called}, {parted}, {signs}"
    return replace(found, understood=(title, *found.understood), origin=origin(source, raw, found.content, **how))


def _refuse_a_decimal_comma(name: str, sheet: TableSheet) -> None:
    """Raise DataError where each line may as well be one number, whose decimals stand behind a comma."""
    if sheet.sep == "," and len(sheet.columns) == 2:
        whole, behind = (column.cells for column in sheet.columns)
        if all(map(str.isdecimal, behind)) and all(cell.lstrip("+-").isdecimal() for cell in whole):
            raise DataError(
                f"{name}, line {sheet.lines[0]}: is {shown(f'{whole[0]},{behind[0]}')} two whole numbers, or one with "
                "a decimal comma?",
                {"sep": ","},
                {"sep": ";", "decimal": ","},
            )


def _signs(sep: str | None, decimal: str | None, thousands: str | None) -> tuple[str | None, Notation]:
    if sep is not None:
        sep = SIGNS.get(sep, sep) if isinstance(sep, str) else sep
        if not isinstance(sep, str) or len(sep) != 1 or sep in '"\r\n' or sep.isalnum():
            raise ValueError(f"sep={shortened(sep)}: it must be one sign, such as ';', or 'tab' or 'space'")
    if decimal is not None:
        _one_of("decimal", decimal, (".", ","))
    if thousands is not None:
        thousands = SIGNS.get(thousands, thousands) if isinstance(thousands, str) else thousands
        _one_of("thousands", thousands, tuple(GROUPED))
    if thousands is not None and thousands == (decimal or "."):
        if decimal is not None:
            raise ValueError(f"thousands={thousands!r} is the decimal sign too")
        decimal = ","  # whoever parts thousands by points writes decimals behind commas
    return sep, Notation(decimal or ".", thousands)


def _refuse_other_kinds(name: str, text: str) -> None:
    begin = text[:1000].lstrip()
    if begin.startswith("<"):
        raise DataError(f"{name} is HTML or XML, and no table; pages that say 'not found' are saved so too")
    if begin.startswith(("{", "[{", "[[")):
        raise DataError(f"{name} is JSON, and no table; save it as CSV")


def _one_of(what: str, value: Any, choices: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{what}={shortened(value)}: it must be one of {', '.join(map(repr, choices))}")


def _notation(name: str, rows: TableRows, sep: str, notation: Notation, given: bool, understood: list[str]) -> Notation:
    """A decimal comma that was not given is found, where no cell has a decimal point."""
    if given or notation.decimal == "," or notation.thousands == "," or sep == ",":
        return notation
    written = "\n".join("\n".join(row) for row in rows.fields)
    if notation.thousands:
        written = written.translate(SPACES).replace(notation.thousands, "")
    commas = [match[0] for match in DECIMAL_COMMA.finditer(written)]
    if not commas or ENGLISH.search(written):
        return notation
    if not notation.thousands and all(map(THREE_DIGITS.fullmatch, commas)):
        line, column = next(
            (line, i) for line, row in zip(*rows[:2], strict=True) for i, c in enumerate(row, 1) if c == commas[0]
        )
        raise DataError(
            f"{name}, line {line}, column {column}: the comma in {shown(commas[0])} may part decimals or thousands",
            {"decimal": ","},
            {"thousands": ","},
        )
    understood.append(f"commas stand before decimals, as in {commas[0]}")
    return notation._replace(decimal=",")


def _picked(
    sheet: TableSheet,
    columns: str | int | Sequence[str | int] | None,
    target: str | int | Sequence[str | int] | None,
    date_column: str | int | None,
    date_format: str | None,
) -> tuple[list[TableColumn], list[TableColumn], list[TableColumn]]:
    """The columns that are data, those that are to be told, and those that say when."""
    asked = [] if columns is None else _named(sheet, "columns", columns)
    wanted = [] if target is None else _named(sheet, "target", target)
    when = [column for column in _without(sheet.columns, asked) if column.dates]
    if date_column is not None:
        (column,) = _named(sheet, "date_column", [date_column])
        if column in asked or column in wanted:
            raise ValueError(f"date_column={date_column!r} is also data, by columns or target: choose one")
        when = [column, *_without(when, [column])]
        _refuse_no_dates(sheet, column, date_format)
    elif date_format is not None and not when:
        other = next((column for column in sheet.columns if column.bad), sheet.columns[0])
        _refuse_no_dates(sheet, other, date_format)
        raise DataError(f"{sheet.file}: no column has its dates written as {date_format!r} and is no column of numbers")
    data = asked or _without(sheet.columns, when)
    if not asked:
        calendar = {column.number for column in _calendar(sheet.columns)}
        free = _without(data, wanted)
        counting = [column for column in free if column.number in calendar or _says_when(column, sheet.headed)]
        rest = _without(data, counting)
        if rest or wanted:  # a column that is alone is data, whatever its name
            data, when = rest, when + counting
    data = data or wanted
    if not data:
        raise DataError(f"{sheet.file} has no column of numbers, only {', '.join(map(str, when))}")
    for column in [*data, *wanted]:
        _refuse_no_numbers(sheet, column, data)
    if date_column is not None and date_format is not None:  # 20200102 is a number, and here a date
        when[0] = when[0]._replace(dates=dates(when[0].cells, date_format))
    return data, wanted or data, when


def _without(columns: Sequence[TableColumn], others: Sequence[TableColumn]) -> list[TableColumn]:
    """The columns that are not among others; there may be a hundred thousand of both."""
    numbers = {column.number for column in others}
    return [column for column in columns if column.number not in numbers]


def _named(sheet: TableSheet, what: str, asked: str | int | Sequence[str | int]) -> list[TableColumn]:
    """The columns that are asked for, by name or by number; a name that is a number is a name."""
    names: dict[str, list[TableColumn]] = {}
    for column in sheet.columns:
        names.setdefault(column.name, []).append(column)
    if isinstance(asked, str):
        asked = [asked] if asked in names else next(csv.reader([asked], skipinitialspace=True), [])
    elif isinstance(asked, int):
        asked = [asked]
    if not np.iterable(asked):
        raise ValueError(f"{what}={shortened(asked)}: it must be names or numbers of columns")
    found: dict[int, TableColumn] = {}
    for one in asked:
        if isinstance(one, bool) or not isinstance(one, str | int):
            raise ValueError(f"{what}: {shortened(one)} is neither a name nor a number")
        if isinstance(one, int) and abs(one) >= 2**63:
            raise ValueError(f"{what}: {shortened(one)} is the number of no column")
        fits = names.get(one.strip(), []) if isinstance(one, str) and one.strip() else []
        if len(fits) > 1:
            numbers = " and ".join(str(column.number) for column in fits)
            raise DataError(f"{sheet.file}: {shown(str(one))} is the name of columns {numbers}; ask by number")
        if not fits and WHOLE.fullmatch(str(one).strip()) and 1 <= int(one) <= len(sheet.columns):
            fits = [sheet.columns[int(one) - 1]]
        if not fits:
            count = len(sheet.columns)
            called = ", ".join(shown(column.name) for column in sheet.columns[:10] if column.name) or "no names"
            raise DataError(
                f"{sheet.file} has no column {shown(str(one))}: it has {count} "
                f"column{'s' * (count != 1)}, {called}{', …' * (count > 10)}"
            )
        if fits[0].number in found:
            raise ValueError(f"{what}: {one!r} is asked for twice")
        found[fits[0].number] = fits[0]
    if not found:
        raise ValueError(f"{what}={asked!r} names no column")
    return list(found.values())


def _says_when(column: TableColumn, headed: bool) -> bool:
    """Whether a column is called like one that says when, or which row, and only rises."""
    values = column.values
    if values is None or len(values) < 2 or not WHEN.fullmatch(column.name) or np.isnan(values).any():
        return False
    named = column.name or (headed and column.number == 1)  # above an index, pandas writes nothing
    return bool(named and (values[1:] > values[:-1]).all())


def _calendar(columns: list[TableColumn]) -> list[TableColumn]:
    """Columns of years, months and the like, two at least, or one beside a date, that together only rise."""
    found: list[TableColumn] = []
    spans: list[Array] = []
    dated = [c for c in columns if c.dates and c.dates.seconds is not None and c.dates.form != TIMES]
    if len(dated) == 1 and dated[0].dates and dated[0].dates.seconds is not None:
        found, spans = dated, [dated[0].dates.seconds]
        if (np.diff(spans[0]) > 0).all():  # it needs no other
            return []
    for names in CALENDAR:
        for column in columns:
            if not names.fullmatch(column.name):
                continue
            span = column.values if column.values is not None else months(column.cells)
            if span is not None:
                found, spans = [*found, column], [*spans, span]
                break
    rows = len(columns[0].cells)
    whole = all(len(span) == rows and np.isfinite(span).all() and not (span % 1).any() for span in spans)
    if len(found) < 2 or rows < 2 or not whole:
        return []
    moments = list(zip(*(span.tolist() for span in spans), strict=True))
    return found if all(map(operator.lt, moments, moments[1:])) else []


def _refuse_no_dates(sheet: TableSheet, column: TableColumn, date_format: str | None) -> None:
    if column.dates or (column.values is not None and (date_format is None or dates(column.cells, date_format))):
        return
    here = [(line, cell) for line, cell in zip(sheet.lines, column.cells, strict=True) if not is_gap(cell)]
    form = f"as {date_format!r}" if date_format else "in a form known here"
    line, cell = next(
        ((line, cell) for line, cell in here if not dates([cell], date_format)),
        here[0] if here else (sheet.lines[0], ""),
    )
    way = {"date_format": "%d.%m.%Y"}
    raise DataError(
        f"{sheet.file}, line {line}, {column}: {shown(cell)} is not a date {form}; say how, as in this example",
        way,
    )


def _refuse_no_numbers(sheet: TableSheet, column: TableColumn, among: list[TableColumn]) -> None:
    if column.bad is not None:
        raise sheet.refuse_cell(column, among)
    if column.empty:
        leave_out = [way for way in [sheet.others(column, among)] if way]
        raise DataError(f"{sheet.file}: {column} has no value at all", *leave_out)


def _filled(
    sheet: TableSheet, data: list[TableColumn], told: list[TableColumn], when: list[TableColumn], missing: str
) -> Table:
    """The numbers of the columns, with gaps filled or rows left out as was asked."""
    understood = list(sheet.understood)
    both = [*data, *told]
    numbers = np.stack([column.values for column in both if column.values is not None], axis=1)
    gaps = np.isnan(numbers)
    keep = np.ones(len(numbers), dtype=bool)
    if gaps.any():
        keep = _without_gaps(sheet, both, numbers, gaps, missing, understood)
    numbers, gaps = numbers[keep], gaps[keep]
    if not len(numbers):
        raise DataError(f"{sheet.file} has no row in which no value is missing")
    understood += _when(when)
    told_numbers = numbers[:, len(data) :]
    understood += _summary(data, numbers)
    if told != data:
        understood.append(f"to be told: {', '.join(map(str, told))}")
    understood += _notes(sheet, data, numbers)
    rows = zip(*(column.cells for column in when if column.dates), strict=True)
    said = tuple(" ".join(row) for row, kept in zip(rows, keep, strict=False) if kept)
    return Table(
        tuple(_name(column) for column in data),
        np.ascontiguousarray(numbers[:, : len(data)]),
        tuple(_name(column) for column in told),
        np.ascontiguousarray(told_numbers),
        said,
        gaps,
        tuple(understood),
    )


def _name(column: TableColumn) -> str:
    return column.name or f"column {column.number}"


def _without_gaps(
    sheet: TableSheet, columns: list[TableColumn], numbers: Array, gaps: Array, missing: str, understood: list[str]
) -> Array:
    """Fill the gaps in place, or refuse them; the rows that stay."""
    row, j = np.argwhere(gaps)[0]
    once = len({column.number for column in columns})
    count = int(gaps[:, :once].sum())  # a target that is data too counts once
    many = f"{count} value{'s' * (count > 1)} missing, the first in line {sheet.lines[row]}, {columns[j]}"
    if missing == "refuse":
        cell = columns[j].cells[row]
        raise DataError(
            f"{sheet.file}, line {sheet.lines[row]}, {columns[j]}: {shown(cell)} is no value, and {count} "
            f"{'is' if count == 1 else 'are'} missing in all",
            {"missing": MISSING[1:]},
        )
    if missing == "drop":
        keep = ~gaps.any(axis=1)
        understood.append(f"{many}: rows left out: {int((~keep).sum())}; steps are no longer of one length")
        return np.asarray(keep)
    places = np.arange(len(numbers))
    for k, column in enumerate(columns):
        here = np.flatnonzero(~gaps[:, k])
        if missing == "hold":
            if here[0]:
                raise DataError(
                    f"{sheet.file}, line {sheet.lines[0]}, {column}: no value, and none before it to hold",
                    {"missing": ("interpolate", "drop")},
                )
            numbers[:, k] = numbers[np.maximum.accumulate(np.where(gaps[:, k], 0, places)), k]
        else:
            numbers[gaps[:, k], k] = 2 * np.interp(
                places[gaps[:, k]], here, numbers[here, k] / 2
            )  # halves: no overflow
    how = "the value before is held" if missing == "hold" else "interpolated by rows, at the ends the nearest value"
    understood.append(f"{many}: {how}")
    return np.ones(len(numbers), dtype=bool)


def _when(columns: list[TableColumn]) -> list[str]:
    """What each column that is no data says, and what is odd about the order of the rows."""
    lines = []
    for column in columns:
        says = f"{column} says when, from {shown(column.cells[0])} to {shown(column.cells[-1])}, and is no data"
        if column.dates:
            lines.append(f"{says} ({column.dates.form})")
        else:
            odd = _order(column.values) if column.values is not None else ""
            lines.append(f"{says}; columns can name it, as {column.name or column.number}{odd}")
    # A day and a time of day may stand in two columns; times alone begin anew each midnight.
    dated = [column for column in columns if column.dates]
    parts = [column.dates.seconds for column in dated if column.dates and column.dates.seconds is not None]
    of_days = any(column.dates and column.dates.form != TIMES for column in dated)
    if of_days and [len(part) for part in parts] == [len(column.cells) for column in dated]:
        lines[-1] += _order(np.sum(parts, axis=0))
    return _some(lines, "columns that say when")


def _order(at: Array) -> str:
    """What is not as in a series: steps back, steps of nothing, steps of several lengths."""
    with np.errstate(over="ignore"):
        steps = np.diff(at)
    if not len(steps) or np.isnan(steps).any():
        return ""
    if (steps < 0).all():
        return "; NOTE: the newest stands first, so the rows go backwards in time"
    if (steps < 0).any():
        return f"; NOTE: it goes back {int((steps < 0).sum())} times"
    if (steps == 0).any():
        return f"; NOTE: {int((steps == 0).sum())} times the same as in the row before"
    # Months and years have lengths that differ by a tenth.
    return "; NOTE: steps are of several lengths" if steps.max() > 1.15 * steps.min() else ""


def _summary(data: list[TableColumn], numbers: Array) -> list[str]:
    """Each column with its first and last value."""
    lines = [f"{column}: {numbers[0, k]:.6g} ... {numbers[-1, k]:.6g}" for k, column in enumerate(data)]
    return _some(lines, "columns of numbers")


def _some(lines: list[str], what: str) -> list[str]:
    """Of many lines the first ones and the last: a table may have a hundred thousand columns."""
    return lines if len(lines) <= 12 else [*lines[:10], f"… and {len(lines) - 11} more {what}", lines[-1]]


def _notes(sheet: TableSheet, data: list[TableColumn], numbers: Array) -> list[str]:
    notes = []
    marked = [(numbers == mark).any(axis=0) for mark in MARKS_OF_GAPS]
    for k, column in enumerate(data):
        with np.errstate(over="ignore"):  # from one end of the numbers to the other
            steps = np.diff(numbers[:, k])
        if len(steps) > 1 and (steps == steps[0]).all() and len(data) > 1:
            only = "is the same in all rows" if steps[0] == 0 else f"only counts, by {steps[0]:.6g}"
            notes.append(f"NOTE: {column} {only}; columns can leave it out")
        years = column.values is not None and are_years(column.values).all()
        if years and len(data) > 1 and (steps >= 0).all() and steps.any():
            notes.append(f"NOTE: {column} holds what may be years; columns can leave it out")
        if (np.abs(numbers[:, k]) >= 2**53).any():
            notes.append(f"NOTE: {column} has numbers beyond 2^53, whose last digits are rounded")
        written = "\n".join(column.cells)
        if sheet.sep != "," and sheet.notation == Notation() and "." in written and POINT_THREE.fullmatch(written):
            notes.append(
                f"NOTE: {column} has three digits behind each point: decimals here; thousands . if they are not"
            )
        marks = [mark for mark, there in zip(MARKS_OF_GAPS, marked, strict=True) if there[k]]
        if marks and np.median(np.abs(numbers[:, k])) < abs(marks[0]) / 3:
            notes.append(f"NOTE: {column} has {marks[0]:.6g} in it, which often marks a gap; here it is a number")
    names = Counter(column.name for column in sheet.columns if column.name)
    if twice := sorted(name for name, times in names.items() if times > 1):
        called = ", ".join(map(shown, twice[:10])) + ", …" * (len(twice) > 10)
        notes.append(f"NOTE: several columns are called {called}")
    return _some(notes, "notes")
