"""A cell in words, which a file can hold, and what its parameters must be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.calling import numbers, shortened
from ..unfold import cells

Array = NDArray[Any]

KINDS: dict[str, Any] = {name: getattr(cells, name) for name in cells.__all__ if name != "Cell"}
DEEPEST = 64  # layers, one in the other; a file of a stranger may have any number
HEAD = ("W", "b_k")
# Sizes with which a cell is drawn once, to read off which axis of a parameter is l, m or o: no multiple of m is l or o.
L, M, O = 3, 5, 7
Axis = tuple[int, str]  # how many times which letter


def described(cell: Any) -> dict[str, Any]:
    """A cell of this library in words.

    Raises
    ------
    ValueError
        If it is a function or a class of one's own: a file holds no code.
    """
    kind = type(cell).__name__
    if KINDS.get(kind) is not type(cell):
        raise ValueError(
            f"{shortened(cell)} is no cell of tinygrad_rnn.cells, and a file holds no code: keep its parameters with "
            "numpy.savez, and the function in a module of yours"
        )
    if isinstance(cell, cells.Stacked):
        return {"kind": kind, "cells": [described(each) for each in cell.cells]}
    if isinstance(cell, cells.ErrorClipped):
        return {"kind": kind, "cell": described(cell.cell), "bound": cell.bound}
    return {"kind": kind, **{each.name: getattr(cell, each.name) for each in fields(cell) if each.init}}


def in_words(cell: Any) -> str:
    """The same as one line of JSON."""
    return json.dumps(described(cell))


def read_cell(text: str) -> Any:
    """The cell that `in_words` has described.

    Raises
    ------
    ValueError
        If the words describe none.
    """
    try:
        return _made(json.loads(text), 0)
    except RecursionError:
        raise ValueError("its cell is described in a way that is not read") from None


def _made(words: Any, depth: int) -> Any:
    kind = words.get("kind") if isinstance(words, dict) else None
    if not isinstance(kind, str) or kind not in KINDS or depth > DEEPEST:
        raise ValueError(f"its cell is described as {shortened(words)}: it is one of {', '.join(KINDS)}")
    made = KINDS[kind]
    settings = {name: value for name, value in words.items() if name != "kind"}
    takes = {each.name for each in fields(made) if each.init} if is_dataclass(made) else set()
    if made is cells.Stacked:
        takes = {"cells"}
    elif made is cells.ErrorClipped:
        takes = {"cell", "bound"}
    if unknown := sorted(settings.keys() - takes):
        raise ValueError(f"its cell has a setting {shortened(unknown[0])}, which {kind} has not")
    try:
        if made is cells.Stacked:
            parts = settings.get("cells")
            if not isinstance(parts, list) or len(parts) > DEEPEST:
                raise ValueError(f"Stacked has cells {shortened(parts)}: it is a list of 1 to {DEEPEST}")
            return made(*[_made(each, depth + 1) for each in parts])
        if made is cells.ErrorClipped:
            settings["cell"] = _made(settings.get("cell"), depth + 1)
        return made(**settings)
    except TypeError as error:
        raise ValueError(str(error)) from None


def axes(cell: Any) -> dict[str, tuple[Axis, ...]]:
    """The axes of each parameter of a cell of this library, such as ((4, "m"), (1, "l")) for the V of an LSTM."""
    if isinstance(cell, cells.ErrorClipped):
        return axes(cell.cell)
    if not isinstance(cell, cells.Stacked):
        letters = {L: (1, "l"), O: (1, "o")} | {k * M: (k, "m") for k in range(1, 9)}
        drawn = cell.init(L, M, O, rng=0)
        return {name: tuple(letters[n] for n in array.shape) for name, array in drawn.items()}
    found: dict[str, tuple[Axis, ...]] = {}
    for k, layer in enumerate(cell.cells, 1):
        here = {"l": "l" if k == 1 else f"m of layer {k - 1}", "m": f"m of layer {k}", "o": "o"}
        for name, of in axes(layer).items():
            if name not in HEAD or k == len(cell.cells):
                found[f"{name}_{k}"] = tuple((count, here[letter]) for count, letter in of)
    return found


def checked(cell: Any, params: Mapping[str, Any]) -> tuple[dict[str, Array], dict[str, int]]:
    """The parameters as arrays, if they are those of a cell of this library, and its sizes by their letters.

    The head may be missing. What the cell does not read, such as an initial state that is trained, is let through.

    Raises
    ------
    ValueError
        If one is missing, has another shape than the others let it have, holds no finite numbers, or other floating
        point numbers than float32 or float64, one type for all.
    """
    found = {name: numbers(array, f"params[{name!r}]") for name, array in params.items()}
    wanted = axes(cell)
    head = [name for name in wanted if name.rpartition("_")[0] in HEAD or name in HEAD]
    if not any(name in found for name in head):
        wanted = {name: of for name, of in wanted.items() if name not in head}
    if missing := [name for name in wanted if name not in found]:
        raise ValueError(
            f"there is no {', '.join(missing)}, which {cell!r} has; there are {', '.join(map(str, found)) or 'none'}"
        )
    sizes: dict[str, int] = {}
    for name, of in wanted.items():
        for (count, letter), n in zip(of, found[name].shape, strict=False):
            if count == 1:
                sizes.setdefault(letter, n)
    for name, of in wanted.items():
        shape = tuple(count * sizes.get(letter, 0) for count, letter in of)
        if found[name].shape != shape or 0 in shape:
            said = ", ".join(f"{count} {letter}" if count > 1 else letter for count, letter in of)
            known = ", ".join(f"{letter} = {n}" for letter, n in sizes.items())
            raise ValueError(f"{name} is {found[name].shape}, and with {known} it must be ({said})")
    dtypes = {array.dtype for array in found.values()}
    if len(dtypes) > 1 or not dtypes <= {np.dtype(np.float32), np.dtype(np.float64)}:
        listed = ", ".join(f"{name} {array.dtype}" for name, array in found.items())
        raise ValueError(f"{shortened(listed)}: all are float32, or all float64")
    for name, array in found.items():
        if not np.isfinite(array).all():
            at = ", ".join(str(k) for k in np.argwhere(~np.isfinite(array))[0])
            raise ValueError(f"{name}[{at}] is {array[tuple(np.argwhere(~np.isfinite(array))[0])]}, and must be finite")
    return found, sizes


def extra(cell: Any, params: Mapping[str, Any]) -> list[str]:
    """The names of parameters that the cell does not read."""
    read = axes(cell)
    return [name for name in params if name not in read]
