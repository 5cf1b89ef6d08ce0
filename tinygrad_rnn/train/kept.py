"""What is read back from the files of a run: whether it has the form in which it was written."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from ..autodiff.calling import shortened

Form = Any  # a kind, a dict of forms by name, a list with the form of each, or a tuple of forms of which one fits


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


FITS: dict[str, Callable[[Any], bool]] = {
    "a number": _number,
    "a whole number from 0 up": _count,
    "a text": lambda value: isinstance(value, str),
    "a JSON object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}
NUMBER, COUNT, TEXT, OBJECT, NULL = FITS

SCALED = {"shift": [NUMBER], "size": [NUMBER]}
IN_RUN: Form = {
    "versions": OBJECT,
    "cell": TEXT,
    "settings": OBJECT,
    "data": (
        {"path": TEXT, "bytes": COUNT, "sha256": TEXT, "settings": OBJECT},
        {"copy": TEXT, "bytes": COUNT, "sha256": TEXT},
    ),
    "known": ({"alphabet": [TEXT]}, {"columns": [TEXT], "target": [TEXT], "inputs": SCALED, "targets": SCALED}),
    "understood": [TEXT],
}
IN_STATE: Form = {
    "update": COUNT,
    "epoch": COUNT,
    "step": COUNT,
    "window": COUNT,
    "waited": COUNT,
    "best": (NULL, {"update": COUNT, "validation": NUMBER}),
    "sums": {"price": NUMBER, "length": NUMBER, "clipped": NUMBER, "count": NUMBER},
    "schedule": {"eta": NUMBER, "halvings": COUNT, "waited": COUNT},
    "order": [TEXT],
    "log_bytes": COUNT,
}


def misfit(value: Any, form: Form, name: str = "") -> str:
    """What in a value is not of a form, in words; nothing if all is.

    Parameters
    ----------
    value : object
        What JSON has given.
    form : str, dict, list or tuple
        One of `FITS`, forms by name, the form of each of a list, or several of which one must fit.
    name : str
        Where the value stands.
    """
    if isinstance(form, tuple):
        found = [misfit(value, each, name) for each in form]
        return "" if "" in found else found[-1]
    if isinstance(form, str):
        return "" if FITS[form](value) else f"{name} is {shortened(value)}, and must be {form}"
    if isinstance(form, list):
        if not isinstance(value, list):
            return f"{name} is {shortened(value)}, and must be a list"
        inside = (misfit(each, form[0], f"{name}[{k}]") for k, each in enumerate(value))
    else:
        if not isinstance(value, Mapping):
            return f"{name} is {shortened(value)}, and must be {OBJECT}"
        if missing := [each for each in form if each not in value]:
            return f"there is no {f'{name}.' if name else ''}{missing[0]}"
        inside = (misfit(value[each], of, f"{name}.{each}" if name else each) for each, of in form.items())
    return next((found for found in inside if found), "")
