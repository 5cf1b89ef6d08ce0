"""The reads of a model's parameters: each is a copy with a gradient of its own, and belongs to a step or to none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

Place = tuple[Any, ...]
TORCH = torch.__path__[0]


@dataclass(eq=False)
class ParameterRead:
    """One read of a parameter, or of what was computed from parameters alone.

    Attributes
    ----------
    of : tensor
        What was read.
    view : tensor
        What the program was given for it.
    roots : tuple of str
        The parameters that it is, or was computed from.
    place : tuple
        The innermost module, and the lines of the program that led there.
    said : int or None
        The time step, where the loop or the user says it.
    grads : dict of str to tensor
        What came back for each of the parameters.
    """

    of: Any
    view: Any
    roots: tuple[str, ...]
    place: Place
    said: int | None
    grads: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, g: Any) -> None:
        """A gradient has come back: copied, since a parameter may take it for its .grad and add to it in place."""
        self.grads[name] = self.grads[name] + g if name in self.grads else g.detach().clone()

    @property
    def line(self) -> str:
        """Where it stands, for people."""
        last = self.place[-1]
        if isinstance(last, str):
            return last
        own = [line for line in self.place[1:] if not line[0].startswith(TORCH)]
        file, number, _ = own[-1] if own else last
        return f"{file.rpartition('/')[2]}:{number}"


@dataclass(eq=False)
class Computed:
    """A tensor computed from parameters alone, and the reads that it was made by."""

    tensor: Any
    roots: tuple[str, ...]
    made_by: list[ParameterRead]


def copies_of(reads: Sequence[ParameterRead], computed: Iterable[Computed]) -> list[tuple[int | None, ParameterRead]]:
    """The reads that are copies, each with its time step, or None if it stands in no loop.

    A weight's transpose, made before the loop and read at each step, has copies of its own; read once, its making is
    the copy. A step that nobody says is how often the same lines were gone through.
    """
    readers = defaultdict(list)
    for read in reads:
        readers[id(read.of)].append(read)
    passed_on: set[int] = set()
    for each in reversed(list(computed)):
        of_it = readers[id(each.tensor)]
        left = [read for read in of_it if id(read) not in passed_on]
        if len(left) == 1:
            passed_on.add(id(left[0]))
        elif of_it:
            passed_on |= {id(read) for read in each.made_by}
    kept = [read for read in reads if id(read) not in passed_on]

    # A place where nothing ever comes back, as in a comparison, is none of the loop's.
    alive = {read.place for read in kept if read.grads} or {read.place for read in kept}
    visits: defaultdict[tuple[Place, tuple[str, ...]], int] = defaultdict(int)
    counted = []
    for read in kept:
        if read.place in alive:
            visits[read.place, read.roots] += 1
            counted.append((visits[read.place, read.roots], read))
    loops = {place for (place, _), visited in visits.items() if visited > 1}
    return [
        (read.said if read.said is not None else visit if read.place in loops else None, read)
        for visit, read in counted
    ]
