"""The tape: a list of nodes in the order they were recorded. Backwards is the list read backwards.

A node is made after everything it reads, so the order of recording is an order in which every
derivative can be sent back: no sorting, no recursion, however long the sequence.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from . import ops, writing
from .differentiate import differentiate
from .errors import ShapeError, TapeError, keep
from .forward import Push, Tangents, pushes, seeded
from .notation import plain, symbol
from .op import OPS, Op
from .outer import Outer

Array = NDArray[Any]


class Rows(Protocol):
    """Somebody who keeps the copies of each role side by side, such as a plan."""

    def value(self, role: int, t: int) -> Array:
        """The value of the node of this role at time t."""

    def cotangent(self, role: int, t: int) -> Array | Outer | None:
        """What came back to the node of this role at time t; at time 0, a role is a part of the initial state."""


# What an array's operator asks the node on its right for.
REFLECTED = {
    np.add: "__radd__",
    np.subtract: "__rsub__",
    np.multiply: "__rmul__",
    np.divide: "__rtruediv__",
    np.matmul: "__rmatmul__",
}


class Node:
    """One line of the tape: a value, and the op and the parents it was computed from.

    Attributes
    ----------
    index : int
        Its place on the tape.
    op : Op or None
        What computed it; None for a leaf.
    parents : tuple of Node
        What it was computed from, in the order of the op's arguments.
    shape : tuple of int
        The shape of its value.
    value : ndarray
        Its value, computed when it is first asked for; the array is read-only.
    cotangent : ndarray, Outer or None
        dC / d value, as far as the backward pass has come; None where no share has arrived.
    name : str
        What it is called in a formula; may be empty.
    t : int or None
        The time step it belongs to; None for what all steps share.
    role : int
        Its place among the nodes of its time step: the copies of one op have one role.
    active : bool
        Whether the backward pass sends error to it.
    """

    __slots__ = ("_cotangent", "_tape", "_value", "active", "index", "name", "op", "parents", "role", "shape", "t")

    def __init__(
        self,
        tape: weakref.ref[Tape],
        index: int,
        op: Op | None,
        parents: tuple[Node, ...],
        value: Array | None,
        name: str,
        t: int | None,
        role: int,
        active: bool,
        shape: tuple[int, ...],
    ) -> None:
        self._tape = tape
        self.index = index
        self.op = op
        self.parents = parents
        self._value = value
        self.name = name
        self.t = t
        self.role = role
        self.active = active
        self.shape = shape
        self._cotangent: Array | Outer | None = None

    @property
    def value(self) -> Array:
        """See the class."""
        return self.tape.value_of(self) if self._value is None else self._value

    @property
    def cotangent(self) -> Array | Outer | None:
        """See the class."""
        if self._cotangent is None and self.active:
            rows = self.tape.error_rows
            if rows is not None and self.t is not None:
                return rows.cotangent(self.role, self.t)
            if rows is not None and self in self.tape.totals:
                self._cotangent = _frozen(self.tape.totals[self]())
        return self._cotangent

    @property
    def tape(self) -> Tape:
        """The tape it stands on."""
        tape = self._tape()
        if tape is None:
            raise TapeError(f"the tape of {self} is gone: keep the tape (or the net) while you use its nodes")
        return tape

    @property
    def latex(self) -> str:
        """Its name in LaTeX, with its time."""
        return symbol(self.name or f"v_{self.index}", self.t)

    @property
    def equation(self) -> str:
        """The id of Guo's equation that it computes, such as ``G2``; empty if there is none."""
        return self.tape.equations.get(self.name) or (self.op.equation if self.op else "")

    @property
    def formula(self) -> str:
        """How it was computed, in LaTeX: its name, and its op over the names of its parents."""
        if self.op is None:
            return self.latex
        return f"{self.latex} = {writing.value(self.op, [p.latex for p in self.parents])}"

    def __str__(self) -> str:
        return plain(self.latex)

    def __repr__(self) -> str:
        return f"<{self}: {self.op.name if self.op else 'leaf'}, shape {self.shape}>"

    # Written like arrays. Where shapes differ, the repetition that NumPy would do in silence is a node.

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        # Without it, ndarray + node would be an array of nodes, and np.tanh(node) an error that names no way out.
        if ufunc in (np.equal, np.not_equal):
            return ufunc is np.not_equal  # a node is no array
        if ufunc in REFLECTED and method == "__call__" and not options and inputs[1] is self:
            return getattr(self, REFLECTED[ufunc])(inputs[0])
        name = ufunc.__name__
        instead = f"tinygrad_rnn.ops.{name}" if name in OPS else "one of tinygrad_rnn.ops"
        raise TypeError(f"np.{name} of {self}: NumPy's functions are not recorded on a tape; use {instead}")

    def __add__(self, other: Any) -> Any:
        return _elementwise(ops.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return _elementwise(ops.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return _elementwise(ops.subtract, self, other)

    def __rsub__(self, other: Any) -> Any:
        return _elementwise(ops.subtract, other, self)

    def __mul__(self, other: Any) -> Any:
        return _elementwise(ops.multiply, self, other)

    def __rmul__(self, other: Any) -> Any:
        return _elementwise(ops.multiply, other, self)

    def __truediv__(self, other: Any) -> Any:
        return _elementwise(ops.divide, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _elementwise(ops.divide, other, self)

    def __pow__(self, exponent: float) -> Any:
        return ops.power(self, exponent=exponent)

    def __abs__(self) -> Any:
        return ops.absolute(self)

    def __getitem__(self, index: Any) -> Any:
        return ops.getitem(self, key=ops.index_key(index, self.ndim))

    __iter__ = None  # or Python would index without end

    def __neg__(self) -> Any:
        return ops.negative(self)

    def __matmul__(self, other: Any) -> Any:
        return ops.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return ops.matmul(other, self)

    @property
    def T(self) -> Any:  # as in NumPy
        """The matrix with rows and columns exchanged."""
        return ops.transpose(self)

    @property
    def ndim(self) -> int:
        """How many axes its value has."""
        return len(self.shape)

    def sum(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any:
        """The sum along an axis, some axes, or all of them."""
        axes = self._from_last(axis)
        return ops.sum(self, axis=axes, keepdims=keepdims) if axes else self

    def mean(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any:
        """The mean along an axis, some axes, or all of them."""
        axes = self._from_last(axis)
        return ops.mean(self, axis=axes, keepdims=keepdims) if axes else self

    def _from_last(self, axis: int | tuple[int, ...] | None) -> tuple[int, ...]:
        axes = range(self.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
        return tuple(sorted(k % self.ndim - self.ndim for k in axes))


def _elementwise(op: Op, a: Any, b: Any) -> Any:
    """An op on two arrays, at least one of them a node, after repeating the smaller one where shapes differ."""
    if np.shape(a) != np.shape(b):
        node = a if isinstance(a, Node) else b
        a, b = (node.tape.constant(v) if not isinstance(v, Node) else v for v in (a, b))
        try:
            to = np.broadcast_shapes(a.shape, b.shape)
        except ValueError:
            raise ShapeError(
                f"{op.name}: {a} is {a.shape} and {b} is {b.shape}: neither can be repeated to fit the other"
            ) from None
        a, b = (v if v.shape == to else ops.broadcast(v, source=v.shape, to=to) for v in (a, b))
    return op(a, b)


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """One term of the chain rule: a node hands one of its parents its share of the error.

    Attributes
    ----------
    node, parent : Node
        Who gives and who receives.
    slot : int
        Which argument of the node's op the parent is; `x * x` has slots 0 and 1.
    value : ndarray or Outer
        The share, of the parent's shape.
    before, after : ndarray, Outer or None
        The parent's cotangent before and after; None before the first share.
    """

    node: Node
    slot: int
    parent: Node
    value: Array | Outer
    before: Array | Outer | None
    after: Array | Outer

    @property
    def equation(self) -> str:
        """The id of Guo's equation for this share; empty if there is none."""
        rule = self.node.op.rule(self.slot) if self.node.op else None
        pair = (self.node.name, self.parent.name)
        return self.node.tape.equations.get(pair) or (rule.equation if rule else "")


class Tape:
    """An append-only list of nodes, and the two ways to walk it: `play` and `pullback`.

    Parameters
    ----------
    equations : mapping, optional
        Which of Guo's equations a node of a name computes, and, for a pair of names (node, parent),
        which one gives the parent's share.
    """

    def __init__(self, equations: Mapping[Any, str] | None = None) -> None:
        self.nodes: list[Node] = []
        self.equations: Mapping[Any, str] = MappingProxyType(dict(equations or {}))
        self._ref = weakref.ref(self)
        self._t: int | None = None
        self._role = 0
        self._suffix = ""  # what names end with that are given now
        self._last = (0, 0)  # the step recorded last, and where it ended
        self._apart = 0  # how far back the node stands that a copy in this step would be a copy of; 0 if none does
        self._alike = 0  # nodes of this step that are such copies
        self.odd_step: int | None = None  # the first step from the third on that is no copy of the step before it
        self._roles: dict[int, int] = {}  # by time step, the role that its next node gets
        self.broken_off = ""  # the error that ended the recording of a time step
        self.cuts: frozenset[int] = frozenset()  # time steps that hand no error to the step before them
        self._played = 0  # nodes whose value belongs to the present leaves
        self._swept: Node | None = None  # the root of the last complete backward pass
        self.sweeps = 0
        self._pass = 0  # the number of the pass that was begun last
        self._sent: Sequence[Node] = ()  # the nodes among which the last pass has left cotangents
        self.rows: Rows | None = None  # whose rows the nodes' values are
        self.totals: Mapping[Node, Callable[[], Array]] = {}  # what computes what came back to nodes of no time step
        self.error_rows: Rows | None = None  # whose rows hold what came back

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __getitem__(self, index: int) -> Node:
        return self.nodes[index]

    @property
    def swept(self) -> Node | None:
        """The root of the last complete backward pass; None before one, or while one is under way."""
        return self._swept

    @property
    def waiting(self) -> Node | None:
        """The first node whose value does not belong to the leaves as they are now; None after a forward pass."""
        self._catch_up()
        return self.nodes[self._played] if self._played < len(self.nodes) else None

    def computed(self, node: Node) -> bool:
        """Whether a node's value belongs to the leaves as they are now."""
        self._catch_up()
        return node.op is None or node.index < self._played

    # ---- recording

    @contextmanager
    def step(self, t: int) -> Iterator[None]:
        """Record time step `t`: its nodes carry that time, and their place in the step is their role.

        A time step that is taken up again is continued.
        """
        if self._t is not None:
            raise TapeError(f"time step {t} was begun inside time step {self._t}: end that one first")
        begun = self._roles.get(t, 0)
        size = self._role if t > 2 and not begun and self._last == (t - 1, len(self.nodes)) else 0
        self._t, self._role, self._apart, self._alike = t, begun, size, 0
        try:
            yield
        except Exception as error:
            keep(error, self)
            raise
        finally:
            self._t, self._apart = None, 0
            self._roles[t] = self._role
            self._last = (t, len(self.nodes))
            if t > 2 and not begun and self.odd_step is None and not self._alike == self._role == size:
                self.odd_step = t

    @property
    def in_step(self) -> bool:
        """Whether a time step is being recorded."""
        return self._t is not None

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

    def leaf(
        self,
        value: Any,
        name: str = "",
        *,
        t: int | None = None,
        active: bool = True,
        varies: bool = False,
        copy: bool = True,
    ) -> Node:
        """Put an array on the tape that nothing computed: a weight, an input, a target, a constant.

        Parameters
        ----------
        value : array_like of float
            Its numbers.
        name : str
            What it is called in a formula.
        t : int, optional
            Its time; inside a `step` it is the step's.
        active : bool
            Whether the backward pass sends error to it.
        varies : bool
            Whether it holds other numbers at other times, as data do.
        copy : bool
            Whether the numbers are copied, so that changing the original later changes nothing here.

        Raises
        ------
        ShapeError
            If the values are not floating point numbers.
        """
        array = np.array(value) if copy else np.asarray(value)
        if array.dtype.kind != "f":
            raise ShapeError(
                f"{name or 'a leaf'} holds {array.dtype}: the tape takes floating point numbers. "
                "Convert it first, for example with numpy.asarray(values, dtype=float)."
            )
        array = _frozen(array)
        if self._apart:
            like = self.nodes[-self._apart]
            if like.op is None and like.name == name and like.shape == array.shape and like.active == active:
                self._alike += varies or np.array_equal(array, like.value)
        return self._append(None, (), array, name, self._t if t is None else t, active, array.shape)

    def record(self, op: Op, args: Sequence[Any], name: str = "") -> Node:
        """Append an op's node. Calling the op with nodes does this.

        A node that repeats a node of the step before it needs no check, and no value before somebody
        asks for it: that keeps recording cheap.
        """
        parents = tuple([a if isinstance(a, Node) else self.constant(a) for a in args])
        if self._suffix and name and not op.ties:
            name += self._suffix
        if self._apart:
            like = self.nodes[-self._apart]
            if like.op is op and not op.checks_values and self._repeats(like, parents):
                self._alike += 1
                return self._append(op, parents, None, name, self._t, like.active, like.shape)
        for p in parents:
            if p.index >= len(self.nodes) or self.nodes[p.index] is not p:
                raise TapeError(f"{op.name}{self._where()}: {p} stands on another tape; one op reads one tape only")
        waits = op.keeps_shape and not op.checks_values and self._pending()
        values = parents if waits else tuple([p.value for p in parents])
        op.check(parents, values, lambda: f"{op.name}{self._where(self.equations.get(name) or op.equation)}")
        for slot, p in enumerate(parents):
            if p.active and op.rule(slot) is None and slot not in op.only_read:
                raise TapeError(
                    f"{op.name}{self._where()}: it has no derivative with respect to {p}, which is to be trained"
                )
        if self._apart:
            like = self.nodes[-self._apart]
            self._alike += like.op is op and self._repeats(like, parents)
        active = any(p.active for slot, p in enumerate(parents) if slot not in op.only_read)
        if waits:
            return self._append(op, parents, None, name, self._t, active, parents[0].shape)
        self._catch_up()
        value = _frozen(op.value(*values))
        return self._append(op, parents, value, name, self._t, active, value.shape)

    def _repeats(self, like: Node, parents: tuple[Node, ...]) -> bool:
        """Whether a node with these parents is a copy of a node of the step before: it reads what that one read."""
        before = like.parents
        if len(before) != len(parents):
            return False
        for p, q in zip(parents, before, strict=True):
            if p is q:
                if p.t is not None:
                    return False
            elif p.t is None or q.t is None or p.index - q.index != self._apart or p._tape is not self._ref:
                return False
            if p.shape != q.shape or p.active != q.active:
                return False
        return True

    def _append(
        self,
        op: Op | None,
        parents: tuple[Node, ...],
        value: Array | None,
        name: str,
        t: int | None,
        active: bool,
        shape: tuple[int, ...],
    ) -> Node:
        index = len(self.nodes)
        if self._played < index:
            if self.nodes[self._played]._value is not None:
                raise TapeError(
                    f"the forward pass stands at {self.nodes[self._played]}: play it to its end before recording more"
                )
        elif value is not None:
            self._played += 1
        node = Node(
            self._ref, index, op, parents, value, name, t, self._role if self._t is not None else -1, active, shape
        )
        self.nodes.append(node)
        self._role += 1
        return node

    def value_of(self, node: Node) -> Array:
        """The value of a node that does not hold it itself."""
        if self.rows is not None and _has_row(node):
            assert node.t is not None  # which is what having a row means
            return self.rows.value(node.role, node.t)
        self._catch_up()
        assert node._value is not None  # all there is has been computed
        return node._value

    def _pending(self) -> bool:
        """Whether there are nodes that have been recorded but not computed yet."""
        return self._played < len(self.nodes) and self.nodes[self._played]._value is None and self.rows is None

    def _catch_up(self) -> None:
        """Compute what has been recorded but not computed yet."""
        if self._pending():
            with collector_at_rest():
                for node in self.nodes[self._played :]:
                    if node.op is not None:
                        node._value = _frozen(node.op.value(*[p._value for p in node.parents]))
            self._played = len(self.nodes)

    def constant(self, value: Any) -> Node:
        """Put a number or an array on the tape that is what it is: it gets no error.

        A plain number takes the dtype of the tape, so that ``0.5 * s`` keeps float32.
        """
        if np.isscalar(value):
            value = np.asarray(value, dtype=self.nodes[0].value.dtype if self.nodes else float)
        return self.leaf(value, f"{value:g}" if np.ndim(value) == 0 else "const", active=False)

    def _where(self, equation: str = "") -> str:
        """Where the recording stands, for a message."""
        time = f" at t={self._t}" if self._t is not None else ""
        return time + (f" ({equation})" if equation else "")

    # ---- forwards

    def set(self, leaf: Node, value: Any) -> None:
        """Give a leaf new values of the same shape and dtype. What depends on it must be played again.

        Raises
        ------
        TapeError
            If the node was computed by an op.
        ShapeError
            If shape or dtype differ.
        """
        if leaf.op is not None:
            raise TapeError(f"{leaf} is computed by {leaf.op.name}: only a leaf can be given a value")
        self._catch_up()
        array = np.array(value)
        if array.shape != leaf.shape or array.dtype != leaf.value.dtype:
            raise ShapeError(
                f"{leaf} was recorded as {leaf.shape} {leaf.value.dtype} and is given {array.shape} "
                f"{array.dtype}: they must agree, or the network must be unfolded again."
            )
        self._leave_rows()
        leaf._value = _frozen(array)
        self._played = min(self._played, leaf.index)
        self._begin_pass()

    def play(self) -> Iterator[Node]:
        """Compute every node again, in order, yielding each one that an op computed.

        Raises
        ------
        TapeError
            If another pass was begun before this one was at its end.
        """
        here = self._begin_pass()
        self._catch_up()
        self._leave_rows()
        self._played = 0
        for node in self.nodes:
            if node.op is not None:
                node._value = _frozen(node.op.value(*[p._value for p in node.parents]))
            self._played = node.index + 1
            if node.op is not None:
                yield node
                self._still(here)

    def _leave_rows(self) -> None:
        """Let every node hold its value itself, as the rows leave it."""
        if self.rows is not None:
            for node in self.nodes:
                node._value = node.value
            self.rows = None

    def _begin_pass(self) -> int:
        """Forget what came back in the last pass, and number the new one."""
        for node in self._sent:
            node._cotangent = None
        self._sent = ()
        self.error_rows = None
        self._swept = None
        self._pass += 1
        return self._pass

    def played_by(self, rows: Rows, others: Iterable[tuple[Node, Array]], complete: bool = True) -> None:
        """Take note that the values of all time steps are rows of somebody's buffers, and have been computed.

        Parameters
        ----------
        rows : Rows
            Where they are.
        others : iterable of (Node, ndarray)
            The values of nodes that belong to no time step.
        complete : bool
            Whether all have; if not, the tape waits for a forward pass.
        """
        self._begin_pass()
        if self.rows is not rows:
            for node in self.nodes:
                if _has_row(node):
                    node._value = None
        for node, value in others:
            node._value = value
        self.rows = rows
        self._played = len(self.nodes) if complete else 0

    def received(self, root: Node, totals: Mapping[Node, Callable[[], Array]]) -> None:
        """Take note that error has come back from `root` into the buffers that hold the values.

        `totals` computes what came back to the nodes that belong to no time step, and so have no row.
        """
        self._begin_pass()
        self.error_rows = self.rows
        self.totals = totals
        self._sent = tuple(totals)
        self._swept = root
        self.sweeps += 1

    def _still(self, here: int) -> None:
        if self._pass != here:
            raise TapeError(
                "another pass over this tape was begun before this one was at its end: its numbers are gone. "
                "Run one pass at a time, each to its end."
            )

    # ---- backwards

    def pullback(
        self,
        root: Node | None = None,
        seed: Any = None,
        until: Collection[Node] = (),
        besides: Mapping[Node, Array] | None = None,
    ) -> Iterator[Share]:
        """Send the error back from `root`, share by share.

        Training exhausts this generator, a lesson looks at each share: there is no other backward
        pass. Every run starts afresh.

        Parameters
        ----------
        root : Node, optional
            Where the error starts; the last node of the tape if none is named.
        seed : array_like, optional
            The root's own cotangent; 1 for a scalar root.
        until : collection of Node
            Nodes that receive error and hand none on.
        besides : mapping of Node to ndarray, optional
            Error that comes to nodes before the root from outside the tape, such as to a state from later steps.

        Raises
        ------
        TapeError
            If there is no forward pass to go back through, if the root is no scalar and no seed is
            given, if the root depends on nothing that can receive error, or if another pass was begun
            before this one was at its end.
        ShapeError
            If the seed does not have the root's shape.
        """
        root = self._root(root)
        seed = self._seed(root, seed)
        here = self._begin_pass()
        self._sent = self.nodes
        root._cotangent = _frozen(seed)
        for node, error in (besides or {}).items():
            node._cotangent = _frozen(np.array(error))
        for index in range(root.index, -1, -1):
            node = self.nodes[index]
            op, g = node.op, node._cotangent
            if op is None or g is None or node in until:
                continue
            if isinstance(g, Outer) and not op.ties:
                g = node._cotangent = _frozen(g)
            args = [p.value for p in node.parents]
            for slot, parent in enumerate(node.parents):
                if not parent.active or slot in op.only_read or (self.cuts and self.is_cut(node, parent)):
                    continue
                share = op.share(slot, g, node.value, args)  # type: ignore[arg-type]  # an Outer only where op keeps it
                share = share if isinstance(share, Outer) else _frozen(share)
                before = parent._cotangent
                after = share if before is None else before + share
                parent._cotangent = after if isinstance(after, Outer) else _frozen(after)
                yield Share(node, slot, parent, share, before, parent._cotangent)
                self._still(here)
        self._swept = root
        self.sweeps += 1

    def backward(
        self,
        root: Node | None = None,
        seed: Any = None,
        until: Collection[Node] = (),
        besides: Mapping[Node, Array] | None = None,
    ) -> None:
        """Run the pullback to its end."""
        with collector_at_rest():
            for _ in self.pullback(root, seed, until, besides):
                pass

    def cut(self, steps: Iterable[int]) -> None:
        """Let no error pass from these time steps to the steps before them, and from no others be held back.

        Values stay as they are; what came back in the last pass is forgotten.
        """
        self._begin_pass()
        self.cuts = frozenset(steps)

    def is_cut(self, node: Node, parent: Node) -> bool:
        """Whether what a node would hand to this parent is held back by a cut."""
        return node.t in self.cuts and parent.t is not None and parent.t != node.t

    # ---- tangents

    def pushforward(self, tangents: Mapping[Node, Any]) -> Iterator[Push]:
        """Carry a disturbance of some nodes forwards, contribution by contribution.

        Values and cotangents stay as they are. An argument that is only read contributes nothing, as it
        receives nothing from a `pullback`.

        Parameters
        ----------
        tangents : mapping of Node to array_like
            The disturbance of any nodes, leaves or not, of their shapes. That of a node which others move,
            too, is added to what they do.

        Raises
        ------
        TapeError
            If the values are not those of a complete forward pass, if an op has no rule for a tangent that
            reaches it, or if another pass was begun before this one was at its end.
        ShapeError
            If a tangent does not have its node's shape.
        """
        here, moved = self._pass, seeded(self, tangents)
        for push in pushes(self, moved):
            yield push
            self._still(here)

    def tangents(self, tangents: Mapping[Node, Any], among: range | None = None) -> Tangents:
        """Run the `pushforward` to its end.

        Parameters
        ----------
        tangents : mapping of Node to array_like
            As for `pushforward`.
        among : range, optional
            The indices of the only nodes that are moved, such as those of one time step; all if none are named.

        Returns
        -------
        Tangents
            The tangent of every node; zeros where the disturbance does not come.
        """
        moved = seeded(self, tangents)
        for _ in pushes(self, moved, among):
            pass
        return moved

    # ---- derivatives that can be differentiated

    def differentiate(self, root: Node, with_respect_to: Sequence[Node], seed: Any = None) -> list[Node]:
        """Record the backward pass from `root` on this tape: what comes back are nodes like any others.

        They can be drawn, stepped through and differentiated again. With ``(g,) = tape.differentiate(C, [w])``
        the product of the Hessian of C with a vector v is what comes back to w from ``(g * v).sum()``, or
        ``tape.tangents({w: v})[g]``.

        Parameters
        ----------
        root : Node
            Where the error starts.
        with_respect_to : sequence of Node
            Whose cotangents are wanted; the backward pass is recorded as far as these need it.
        seed : Node or array_like, optional
            The root's own cotangent; 1 for a scalar root.

        Returns
        -------
        list of Node
            dC / d node for each of them, of its shape; zeros where no error comes.

        Raises
        ------
        TapeError
            See `pullback`; and if a node gets no error because it was recorded as not active.
        ShapeError
            If the seed does not have the root's shape.
        """
        root = self._root(root)
        for node in with_respect_to:
            if node.index >= len(self.nodes) or self.nodes[node.index] is not node:
                raise TapeError(f"{node} stands on another tape: differentiate with respect to a node of this one")
            if not node.active:
                raise TapeError(f"{node} gets no error: it is not active, or is computed from nothing that is")
        if not isinstance(seed, Node):
            seed = self.leaf(self._seed(root, seed), "1" if seed is None else "seed", active=False)
        elif seed.shape != root.shape:
            raise ShapeError(f"the seed {seed} is {seed.shape} and {root} is {root.shape}: they must agree")
        return differentiate(self, root, with_respect_to, seed)

    def _root(self, root: Node | None) -> Node:
        if not self.nodes:
            raise TapeError("backward before forward: nothing has been recorded on this tape yet")
        root = self.nodes[-1] if root is None else root
        self._catch_up()
        if root.index >= len(self.nodes) or self.nodes[root.index] is not root:
            raise TapeError(f"{root} stands on another tape: start from a node of this one")
        if root.index >= self._played:
            raise TapeError(
                f"backward before forward: {self.nodes[self._played]} has changed or was not computed since "
                "the last forward pass. Replay it to its end first."
            )
        if not root.active:
            raise TapeError(f"{root} depends on no weight and no state: there is nobody to send error to")
        return root

    def _seed(self, root: Node, seed: Any) -> Array:
        if seed is None:
            if root.shape:
                raise TapeError(
                    f"backward from {root} of shape {root.shape}: the error starts from a scalar cost. "
                    "Start from a cost, or pass seed=, an array of that shape."
                )
            return np.ones_like(root.value)
        seed = np.array(seed, dtype=root.value.dtype)
        if seed.shape != root.shape:
            raise ShapeError(f"the seed is {seed.shape} and {root} is {root.shape}: they must agree")
        return seed


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Keep Python's cycle collector from walking a tape over and over while it grows: there is nothing to collect."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _has_row(node: Node) -> bool:
    """Whether somebody who keeps the copies of each role keeps this node: an initial state that was given is a leaf."""
    return node.t is not None and (node.t > 0 or node.op is not None)


def _frozen(value: Any) -> Array:
    """The value as a read-only array; NumPy gives scalars where an array has no axis."""
    array: Array = np.asarray(value)
    array.flags.writeable = False
    return array
