"""Traces: the influence of each weight on the one unit it belongs to, and on no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import BatchedValues, Node, Tape, by_rule, record_pullback
from ..unfold.losses import LOSSES
from ..unfold.recipe import Cell, Loss
from ..unfold.structure import copied, flatten, rebuild
from .single_step import SingleStep, SingleSteps, by_part, only_arrays
from .stream import Window, stream

Array = NDArray[Any]
Traces = dict[tuple[str, int], Array]  # of a weight, for each sample, on a part of the state: (B, *the weight's shape)


def traced(
    cell: Cell,
    params: Mapping[str, Any],
    x: Any,
    d: Any,
    loss: str | Loss,
    s0: Any,
    hand: Callable[[SingleStep], Hand],
    otherwise: str,
) -> Iterator[Window]:
    """Carry traces along a stream.

    One sample of each step is recorded, its backward passes too, and played for all samples at once. Of the first step
    it is two, a sample behind another one, to see whether samples have to do with each other.

    Parameters
    ----------
    cell, params, x, d, loss, s0
        See `tinygrad_rnn.rtrl`.
    hand : callable
        What the nodes of a step hand back to their arguments, see `Hand`.
    otherwise : str
        What to do where a unit reads other units.
    """
    traces: Traces = {}
    for t, x_t, d_t in stream(x, d):
        if t == 1:
            steps = SingleSteps(cell, params, loss, only_arrays(s0), len(x_t), lambda step: _Traced(step, hand(step)))
            state = steps.start
        rows = 2 if t == 1 < len(x_t) else 1
        some = rebuild(state, [s[:rows] for s in flatten(state)])
        step, leaves = steps.record(params, t, x_t[:rows], d_t[:rows], some)
        step.play(leaves, x_t, d_t, flatten(state))
        if rows > 1:
            step.refuse_unless_apart(leaves, x_t, d_t, flatten(state))
            _refuse_unless_summed(loss, step.output[:2], d_t[:2])
        step.refuse_unless_local(t, otherwise)
        traces, before = step.traces(traces), traces
        grads = step.gradients(traces, before)
        state = rebuild(state, step.state)
        several = len(step.state) > 1
        carried = {by_part(several, name, k): trace for (name, k), trace in traces.items()}
        yield Window(t, t, step.cost, grads, copied(state), carried=carried)


@dataclass(frozen=True)
class Hand:
    """What a step's nodes hand back to their arguments on the way from the state to the state before.

    Attributes
    ----------
    share : callable
        ``share(node, slot, g, y, args)``, as `pullback` takes it.
    between_layers : set of (int, int)
        The node and the argument where a state is computed from another one of the same step, as in layers, and
        nothing is handed on: no trace goes there, but the error of this step's cost does.
    """

    share: Callable[[Node, int, Node, Node, Sequence[Node]], Node | None] = by_rule
    between_layers: frozenset[tuple[int, int]] = frozenset()


class _Traced:
    """One sample's step with its backward passes recorded: from the cost to the state, and from the state back.

    The sample is the last row of what was recorded.
    """

    def __init__(self, single: SingleStep, hand: Hand) -> None:
        self.single = single
        self.rows = single.x.shape[0]
        self.from_cost = self._from_cost(hand)
        self.from_part = [self._back({k: np.ones(s.shape[1:])}, hand) for k, s in enumerate(single.parts)]
        rng = np.random.default_rng(0)
        self.probe = {k: rng.normal(size=(1, *s.shape[1:])) for k, s in enumerate(single.parts)}
        self.probed = self._back(self.probe, hand)

    def _from_cost(self, hand: Hand) -> dict[Node, list[Node]]:
        """What the cost sends to the new states, and past them; from there the traces take over.

        A state above another one of the same step hands the cost's error down to it.
        """
        single = self.single
        states = set(single.parts)
        arrived: dict[Node, list[Node]] = {}
        seeds = {single.cost: [single.tape.leaf(np.ones_like(single.cost.value), active=False)]}
        while seeds:
            found = self._recorded(seeds, through=lambda node, _: node not in states)
            for node, error in found.items():
                arrived.setdefault(node, []).append(error)
            seeds = {}

            def down(
                node: Node, slot: int, g: Node, y: Node, args: Sequence[Node], seeds: dict[Node, list[Node]] = seeds
            ) -> Node | None:
                share: Node = by_rule(node, slot, g, y, args)
                if (node.index, slot) not in hand.between_layers:
                    return share
                seeds.setdefault(node.parents[slot], []).append(share)
                return None

            if hand.between_layers:
                self._recorded({s: [found[s]] for s in states if s in found}, hand=down)
        return arrived

    def _back(self, errors: Mapping[int, Array], hand: Hand) -> dict[Node, Node]:
        single = self.single
        seeds: dict[Node, list[Node]] = {}
        for k, error in errors.items():
            of_sample = np.zeros_like(single.parts[k].value)
            of_sample[-1:] = error
            leaf = single.tape.leaf(of_sample, active=False)
            seeds.setdefault(single.parts[k], []).append(leaf)
        return self._recorded(seeds, hand=hand.share)

    def _recorded(self, seeds: Mapping[Node, Sequence[Node]], **how: Any) -> dict[Node, Node]:
        back = record_pullback(self.single.tape, self.single.nodes, seeds, **how)
        return {node: g for node in self.single.nodes if (g := back.totals[node.index]) is not None}

    def play(self, leaves: Mapping[Node, Array], x: Array, d: Array, state: list[Array], behind: int = 1) -> None:
        """Compute everything for all samples: they stand in an axis in front of what was recorded.

        Where two samples were recorded, each stands behind the one so many places before it.
        """
        single = self.single
        self.samples = len(x)
        samples = zip((single.x, single.d, *single.before), (x, d, *state), strict=True)
        places = [behind, 0][-self.rows :]
        given = {**leaves, **{n: np.stack([np.roll(a, k, axis=0) for k in places], axis=1) for n, a in samples}}
        self.values = BatchedValues(single.tape.values, given).run(single.tape)

    def _value(self, node: Node) -> Array:
        """A node's value for each sample."""
        value, shape = self.values[node], (self.samples, *node.shape)
        return value if value.shape == shape else np.broadcast_to(value, shape)

    @property
    def state(self) -> list[Array]:
        return [self._value(part)[:, -1] for part in self.single.parts]

    @property
    def output(self) -> Array:
        return self._value(self.single.output)[:, -1]

    @property
    def cost(self) -> float:
        return float(self._value(self.single.cost).sum()) / self.rows

    def _jacobian(self, k: int, j: int) -> Array | None:
        """What part k hands back to part j of the state before, unit by unit, (B, m)."""
        found = self.from_part[k].get(self.single.before[j])
        return None if found is None else self._value(found)[:, -1]

    def traces(self, before: Traces) -> Traces:
        """The traces after the step, of the traces before it."""
        after: Traces = {}
        for name, w in self.single.weights.items():
            for k, part in enumerate(self.single.parts):
                if not _has_units(w.shape, part):
                    continue  # what comes back to it is nothing, or was refused
                direct = self.from_part[k].get(w)
                terms = [] if direct is None else [self._value(direct)]
                for j in range(len(self.single.before)):
                    jacobian = self._jacobian(k, j)
                    if jacobian is not None and (name, j) in before:
                        terms.append(_of_units(jacobian, w.shape) * before[name, j])
                if terms:
                    after[name, k] = np.sum(terms, axis=0)
        return after

    def gradients(self, traces: Traces, before: Traces) -> dict[str, Array]:
        """The gradient of the step's cost: what comes back to a state, times the trace, and what passes it by."""
        grads = {}
        single = self.single
        for name, w in single.weights.items():
            total = np.zeros_like(w.value)
            for error in self.from_cost.get(w, ()):
                total += self._value(error).sum(axis=0) / self.rows
            sources = [(s, traces.get((name, k))) for k, s in enumerate(single.parts)]
            sources += [(s, before.get((name, j))) for j, s in enumerate(single.before)]
            for source, trace in sources:
                for error in self.from_cost.get(source, ()) if trace is not None else ():
                    total += (_of_units(self._value(error)[:, -1], w.shape) * trace).sum(axis=0)
            grads[name] = total
        return grads

    def refuse_unless_apart(self, leaves: Mapping[Node, Array], x: Array, d: Array, state: list[Array]) -> None:
        """Raise ValueError where a sample has to do with another one: behind itself it comes to another number."""
        behind_others = [*self.state, np.array(self.cost)]
        self.play(leaves, x, d, state, behind=0)
        for one, other in zip([*self.state, np.array(self.cost)], behind_others, strict=True):
            if np.abs(one - other).max() > _rounding(one.dtype, one, other):
                raise ValueError(
                    "the cell, or the loss, lets the samples of a time step have to do with each other, as a mean over "
                    "them does: this method follows each sample by itself. Use rtrl, or one sample"
                )

    def refuse_unless_local(self, t: int, otherwise: str) -> None:
        """Raise ValueError where a weight or a unit has to do with other units than its own.

        A random error in each unit must come back as that unit's factor of what an error of 1 brings.
        """
        single = self.single
        for who, leaf in [
            *single.weights.items(),
            *((f"part {j} of the state", s) for j, s in enumerate(single.before)),
        ]:
            if leaf not in self.probed:
                continue
            found = self._value(self.probed[leaf])
            expected = np.zeros_like(found)
            shape, local = leaf.shape if who in single.weights else leaf.shape[1:], True
            for k, part in enumerate(single.parts):
                if leaf not in self.from_part[k]:
                    continue
                ones = self._value(self.from_part[k][leaf])
                local = local and bool(shape) and (_has_units(shape, part) or not ones.any())
                if local and ones.any():
                    factor = _of_units(self.probe[k], shape)
                    expected = expected + ones * (factor if who in single.weights else factor[:, None])
            if not local or np.abs(found - expected).max(initial=0) > _rounding(found.dtype, found):
                raise ValueError(f"at t={t} {who} acts on more units than its own: {otherwise}")


def _refuse_unless_summed(loss: str | Loss, y: Array, d: Array) -> None:
    """Raise ValueError if two samples do not cost what both cost one by one, as with a mean over the samples."""
    if isinstance(loss, str) or loss in LOSSES.values():
        return
    tape = Tape()
    both, first, second = (
        float(loss(tape.leaf(y[rows], "y"), tape.leaf(d[rows], "d", active=False)).value)
        for rows in (slice(2), slice(1), slice(1, 2))
    )
    if abs(both - first - second) > _rounding(y.dtype, both, first, second):
        raise ValueError(
            f"two samples cost {both:.6g}, and {first:.6g} and {second:.6g} one by one: this method follows each "
            "sample by itself, so the loss must sum over the samples. Write it as a sum, or use rtrl"
        )


def _rounding(dtype: Any, *numbers: Any) -> float:
    """What numbers may differ by that are equal but for rounding."""
    return float(1e3 * np.finfo(dtype).eps * max(np.abs(v).max(initial=0) for v in numbers))


def _has_units(shape: tuple[int, ...], part: Node) -> bool:
    """Whether the first axis of a weight has a row, or one for each gate, for each unit of a part of the state."""
    return bool(shape) and shape[0] % part.shape[1] == 0


def _of_units(each: Array, shape: tuple[int, ...]) -> Array:
    """A number for each unit, (B, m), as a factor of a weight's entries, (B, *shape); gates lie one below the other."""
    rows = np.tile(each, (1, shape[0] // each.shape[1]))
    return rows.reshape(*rows.shape, *(1,) * (len(shape) - 1))
