"""What somebody has asked for, looked at before anything is done: the words of a refusal are ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..autodiff.calling import shortened


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
