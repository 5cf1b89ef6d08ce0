"""A tape that knows of time: which step a node belongs to, and whether a step repeats the one before it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np

from ..autodiff import Node, Op, SourceLine, Tape, TapeError
from ..autodiff.errors import keep, noted, source_lines

OURS = {"Recipe.record", "fold_step"}  # what is recorded here comes from no line of a cell


class Recording(Tape):
    """A tape of time steps.

    Parameters
    ----------
    equations : mapping, optional
        See `Tape`.
    watch : bool
        Whether it notes the line of the cell or the loss that records each node.
    like : sequence of Node
        The nodes of another recording, which this one is expected to repeat, see `repeats`.

    Attributes
    ----------
    parameters : mapping of str to ndarray
        The arrays that weights were made of; none of them may come as a constant.
    odd_step : int or None
        The first step from the third on that is no copy of the step before it.
    source : dict of int to SourceLine
        The lines, by the node's role.
    """

    def __init__(
        self, equations: Mapping[Any, str] | None = None, watch: bool = False, like: Sequence[Node] = ()
    ) -> None:
        super().__init__(equations)
        self.parameters: Mapping[str, Any] = {}
        self.odd_step: int | None = None
        self.source: dict[int, SourceLine] = {}
        self._watch = watch
        self._like = like
        self._place: tuple[int, int] | None = None  # the chain and the time of the step that is being recorded
        self._role = 0
        self._roles: dict[tuple[int, int], int] = {}  # by place, the role that its next node gets
        self._suffix = ""  # what names end with that are given now
        self._last = ((0, 0), 0)  # the step recorded last, and where it ended
        self._apart = 0  # how far back the node stands that a copy in this step would be a copy of; 0 if none does
        self._alike = 0  # how many nodes are copies, of this tape's or of the other recording's

    @contextmanager
    def step(self, t: int, chain: int = 0, watched: bool = False) -> Iterator[None]:
        """Record time step `t` of a chain: its nodes carry that time, and their place in the step is their role.

        A time step that is taken up again is continued. While it is `watched`, it is noted whether somebody looks at a
        number, such as a cell that decides by it, see `looked`.

        Raises
        ------
        TapeError
            If another time step is being recorded.
        """
        if self._place is not None:
            raise TapeError(f"time step {t} was begun inside time step {self._place[1]}: end that one first")
        place = chain, t
        begun = self._roles.get(place, 0)
        size = self._role if t > 2 and not begun and self._last == ((chain, t - 1), len(self.nodes)) else 0
        self._place, self._role, self._apart, alike = place, begun, size, self._alike
        self.passes.watched = watched
        try:
            yield
        except Exception as error:
            keep(error, self)
            raise
        finally:
            self._place, self._apart, self.passes.watched = None, 0, False
            self._roles[place] = self._role
            self._last = place, len(self.nodes)
            if t > 2 and not begun and self.odd_step is None and not self._alike - alike == self._role == size:
                self.odd_step = t

    @property
    def repeats(self) -> bool:
        """Whether this is the recording it was expected to repeat, node by node, but for what varies."""
        return bool(self._like) and self._alike == len(self.nodes) == len(self._like)

    def beside(self, node: Node) -> AbstractContextManager[None]:
        """Record what is computed from a node at that node's time."""
        return nullcontext() if node.t is None or self._place is not None else self.step(node.t, node.chain)

    @property
    def looked(self) -> Node | None:
        """The first node whose number was looked at in a step that was watched; None if all was left to the ops."""
        return None if self.passes.looked is None else self.nodes[self.passes.looked]

    @contextmanager
    def named(self, suffix: str) -> Iterator[None]:
        """Let the names of what is computed here end with `suffix`, such as a layer's number.

        A weight's copy keeps the weight's own name.
        """
        outer, self._suffix = self._suffix, suffix + self._suffix
        try:
            yield
        finally:
            self._suffix = outer

    def unsuffixed(self, name: str) -> str:
        """A name that was given here without what `named` has put behind it."""
        return name.removesuffix(self._suffix)

    def where(self, equation: str = "") -> str:
        """Where the recording stands, for a message."""
        return (f" at t={self._place[1]}" if self._place is not None else "") + super().where(equation)

    def leaf(
        self,
        value: Any,
        name: str = "",
        *,
        active: bool = True,
        copy: bool = True,
        t: int | None = None,
        varies: bool = False,
    ) -> Node:
        """Put an array on the tape that nothing computed, see `Tape.leaf`.

        Parameters
        ----------
        value, name, active, copy
            See `Tape.leaf`.
        t : int, optional
            Its time; inside a `step` it is the step's.
        varies : bool
            Whether it holds other numbers at other times, as data do.
        """
        like = self.nodes[-self._apart] if self._apart else self._repeated()
        node = super().leaf(value, name, active=active, copy=copy)
        if t is not None:
            node.t = t
        if like is not None and like.op is None and like.name == name and like.shape == node.shape:
            before = like._passes.values  # of this recording, or of the one that it may repeat
            self._alike += like.active == active and (varies or np.array_equal(self.values[node], before[like]))
        return node

    def constant(self, value: Any) -> Node:
        """Put a number or an array on the tape that is what it is, see `Tape.constant`.

        Raises
        ------
        ValueError
            If it is one of the `parameters`: as a constant it would not be trained.
        """
        for name, w in self.parameters.items() if isinstance(value, np.ndarray) and value.ndim else ():
            if value is w or value.base is w:
                raise noted(
                    ValueError(
                        f"{self.where().strip()}: the array of the parameter {name!r} is read from outside the cell's "
                        f"arguments, and so would be a constant that is not trained: read it as params[{name!r}]"
                    )
                )
        return super().constant(value)

    def record(self, op: Op, args: Sequence[Any], name: str = "") -> Node:
        """Append an op's node. Calling the op with nodes does this.

        A node that repeats a node of the step before it, or of another recording, needs no check, and no value
        before somebody asks for it: that keeps recording cheap.
        """
        for a in args:
            if not isinstance(a, Node):
                args = [each if isinstance(each, Node) else self.constant(each) for each in args]
                break
        parents = tuple(args)
        if self._suffix and name and not op.ties:
            name += self._suffix
        like = self.nodes[-self._apart] if self._apart else self._repeated()
        if like is not None and like.op is op and self._repeats(like, parents):
            self._alike += 1
            if not op.checks_values and self.passes.values.lazy:
                return self._append(op, parents, None, name, like.active, like.shape)
        return super().record(op, parents, name)

    def _repeated(self) -> Node | None:
        """What the next node would be a copy of in the other recording."""
        return self._like[len(self.nodes)] if len(self.nodes) < len(self._like) else None

    def _repeats(self, like: Node, parents: tuple[Node, ...]) -> bool:
        """Whether a node with these parents is a copy of `like`: it reads what that one read."""
        before, apart = like.parents, self._apart
        if len(before) != len(parents):
            return False
        for p, q in zip(parents, before, strict=True):
            if p._tape is not self._ref:
                return False
            if p is q:
                if p.t is not None:
                    return False
            elif (
                p.index - q.index != apart
                or (apart and (p.t is None or q.t is None))
                or p.shape != q.shape
                or p.active != q.active
            ):
                return False
        return True

    def _append(
        self, op: Op | None, parents: tuple[Node, ...], value: Any, name: str, active: bool, shape: Any
    ) -> Node:
        node = super()._append(op, parents, value, name, active, shape)
        if self._place is not None:
            node.chain, node.t = self._place
            node.role = self._role
            self._role += 1
            if self._watch and node.op is not None and node.t:
                for line in source_lines(sys._getframe(1), until=OURS):
                    self.source.setdefault(node.role, line)
        return node
