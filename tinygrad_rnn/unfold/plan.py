"""The plan: a folded network laid out in memory and played for all its copies.

Each node of the folded graph that is played has one buffer that holds its copies side by side, time first: all of
them, those that are played together, or one, see `placed`. The strongly connected components of the graph say in
which order to play. A component with a cycle is the recurrence and is played copy by copy; everything else does not
wait for it and is played for a group of copies in one call. Every call is bound to its buffers once, so that a pass
only makes calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain, pairwise
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, Op, Outer, ops
from ..autodiff.kernels import into
from .fold import Folded
from .gates import Gates
from .loop import Call, Line, Loop, Row, address, side_by_side
from .placed import Placed, columns

Array = NDArray[Any]

PRODUCTS = {"linear", "matmul"}
Piece = tuple[set[int], Callable[[range], list[Call]]]  # nodes, and the calls that play some copies of them


class Plan(Placed):
    """The buffers of a folded network for T time steps, and the two lists of calls that fill them.

    Parameters
    ----------
    folded : Folded
        One time step, forwards and backwards.
    steps : int
        How many copies of it there are.
    trained : sequence of str
        For each part of the state, the parameter that it starts from; empty where it starts from an array.
    keep_all : bool
        See `Needed`.

    Attributes
    ----------
    weights, data : dict of str to ndarray
        Where the weights are copied to before a pass, and the data of all time steps in it.
    start : list of ndarray
        Likewise the parts of the initial state.
    later : list of ndarray
        Likewise what comes back to the parts of the last state from beyond it.
    later_apart : bool
        Whether the parts of the last state can be given different errors from beyond it: not where all parts have
        one error at every step, kept once.
    totals : dict of str to callable
        What computes dC / d weight from the rows that `backward` has filled, as an array of its own.
    source : list of str
        The loops, as they are run.
    """

    def __init__(self, folded: Folded, steps: int, trained: Sequence[str], keep_all: bool = False) -> None:
        super().__init__(folded, steps, keep_all)
        self._contiguous: dict[Any, Array] = {}
        self.source: list[str] = []
        self.weights = {name: self.stacks[w.index] for name, w in folded.weights.items()}
        self.data = {what: self.stacks[n.index] for what, n in folded.data.items()}
        self._given: Mapping[str, Array] = {}
        self.start = [self.stacks[b.index][0] for b in folded.before]
        self.later = [
            self.stacks[a.index][-1, ...] if a.index in self.stacks else np.zeros(a.shape, self.dtype)
            for a in folded.after
        ]
        self.later_apart = len(set(map(address, self.later))) == len(self.later)
        self._costs, self._ones = self.stacks[folded.cost.index], np.ones(steps, self.dtype)
        self._counted = None if folded.shares.all() else np.flatnonzero(folded.shares)
        # Before each pass: what is the same at every time, and copies of weights; by the node or memory it is for.
        self._prepare: dict[Any, list[Call]] = {}
        self._pieces = self._pieces_of(self.played)
        self._newest: dict[int, list[Call]] = {}
        self._forward = _over(self._groups(), self._pieces)
        self._carry = _over(self._groups(), [piece for piece in self._pieces if piece[0] <= self.for_states])
        self._backward = self._calls_back()
        self._backward_from_beyond: list[Call] | None = None
        self._from_beyond = False  # whether the last pass had error from beyond
        self.totals: dict[str, Callable[[], Array]] = {
            name: _sum_of([self._sum_over_time(*term) for term in terms], w.shape, self.dtype)
            for (name, terms), w in zip(self.terms.items(), folded.weights.values(), strict=True)
        }
        for name in dict.fromkeys(filter(None, trained)):
            parts = [k for k, each in enumerate(trained) if each == name]
            self.totals[name] = partial(self._sum_over_samples, parts)

    # ---- order

    def _calls_back(self, from_beyond: bool = False) -> list[Call]:
        return _over([group[::-1] for group in self._groups()[::-1]], self._pieces_of(self.played_back, from_beyond))

    def _groups(self, first: int = 0) -> list[range]:
        """The copies from row `first` on, in groups that are played together."""
        starts = [first, *range(first - first % self.group + self.group, self.T, self.group)]
        return [range(*pair) for pair in pairwise([*starts, self.T]) if first < self.T]

    def _pieces_of(self, played: Sequence[Node], from_beyond: bool = False) -> list[Piece]:
        """What plays these nodes: component by component of the folded graph, in the order of what they read.

        With `from_beyond`, error may come back to the last state.
        """
        g, position = self.graph(played), self.position.__getitem__
        components = nx.condensation(g)
        order = nx.lexicographical_topological_sort(
            components, key=lambda c: min(map(position, components.nodes[c]["members"]))
        )
        pieces: list[Piece] = []
        if played is self.played:
            # Of no component: whatever is played, new data are there afterwards.
            pieces += [(set(), partial(self._taking, what)) for what in self.data]
        for c in order:
            inside = set(components.nodes[c]["members"])
            members = [self.nodes[i] for i in sorted(inside, key=position)]
            first = members[0].index
            if first in self.loops:
                pieces += [(inside, piece) for piece in self._loop(members, from_beyond)]
            elif first not in self.timeless:
                pieces.append((inside, partial(self._at_once, members[0])))
            elif first not in self._prepare:
                self._prepare[first] = self._at_once(members[0], range(self.T))
        return pieces

    def _taking(self, what: str, chunk: range) -> list[Call]:
        """The call that copies new data of some copies in: just before they are read, so that the cache holds them."""
        rows, start = self.data[what][chunk.start : chunk.stop], chunk.start - self.T

        def take() -> None:
            given = self._given.get(what)  # of all time steps, or of the newest ones
            if given is not None:
                rows[...] = given[len(given) + start :][: len(rows)]

        return [take]

    def _rows_of(self, n: Node, chunk: range) -> Array:
        """The node's copies in a group, or its one value if it is the same at every time."""
        stack = self.stack(n)
        if self.real(n).index in self.timeless:
            return stack
        start = min(chunk) % len(stack)
        return stack[start : start + len(chunk)]

    def _unrepeated(self, n: Node) -> Node:
        """The one number that a node repeats, if it does: NumPy's functions repeat it faster than they read it."""
        source = n
        while source.op is not None and source.op.name in ("broadcast", "copy"):
            source = self.real(source.parents[0])
        return source if source.shape == () and source.index in self.timeless else n

    def _silent(self, n: Node) -> bool:
        """Whether a node's value is there without a call."""
        return n.index in self.views or n.index in self.placed or self.copied.get(n.index) == []

    # ---- everything outside the recurrence: a group of copies in one call

    def _at_once(self, n: Node, chunk: range) -> list[Call]:
        assert n.op is not None
        if self._silent(n):
            return []
        parents = [self._unrepeated(p) for p in n.parents] if n.op.ufuncs else n.parents
        out = self._rows_of(n, chunk)
        if n.index in self.copied:
            pieces = self.copied[n.index]
            return [partial(np.copyto, columns(out, start, p), self._rows_of(p, chunk)) for start, p in pieces]
        args = [self._rows_of(p, chunk) for p in parents]
        if n.op.name == "linear":
            return self._linear_at_once(args, out)
        if n.op.name == "matmul" and n.parents[1].index in self.timeless:
            return [_product(args[0], args[1], out)]
        return [into(n.op, out, *args)]

    def _linear_at_once(self, args: Sequence[Array], out: Array) -> list[Call]:
        calls: list[Call] = []
        for k in range(0, len(args) - 1, 2):
            target = out if k == 0 else np.empty_like(out)
            calls.append(_product(args[k], args[k + 1].T, target))
            if k:
                calls.append(partial(np.add, out, target, out))
        if len(args) % 2:
            if len(args) == 1:  # a bias alone
                calls.append(partial(np.copyto, out, args[0]))
            else:
                rows = _flat(out) if out.flags.c_contiguous else out
                calls.append(partial(np.add, rows, args[-1], rows))
        return calls

    def _sum_over_time(self, kind: str, nodes: tuple[Node, ...]) -> Callable[[], Array]:
        """What adds up one term of a weight's gradient over all copies: one product where it has two factors."""
        if all(n.index in self.timeless for n in nodes) and kind == "array":
            return partial(np.multiply, self.stack(nodes[0]), self.T)
        stacks = [self._at_all_times(n) for n in nodes]
        rows = [_flat(stack) for stack in stacks]
        looked_at = all(np.may_share_memory(*pair) for pair in zip(rows, stacks, strict=True))  # and not copied
        if kind == "product":
            if looked_at:
                # Of many rows with gaps between them, dot is several times slower than matmul.
                gaps = len(rows[0]) > 64 and not all(part.flags.c_contiguous for part in rows)
                return partial(np.matmul, rows[0].T, rows[1]) if gaps else partial(rows[0].T.dot, rows[1])
            return partial(np.einsum, "tpj,tpi->ji", *stacks, optimize=True)
        (stack,) = stacks
        if kind == "samples":
            if looked_at:
                return partial(np.ones(len(rows[0]), self.dtype).dot, rows[0])
            return partial(np.sum, stack, (0, 1))
        return partial(np.sum, stack, 0)

    def _at_all_times(self, n: Node) -> Array:
        """The node's copies, time first; its one value repeated if it is the same at every time."""
        stack = self.stack(n)
        return np.broadcast_to(stack, (self.T, *n.shape)) if self.real(n).index in self.timeless else stack

    def _sum_over_samples(self, parts: Sequence[int]) -> Array:
        """The gradient of an initial state: of a parameter that all samples, and perhaps several parts, start from."""
        errors = [np.asarray(g).sum(axis=0) for k in parts if (g := self.cotangent(k, 0)) is not None]
        start = self.folded.before[parts[0]]
        return np.sum(errors, axis=0) if errors else np.zeros(start.shape[1:], self.dtype)

    # ---- the recurrence: copy by copy

    def _loop(self, members: Sequence[Node], from_beyond: bool) -> list[Callable[[range], list[Call]]]:
        """The free part of every sum for a group of copies at once, then one loop over these copies.

        With `from_beyond`, the loop over the last of them adds what comes back from beyond it.
        """
        inside = {n.index for n in members}
        played = [n for n in members if not self._silent(n)]
        vectors = self.samples == 1 and all(
            n.op is not None and (n.op.ufuncs or n.op.name in {*PRODUCTS, "add"}) for n in played
        )
        pieces: list[Callable[[range], list[Call]]] = []
        lines: list[Line] = []
        beyond: list[tuple[int, Line]] = []  # what only the last step adds, and after how many lines
        for n in played:
            if n.index in self.gates:
                begun = next(m for m in played if self.gates.get(m.index) is self.gates[n.index])
                lines += self._gates_in_loop(self.gates[n.index]) if begun is n else []
            elif n.op is ops.linear:
                lines += self._linear_in_loop(n, vectors, pieces)
            else:
                lines += self._in_loop(n, vectors)
            if n.index in self.beyond:
                out, later = self._operand(n), self._later(self.beyond[n.index])
                beyond.append((len(lines), Line(np.add, (out, later), out, "and what comes back from beyond")))
        loop = Loop(side_by_side(lines, vectors), vectors)
        last = loop
        if not from_beyond:
            self.source.append(loop.source)
        if from_beyond and beyond:
            for k, line in reversed(beyond):
                lines.insert(k, line)
            last = Loop(lines, vectors)
        carried = [
            partial(np.copyto, self.carried[self.next[a.index]], later)
            for a, later in zip(self.folded.after, self.later, strict=True)
            if self.next.get(a.index) in self.carried.keys() & inside
        ]

        def play(chunk: range) -> list[Call]:
            begun = carried if self.T - 1 in chunk else []
            if last is loop or self.T - 1 not in chunk:
                return [*begun, loop.over(chunk)]
            return [*begun, last.over(chunk[:1]), *([loop.over(chunk[1:])] if chunk[1:] else [])]

        return [*pieces, play]

    def _later(self, after: int) -> Array:
        """What comes back to this part of the last state from beyond it."""
        return self.later[[a.index for a in self.folded.after].index(after)]

    def _operand(self, n: Node) -> Row | Array:
        index = self.real(n).index
        if index in self.carried:
            return self.carried[index]
        if self.next.get(index) in self.carried:
            return self.carried[self.next[index]]
        return self.stack(n) if index in self.timeless else Row(self.stack(n))

    def _linear_in_loop(self, n: Node, vectors: bool, pieces: list[Callable[[range], list[Call]]]) -> list[Line]:
        summands, out = self.summands(n), self._operand(n)
        held, waiting = summands.held, summands.waiting
        whole = self.concatenated.get(n.index)
        if whole is not None:
            self._prepare.setdefault(n.index, whole.copies(self.stack))
            products = [self._product_text(*pair) for pair in zip(n.parents[::2], n.parents[1::2], strict=False)]
            text = " + ".join([*products, *map(self._name, n.parents[len(products) * 2 :])])
            text = text if whole.factor is None else f"({text}) times a factor each"
            return [Line(np.dot, (Row(whole.read), whole.matrix), out, f"{self._name(n)} = {text}")]
        if waiting:
            # The free part waits where the sum is to stand; each product is made in a scratch row and added to it.
            pieces.append(
                lambda chunk: self._linear_at_once([self._rows_of(p, chunk) for p in waiting], self._rows_of(n, chunk))
            )
        scratch = np.empty(n.shape, self.dtype)
        lines = []
        for k, (x, w) in enumerate(held):
            target = scratch if waiting or k else out
            text = self._product_text(x, w)
            lines.append(Line(np.dot, (self._operand(x), self._held(self.stack(w).T, vectors)), target, text))
            if target is scratch:
                lines.append(Line(np.add, (out, scratch), out, f"{self._name(n)} = what waits there + that"))
        return lines

    def _in_loop(self, n: Node, vectors: bool) -> list[Line]:
        assert n.op is not None
        if n.index in self.copied:
            text, whole = f"{self._name(n)} = its parts", self.stack(n)
            return [
                Line(np.positive, (self._operand(p),), Row(columns(whole, start, p)), text)
                for start, p in self.copied[n.index]
            ]
        parents = [self._unrepeated(p) for p in n.parents] if n.op.ufuncs else n.parents
        out, args, name = self._operand(n), [self._operand(p) for p in parents], self._name(n)
        if n.op is ops.matmul and n.parents[1].index in self.timeless:
            text = f"{name} = {self._name(n.parents[0])} {self._name(n.parents[1])}"
            return [Line(np.dot, (args[0], self._held(self.stack(n.parents[1]), vectors)), out, text)]
        if n.op is ops.add:
            text = f"{name} = {' + '.join(self._name(p) for p in n.parents)}"
            sums = [Line(np.add, (args[0], args[1]), out, text)]
            return sums + [Line(np.add, (out, a), out) for a in args[2:]]
        if not n.op.ufuncs:
            return [Line(_with_out(n.op), tuple(args), out, f"{name} = {n.op.name}")]
        lines: list[Line] = []
        for ufunc, *numbers in n.op.ufuncs:
            constants = [np.array(k, self.dtype) for k in numbers]
            text = "" if lines else f"{name} = {n.op.name}({', '.join(self._name(p) for p in n.parents)})"
            lines.append(Line(ufunc, (*([out] if lines else args), *constants), out, text))
        return lines

    def _gates_in_loop(self, gates: Gates) -> list[Line]:
        """The activations of several gates in the same few calls, with a number for each unit."""
        source, out = Row(gates.columns(self.stack(gates.source))), Row(self.gate_stacks[gates])
        lines: list[Line] = []
        whole = self.concatenated.get(gates.source.index)
        for ufunc, *numbers in gates.ufuncs[whole is not None and whole.factor is not None :]:
            constants = [row[None].astype(self.dtype) for row in numbers]
            text = "" if lines else "; ".join(f"{self._name(n)} = {n.op.name}" for n in gates.nodes if n.op)
            lines.append(Line(ufunc, (out if lines else source, *constants), out, text))
        return lines

    def _name(self, n: Node) -> str:
        return n.name or f"v{n.index}"

    def _product_text(self, x: Node, w: Node) -> str:
        turned = w.op is ops.transpose
        return f"{self._name(x)} {self._name(w.parents[0]) if turned else f'{self._name(w)}.T'}"

    def _held(self, w: Array, vectors: bool) -> Array:
        """A weight as the right factor of products in the loop: laid out row by row, copied once a pass if need be.

        One with a vector is as quick either way.
        """
        if w.flags.c_contiguous or vectors:
            return w
        key = (address(w), w.shape, w.strides)
        if key not in self._contiguous:
            self._contiguous[key] = np.empty(w.shape, w.dtype)
            self._prepare[key] = [partial(np.copyto, self._contiguous[key], w)]
        return self._contiguous[key]

    # ---- playing

    def forward(self, data: Mapping[str, Array], newest: int | None = None) -> Any:
        """Play the forward pass, or that of so many newest steps alone; the sum of the time steps' costs.

        `data` is what is new, by name: for all the steps that are played.
        """
        calls = self._forward
        if newest is not None and newest < self.T:
            if newest not in self._newest:
                self._newest[newest] = _over(self._groups(self.T - newest), self._pieces)
            calls = self._newest[newest]
        self._run(calls, data)
        return self._costs.dot(self._ones) if self._counted is None else self._costs[self._counted].sum()

    def _run(self, calls: Sequence[Call], data: Mapping[str, Array]) -> None:
        self._given = data
        for call in chain(*self._prepare.values(), calls):
            call()
        self._given = {}  # it belongs to the caller

    def take_over(self, other: Plan, kept: int) -> None:
        """Let the first steps be another plan's last ones, or its own, with all that the forward pass has left."""
        row = other.T - kept - 1
        for start, before, s in zip(self.start, other.start, self.folded.state, strict=True):
            start[...] = before if row < 0 else other.stacks[s.index][row]
        own = {b.index for b in self.folded.before}
        for n in self.nodes[: self.folded.size] if kept else []:
            if self.has_rows(n) and n.index not in self.timeless | self.views | own:
                self.stacks[n.index][:kept] = other.newest(n, kept)

    def newest(self, n: Node, count: int) -> Array:
        """The values of a node of the step at the last so many times, be they kept or not."""
        return self._of_copy(n, slice(self.T - count, None))

    def carry(self, data: Mapping[str, Array]) -> None:
        """Play what the states are computed from, and nothing else."""
        self._run(self._carry, data)

    def backward(self, later: Sequence[Array] | None = None) -> None:
        """Play the backward pass; `later` is what comes back to each part of the last state from beyond it."""
        calls = self._backward
        if later is not None:
            if self._backward_from_beyond is None:
                self._backward_from_beyond = self._calls_back(from_beyond=True)
            calls = self._backward_from_beyond
        if later is not None or self._from_beyond:
            for k, row in enumerate(self.later):
                row[...] = 0 if later is None else later[k]
        self._from_beyond = later is not None
        for call in calls:
            call()

    # ---- looking

    def shared(self, name: str) -> Array:
        """The plan's own copy of a weight; read-only."""
        return read_only(self.stacks[self.folded.weights[name].index])

    def finite(self, errors: bool) -> bool:
        """Whether no value is a NaN or an infinity, nor what gradients are made of, if errors have come back."""
        passing = (self.values(n) for n in self.played if n.index not in self.kept | self.timeless)
        found = [*self.stacks.values(), *passing, *(total() for total in self.totals.values() if errors)]
        return all(np.isfinite(array).all() for array in found)

    def value(self, role: int, t: int) -> Array:
        """The value of the node of this role at time t; read-only."""
        index, row = self._at(role, t)
        return read_only(self._of_copy(self.nodes[index], row))

    def values(self, node: Node) -> Array:
        """The values of a node of the step at all times; without the axis of time if they are the same."""
        return self._of_copy(node, slice(None))

    def cotangent(self, role: int, t: int) -> Array | Outer | None:
        """dC / d node of this role at time t, or the two factors of a weight's copy."""
        if not t and role >= len(self.folded.before):
            return None  # recorded later, such as a derivative
        index, row = self._at(role, t)
        g = self.folded.cotangents.get(index)
        if g is None:
            return None
        if self.nodes[index].op is not ops.copy:
            return read_only(self._of_copy(g, row))
        total: Array | Outer | None = None
        for kind, nodes in self.terms_of(g):
            first, *others = [self._of_copy(n, row) for n in nodes]
            share: Array | Outer = first.sum(axis=0) if kind == "samples" else first
            if kind == "product":
                share = Outer.of(first, *others)
            total = share if total is None else total + share
        return read_only(total) if isinstance(total, np.ndarray) else total

    def _of_copy(self, n: Node, row: int | slice) -> Array:
        """The value of a node in one copy, or several: the row it has kept, or computed again from others.

        What it is computed from is computed once, however often it is read, and without recursion, however many nodes
        a step has.
        """
        asked = self.real(n), 0
        known: dict[tuple[Node, int], Array] = {}  # by the node, and how many steps after the copy it stands

        def look(n: Node, ahead: int) -> Array | None:
            kept = self._row(n, row + ahead if isinstance(row, int) else row)
            return known.get((n, ahead)) if kept is None else kept

        waiting = [asked]
        while waiting:
            n, ahead = waiting[-1]
            if look(n, ahead) is not None:
                waiting.pop()
                continue
            reads = [(self.real(p), ahead) for p in n.parents]
            if n.op is None:  # what comes back from the step after
                reads = [(self.real(self.nodes[self.next[n.index]]), ahead + 1)]
            args = [look(*read) for read in reads]
            found = [a for a in args if a is not None]
            if len(found) < len(reads):
                waiting += [read for read, a in zip(reads, args, strict=True) if a is None]
                continue
            value = found[0] if n.op is None else n.op.value(*found)
            last = isinstance(row, int) and row + ahead == self.T - 1
            known[n, ahead] = value + self._later(self.beyond[n.index]) if last and n.index in self.beyond else value
        value_there = look(*asked)
        assert value_there is not None
        return value_there

    def _row(self, n: Node, row: int | slice) -> Array | None:
        """What a node has kept of one copy, or several; None if it has to be computed again."""
        if n.index in self.stacks and n.index in self.timeless:
            return self.stacks[n.index]
        if self.has_rows(n):
            return self.stacks[n.index][row, ...]
        return self._later(n.index) if n.op is None and row == self.T - 1 else None

    def _at(self, role: int, t: int) -> tuple[int, int]:
        """Where a node's copy lies: its folded node's index, and its row. At time 0, a role is a part of the state."""
        return (self.folded.first + role, t - 1) if t else (self.folded.before[role].index, 0)


def read_only(array: Array) -> Array:
    """The same memory, for looking only; NumPy gives scalars where an array has no axis."""
    array = np.asarray(array).view()
    array.flags.writeable = False
    return array


def _over(groups: Sequence[range], pieces: Sequence[Piece]) -> list[Call]:
    """The calls of all pieces, group by group of the copies."""
    return [call for group in groups for _, piece in pieces for call in piece(group)]


def _with_out(op: Op) -> Callable[..., Any]:
    def call(*args: Any) -> None:
        out = args[-1]
        value = op.value(*args[:-1], out=out)
        if value is not out:  # a view that could not be one here, such as what comes back through the state
            np.copyto(out, value)

    return call


def _sum_of(terms: Sequence[Callable[[], Array]], shape: tuple[int, ...], dtype: Any) -> Callable[[], Array]:
    """What adds up the terms, each of which is an array of its own; zeros if there are none."""
    if len(terms) == 1:
        return terms[0]

    def added() -> Array:
        total = np.zeros(shape, dtype)
        for term in terms:
            total += term()
        return total

    return added


def _flat(stack: Array) -> Array:
    """The copies as the rows of one matrix: a view where they lie side by side."""
    return stack.reshape(-1, stack.shape[-1])


def _product(a: Array, w: Array, out: Array) -> Call:
    """All copies times one matrix."""
    if a.ndim == 3 and out.flags.c_contiguous and np.may_share_memory(_flat(a), a):
        return partial(_flat(a).dot, w, _flat(out))
    return partial(np.matmul, a, w, out)
