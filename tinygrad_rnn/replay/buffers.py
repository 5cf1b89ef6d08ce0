"""Buffers: where the numbers of a program lie in memory.

What a step hands on to the next, what gradients are made of, and what the backward pass reads of the forward pass
keeps a place for every copy. Everything else only passes through: it has room for the copies that are played
together, so that it is read again while it is still in the processor's cache, or for one copy if its readers are in
the same loop.
"""

from __future__ import annotations

from itertools import groupby
from math import prod
from typing import NamedTuple

import numpy as np

from ..autodiff import Node
from ..autodiff.form import Joins
from ..autodiff.traits import block_of, computes, is_sum, is_view, terms_of
from .folded import Array, Folded
from .liveness import Liveness, with_what_they_look_into
from .products import pieces_of_whole

AT_ONCE = 16384  # numbers that are worked on at once: more leaves the cache, fewer is more calls


class ProductRun(NamedTuple):
    """Products of one node of a loop with factors known before it, that fill columns side by side.

    Attributes
    ----------
    base : Node
        What is multiplied.
    products : list of Node
        From left to right.
    factors : ndarray, (steps, products, B, m)
        What it is multiplied by, at equal distances.
    columns : ndarray, (steps, B, products m)
        Where the products lie.
    """

    base: Node
    products: list[Node]
    factors: Array
    columns: Array


class Buffers:
    """The memory of the nodes that are computed.

    Parameters
    ----------
    folded : Folded
        One time step, as it is played.
    live : Liveness
        What is computed and kept of it.
    steps : int
        How many copies there are.

    Attributes
    ----------
    T, group : int
        How many copies there are, and how many are played together.
    stacks : dict of Node to ndarray
        The copies of a node's value, time first; without that axis if it is the same at every time.
        Row t of a stack with fewer rows than copies is row t modulo its length.
    kept : frozenset of Node
        The nodes all of whose copies keep a place.
    carried : dict of Node to ndarray
        Errors that come back through the state and have one row: nobody reads them but the step before.
    silent : set of Node
        The nodes whose value is there without a call: views, and parts that are written where they belong.
    copied : dict of Node to list of (ndarray, Node)
        By a whole, the places of those parts that are copied into it.
    columns : dict of Node to (Node, slice)
        What lies in a row of inputs: the row, and its columns there.
    runs : dict of Node to ProductRun
        The products that one call computes together.
    """

    def __init__(self, folded: Folded, live: Liveness, steps: int) -> None:
        self.folded = folded
        self.live = live
        self.T = steps
        self.group = min(max(16, AT_ONCE // max(prod(s.shape) for s in folded.state)), steps)
        self.kept = live.kept
        self.stacks: dict[Node, Array] = {}
        self.silent: set[Node] = set()
        self.copied: dict[Node, list[tuple[Array, Node]]] = {}
        self._long: dict[Node, Array] = {}  # what is handed on from step to step, with a row more than there are steps
        self.columns: dict[Node, tuple[Node, slice]] = {}
        self.runs: dict[Node, ProductRun] = {}
        self._with_one: dict[Node, Array] = {}  # what is handed on together with the ones that follow it in its row
        self._handed_on = {d.written for d in folded.delays}
        parts = self._parts_in_place()
        self.carried = self._carried_errors(parts)
        for n in live.played:
            if isinstance(block_of(n), Joins):
                self._place_join(n)
        self._place_delays()
        self._place_leaves()
        self._place_wholes(parts)
        self._place_factors(parts)
        for n in live.played:
            if not (n in self.stacks or n in self.carried or n in self.silent):
                self._place(n)

    def has_rows(self, n: Node) -> bool:
        """Whether every copy of a node has a row of its own: it is given, or kept."""
        return n in self.stacks and (n.op is None or n in self.kept)

    def rows(self, n: Node, steps: range) -> Array:
        """The copies of a node that are played together, or its one value if it is the same at every time."""
        stack = self.stacks[n]
        if n in self.folded.invariant:
            return stack
        start = min(steps) % len(stack)
        return stack[start : start + len(steps)]

    def at_all_times(self, n: Node) -> Array:
        """The copies of a node, time first; its one value repeated if it is the same at every time."""
        stack = self.stacks[n]
        return np.broadcast_to(stack, (self.T, *n.shape)) if n in self.folded.invariant else stack

    def _new(self, lead: tuple[int, ...], n: Node) -> Array:
        return np.zeros((*lead, *n.shape), self.folded.dtype)

    def _lead(self, n: Node) -> tuple[int, ...]:
        """For how many copies a node has room, as the first axis of its stack."""
        if n in self.folded.invariant:
            return ()
        if n in self.kept:
            return (self.T,)
        loop = self.live.loops.get(n)
        return (1,) if loop is not None and self._read_in(n) <= {loop} else (self.group,)

    def _read_in(self, n: Node) -> set[int | None]:
        """The loops in which a node's memory is read; None for what is outside of all."""
        found: set[int | None] = set()
        for r in self.live.readers.get(n, ()):
            found.add(self.live.loops.get(r))
            if is_view(r):
                found |= self._read_in(r)
        return found

    # ---- a part lies in its whole

    def _parts_in_place(self) -> dict[Node, list[tuple[int, Node, bool]]]:
        """The wholes that are sums of parts, and of each part where it starts and whether it is written in place.

        Parts that lie elsewhere, such as those that belong to two wholes, are copied.
        """
        invariant = self.folded.invariant
        wholes = {n: parts for n in self.live.played if n not in invariant and (parts := pieces_of_whole(n))}
        taken = {*self._handed_on, *wholes, *invariant, *self.folded.tape.nodes[: self.folded.size]}
        found: dict[Node, list[tuple[int, Node, bool]]] = {}
        for n, parts in wholes.items():
            found[n] = []
            self.silent.update(n.parents)
            for start, p in parts:
                free = p.op is not None and p not in taken and not is_view(p)
                taken.add(p)
                found[n].append((start, p, free))
        return found

    def _place_wholes(self, wholes: dict[Node, list[tuple[int, Node, bool]]]) -> None:
        for n, parts in wholes.items():
            if n not in self.stacks:
                kept = n in self.kept or any(p in self.kept for _, p, free in parts if free)
                self.stacks[n] = self._new((self.T if kept else self.group,), n)
            places = [(_columns(self.stacks[n], start, p), p, free) for start, p, free in parts]
            self.stacks |= {p: place for place, p, free in places if free}
            self.copied[n] = [(place, p) for place, p, free in places if not free]
            if not self.copied[n]:
                self.silent.add(n)

    def _place_factors(self, wholes: dict[Node, list[tuple[int, Node, bool]]]) -> None:
        """Factors of one node whose products lie side by side have equal distances: one call multiplies by all."""
        fewest = 3 if self.folded.samples == 1 else 2  # of vectors, what is multiplied has to be copied as often first
        for n, parts in wholes.items():
            for base, those in groupby(parts, key=self._multiplied):
                products = [p for _, p, _ in those]
                factors = [p for product in products for p in product.parents if p is not base]
                fit = len({f.shape for f in factors}) == 1 and len(set(factors)) == len(factors) >= fewest
                if base is None or not fit or any(f.op is None or is_view(f) or f in self.stacks for f in factors):
                    continue
                start = next(start for start, p, _ in parts if p is products[0])
                steps = self.T if any(f in self.kept for f in factors) else self.group
                block = np.zeros((steps, len(factors), *factors[0].shape), self.folded.dtype)
                self.stacks |= {f: block[:, k] for k, f in enumerate(factors)}
                columns = self.stacks[n][..., start : start + sum(p.shape[-1] for p in products)]
                self.runs |= dict.fromkeys(products, ProductRun(base, products, block, columns))

    def _multiplied(self, part: tuple[int, Node, bool]) -> Node | None:
        """What a part that lies in its whole is a multiple of, if the other factor is known before the loop."""
        _, p, in_place = part
        known = [q for q in p.parents if self.live.loops.get(self.folded.source(q), -1) != self.live.loops.get(p)]
        own = [q for q in known if q in self.folded.invariant or q.index < self.folded.size]
        if not in_place or not computes(p, np.multiply) or len(known) != 1 or own or p not in self.live.loops:
            return None
        return next(q for q in p.parents if q is not known[0])

    def _place_join(self, n: Node) -> None:
        """Parts that are joined lie in the whole: weights in a matrix, or a row of inputs one of which is handed on."""
        block, one = block_of(n), n.parents[-1]
        assert isinstance(block, Joins)  # as whoever asks has seen
        delays = [self.folded.delayed[p] for p in n.parents if p in self.folded.delayed]
        if n in self.folded.invariant:
            if block.axis >= -2:
                self._lay(n, block.axis, self._new((), n))
        elif len(delays) == 1 and block.axis == -1 and self._can_lie(n, delays[0].written):
            (delay,) = delays
            rows = self._new((self.T + 1,), n)
            read, write = (rows[1:], rows[:-1]) if delay.ahead > 0 else (rows[:-1], rows[1:])
            self._lay(n, -1, read)
            columns = self.columns[delay.read][1]
            self._long[delay.written] = rows[..., columns]
            if self._is_one(one) and columns.stop == n.shape[-1] - 1:
                self._with_one[delay.written] = write[..., columns.start :]
        elif len(n.parents) == 2 and self._is_one(one) and n.parents[0] in self._with_one:
            self._lay(n, -1, self._with_one[n.parents[0]])

    def _is_one(self, n: Node) -> bool:
        given = {*self.folded.weights.values(), *self.folded.data.values()}
        return n.op is None and n not in given and n.shape[-1:] == (1,) and bool((n.value == 1).all())

    def _lay(self, n: Node, axis: int, whole: Array) -> None:
        """Let a join have this memory, and its parts the columns or the rows of it that are theirs."""
        self.stacks[n], self.copied[n], start = whole, [], 0
        self.silent.add(n)
        for p in n.parents:
            part = slice(start, start + p.shape[axis])
            start, place = part.stop, whole[..., part] if axis == -1 else whole[..., part, :]
            if n not in self.folded.invariant:
                self.columns[p] = n, part
            if p in self._handed_on or p in self.folded.delayed:
                continue  # it lies there already, or will
            if p not in self.folded.invariant:
                self.stacks[p] = place
            elif p.op is None and p not in self.folded.weights.values():
                place[...] = p.value  # a number: once and for all
            elif not self._lies_as_weight(p, place):
                self.copied[n].append((place, p))

    def _can_lie(self, n: Node, handed_on: Node) -> bool:
        """Whether all parts of a row have room for every copy, and lie nowhere else yet."""
        free = [p for p in n.parents if p not in self.folded.delayed and p not in self.folded.invariant]
        taken = {*self.stacks, *self.carried, *self._long, *self._handed_on}
        return (
            self.folded.samples == 1
            and handed_on not in self._long
            and handed_on not in self.carried
            and len(set(n.parents)) == len(n.parents)
            and all(p not in taken and (p.op is None or (p in self.kept and not is_view(p))) for p in free)
        )

    def _lies_as_weight(self, p: Node, place: Array) -> bool:
        """Let a weight lie here, if this is where it is read, perhaps turned or in another shape."""
        while is_view(p) and p.op and prod(p.parents[0].shape) == prod(p.shape):
            # Of a view that shows each number once, what it takes back is what it was made from.
            back = np.asarray(p.op.share(0, place, place, (p.parents[0].value,)))
            if not np.may_share_memory(back, place):
                return False
            p, place = p.parents[0], back
        if p in self.stacks or p not in self.folded.weights.values():
            return False
        self.stacks[p] = place
        return True

    # ---- one kind of node after the other

    def _place_delays(self) -> None:
        """What passes from step to step has a row more than there are steps, and a reader sees it a row away."""
        for d in self.folded.delays:
            if d.written not in self.carried:
                rows = self._long.setdefault(d.written, self._new((self.T + 1,), d.written))
                # A state's row 0 is s(0); what comes back through it has its zero after the last step.
                self.stacks[d.written] = rows[1:] if d.ahead < 0 else rows[:-1]
                self.stacks[d.read] = rows[:-1] if d.ahead < 0 else rows[1:]

    def _place_leaves(self) -> None:
        for n in self.folded.tape:
            if n.op is None and n not in self.folded.delayed:
                lead = () if n in self.folded.invariant else (self.T,)
                if n not in self.stacks:  # laid out as the array that will be copied into it
                    self.stacks[n] = self._new(lead, n) if lead else np.array(n.value, self.folded.dtype)
                stack = self.stacks[n]
                stack[...] = self.folded.shares if n is self.folded.share and lead else n.value

    def _carried_errors(self, parts: dict[Node, list[tuple[int, Node, bool]]]) -> dict[Node, Array]:
        """One row for an error that comes back through the state, where nobody looks at it but the step before it."""
        live, position = self.live, {n: k for k, n in enumerate(self.live.backward)}
        joined = {p for some in parts.values() for _, p, _ in some}
        written = [d.written for d in self.folded.delays]
        rows: dict[Node, Array] = {}
        factors: set[Node] = set()  # what they are computed from, if somebody asks
        for d in self.folded.delays:
            n, readers = d.written, live.readers.get(d.read, [])
            product = [t.slots for t in terms_of(n)] == [(0, 1)] and n.parents[1] in self.folded.invariant
            # Two parts of the state may have one error, and a weight's gradient may be made of it.
            looked_at = n in live.readers or n in joined or written.count(n) > 1 or d.read in live.roots
            if d.ahead < 0 or not product or looked_at:
                continue
            summed = len(readers) == 1 and is_sum(readers[0]) and d.read in self.folded.after
            # Only if it depends on the node that reads it a step later are both played copy by copy, and it is read
            # before it is written anew.
            recurs = summed and live.loops.get(n, -1) == live.loops.get(readers[0])
            if recurs and position[readers[0]] < position[n]:
                rows[n] = self._new((), n)
                factors.add(n.parents[0])
        self.kept = with_what_they_look_into(self.kept - rows.keys() | factors)
        return rows

    def _place(self, n: Node) -> None:
        """A stack of the node's own, or a view of its argument's."""
        assert n.op is not None  # leaves are placed
        view = n.op.value(self.stacks[n.parents[0]]) if is_view(n) else None
        # The numbers of a part do not lie side by side: seen in another shape they would be a copy.
        if view is not None and np.may_share_memory(view, self.stacks[n.parents[0]]):
            self.stacks[n] = view
            self.silent.add(n)
        else:
            given_up = self._given_up(n)
            self.stacks[n] = self._new(self._lead(n), n) if given_up is None else given_up

    def _given_up(self, n: Node) -> Array | None:
        """The stack of an argument nobody else reads: then the node is computed in place."""
        if n in self.folded.invariant or not n.op or not (n.op.ufuncs or is_sum(n)):
            return None
        later = n.parents[2:]  # a sum reads its first two terms at once, the others when its own memory is written
        for p in (p for p in n.parents[:2] if p not in later):
            stack, fits = self.stacks.get(p), (*self._lead(n), *n.shape)
            passes = p.op is not None and len(self.live.readers[p]) == 1 and p not in self.kept | self.silent
            if passes and stack is not None and stack.base is None and stack.shape == fits:
                return stack
        return None


def _columns(whole: Array, start: int, part: Node) -> Array:
    """Where a part stands in a whole."""
    return whole[..., start : start + part.shape[-1]]
