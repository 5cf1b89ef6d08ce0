"""One step of the forward or the backward pass, ready to be shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Cotangents, Node, Share, Tape, Values, writing
from ..autodiff.asked import asked_if_it_fails
from ..autodiff.calling import shortened
from ..autodiff.notation import plain
from ..autodiff.worked import Worked, worked

Array = NDArray[Any]


class Read(NamedTuple):
    """An array that a step reads: its name, and whether it is a node's value or what came back to it."""

    name: str
    value: Array
    node: Node
    what: str


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What happened in one step: which node, which formula, which numbers, and what changed.

    Attributes
    ----------
    number : int
        Counted from 1 through the forward and the backward pass.
    node : Node
        The node that was computed or, backwards, that hands on its error.
    share : Share or None
        Backwards: what it handed to which parent. None in a forward step.
    """

    number: int
    node: Node
    share: Share[Any] | None
    # The passes it belongs to: a later one gives the nodes other numbers.
    _values: Values
    _back: Cotangents[Any] | None
    _root: Node
    _tape: Tape  # kept: its nodes do not

    def __repr__(self) -> str:
        return f"<step {self.number}, {self.phase}: {self.node}, {self.op}; tinygrad_rnn.show prints it>"

    @property
    def phase(self) -> str:
        """``forward`` or ``backward``."""
        return "backward" if self.share else "forward"

    @property
    def op(self) -> str:
        """The name of the op."""
        return self.node.op.name if self.node.op else "leaf"

    @property
    def t(self) -> int | None:
        """The time step, None for what belongs to no step."""
        return self.node.t

    @property
    def equation(self) -> str:
        """The id of Guo's equation it computes, such as ``G26``; empty if there is none."""
        return self.share.equation if self.share else self.node.equation

    @property
    def value(self) -> Array:
        """The node's value, or the share."""
        return self._values[self.node] if self.share is None else np.asarray(self.share.value)

    @property
    def before(self) -> Array | None:
        """What the step changed, as it was before: a value that was not there, or the parent's cotangent."""
        before = None if self.share is None else self.share.before
        return None if before is None else np.asarray(before)

    @property
    def after(self) -> Array:
        """What the step changed, as it is afterwards."""
        return self.value if self.share is None else np.asarray(self.share.after)

    @property
    def _args(self) -> tuple[Array, ...]:
        return tuple(self._values[p] for p in self.node.parents)

    @property
    def _g(self) -> Array:
        assert self._back is not None  # asked for backwards
        return np.asarray(self._back[self.node])

    @property
    def result(self) -> str:
        """What the step computes, in LaTeX: the node, or the share of dC / d parent."""
        return self._of(self.share.parent) if self.share else self.node.latex

    @property
    def formula(self) -> str:
        """The formula in LaTeX, in symbols."""
        if self.share is None:
            return self.node.formula
        sign = "=" if not self.share.place else r"\mathrel{+}="
        return f"{self.result} {sign} {self._right_side()}"

    @property
    def text(self) -> str:
        """The formula in plain text."""
        return plain(self.formula.replace(r"\mathrel{+}=", "+="))

    @property
    def operands(self) -> list[tuple[str, Array]]:
        """The arrays that the formula reads, each with its name in plain text."""
        return [(read.name, read.value) for read in self.reads]

    @property
    def reads(self) -> list[Read]:
        """What the formula reads: arrays, each with its name in plain text and the node whose it is."""
        node = self.node
        if node.op is None:
            return []
        who: list[Read] = [
            Read(p.latex, np.asarray(v), p, "value") for p, v in zip(node.parents, self._args, strict=True)
        ]
        marks = [f"<{k}>" for k in range(len(who))]
        if self.share is None:
            read = writing.value(node.op, marks)
        else:
            read = writing.share(node.op, self.share.slot, "<g>", "<y>", marks)
            whole = Read(self._of(node), self._g, node, "cotangent")
            who = [whole, Read(node.latex, np.asarray(self._values[node]), node, "value"), *who]
            marks = ["<g>", "<y>", *marks]
        # One line for each node, however often the formula reads it; two nodes of one name have two.
        unique = {(w.node.index, w.what): w for mark, w in zip(marks, who, strict=True) if mark in read}
        return [w._replace(name=plain(w.name)) for w in unique.values()]

    def again(self, changed: Read) -> Array:
        """The step's value in double precision, had one of the arrays that it reads been another one."""
        node, args = self.node, [np.asarray(v, float) for v in self._args]
        assert node.op is not None  # a leaf reads nothing
        new = np.asarray(changed.value, float)
        if changed.what == "value":
            args = [new if p is changed.node else v for p, v in zip(node.parents, args, strict=True)]
        if self.share is None:
            return np.asarray(node.op.value(*args))
        g, y = np.asarray(self._g, float), np.asarray(self._values[node], float)
        if changed.node is node:
            g, y = (new, y) if changed.what == "cotangent" else (g, new)
        return np.asarray(node.op.share(self.share.slot, g, y, args))

    def largest(self) -> tuple[int, ...]:
        """The index of the entry of `value` that is furthest from zero."""
        return tuple(int(i) for i in np.unravel_index(np.argmax(np.abs(self.value)), self.value.shape))

    @asked_if_it_fails
    def unit(self, index: tuple[int, ...] | None = None) -> str:
        """One entry of the result written out with its numbers, in plain text; empty if nothing is computed.

        Parameters
        ----------
        index : tuple of int, optional
            Which entry of `value`; the largest if none is named.
        """
        return str(self.worked(index) or "")

    @asked_if_it_fails
    def worked(self, index: tuple[int, ...] | None = None) -> Worked | None:
        """The same as terms, of which text is made; None if nothing is computed.

        Parameters
        ----------
        index : tuple of int, optional
            Which entry of `value`; the largest if none is named.
        """
        node, share = self.node, self.share
        if node.op is None:
            return None
        index = self.largest() if index is None else index
        shape = self.value.shape
        if not (isinstance(index, tuple) and len(index) == len(shape)) or not all(
            isinstance(i, int | np.integer) and not isinstance(i, bool) and 0 <= i < n
            for i, n in zip(index, shape, strict=True)
        ):
            raise ValueError(f"index={shortened(index)}: it names an entry of {shape}, such as {self.largest()}")
        if share is None:
            formula = writing.value_entry(node.op, index, self._args)
        else:
            formula = writing.share_entry(node.op, share.slot, index, self._g, self._values[node], self._args)
        return worked(formula, float(self.value[index]))

    def _of(self, node: Node) -> str:
        """How dC / d node is written in LaTeX, C being the cost that the error started from."""
        return rf"\frac{{\partial {self._root.latex}}}{{\partial {writing.grouped(node.latex)}}}"

    def _right_side(self) -> str:
        node, share = self.node, self.share
        assert share is not None  # asked only in a backward step,
        assert node.op is not None  # and only an op hands on a share
        return writing.share(node.op, share.slot, self._of(node), node.latex, [p.latex for p in node.parents])


def walk(tape: Tape, root: Node) -> Iterator[Step]:
    """Play the tape and pull back from `root`, yielding every step as it happens."""
    number = count(1)
    for node in tape.play():
        yield Step(next(number), node, None, tape.values, None, root, tape)
    for share in tape.pullback(root):
        yield Step(next(number), share.node, share, tape.values, tape.cotangents, root, tape)
