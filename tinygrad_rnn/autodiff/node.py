"""A node: one line of the tape. It has no numbers: the passes that were run last have them."""

from __future__ import annotations

import weakref
from typing import Any

from . import naming, writing
from .errors import TapeError
from .notation import plain
from .op import Op
from .operators import Operators
from .passes import Array, Passes
from .terms import Outer


class Node(Operators):
    """One line of the tape: an op and the parents that it reads, or a leaf.

    Attributes
    ----------
    index : int
        Its place on the tape.
    op : Op or None
        What computes it; None for a leaf.
    parents : tuple of Node
        What it is computed from, in the order of the op's arguments.
    shape : tuple of int
        The shape of its value.
    name : str
        What it was named; may be empty.
    active : bool
        Whether the backward pass sends error to it.
    t : int or None
        The time step it belongs to, where there is one; None for what all steps share.
    chain : int
        The chain of time steps it belongs to, where a tape has several.
    role : int
        Its place among the nodes of its time step: the copies of one op have one role. Else -1.
    """

    __slots__ = ("_passes", "_tape", "active", "chain", "index", "name", "op", "parents", "role", "shape", "t")

    def __init__(
        self,
        tape: weakref.ref[Any],
        passes: Passes,
        index: int,
        op: Op | None,
        parents: tuple[Node, ...],
        name: str,
        active: bool,
        shape: tuple[int, ...],
    ) -> None:
        self._tape = tape
        self._passes = passes
        self.index = index
        self.op = op
        self.parents = parents
        self.name = name
        self.active = active
        self.shape = shape
        self.chain = 0
        self.t: int | None = None
        self.role = -1

    @property
    def value(self) -> Array:
        """Its value in the last forward pass; the array is read-only."""
        passes = self._passes
        if passes.watched and passes.looked is None:
            passes.looked = self.index
        return passes.values[self]

    @property
    def cotangent(self) -> Array | Outer | None:
        """dC / d value, as far as the last backward pass has come; None where no share has arrived."""
        back = self._passes.cotangents
        return None if back is None else back[self]

    @property
    def tape(self) -> Any:
        """The tape it stands on."""
        tape = self._tape()
        if tape is None:
            raise TapeError(f"the tape of {self} is gone: keep the tape (or the net) while you use its nodes")
        return tape

    @property
    def latex(self) -> str:
        """Its name in LaTeX, with its time; one without a name is called by its role, see `naming`."""
        return naming.latex(self)

    @property
    def equation(self) -> str:
        """The id of Guo's equation that it computes, such as ``G2``; empty if there is none."""
        return self.tape.equations.get(self.name) or (self.op.equation if self.op else "")

    @property
    def formula(self) -> str:
        """How it is computed, in LaTeX: its name, if that is another, and its op over the names of its parents."""
        name = self.latex
        text = name if self.op is None else writing.value(self.op, [p.latex for p in self.parents])
        return text if text == name else f"{name} = {text}"

    def __str__(self) -> str:
        return plain(self.latex)

    def __repr__(self) -> str:
        return f"<{self}: {self.op.name if self.op else 'leaf'}, shape {self.shape}>"
