"""What comes from outside is looked at before it is shown: a file that a stranger may have sent, and its parts."""

from __future__ import annotations

import json
import math
import re
import reprlib
from collections import Counter
from collections.abc import Hashable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, cast, get_args, get_origin, get_type_hints

from .text import printable

MOST_BYTES = 16_000_000  # a file; the steps of a small network take half a million
MOST_PARTS = 500_000  # lists, objects and strings in it: Python takes some 60 bytes for each
_HALF = re.compile("[\\ud800-\\udfff]")  # of a pair: no file can hold it
LARGEST = 2**53  # the integers that every reader of JSON has


class Twice(dict[str, Any]):
    """An object of JSON in which a name stands twice: two readers would read two things."""

    name = ""


def text_of(path: Path) -> str:
    """The text of a file, but no more of it than can be shown: what never ends, such as /dev/zero, fills no memory.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is too large, or not UTF-8.
    """
    with path.open("rb") as file:
        content = file.read(1000)
        if content.lstrip()[:1] == b"{":
            content += file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"it has more than {MOST_BYTES // 10**6} MB, and no more is read")
    return content.decode()


def parsed(text: str) -> Any:
    """What JSON says; `read` looks at what it can be read as.

    Raises
    ------
    ValueError
        If it is not JSON, or if there is too much of it.
    """
    parts = text.count('"') // 2 + text.count("[") + text.count("{") + text.count(",") // 2
    if len(text) > MOST_BYTES or parts > MOST_PARTS:
        raise ValueError(f"it has {len(text):,} characters and some {parts:,} parts: more than can be shown")
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON ({error})") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    wrong = Twice(found)
    wrong.name = Counter(name for name, _ in pairs).most_common(1)[0][0]
    return wrong


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < 20 else math.inf  # Python takes its time for thousands of digits, or refuses


def read(kind: Any, data: Any, where: str) -> Any:
    """An object of a frozen class from its JSON, tuples from lists, every part of the type that the class says.

    What has a default may be missing: an older file does not know it.

    Raises
    ------
    ValueError
        If a part is missing or stands twice, has another type, or is no finite number; where it stands is said.
    """
    if is_dataclass(kind) and isinstance(data, dict):
        if isinstance(data, Twice):
            raise ValueError(f"{where}.{briefly(data.name)} stands there twice")
        hints = _hints(cast(Hashable, kind))
        for field in fields(kind):
            if field.name not in data and field.default is MISSING:
                raise ValueError(f"KeyError {field.name!r}, which {where} must have")
        known = {name: hint for name, hint in hints.items() if name in data}
        return kind(**{name: read(hint, data[name], f"{where}.{name}") for name, hint in known.items()})  # type: ignore[operator]  # a class
    if get_origin(kind) is tuple and isinstance(data, list):
        parts = get_args(kind)
        parts = parts[:1] * len(data) if parts[-1:] == (...,) else parts
        if len(parts) == len(data):
            return tuple(
                read(part, each, f"{where}[{k}]") for k, (part, each) in enumerate(zip(parts, data, strict=True))
            )
    elif get_origin(kind) is UnionType:
        if data is None and NoneType in get_args(kind):
            return None
        return read(next(part for part in get_args(kind) if part is not NoneType), data, where)
    elif kind is float and isinstance(data, int | float) and not isinstance(data, bool):
        if math.isfinite(data):
            return float(data)
        raise ValueError(f"{where} is no finite number")
    elif kind is int and type(data) is int:
        if abs(data) <= LARGEST:
            return data
        raise ValueError(f"{where} is {data}, which is no number of anything")
    elif kind is str and isinstance(data, str):
        if _HALF.search(data):
            raise ValueError(f"{where} holds half a character")
        return data
    elif kind is bool and type(data) is bool:
        return data
    raise ValueError(f"{where} is {briefly(data)}, which is no {getattr(kind, '__name__', kind)}")


@cache
def _hints(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(kind)


def briefly(data: Any) -> str:
    """Anything as a few characters of one line."""
    return repr(str(data)[:40] if isinstance(data, str | int | float) else reprlib.repr(data)[:40])


def every_text_printable(thing: Any) -> Any:
    """The same frozen object, with no character in any of its strings that no file can hold."""
    if isinstance(thing, str):
        return printable(thing)
    if isinstance(thing, tuple):
        return tuple(map(every_text_printable, thing))
    if is_dataclass(thing) and not isinstance(thing, type):
        return type(thing)(**{each.name: every_text_printable(getattr(thing, each.name)) for each in fields(thing)})
    return thing
