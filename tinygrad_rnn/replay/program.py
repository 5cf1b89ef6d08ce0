"""The program: a folded network compiled for so many time steps, its buffers, and the calls that fill them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from ..autodiff import Node, Outer
from ..autodiff.kernels import Call
from ..autodiff.traits import is_tie, summands
from .buffers import Buffers
from .codegen import address
from .folded import Array, Folded
from .gradients import Totals
from .liveness import liveness
from .passes import PASSES
from .schedule import Playing, Schedule, over

Pass = Callable[[Folded], Folded]


class Program:
    """A folded network for T time steps: a forward pass to `run`, a backward pass to `pull`, and numbers to look at.

    Parameters
    ----------
    recorded : Folded
        One time step, forwards and backwards, as it was recorded.
    steps : int
        How many copies of it there are.
    trained : sequence of str
        For each part of the state, the parameter that it starts from; empty where it starts from an array.
    keep_all : bool
        Whether every value and every cotangent is computed and kept, and not only what gradients need.
    passes : sequence of callable
        The passes of the compiler, see `tinygrad_rnn.replay.passes`.

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
    can_be_cut : bool
        Whether `pull` can keep the error of a time step from the step before it: not where what it hands on is read as
        something else, too, as `join_products` lets it be.
    runs, pulls : int
        How many forward and backward passes have been begun: who remembers the number knows whether the buffers still
        hold what that pass has left.
    source : list of str
        The loops, as they are run.
    """

    def __init__(
        self,
        recorded: Folded,
        steps: int,
        trained: Sequence[str],
        keep_all: bool = False,
        passes: Sequence[Pass] = PASSES,
    ) -> None:
        self.recorded = self.folded = recorded
        for each in passes:
            self.folded = each(self.folded)
        folded, self.T, self.trained = self.folded, steps, trained
        self.live = live = liveness(folded, keep_all)
        self.buffers = buffers = Buffers(folded, live, steps)
        stacks = buffers.stacks
        self.weights = {name: stacks[w] for name, w in folded.weights.items()}
        self.data = {what: stacks[n] for what, n in folded.data.items()}
        self._given: Mapping[str, Array] = {}
        self.start = [stacks[b][0] for b in folded.before]
        self.later = [
            stacks[a][-1, ...] if a.op is None and a in stacks else np.zeros(a.shape, folded.dtype)
            for a in folded.after
        ]
        self.later_apart = len(set(map(address, self.later))) == len(self.later)
        self.can_be_cut = self._can_be_cut()
        self._costs, self._ones = buffers.at_all_times(folded.cost), np.ones(steps, folded.dtype)
        self._counted = None if folded.shares.all() else np.flatnonzero(folded.shares)
        self._schedule = Schedule(folded, buffers, self.later)
        self.source = self._schedule.source
        # Of no component: whatever is played, new data are there afterwards.
        self._pieces: list[Playing] = [(set(), partial(self._taking, what)) for what in self.data]
        self._pieces += self._schedule.pieces(live.forward)
        self._pieces_back = {False: self._schedule.pieces(live.backward)}  # and True, with error from beyond
        self._back: dict[tuple[bool, tuple[int, ...]], list[Call]] = {(False, ()): self._calls_back(False, ())}
        groups = self._schedule.groups()
        self._newest: dict[int, list[Call]] = {steps: self._calls(groups, self._pieces)}
        self._carry = self._calls(groups, [piece for piece in self._pieces if piece[0] <= live.for_states])
        self._from_beyond = False  # whether the last pass had error from beyond
        self._cuts: tuple[int, ...] = ()  # of the last pass
        self.runs = self.pulls = 0
        self._totals = Totals(folded, buffers)

    @property
    def prepared(self) -> int:
        """How many calls come before each forward pass, for what is the same at every time."""
        return sum(map(len, self._schedule.prepare.values()))

    def _can_be_cut(self) -> bool:
        """Whether what is handed back is read by the step before and by nobody else."""
        f, starts = self.folded, {b.index for b in self.recorded.before}
        looked_at = {g for i, g in f.cotangents.items() if i not in starts}
        factors = {n for terms in self.live.terms.values() for term in terms for n in term.nodes}
        written = {d.written for d in f.delays if d.ahead > 0}
        return not written & {*self.live.readers, *factors, *looked_at}

    def _calls_back(self, from_beyond: bool, cuts: tuple[int, ...]) -> list[Call]:
        if from_beyond not in self._pieces_back:
            self._pieces_back[from_beyond] = self._schedule.pieces(self.live.backward, from_beyond)
        rows = {t - 1 for t in cuts} - {0}
        calls: list[Call] = []
        for group in reversed(self._schedule.groups(cuts=sorted(rows))):
            calls += over([group[::-1]], self._pieces_back[from_beyond])
            calls += self._schedule.wiped(group.start) if group.start in rows else []
        return calls

    def _taking(self, what: str, steps: range) -> list[Call]:
        """The call that copies new data of some copies in: just before they are read, so that the cache holds them."""
        rows, start = self.data[what][steps.start : steps.stop], steps.start - self.T

        def take() -> None:
            given = self._given.get(what)  # of all time steps, or of the newest ones
            if given is not None:
                rows[...] = given if len(given) == len(rows) else given[len(given) + start :][: len(rows)]

        return [take]

    # ---- playing

    def run(
        self,
        weights: Mapping[str, Array],
        data: Mapping[str, Array],
        start: Sequence[Array] = (),
        newest: int | None = None,
    ) -> Any:
        """Play the forward pass; the sum of the time steps' costs.

        Parameters
        ----------
        weights : mapping of str to ndarray
            The weights.
        data : mapping of str to ndarray
            What is new, by name: for all the steps that are played.
        start : sequence of ndarray
            The parts of s(0), those of the last pass if none are given.
        newest : int, optional
            How many of the newest steps to play; all of them if it is not given.
        """
        newest = self.T if newest is None else min(newest, self.T)
        if newest not in self._newest:
            self._newest[newest] = self._calls(self._schedule.groups(self.T - newest), self._pieces)
        self._play(self._newest[newest], weights, data, start)
        return self._costs.dot(self._ones) if self._counted is None else self._costs[self._counted].sum()

    def carry(self, weights: Mapping[str, Array], data: Mapping[str, Array], start: Sequence[Array] = ()) -> None:
        """Play what the states are computed from, and nothing else; see `run`."""
        self._play(self._carry, weights, data, start)

    def _calls(self, groups: Sequence[range], pieces: Sequence[Playing]) -> list[Call]:
        return [*chain(*self._schedule.prepare.values()), *over(groups, pieces)]

    def _play(
        self,
        calls: Sequence[Call],
        weights: Mapping[str, Array],
        data: Mapping[str, Array],
        start: Sequence[Array],
    ) -> None:
        self.runs += 1
        for name, stack in self.weights.items():
            stack[...] = weights[name]
        for row, part in zip(self.start, start, strict=bool(start)):
            row[...] = part
        self._given = data
        for call in calls:
            call()
        self._given = {}  # it belongs to the caller

    def pull(self, later: Sequence[Array] | None = None, cuts: Sequence[int] = ()) -> None:
        """Play the backward pass.

        Parameters
        ----------
        later : sequence of ndarray, optional
            What comes back to each part of the last state from beyond it.
        cuts : sequence of int
            Stop-gradient edges: the time steps, counted from 1, that hand no error to the step before them.

        Raises
        ------
        ValueError
            If there are cuts, and what is handed back is read as something else, too.
        """
        kind = (later is not None, tuple(sorted(cuts)))
        if cuts and not self.can_be_cut:
            raise ValueError("a cut takes back what a step has handed on, and here it is read as something else, too")
        if kind not in self._back:
            self._back[kind] = self._calls_back(*kind)
        self.pulls += 1
        if later is not None or self._from_beyond:
            for k, row in enumerate(self.later):
                row[...] = 0 if later is None else later[k]
        self._from_beyond, self._cuts = kind
        for call in self._back[kind]:
            call()

    def gradients(self) -> dict[str, Array]:
        """dC / d weight by name, of the last backward pass, in arrays of their own."""
        found = self._totals()
        for name in dict.fromkeys(filter(None, self.trained)):
            found[name] = self._sum_over_samples([k for k, each in enumerate(self.trained) if each == name])
        return found

    def _sum_over_samples(self, parts: Sequence[int]) -> Array:
        """The gradient of an initial state: of a parameter that all samples, and perhaps several parts, start from."""
        errors = [np.asarray(g).sum(axis=0) for k in parts if (g := self.cotangent(k, 0)) is not None]
        start = self.folded.before[parts[0]]
        return np.sum(errors, axis=0) if errors else np.zeros(start.shape[1:], self.folded.dtype)

    def take_over(self, other: Program, kept: int) -> None:
        """Let the first steps be another program's last ones, or its own, with all that the forward pass has left.

        The two are of one cell, so that their forward passes are one: a node of either stands at the same place.
        """
        self.runs += 1
        row = other.T - kept - 1
        for start, before, s in zip(self.start, other.start, other.folded.state, strict=True):
            start[...] = before if row < 0 else other.buffers.stacks[s][row]
        shared = {*self.folded.invariant, *self.folded.before, *self.buffers.silent}
        for n in self.folded.tape.nodes[: self.folded.size] if kept else []:
            if self.buffers.has_rows(n) and n not in shared:
                self.buffers.stacks[n][:kept] = other._of_copy(other.folded.tape[n.index], slice(other.T - kept, None))

    # ---- looking

    def shared(self, name: str) -> Array:
        """The program's own copy of a weight; read-only."""
        return read_only(self.weights[name])

    def finite(self, errors: bool) -> bool:
        """Whether no value is a NaN or an infinity, nor what gradients are made of, if errors have come back."""
        passing = (self._of_copy(n, slice(None)) for n in self.folded.values.values() if not self.buffers.has_rows(n))
        found = [*self.buffers.stacks.values(), *passing, *(self.gradients().values() if errors else ())]
        return all(np.isfinite(array).all() for array in found)

    def value(self, role: int, t: int) -> Array:
        """The value of the node of this role at time t; at time 0, a role is a part of the state. Read-only."""
        index, row = self._at(role, t)
        return read_only(self._of_copy(self.folded.values[index], row))

    def values(self, node: Node) -> Array:
        """The values of a node of the recorded step at all times; without the axis of time if they are the same.

        Read-only.
        """
        return read_only(self._of_copy(self.folded.values[node.index], slice(None)))

    def cotangent(self, role: int, t: int) -> Array | Outer | None:
        """dC / d node of this role at time t, or the two factors of a weight's copy; None where no error comes."""
        if not t and (1 in self._cuts or role >= len(self.folded.before)):
            return None  # cut off, or recorded later, such as a derivative
        index, row = self._at(role, t)
        g = self.folded.cotangents.get(index)
        if g is None:
            return None
        if not is_tie(self.folded.values[index]):
            return read_only(self._of_copy(g, row))
        total: Array | Outer | None = None
        for kind, nodes in summands(g):
            first, *others = [self._of_copy(n, row) for n in nodes]
            share: Array | Outer = first.sum(axis=0) if kind == "samples" else first
            if kind == "product":
                share = Outer.of(first, *others)
            total = share if total is None else total + share
        return read_only(total) if isinstance(total, np.ndarray) else total

    def _at(self, role: int, t: int) -> tuple[int, int]:
        """Where a node's copy lies: its index in the recorded step, and its row."""
        return (self.recorded.first + role, t - 1) if t else (self.recorded.before[role].index, 0)

    def _of_copy(self, asked: Node, row: int | slice) -> Array:
        """The value of a node in one copy, or several: the row it has kept, or computed again from others.

        What it is computed from is computed once, however often it is read, and without recursion, however many nodes
        a step has.
        """
        if (kept := self._row(asked, row)) is not None:
            return kept
        known: dict[tuple[Node, int], Array] = {}  # by the node, and how many steps after the copy it stands

        def look(n: Node, ahead: int) -> Array | None:
            kept = self._row(n, row + ahead if isinstance(row, int) else row)
            return known.get((n, ahead)) if kept is None else kept

        waiting = [(asked, 0)]
        while waiting:
            n, ahead = waiting[-1]
            if look(n, ahead) is not None:
                waiting.pop()
                continue
            at = self.folded.delayed.get(n)
            reads = [(p, ahead) for p in n.parents] if at is None else [(at.written, ahead + at.ahead)]
            missing = [read for read in reads if look(*read) is None]
            if missing:
                waiting += missing
                continue
            args = [a for read in reads if (a := look(*read)) is not None]
            value = args[0] if n.op is None else n.op.value(*args)
            last = isinstance(row, int) and row + ahead == self.T - 1 and n.op is not None and n in self.folded.after
            known[n, ahead] = value + self.later[self.folded.after.index(n)] if last else value
        found = look(asked, 0)
        assert found is not None  # the loop ends when it is there
        return found

    def _row(self, n: Node, row: int | slice) -> Array | None:
        """What a node has kept of one copy, or several; None if it has to be computed again."""
        if n in self.buffers.stacks and n in self.folded.invariant:
            return self.buffers.stacks[n]
        if self.buffers.has_rows(n):
            return self.buffers.stacks[n][row, ...]
        if n.op is not None or not isinstance(row, int):
            return None
        if row == self.T - 1 and n in self.folded.after:
            return self.later[self.folded.after.index(n)]
        return np.zeros(n.shape, self.folded.dtype) if row + 2 in self._cuts else None


def read_only(array: Array) -> Array:
    """The same memory, for looking only; NumPy gives scalars where an array has no axis."""
    array = np.asarray(array).view()
    array.flags.writeable = False
    return array
