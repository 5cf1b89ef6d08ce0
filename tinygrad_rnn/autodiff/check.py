"""The derivative check: every rule and every cotangent of a tape against slopes measured at the very values on it.

A slope is measured with the complex step, which reads it off an imaginary part of 1e-30 and subtracts
nothing. Whether an op's value takes complex numbers is found out by a central difference of the fourth
order beside it; where it does not, that difference is what counts.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .asked import asked, takes
from .calling import numbers, shortened
from .chain import pullback, received
from .errors import TapeError, UsageError
from .node import Node
from .nonfinite import bad_value, largest, place
from .op import Op
from .passes import Array, Cotangents, Values
from .tape import Tape

STEP = 1e-4  # of the differences, relative to the size of what is moved
MOST_SLOPES = 200_000  # measured for cotangents: beyond, some nodes are drawn


@dataclass(frozen=True)
class Finding:
    """One comparison of a derivative with a measured slope.

    Attributes
    ----------
    kind : str
        ``value``, ``vjp``, ``jvp``, ``cotangent``, or what the check of a network adds.
    node : Node
        The node whose op, or whose cotangent, was looked at.
    slot : int or None
        Which argument of the op, where it can be said.
    difference : float
        Relative to the size of the slope.
    """

    kind: str
    node: Node
    slot: int | None
    difference: float

    def __str__(self) -> str:
        node, op = self.node, self.node.op.name if self.node.op else "leaf"
        where = place(node)
        if self.kind in ("value", "vjp", "jvp"):
            argument = "" if self.slot is None else f", argument {self.slot}, {node.parents[self.slot]}"
            return f"the {self.kind} of {op}{where} ({node}){argument}"
        whose = "gradient of the copy" if self.kind == "copy" else f"{self.kind} of"
        return f"the {whose} {node}{where} ({op})"


@dataclass
class Compared:
    """All comparisons of one kind: how many, how many were left out, the largest difference, the first wrong one."""

    kind: str
    count: int = 0  # compared, though some entries may have been left out
    left_out: int = 0
    largest: float = 0.0
    first: Finding | None = None

    def add(self, finding: Finding, tolerance: float) -> None:
        """Count a comparison."""
        self.count += 1
        self.largest = max(self.largest, finding.difference)
        if self.first is None and finding.difference > tolerance:
            self.first = finding


@dataclass(frozen=True)
class CheckReport:
    """What a derivative check has compared. It prints as a table.

    Attributes
    ----------
    compared : mapping of str to Compared
        By kind: ``value`` (each op computed again), ``vjp`` and ``jvp`` (each op's rules), ``cotangent``
        (each node disturbed), and for a network ``copy`` (one copy of a weight disturbed alone) and
        ``gradient`` (all copies of a weight disturbed alike).
    """

    compared: Mapping[str, Compared]

    @property
    def first(self) -> Finding | None:
        """The first thing that is wrong: in the order of the forward pass for ops, of the backward pass for errors."""
        return next((c.first for c in self.compared.values() if c.first), None)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.first is None

    @property
    def largest(self) -> float:
        """The largest relative difference of all."""
        return max((c.largest for c in self.compared.values()), default=0.0)

    def __str__(self) -> str:
        first = self.first
        told = "every derivative agrees with the measured slope"
        if first is not None:
            told = f"{first} is wrong: relative difference {first.difference:.1e}"
        lines = [told, f"{'':<10}{'compared':>10}{'left out':>10}{'largest difference':>20}"]
        for c in self.compared.values():
            wrong = f"   first wrong: {c.first}" if c.first else ""
            lines.append(f"{c.kind:<10}{c.count:>10}{c.left_out:>10}{c.largest:>20.1e}{wrong}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)


@asked
def check(f: Callable[..., Any], *args: Any, rng: int | np.random.Generator | None = 0) -> CheckReport:
    """Check the derivatives of an op, or of any function of nodes, with respect to all its arguments.

    Parameters
    ----------
    f : callable
        It takes nodes and returns a node, such as ``tg.ops.tanh``.
    *args : array_like
        The point at which to check.
    rng : int or numpy.random.Generator, optional
        Where the random directions come from.

    Raises
    ------
    TypeError
        If `f` does not return a node.
    TapeError
        If the value depends on none of the arguments.
    """
    tape = Tape()
    leaves = [tape.leaf(numbers(a, k), f"a_{k}") for k, a in enumerate(args)]
    if not takes(len(args))(f):
        raise UsageError(f"check: f={shortened(f)} cannot be called with {len(args)} arguments")
    y = f(*leaves)
    if not isinstance(y, Node):
        raise TypeError(
            f"the function returned {type(y).__name__}: it must return a node, computed with ops from nodes"
        )
    return check_tape(tape, y, rng)


def check_tape(
    tape: Tape,
    root: Node,
    rng: int | np.random.Generator | None = 0,
    kind: Callable[[Node], str] | None = None,
) -> CheckReport:
    """Check every op on a tape up to `root`, and what comes back from it to every node. The tape stays as it is.

    If a backward pass from `root` was the last one, what it has brought is checked; else one is run for the
    purpose and forgotten.

    Parameters
    ----------
    tape : Tape
        The tape.
    root : Node
        Where the error starts.
    rng : int or numpy.random.Generator, optional
        Where the random directions come from.
    kind : callable, optional
        What the comparison of a node's cotangent is called; ``cotangent`` if it is not said.

    Raises
    ------
    TapeError
        If the forward pass was not run to its end, a value is not finite, or no error can be sent from `root`.
    """
    if tape.waiting is not None:
        raise TapeError(
            f"check before forward: {tape.waiting} has changed or was not computed; replay to the end first"
        )
    if not root.active:
        raise TapeError(f"{root} depends on no weight and no state: there is nobody to send error to")
    back = tape.cotangents if tape.swept is root else None
    return check_pass(tape.nodes[: root.index + 1], tape.values, back, rng, kind)


def check_pass(
    nodes: Sequence[Node],
    values: Values,
    back: Cotangents[Any] | None,
    rng: int | np.random.Generator | None = 0,
    kind: Callable[[Node], str] | None = None,
) -> CheckReport:
    """Check the numbers of a pass forwards, and of one backwards from the last node; see `check_tape`."""
    bad = bad_value(nodes, values)
    if bad is not None:
        raise TapeError(f"only finite numbers have derivatives to be checked: {bad}")
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        return _Checking(nodes, values, np.random.default_rng(rng)).report(back, kind)


class _Checking:
    """One check: the slopes measured so far, and what was found."""

    def __init__(self, nodes: Sequence[Node], values: Values, rng: np.random.Generator) -> None:
        self.nodes, self.values, self.root, self.rng = nodes, values, nodes[-1], rng
        eps = float(np.finfo(values[self.root].dtype).eps)
        self.tolerance = max(float(np.sqrt(eps)), 1.5e-8)  # of what the complex step has measured
        self.coarse = max(1e-6, self.tolerance)  # of a difference
        self.floor = 1e3 * self.tolerance  # the part of a value's size below which its slope is rounding
        self.real: set[int] = set()  # nodes whose op does not take complex numbers
        self.corners: dict[int, Array] = {}  # where a value has no slope: left and right ones differ
        self.compared: dict[str, Compared] = {}

    def report(self, back: Cotangents[Any] | None, kind: Callable[[Node], str] | None) -> CheckReport:
        for name in ("value", "vjp", "jvp"):
            self.compared[name] = Compared(name)
        for node in self.nodes:
            if node.op is not None:
                self._op(node, node.op)
        seed = np.ones_like(self.values[self.root])
        if back is None or self.root.ndim:
            if self.root.ndim:
                seed = self.rng.normal(size=self.root.shape)
            back = Cotangents(len(self.nodes), {self.root: [seed]})
            for _ in pullback(self.nodes, back, self.values.__getitem__, received):
                pass
        wanted: dict[str, list[Node]] = {}
        for node in reversed(self.nodes):
            if node.active:
                wanted.setdefault(kind(node) if kind else "cotangent", []).append(node)
        most = max(10, 2 * MOST_SLOPES // len(self.nodes))
        for name, nodes in wanted.items():
            drawn = np.sort(self.rng.permutation(len(nodes))[:most])
            self.compared[name] = Compared(name, left_out=len(nodes) - len(drawn))
            for k in drawn:
                self._cotangent(name, nodes[k], back[nodes[k]], seed)
        return CheckReport(self.compared)

    # ---- ops

    def _op(self, node: Node, op: Op) -> None:
        args = [self.values[p] for p in node.parents]
        y = np.asarray(op.value(*args))
        off = _relative(y - self.values[node], y, 0.0) if y.shape == node.shape else np.inf
        self._add("value", node, None, off)
        slots = [k for k, p in enumerate(node.parents) if p.active and k not in op.only_read and op.rule(k)]
        if not slots:
            return
        tangents = {k: self._direction(args[k]) for k in slots}
        slopes = self._measured(node, op, tangents)
        smooth = ~self.corners.get(node.index, np.zeros(node.shape, bool))
        if not smooth.all():
            self.compared["vjp"].left_out += 1
            self.compared["jvp"].left_out += 1
        g = self.rng.normal(size=node.shape) * smooth
        for which, off_by in (("vjp", self._vjp), ("jvp", self._jvp)):
            if which == "jvp" and not all(map(op.can_push, slots)):
                self.compared[which].left_out += 1
                continue
            off = off_by(node, op, tangents, slopes, g)
            slot = slots[0] if len(slots) == 1 else None
            if off > self._tolerance(node) and slot is None:
                for k, u in tangents.items():
                    alone = {k: u}
                    if off_by(node, op, alone, self._measured(node, op, alone), g) > self._tolerance(node):
                        slot = k
                        break
            self._add(which, node, slot, off)

    def _vjp(self, node: Node, op: Op, tangents: Mapping[int, Array], slopes: Array, g: Array) -> float:
        args = [self.values[p] for p in node.parents]
        found = 0.0
        for k, u in tangents.items():
            share = np.asarray(op.share(k, g.astype(self.values[node].dtype), self.values[node], args))
            if share.shape != u.shape:
                return np.inf
            found += float((share * u).sum())
        size = float(np.abs(g * slopes).sum() + self.floor * np.abs(g).sum() * largest(self.values[node]))
        return _relative(np.asarray(found - (g * slopes).sum()), np.asarray(size), 0.0)

    def _jvp(self, node: Node, op: Op, tangents: Mapping[int, Array], slopes: Array, g: Array) -> float:
        args = [self.values[p] for p in node.parents]
        found = np.zeros(node.shape)
        for k, u in tangents.items():
            pushed = np.asarray(op.push(k, u.astype(args[k].dtype), self.values[node], args))
            if pushed.shape != node.shape:
                return np.inf
            found = found + pushed
        smooth = g != 0
        return _relative((found - slopes) * smooth, slopes * smooth, self.floor * largest(self.values[node]))

    def _measured(self, node: Node, op: Op, tangents: Mapping[int, Array]) -> Array:
        """The slopes of an op along tangents of its arguments, measured both ways.

        An argument that is only read goes along where it is computed from those that are moved: a
        cross-entropy reads both net and y = softmax(net), and its rule counts what y says.
        """
        tangents = dict(tangents) | self._followers(node, op, tangents)
        args = [self.values[p] for p in node.parents]
        by_difference, corner = _difference(op, args, tangents)
        exact = _complex_step(op, args, tangents)
        if corner.any():
            self.corners[node.index] = corner
        if (
            exact is not None
            and _relative((exact - by_difference) * ~corner, exact, self.floor * largest(self.values[node])) < 1e-3
        ):
            return exact
        self.real.add(node.index)
        return by_difference

    def _followers(self, node: Node, op: Op, tangents: Mapping[int, Array]) -> dict[int, Array]:
        followers = [k for k in op.only_read if k < len(node.parents) and node.parents[k].active]
        if not followers:
            return {}
        moved: dict[int, Array] = {}
        for k, u in tangents.items():
            moved.setdefault(node.parents[k].index, u)
        self._carry(moved, min(moved), max(node.parents[k].index for k in followers))
        return {k: moved[i] for k in followers if (i := node.parents[k].index) in moved}

    def _tolerance(self, node: Node) -> float:
        return self.coarse if node.index in self.real else self.tolerance

    # ---- cotangents

    def _cotangent(self, kind: str, node: Node, g: Any, seed: Array) -> None:
        u = self._direction(self.values[node])
        moved = {node.index: u}
        if not self._carry(moved, node.index, self.root.index):
            self.compared[kind].left_out += 1
            return
        measured = float((seed * moved.get(self.root.index, 0.0)).sum())
        sent = np.zeros(node.shape) if g is None else np.asarray(g) * u
        size = float(np.abs(sent).sum() + self.floor * np.abs(seed * self.values[self.root]).sum())
        self._add(
            kind, node, None, _relative(np.asarray(sent.sum() - measured), np.asarray(size), 0.0), bool(self.real)
        )

    def _carry(self, moved: dict[int, Array], first: int, last: int) -> bool:
        """Carry disturbances along the tape by measured slopes; False where they meet what has none."""
        for node in self.nodes[first + 1 : last + 1]:
            if node.op is None or not node.active or node.index in moved:
                continue
            tangents = {k: moved[p.index] for k, p in enumerate(node.parents) if p.index in moved}
            if not tangents:
                continue
            if node.index in self.corners:
                return False
            args = [self.values[p] for p in node.parents]
            slopes = None if node.index in self.real else _complex_step(node.op, args, tangents)
            if slopes is None:
                slopes = _difference(node.op, args, tangents)[0]
            read = [k for k in tangents if k in node.op.only_read]
            if len(read) == len(tangents):
                if slopes.any():  # what is only read was moved alone: nobody has promised a slope for that
                    return False
                continue
            if read and _jumps(node.op, args, {k: tangents[k] for k in read}):  # a choice that is turned over
                return False
            moved[node.index] = slopes
        return True

    # ---- small things

    def _direction(self, a: Array) -> Array:
        """A random direction, entry by entry of the size of what it moves: no logarithm leaves its domain."""
        size = np.abs(a, dtype=float)
        rest = float(np.sqrt((size**2).mean())) if size.any() else 1.0
        return self.rng.normal(size=a.shape).clip(-3, 3) * np.where(size == 0, rest, size)

    def _add(self, kind: str, node: Node, slot: int | None, difference: float, coarse: bool = False) -> None:
        tolerance = self.coarse if coarse else self._tolerance(node)
        self.compared[kind].add(Finding(kind, node, slot, difference), tolerance)


def _relative(difference: Array, size: Array, floor: float) -> float:
    off, scale = largest(difference), largest(size) + floor
    if off == 0:
        return 0.0
    return off / scale if scale > 0 and np.isfinite(off) else np.inf


def _complex_step(op: Op, args: Sequence[Array], tangents: Mapping[int, Array]) -> Array | None:
    """The slope along the tangents, off an imaginary part that is too small to round; None if there is none to read."""
    size = max(map(largest, tangents.values()))
    if size == 0:
        return np.zeros(np.shape(op.value(*args)))
    given: list[Array] = []
    for k, a in enumerate(args):
        if k in tangents:
            given.append(a + 1e-30j * (tangents[k] / size))
        else:
            given.append(a.astype(complex if op.rule(k) else float))
    try:
        y = np.asarray(op.value(*given))
    except Exception:  # an op may say in any way that it takes no complex numbers
        return None
    return y.imag * (1e30 * size) if y.dtype.kind == "c" else None


def _jumps(op: Op, args: Sequence[Array], tangents: Mapping[int, Array]) -> bool:
    """Whether the value is another one as soon as entries that are 0 are not."""
    moved = [a + 1e-30 * tangents[k] if k in tangents else a for k, a in enumerate(args)]
    y = np.asarray(op.value(*args))
    return largest(op.value(*moved) - y) > 1e-3 * largest(y)


def _difference(op: Op, args: Sequence[Array], tangents: Mapping[int, Array]) -> tuple[Array, Array]:
    """The slope along the tangents by differences of the fourth order, and where left and right slopes differ."""
    scale = min((largest(args[k]) or 1.0) / (largest(u) or 1.0) for k, u in tangents.items())
    at = {}
    for k in (-2, -1, 0, 1, 2):
        given = [a.astype(float) for a in args]
        for slot, u in tangents.items():
            given[slot] = given[slot] + k * STEP * scale * u
        at[k] = np.asarray(op.value(*given), float)
    slope = (8 * (at[1] - at[-1]) - at[2] + at[-2]) / 12
    right, left = (4 * at[1] - at[2] - 3 * at[0]) / 2, (3 * at[0] - 4 * at[-1] + at[-2]) / 2
    corner = np.abs(right - left) > 1e-3 * largest(slope) + 1e-12 * largest(at[0])
    return slope / (STEP * scale), corner
