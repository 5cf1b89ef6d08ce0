"""The tape: a list of nodes in the order they were recorded. Backwards is the list read backwards.

A node is made after everything it reads, so the order of recording is an order in which every
derivative can be sent back: no sorting, no recursion, however long the sequence.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from . import ops
from .errors import ShapeError, TapeError
from .notation import plain, symbol
from .op import Op
from .outer import Outer

Array = NDArray[Any]


class Rows(Protocol):
    """Somebody who keeps the copies of each role side by side, such as a plan."""

    def cotangent(self, role: int, t: int) -> Array | Outer | None:
        """What came back to the node of this role at time t; at time 0, a role is a part of the initial state."""


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
    value : ndarray
        Its value; the array is read-only.
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

    __slots__ = ("_cotangent", "_tape", "active", "index", "name", "op", "parents", "role", "t", "value")
    __array_ufunc__ = None  # so that ndarray + node comes to the node, not to an object array

    def __init__(
        self,
        tape: weakref.ref[Tape],
        index: int,
        op: Op | None,
        parents: tuple[Node, ...],
        value: Array,
        name: str,
        t: int | None,
        role: int,
        active: bool,
    ) -> None:
        self._tape = tape
        self.index = index
        self.op = op
        self.parents = parents
        self.value = value
        self.name = name
        self.t = t
        self.role = role
        self.active = active
        self._cotangent: Array | Outer | None = None

    @property
    def cotangent(self) -> Array | Outer | None:
        """See the class."""
        if self._cotangent is None and self.t is not None:
            rows = self.tape.error_rows
            return rows.cotangent(self.role, self.t) if rows is not None else None
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
        return f"{self.latex} = {self.op.write([p.latex for p in self.parents])}"

    def __str__(self) -> str:
        return plain(self.latex)

    def __repr__(self) -> str:
        return f"<{self}: {self.op.name if self.op else 'leaf'}, shape {self.value.shape}>"

    # Written like arrays. Where shapes differ, the repetition that NumPy would do in silence is a node.

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
    def shape(self) -> tuple[int, ...]:
        """The shape of its value."""
        return self.value.shape

    @property
    def ndim(self) -> int:
        """How many axes its value has."""
        return self.value.ndim

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
        self._played = 0  # nodes whose value belongs to the present leaves
        self._swept: Node | None = None  # the root of the last complete backward pass
        self.sweeps = 0
        self._pass = 0  # the number of the pass that was begun last
        self._sent: Sequence[Node] = ()  # the nodes among which the last pass has left cotangents
        self.rows: Rows | None = None  # whose rows the nodes' values are
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

    def computed(self, node: Node) -> bool:
        """Whether a node's value belongs to the leaves as they are now."""
        return node.op is None or node.index < self._played

    # ---- recording

    @contextmanager
    def step(self, t: int) -> Iterator[None]:
        """Record time step `t`: its nodes carry that time, and their place in the step is their role."""
        if self._t is not None:
            raise TapeError(f"time step {t} was begun inside time step {self._t}: end that one first")
        self._t, self._role = t, 0
        try:
            yield
        finally:
            self._t = None

    def leaf(self, value: Any, name: str = "", *, t: int | None = None, active: bool = True) -> Node:
        """Put an array on the tape that nothing computed: a weight, an input, a target, a constant.

        Parameters
        ----------
        value : array_like of float
            Copied, so that changing the original later changes nothing here.
        name : str
            What it is called in a formula.
        t : int, optional
            Its time; inside a `step` it is the step's.
        active : bool
            Whether the backward pass sends error to it.

        Raises
        ------
        ShapeError
            If the values are not floating point numbers.
        """
        array = np.array(value)
        if array.dtype.kind != "f":
            raise ShapeError(
                f"{name or 'a leaf'} holds {array.dtype}: the tape takes floating point numbers. "
                "Convert it first, for example with numpy.asarray(values, dtype=float)."
            )
        return self._append(None, (), array, name, self._t if t is None else t, active)

    def record(self, op: Op, args: Sequence[Any], name: str = "") -> Node:
        """Compute an op and append its node. Calling the op with nodes does this."""
        parents = tuple(a if isinstance(a, Node) else self.constant(a) for a in args)
        for p in parents:
            if p.index >= len(self.nodes) or self.nodes[p.index] is not p:
                raise TapeError(f"{op.name}{self._where()}: {p} stands on another tape; one op reads one tape only")
        values = tuple(p.value for p in parents)
        op.check(parents, values, lambda: f"{op.name}{self._where(self.equations.get(name) or op.equation)}")
        for slot, p in enumerate(parents):
            if p.active and op.rule(slot) is None and slot not in op.only_read:
                raise TapeError(
                    f"{op.name}{self._where()}: it has no derivative with respect to {p}, which is to be trained"
                )
        active = any(p.active for slot, p in enumerate(parents) if slot not in op.only_read)
        return self._append(op, parents, op.value(*values), name, self._t, active)

    def _append(
        self, op: Op | None, parents: tuple[Node, ...], value: Array, name: str, t: int | None, active: bool
    ) -> Node:
        if self._played < len(self.nodes):
            raise TapeError(
                f"the forward pass stands at {self.nodes[self._played]}: play it to its end before recording more"
            )
        value = _frozen(value)
        role = self._role if self._t is not None else -1
        node = Node(self._ref, len(self.nodes), op, parents, value, name, t, role, active)
        self.nodes.append(node)
        self._role += 1
        self._played += 1
        return node

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
        array = np.array(value)
        if array.shape != leaf.value.shape or array.dtype != leaf.value.dtype:
            raise ShapeError(
                f"{leaf} was recorded as {leaf.value.shape} {leaf.value.dtype} and is given {array.shape} "
                f"{array.dtype}: they must agree, or the network must be unfolded again."
            )
        leaf.value = _frozen(array)
        self.rows = None
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
        self.rows = None
        self._played = 0
        for node in self.nodes:
            if node.op is not None:
                node.value = _frozen(node.op.value(*[p.value for p in node.parents]))
            self._played = node.index + 1
            if node.op is not None:
                yield node
                self._still(here)

    def _begin_pass(self) -> int:
        """Forget what came back in the last pass, and number the new one."""
        for node in self._sent:
            node._cotangent = None
        self._sent = ()
        self.error_rows = None
        self._swept = None
        self._pass += 1
        return self._pass

    def played_by(self, rows: Rows) -> None:
        """Take note that the values are rows of somebody's buffers, and are all computed."""
        self._begin_pass()
        self.rows = rows
        self._played = len(self.nodes)

    def received(self, root: Node, shared: Mapping[Node, Array]) -> None:
        """Take note that error has come back from `root` into the buffers that hold the values.

        `shared` holds what came back to the nodes that belong to no time step, and so have no row.
        """
        self._begin_pass()
        self.error_rows = self.rows
        for node, g in shared.items():
            node._cotangent = g
        self._sent = tuple(shared)
        self._swept = root
        self.sweeps += 1

    def _still(self, here: int) -> None:
        if self._pass != here:
            raise TapeError(
                "another pass over this tape was begun before this one was at its end: its numbers are gone. "
                "Run one pass at a time, each to its end."
            )

    # ---- backwards

    def pullback(self, root: Node | None = None, seed: Any = None) -> Iterator[Share]:
        """Send the error back from `root`, share by share.

        Training exhausts this generator, a lesson looks at each share: there is no other backward
        pass. Every run starts afresh.

        Parameters
        ----------
        root : Node, optional
            Where the error starts; the last node of the tape if none is named.
        seed : array_like, optional
            The root's own cotangent; 1 for a scalar root.

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
        for index in range(root.index, -1, -1):
            node = self.nodes[index]
            op, g = node.op, node._cotangent
            if op is None or g is None:
                continue
            if isinstance(g, Outer) and not op.keeps_terms:
                g = node._cotangent = _frozen(g)
            args = [p.value for p in node.parents]
            for slot, parent in enumerate(node.parents):
                if not parent.active or slot in op.only_read:
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

    def backward(self, root: Node | None = None, seed: Any = None) -> None:
        """Run the pullback to its end."""
        for _ in self.pullback(root, seed):
            pass

    def _root(self, root: Node | None) -> Node:
        if not self.nodes:
            raise TapeError("backward before forward: nothing has been recorded on this tape yet")
        root = self.nodes[-1] if root is None else root
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
            if root.value.ndim:
                raise TapeError(
                    f"backward from {root} of shape {root.value.shape}: the error starts from a scalar cost. "
                    "Start from a cost, or pass seed=, an array of that shape."
                )
            return np.ones_like(root.value)
        seed = np.array(seed, dtype=root.value.dtype)
        if seed.shape != root.value.shape:
            raise ShapeError(f"the seed is {seed.shape} and {root} is {root.value.shape}: they must agree")
        return seed


def _frozen(value: Any) -> Array:
    """The value as a read-only array; NumPy gives scalars where an array has no axis."""
    array: Array = np.asarray(value)
    array.flags.writeable = False
    return array
