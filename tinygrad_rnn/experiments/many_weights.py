"""One network with many sets of weights, all played at once: the points of an error surface.

An op acts on its last axes, so the weights of all points stand in one array, in an axis in front, and the time step
that was recorded when the network was folded, with its backward pass, serves them all. The tape itself and the programs
of a replay know nothing of that axis: their products put the samples of all time steps below each other, which is right
for one set of weights only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import BatchedValues, Node, ShapeError, Values
from ..autodiff.asked import asked, room_for
from ..autodiff.calling import numbers
from ..autodiff.traits import Summand, is_sum, summands
from ..through_time.single_step import needed, reached
from ..unfold import Folded, Unfolded
from ..unfold.structure import flatten

Array = NDArray[Any]
AT_ONCE = 32768  # numbers in an array that is worked on at once: more leaves the cache, and its memory is mapped anew


@dataclass(frozen=True, eq=False)
class AtWeights:
    """What a network's cost and its gradients are at many sets of weights.

    Attributes
    ----------
    cost : ndarray, (...)
        The cost at each point. Where numbers overflow it is not finite.
    grads : mapping of str to ndarray, (...) and the shape of the weight
        dC / d weight at each point; empty if they were not asked for.
    """

    cost: Array
    grads: Mapping[str, Array]

    def __repr__(self) -> str:
        return f"<a network at {self.cost.size} sets of weights, {'with' if self.grads else 'without'} gradients>"


@asked
def at_weights(net: Unfolded, params: Mapping[str, Any], *, gradients: bool = True) -> AtWeights:
    """A network's cost, and its gradients, at many sets of weights at once. The network stays as it is.

    Each point is what a replay with these weights gives, to the last digits.

    Parameters
    ----------
    net : Unfolded
        The network, its forward pass done.
    params : mapping of str to array_like, (...) and the shape of the weight
        The weights that vary, by name: axes in front of a weight's own are points, the same ones for all weights.
        A weight without them is the same at all points, and one that is not named is what it was in the forward pass.
    gradients : bool
        Whether the gradients are wanted too, which takes about two to three times as long.

    Returns
    -------
    AtWeights

    Raises
    ------
    KeyError
        If there is no weight of such a name.
    ShapeError
        If a weight has not its own shape behind the points, or the points of two weights differ.
    ValueError
        If the network's steps are not copies of one step, it is cut, or its gradients have no room.
    """
    return ManyWeights(net).at(params, gradients)


class NetworkNumbers:
    """What a network was unfolded with, copied: it may be replayed with other numbers while these are in use.

    Attributes
    ----------
    data : dict of Node to ndarray, (T, ...)
        The inputs and targets of all time steps.
    start : list of ndarray
        The parts of the first state.
    weights : dict of str to ndarray
        The weights.
    others : dict of Node to ndarray
        The other leaves, constants.
    """

    def __init__(self, net: Unfolded, folded: Folded, values: Callable[[Node], Array]) -> None:
        self.data = {leaf: np.array(values(leaf)) for leaf in folded.data.values()}
        self.start = [s.value.copy() for s in flatten(net.states[0])]
        self.weights = {name: leaf.value.copy() for name, leaf in net.weights.items()}
        self.others = {n: n.value.copy() for n in folded.tape if n.op is None and n not in self.data}


class StepForwards:
    """The forward pass of a time step.

    Attributes
    ----------
    nodes : dict of bool to list of Node
        What it computes, by whether the step's cost counts.
    same : frozenset of Node
        What it needs that is the same at all steps.
    """

    def __init__(self, folded: Folded) -> None:
        own = folded.tape.nodes[: folded.size]
        wanted = {True: [*folded.state, folded.cost], False: [*folded.state]}
        self.nodes, self.same = _varying({counts: needed(own, w) for counts, w in wanted.items()}, folded)


class StepBackwards:
    """The backward pass of a time step. Where the step's cost does not count, what only it sends is zero.

    Attributes
    ----------
    terms : dict of str to sequence of Summand
        What the gradient of each weight is the sum of.
    factors : set of Node
        The nodes that the terms are made of.
    errors : list of Node or None
        What the parts of the state before the step receive.
    from_costs : set of Node
        What only the cost sends.
    alone : dict of Node to Node
        Sums of which, without the cost, one term is left.
    nodes, same
        As of `StepForwards`.
    zeros, kept : list of Node
        What is read of what only the cost sends, and of the forward pass.
    """

    def __init__(self, folded: Folded) -> None:
        tape, own = folded.tape, folded.tape.nodes[: folded.size]
        self.terms = {name: summands(g) for name, g in folded.gradients.items()}
        self.factors = {n for each in self.terms.values() for term in each for n in term.nodes}
        self.errors = [folded.cotangents.get(b.index) for b in folded.before]
        self.from_costs = reached(tape, [folded.share]) - reached(tape, folded.after)
        self.alone = {
            n: left[0]
            for n in tape
            if is_sum(n) and len(left := [p for p in n.parents if p not in self.from_costs]) == 1
        }
        wanted = {*self.factors, *(e for e in self.errors if e is not None)}
        played = {
            True: _played(tape.nodes, wanted, set(), before=set(own)),
            False: _played(tape.nodes, wanted, self.from_costs, before=set(own)),
        }
        read = {p for each in played.values() for n in each for p in n.parents} | wanted
        self.zeros = sorted(self.from_costs & read, key=lambda n: n.index)
        self.kept = [n for n in own if n in read and n.op is not None and n not in folded.invariant]
        self.nodes, self.same = _varying(played, folded)


def _played(tape: Sequence[Node], wanted: set[Node], zero: set[Node], before: set[Node]) -> list[Node]:
    """What has to be computed for the nodes that are wanted, but for what is zero, or was computed before."""
    found = wanted - zero
    for node in reversed(tape):
        if node in found:
            found.update(p for p in node.parents if p not in zero)
    return [n for n in tape if n in found and n.op is not None and n not in before]


def _varying(nodes: Mapping[bool, list[Node]], folded: Folded) -> tuple[dict[bool, list[Node]], frozenset[Node]]:
    """Nodes without those that are the same at all steps, and these."""
    same = folded.invariant
    varying = {counts: [n for n in each if n not in same] for counts, each in nodes.items()}
    return varying, same.intersection(nodes[True])


class ManyWeights:
    """A network made ready to be played at many sets of weights; see `at_weights`.

    Parameters
    ----------
    net : Unfolded
        The network, its forward pass done.
    """

    def __init__(self, net: Unfolded) -> None:
        if net.cuts:
            raise ValueError(
                f"at_weights: the network is cut before t={', '.join(map(str, net.cuts))}: a truncation's gradient is "
                "no slope of the cost. Mend it first, with tinygrad_rnn.cut(net)"
            )
        self._folded, values = net.stacked()
        self._trained, self._given = net.trained, NetworkNumbers(net, self._folded, values)
        self._forwards, self._backwards = StepForwards(self._folded), StepBackwards(self._folded)
        self._same = sorted(self._forwards.same | self._backwards.same, key=lambda n: n.index)

    def at(self, params: Mapping[str, Any], gradients: bool = True) -> AtWeights:
        """See `at_weights`."""
        weights, points = self.checked(params)
        count = int(np.prod(points))
        own = self._given.weights if gradients else {}
        if gradients:
            sizes = sum(w.size for w in own.values())
            room_for("at_weights: what the gradients take", (count, sizes), "pass fewer points at a time")
        cost = np.zeros(count, self._folded.dtype)
        grads = {name: np.zeros((count, *w.shape), cost.dtype) for name, w in own.items()}
        together = max(1, AT_ONCE // max(n.value.size for n in self._folded.state))
        with np.errstate(over="ignore", invalid="ignore"):
            for first in range(0, count, together):
                some = slice(first, min(first + together, count))
                self._play(
                    {name: w[some] if w.ndim > self._given.weights[name].ndim else w for name, w in weights.items()},
                    cost[some],
                    {name: g[some] for name, g in grads.items()},
                )
        shaped = {name: g.reshape(*points, *g.shape[1:]) for name, g in grads.items()}
        return AtWeights(cost.reshape(points), MappingProxyType(shaped))

    def orbit(self, params: Mapping[str, Any], skip: int, keep: int) -> tuple[Array, ...]:
        """The states at each point with the input of the first time step again and again, (..., keep, B, n) a part."""
        weights, points = self.checked(params)
        count = int(np.prod(points))
        whole = {name: np.broadcast_to(w, (count, *self._given.weights[name].shape)) for name, w in weights.items()}
        leaves = {n: np.broadcast_to(value, (count, *n.shape)) for n, value in self._given.others.items()}
        leaves |= {leaf: whole[name] for name, leaf in self._folded.weights.items()}
        leaves |= {leaf: np.broadcast_to(each[0], (count, *leaf.shape)) for leaf, each in self._given.data.items()}
        same = _computed(leaves, self._same).changed
        state = [
            np.broadcast_to(whole[name][:, None] if name else s, (count, *s.shape))
            for name, s in zip(self._trained, self._given.start, strict=True)
        ]
        found = [np.empty((count, keep, *s.shape[1:]), self._folded.dtype) for s in state]
        with np.errstate(over="ignore", invalid="ignore"):
            for step in range(skip + keep):
                now = _computed(same | dict(zip(self._folded.before, state, strict=True)), self._forwards.nodes[False])
                state = [now[s] for s in self._folded.state]
                if step >= skip:
                    for part, s in zip(found, state, strict=True):
                        part[:, step - skip] = s
        return tuple(part.reshape(*points, *part.shape[1:]) for part in found)

    def checked(self, params: Mapping[str, Any]) -> tuple[dict[str, Array], tuple[int, ...]]:
        """Every weight, those that vary as (points, *shape), and the shape of the points."""
        weights = dict(self._given.weights)
        points: tuple[int, ...] = ()
        first = ""
        for name, given in params.items():
            if name not in self._given.weights:
                raise KeyError(f"at_weights: params has {name!r}; the network's weights are {', '.join(weights)}")
            shape = self._given.weights[name].shape
            array = numbers(given, f"params[{name!r}]").astype(self._folded.dtype)
            axes = array.ndim - len(shape)
            if axes < 0 or array.shape[axes:] != shape or 0 in array.shape:
                raise ShapeError(
                    f"at_weights: params[{name!r}] is {array.shape}: behind the axes of the points it must be the "
                    f"weight, {shape}"
                )
            if not axes:
                weights[name] = array
                continue
            if first and array.shape[:axes] != points:
                raise ShapeError(
                    f"at_weights: params[{name!r}] has the points {array.shape[:axes]} and params[{first!r}] has "
                    f"{points}: they must be the same"
                )
            first, points = name, array.shape[:axes]
            weights[name] = array.reshape(-1, *shape)
        return weights, points

    def _play(self, weights: Mapping[str, Array], cost: Array, grads: Mapping[str, Array]) -> None:
        """Both passes for some points: their costs and their gradients are added to `cost` and `grads`."""
        folded, size, shares = self._folded, len(cost), self._folded.shares
        given, back = self._given, self._backwards

        def wide(value: Array, own: int) -> Array:
            return value if value.ndim > own else np.broadcast_to(value, (size, *value.shape))

        leaves = {n: wide(value, value.ndim) for n, value in given.others.items()}
        leaves |= {leaf: wide(weights[name], leaf.ndim) for name, leaf in folded.weights.items()}
        same = _computed(leaves, self._same).changed
        state = [
            np.broadcast_to(wide(weights[name], 1)[:, None], (size, *s.shape)) if name else wide(s, s.ndim)
            for name, s in zip(self._trained, given.start, strict=True)
        ]
        kept: list[dict[Node, Array]] = []
        for t, share in enumerate(shares):
            read = dict(zip(folded.before, state, strict=True))
            read |= {leaf: wide(whole[t], leaf.ndim) for leaf, whole in given.data.items()}
            now = _computed(same | read, self._forwards.nodes[bool(share)])
            if share:
                cost += share * now[folded.cost]
            state = [now[s] for s in folded.state]
            if grads:
                kept.append(read | {n: now[n] for n in back.kept if n in now.changed})
        if not grads:
            return
        later = [np.zeros((size, *s.shape), cost.dtype) for s in folded.after]
        zeros = {n: wide(np.zeros(n.shape, cost.dtype), n.ndim) for n in back.zeros}
        varying = back.factors - given.data.keys()
        rows = {n: np.empty((size, len(shares), *n.shape), cost.dtype) for n in varying}
        rows |= {leaf: given.data[leaf][None] for leaf in back.factors & given.data.keys()}
        for t in reversed(range(len(shares))):
            read = kept.pop() | dict(zip(folded.after, later, strict=True))
            read |= {folded.share: np.full(size, shares[t])} if shares[t] else zeros
            now = _computed(same | read, back.nodes[bool(shares[t])], {} if shares[t] else back.alone)
            for n in varying if shares[t] else varying - back.from_costs:
                rows[n][:, t] = now[n]
            later = [old if e is None else now[e] for e, old in zip(back.errors, later, strict=True)]
        for name, terms in back.terms.items():
            for term in terms:
                at = np.flatnonzero(shares) if back.from_costs.intersection(term.nodes) else slice(None)
                grads[name][...] += _added_up(term, [rows[n][:, at] for n in term.nodes])
        for name, error in zip(self._trained, later, strict=True):
            if name:
                grads[name][...] += error.sum(axis=1)


def _computed(
    known: dict[Node, Array], nodes: Iterable[Node], alone: Mapping[Node, Node] = MappingProxyType({})
) -> BatchedValues:
    """The values of nodes, in their order, from those that are known; `alone` are sums of which one term is left."""
    found = BatchedValues(Values(), known)
    for node in nodes:
        if node in alone:
            found[node] = found[alone[node]]
        else:
            found.compute(node)
    return found


def _added_up(term: Summand, factors: list[Array]) -> Array:
    """What a weight receives at each point, (points, T, ...) added up over time: one product for each point."""
    if term.kind == "array":
        return np.asarray(factors[0].sum(axis=1))
    flat = [f.reshape(len(f), -1, f.shape[-1]) for f in factors]
    return np.asarray(flat[0].swapaxes(1, 2) @ flat[1] if term.kind == "product" else flat[0].sum(axis=1))
