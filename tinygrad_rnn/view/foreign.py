"""What comes from outside is looked at before it is shown: the parts of a trace, and its picture."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

DRAWN = {
    "svg", "g", "defs", "title", "desc", "style", "text", "tspan", "path", "line", "polyline", "polygon", "rect",
    "circle", "ellipse", "marker",
}  # fmt: skip
_ELSEWHERE = re.compile(r"@import|javascript:|expression\(|url\((?!\s*['\"]?#)", re.IGNORECASE)


def read(kind: Any, data: Any, where: str) -> Any:
    """An object of a frozen class from its JSON, tuples from lists, every part of the type that the class says.

    Raises
    ------
    KeyError
        If a part is missing.
    ValueError
        If one has another type; where it stands is said.
    """
    if is_dataclass(kind) and isinstance(data, dict):
        hints = get_type_hints(kind)
        return kind(**{name: read(hint, data[name], f"{where}.{name}") for name, hint in hints.items()})  # type: ignore[operator]  # a class
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
        return float(data)
    elif kind in (int, str, bool) and type(data) is kind:
        return data
    raise ValueError(f"{where} is {str(data)[:40]!r}, which is no {getattr(kind, '__name__', kind)}")


def refuse_active(svg: str) -> None:
    """Raise ValueError if a picture is more than a picture: runs something, or asks for something elsewhere."""
    if "<!DOCTYPE" in svg or "<!ENTITY" in svg:
        raise ValueError("its picture declares entities")
    try:
        root = ET.fromstring(svg)
    except ET.ParseError as error:
        raise ValueError(f"its picture is no SVG: {error}") from None
    for element in root.iter():
        name = _local(element.tag)
        if name not in DRAWN:
            raise ValueError(f"its picture holds <{name}>")
        for attribute, value in element.attrib.items():
            if _local(attribute).lower().startswith("on"):
                raise ValueError(f"its picture has {_local(attribute)}=, which runs something")
            if _local(attribute) == "href" and not value.startswith("#"):
                raise ValueError("its picture leads elsewhere")
        for text in [*element.attrib.values(), element.text or "" if name == "style" else ""]:
            if _ELSEWHERE.search(text):
                raise ValueError("its picture asks for something elsewhere")


def _local(name: Any) -> str:
    return str(name).rpartition("}")[2]
