"""Names for a file of Python: clean, and each given once."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable

_WORDS = {"∂": "d_", "⊙": " times ", "·": " times ", "/": " over ", "+": " plus ", "-": " minus ", "−": " minus "}
_NUMBERS = {"0": "zero", "1": "one", "2": "two"}
LONGEST = 40  # letters: a cell may call a node anything


class Identifiers:
    """Gives identifiers: no keyword, no builtin, none that was given before.

    Parameters
    ----------
    taken : iterable of str
        What else the file uses.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._given = {*keyword.kwlist, *dir(builtins), *taken}

    def new(self, wanted: str) -> str:
        """An identifier as near as can be to what is wanted; it is given to nobody else."""
        for sign, word in _WORDS.items():
            wanted = wanted.replace(sign, word)
        # Python takes two names for one if they are alike in this form.
        stem = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", wanted)).strip("_")[:LONGEST] or "unnamed"
        stem = re.sub(r"^\d+", lambda digits: _NUMBERS.get(digits[0], f"v_{digits[0]}"), stem)
        stem = stem if stem.isidentifier() else "unnamed"
        name, k = stem, 1
        while name in self._given:
            name, k = f"{stem}_{k if k > 1 else ''}", k + 1
        self._given.add(name)
        return name
