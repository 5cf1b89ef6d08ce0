"""Ids that no other part of a page has."""

from collections import Counter

_given: Counter[str] = Counter()


def new_id(stem: str) -> str:
    """The stem; for what is shown again ``stem-2``, ``stem-3``, ...: the same ones whenever a notebook is run anew."""
    _given[stem] += 1
    return stem if _given[stem] == 1 else f"{stem}-{_given[stem]}"
