"""Where the numbers of a plan lie in memory.

What a step hands on to the next, what gradients are made of, and what the backward pass reads of the forward pass
keeps a place for every copy. Everything else only passes through: it has room for the copies that are played
together, so that it is read again while it is still in the processor's cache, or for one copy if its readers are in
the same loop.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, ops
from .concatenated import CONCATENATED, Concatenated
from .factors import pieces_of_whole
from .fold import Folded
from .gates import Gates, gates_of
from .needed import VIEWS, Needed

Array = NDArray[Any]


class Summands(NamedTuple):
    """What a linear map in a loop adds up: products of inputs and weights, and perhaps a bias."""

    held: list[tuple[Node, Node]]  # the inputs that the loop computes, each with its weight
    free: list[tuple[Node, Node]]  # those that do not wait for it
    bias: Node | None

    @property
    def waiting(self) -> list[Node]:
        """All but the held ones, as the arguments of a linear map."""
        return [p for pair in self.free for p in pair] + ([] if self.bias is None else [self.bias])


class Placed(Needed):
    """What a replay computes, and where.

    Parameters
    ----------
    folded, keep_all
        See `Needed`.
    steps : int
        How many copies there are.

    Attributes
    ----------
    T, samples : int
        The numbers of time steps and of samples.
    dtype : dtype
        Of all numbers.
    group : int
        How many copies are played together: as many as fit the cache; more is slower, fewer is more calls.
    stacks : dict of int to ndarray
        By a node's index: the copies of its value, time first; without that axis if it is the same at every time.
        Row t of a stack with fewer rows than copies is row t modulo its length.
    views : set of int
        The nodes whose stack is another one, seen differently.
    carried : dict of int to ndarray
        Errors that come back through the state and have one row: nobody reads them but the step before.
    placed : set of int
        What puts a part of a whole in its place: nothing is left to do.
    copied : dict of int to list of (int, Node)
        By a whole, its parts that are copied into it, and where they start.
    concatenated : dict of int to Concatenated
        The sums of products of a loop that are one product.
    gates : dict of int to Gates
        The nodes that are activated together with others.
    gate_stacks : dict of Gates to ndarray
        Their values side by side.
    """

    def __init__(self, folded: Folded, steps: int, keep_all: bool = False) -> None:
        super().__init__(folded, keep_all)
        self.T = steps
        self.samples = folded.x.shape[0]
        self.dtype = folded.cost.value.dtype
        widest = max(s.value.size for s in folded.state)
        self.group = min(max(16, 16384 // widest), steps)
        self.stacks: dict[int, Array] = {}
        self.views: set[int] = set()
        played = [*self.played, *self.played_back]
        self._readers: dict[int, list[Node]] = {}
        for n in played:
            for p in n.parents:
                self._readers.setdefault(self.real(p).index, []).append(n)
        joined = self._joined(played)
        self.carried = self._carried_errors(joined)
        apart = {*joined, *self.previous.values()}
        self.gates = {n.index: gates for gates in self._gates(apart) for n in gates.nodes}
        self._long: dict[int, Array] = {}
        self.concatenated: dict[int, Concatenated] = {}
        self._concatenate(joined)
        self._place_leaves()
        self._place_states()
        self._place_wholes(joined)
        self._place_gates()
        self._place_factors()
        for n in played:
            if not {n.index} & (self.stacks.keys() | self.carried.keys() | self.placed):
                self._place(n)

    def stack(self, node: Node) -> Array:
        """The stack of a node's value."""
        return self.stacks[self.real(node).index]

    def has_rows(self, n: Node) -> bool:
        """Whether every copy of a node has a row of its own: it is given, or kept."""
        return n.index in self.stacks and (n.op is None or n.index in self.kept)

    def lead(self, n: Node) -> tuple[int, ...]:
        """For how many copies a node has room, as the first axis of its stack."""
        if n.index in self.timeless:
            return ()
        if n.index in self.kept:
            return (self.T,)
        return (1,) if self._stays_within_a_step(n) else (self.group,)

    def _stays_within_a_step(self, n: Node) -> bool:
        """Whether all who read it are played in the same round of the same loop."""
        waits = n.op is ops.linear and n.index not in self.concatenated
        if n.index not in self.loops or (waits and self.summands(n).waiting):
            return False
        return self._read_in(n) <= {self.loops[n.index]}

    def _read_in(self, n: Node) -> set[int | None]:
        """The loops in which a node's memory is read; None for what is outside of all."""
        found: set[int | None] = set()
        for r in self._readers.get(n.index, ()):
            found.add(self.loops.get(r.index))
            if r.op is not None and r.op.name in VIEWS:
                found |= self._read_in(r)
        return found

    def summands(self, n: Node) -> Summands:
        """What a linear map in a loop adds up."""
        held: list[tuple[Node, Node]] = []
        free: list[tuple[Node, Node]] = []
        for x, w in zip(n.parents[::2], n.parents[1::2], strict=False):
            in_loop = self.loops.get(self.source_of(x)) == self.loops[n.index]
            (held if in_loop else free).append((x, w))
        return Summands(held, free, n.parents[-1] if len(n.parents) % 2 else None)

    # ---- one kind of node after the other

    def _concatenate(self, joined: Mapping[int, tuple[int, int]]) -> None:
        """Sums of products in a loop whose inputs can lie side by side, where that is quicker, see `Concatenated`."""
        passed_on = {self._passed_on(self.nodes[i]) for i in (*self.previous, *self.next)}
        fixed = {*joined, *self.copied, *self.placed, *passed_on, *self.previous, *self.next, *self.timeless}
        for n in [*self.played, *self.played_back] if self.samples == 1 else []:
            if n.op is ops.linear and n.index in self.loops:
                sums = self.summands(n)
                if self._pays_as_one(n, sums) and self._can_be_one(sums, fixed):
                    self._lay_side_by_side(n, sums)

    def _passed_on(self, x: Node) -> int | None:
        """The node that comes to this one from the step before or after it, if one does."""
        if x.index in self.previous:
            return self.previous[x.index]
        return self.real(self.nodes[self.next[x.index]]).index if x.index in self.next else None

    def _pays_as_one(self, n: Node, sums: Summands) -> bool:
        """Whether a sum of products takes less time as one, though all its inputs then come into the loop."""
        more = sum(x.shape[-1] for x, _ in sums.free) + (sums.bias is not None)
        return len(sums.held) == 1 and 0 < more * n.shape[-1] <= CONCATENATED

    def _can_be_one(self, sums: Summands, fixed: Collection[int | None]) -> bool:
        """Whether the inputs of a sum can be laid side by side: those that are not `fixed`, nor laid down already."""
        over, inputs = self._passed_on(sums.held[0][0]), [self.real(x) for x, _ in sums.free]
        constant = [w for _, w in (*sums.held, *sums.free)] + ([] if sums.bias is None else [sums.bias])
        movable = all(
            x.op is None or (x.index in self.kept and x.index not in self.loops and x.op.name not in VIEWS)
            for x in inputs
        )
        once = len(set(inputs)) == len(inputs)  # an input that is read twice can lie in one place only
        free = (
            over is not None and over not in self._long and not any(x.index in {*fixed, *self.stacks} for x in inputs)
        )
        return free and movable and once and all(self.real(w).index in self.timeless for w in constant)

    def _lay_side_by_side(self, n: Node, sums: Summands) -> None:
        ((x, w),), over = sums.held, self._passed_on(sums.held[0][0])
        inputs, weights = [self.real(p) for p, _ in sums.free], [self.real(p) for p in (w, *(v for _, v in sums.free))]
        factor, later = self._first_factor(n), x.index in self.next
        made = Concatenated(self.T, x, inputs, weights, sums.bias, factor, later, self.dtype)
        assert over is not None  # as `_can_be_one` has seen
        self._long[over] = made.passed_on
        self.stacks |= {p.index: made.of(k) for k, p in enumerate(inputs)}
        made.place_weights(self.stacks, {w.index for w in self.folded.weights.values()})
        self.concatenated[n.index] = made

    def _first_factor(self, n: Node) -> Array | None:
        """What gates multiply a net input by first, where nobody else reads it: its weights can be, instead."""
        gates = next((g for g in self.gates.values() if g.source is n), None)
        if gates is None or gates.width != n.shape[-1] or n.index in self.kept:
            return None
        readers = [r for part in self._readers[n.index] for r in self._readers.get(part.index, [part])]
        ufunc, *numbers = gates.ufuncs[0]
        return numbers[0] if ufunc is np.multiply and numbers and all(r in gates.nodes for r in readers) else None

    def _place_leaves(self) -> None:
        for n in self.nodes:
            if n.op is None and n.index not in self.previous and n.index not in self.next:
                lead = () if n.index in self.timeless else (self.T,)
                if n.index not in self.stacks:
                    self.stacks[n.index] = np.empty((*lead, *n.shape), self.dtype)
                self.stacks[n.index][...] = self.folded.shares if n is self.folded.share and lead else n.value

    def _place_states(self) -> None:
        """What passes from step to step has a row more than there are steps, and a reader sees it a row away."""
        errors = {a: self.real(self.nodes[g]).index for a, g in self.next.items() if g not in self.carried}
        long = self._long
        for i in sorted({*self.previous.values(), *errors.values()}):
            if i not in long:
                long[i] = np.zeros((self.T + 1, *self.nodes[i].shape), self.dtype)
            # A state's row 0 is s(0); what comes back through it has its zero after the last step.
            self.stacks[i] = long[i][:-1] if i in errors.values() else long[i][1:]
        self.stacks |= {b: long[s][:-1] for b, s in self.previous.items()}
        self.stacks |= {a: long[g][1:] for a, g in errors.items()}

    def _carried_errors(self, joined: Mapping[int, tuple[int, int]]) -> dict[int, Array]:
        """One row for an error that comes back through the state, where nobody looks at it but the step before it."""
        rows: dict[int, Array] = {}
        factors: set[int] = set()  # what they are computed from, if somebody asks
        for after, error in self.next.items():
            n, readers = self.nodes[error], self._readers.get(after, [])
            product = n.op is ops.matmul and n.parents[1].index in self.timeless and error not in self._readers
            summed = len(readers) == 1 and readers[0].op is ops.add and readers[0].index not in self.same
            # Only if it depends on the node that reads it a step later are both played copy by copy.
            recurs = summed and self.loops.get(error, -1) == self.loops.get(readers[0].index)
            # The row is read before it is written anew.
            recurs = recurs and self.position[readers[0].index] < self.position[error]
            alone = list(self.next.values()).count(error) == 1  # two parts of the state may have one error
            if product and recurs and alone and error not in joined and error not in self.same:
                rows[error] = np.zeros(n.shape, self.dtype)
                factors.add(self.real(n.parents[0]).index)
        self.kept = self._with_what_they_look_into(self.kept - rows.keys() | factors)
        return rows

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
            parts = pieces_of_whole(n, self.real) if n.index not in self.timeless else []
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

    def _place_wholes(self, joined: Mapping[int, tuple[int, int]]) -> None:
        kept = self.kept | {whole for part, (whole, _) in joined.items() if part in self.kept}
        for whole in self.copied:
            if whole not in self.stacks:
                steps = self.T if whole in kept else self.group
                self.stacks[whole] = np.empty((steps, *self.nodes[whole].shape), self.dtype)
        for i, (whole, start) in joined.items():
            self.stacks[i] = columns(self.stacks[whole], start, self.nodes[i])

    def _place_gates(self) -> None:
        self.gate_stacks: dict[Gates, Array] = {}
        for gates in self.gates.values():
            if gates not in self.gate_stacks:
                steps = self.T if any(n.index in self.kept for n in gates.nodes) else self.group
                beside = self.gate_stacks[gates] = np.zeros((steps, self.samples, gates.width), self.dtype)
                for start, n in zip(gates.starts, gates.nodes, strict=True):
                    self.stacks[n.index] = columns(beside, start - gates.start, n)

    def _gates(self, apart: set[int]) -> list[Gates]:
        """Gates whose net inputs are parts of one node of the recurrence, without the nodes that lie elsewhere.

        Of one sample: with more, calls are few beside the numbers, and rows of several gates dearer than of one.
        """
        if self.samples > 1:
            return []
        by_source: dict[int, list[Node]] = {}
        for n in self.played:
            if n.index in self.loops and n.index not in apart and n.ndim == 2 and n.op is not None:
                net = n.parents[0]
                if n.op.ufuncs and len(n.parents) == 1 and net.op is not None and net.op.name == "part":
                    by_source.setdefault(net.parents[0].index, []).append(n)
        found = (gates_of(self.nodes[i], nodes) for i, nodes in by_source.items())
        return [gates for gates in found if gates is not None]

    def _place_factors(self) -> None:
        """Factors of one node at equal distances, see `Needed.together`."""
        for together in self.together:
            free = all(f.op is ops.multiply and f.index >= self.folded.size for f in together)
            if free and not any(f.index in {*self.stacks, *self.timeless} for f in together):
                steps = self.T if any(f.index in self.kept for f in together) else self.group
                blocks = np.zeros((steps, len(together), *together[0].shape), self.dtype)
                self.stacks |= {f.index: blocks[:, k] for k, f in enumerate(together)}

    def _place(self, n: Node) -> None:
        """A stack of the node's own, or a view of its argument's."""
        view = n.op.value(self.stack(n.parents[0])) if n.op is not None and n.op.name in VIEWS else None
        # The numbers of a part do not lie side by side: seen in another shape they would be a copy.
        if view is not None and np.may_share_memory(view, self.stack(n.parents[0])):
            self.stacks[n.index] = view
            self.views.add(n.index)
        else:
            given_up = self._given_up(n)
            self.stacks[n.index] = np.zeros((*self.lead(n), *n.shape), self.dtype) if given_up is None else given_up

    def _given_up(self, n: Node) -> Array | None:
        """The stack of an argument nobody else reads: then the node is computed in place."""
        passes = n.index >= self.folded.size and n.index not in self.timeless  # what has one value keeps it
        if passes and n.op is not None and (n.op.ufuncs or n.op is ops.add):
            for p in map(self.real, n.parents[:2]):  # a sum reads its first two terms at once, the others later
                stays = p.index < self.folded.size or p.op is None or p.index in self.kept | self.views
                if not stays and len(self._readers[p.index]) == 1 and p.index in self.stacks:
                    stack = self.stacks[p.index]
                    if stack.shape == (*self.lead(n), *n.shape) and stack.base is None:
                        return stack
        return None


def columns(whole: Array, start: int, part: Node) -> Array:
    """Where a part stands in a whole."""
    return whole[..., start : start + part.shape[-1]]
