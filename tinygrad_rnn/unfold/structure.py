"""The structure of a state: one leaf, or a tuple of them, nested as the layers are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


def flatten(state: Any) -> list[Any]:
    """The leaves of a state, from left to right."""
    return [leaf for part in state for leaf in flatten(part)] if isinstance(state, tuple) else [state]


def rebuild(like: Any, leaves: Iterable[Any]) -> Any:
    """A state of the structure of `like`, of other leaves."""
    return _built(like, iter(leaves))


def _built(part: Any, rest: Iterator[Any]) -> Any:
    # Not inside `rebuild`: a function that holds itself is left to the cycle collector at every call.
    return tuple(_built(p, rest) for p in part) if isinstance(part, tuple) else next(rest)


def alike(state: Any, other: Any) -> bool:
    """Whether two states have one structure."""
    if not isinstance(state, tuple):
        return not isinstance(other, tuple)
    return isinstance(other, tuple) and len(state) == len(other) and all(map(alike, state, other))


def copied(state: Any) -> Any:
    """The same numbers in arrays of their own."""
    return rebuild(state, [leaf.copy() for leaf in flatten(state)])


def frozen_copy(state: Any) -> Any:
    """The same numbers in arrays of their own, which nobody can write to."""
    own = copied(state)
    for leaf in flatten(own):
        leaf.flags.writeable = False
    return own


def outline(state: Any, leaf: str = "one array") -> str:
    """The structure in words, for a message: ``(one array, one array)``."""
    if not isinstance(state, tuple):
        return leaf
    return f"({', '.join(outline(part, leaf) for part in state)}{',' if len(state) == 1 else ''})"
