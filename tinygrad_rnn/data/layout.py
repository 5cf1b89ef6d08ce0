"""How the lines of a table are parted into fields."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .cells import DECIMAL_COMMA, THREE_DIGITS, looks_like_number, share_of_values
from .refusal import DataError, shown

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces"}
ONE_COLUMN = "\x1f"  # the unit separator, which no line has
SAMPLE = 200  # lines that are looked at to find the separator; the others must agree
MOST_ABOVE = 50  # lines that may stand above a table

SPACE = re.compile(r"[^\S\r\n]")

Watch = Callable[[int, int], None]  # told the rows and columns so far; it may raise


class TableRows(NamedTuple):
    """The rows of a table: the line each begins in, its fields, and what was passed over."""

    lines: list[int]
    fields: list[list[str]]
    understood: list[str]


class FileLine(NamedTuple):
    """A line of the file, with its number."""

    number: int
    text: str


def rows_of(name: str, text: str, sep: str | None, skip_rows: int, watch: Watch | None) -> tuple[TableRows, str]:
    """The rows of a table, and the sign that parts their fields.

    Empty lines and lines that begin with ``#`` are passed over. A first line ``sep=;``, as Excel writes it, is obeyed.

    Raises
    ------
    DataError
        If no sign, or more than one, parts all lines alike.
    """
    understood = []
    lines = [FileLine(number, line) for number, line in enumerate(io.StringIO(text, newline=""), start=1)]
    if skip_rows:
        lines = lines[skip_rows:]
        understood.append(f"{skip_rows} line{'s' * (skip_rows > 1)} at the beginning passed over")
    if lines and (said := re.fullmatch(r'"?sep=(.)"?', lines[0].text.strip("\r\n"))):
        understood.append(f"line {lines[0].number} says that the separator is {said[1]!r}")
        sep, lines = sep or said[1], lines[1:]
    kept, comments = _without_comments(lines)
    if comments:
        understood.append(f"{_which(comments)} passed over: beginning with #, as comments do")
    while kept and _is_empty(kept[-1].text):
        kept.pop()
    if kept and _each_is_quoted(kept):
        understood.append("each line is one quoted field; what is in the quotes is read")
        kept = [FileLine(line.number, line.text.strip()[1:-1].replace('""', '"')) for line in kept if line.text.strip()]
    if not any(line.text.strip() for line in kept):
        raise DataError(f"{name} has no rows" + (f" after line {skip_rows}" if skip_rows else ""))
    sep = sep or _separator(name, [line for line in kept if line.text.strip()][:SAMPLE])
    rows = _parted(name, kept, sep, watch)
    if not any(any(fields) for _, fields in rows):
        raise DataError(f"{name} has no rows: all fields are empty")
    if sep == ONE_COLUMN:  # there an empty line is a gap, but for those before the first row
        rows = rows[next(i for i, (_, fields) in enumerate(rows) if any(fields)) :]
    else:
        empty = [line for line, fields in rows if fields == [""]]
        if empty:
            rows = [row for row in rows if row[1] != [""]]
            understood.append(f"{_which(empty)} passed over: empty")
    lines_of, fields_of = [line for line, _ in rows], [fields for _, fields in rows]
    return TableRows(lines_of, _even(name, lines_of, fields_of, sep, understood), understood), sep


def _without_comments(lines: list[FileLine]) -> tuple[list[FileLine], list[int]]:
    kept, comments, inside = [], [], False
    for line in lines:
        if not inside and line.text.startswith("#"):
            comments.append(line.number)
            continue
        kept.append(line)
        inside ^= line.text.count('"') % 2 == 1  # a quoted field goes on in the next line, whatever that begins with
    return kept, comments


def _is_empty(line: str) -> bool:
    return not line.strip(" \t\r\n,;|")


def _each_is_quoted(lines: list[FileLine]) -> bool:
    """Whether each line is one quoted field that has fields in it, as "a;b"."""
    if not lines[0].text.startswith('"'):
        return False
    bare = [line.text.strip() for line in lines if line.text.strip()]
    whole = re.compile(r'"(?:[^"]|"")*"')
    return all(map(whole.fullmatch, bare)) and any(all(sign in line for line in bare) for sign in ";,\t|")


def _parted(
    name: str, lines: list[FileLine], sep: str, watch: Watch | None = None, *, strict: bool = True
) -> list[tuple[int, list[str]]]:
    """Each row with the number of the line that it begins in."""
    padded = any(map(SPACE.search, (line for _, line in lines)))
    numbers: list[int] = []

    def given() -> Iterator[str]:
        for number, line in lines:
            numbers.append(number)
            yield " ".join(line.split()) if sep == " " else line

    rows = []
    begins = 0
    try:
        for fields in csv.reader(given(), delimiter=sep, skipinitialspace=True, strict=strict):
            if padded:
                fields = [field.strip() for field in fields]  # noqa: PLW2901  the same fields, bare
            rows.append((numbers[begins], fields or [""]))
            begins = len(numbers)
            if watch and len(rows) % 1000 == 0:
                watch(len(rows), len(fields))
    except csv.Error as error:
        if not strict:  # by a sign that parts nothing, a long row is one field, and longer than one may be
            return []
        line = numbers[min(begins, len(numbers) - 1)]
        raise DataError(
            f"{name}, line {line}: the row that begins there has quotes that do not end right, or a field without an "
            f"end: {error}"
        ) from None
    return rows


def _separator(name: str, sample: list[FileLine]) -> str:
    """The sign that parts all lines into as many fields, most of which are numbers, dates or gaps."""
    cut = len(sample) == SAMPLE  # its last row may go on
    ways = {sign: _parted(name, sample, sign, strict=False) for sign in SEPARATORS}
    if cut:
        ways = {sign: rows[:-1] for sign, rows in ways.items()}
    bare = {sign: [fields for _, fields in rows] for sign, rows in ways.items()}
    shares = {sign: share_of_values(rows[1:] or rows) for sign, rows in bare.items() if rows and _is_even(rows)}
    if shares:
        most = max(shares.values())
        best = [sign for sign in shares if shares[sign] == most]
        if len(best) > 1 and " " in best:
            best.remove(" ")  # it parts at tabs too, and after other signs
        if len(best) > 1:
            names = " or ".join(SEPARATORS[sign] for sign in best)
            raise DataError(f"{name}: the columns may be parted by {names}", {"sep": tuple(best)})
        if most > 0 or best != [" "]:  # words with spaces between them are no columns
            return best[0]
    whole = [line.text.strip() for line in sample]
    values, last = whole[1:] or whole, sample[-1].number
    if all(len(row) == 1 for sign in ",;\t|" for row in bare[sign]):
        spaced = bare[" "][1:]
        if (
            {len(row) for row in spaced} in ({1}, set())
            or not share_of_values(spaced)
            or all(map(looks_like_number, values))
        ):
            return ONE_COLUMN
        raise _uneven(name, [line for line, _ in ways[" "]], bare[" "], " ")
    commas = any("," in line for line in values)
    if commas and all(DECIMAL_COMMA.match(line) or line.isdecimal() for line in values):
        if all(THREE_DIGITS.fullmatch(line) for line in values if "," in line):
            raise DataError(
                f"{name}, line {last}: the comma in {shown(values[-1])} may stand before decimals or thousands",
                {"sep": ";", "decimal": ","},
                {"sep": ";", "thousands": ","},
            )
        raise DataError(
            f"{name}, line {last}: is the comma in {shown(values[-1])} a decimal point, in one column?",
            {"sep": ";", "decimal": ","},
        )
    if commas and all(map(looks_like_number, values)):
        raise DataError(
            f"{name}, line {last}: is {shown(values[-1])} one number, with a comma for the thousands?",
            {"sep": ";", "thousands": ","},
        )
    sign = max(",;\t|", key=lambda sign: sum(len(row) > 1 for row in bare[sign]))
    if not cut:
        _parted(name, sample, sign)  # quotes that do not end are the better reason
    raise _uneven(name, [line for line, _ in ways[sign]], bare[sign], sign)


def _is_even(rows: list[list[str]]) -> bool:
    """Whether all rows have as many fields, more than one, but for a sign at the ends of all lines below the first."""
    if len(rows[0]) < 2:
        return False
    widths = {len(row) for row in rows[1:]} or {len(rows[0])}
    empty_end = widths == {len(rows[0]) + 1} and not any(row[-1] for row in rows[1:])
    return widths == {len(rows[0])} or empty_end


def _even(name: str, lines: list[int], rows: list[list[str]], sep: str, understood: list[str]) -> list[list[str]]:
    """Rows of one width: empty fields at the ends of all lines are no column."""
    widths = set(map(len, rows))
    if len(widths) == 1 and any(row[-1] for row in rows):
        return rows
    width = max(max((i for i, field in enumerate(row, start=1) if field), default=0) for row in rows)
    if min(widths) < width:
        raise _uneven(name, lines, rows, sep)
    understood.append("a separator at the ends of lines passed over")
    return [row[:width] for row in rows]


def _uneven(name: str, lines: list[int], rows: list[list[str]], sep: str) -> DataError:
    """The error that names the first row that has another number of fields, and the way out."""
    widths = [len(row) for row in rows]
    parted = f"parted by {SEPARATORS.get(sep, repr(sep))}"
    begin = len(rows) - 1  # from here on all are alike
    while begin and widths[begin - 1] == widths[-1]:
        begin -= 1
    if begin == 1 and 1 < widths[0] < widths[1]:
        return DataError(
            f"{name}, line {lines[1]}: {_count(widths[1])} {parted}, but {widths[0]} in line {lines[0]}; a number "
            "with a separator in it must stand in quotes, and the names of rows need a name too"
        )
    if 0 < begin <= min(MOST_ABOVE, len(rows) - 2):
        odd = next(i for i, width in enumerate(widths) if width != widths[0])
        says = f"{name}, line {lines[odd]}: {_count(widths[odd])} {parted}, but {widths[0]} in line {lines[0]}"
        return DataError(f"{says}; from line {lines[begin]} on all have {widths[-1]}", {"skip_rows": lines[begin] - 1})
    usual, _ = Counter(widths).most_common(1)[0]
    odd = next(i for i, width in enumerate(widths) if width != usual)
    return DataError(
        f"{name}, line {lines[odd]}: {_count(widths[odd])} {parted}, but {usual} in most rows; mend it or take it out"
    )


def _count(fields: int) -> str:
    return "1 field" if fields == 1 else f"{fields} fields"


def _which(lines: list[int]) -> str:
    return f"line {lines[0]}" if len(lines) == 1 else f"{len(lines)} lines, the first of them line {lines[0]},"
