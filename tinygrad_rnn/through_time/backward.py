"""The backward step of a folded network, played for many errors at once.

An op acts on its last axes, so errors that stand at different times can stand in one array, in an axis in
front. And what comes back is linear in the errors that go in: errors may be added up before the weights
are told of them.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node
from ..autodiff.traits import computes, is_sum, is_view, summands, terms_of
from ..unfold import Folded, Unfolded

Array = NDArray[Any]
Values = Callable[[Node], Array]
# What to call, for which node, and on what: nodes that were played before, or the rows of an array that are asked for.
Line = tuple[Callable[..., Any], int, list[int | Array]]
Ready = tuple[list[Line], dict[int, Array]]  # and the values that are the same for all errors
AT_ONCE = 8192  # numbers in an array that is worked on at once: more leaves the cache, and its memory is mapped anew


class Backward:
    """What there is to do in one backward step, sorted by what it depends on.

    Parameters
    ----------
    folded : Folded
        One time step with its backward pass.

    Attributes
    ----------
    recurrent : tuple of Node
        What is played to bring the error that came back to the state on to the state before.
    terms : dict of str to list
        What each weight's cotangent adds up from.
    """

    def __init__(self, folded: Folded) -> None:
        self.folded = folded
        self.timeless = {n.index for n in folded.invariant}
        self.moving = self._depending_on({a.index for a in folded.after})
        self.paid = self._depending_on({folded.share.index}) - self.moving
        self.shares = {folded.share.index}
        for n in folded.tape:
            if is_view(n) and n.parents[0].index in self.shares:
                self.shares.add(n.index)
        self.errors = tuple(folded.cotangents.get(b.index) for b in folded.before)
        self.recurrent = self.played_for(e for e in self.errors if e is not None)
        self.terms = {
            name: [] if (g := folded.cotangents.get(w.index)) is None else summands(g)
            for name, w in folded.weights.items()
        }

    def _depending_on(self, changing: set[int]) -> set[int]:
        found = set(changing)
        for n in self.folded.tape:
            if any(p.index in found for p in n.parents):
                found.add(n.index)
        return found

    def played_for(self, wanted: Any) -> tuple[Node, ...]:
        """The nodes that depend on the errors that come in, and are needed for those that are wanted."""
        needed = {n.index for n in wanted} & self.moving
        for n in reversed(self.folded.tape.nodes):
            if n.index in needed:
                needed |= {p.index for p in n.parents} & self.moving
        return tuple(n for n in self.folded.tape if n.index in needed and n.op is not None)

    def program(self, names: Sequence[str]) -> tuple[Node, ...]:
        """What is played for the gradients of these weights."""
        return self.played_for(n for name in names for _, nodes in self.terms[name] for n in nodes)


class Errors:
    """Errors on their way back through a stretch of time, over values that a forward pass has left.

    Parameters
    ----------
    step : Backward
        What there is to do in one step.
    values : callable
        Given a node of the forward pass, its values (T, ...), or its one value where that is timeless.
    shares : ndarray, (T,)
        What each step's cost weighs.
    links : ndarray, (T,), optional
        What the error is multiplied by that step t hands to the state before; 1 if they are not given.
    memory : dict, optional
        Where to keep arrays for the next time.

    Attributes
    ----------
    later : list of ndarray, (T + 1, B, ...)
        For each part of the state, what has come back to it from later steps, added up; row t belongs to s(t).
    counted : ndarray, (T,)
        How often each step's cost has sent its error.
    """

    def __init__(
        self,
        step: Backward,
        values: Values,
        shares: Array,
        links: Array | None = None,
        memory: dict[Any, Array] | None = None,
    ) -> None:
        self.step = step
        self.T = len(shares)
        self._given = values
        self._shares = shares
        self._ones = bool((shares == 1).all())
        self.links = links
        self._values: dict[int, Array] = {}
        self.together = max(16, AT_ONCE // max(a.value.size for a in step.folded.after))
        self._memory = {} if memory is None else memory
        self.later = [self._room(("later", k), (self.T + 1, *a.shape)) for k, a in enumerate(step.folded.after)]
        for total in self.later:
            total[...] = 0
        self.counted = np.zeros(self.T, step.folded.cost.value.dtype)

    def _room(self, key: Any, shape: tuple[int, ...]) -> Array:
        """An array to write into, that of last time if memory is kept: mapping it anew costs as much as its use."""
        if (key, shape) not in self._memory:
            self._memory[key, shape] = np.empty(shape, self.step.folded.cost.value.dtype)
        return self._memory[key, shape]

    def _value(self, node: Node) -> Array:
        """The values of a node that no error from later steps reaches: (T, ...), or one where it is timeless."""
        if node.index not in self._values:
            self._values[node.index] = self._compute(node)
        return self._values[node.index]

    def _compute(self, node: Node) -> Array:
        if node.index < self.step.folded.size:
            return self._given(node)
        if node is self.step.folded.share:
            return self._shares[0] if node.index in self.step.timeless else self._shares
        if node.op is None:
            return node.value
        if node.index in self.step.timeless:
            return np.asarray(node.op.value(*map(self._value, node.parents)))
        values = self._room(node.index, (self.T, *node.shape))
        for first in range(0, self.T, self.together):
            rows = slice(first, first + self.together)
            values[rows] = self._part(node, rows, {})
        return values

    def _part(self, node: Node, rows: slice, done: dict[int, Array]) -> Array:
        """The values at some times of a node that is needed for another one."""
        op = node.op
        if op is None or node.index < self.step.folded.size or node.index in self.step.timeless | self._values.keys():
            value = self._value(node)
            return value[rows] if value.ndim > node.ndim else value
        if self._ones and computes(node, np.multiply):  # by the share of a cost that weighs 1
            for one, other in (node.parents, node.parents[::-1]):
                if one.index in self.step.shares:
                    return self._part(other, rows, done)
        if node.index not in done:
            args = [self._part(p, rows, done) for p in node.parents]
            done[node.index] = np.asarray(_function(node, self.step.timeless)(*args))
        return done[node.index]

    def _paid(self, node: Node, paid: Any) -> Array | None:
        """Such a value, which is none where it comes from a cost that does not count; as often as one that does."""
        if node.index not in self.step.paid or paid is True:
            return self._value(node)
        return None if paid is False else _times(np.broadcast_to(self._value(node), (self.T, *node.shape)), paid)

    def ready(self, program: Sequence[Node], paid: bool | Array) -> Ready:
        """The calls that play nodes for errors at any times.

        Parameters
        ----------
        program : sequence of Node
            What to play, in order.
        paid : bool or ndarray, (T,)
            Whether, or how often, the time steps send the errors of their own costs.
        """
        lines: list[Line] = []
        known: dict[int, Array] = {}
        for n in program:
            args: list[int | Array] = []
            for p in n.parents:
                if p.index in self.step.moving:
                    args.append(p.index)
                elif (value := self._paid(p, paid)) is None:
                    continue  # nothing comes from this cost: it is one of the terms of a sum
                elif value.ndim > p.ndim:
                    args.append(value)
                else:
                    known[p.index] = value
                    args.append(p.index)
            alone = is_sum(n) and len(args) == 1
            lines.append((_itself if alone else _function(n, self.step.timeless), n.index, args))
        return lines, known

    def play(self, ready: Ready, later: Sequence[Array], rows: slice) -> dict[int, Array]:
        """Play what is ready, and give the values by the nodes' indices.

        Parameters
        ----------
        ready : Ready
            See `ready`.
        later : sequence of ndarray
            For each part of the state, the errors that come in, (errors, B, ...).
        rows : slice
            The times they stand at, counted from 0.
        """
        lines, known = ready
        found = dict(known)
        for a, error in zip(self.step.folded.after, later, strict=True):
            found[a.index] = error
        for function, index, args in lines:
            found[index] = function(*[found[a] if a.__class__ is int else a[rows] for a in args])  # type: ignore[index]
        return found

    def of(self, node: Node, found: Mapping[int, Array], rows: slice, paid: bool | Array) -> Array | None:
        """The value of a node at these times after a play; none if it comes from costs that do not count."""
        if node.index in self.step.moving:
            return found[node.index]
        if node.index in self.step.paid and paid is False:
            return None
        value = np.broadcast_to(self._value(node), (self.T, *node.shape))[rows]
        return _times(value, paid[rows]) if node.index in self.step.paid and not isinstance(paid, bool) else value

    # ---- through time

    def send(self, last: range, depth: int, counted: int) -> None:
        """Send the errors of many windows back in lock step, and add up what each time step receives.

        Parameters
        ----------
        last : range
            The last time steps of the windows, counted from 1.
        depth : int
            How many time steps a window has; fewer where the sequence begins.
        counted : int
            How many of them, the newest ones, send the error of their own cost.
        """
        for k in range(0, len(last), self.together):
            for rows, later, paid in self.walk(last[k : k + self.together], depth, counted):
                if paid:
                    self.counted[rows] += 1
                for total, error in zip(self.later, later, strict=True):
                    received = total[1:][rows]
                    received += error

    def walk(self, last: range, depth: int, counted: int) -> Iterator[tuple[slice, list[Array], bool]]:
        """Go back through windows in lock step: where they stand, what has come to each, and whether its cost counts.

        A window leaves where the sequence begins, so there are fewer and fewer.
        """
        later = [np.zeros((len(last), *total.shape[1:]), total.dtype) for total in self.later]
        ready = {paid: self.ready(self.step.recurrent, paid) for paid in (True, False)}
        for z in range(depth):
            if last and last[0] == z:
                last, later = last[1:], [error[1:] for error in later]
            if not last:
                return
            rows, paid = slice(last[0] - z - 1, last[-1] - z, last.step), z < counted
            yield rows, later, paid
            if z < depth - 1:
                later = self._handed_on(ready[paid], later, rows, paid)

    def _handed_on(self, ready: Ready, later: list[Array], rows: slice, paid: Any) -> list[Array]:
        """What comes to the state before, through the links that there are."""
        found = self.play(ready, later, rows)
        handed = []
        for error, like in zip(self.step.errors, later, strict=True):
            value = None if error is None else self.of(error, found, rows, paid)
            if value is not None and self.links is not None:
                value = _times(value, self.links[rows])
            handed.append(np.zeros_like(like) if value is None else value)
        return handed

    def at_start(self) -> list[Array]:
        """dC / d s(0) of all errors that were sent, for each part of the state."""
        ready = self.ready(self.step.recurrent, self.counted)
        return [e[0] for e in self._handed_on(ready, [total[1:2] for total in self.later], slice(0, 1), self.counted)]

    # ---- what the weights receive

    def gradients(self) -> dict[str, Array]:
        """dC / d weight by name, of all errors that were sent."""
        step = self.step
        paid = True if (self.counted == 1).all() else self.counted
        ready = self.ready(step.program(list(step.terms)), paid)
        totals = {name: np.zeros(w.shape, w.value.dtype) for name, w in step.folded.weights.items()}
        for first in range(0, self.T, self.together):
            rows = slice(first, min(first + self.together, self.T))
            found = self.play(ready, [total[1:][rows] for total in self.later], rows)
            for name, terms in step.terms.items():
                for kind, nodes in terms:
                    _add_term(totals[name], kind, [self.of(n, found, rows, paid) for n in nodes])
        return totals


def _add_term(total: Array, kind: str, factors: Sequence[Any]) -> None:
    """Add, over some time, what a weight's gradient adds up from: see `tinygrad_rnn.autodiff.traits.summands`."""
    if kind == "array":
        total += factors[0].sum(axis=0)
        return
    flat = [f.reshape(-1, f.shape[-1]) for f in factors]
    total += flat[0].T @ flat[1] if kind == "product" else np.ones(len(flat[0]), total.dtype).dot(flat[0])


def gradients_of(net: Unfolded, errors: Errors) -> dict[str, Array]:
    """The gradients of the weights, and of the initial states that are trained."""
    found = errors.gradients()
    if len(found) < len(net.weights):
        at_start = errors.at_start()
        for part, error in zip(net.trained, at_start, strict=True):
            if part:
                found[part] = found.get(part, 0) + error.sum(axis=0)
    return {name: found[name] for name in net.weights}


def _times(values: Array, factors: Array) -> Array:
    """Each time's values times its factor."""
    return values * factors.reshape(-1, *(1,) * (values.ndim - 1))


def _itself(error: Array) -> Array:
    return error


def _function(node: Node, timeless: Container[int]) -> Callable[..., Any]:
    """What computes a node. A product with a weight is one product over all that stands in the axes in front."""
    op, terms = node.op, terms_of(node)
    assert op is not None
    turned = [term.turned[1] for term in terms if term.product and not term.turned[0] and term.slots == (0, 1)]
    if len(turned) == len(terms) == 1 and node.parents[1].index in timeless:

        def product(a: Array, w: Array) -> Array:
            flat = a.reshape(-1, a.shape[-1]).dot(w.T if turned[0] else w)
            return flat.reshape(*a.shape[:-1], flat.shape[-1])

        return product
    if len(op.ufuncs) == 1 and len(op.ufuncs[0]) == 1:
        return op.ufuncs[0][0]
    return np.add if is_sum(node) and len(node.parents) == 2 else op.value
