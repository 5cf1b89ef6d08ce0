"""What somebody has asked for, looked at before anything is done: the words of a refusal are ours."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..autodiff.calling import shortened


def a_text(who: str, argument: str, given: Any) -> None:
    """Raise TypeError if this is no string."""
    if not isinstance(given, str):
        raise TypeError(f"{who}: {argument}={shortened(given)}: it is a string")


def a_path(given: Any) -> Path:
    """The path.

    Raises
    ------
    TypeError
        If it is none.
    ValueError
        If no file can have this name.
    """
    try:
        path = os.fspath(given)
    except TypeError:
        path = b""
    if not isinstance(path, str):
        raise TypeError(f"{shortened(given)}: pass the name of a file, a string or a pathlib.Path")
    if "\0" in path:
        raise ValueError(f"{shortened(path)}: no file can have a name with a NUL in it")
    return Path(path)


def captions(given: Any) -> None:
    """Raise TypeError if these are no words for each time step."""
    if isinstance(given, Mapping) and all(
        isinstance(name, str) and isinstance(words, Sequence) and all(isinstance(word, str) for word in words)
        for name, words in given.items()
    ):
        return
    raise TypeError(
        f"captions={shortened(given)}: it is a mapping of a node's name to a string for each time step, such as "
        '{"x": ["w", "e"]}'
    )
