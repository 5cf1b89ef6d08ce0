"""The plan: a folded network laid out in memory and played for all its copies.

Each node of the folded graph has one buffer that holds its copies side by side, time first. The
strongly connected components of the graph say in which order to play. A component with a cycle is the
recurrence and is played copy by copy; everything else does not wait for it and is played for all
copies in one call. Every call is bound to its buffers once, so that a pass only makes calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, Op, Outer, ops
from ..autodiff.op import BY_NAME
from .fold import Folded

Array = NDArray[Any]
Call = Callable[[], Any]

# Their value is their argument's own memory, seen differently: no buffer, no call.
VIEWS = {"copy", "broadcast", "reshape", "transpose", "part"}
PRODUCTS = {"linear", "matmul"}


class Plan:
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
    grads : dict of str to ndarray
        dC / d weight, filled by `backward`.
    source : list of str
        The loops, as they are run.
    """

    def __init__(self, folded: Folded, steps: int, trained: Sequence[str]) -> None:
        self.folded = folded
        self.T = steps
        self.nodes = folded.tape.nodes
        self.dtype = folded.cost.value.dtype
        self.timeless = folded.timeless()
        self.previous = {b.index: s.index for b, s in zip(folded.before, folded.state, strict=True)}
        errors = [folded.cotangents.get(b.index) for b in folded.before]
        self.next = {a.index: g.index for a, g in zip(folded.after, errors, strict=True) if g is not None}
        self.same = self._same()
        self.stacks: dict[int, Array] = {}
        self.views: set[int] = set()
        self._rows: dict[tuple[int, int], Array] = {}
        self._contiguous: dict[int, Array] = {}
        self.source: list[str] = []
        self.samples = folded.x.shape[0]

        sums = {name: self._terms(folded.cotangents.get(w.index)) for name, w in folded.weights.items()}
        self.factors = sums
        forward, backward = self._needed(sums)
        self._place([*forward, *backward])
        self._timed = {id(stack): stack for i, stack in self.stacks.items() if i not in self.timeless}
        self._prepare: list[Call] = []
        self._forward = self._calls(forward, +1)
        self._backward = self._calls(backward, -1)
        self.grads = {name: np.zeros(w.shape, self.dtype) for name, w in folded.weights.items()}
        for name, terms in sums.items():
            self._backward += self._sum_over_time(self.grads[name], terms)
        self._backward += self._sum_over_samples(trained)

    # ---- what is what

    def _same(self) -> dict[int, int]:
        """Products with the number 1 are their other factor."""
        same: dict[int, int] = {}
        for n in self.nodes:
            if n.op is ops.multiply:
                for one, other in (n.parents, n.parents[::-1]):
                    if self._is_one(one):
                        same[n.index] = same.get(other.index, other.index)
                        break
        return same

    def _is_one(self, node: Node) -> bool:
        while node.op is not None and node.op.name in ("broadcast", "copy"):
            node = node.parents[0]
        return node.op is None and node.index >= self.folded.size and node.name == "share" and float(node.value) == 1

    def real(self, node: Node) -> Node:
        """The node whose value this one's is."""
        return self.nodes[self.same.get(node.index, node.index)]

    def _terms(self, g: Node | None) -> list[tuple[str, tuple[Node, ...]]]:
        """What a weight's gradient is the sum of, over time: products of factors, sums over samples, or arrays."""
        if g is None:
            return []
        g = self.real(g)
        if g.op is ops.add:
            return [term for p in g.parents for term in self._terms(p)]
        if g.op is ops.copy:
            return self._terms(g.parents[0])
        if g.op is ops.outer:
            return [("product", g.parents)]
        if g.op is ops.transpose and self.real(g.parents[0]).op is ops.outer:
            return [("product", self.real(g.parents[0]).parents[::-1])]
        if g.op is not None and g.op.name == "sum" and g.op.settings["axis"] == (-2,) and g.parents[0].ndim == 2:
            return [("samples", g.parents)]
        return [("array", (g,))]

    def _needed(self, sums: dict[str, list[tuple[str, tuple[Node, ...]]]]) -> tuple[list[Node], list[Node]]:
        """The step's nodes, and those of its backward pass that somebody reads."""
        f = self.folded
        wanted = {self.real(n).index for terms in sums.values() for _, nodes in terms for n in nodes}
        weights = {w.index for w in f.weights.values()}
        copies = {n.index for n in self.nodes[: f.size] if n.op is ops.copy}
        wanted |= {self.real(g).index for i, g in f.cotangents.items() if i not in weights | copies}
        for n in reversed(self.nodes[f.size :]):
            if n.index in wanted:
                wanted |= {self.real(p).index for p in n.parents}
        forward = [n for n in self.nodes[: f.size] if n.op is not None]
        backward = [
            n for n in self.nodes[f.size :] if n.op is not None and n.index in wanted and n.index not in self.same
        ]
        return forward, backward

    # ---- memory

    def _place(self, played: Sequence[Node]) -> None:
        """Give every node that is played a buffer, or a view of the buffer it looks into."""
        joined = self._joined(played)
        kept = [self.real(g).index for g in self.folded.cotangents.values()]
        factors = [self.real(x).index for terms in self.factors.values() for _, nodes in terms for x in nodes]
        reads = [self.real(p).index for n in played for p in n.parents]
        self.readers = Counter([*kept, *factors, *kept, *factors, *reads])
        extra = set(self.previous.values()) | {self.real(self.nodes[i]).index for i in self.next.values()}
        for n in self.nodes:
            if n.op is None and n.index not in self.previous and n.index not in self.next:
                lead = () if n.index in self.timeless else (self.T,)
                self.stacks[n.index] = np.empty((*lead, *n.shape), self.dtype)
                self.stacks[n.index][...] = n.value
        self.long: dict[int, Array] = {}
        for i in sorted(extra):
            self.long[i] = np.zeros((self.T + 1, *self.nodes[i].shape), self.dtype)
        states = set(self.previous.values())
        for i, buffer in self.long.items():
            # A state's row 0 is s(0); what comes back through it has its zero after the last step.
            self.stacks[i] = buffer[1:] if i in states else buffer[:-1]
        for b, s in self.previous.items():
            self.stacks[b] = self.long[s][:-1]
        for a, g in self.next.items():
            self.stacks[a] = self.long[self.real(self.nodes[g]).index][1:]
        for i, (whole, start) in joined.items():
            if whole not in self.stacks:
                self.stacks[whole] = np.empty((self.T, *self.nodes[whole].shape), self.dtype)
            self.stacks[i] = self.stacks[whole][..., start : start + self.nodes[i].shape[-1]]
        self.joins = {whole for whole, _ in joined.values()}
        for n in played:
            if n.index in self.stacks:
                continue
            view = n.op.value(self.stack(n.parents[0])) if n.op is not None and n.op.name in VIEWS else None
            # The numbers of a part do not lie side by side: seen in another shape they would be a copy.
            if view is not None and np.may_share_memory(view, self.stack(n.parents[0])):
                self.stacks[n.index] = view
                self.views.add(n.index)
            else:
                self.stacks[n.index] = self._room(n)

    def _room(self, n: Node) -> Array:
        """A buffer of the node's own, or that of an argument nobody else reads: then it is computed in place."""
        lead = () if n.index in self.timeless else (self.T,)
        if n.op is not None and n.op.ufuncs and n.index >= self.folded.size:
            for p in map(self.real, n.parents):
                given_up = p.index >= self.folded.size and p.op is not None and self.readers[p.index] == 1
                if given_up and p.shape == n.shape and p.index in self.stacks and p.index not in self.views:
                    stack = self.stacks[p.index]
                    if stack.shape == (*lead, *n.shape) and stack.base is None:
                        return stack
        return np.zeros((*lead, *n.shape), self.dtype)

    def _joined(self, played: Sequence[Node]) -> dict[int, tuple[int, int]]:
        """Parts that together make up a whole, as four gates' errors do, are written into it in place.

        Returns, for each such part, the whole it belongs to and where it starts.
        """
        joined: dict[int, tuple[int, int]] = {}
        self.placed: set[int] = set()
        # What comes back through a part of the state has a buffer of its own, with a row for the time after the last.
        carried = {self.real(self.nodes[i]).index for i in self.next.values()}
        for n in played:
            if n.op is not ops.add or any(p.op is None or p.op.name != "place" for p in n.parents):
                continue
            spans = sorted((p.op.settings["start"], p.parents[0].shape[-1], p) for p in n.parents if p.op)
            ends = [start + width for start, width, _ in spans]
            if [start for start, _, _ in spans] != [0, *ends[:-1]] or ends[-1] != n.shape[-1]:
                continue
            parts = [self.real(p.parents[0]) for _, _, p in spans]
            owned = all(
                p.op is not None and p.op.name not in VIEWS and p.index >= self.folded.size and p.index not in carried
                for p in parts
            )
            if owned and len({p.index for p in parts}) == len(parts) and not any(p.index in joined for p in parts):
                for (start, _, place), p in zip(spans, parts, strict=True):
                    joined[p.index] = (n.index, start)
                    self.placed.add(place.index)
        return joined

    def stack(self, node: Node) -> Array:
        """All copies of a node's value, time first; without that axis if it is the same at every time."""
        return self.stacks[self.real(node).index]

    # ---- order

    def _calls(self, played: Sequence[Node], direction: int) -> list[Call]:
        """The calls that play these nodes: component by component of the folded graph."""
        inside = {n.index for n in played}
        g: nx.DiGraph[Any] = nx.DiGraph()
        g.add_nodes_from(inside)
        for n in played:
            for p in n.parents:
                i = self.real(p).index
                i = self.previous.get(i, self.next.get(i, i))
                i = self.same.get(i, i)
                if i in inside:
                    g.add_edge(i, n.index)
        components = nx.condensation(g)
        order = nx.lexicographical_topological_sort(components, key=lambda c: min(components.nodes[c]["members"]))
        calls: list[Call] = []
        for c in order:
            members = sorted(components.nodes[c]["members"])
            if len(members) > 1 or g.has_edge(members[0], members[0]):
                calls += self._loop([self.nodes[i] for i in members], direction)
            else:
                calls += self._at_once(self.nodes[members[0]])
        return calls

    def _silent(self, n: Node) -> bool:
        """Whether a node's value is there without a call."""
        return n.index in self.views or n.index in self.joins or n.index in self.placed

    # ---- everything outside the recurrence: all copies in one call

    def _at_once(self, n: Node) -> list[Call]:
        assert n.op is not None
        if self._silent(n):
            return []
        out, args = self.stack(n), [self.stack(p) for p in n.parents]
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
                calls.append(partial(np.add, out, args[-1], out))
        return calls

    def _sum_over_time(self, total: Array, terms: Sequence[tuple[str, tuple[Node, ...]]]) -> list[Call]:
        calls: list[Call] = []
        for k, (kind, nodes) in enumerate(terms):
            target = total if k == 0 else np.empty_like(total)
            if kind == "product":
                left, right = (self.stack(n) for n in nodes)
                if left.flags.c_contiguous and right.flags.c_contiguous:
                    calls.append(partial(_flat(left).T.dot, _flat(right), target))
                else:
                    calls.append(partial(np.einsum, "tpj,tpi->ji", left, right, out=target, optimize=True))
            elif kind == "samples":
                stack = self.stack(nodes[0])
                if stack.flags.c_contiguous:
                    rows = _flat(stack)
                    calls.append(partial(np.ones(len(rows), self.dtype).dot, rows, target))
                else:
                    calls.append(partial(np.sum, stack, (0, 1), None, target))
            elif nodes[0].index in self.timeless:
                calls.append(partial(np.multiply, self.stack(nodes[0]), self.T, target))
            else:
                calls.append(partial(np.sum, self.stack(nodes[0]), 0, None, target))
            if k:
                calls.append(partial(np.add, total, target, total))
        return calls

    def _sum_over_samples(self, trained: Sequence[str]) -> list[Call]:
        """The gradients of initial states: a parameter that all samples start from."""
        calls: list[Call] = []
        for name in dict.fromkeys(filter(None, trained)):
            parts = [k for k, each in enumerate(trained) if each == name]
            self.grads[name] = total = np.zeros(self.folded.before[parts[0]].shape[1:], self.dtype)
            errors = [g for k in parts if (g := self.cotangent(k, 0)) is not None]
            for k, error in enumerate(errors):
                target = np.empty_like(total) if k else total
                calls.append(partial(np.sum, error, 0, None, target))
                if k:
                    calls.append(partial(np.add, total, target, total))
        return calls

    # ---- the recurrence: copy by copy

    def _loop(self, members: Sequence[Node], direction: int) -> list[Call]:
        """The free part of every sum in one call each, then one loop over the copies."""
        inside = {n.index for n in members}
        before: list[Call] = []
        body: list[tuple[str, Any, list[Any]]] = []  # (text, function, operands: arrays to take the row of, or others)
        played = [n for n in members if not self._silent(n)]
        flat = self.samples == 1 and all(
            n.op is not None and (n.op.ufuncs or n.op.name in {*PRODUCTS, "add"}) for n in played
        )
        for n in played:
            self._in_loop(n, inside, before, body)
        return [*before, self._roll(body, direction, flat)]

    def _in_loop(self, n: Node, inside: set[int], before: list[Call], body: list[tuple[str, Any, list[Any]]]) -> None:
        assert n.op is not None
        out = self.stack(n)
        name = self._name(n)
        args = [self.stack(p) for p in n.parents]
        if n.op.name == "linear":
            held = [k for k in range(0, len(args) - 1, 2) if self._depends(n.parents[k], inside)]
            free = [k for k in range(0, len(args) - 1, 2) if k not in held]
            bias = [args[-1]] if len(args) % 2 else []
            waiting = [a for k in free for a in args[k : k + 2]] + bias
            # The free part waits where the sum is to stand; each product is made in a scratch row and added to it.
            if waiting:
                before += self._linear_at_once(waiting, out)
            scratch = np.empty(out.shape[1:], out.dtype)
            for k in held:
                target = scratch if waiting or k != held[0] else out
                text = f"dot({self._name(n.parents[k])}, {self._name(n.parents[k + 1])}.T)"
                body.append((text, "dot", [args[k], self._held(args[k + 1].T), target]))
                if target is scratch:
                    body.append((f"{name} += that", np.add, [out, scratch, out]))
        elif n.op.name == "matmul" and n.parents[1].index in self.timeless:
            body.append(
                (
                    f"dot({self._name(n.parents[0])}, {self._name(n.parents[1])})",
                    "dot",
                    [args[0], self._held(args[1]), out],
                )
            )
        elif n.op.name == "add":
            body.append((f"{name} = sum", np.add, [args[0], args[1], out]))
            body.extend((f"{name} += ...", np.add, [out, a, out]) for a in args[2:])
        elif n.op.ufuncs:
            read = args
            for ufunc, *numbers in n.op.ufuncs:
                text = f"{name} = {n.op.name}" if read is args else ""
                body.append((text, ufunc, [*read, *(np.array(k, self.dtype) for k in numbers), out]))
                read = [out]
        else:
            body.append((f"{name} = {n.op.name}", _with_out(n.op), [*args, out]))

    def _depends(self, p: Node, inside: set[int]) -> bool:
        i = self.real(p).index
        i = self.previous.get(i, self.next.get(i, i))
        return self.same.get(i, i) in inside

    def _name(self, n: Node) -> str:
        return n.name or f"v{n.index}"

    def _held(self, w: Array) -> Array:
        """A weight as the right factor of a product in the loop: laid out row by row, copied once a pass if need be."""
        if w.flags.c_contiguous:
            return w
        key = w.__array_interface__["data"][0]
        if key not in self._contiguous:
            self._contiguous[key] = np.empty(w.shape, w.dtype)
            self._prepare.append(partial(np.copyto, self._contiguous[key], w))
        return self._contiguous[key]

    def _roll(self, body: list[tuple[str, Any, list[Any]]], direction: int, flat: bool) -> Call:
        """One loop over the copies. What changes from copy to copy comes as a row of a table, made once."""
        order = range(self.T) if direction > 0 else range(self.T - 1, -1, -1)
        columns: dict[tuple[Any, ...], str] = {}
        rows: list[list[Any]] = []
        fixed: dict[str, Any] = {}
        lines: list[str] = []

        def operand(a: Any, dot: bool = False) -> str:
            key: tuple[Any, ...]
            if not isinstance(a, np.ndarray) or id(a) not in self._timed:
                key = ("fixed", id(a))
                if key not in columns:
                    columns[key] = f"w{len(fixed)}"
                    fixed[columns[key]] = a
                return columns[key]
            key = (a.__array_interface__["data"][0], a.strides, a.shape)
            if key not in columns:
                columns[key] = f"r{len(rows)}"
                views = [a[t] for t in order]
                # A product of vectors is cheaper than one of matrices of a single row.
                rows.append([v[0] if flat and v.ndim == 2 else v for v in views])
            if not dot:
                return columns[key]
            method = (*key, "dot")
            if method not in columns:
                columns[method] = f"{columns[key]}_dot"
                rows.append([v.dot for v in rows[int(columns[key][1:])]])
                names[columns[method]] = len(rows) - 1
            return columns[method]

        names: dict[str, int] = {}
        for text, function, operands in body:
            if function == "dot":
                a, w, out = operands
                if out[0].flags.c_contiguous or flat:
                    line = f"{operand(a, dot=True)}({operand(w)}, {operand(_single(out, flat))})"
                else:
                    line = f"{operand(np.matmul)}({operand(a)}, {operand(w)}, {operand(out)})"
            else:
                called = operand(function)
                *read, out = (operand(_single(a, flat)) for a in operands)
                line = f"{called}({', '.join(read)}, {'out=' * (function in BY_NAME)}{out})"
            lines.append(f"{line:<40}# {text}" if text else line)
        header = [""] * len(rows)
        for label in columns.values():
            if label[0] == "r":
                header[names.get(label, int(label.removesuffix("_dot")[1:]))] = label
        source = [f"def make(rows, {', '.join(fixed)}):", " def loop():", f"  for {', '.join(header)}, in rows:"]
        source += [f"   {line}" for line in lines]
        source += [" return loop"]
        self.source.append("\n".join(source))
        scope: dict[str, Any] = {}
        exec("\n".join(source), scope)
        made: Call = scope["make"](list(zip(*rows, strict=True)), **fixed)
        return made

    # ---- playing

    def forward(self) -> None:
        """Play the forward pass."""
        for call in self._prepare:
            call()
        for call in self._forward:
            call()

    def backward(self) -> None:
        """Play the backward pass."""
        for call in self._backward:
            call()

    # ---- looking

    def shared(self, name: str) -> Array:
        """The plan's own copy of a weight; read-only."""
        return read_only(self.stacks[self.folded.weights[name].index])

    def value(self, role: int, t: int) -> Array:
        """The value of the node of this role at time t, as the row of its buffer; read-only."""
        index, row = self._at(role, t)
        stack = self.stacks[index]
        return read_only(stack if index in self.timeless else stack[row, ...])

    def cotangent(self, role: int, t: int) -> Array | Outer | None:
        """dC / d node of this role at time t: a row of a buffer, or the two factors of a weight's copy."""
        index, row = self._at(role, t)
        g = self.folded.cotangents.get(index)
        if g is None:
            return None
        g = self.real(g)
        if g.index in self.stacks:
            return read_only(self.stacks[g.index] if g.index in self.timeless else self.stacks[g.index][row, ...])
        total: Array | Outer | None = None
        for kind, nodes in self._terms(g):
            rows = [self.stack(n)[row] for n in nodes]
            share = Outer.of(rows[0], rows[1]) if kind == "product" else rows[0].sum(axis=0)
            total = share if total is None else total + share
        return total

    def _at(self, role: int, t: int) -> tuple[int, int]:
        """Where a node's copy lies: its folded node's index, and its row. At time 0, a role is a part of the state."""
        return (self.folded.first + role, t - 1) if t else (self.folded.before[role].index, 0)


def _single(a: Any, flat: bool) -> Any:
    """In a loop over vectors, what stays the same is a vector too."""
    return a[0] if flat and isinstance(a, np.ndarray) and a.ndim == 2 else a


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


def _flat(stack: Array) -> Array:
    """The copies as the rows of one matrix: a view where they lie side by side."""
    return stack.reshape(-1, stack.shape[-1])


def _product(a: Array, w: Array, out: Array) -> Call:
    """All copies times one matrix."""
    if a.ndim == 3 and a.flags.c_contiguous and out.flags.c_contiguous:
        return partial(_flat(a).dot, w, _flat(out))
    return partial(np.matmul, a, w, out)
