"""The tape: a list of nodes in the order they were recorded. Backwards is the list read backwards.

A node is made after everything it reads, so the order of recording is an order in which every
derivative can be sent back: no sorting, no recursion, however long the sequence.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from typing import Any

import numpy as np

from .asked import asked, asked_if_it_fails
from .calling import as_array, numbers, shortened
from .chain import Share, pullback, received
from .collector import collector_at_rest
from .derivatives import Derivatives
from .errors import ShapeError, TapeError, UsageError
from .naming import Roles
from .node import Node
from .op import Op
from .passes import Array, Cotangents, Passes, Values, frozen
from .terms import Outer


class Tape(Derivatives):
    """An append-only list of nodes, and the two ways to walk it: `play` and `pullback`.

    Parameters
    ----------
    equations : mapping, optional
        Which of Guo's equations a node of a name computes, and, for a pair of names (node, parent),
        which one gives the parent's share.

    Attributes
    ----------
    nodes : list of Node
        In the order of recording.
    through : callable or None
        ``through(node, slot)``: whether a node hands error to this argument; all do if there is none.
    """

    broken_off = ""  # the error that ended the recording

    @asked
    def __init__(self, equations: Mapping[Any, str] | None = None) -> None:
        self.nodes: list[Node] = []
        self.equations: Mapping[Any, str] = MappingProxyType(dict(equations or {}))
        self.through: Callable[[Node, int], bool] | None = None
        self.passes = Passes()
        self.roles: Roles | None = None  # made when somebody asks what a node without a name is called
        self._ref = weakref.ref(self)
        self._setting: tuple[Values, Node] | None = None  # the pass that `set` gives its leaves, the first of them

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __getitem__(self, index: int) -> Node:
        return self.nodes[index]

    # ---- recording

    @asked_if_it_fails
    def leaf(self, value: Any, name: str = "", *, active: bool = True, copy: bool = True) -> Node:
        """Put an array on the tape that nothing computed: a weight, an input, a target, a constant.

        Parameters
        ----------
        value : array_like of float
            Its numbers.
        name : str
            What it is called in a formula.
        active : bool
            Whether the backward pass sends error to it.
        copy : bool
            Whether the numbers are copied, so that changing the original later changes nothing here.

        Raises
        ------
        ShapeError
            If the values are not floating point numbers.
        """
        if not (isinstance(name, str) and isinstance(active, bool) and isinstance(copy, bool)):
            raise UsageError(
                f"leaf: name={shortened(name)}, active={shortened(active)}, copy={shortened(copy)}: they must be a "
                "text, and True or False"
            )
        array = value if type(value) is np.ndarray else as_array(value, name or "a leaf")
        array = np.array(value) if copy else array
        if array.dtype.kind != "f":
            raise ShapeError(
                f"{name or 'a leaf'} holds {array.dtype}: the tape takes floating point numbers. "
                "Convert it first, for example with numpy.asarray(values, dtype=float)."
            )
        return self._append(None, (), frozen(array), name, active, array.shape)

    @asked_if_it_fails
    def constant(self, value: Any) -> Node:
        """Put a number or an array on the tape that is what it is: it gets no error.

        A plain number takes the dtype of the tape, so that ``0.5 * s`` keeps float32; so do whole numbers.
        """
        array = numbers(value, "a constant")
        if self.nodes and (np.isscalar(value) or (array is not value and as_array(value, "").dtype.kind in "biu")):
            array = array.astype(self.passes.values[self.nodes[0]].dtype)
        return self.leaf(array, "const" if array.ndim else f"{array:g}", active=False)

    def record(self, op: Op, args: Sequence[Any], name: str = "") -> Node:
        """Append an op's node. Calling the op with nodes does this.

        Raises
        ------
        TapeError
            If an argument stands on another tape, or is to be trained and the op has no rule for it.
        ShapeError
            If the op cannot take these arguments.
        """
        if not self.passes.values.lazy:
            self._open()
        parents = tuple([a if isinstance(a, Node) else self.constant(a) for a in args])
        for p in parents:
            if p.index >= len(self.nodes) or self.nodes[p.index] is not p:
                raise TapeError(f"{op.name}{self.where()}: {p} stands on another tape; one op reads one tape only")
        # What keeps its argument's shape needs no numbers to be recorded: they are computed with the next that does.
        waits = op.keeps_shape and not op.checks_values
        values = parents if waits else tuple([self._caught_up()[p] for p in parents])
        op.check(parents, values, lambda: f"{op.name}{self.where(self.equations.get(name) or op.equation)}")
        for slot, p in enumerate(parents):
            if p.active and op.rule(slot) is None and slot not in op.only_read:
                raise TapeError(
                    f"{op.name}{self.where()}: it has no derivative with respect to {p}, which is to be trained"
                )
        active = any(p.active for slot, p in enumerate(parents) if slot not in op.only_read)
        if waits:
            return self._append(op, parents, None, name, active, parents[0].shape)
        value = frozen(op.value(*values))
        return self._append(op, parents, value, name, active, value.shape)

    def _append(
        self, op: Op | None, parents: tuple[Node, ...], value: Array | None, name: str, active: bool, shape: Any
    ) -> Node:
        node = Node(self._ref, self.passes, len(self.nodes), op, parents, name, active, shape)
        if not self.passes.values.lazy:
            self._open()
        self.passes.values.append(value)
        self.nodes.append(node)
        return node

    def _open(self) -> None:
        """Let the values of what is recorded from now on be added to those of the last forward pass."""
        values = self.passes.values
        if values.done < len(self.nodes):
            raise TapeError(
                f"the forward pass stands at {self.nodes[values.done]}: play it to its end before recording more"
            )
        values.lazy = True

    def where(self, equation: str = "") -> str:
        """Where the recording stands, for a message."""
        return f" ({equation})" if equation else ""

    def beside(self, node: Node) -> AbstractContextManager[None]:  # noqa: ARG002  who knows of places asks for it
        """Record what is computed from a node where that node stands."""
        return nullcontext()

    # ---- forwards

    @property
    def values(self) -> Values:
        """What the last forward pass has computed."""
        return self.passes.values

    @property
    def waiting(self) -> Node | None:
        """The first node whose value does not belong to the leaves as they are now; None after a forward pass."""
        values = self._caught_up()
        if values.done == len(self.nodes):
            return None
        if self._setting is not None and self._setting[0] is values:
            return self._setting[1]
        return self.nodes[values.done]

    def _need_values(self, what: str, count: int) -> Values:
        """The values of the last forward pass, if it has come so far."""
        waiting, values = self.waiting, self.passes.values
        if waiting is not None and values.done < count:
            raise TapeError(
                f"{what}: {waiting} has changed or was not computed since the last forward pass. "
                "Replay it to its end first."
            )
        return values

    @asked_if_it_fails
    def computed(self, node: Node) -> bool:
        """Whether a node's value belongs to the leaves as they are now."""
        return node in self._caught_up()

    def _caught_up(self) -> Values:
        """The values, those included that were recorded and not computed yet."""
        values = self.passes.values
        if values.lazy and values.done < len(self.nodes):
            with collector_at_rest():
                for _ in values.play([node for node in self.nodes[values.done :] if node not in values]):
                    pass
        return values

    @asked_if_it_fails
    def begin(self, given: Mapping[Node, Any] | None = None) -> Values:
        """Begin a forward pass: new values for some leaves, all others as they are, and nothing computed yet.

        Raises
        ------
        TapeError
            If a node was computed by an op.
        ShapeError
            If shape or dtype differ.
        """
        given, old = given or {}, self._caught_up()
        new = {node.index: self._fitting(node, value) for node, value in given.items()}
        leaves = [None if n.op else new.get(n.index) if n.index in new else old.lasting(n) for n in self.nodes]
        return self.passes.make_last(Values(leaves))

    def _fitting(self, leaf: Node, value: Any) -> Array:
        if leaf.op is not None:
            raise TapeError(f"{leaf} is computed by {leaf.op.name}: only a leaf can be given a value")
        array, dtype = as_array(value, str(leaf), copy=True), leaf.value.dtype
        if array.shape != leaf.shape or array.dtype != dtype:
            raise ShapeError(
                f"{leaf} was recorded as {leaf.shape} {dtype} and is given {array.shape} "
                f"{array.dtype}: they must agree, or the network must be unfolded again."
            )
        return frozen(array)

    @asked_if_it_fails
    def set(self, leaf: Node, value: Any) -> None:
        """Give a leaf new values of the same shape and dtype. What depends on it must be played again.

        Raises
        ------
        TapeError, ShapeError
            See `begin`.
        """
        new = self._fitting(leaf, value)
        if self._setting is None or self._setting[0] is not self.passes.values:
            self._setting = self.begin(), leaf
        self._setting[0][leaf] = new

    def play(self) -> Iterator[Node]:
        """Compute every node again, in order, yielding each one that an op computed.

        Raises
        ------
        TapeError
            If another pass was begun before this one was at its end.
        """
        values = self.begin()
        for node in values.play(self.nodes):
            yield node
            self._still(self.passes.values is values)

    def _still(self, last: bool) -> None:
        if not last:
            raise TapeError(
                "another pass over this tape was begun before this one was at its end: its numbers are gone. "
                "Run one pass at a time, each to its end."
            )

    # ---- backwards

    @property
    def cotangents(self) -> Cotangents[Array | Outer] | None:
        """What the last backward pass has sent; None if nothing has come back since the last forward pass."""
        return self.passes.cotangents

    @property
    def swept(self) -> Node | None:
        """The root of the last complete backward pass; None before one, or while one is under way."""
        back = self.cotangents
        return self.nodes[back.root] if back is not None and back.complete and back.root is not None else None

    @asked
    def pullback(
        self,
        root: Node | None = None,
        seed: Any = None,
        until: Collection[Node] = (),
        besides: Mapping[Node, Array] | None = None,
    ) -> Iterator[Share[Array | Outer]]:
        """Send the error back from `root`, share by share.

        Training exhausts this generator, a lesson looks at each share. Every run starts afresh.

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
        seeds = {root: [frozen(self._seed(root, seed))]}
        for node, error in (besides or {}).items():
            seeds.setdefault(node, []).append(frozen(np.array(error)))
        back = self.passes.cotangents = Cotangents(root.index + 1, seeds, root.index)
        through = self.through
        if until:

            def through(node: Node, slot: int) -> bool:
                return node not in until and (self.through is None or self.through(node, slot))

        for share in pullback(self.nodes[: root.index + 1], back, self.values.__getitem__, received, through):
            yield share
            self._still(self.passes.cotangents is back)

    @asked_if_it_fails
    def backward(
        self,
        root: Node | None = None,
        seed: Any = None,
        until: Collection[Node] = (),
        besides: Mapping[Node, Array] | None = None,
    ) -> None:
        """Run the `pullback` to its end."""
        with collector_at_rest():
            for _ in self.pullback(root, seed, until, besides):
                pass

    def _own(self, node: Node, use: str) -> None:
        if not isinstance(node, Node):
            raise UsageError(f"{shortened(node)} is no node: {use} a node of this tape")
        if node.index >= len(self.nodes) or self.nodes[node.index] is not node:
            raise TapeError(f"{node} stands on another tape: {use} a node of this one")

    def _root(self, root: Node | None) -> Node:
        if not self.nodes:
            raise TapeError("backward before forward: nothing has been recorded on this tape yet")
        root = self.nodes[-1] if root is None else root
        self._own(root, "start from")
        self._need_values("backward before forward", root.index + 1)
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
        seed = np.array(numbers(seed, "the seed"), dtype=root.value.dtype)
        if seed.shape != root.shape:
            raise ShapeError(f"the seed is {seed.shape} and {root} is {root.shape}: they must agree")
        return seed
