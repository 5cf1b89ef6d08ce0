"""What the cells of a column are: numbers, dates, gaps or words."""

from __future__ import annotations

import calendar
import contextlib
import datetime as dt
import locale
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# What programs write where there is no value.
GAPS = frozenset(
    [
        *("", "?", "na", "n/a", "#n/a", "#na", "<na>", "nan", "-nan", "null", "nil", "none", "missing"),
        *("-", "--", ".", "..", "...", "…", "#value!", "#div/0!"),
    ]
)

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
DECIMAL_COMMA = re.compile(r"^[+-]?\d*,\d+(?:[eE][+-]?\d+)?$", re.ASCII | re.MULTILINE)
ENGLISH = re.compile(r"^[+-]?\d+\.\d*(?:[eE][+-]?\d+)?$", re.ASCII | re.MULTILINE)
THREE_DIGITS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
GROUPED = {sign: re.compile(rf"[+-]?\d{{1,3}}(?:{re.escape(sign)}\d{{3}})+(?:[.,]\d*)?", re.ASCII) for sign in ",.'’ _"}
NOT_PLAIN = re.compile(r"[^0-9+\-.eE\n]")
SPACES = str.maketrans("\u00a0\u202f\u2009", "   ")


def is_gap(cell: str) -> bool:
    """Whether a cell says that there is no value."""
    return cell.lower() in GAPS


class CellError(ValueError):
    """A cell of a column that is no number: which; `too_large` if it is one that no float can hold."""

    def __init__(self, index: int, cell: str, *, too_large: bool = False) -> None:
        super().__init__(index, cell)
        self.index, self.cell, self.too_large = index, cell, too_large


class Notation(NamedTuple):
    """How numbers are written: the sign before decimals, and the one between groups of three digits, if any."""

    decimal: str = "."
    thousands: str | None = None

    def column(self, cells: Sequence[str]) -> Array:
        """The numbers of a column, NaN for a gap.

        Raises
        ------
        CellError
            For the first cell that is neither, or is beyond the largest number.
        """
        written = "\n".join(cells)
        if self.decimal != "." and "." not in written:
            written = written.replace(self.decimal, ".")
        # With these characters alone, what Python reads as a number is what NUMBER says it is.
        if not NOT_PLAIN.search(written):
            try:
                values = np.array(list(map(float, written.split("\n"))))
            except ValueError:
                pass
            else:
                if np.isfinite(values).all():
                    return values
        return np.array([self.number(index, cell) for index, cell in enumerate(cells)])

    def number(self, index: int, cell: str) -> float:
        """The number in one cell, NaN for a gap."""
        if is_gap(cell):
            return float("nan")
        plain = cell.replace("\u2212", "-")  # the minus of typesetters
        if self.thousands is not None:
            plain = plain.translate(SPACES)
            if self.thousands in plain and not GROUPED[self.thousands].fullmatch(plain):
                raise CellError(index, cell)
            plain = plain.replace(self.thousands, "")
        if self.decimal != ".":
            if "." in plain:
                raise CellError(index, cell)
            plain = plain.replace(self.decimal, ".")
        if not NUMBER.fullmatch(plain):
            raise CellError(index, cell)
        value = float(plain)
        if not np.isfinite(value):
            raise CellError(index, cell, too_large=True)
        return value


def is_infinite(cell: str) -> bool:
    """Whether a cell says infinity in letters."""
    return cell.lower().lstrip("+-") in {"inf", "infinity"}


def looks_like_number(cell: str) -> bool:
    """Whether a cell is a number in any notation: with a decimal comma, or with groups of three."""
    cell = cell.translate(SPACES).replace("\u2212", "-")
    return bool(NUMBER.fullmatch(cell.replace(",", "."))) or any(form.fullmatch(cell) for form in GROUPED.values())


TIMES = "times of day"


class Dates(NamedTuple):
    """A column of dates or times of day: how they are written, and where each is, in seconds from some day on.

    Times of day are counted from midnight. Where the order of day and month cannot be told, `seconds` is None.
    """

    form: str
    seconds: Array | None


EPOCH = dt.datetime(1970, 1, 1)
CLOCK = r"(?:[ T](\d{1,2}):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?(?: ?([AaPp])\.?[Mm]\.?)?)?"
DAY_FIRST = re.compile(r"^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d\d)" + CLOCK + "$", re.ASCII | re.MULTILINE)
ISO = re.compile(r"(?!0000)\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?", re.ASCII)
YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})" + CLOCK, re.ASCII)
YEAR_MONTH = re.compile(r"(\d{4})[-/](\d{1,2})", re.ASCII)
MONTH_YEAR = re.compile(r"\d{1,2}[-/.](?:\d{4}|\d\d)", re.ASCII)
QUARTER = re.compile(r"(\d{4})[- ]?[Qq]([1-4])", re.ASCII)
DOTTED_TIME = re.compile(r"(\d{1,2})\.(\d\d)\.(\d\d)", re.ASCII)
TIME = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?(?: ?([AaPp])\.?[Mm]\.?)?", re.ASCII)
NAMED = (
    *("%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y"),
    *("%b-%y", "%b-%Y", "%b %Y", "%B %Y", "%Y-%b", "%Y %b", "%d-%b", "%b", "%B", "%a", "%A"),
)


def dates(cells: Sequence[str], form: str | None = None) -> Dates | None:
    """A column read as dates or times of day; None if it is not that.

    Parameters
    ----------
    cells : sequence of str
        The cells; there may be gaps.
    form : str, optional
        How they are written, in the signs of `datetime.datetime.strptime`.
    """
    here = [cell for cell in cells if not is_gap(cell)]
    if not here:
        return None
    if form is not None:
        return _by(form, _strptime(form), here)
    if looks_like_number(here[0]):
        return None
    if (whole := _all_iso(here)) is not None:
        return whole
    for name, read in (READERS | NAMED_READERS if _names_a_day(here[0]) else READERS).items():
        found = _by(name, read, here[:1]) and _by(name, read, here)
        if found:
            return found
    return _either_order(here) or (_by(TIMES, _dotted_time, here[:1]) and _by(TIMES, _dotted_time, here))


def months(cells: Sequence[str]) -> Array | None:
    """The numbers of months that are written by name, all of them; None otherwise."""
    for form in ("%b", "%B"):
        with contextlib.suppress(ValueError):
            return np.array([dt.datetime.strptime(f"{cell} 2000", f"{form} %Y").month for cell in cells], dtype=float)
    return None


def looks_like_date(cell: str) -> bool:
    """Whether one cell is a date in any of the known forms."""
    return dates([cell]) is not None


def _by(form: str, read: Callable[[str], float | None], cells: Sequence[str]) -> Dates | None:
    try:
        once = {cell: read(cell) for cell in dict.fromkeys(cells)}
    except (ValueError, OverflowError):
        return None
    found = [once[cell] for cell in cells]
    return Dates(form, None if None in found else np.array(found, dtype=float))


def _iso(cell: str) -> float:
    when = dt.datetime.fromisoformat(cell)
    return (when.replace(tzinfo=None) - EPOCH - (when.utcoffset() or dt.timedelta())).total_seconds()


def _all_iso(cells: Sequence[str]) -> Dates | None:
    """The same of all cells at once, if each has the form that NumPy reads too: of a million that is seconds less."""
    if not ISO.fullmatch(cells[0]) or not all(map(ISO.fullmatch, cells)):
        return None
    try:
        return Dates("year-month-day", np.array(cells, dtype="M8[s]").astype(float))
    except ValueError:  # a day that is in no calendar
        return None


def _strptime(form: str) -> Callable[[str], float | None]:
    def read(cell: str) -> float:
        return (dt.datetime.strptime(cell, form).replace(tzinfo=None) - EPOCH).total_seconds()

    def without_year(cell: str) -> None:
        dt.datetime.strptime(f"{cell} 2000", f"{form} %Y")  # a leap year, or 29 February would be none

    return read if any(sign in form for sign in ("%y", "%Y", "%G", "%c", "%x")) else without_year


def _found(pattern: re.Pattern[str], cell: str) -> tuple[Any, ...]:
    match = pattern.fullmatch(cell)
    if match is None:
        raise ValueError(cell)
    return match.groups()


def _clock(hour: str | None, minute: str | None, second: str | None, half: str | None) -> int:
    """Seconds from midnight on; noon and midnight are 12 PM and 12 AM."""
    h = int(hour or 0)
    of_day = dt.time(h % 12 + 12 * (half in "pP") if half else h, int(minute or 0), int(second or 0))
    return 3600 * of_day.hour + 60 * of_day.minute + of_day.second


def _day(year: int, month: int, day: int) -> float:
    return (dt.datetime(year, month, day) - EPOCH).total_seconds()


def _year_first(cell: str) -> float:
    year, _, month, day, *clock = _found(YEAR_FIRST, cell)
    return _day(int(year), int(month), int(day)) + _clock(*clock)


def _year_month(cell: str) -> float:
    year, month = _found(YEAR_MONTH, cell)
    return _day(int(year), int(month), 1)


def _quarter(cell: str) -> float:
    year, quarter = _found(QUARTER, cell)
    return _day(int(year), 3 * int(quarter) - 2, 1)


def _month_year(cell: str) -> None:
    _found(MONTH_YEAR, cell)  # 1-49 is a month of a year, 1-05 may be anything: their order is not looked at


def _time(cell: str) -> float:
    return _clock(*_found(TIME, cell))


def _dotted_time(cell: str) -> float:
    hour, minute, second = _found(DOTTED_TIME, cell)
    return _clock(hour, minute, second, None)


READERS: dict[str, Callable[[str], float | None]] = {
    "year-month-day": _iso,
    "year, month, day": _year_first,
    "year-month": _year_month,
    "quarters": _quarter,
    TIMES: _time,
    "month and year": _month_year,
}
NAMED_READERS = {form: _strptime(form) for form in NAMED}


def _names_a_day(cell: str) -> bool:
    """Whether a month or a weekday may be named in a cell: to try all forms on each name of a wide table takes long."""
    return bool(_names_of_days(locale.setlocale(locale.LC_TIME)).search(cell))


@cache
def _names_of_days(language: str) -> re.Pattern[str]:  # noqa: ARG001  which they are in
    names = (*calendar.month_name, *calendar.month_abbr, *calendar.day_name, *calendar.day_abbr)
    return re.compile("|".join(map(re.escape, filter(None, names))), re.IGNORECASE)


def _either_order(cells: Sequence[str]) -> Dates | None:
    """Days, months and years with the year last: one order is right if the other is impossible."""
    found = DAY_FIRST.findall("\n".join(cells))
    if len(found) != len(cells):
        return None
    firsts, signs, seconds, years, *clock = zip(*found, strict=True)
    first, second, year = (np.array(list(map(int, part))) for part in (firsts, seconds, years))
    year = np.where(year < 100, year + np.where(year > 68, 1900, 2000), year)  # as strptime's %y has it
    try:
        of_day = np.array([_clock(*parts) for parts in zip(*clock, strict=True)]) if any(clock[0]) else 0
    except ValueError:
        return None
    day_first = _calendar(year, second, first)
    # Points stand in dates of countries that put the day first.
    month_first = None if "." in signs else _calendar(year, first, second)
    if day_first is not None and month_first is not None:
        return Dates("day and month in an order that cannot be told", None)
    if day_first is not None:
        return Dates("day, month, year", day_first + of_day)
    return None if month_first is None else Dates("month, day, year", month_first + of_day)


def _calendar(year: Array, month: Array, day: Array) -> Array | None:
    """The seconds at which days begin; None if one of them is in no calendar."""
    if not ((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)).all():
        return None
    months = (year - 1970).astype("M8[Y]").astype("M8[M]") + (month - 1)
    days = months.astype("M8[D]") + (day - 1)
    return days.astype("M8[s]").astype(float) if (days.astype("M8[M]") == months).all() else None


def share_of_values(rows: Iterable[Sequence[str]]) -> float:
    """Which share of the cells are numbers, dates or gaps; 0 of none."""
    cells = [cell for row in rows for cell in row]
    good = sum(is_gap(c) or looks_like_number(c) or looks_like_date(c) for c in cells)
    return good / len(cells) if cells else 0.0
