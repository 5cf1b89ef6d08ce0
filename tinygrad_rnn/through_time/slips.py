"""Gradients as they come out where one rule of backpropagation through time is not kept.

No slip is written for a cell: each is the network's own backward pass, with one thing changed that every network has,
such as the slope of an activation, the state that a product reads, or an edge between two time steps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, Op, Outer, Values, ops
from ..autodiff.notation import plain
from ..autodiff.terms import added
from ..autodiff.traits import block_of, computes, is_repeated, is_tie, is_view, product_with
from ..unfold import Unfolded
from ..unfold.structure import flatten

Array = NDArray[Any]
Hand = Callable[[Node, int, Any, Any, Sequence[Any]], Any]
Through = Callable[[Node, int], bool]


class Bend(NamedTuple):
    """An activation in the backward pass: its node and op, the error, its value y and its argument net."""

    node: Node
    op: Op
    g: Any
    y: Any
    net: Any


Slope = Callable[[Bend], Any]


def by_rule(node: Node, slot: int, g: Any, y: Any, args: Sequence[Any]) -> Any:
    """What the rule of a node's op hands to its argument `slot`."""
    assert node.op is not None  # a leaf hands nothing on
    return node.op.share(slot, g, y, args)


@dataclass
class Numbers:
    """What a backward pass brings, right or wrong.

    Attributes
    ----------
    copies : dict of str to ndarray, (T, ...)
        By weight, dC / d copy; the gradient is the sum over the first axis.
    deltas : dict of str to ndarray, (T, ...)
        By the name of a node that each step has, -dC / d node, Guo's delta.
    values : dict of str to ndarray, (T, ...)
        By the name of a node that each step has, what the forward pass has found.
    """

    copies: dict[str, Array]
    deltas: dict[str, Array]
    values: dict[str, Array]

    def mapped(self, f: Callable[[Array], Array]) -> Numbers:
        """The same with another array for each weight."""
        return replace(self, copies={name: f(c) for name, c in self.copies.items()})


class Mistake(NamedTuple):
    """A mistake: what it is called, the equation that it spoils, and what it gives.

    Two of a family that give the same for all weights are one mistake in two wordings.
    """

    name: str
    equation: str
    numbers: Callable[[], Numbers]
    family: str = ""


@dataclass
class Pass:
    """One network, to be gone back through again and again.

    Parameters
    ----------
    net : Unfolded
        Its forward pass done.
    looked_at : sequence of str
        The nodes whose values and errors are looked at.
    pinned : mapping of Node to ndarray
        Values that somebody has gone on with, right or wrong; the forward pass is played again with them.
    """

    net: Unfolded
    looked_at: Sequence[str] = ()
    pinned: Mapping[Node, Array] = field(default_factory=dict)
    values: Values = field(init=False)
    states: dict[int, tuple[int, int]] = field(init=False)  # by index, the time step and the part

    def __post_init__(self) -> None:
        self.nodes = self.net.tape.nodes[: self.net.cost.index + 1]
        self.values = Values([n.value for n in self.nodes])
        if self.pinned:
            self.values = self.played(self.pinned)
        self.T = self.net.T
        self.parts = [flatten(s) for s in self.net.states]
        self.states = {}
        for t, parts in enumerate(self.parts):
            for k, part in enumerate(parts):
                self.states.setdefault(part.index, (t, k))
        self.copy_of = {
            copy.index: (name, t)
            for t, step in enumerate(self.net._steps, start=1)
            for name, copy in step.copies.items()
        }
        self.at = {(n.t, n.role): n for n in self.nodes if n.t}
        self.named = {(n.t, n.name): n for n in self.nodes if n.t and n.name}
        self.asked = {name: [self.named[t, name] for t in range(1, self.T + 1)] for name in self.looked_at}
        self.first = [n for n in self.nodes if n.t == 1]

    def back(
        self,
        hand: Hand | None = None,
        through: Through | None = None,
        values: Values | None = None,
        root: Node | None = None,
        roles: Collection[int] | None = None,
    ) -> Numbers:
        """The numbers of one backward pass, from the whole cost, or from one step's with the error that it gets.

        The hand is asked for the nodes of these roles alone, or for all.
        """
        root = self.net.cost if root is None else root
        seed = np.ones_like(root.value) if root is self.net.cost else self.of_costs[root.index]
        totals = self._sent(root, seed, hand, through, values, roles)
        copies = {
            name: np.stack([self._read(totals, step.copies.get(name), w.shape) for step in self.net._steps])
            for name, w in self.net.weights.items()
            if name in self.net._copied
        }
        deltas = {name: -np.stack([self._read(totals, n, n.shape) for n in each]) for name, each in self.asked.items()}
        return Numbers(copies, deltas, self.found(values or self.values))

    def found(self, values: Values) -> dict[str, Array]:
        """What a forward pass has found for the nodes that are looked at."""
        return {name: np.stack([values[n] for n in each]) for name, each in self.asked.items()}

    @cached_property
    def _roads(self) -> list[tuple[Node, list[tuple[int, int]], Array, list[Array]]]:
        """From the cost back, each node with the slots and parents that it hands error to, its value and arguments."""
        return [
            (
                n,
                [(slot, p.index) for slot, p in enumerate(n.parents) if p.active and slot not in n.op.only_read]
                if n.op is not None
                else [],
                self.values[n],
                [self.values[p] for p in n.parents],
            )
            for n in reversed(self.nodes)
        ]

    def _sent(
        self,
        root: Node,
        seed: Any,
        hand: Hand | None,
        through: Through | None = None,
        values: Values | None = None,
        roles: Collection[int] | None = None,
    ) -> list[Any]:
        """What each node receives, by index: `pullback` without an account of its shares, as it is run so often."""
        totals: list[Any] = [None] * len(self.nodes)
        arrived: list[list[Any]] = [[] for _ in self.nodes]
        g: Any
        arrived[root.index].append(seed)
        for node, slots, y_right, args_right in self._roads:
            shares = arrived[node.index]
            if not shares:
                continue
            g = totals[node.index] = shares[0] if len(shares) == 1 else added(shares)
            op = node.op
            if op is None:
                continue
            if isinstance(g, Outer) and not op.ties:
                g = np.asarray(g)
            y, args = y_right, args_right
            if values is not None:
                y, args = values[node], [values[p] for p in node.parents]
            by_hand = hand is not None and (roles is None or (node.t is not None and node.role in roles))
            for slot, parent in slots:
                if through is None or through(node, slot):
                    share = hand(node, slot, g, y, args) if hand and by_hand else op.share(slot, g, y, args)
                    if share is not None:
                        arrived[parent].append(share)
        return totals

    @staticmethod
    def _read(totals: list[Any], node: Node | None, shape: tuple[int, ...]) -> Array:
        g = None if node is None else totals[node.index]
        return np.zeros(shape) if g is None else np.array(g, dtype=float)

    @cached_property
    def right(self) -> Numbers:
        """What is right."""
        return self.back()

    @cached_property
    def of_costs(self) -> dict[int, Array]:
        """What each step's cost receives from the whole: 1, or 1/T."""
        found: dict[int, Array] = {}

        def hand(node: Node, slot: int, g: Any, y: Any, args: Sequence[Any]) -> Any:
            share = by_rule(node, slot, g, y, args)
            parent = node.parents[slot]
            if parent in costs:
                found[parent.index] = np.asarray(share)
                return None
            return share

        costs = set(self.net.losses)
        self._sent(self.net.cost, np.ones_like(self.net.cost.value), hand)
        return found

    @cached_property
    def influence(self) -> dict[int, Numbers]:
        """By time step t, what the cost of that step alone gives."""
        return {
            t: self.back(root=cost) for t, cost in enumerate(self.net.losses, start=1) if cost.index in self.of_costs
        }

    def crossing(self, rule: Hand) -> dict[tuple[int, int], Any]:
        """What goes from a step to the step before, by a node's index and slot."""
        found = {}

        def hand(node: Node, slot: int, g: Any, y: Any, args: Sequence[Any]) -> Any:
            share = rule(node, slot, g, y, args)
            t, _ = self.states.get(node.parents[slot].index, (node.t, 0))
            if node.t and t != node.t:
                found[node.index, slot] = share
            return share

        self.back(hand)
        return found

    @cached_property
    def right_crossing(self) -> dict[tuple[int, int], Any]:
        """What rightly goes from a step to the step before."""
        return self.crossing(by_rule)

    def summed(self, keep: Callable[[str, int], NDArray[np.bool_]]) -> Numbers:
        """The costs' influence added up, of each cost the time steps that ``keep(name, t)`` says."""

        def summed(which: str) -> dict[str, Array]:
            names = getattr(self.right, which)
            return {
                name: sum(
                    (_rows(getattr(each, which)[name], keep(name, t)) for t, each in self.influence.items()), 0 * right
                )
                for name, right in names.items()
            }

        return Numbers(summed("copies"), summed("deltas"), self.right.values)

    def played(self, others: Mapping[Node, Array], compute: Callable[[Node, list[Array]], Any] | None = None) -> Values:
        """The values of a forward pass in which some nodes have other values, or some are computed otherwise."""
        values = Values([self.values[n] if n.op is None else None for n in self.nodes])
        for node, value in {**self.pinned, **others}.items():
            values[node] = np.array(value)
        for n in self.nodes:
            if n.op is not None and n not in values:
                args = [values[p] for p in n.parents]
                values[n] = n.op.value(*args) if compute is None else compute(n, args)
        return values

    def rotated(self, leaves: Sequence[Node], by: int) -> dict[Node, Array]:
        """Each leaf of a time step with the value of the one `by` steps on, around the ends."""
        return {leaf: self.values[leaves[(t + by) % self.T]] for t, leaf in enumerate(leaves)}

    @cached_property
    def of_weights(self) -> set[int]:
        """The nodes that are computed from weights alone."""
        found = {n.index for n in self.net.weights.values()}
        for n in self.nodes:
            if n.op is not None and n.parents and all(p.index in found for p in n.parents):
                found.add(n.index)
        return found

    @cached_property
    def old(self) -> set[int]:
        """The nodes that a step finds as the state before, or that are it seen otherwise or beside other numbers."""
        found: set[int] = set()
        for n in self.nodes:
            if n.t:
                found |= {p.index for p in n.parents if self.states.get(p.index, (n.t, 0))[0] == n.t - 1}
                moves = is_view(n) or block_of(n) is not None
                if moves and not is_tie(n) and any(p.index in found and not self._new(p, n.t) for p in n.parents):
                    found.add(n.index)
        return found

    def _new(self, node: Node, t: int) -> bool:
        return self.states.get(node.index, (-1, 0))[0] == t

    def products(self) -> dict[tuple[int, int], int]:
        """Products of the state before and a weight: the node's index and the state's slot, to the weight's."""
        found = {}
        for n in self.nodes:
            for slot, p in enumerate(n.parents if n.t else ()):
                if p.index in self.old and not self._new(p, n.t or 0):
                    product = product_with(n, slot)
                    if product is not None and n.parents[product.beside(slot)].index in self.of_weights:
                        found[n.index, slot] = product.beside(slot)
        return found

    def with_state(self, node: Node, state: Callable[[int], Array]) -> Array:
        """The value of a node of `old`, were the state before another one: ``state(k)`` for its part k."""
        if node.index in self.states:
            return state(self.states[node.index][1])
        assert node.op is not None  # it is computed from the state
        args = [self.with_state(p, state) if p.index in self.old else self.values[p] for p in node.parents]
        return np.asarray(node.op.value(*args))

    def title(self, node: Node) -> str:
        """What a node is called at any time step: what has a name is called by it, the rest by what it reads."""
        said = plain(node.latex)
        bare = said.removesuffix(f"({node.t})")
        if (node.name or is_repeated(node)) and "(" not in bare:
            return bare
        return re.sub(r"\((\d+)\)", lambda at: _ago((node.t or 0) - int(at[1])), said)

    def read_by(self, reader: Node, node: Node) -> str:
        """What a node is called beside one that reads it, with the time step of each: c(t-1)."""
        t, part = self.states.get(node.index, (node.t, 0))
        if t == 0 and reader.t == 1:
            return f"{self.title(self.parts[1][part])}(t-1)"
        said = self.title(node)
        if " " in said:
            return f"({said})"
        return said if "(" in said or t is None else f"{said}{_ago((reader.t or 0) - t)}"


def _ago(lag: int) -> str:
    return f"(t{-lag:+d})" if lag else "(t)"


def slips(of: Pass) -> Iterator[Mistake]:
    """Every slip that the network can have, most usual ones first."""
    yield from _over_time(of)
    yield from _over_copies(of)
    yield from _slopes(of)
    yield from _products(of)
    yield from _edges(of)
    yield from _targets(of)
    yield from _errors_of_costs(of)


def of_forward_passes(of: Pass) -> Iterator[Mistake]:
    """Slips of the forward pass that only its own numbers tell: a weight, or an activation."""

    def played(others: Mapping[Node, Array]) -> Numbers:
        return replace(of.right, values=of.found(of.played(others)))

    for name, w in of.net.weights.items():
        yield Mistake(f"{name} left out", "", partial(played, {w: 0 * of.values[w]}))
        other = turned(of.values[w])
        if other is not None:
            yield Mistake(f"{name}.T instead of {name}", "", partial(played, {w: other}))

    def otherwise(role: int, curve: Op | None) -> Numbers:
        def compute(n: Node, args: list[Array]) -> Any:
            assert n.op is not None  # it is asked of what is computed
            if n.t and n.role == role:
                return args[0] if curve is None else curve.value(args[0])
            return n.op.value(*args)

        return replace(of.right, values=of.found(of.played({}, compute)))

    for n in of.first:
        if _is_curve(n):
            assert n.op is not None  # a leaf is no curve
            yield Mistake(f"{n.op.name} left out, of {of.title(n)}", "", partial(otherwise, n.role, None))
            for curve in CURVES if n.op in CURVES else ():
                if curve is not n.op:
                    said = f"{curve.name} instead of {n.op.name}, of {of.title(n)}"
                    yield Mistake(said, "", partial(otherwise, n.role, curve))


def _rows(a: Array, keep: NDArray[np.bool_]) -> Array:
    return np.where(keep.reshape(-1, *[1] * (a.ndim - 1)), a, 0.0)


def _over_time(of: Pass) -> Iterator[Mistake]:
    """Errors that go back too few steps."""
    T = of.T
    times = np.arange(1, T + 1)

    def newest(h: int, _: str, t: int) -> NDArray[np.bool_]:
        return times > t - h

    for h in range(1, T):
        said = {1: "recurrent term left out", 2: "error handed on one step only"}
        name = said.get(h, f"error handed on {h - 1} steps only")
        yield Mistake(name, "G26", partial(of.summed, partial(newest, h)))

    def at_its_own(name: str) -> bool:
        """Whether a cost reaches the copy of its own step alone: the head's weights."""
        which = "copies" if name in of.right.copies else "deltas"
        return not any(np.delete(getattr(each, which)[name], t - 1, axis=0).any() for t, each in of.influence.items())

    def last_only(head_too: bool) -> Numbers:
        return of.summed(lambda name, t: times * 0 + (t == T or (not head_too and at_its_own(name))) > 0)

    yield Mistake("output term left out", "G22", lambda: last_only(False))
    yield Mistake("output term left out, for the head's weights too", "G22", lambda: last_only(True))


def _over_copies(of: Pass) -> Iterator[Mistake]:
    """Right shares, wrongly added up."""
    T = of.T
    times = np.arange(1, T + 1)

    def only(keep: NDArray[np.bool_]) -> Callable[[], Numbers]:
        return lambda: of.right.mapped(lambda c: _rows(c, keep))

    def moved(by: int) -> Numbers:
        kept = times < T if by == -1 else times > 1
        return of.right.mapped(lambda c: _rows(np.roll(c, -by, axis=0), kept[::-1]))

    yield Mistake("= instead of += (the first copy only)", "G28", only(times == 1))
    yield Mistake("the newest copy only", "G28", only(times == T))
    yield Mistake("the oldest copy lost", "G28", only(times > 1))
    yield Mistake("the newest copy lost", "G28", only(times < T))
    yield Mistake("copies in the wrong order", "G28", lambda: of.right.mapped(lambda c: c[::-1]))
    yield Mistake("copies one step late", "G28", partial(moved, -1))
    yield Mistake("copies one step early", "G28", partial(moved, 1))


def _is_curve(n: Node) -> bool:
    """Whether a node is a function of one argument with a slope that is not the same everywhere."""
    return n.op is not None and bool(n.op.ufuncs) and len(n.parents) == 1 and 0 not in n.op.linear


CURVES = (ops.tanh, ops.sigmoid, ops.relu)


def _slope_of(curve: Op, at: Bend) -> Any:
    return curve.share(0, at.g, at.y, [at.net])


def _slopes(of: Pass) -> Iterator[Mistake]:
    """Slopes of activations: left out, taken at another place, or at another time."""
    curves = [n for n in of.first if _is_curve(n) and n.active]
    groups = [({n.role}, f"of {of.title(n)}") for n in curves]
    if len(curves) > 1:
        groups.append(({n.role for n in curves}, "everywhere"))
        inner = {n.role for n in curves if not any(n is y for y in of.net.outputs)}
        if len(inner) < len(curves):
            groups.append((inner, "everywhere but at the output"))

    def changed(roles: set[int], slope: Slope) -> Numbers:
        def hand(node: Node, _: int, g: Any, y: Any, args: Sequence[Any]) -> Any:
            assert node.op is not None  # it is an activation
            return np.asarray(slope(Bend(node, node.op, g, y, args[0])))

        return of.back(hand, roles=roles)

    def at_another_time(by: int, at: Bend) -> Any:
        other = of.at[min(max((at.node.t or 1) + by, 1), of.T), at.node.role]
        return at.op.share(0, at.g, of.values[other], [of.values[other.parents[0]]])

    def twice(at: Bend) -> Any:
        return at.op.share(0, at.op.share(0, at.g, at.y, [at.net]), at.y, [at.net])

    kinds: list[tuple[str, str, Slope]] = [
        ("f' left out", "G9", lambda at: at.g),
        ("f' at its value instead of at net", "G9", lambda at: at.op.share(0, at.g, at.op.value(at.y), [at.y])),
        ("f' written with its value, used with net", "G14", lambda at: at.op.share(0, at.g, at.net, [at.net])),
        ("f' taken twice", "G9", twice),
        ("f' of the step after", "G26", partial(at_another_time, 1)),
        ("f' of the step before", "G26", partial(at_another_time, -1)),
    ]
    for roles, whose in groups:
        for said, equation, slope in kinds:
            yield Mistake(f"{said}, {whose}", equation, partial(changed, roles, slope))
    for n in curves:
        for curve in CURVES if n.op in CURVES else ():
            if curve is not n.op:
                said = f"the slope of {curve.name}, of {of.title(n)}"
                yield Mistake(said, "G9", partial(changed, {n.role}, partial(_slope_of, curve)))


def turned(w: Array) -> Array | None:
    """A matrix with each of its square blocks transposed, one below the other or side by side; None if it has none."""
    if w.ndim != 2 or not w.size:
        return None
    rows, columns = w.shape
    if rows % columns == 0:
        return np.concatenate([block.T for block in np.split(w, rows // columns)])
    if columns % rows == 0:
        return np.concatenate([block.T for block in np.split(w, columns // rows, axis=1)], axis=1)
    return None


def _products(of: Pass) -> Iterator[Mistake]:
    """The products of the state before with a weight: a matrix turned, or another state."""
    reading = of.products()  # the state's slot -> the weight's
    beside = {(index, weight): state for (index, state), weight in reading.items()}
    if not reading:
        return

    def turning() -> Numbers:
        def hand(node: Node, slot: int, g: Any, y: Any, args: Sequence[Any]) -> Any:
            if (node.index, slot) in reading:
                args, other = list(args), reading[node.index, slot]
                w = turned(args[other])
                args[other] = args[other] if w is None else w
            return by_rule(node, slot, g, y, args)

        return of.back(hand)

    recurrent = {
        name
        for index, slot in beside
        for name, w in of.net.weights.items()
        if name in of.right.copies and _made_of(of.nodes[index].parents[slot], w)
    }
    square = [name for name in recurrent if turned(of.net.weights[name].value) is not None]
    called = square[0] if len(square) == 1 else "U"
    yield Mistake(f"{called}.T instead of {called}", "G26", turning)

    def outer(names: set[str]) -> Numbers:
        copies = dict(of.right.copies)
        for name in names:
            each = [turned(c) for c in copies[name]]
            copies[name] = np.stack([c for c in each if c is not None]) if each[0] is not None else copies[name]
        return replace(of.right, copies=copies)

    yield Mistake("outer product transposed", "G12", lambda: outer(recurrent))
    if set(of.right.copies) - recurrent:
        yield Mistake("outer products transposed, of the other weights too", "G12", lambda: outer(set(of.right.copies)))

    def reading_state(state: Callable[[int, int], Array], at: Collection[int]) -> Callable[[], Numbers]:
        def hand(node: Node, slot: int, g: Any, y: Any, args: Sequence[Any]) -> Any:
            t = node.t
            if (node.index, slot) in beside and t and t in at:
                args, other = list(args), beside[node.index, slot]
                args[other] = of.with_state(node.parents[other], lambda k: state(t, k))
            return by_rule(node, slot, g, y, args)

        return lambda: of.back(hand)

    def value(t: int, k: int) -> Array:
        return of.values[of.parts[t][k]]

    yield Mistake("s(t) instead of s(t-1)", "G12", reading_state(value, range(1, of.T + 1)))
    yield Mistake("s(0) taken as zero", "G12", reading_state(lambda _, k: 0 * value(0, k), [1]))
    last = reading_state(lambda _, k: value(of.T, k), [1])
    yield Mistake("s(T) read where s(0) belongs, as index -1 does", "G12", last)


def _made_of(node: Node, weight: Node) -> bool:
    return node is weight or any(_made_of(p, weight) for p in node.parents)


def _edges(of: Pass) -> Iterator[Mistake]:
    """Roads of the error that are left out: a part of the state, an edge between two steps, a node within one."""
    width = len(of.parts[0])
    if width > 1:
        for k in range(width):
            name = of.title(of.parts[1][k])
            yield Mistake(
                f"the error of {name} not handed on in time", "G26", partial(of.back, through=_not_part(of, k)), "road"
            )
    crossing = {
        (n.role, slot): n
        for n in of.first
        for slot, p in enumerate(n.parents)
        if p.index in of.states and of.states[p.index][0] == 0 and n.op is not None and slot not in n.op.only_read
    }
    if len(crossing) > 1:
        for (role, slot), n in crossing.items():
            told = f"the error that goes from {of.title(n)} to the state before left out"
            yield Mistake(told, "G26", partial(of.back, through=partial(_not_along, role, slot)), "road")
    for n in of.first:
        if n.op is not None and n.active and n.name and not is_tie(n) and n.index not in of.states:
            told = f"the error of {of.title(n)} left out"
            yield Mistake(told, "", partial(of.back, through=partial(_not_to, n.role)), "road")


def _not_along(role: int, slot: int, node: Node, at: int) -> bool:
    return not node.t or (node.role, at) != (role, slot)


def _not_to(role: int, node: Node, slot: int) -> bool:
    parent = node.parents[slot]
    return not parent.t or parent.role != role


def _not_part(of: Pass, k: int) -> Through:
    def through(node: Node, slot: int) -> bool:
        t, part = of.states.get(node.parents[slot].index, (node.t or 0, -1))
        return t == node.t or part != k

    return through


def of_own_cells(of: Pass) -> Iterator[Mistake]:
    """Slips within a step, of which a cell has the more, the more it reads what it has computed."""
    readers: dict[Node, list[tuple[Node, int]]] = {}
    for n in of.first:
        for slot, p in enumerate(n.parents):
            if p.t and p.active and n.op is not None and slot not in n.op.only_read and not is_tie(p):
                readers.setdefault(p, []).append((n, slot))
    for p, each in readers.items():
        for n, slot in each if len(each) > 1 and p.index not in of.states else ():
            told = f"the error that goes from {of.read_by(n, n)} to {of.read_by(n, p)} left out"
            yield Mistake(told, "", partial(of.back, through=partial(_not_along, n.role, slot)), "road")
    yield from _turned_one_by_one(of)
    for n in of.first:
        for slot, p in enumerate(n.parents):
            if p.index in of.copy_of and (product := product_with(n, slot)) is not None:
                yield from _of_operand(of, n, slot, product.beside(slot))


def _turned_one_by_one(of: Pass) -> Iterator[Mistake]:
    """Each square matrix turned by itself, if it is not the only one that reads the state before."""
    places: dict[str, set[tuple[int, int]]] = {}
    for n in of.first:
        for slot, p in enumerate(n.parents):
            product = product_with(n, slot)
            if product is not None and p.active and p.index not in of.copy_of:
                w = n.parents[product.beside(slot)]
                if w.index in of.copy_of and turned(w.value) is not None:
                    places.setdefault(of.copy_of[w.index][0], set()).add((n.role, product.beside(slot)))
    recurrent = {(of.nodes[index].role, weight) for (index, _), weight in of.products().items()}

    def turning(at: set[tuple[int, int]]) -> Numbers:
        def hand(node: Node, slot: int, g: Any, y: Any, args: Sequence[Any]) -> Any:
            args = [
                a if k == slot or (node.role, k) not in at or (w := turned(a)) is None else w
                for k, a in enumerate(args)
            ]
            return by_rule(node, slot, g, y, args)

        return of.back(hand, roles={role for role, _ in at})

    for name, at in places.items():
        if at != recurrent:
            yield Mistake(f"{name}.T instead of {name}", "G26", partial(turning, at))
    everywhere = {each for at in places.values() for each in at}
    if len(places) > 1 and everywhere != recurrent:
        yield Mistake(f"{', '.join(places)} transposed, each of them", "G26", partial(turning, everywhere))


def _of_operand(of: Pass, product: Node, slot: int, beside: int) -> Iterator[Mistake]:
    """The share of a weight: the error times what the weight has multiplied, or something else of that shape."""
    q, (name, _) = product.parents[beside], of.copy_of[product.parents[slot].index]
    if not q.t or q.index in of.old or q.op is None:
        return

    def instead(factor: Factor) -> Numbers:
        def hand(node: Node, at: int, g: Any, y: Any, args: Sequence[Any]) -> Any:
            if at == slot:
                args = [factor(node) if k == beside else a for k, a in enumerate(args)]
            return by_rule(node, at, g, y, args)

        return of.back(hand, roles={product.role})

    others: list[tuple[str, Factor]] = [
        (of.read_by(product, state), partial(_before, of, k))
        for k, state in enumerate(of.parts[0])
        if state.shape == q.shape
    ]
    others += [
        (of.read_by(product, x), partial(_at, of, x.role, 0))
        for x in of.first
        if x is not q and x.shape == q.shape and (_is_curve(x) or x.index in of.states or x in q.parents)
    ]
    right = of.read_by(product, q)
    for said, factor in others:
        yield Mistake(f"{said} instead of {right}, in the share of {name}", "", partial(instead, factor))


def of_products(of: Pass) -> Iterator[Mistake]:
    """Products entry by entry, such as those with gates: a factor left out, or another one in its place."""
    for n in of.first:
        if computes(n, np.multiply) and len(n.parents) == 2:
            for slot, p in enumerate(n.parents):
                if p.active and not is_tie(p):
                    yield from _of_factor(of, n, slot)


Factor = Callable[[Node], Array]  # given the product at its time step


def _of_factor(of: Pass, product: Node, slot: int) -> Iterator[Mistake]:
    """The error that a product hands to an argument: it is to be multiplied by the other one."""
    p = product.parents[slot]
    sender = of.title(product)
    sends = f"in the error that {sender if '(' in sender else f'{sender}(t)'} sends to"
    whose = of.read_by(product, p)
    read_elsewhere = sum(p in n.parents for n in of.nodes) > 1
    goes_on = [q for q in p.parents if q.active] if p.t and not read_elsewhere else []
    for k, (said, factor) in enumerate(_instead(of, product, 1 - slot)):
        numbers = partial(_multiplied, of, product.role, slot, factor)
        yield Mistake(f"{said}, {sends} {whose}", "", numbers, "factor")
        for q in goes_on if len(goes_on) > 1 else ():
            if not k:
                along = partial(of.back, through=partial(_not_along, p.role, p.parents.index(q)))
                yield Mistake(
                    f"the error that goes from {whose} to {of.read_by(product, q)} left out", "", along, "factor"
                )
            edge = p.role, p.parents.index(q)
            yield Mistake(f"{said}, {sends} {of.read_by(product, q)}", "", partial(numbers, edge), "factor")
        if p.t and not k:
            yield from _in_part(of, f"{said}, {sends} {whose}", _multiplying(product.role, slot, factor))


def _instead(of: Pass, product: Node, slot: int) -> Iterator[tuple[str, Factor]]:
    """What may stand in the place of a factor, and what that is called."""
    q = product.parents[slot]
    name = of.read_by(product, q)

    def value(n: Node) -> Array:
        return of.values[n.parents[slot]]

    yield f"{name} left out", lambda n: np.ones_like(value(n))
    if q.op is None and not q.t and q.index not in of.states:
        return  # a number of the cell's own
    yield f"1 \N{MINUS SIGN} {name} instead of {name}", lambda n: 1 - value(n)
    yield f"\N{MINUS SIGN}{name} instead of {name}", lambda n: -value(n)
    for by in (1, -1) if q.t else ():
        at = f"{of.title(q)}(t{by:+d})" if q.name else f"that of the step {'after' if by == 1 else 'before'}"
        yield f"{at} instead of {name}", partial(_at, of, q.role, by)
    others = [x for x in of.first if x.shape == q.shape and x is not q and (_is_curve(x) or x.index in of.states)]
    if _is_curve(q) and q.parents[0] not in others:
        others.append(q.parents[0])
    for x in others:
        if x.t:
            yield f"{of.read_by(product, x)} instead of {name}", partial(_at, of, x.role, 0)
    for k, state in enumerate(of.parts[0]):
        if state.shape == q.shape and state is not q:
            said = f"{of.read_by(product, state)} instead of {name}"
            yield said, partial(_before, of, k)


def _at(of: Pass, role: int, by: int, n: Node) -> Array:
    return of.values[of.at[min(max((n.t or 1) + by, 1), of.T), role]]


def _before(of: Pass, part: int, n: Node) -> Array:
    return of.values[of.parts[(n.t or 1) - 1][part]]


def _multiplying(role: int, slot: int, factor: Factor) -> Hand:
    def hand(node: Node, at: int, g: Any, y: Any, args: Sequence[Any]) -> Any:
        return g * factor(node) if node.t and node.role == role and at == slot else by_rule(node, at, g, y, args)

    return hand


def _multiplied(of: Pass, role: int, slot: int, factor: Factor, along: tuple[int, int] | None = None) -> Numbers:
    """With another factor in a product, for all that it hands on or for what goes on along one edge alone."""
    if along is None:
        return of.back(_multiplying(role, slot, factor), roles={role})
    wrong: dict[int | None, Any] = {}

    def hand(node: Node, at: int, g: Any, y: Any, args: Sequence[Any]) -> Any:
        if node.t and (node.role, at) == (role, slot):
            wrong[node.t] = g * factor(node)
        return by_rule(node, at, wrong[node.t] if node.t and (node.role, at) == along else g, y, args)

    return of.back(hand, roles={role, along[0]})


def _in_part(of: Pass, said: str, wrong: Hand) -> Iterator[Mistake]:
    """A wrong rule that holds for the weights alone, for one of them, or only on the way to the step before."""

    def kept(rule: Hand, crossing: Mapping[tuple[int, int], Any]) -> Numbers:
        """By a rule, with what goes from step to step as another pass had it."""

        def hand(node: Node, slot: int, g: Any, y: Any, args: Sequence[Any]) -> Any:
            return crossing[node.index, slot] if (node.index, slot) in crossing else rule(node, slot, g, y, args)

        return of.back(hand)

    @cache
    def of_weights() -> Numbers:
        return kept(wrong, of.right_crossing)

    def of_one(name: str) -> Numbers:
        return replace(of.right, copies=of.right.copies | {name: of_weights().copies[name]})

    yield Mistake(f"{said}, on the way back alone", "", lambda: kept(by_rule, of.crossing(wrong)), "factor")
    yield Mistake(f"{said}, for the weights alone", "", of_weights, "factor")
    for name in of.right.copies:
        yield Mistake(f"{said}, for {name} alone", "", partial(of_one, name), "factor")


def _targets(of: Pass) -> Iterator[Mistake]:
    """Another forward pass than the one that was asked for."""

    def rotated(leaves: Sequence[Node], by: int) -> Numbers:
        return of.back(values=of.played(of.rotated(leaves, by)))

    for what, equation, leaves in (("target", "G17", of.net.targets), ("input", "G5", of.net.inputs)):
        yield Mistake(f"the {what} of the step after", equation, partial(rotated, leaves, 1))
        yield Mistake(f"the {what} of the step before", equation, partial(rotated, leaves, -1))
    zeros = {part: 0 * part.value for part in of.parts[0] if part.op is None}
    if any(part.value.any() for part in zeros):
        yield Mistake(
            "the forward pass started from zeros instead of s(0)", "G5", lambda: of.back(values=of.played(zeros))
        )
    paying = [node for step in of.net._steps for what, node in step.data.items() if what in ("mask", "weight")]
    if paying:
        ones = {node: np.ones_like(node.value) for node in paying}
        yield Mistake("the mask or the weights of the samples ignored", "G5", lambda: of.back(values=of.played(ones)))
        costs = {node: ones[node] for step in of.net._steps for node in _last_of(step.data)}
        if len(costs) < len(ones):
            yield Mistake("padded steps pay", "G5", lambda: of.back(values=of.played(costs)))


def _last_of(data: Mapping[str, Node]) -> list[Node]:
    return [data[what] for what in ("weight", "mask") if what in data][:1]


def _errors_of_costs(of: Pass) -> Iterator[Mistake]:
    """The errors that other costs would give, at the net of a softmax."""
    reading = {
        n.index: (n.parents.index(y), n.parents.index(d))
        for n in of.nodes
        if n.op is not None and n.op.only_read and n.t
        for y, d in [(of.net.outputs[n.t - 1], of.net.targets[n.t - 1])]
        if y in n.parents and d in n.parents
    }
    if not reading:
        return

    def instead(error: Callable[[Array, Array, Array], Array]) -> Callable[[], Numbers]:
        def hand(node: Node, slot: int, g: Any, y: Any, args: Sequence[Any]) -> Any:
            share = by_rule(node, slot, g, y, args)
            if node.index not in reading:
                return share
            y_at, d_at = reading[node.index]
            y, d, net = args[y_at], args[d_at], args[slot]
            right = y * d.sum(axis=-1, keepdims=True) - d
            scale = (share * right).sum(-1, keepdims=True) / np.maximum((right * right).sum(-1, keepdims=True), 1e-300)
            with np.errstate(all="ignore"):
                return scale * error(y, d, net)

        return lambda: of.back(hand)

    def through_softmax(y: Array, r: Array) -> Array:
        return y * (r - (y * r).sum(axis=-1, keepdims=True))

    yield Mistake("the slope of a sigmoid too many, (8)", "G17", instead(lambda y, d, _: (y - d) * y * (1 - y)))
    yield Mistake("the squared error instead", "G17", instead(lambda y, d, _: through_softmax(y, y - d)))
    yield Mistake(
        "the cost (16), which is a sigmoid's",
        "G17",
        instead(lambda y, d, _: through_softmax(y, (y - d) / (y * (1 - y)))),
    )
    yield Mistake("softmax left out: net - d", "G17", instead(lambda _, d, net: net - d))
    if not all(np.allclose(of.values[d].sum(axis=-1), 1) for d in of.net.targets):
        yield Mistake("y - d, where targets do not add up to 1", "G17", instead(lambda y, d, _: y - d))


def _round_numbers(low: int, high: int) -> list[float]:
    """Numbers as people choose them, of those powers of ten."""
    return [float(f"{digit}e{power}") for power in range(low, high + 1) for digit in (1, 2, 5)] + [10.0 ** (high + 1)]


class Fitted(NamedTuple):
    """A family of slips with one number, which is looked for: what it is called with it, where, and what it gives."""

    name: str
    equation: str
    numbers: Callable[[float], Numbers]
    among: Sequence[float]


def fitted(of: Pass) -> Iterator[Fitted]:
    """Slips with a number of which nobody knows what it was."""
    reading = of.products()
    nets = {n.parents[0].role for n in of.first if _is_curve(n) and n.parents[0].index not in of.states}
    nets |= {of.nodes[index].role for index, _ in reading}

    def clipped(limit: float) -> Numbers:
        def hand(node: Node, slot: int, g: Any, y: Any, args: Sequence[Any]) -> Any:
            late = node.t and node.t < of.T and node.role in nets and node.op is not None
            return by_rule(node, slot, np.clip(g, -limit, limit) if late else g, y, args)

        return of.back(hand)

    def handed_on(limit: float) -> Numbers:
        def hand(node: Node, slot: int, g: Any, y: Any, args: Sequence[Any]) -> Any:
            share, parent = by_rule(node, slot, g, y, args), node.parents[slot]
            t, _ = of.states.get(parent.index, (node.t, 0))
            return np.clip(share, -limit, limit) if t != node.t else share

        return of.back(hand)

    limits = _round_numbers(-3, 0)
    yield Fitted("error clipped on its way, at {}", "G26", clipped, limits)
    yield Fitted("error clipped as it is handed on, at {}", "G26", handed_on, limits)

    def updated(eta: float) -> Numbers:
        """Each share is taken off its weight, this step's too before the error passes on to the step before."""
        taken: dict[str, Array] = {}

        def hand(node: Node, slot: int, g: Any, y: Any, args: Sequence[Any]) -> Any:
            now, through = list(args), reading.get((node.index, slot))
            for k, p in enumerate(node.parents):
                if p.index in of.copy_of and k != slot:
                    name, _ = of.copy_of[p.index]
                    own = np.asarray(by_rule(node, k, g, y, args)) if k == through else 0.0
                    now[k] = args[k] - eta * (taken.get(name, 0.0) + own)
            share = by_rule(node, slot, g, y, now)
            if node.parents[slot].index in of.copy_of:
                name, _ = of.copy_of[node.parents[slot].index]
                taken[name] = taken.get(name, 0.0) + np.asarray(share)
            return share

        return of.back(hand)

    yield Fitted("weights updated while the error goes back, eta = {}", "G28", updated, _round_numbers(-4, -1))
