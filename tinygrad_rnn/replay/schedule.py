"""The schedule: which calls play the nodes, and in which order.

The strongly connected components of the folded graph say in which order to play. A component with a cycle is the
recurrence and is played copy by copy; everything else does not wait for it and is played for a group of copies in one
call. Every call is bound to its buffers once, so that a pass only makes calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np

from ..autodiff import Node, Op
from ..autodiff.kernels import Call, into
from ..autodiff.traits import is_sum, is_view
from .buffers import Buffers, ProductRun
from .codegen import Instruction, Loop, RowOf, address
from .folded import Array, Folded
from .liveness import dependencies
from .products import Product, name, product_text, weighted_sum, written

Playing = tuple[set[Node], Callable[[range], list[Call]]]  # nodes, and the calls that play some copies of them


class Schedule:
    """The calls that play a folded step for all its copies.

    Parameters
    ----------
    folded : Folded
        One time step, as it is played.
    buffers : Buffers
        Its memory.
    later : sequence of ndarray
        For each part of the state, where the error from beyond the last step is put.

    Attributes
    ----------
    prepare : dict
        The calls before each pass, by the node or memory they are for: what is the same at every time, and copies of
        weights.
    source : list of str
        The loops, as they are run.
    """

    def __init__(self, folded: Folded, buffers: Buffers, later: Sequence[Array]) -> None:
        self.folded = folded
        self.live = buffers.live
        self.buffers = buffers
        self.T = buffers.T
        self._later = dict(zip(folded.after, later, strict=True))
        self._contiguous: dict[Any, Array] = {}
        self._both = {y: c for c in self.live.forward if (y := self._argument_with(c)) is not None}
        self.prepare: dict[Any, list[Call]] = {}
        self.source: list[str] = []

    def groups(self, first: int = 0, cuts: Sequence[int] = ()) -> list[range]:
        """The rows from `first` on, in groups that are played together; another one begins at each cut."""
        whole = self.buffers.group
        starts = {first, *range(first - first % whole + whole, self.T, whole), *(c for c in cuts if c > first)}
        return [range(*pair) for pair in pairwise([*sorted(starts), self.T]) if first < self.T]

    def pieces(self, played: Sequence[Node], from_beyond: bool = False) -> list[Playing]:
        """What plays these nodes: component by component of the folded graph, in the order of what they read.

        With `from_beyond`, error may come back to the last state.
        """
        position = {n: k for k, n in enumerate(played)}
        components = nx.condensation(dependencies(self.folded, played))
        order = nx.lexicographical_topological_sort(
            components, key=lambda c: min(position[n] for n in components.nodes[c]["members"])
        )
        pieces: list[Playing] = []
        for c in order:
            inside = set(components.nodes[c]["members"])
            members = sorted(inside, key=position.__getitem__)
            first = members[0]
            if first in self.live.loops:
                pieces.append((inside, self._loop(members, from_beyond)))
            elif first not in self.folded.invariant:
                pieces.append((inside, partial(self._at_once, first, from_beyond)))
            elif first not in self.prepare:
                self.prepare[first] = self._at_once(first, False, range(self.T))
            for n in members:
                if n in self.buffers.silent and self.buffers.copied.get(n):  # into a row: at every time the same
                    self.prepare[n] = [partial(np.copyto, place, self._stack(p)) for place, p in self.buffers.copied[n]]
        return pieces

    def wiped(self, row: int) -> list[Call]:
        """The calls that take back what the step of this row has handed to the one before it."""
        handed = [d for d in self.folded.delays if d.ahead > 0]
        rows = [self.buffers.carried.get(d.written, self.buffers.stacks.get(d.read)) for d in handed]
        return [
            partial(np.copyto, stack if d.written in self.buffers.carried else stack[row - 1, ...], 0)
            for d, stack in zip(handed, rows, strict=True)
            if stack is not None
        ]

    def _stack(self, n: Node) -> Array:
        return self.buffers.stacks[n]

    def _unrepeated(self, n: Node) -> Node:
        """The one number that a node repeats, if it does: NumPy's functions repeat it faster than they read it."""
        one = n
        while is_view(one):
            one = one.parents[0]
        return one if one.shape == () and one in self.folded.invariant else n

    # ---- everything outside the recurrence: a group of copies in one call

    def _at_once(self, n: Node, from_beyond: bool, steps: range) -> list[Call]:
        assert n.op is not None  # only ops are played
        if n in self.buffers.silent or n in self._both.values():
            return []
        if n in self._both:
            return [self._with_argument(self._both[n], n, steps)]
        if n in self.buffers.copied:
            start = min(steps) % len(self._stack(n))
            places = [(place[start : start + len(steps)], p) for place, p in self.buffers.copied[n]]
            return [partial(np.copyto, place, self.buffers.rows(p, steps)) for place, p in places]
        out = self.buffers.rows(n, steps)
        sums = weighted_sum(n, self.folded.invariant)
        if sums is not None:
            calls: list[Call] = []
            for x, w, turned in sums.products:
                target = np.empty_like(out) if calls else out
                matrix = self._stack(w).T if turned else self._stack(w)
                calls.append(_product(self.buffers.rows(x, steps), matrix, target))
                if target is not out:
                    calls.append(partial(np.add, out, target, out))
            if sums.bias is not None:
                rows = _flat(out) if out.flags.c_contiguous else out
                calls.append(partial(np.add, rows, self._stack(sums.bias), rows))
        else:
            parents = [self._unrepeated(p) for p in n.parents] if n.op.ufuncs else n.parents
            # In place, it is the same view: NumPy is slower with two of the same memory.
            args = [out if self._stack(p) is self._stack(n) else self.buffers.rows(p, steps) for p in parents]
            calls = [into(n.op, out, *args)]
        if from_beyond and n in self._later and self.T - 1 in steps:
            last = self._stack(n)[(self.T - 1) % len(self._stack(n)), ...]
            calls.append(partial(np.add, last, self._later[n], last))
        return calls

    def _argument_with(self, c: Node) -> Node | None:
        """The argument that is computed in the same call as the node, such as the softmax with its cross-entropy."""
        for y in c.parents if c.op and c.op.prepared_with else ():
            others = [p for p in c.parents if p is not y]
            waits = any(n in self.live.loops or n in self.folded.invariant or n in self.buffers.silent for n in (c, y))
            # The rest is there when the argument's turn comes: it is given, or read by both.
            there = all(p.op is None or p in y.parents for p in others)
            known = c.op and y.op in c.op.prepared_with and len({p.shape for p in c.parents}) == 1
            if known and there and not waits and all(self._stack(p).flags.c_contiguous for p in c.parents):
                return y
        return None

    def _with_argument(self, c: Node, y: Node, steps: range) -> Call:
        assert c.op is not None  # as `_argument_with` has seen
        assert y.op is not None
        rows = [self.buffers.rows(n, steps) for n in (c, *c.parents)]
        call: Call = c.op.prepared_with[y.op](*rows)
        return call

    # ---- the recurrence: copy by copy

    def _loop(self, members: Sequence[Node], from_beyond: bool) -> Callable[[range], list[Call]]:
        """A loop over the copies. With `from_beyond`, the last of them adds what comes back from beyond it."""
        inside, buffers = set(members), self.buffers
        played = [n for n in members if n not in buffers.silent]
        vectors = self.folded.samples == 1 and all(self._as_vectors(n) for n in played)
        lines: list[Instruction] = []
        beyond: list[tuple[int, Instruction]] = []  # what only the last step adds, and after how many lines
        done: set[Node] = set()
        for n in played:
            run = buffers.runs.get(n)
            if run is not None and n not in done:
                lines += self._run(run, vectors)
                done.update(run.products)
            lines += [] if n in done else self._in_loop(n, vectors)
            if n in self._later:
                out = self._operand(n)
                beyond.append(
                    (len(lines), Instruction(np.add, (out, self._later[n]), out, "and what comes back from beyond"))
                )
        loop = last = Loop(lines, vectors)
        if from_beyond and beyond:
            for k, line in reversed(beyond):
                lines.insert(k, line)
            last = Loop(lines, vectors)
        if not from_beyond:
            self.source.append(loop.source)
        carried = [
            partial(np.copyto, buffers.carried[d.written], self._later[d.read])
            for d in self.folded.delays
            if d.written in inside and d.written in buffers.carried
        ]

        def play(steps: range) -> list[Call]:
            if self.T - 1 not in steps or (last is loop and not carried):
                return [loop.over(steps)]
            rest = [loop.over(steps[1:])] if steps[1:] else []
            return [*carried, loop.over(steps)] if last is loop else [*carried, last.over(steps[:1]), *rest]

        return play

    def _run(self, run: ProductRun, vectors: bool) -> list[Instruction]:
        """Several products of one node at once."""
        text = f"{', '.join(map(name, run.products))} = {name(run.base)} times a factor each"
        base, (steps, k, samples, width) = self._operand(run.base), run.factors.shape
        if vectors:  # what is short is repeated faster by a copy than in a product
            repeated = np.empty((1, k, width), self.folded.dtype)
            factors = RowOf(run.factors.reshape(steps, 1, k * width))
            copied = Instruction(np.copyto, (base,), repeated, f"{name(run.base)}, {k} times")
            return [copied, Instruction(np.multiply, (repeated.reshape(1, -1), factors), RowOf(run.columns), text)]
        apart = run.columns.reshape(-1, samples, k, width).swapaxes(1, 2)
        once = RowOf(base.stack[:, None]) if isinstance(base, RowOf) else base[None]
        return [Instruction(np.multiply, (once, RowOf(run.factors)), RowOf(apart), text)]

    def _as_vectors(self, n: Node) -> bool:
        """Whether a node of one sample can be computed on vectors: entry by entry, or as a product with a matrix."""
        product = self._product(n)
        known = (n.op and n.op.ufuncs) or is_sum(n) or product or n in self.buffers.copied
        read = (product.x,) if product else n.parents
        return bool(known) and all(p.ndim != 2 or p.shape[0] == 1 for p in (n, *read))

    def _product(self, n: Node) -> Product | None:
        """The product with a weight that a node is."""
        sums = weighted_sum(n, self.folded.invariant)
        return None if sums is None else sums.alone

    def _operand(self, n: Node) -> RowOf | Array:
        written = self.folded.source(n)
        if written in self.buffers.carried:
            return self.buffers.carried[written]
        return self._stack(n) if n in self.folded.invariant else RowOf(self._stack(n))

    def _in_loop(self, n: Node, vectors: bool) -> list[Instruction]:
        assert n.op is not None  # only ops are played
        title = name(n)
        if n in self.buffers.copied:
            places = self.buffers.copied[n]
            return [
                Instruction(np.positive, (self._operand(p),), RowOf(place), f"{title} = its parts")
                for place, p in places
            ]
        parents = [self._unrepeated(p) for p in n.parents] if n.op.ufuncs else n.parents
        out, args = self._operand(n), [self._operand(p) for p in parents]
        product = self._product(n)
        if product:
            matrix = self._stack(product.w).T if product.turned else self._stack(product.w)
            text = written(n) if n.name == "" else f"{title} = {written(n)}"
            return [Instruction(np.dot, (args[0], self._held(matrix, vectors)), out, text)]
        if is_sum(n):
            text = f"{title} = {' + '.join(map(self._term, n.parents))}"
            return [
                Instruction(np.add, (out if k else args[0], a), out, "" if k else text) for k, a in enumerate(args[1:])
            ] or [Instruction(np.positive, (args[0],), out, text)]
        if not n.op.ufuncs:
            return [Instruction(_with_out(n.op), tuple(args), out, f"{title} = {n.op.name}")]
        text = f"{title} = {n.op.name}({', '.join(map(name, n.parents))})"
        lines: list[Instruction] = []
        for ufunc, *numbers in n.op.ufuncs:
            constants = [np.array([k] if np.ndim(k) else k, self.folded.dtype) for k in numbers]
            lines.append(Instruction(ufunc, (*([out] if lines else args), *constants), out, "" if lines else text))
        return lines

    def _term(self, p: Node) -> str:
        product = None if p.name else self._product(p)
        return name(p) if product is None else product_text(product)

    def _held(self, w: Array, vectors: bool) -> Array:
        """A weight as the right factor of products in the loop: laid out row by row, copied once a pass if need be.

        One with a vector is as quick either way.
        """
        if w.flags.c_contiguous or vectors:
            return w
        key = (address(w), w.shape, w.strides)
        if key not in self._contiguous:
            self._contiguous[key] = np.empty(w.shape, w.dtype)
            self.prepare[key] = [partial(np.copyto, self._contiguous[key], w)]
        return self._contiguous[key]


def over(groups: Sequence[range], pieces: Sequence[Playing]) -> list[Call]:
    """The calls of all pieces, group by group of the copies."""
    return [call for group in groups for _, piece in pieces for call in piece(group)]


def _with_out(op: Op) -> Callable[..., Any]:
    def call(*args: Any) -> None:
        out = args[-1]
        value = op.value(*args[:-1], out=out)
        if value is not out:  # a view that could not be one here, such as what comes back through the state
            np.copyto(out, value)

    return call


def _flat(stack: Array) -> Array:
    """The copies as the rows of one matrix: a view where they lie side by side."""
    return stack.reshape(-1, stack.shape[-1])


def _product(a: Array, w: Array, out: Array) -> Call:
    """All copies times one matrix."""
    if a.ndim == 3 and out.flags.c_contiguous and np.may_share_memory(_flat(a), a):
        return partial(_flat(a).dot, w, _flat(out))
    return partial(np.matmul, a, w, out)
