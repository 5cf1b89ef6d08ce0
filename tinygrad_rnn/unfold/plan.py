"""The plan: a folded network laid out in memory and played for all its copies.

Each node of the folded graph has one buffer that holds its copies side by side, time first. The
strongly connected components of the graph say in which order to play. A component with a cycle is the
recurrence and is played copy by copy; everything else does not wait for it and is played for all
copies in one call. Every call is bound to its buffers once, so that a pass only makes calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, Op, Outer, ops
from .factors import pieces_of_whole
from .fold import Folded
from .gates import Gates, gates_of
from .loop import Call, Line, Loop, Row, address, side_by_side
from .needed import Needed

Array = NDArray[Any]

# Their value is their argument's own memory, seen differently: no buffer, no call.
VIEWS = {"copy", "broadcast", "reshape", "transpose", "part"}
PRODUCTS = {"linear", "matmul"}


class Plan(Needed):
    """The buffers of a folded network for T time steps, and the two lists of calls that fill them.

    Parameters
    ----------
    folded : Folded
        One time step, forwards and backwards.
    steps : int
        How many copies of it there are.
    trained : sequence of str
        For each part of the state, the parameter that it starts from; empty where it starts from an array.

    Attributes
    ----------
    weights, data : dict of str to ndarray
        Where the weights, and the data of all time steps, are copied to before a pass.
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

    def __init__(self, folded: Folded, steps: int, trained: Sequence[str]) -> None:
        super().__init__(folded)
        self.T = steps
        self.dtype = folded.cost.value.dtype
        self.stacks: dict[int, Array] = {}
        self.views: set[int] = set()
        self._contiguous: dict[Any, Array] = {}
        self.source: list[str] = []
        self.samples = folded.x.shape[0]
        widest = max(s.value.size for s in folded.state)
        self._length = min(max(16, 16384 // widest), steps)  # of a chunk

        self._place([*self.played, *self.played_back])
        self.weights = {name: self.stacks[w.index] for name, w in folded.weights.items()}
        self.data = {what: self.stacks[n.index] for what, n in folded.data.items()}
        self.start = [self.stacks[b.index][0] for b in folded.before]
        self._costs, self._ones = self.stacks[folded.cost.index], np.ones(steps, self.dtype)
        self._counted = None if folded.shares.all() else np.flatnonzero(folded.shares)
        self._prepare: list[Call] = []  # what is the same at every time, and copies of weights: before each pass
        self._prepared: set[int] = set()
        self._newest: dict[int, list[Call]] = {}
        called = self._calls(self.played, self._chunks())
        self._forward = [call for _, call in called]
        self._carry = [call for members, call in called if members <= self.for_states]
        self._backward = [call for _, call in self._calls(self.played_back, [c[::-1] for c in self._chunks()[::-1]])]
        self.totals: dict[str, Callable[[], Array]] = {
            name: partial(_added, [self._sum_over_time(*term) for term in terms], w.shape, self.dtype)
            for (name, terms), w in zip(self.terms.items(), folded.weights.values(), strict=True)
        }
        for name in dict.fromkeys(filter(None, trained)):
            parts = [k for k, each in enumerate(trained) if each == name]
            self.totals[name] = partial(self._sum_over_samples, parts)

    # ---- memory

    def _place(self, played: Sequence[Node]) -> None:
        """Give every node that is played a buffer, or a view of the buffer it looks into."""
        joined = self._joined(played)
        kept = [*(self.real(g).index for g in self.folded.cotangents.values()), *self.sources]
        factors = [self.real(x).index for terms in self.terms.values() for _, nodes in terms for x in nodes]
        reads = [self.real(p).index for n in played for p in n.parents]
        self.readers = Counter([*kept, *factors, *kept, *factors, *reads])
        looked_at = {*kept, *factors, *(self.real(self.nodes[g]).index for g in self.next.values())}
        self.passing = {
            n.index for n in played if n.index >= self.folded.size and n.index not in looked_at | self.timeless
        }
        self.carried = self._carried_errors(joined, played)
        for n in self.nodes:
            if n.op is None and n.index not in self.previous and n.index not in self.next:
                lead = () if n.index in self.timeless else (self.T,)
                self.stacks[n.index] = np.empty((*lead, *n.shape), self.dtype)
                self.stacks[n.index][...] = self.folded.shares if n is self.folded.share and lead else n.value
        long: dict[int, Array] = {}
        errors = {a: self.real(self.nodes[g]).index for a, g in self.next.items() if g not in self.carried}
        for i in sorted({*self.previous.values(), *errors.values()}):
            long[i] = np.zeros((self.T + 1, *self.nodes[i].shape), self.dtype)
            # A state's row 0 is s(0); what comes back through it has its zero after the last step.
            self.stacks[i] = long[i][:-1] if i in errors.values() else long[i][1:]
        self.stacks |= {b: long[s][:-1] for b, s in self.previous.items()}
        self.stacks |= {a: long[g][1:] for a, g in errors.items()}
        self.later = [
            self.stacks[a.index][-1, ...] if a.index in self.stacks else np.zeros(a.shape, self.dtype)
            for a in self.folded.after
        ]
        self.later_apart = len(set(map(address, self.later))) == len(self.later)
        for i, (whole, start) in joined.items():
            if whole not in self.stacks:
                self.stacks[whole] = np.empty((self.T, *self.nodes[whole].shape), self.dtype)
            self.stacks[i] = self.stacks[whole][..., start : start + self.nodes[i].shape[-1]]
        for whole in self.copied:
            self.stacks.setdefault(whole, np.empty((self.T, *self.nodes[whole].shape), self.dtype))
        self.gates = {n.index: gates for gates in self._gates(played) for n in gates.nodes}
        self.gate_stacks: dict[Gates, Array] = {}
        for gates in self.gates.values():
            if gates not in self.gate_stacks:
                beside = self.gate_stacks[gates] = np.zeros((self.T, self.samples, gates.width), self.dtype)
                for start, n in zip(gates.starts, gates.nodes, strict=True):
                    self.stacks[n.index] = _columns(beside, start - gates.start, n)
        for together in self.together:
            free = all(f.op is ops.multiply and f.index >= self.folded.size for f in together)
            if free and not any(f.index in {*self.stacks, *self.timeless} for f in together):
                steps = self._length if all(f.index in self.passing for f in together) else self.T
                blocks = np.zeros((steps, len(together), *together[0].shape), self.dtype)
                self.stacks |= {f.index: blocks[:, k] for k, f in enumerate(together)}
        for n in played:
            if n.index in self.stacks or n.index in self.placed or n.index in self.carried:
                continue
            view = n.op.value(self.stack(n.parents[0])) if n.op is not None and n.op.name in VIEWS else None
            # The numbers of a part do not lie side by side: seen in another shape they would be a copy.
            if view is not None and np.may_share_memory(view, self.stack(n.parents[0])):
                self.stacks[n.index] = view
                self.views.add(n.index)
            else:
                self.stacks[n.index] = self._room(n)

    def _carried_errors(self, joined: Mapping[int, tuple[int, int]], played: Sequence[Node]) -> dict[int, Array]:
        """One row for an error that comes back through the state, where nobody looks at it but the step before it."""
        reads = Counter(self.real(p).index for n in played for p in n.parents)
        reads.update(self.real(g).index for g in self.folded.cotangents.values())  # once, by the state before
        rows: dict[int, Array] = {}
        for after, error in self.next.items():
            n = self.nodes[error]
            loops = n.op is ops.matmul and n.parents[1].index in self.timeless and reads[error] == 1
            readers = [m for m in played if any(p.index == after for p in m.parents)]
            summed = len(readers) == 1 and readers[0].op is ops.add and readers[0].index not in self.same
            if loops and summed and error not in self.same and error not in joined and self._recurs(error, readers[0]):
                rows[error] = np.zeros(n.shape, self.dtype)
        return rows

    def _recurs(self, error: int, reader: Node) -> bool:
        """Whether an error depends on the node that reads it a step later: only then are they played copy by copy."""
        seen, rest = set(), [self.nodes[error]]
        while rest:
            n = rest.pop()
            if n.index == reader.index:
                return True
            if n.index not in seen:
                seen.add(n.index)
                rest += [self.real(p) for p in n.parents if p.index >= self.folded.size]
        return False

    def _room(self, n: Node) -> Array:
        """A buffer of the node's own, or that of an argument nobody else reads: then it is computed in place."""
        lead = () if n.index in self.timeless else (self._length if n.index in self.passing else self.T,)
        if n.op is not None and (n.op.ufuncs or n.op is ops.add) and n.index >= self.folded.size:
            for p in map(self.real, n.parents[:2]):  # a sum reads its first two terms at once, the others later
                given_up = p.index >= self.folded.size and p.op is not None and self.readers[p.index] == 1
                if given_up and p.shape == n.shape and p.index in self.stacks and p.index not in self.views:
                    stack = self.stacks[p.index]
                    if stack.shape == (*lead, *n.shape) and stack.base is None:
                        return stack
        return np.zeros((*lead, *n.shape), self.dtype)

    def _joined(self, played: Sequence[Node]) -> dict[int, tuple[int, int]]:
        """Parts that together make up a whole, as four gates' errors do, are written into it in place.

        Returns, for each such part, the whole it belongs to and where it starts. Parts that lie elsewhere, such as
        those that belong to two wholes, are copied.
        """
        joined: dict[int, tuple[int, int]] = {}
        self.placed: set[int] = set()
        self.copied: dict[int, list[tuple[int, Node]]] = {}
        # What comes back through a part of the state has a buffer of its own, with a row for the time after the last.
        carried = {self.real(self.nodes[i]).index for i in self.next.values()}
        for n in played:
            parts = pieces_of_whole(n, self.real) if n.index not in self.timeless | carried else []
            if parts:
                self.copied[n.index] = []
                self.placed |= {p.index for p in n.parents}
            for start, p in parts:
                elsewhere = p.op is None or p.op.name in VIEWS or p.index < self.folded.size or p.index in joined
                if elsewhere or p.index in self.timeless | carried | set(self.copied):
                    self.copied[n.index].append((start, p))
                else:
                    joined[p.index] = (n.index, start)
        return joined

    def _gates(self, played: Sequence[Node]) -> list[Gates]:
        """Gates whose net inputs are parts of one node of the recurrence.

        Of one sample: with more, calls are few beside the numbers, and rows of several gates dearer than of one.
        """
        if self.samples > 1:
            return []
        g = self.graph([n for n in played if n.index < self.folded.size])
        inside = {i for c in nx.strongly_connected_components(g) if len(c) > 1 for i in c}
        by_source: dict[int, list[Node]] = {}
        for n in played:
            if n.index in inside and n.index not in self.stacks and n.ndim == 2 and n.op is not None and n.op.ufuncs:
                net = n.parents[0]
                if len(n.parents) == 1 and net.op is not None and net.op.name == "part":
                    by_source.setdefault(net.parents[0].index, []).append(n)
        found = (gates_of(self.nodes[i], nodes) for i, nodes in by_source.items())
        return [gates for gates in found if gates is not None]

    def stack(self, node: Node) -> Array:
        """All copies of a node's value, time first; without that axis if it is the same at every time."""
        return self.stacks[self.real(node).index]

    # ---- order

    def _chunks(self) -> list[range]:
        """The copies in groups whose rows fit the processor's cache: longer is slower, shorter is more calls."""
        return [range(t, min(t + self._length, self.T)) for t in range(0, self.T, self._length)]

    def _calls(self, played: Sequence[Node], chunks: Sequence[range]) -> list[tuple[set[int], Call]]:
        """The calls that play these nodes: group by group of the copies, component by component of the folded graph.

        With each call come the nodes of its component.
        """
        g, position = self.graph(played), self.position.__getitem__
        components = nx.condensation(g)
        order = nx.lexicographical_topological_sort(
            components, key=lambda c: min(map(position, components.nodes[c]["members"]))
        )
        calls: list[tuple[set[int], Call]] = []
        pieces: list[tuple[set[int], Callable[[range], list[Call]]]] = []
        for c in order:
            inside = set(components.nodes[c]["members"])
            members = [self.nodes[i] for i in sorted(inside, key=position)]
            once: list[Call] = []
            if len(members) > 1 or g.has_edge(members[0].index, members[0].index):
                pieces += [(inside, piece) for piece in self._loop(members, once)]
            elif members[0].index in self.timeless:
                # Before everything else: the loops read copies of some matrices, made before a pass.
                if members[0].index not in self._prepared:
                    self._prepared.add(members[0].index)
                    self._prepare += self._at_once(members[0], range(self.T))
            else:
                pieces.append((inside, partial(self._at_once, members[0])))
            calls += [(inside, call) for call in once]
        return [*calls, *((inside, call) for chunk in chunks for inside, piece in pieces for call in piece(chunk))]

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

    # ---- everything outside the recurrence: all copies in one call

    def _at_once(self, n: Node, chunk: range) -> list[Call]:
        assert n.op is not None
        if self._silent(n):
            return []
        parents = [self._unrepeated(p) for p in n.parents] if n.op.ufuncs else n.parents
        out = self._rows_of(n, chunk)
        if n.index in self.copied:
            pieces = self.copied[n.index]
            return [partial(np.copyto, _columns(out, start, p), self._rows_of(p, chunk)) for start, p in pieces]
        args = [self._rows_of(p, chunk) for p in parents]
        if n.op.name == "linear":
            return self._linear_at_once(args, out)
        if n.op.name == "matmul" and n.parents[1].index in self.timeless:
            return [_product(args[0], args[1], out)]
        return [n.op.into(out, *args)]

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
        stacks = [self.stack(n) for n in nodes]
        rows = [_flat(stack) for stack in stacks]
        looked_at = all(np.may_share_memory(*pair) for pair in zip(rows, stacks, strict=True))  # and not copied
        if kind == "product":
            if looked_at:
                return partial(rows[0].T.dot, rows[1])
            return partial(np.einsum, "tpj,tpi->ji", *stacks, optimize=True)
        (stack,) = stacks
        if kind == "samples":
            if looked_at:
                return partial(np.ones(len(rows[0]), self.dtype).dot, rows[0])
            return partial(np.sum, stack, (0, 1))
        if nodes[0].index in self.timeless:
            return partial(np.multiply, stack, self.T)
        return partial(np.sum, stack, 0)

    def _sum_over_samples(self, parts: Sequence[int]) -> Array:
        """The gradient of an initial state: of a parameter that all samples, and perhaps several parts, start from."""
        errors = [np.asarray(g).sum(axis=0) for k in parts if (g := self.cotangent(k, 0)) is not None]
        start = self.folded.before[parts[0]]
        return np.sum(errors, axis=0) if errors else np.zeros(start.shape[1:], self.dtype)

    # ---- the recurrence: copy by copy

    def _loop(self, members: Sequence[Node], once: list[Call]) -> list[Callable[[range], list[Call]]]:
        """The free part of every sum for many copies at once, then one loop over these copies."""
        inside = {n.index for n in members}
        played = [n for n in members if not self._silent(n)]
        vectors = self.samples == 1 and all(
            n.op is not None and (n.op.ufuncs or n.op.name in {*PRODUCTS, "add"}) for n in played
        )
        pieces: list[Callable[[range], list[Call]]] = []
        lines: list[Line] = []
        for n in played:
            if n.index in self.gates:
                begun = next(m for m in played if self.gates.get(m.index) is self.gates[n.index])
                lines += self._gates_in_loop(self.gates[n.index]) if begun is n else []
            elif n.op is ops.linear:
                lines += self._linear_in_loop(n, inside, vectors, pieces)
            else:
                lines += self._in_loop(n, vectors)
        # Of vectors, two short calls are quicker than one that repeats an argument.
        loop = Loop(lines if vectors else side_by_side(lines), vectors)
        self.source.append(loop.source)
        for a, later in zip(self.folded.after, self.later, strict=True):
            carried = self.carried.get(self.next.get(a.index, -1))
            if carried is not None and self.next[a.index] in inside:
                once.append(partial(np.copyto, carried, later))
        return [*pieces, lambda chunk: [loop.over(chunk)]]

    def _operand(self, n: Node) -> Row | Array:
        index = self.real(n).index
        if index in self.carried:
            return self.carried[index]
        if self.next.get(index) in self.carried:
            return self.carried[self.next[index]]
        return self.stack(n) if index in self.timeless else Row(self.stack(n))

    def _linear_in_loop(
        self, n: Node, inside: set[int], vectors: bool, pieces: list[Callable[[range], list[Call]]]
    ) -> list[Line]:
        pairs = range(0, len(n.parents) - 1, 2)
        held = [k for k in pairs if self.source_of(n.parents[k]) in inside]
        free = [k for k in pairs if k not in held]
        waiting = [p for k in free for p in n.parents[k : k + 2]] + [*n.parents[-1:]] * (len(n.parents) % 2)
        out = self._operand(n)
        if waiting:
            # The free part waits where the sum is to stand; each product is made in a scratch row and added to it.
            pieces.append(
                lambda chunk: self._linear_at_once([self._rows_of(p, chunk) for p in waiting], self._rows_of(n, chunk))
            )
        scratch = np.empty(n.shape, self.dtype)
        lines = []
        for k in held:
            x, w = n.parents[k : k + 2]
            target = scratch if waiting or k != held[0] else out
            text = f"{self._name(x)} {self._name(w)}.T"
            lines.append(Line(np.dot, (self._operand(x), self._held(self.stack(w).T, vectors)), target, text))
            if target is scratch:
                lines.append(Line(np.add, (out, scratch), out, f"{self._name(n)} = what waits there + that"))
        return lines

    def _in_loop(self, n: Node, vectors: bool) -> list[Line]:
        assert n.op is not None
        if n.index in self.copied:
            text, whole = f"{self._name(n)} = its parts", self.stack(n)
            return [
                Line(np.positive, (self._operand(p),), Row(_columns(whole, start, p)), text)
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
        for ufunc, *numbers in gates.ufuncs:
            constants = [row[None].astype(self.dtype) for row in numbers]
            text = "" if lines else "; ".join(f"{self._name(n)} = {n.op.name}" for n in gates.nodes if n.op)
            lines.append(Line(ufunc, (out if lines else source, *constants), out, text))
        return lines

    def _name(self, n: Node) -> str:
        return n.name or f"v{n.index}"

    def _held(self, w: Array, vectors: bool) -> Array:
        """A weight as the right factor of products in the loop: laid out row by row, copied once a pass if need be.

        One with a vector is as quick either way.
        """
        if w.flags.c_contiguous or vectors:
            return w
        key = (address(w), w.shape, w.strides)
        if key not in self._contiguous:
            self._contiguous[key] = np.empty(w.shape, w.dtype)
            self._prepare.append(partial(np.copyto, self._contiguous[key], w))
        return self._contiguous[key]

    # ---- playing

    def forward(self, newest: int | None = None) -> Any:
        """Play the forward pass, or that of so many newest steps alone; the sum of the time steps' costs."""
        calls = self._forward
        if newest is not None and newest < self.T:
            if newest not in self._newest:
                made = self._calls(self.played, [range(self.T - newest, self.T)])
                self._newest[newest] = [call for _, call in made]
            calls = self._newest[newest]
        for call in self._prepare:
            call()
        for call in calls:
            call()
        return self._costs.dot(self._ones) if self._counted is None else self._costs[self._counted].sum()

    def take_over(self, other: Plan, kept: int) -> None:
        """Let the first steps be another plan's last ones, or its own, with all that the forward pass has left."""
        row = other.T - kept - 1
        for start, before, s in zip(self.start, other.start, self.folded.state, strict=True):
            start[...] = before if row < 0 else other.stacks[s.index][row]
        own = {b.index for b in self.folded.before}
        for n in self.nodes[: self.folded.size]:
            if n.index in self.stacks and n.index not in self.timeless | self.views | own:
                self.stacks[n.index][:kept] = other.stacks[n.index][other.T - kept :]

    def carry(self) -> None:
        """Play what the states are computed from, and nothing else."""
        for call in self._prepare:
            call()
        for call in self._carry:
            call()

    def backward(self, later: Sequence[Array] | None = None) -> None:
        """Play the backward pass; `later` is what comes back to each part of the last state from beyond it."""
        for k, row in enumerate(self.later):
            row[...] = later[k] if later else 0
        for call in self._backward:
            call()

    # ---- looking

    def shared(self, name: str) -> Array:
        """The plan's own copy of a weight; read-only."""
        return read_only(self.stacks[self.folded.weights[name].index])

    def finite(self, errors: bool) -> bool:
        """Whether no buffer holds a NaN or an infinity, nor a gradient, if errors have come back."""
        found = [*self.stacks.values(), *(total() for total in self.totals.values() if errors)]
        return all(np.isfinite(array).all() for array in found)

    def value(self, role: int, t: int) -> Array:
        """The value of the node of this role at time t, as the row of its buffer; read-only."""
        index, row = self._at(role, t)
        stack = self.stacks[index]
        return read_only(stack if index in self.timeless else stack[row, ...])

    def cotangent(self, role: int, t: int) -> Array | Outer | None:
        """dC / d node of this role at time t: a row of a buffer, or the two factors of a weight's copy."""
        if not t and role >= len(self.folded.before):
            return None  # recorded later, such as a derivative
        index, row = self._at(role, t)
        g = self.folded.cotangents.get(index)
        if g is None:
            return None
        g = self.real(g)
        if g.index in self.unmade:
            return read_only(self._computed(g, row))
        if g.index in self.carried:  # asked for the initial state: the loop has left it there
            return read_only(self.carried[g.index])
        if g.index in self.stacks:
            return read_only(self.stacks[g.index] if g.index in self.timeless else self.stacks[g.index][row, ...])
        total: Array | Outer | None = None
        for kind, nodes in self.terms_of(g):
            rows = [self.stack(n)[row] for n in nodes]
            share = Outer.of(rows[0], rows[1]) if kind == "product" else rows[0].sum(axis=0)
            total = share if total is None else total + share
        return total

    def _computed(self, n: Node, row: int) -> Array:
        """The value of one copy, computed now if the passes have not."""
        n = self.real(n)
        if self.next.get(n.index) in self.carried:
            n, row = self.nodes[self.next[n.index]], row + 1
            if row == self.T:
                return np.zeros(n.shape, self.dtype)
        if n.index in self.stacks:
            return self.stacks[n.index] if n.index in self.timeless else self.stacks[n.index][row, ...]
        assert n.op is not None
        value: Array = n.op.value(*[self._computed(p, row) for p in n.parents])
        return value

    def _at(self, role: int, t: int) -> tuple[int, int]:
        """Where a node's copy lies: its folded node's index, and its row. At time 0, a role is a part of the state."""
        return (self.folded.first + role, t - 1) if t else (self.folded.before[role].index, 0)


def read_only(array: Array) -> Array:
    """The same memory, for looking only."""
    array = array.view()
    array.flags.writeable = False
    return array


def _with_out(op: Op) -> Callable[..., Any]:
    def call(*args: Any) -> None:
        out = args[-1]
        value = op.value(*args[:-1], out=out)
        if value is not out:  # a view that could not be one here, such as what comes back through the state
            np.copyto(out, value)

    return call


def _added(terms: Sequence[Callable[[], Array]], shape: tuple[int, ...], dtype: Any) -> Array:
    if not terms:
        return np.zeros(shape, dtype)
    total = terms[0]()
    for term in terms[1:]:
        total += term()
    return total


def _columns(whole: Array, start: int, part: Node) -> Array:
    """Where a part stands in a whole."""
    return whole[..., start : start + part.shape[-1]]


def _flat(stack: Array) -> Array:
    """The copies as the rows of one matrix: a view where they lie side by side."""
    return stack.reshape(-1, stack.shape[-1])


def _product(a: Array, w: Array, out: Array) -> Call:
    """All copies times one matrix."""
    if a.ndim == 3 and out.flags.c_contiguous and np.may_share_memory(_flat(a), a):
        return partial(_flat(a).dot, w, _flat(out))
    return partial(np.matmul, a, w, out)
