"""Somebody's own gradients against the tape's: the first wrong number, and which mistake gives just these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, ShapeError, Values
from ..autodiff.asked import asked
from ..autodiff.calling import numbers, shortened, whole
from ..unfold import Unfolded
from .slips import Fitted, Mistake, Numbers, Pass, fitted, of_forward_passes, of_own_cells, of_products, slips

Array = NDArray[Any]
Kind = Literal["copies", "grads", "deltas", "values"]
GOLDEN = (5**0.5 - 1) / 2
HASTE = 10.0  # how much faster numbers may change between two that were tried than they do from one to the other


@dataclass(frozen=True)
class Wrong:
    """A number that is wrong.

    Attributes
    ----------
    name : str
        The weight, or the node whose delta it is.
    t : int or None
        The time step; None of a gradient.
    entry : tuple of int
        Which entry, counted from 1.
    given, right : float
    slope : float or None
        What a difference quotient says, which asks no rule of backpropagation; None of a value.
    kind : str
    """

    name: str
    t: int | None
    entry: tuple[int, ...]
    given: float
    right: float
    slope: float | None
    kind: Kind

    def __str__(self) -> str:
        at = "" if self.t is None else f"({self.t})"
        before = {"deltas": "delta of ", "values": ""}.get(self.kind, "∂C/∂")
        entry = f"[{', '.join(map(str, self.entry))}]" if self.entry else ""
        measured = "" if self.slope is None else f" (a difference quotient: {self.slope:.6g})"
        return f"{before}{self.name}{at}{entry} is {self.given:.6g}; right is {self.right:.6g}{measured}"


@dataclass(frozen=True)
class Explanation:
    """A mistake that gives these numbers, or comes near to them.

    Attributes
    ----------
    name : str
    equation : str
        The id of Guo's equation that is not kept, such as ``G26``; empty if there is none.
    off : float
        By how much of the largest given number it misses them.
    own : bool
        Whether the equation is the network's own; else it is what corresponds to it in Guo's network.
    """

    name: str
    equation: str
    off: float
    own: bool = True

    def __str__(self) -> str:
        where = f"{'equation' if self.own else 'compare equation'} ({self.equation[1:]})"
        return f"{self.name}, {where}" if self.equation else self.name


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` found; it prints.

    Attributes
    ----------
    first_wrong : Wrong or None
        The first wrong number in the order of the computation, of the way back from t = T down; None if all are right.
    explanations : tuple of Explanation
        The mistakes that give just these numbers: several, where these data cannot tell them apart.
    nearest : tuple of Explanation
        Where none does, those that come nearest: no explanation.
    """

    first_wrong: Wrong | None
    explanations: tuple[Explanation, ...]
    nearest: tuple[Explanation, ...]

    @property
    def right(self) -> bool:
        """Whether all numbers are right."""
        return self.first_wrong is None

    def __str__(self) -> str:
        if self.right:
            return "all right"
        lines = [f"first wrong: {self.first_wrong}"]
        if self.explanations:
            lines += ["just what comes out of:" if len(self.explanations) == 1 else "just what comes out of any of:"]
            lines += [f"  {each}" for each in self.explanations]
        else:
            lines += ["none of the mistakes known here gives these numbers; nearest, and not it:"]
            lines += [f"  {each}, off by {100 * each.off:.2g} % of the largest" for each in self.nearest]
        return "\n".join(lines)


@asked
def diagnose(
    net: Unfolded,
    *,
    copies: Mapping[str, Any] | None = None,
    grads: Mapping[str, Any] | None = None,
    deltas: Mapping[str, Any] | None = None,
    values: Mapping[str, Any] | None = None,
    with_values: Mapping[str, Any] | None = None,
    digits: int | None = None,
) -> Diagnosis:
    """Compare numbers of your own with the network's, and find the mistake that gives them.

    Parameters
    ----------
    net : Unfolded
        The same network, with the same weights and data, its forward pass done.
    copies : mapping of str to array_like, (T, ...)
        What each time copy of a weight gives to its gradient, dC / d copy, for some weights or all.
    grads : mapping of str to array_like
        The gradients, if these are all that you have.
    deltas : mapping of str to array_like, (T, B, m)
        Errors as Guo has them, -dC / d net, by the name of the node in each step, such as ``"net_j"``.
    values : mapping of str to array_like, (T, B, m)
        What your forward pass has found, by the name of the node, such as ``"s"``.
    with_values : mapping of str to array_like, (T, B, m)
        Values that the numbers were worked out with. Where one of them is wrong, what follows from it is what is right:
        one slip at the beginning is not held against all the rest.
    digits : int, optional
        How many significant digits the numbers were rounded to. They are taken to be right to about six without it.

    Returns
    -------
    Diagnosis

    Raises
    ------
    ValueError
        If not exactly one of `copies`, `grads`, `deltas` and `values` is given, or it is empty, or a number is not
        finite.
    KeyError
        If there is no such weight, or no such node.
    ShapeError
        If a shape is wrong.

    Notes
    -----
    Every candidate is the network's own backward pass with one rule not kept, times the usual wrong factors. Numbers in
    which a mistake cannot be seen do not name it.
    """
    offered: dict[Kind, Mapping[str, Any] | None]
    offered = {"copies": copies, "grads": grads, "deltas": deltas, "values": values}
    given_kinds: list[Kind] = [kind for kind, arrays in offered.items() if arrays is not None]
    if len(given_kinds) != 1:
        raise ValueError(
            f"diagnose: {' and '.join(given_kinds) or 'nothing'} given: pass copies=, grads=, deltas= or values="
        )
    (kind,) = given_kinds
    if digits is not None and not 1 <= whole("digits", digits) <= 17:
        raise ValueError(f"digits={shortened(digits)}: numbers have from 1 to 17 significant digits")
    net._need_forward()
    if net.cuts:
        raise ValueError(f"the network is cut at {net.cuts}: take the cuts off, net.cuts = (), to compare with it")
    arrays = offered[kind] or {}
    tolerance = 1e-6 if digits is None else 0.6 * 10.0 ** (1 - digits)
    pinned = _pinned(net, with_values, tolerance) if with_values is not None else {}
    of = Pass(net, _known_nodes(net, kind, arrays) if kind in ("deltas", "values") else (), pinned)
    judge = _Judge(of, kind, _fitting(of, kind, arrays), tolerance)
    wrong = judge.first_wrong()
    if wrong is None:
        return Diagnosis(None, (), ())
    found = judge.ranked()
    told = [each for each in found if each.off <= judge.tolerance]
    return Diagnosis(wrong, tuple(told), () if told else tuple(found[:2]))


def _known_nodes(net: Unfolded, kind: Kind, arrays: Mapping[str, Any]) -> tuple[str, ...]:
    in_steps = [{n.name for n in net.tape.nodes[: net._size] if n.t == t and n.name} for t in range(1, net.T + 1)]
    common = set.intersection(*in_steps)
    for name in arrays:
        if name not in common:
            raise KeyError(f"{kind}: no step has a node {name!r}; each has {', '.join(sorted(common))}")
    return tuple(arrays)


def _pinned(net: Unfolded, values: Mapping[str, Any], tolerance: float) -> dict[Node, Array]:
    """The nodes of which wrong values were given, with these where they are wrong."""
    names = _known_nodes(net, "values", values)
    found: dict[Node, Array] = {}
    while True:
        of = Pass(net, names, found)
        judge = _Judge(of, "values", _fitting(of, "values", values), tolerance)
        node = judge.first_wrong_node()
        if node is None:
            return found
        found[node] = judge.as_given(node)


def _fitting(of: Pass, kind: Kind, arrays: Mapping[str, Any]) -> dict[str, Array]:
    """The given arrays, each of the shape of what it is compared with."""
    if not arrays:
        raise ValueError(f"{kind} is empty: there is nothing to compare")
    right = _of_kind(of.right, kind)
    found = {}
    for name, array in arrays.items():
        if name not in right:
            raise KeyError(f"{kind}: there is no weight {name!r}; there are {', '.join(right)}")
        found[name] = a = np.asarray(numbers(array, f"{kind}[{name!r}]"), dtype=float)
        if a.shape != right[name].shape:
            hint = "; it is the transpose" if a.shape == right[name].shape[::-1] else ""
            raise ShapeError(f"{kind}[{name!r}] is {a.shape}: it must be {right[name].shape}{hint}")
        if not np.isfinite(a).all():
            raise ValueError(f"{kind}[{name!r}] has a number that is not finite: net.first_bad() finds the first one")
    return found


def _of_kind(found: Numbers, kind: Kind) -> dict[str, Array]:
    if kind == "grads":
        return {name: c.sum(axis=0) for name, c in found.copies.items()}
    return {"copies": found.copies, "deltas": found.deltas, "values": found.values}[kind]


def _same(one: Numbers, other: Numbers) -> bool:
    return all(np.allclose(c, other.copies[name], rtol=1e-9, atol=1e-12) for name, c in one.copies.items())


class _Judge:
    """Numbers that were given, and how far from them a candidate's are."""

    def __init__(self, of: Pass, kind: Kind, given: dict[str, Array], tolerance: float) -> None:
        self.of, self.kind, self.tolerance = of, kind, tolerance
        if kind in ("values", "deltas"):  # in the order in which they are computed
            order = sorted(given, key=lambda name: of.named[1, name].index, reverse=kind == "deltas")
            given = {name: given[name] for name in order}
        self.given = given
        self.flat = np.concatenate([a.ravel() for a in given.values()])
        self.right = _of_kind(of.right, kind)
        self.size = max(float(np.abs(self.flat).max(initial=0)), 1e-300)
        # Each number may be rounded by itself; what is near 0 is compared with the largest beside it.
        self.room = tolerance * np.maximum(np.abs(self.flat), 1e-3 * self.size)

    def first_wrong(self) -> Wrong | None:
        """The first number that is not right."""
        T, timed = self.of.T, self.kind != "grads"
        times = range(1, T + 1) if self.kind == "values" else range(T, 0, -1)
        for t in times if timed else (None,):
            for name, a in self.given.items():
                mine, right = (a, self.right[name]) if t is None else (a[t - 1], self.right[name][t - 1])
                bad = np.argwhere(self.bad(name, mine, right))
                if len(bad):
                    at = tuple(int(k) for k in bad[0])
                    entry = tuple(k + 1 for k in at)
                    slope = None if self.kind == "values" or self.of.pinned else self._slope(name, t, at)
                    return Wrong(name, t, entry, float(mine[at]), float(right[at]), slope, self.kind)
        return None

    def bad(self, name: str, mine: Array, right: Array) -> NDArray[np.bool_]:
        """Which numbers are not what is right; a number near 0 is compared with the largest of its name."""
        scale = float(np.abs(self.right[name]).max(initial=0))
        return np.asarray(np.abs(mine - right) > self.tolerance * np.maximum(np.abs(right), 1e-3 * scale))

    def first_wrong_node(self) -> Node | None:
        """Where the first wrong value stands."""
        wrong = self.first_wrong()
        return None if wrong is None or wrong.t is None else self.of.named[wrong.t, wrong.name]

    def as_given(self, node: Node) -> Array:
        """Its value, wrong where the one that was given is, and not rounded elsewhere."""
        given, right = self.given[node.name][(node.t or 1) - 1], self.of.values[node]
        return np.where(self.bad(node.name, given, right), given, right)

    def _slope(self, name: str, t: int | None, at: tuple[int, ...]) -> float:
        """By differences of the cost: of the weight, of its copy alone, or of the node."""
        net, of = self.of.net, self.of
        sign = -1.0 if self.kind == "deltas" else 1.0
        if t is None:
            node = net.weights[name]
        else:
            node = of.named[t, name] if self.kind == "deltas" else net._steps[t - 1].copies[name]
        h = 6e-4 * max(1.0, float(np.abs(node.value).max(initial=0)))

        def cost(by: float) -> float:
            moved = np.array(of.values[node])
            moved[at] += by
            values = Values([of.values[n] if n.index <= node.index or n.op is None else None for n in of.nodes])
            values[node] = moved
            for _ in values.play(of.nodes[node.index + 1 :]):
                pass
            return float(values[net.cost])

        return sign * (8 * (cost(h) - cost(-h)) - (cost(2 * h) - cost(-2 * h))) / (12 * h)

    def off(self, found: Numbers) -> tuple[float, float]:
        """By how much a candidate misses, at the factor that suits it best; and that factor."""
        b = self.flat_of(found)
        if not np.isfinite(b).all() or not b.any():
            return np.inf, 1.0
        best = float(self.flat @ b / (b @ b))
        near = min(self.factors, key=lambda f: abs(f - best))
        return min(((self._miss(f * b), f) for f in dict.fromkeys((1.0, near, best))), key=lambda each: each[0])

    def flat_of(self, found: Numbers) -> Array:
        """A candidate's numbers in a row, in the order of those given."""
        arrays = _of_kind(found, self.kind)
        return np.concatenate([arrays[name].ravel() for name in self.given])

    def _miss(self, b: Array) -> float:
        """0 within the rounding, else the greatest difference over the largest number."""
        if np.all(
            np.abs(self.flat - b) <= 1.01 * np.maximum(self.room, self.tolerance * np.abs(b)) + 1e-15 * self.size
        ):
            return 0.0
        return max(float(np.abs(self.flat - b).max()) / self.size, 1.001 * self.tolerance)

    @cached_property
    def factors(self) -> dict[float, str]:
        """The usual wrong factors, by their value: all that have it are named."""
        if self.kind == "values":
            return {1.0: "", -1.0: "the sign"}
        T, B = self.of.T, self.of.net.inputs[0].shape[0]
        named = [
            (-1.0, "the sign"),
            (1 / T, "mean over the copies"),
            (float(T), "sum over time where a mean is meant"),
            (2.0, "a factor 2, as without the 1/2 of (5)"),
            (0.5, "a factor 1/2"),
            (1 / B, "mean over the samples"),
            (float(B), "sum over the samples where a mean is meant"),
            (1 / (T * B), "mean over steps and samples"),
            (1 / np.log(2), "log2 instead of ln"),
            (np.log(2), "ln instead of log2"),
            (1 / np.log(10), "log10 instead of ln"),
        ]
        found: dict[float, list[str]] = {}
        for value, name in [each for each in named if each[0] != 1]:
            for sign, said in ((1.0, name), (-1.0, f"{name}, and the sign")):
                if value != -1.0 or sign == 1.0:
                    at = next((f for f in found if abs(f - sign * value) < 1e-9), sign * value)
                    found.setdefault(at, []).append(said)
        found.pop(1.0, None)
        return {1.0: ""} | {f: " or ".join(said) for f, said in found.items()}

    def ranked(self) -> list[Explanation]:
        """Every candidate that can be seen in these numbers, the best first: one slip alone before a factor besides."""
        right, kinds, forward = self.flat_of(self.of.right), self.factors, self.kind == "values"
        found: list[tuple[float, int, Explanation]] = []
        said_before: list[tuple[str, Numbers]] = []

        def weigh(slip: Mistake) -> None:
            numbers = slip.numbers()
            mine = self.flat_of(numbers)
            if slip.name and np.allclose(
                mine, right, rtol=1e-9, atol=1e-12 * max(np.abs(right).max(initial=0), 1e-300)
            ):
                return  # it cannot be seen
            miss, f = self.off(numbers)
            said = kinds.get(f, f"a factor {f:.6g}" if f else "all are 0, as if no error had come back")
            if not slip.name:
                told, rank = said, 0
            elif f not in kinds:  # any factor besides a slip would explain too much
                miss, told, rank = max(miss, 1.001 * self.tolerance), f"{slip.name}, and {said}", 2
            else:
                told, rank = slip.name + (f", and {said}" if said else ""), 1 + bool(said)
            if miss == 0 and slip.family:
                if any(slip.family == family and _same(numbers, others) for family, others in said_before):
                    return
                said_before.append((slip.family, numbers))
            if told:
                found.append((miss, rank, self._explanation(told, slip.equation, miss)))

        def explained() -> bool:
            return any(miss == 0 for miss, _, _ in found)

        weigh(Mistake("", "", lambda: self.of.right))
        for slip in chain(self._by_itself(), of_forward_passes(self.of)) if forward else ():
            weigh(slip)
        for slip in slips(self.of):
            weigh(slip)
        for more in (of_own_cells, of_products):
            for slip in more(self.of) if not (forward or explained()) else ():
                weigh(slip)
        for family in fitted(self.of) if not (forward or explained()) else ():
            number, miss = self._fit(family)
            found.append((miss, 1, self._explanation(family.name.format(f"{number:.4g}"), family.equation, miss)))
        found.sort(key=lambda each: each[:2])
        if found and found[0][0] == 0:  # what needs a factor besides says no more than what needs none
            found = [each for each in found if each[0] > 0 or each[1] == found[0][1]]
        return [explanation for _, _, explanation in found]

    def _explanation(self, name: str, equation: str, off: float) -> Explanation:
        return Explanation(name, equation, off, bool(self.of.net.tape.equations))

    def _by_itself(self) -> Iterator[Mistake]:
        """The first wrong value as a slip of its own, that the rest goes on with."""
        node = self.first_wrong_node()
        if node is not None:
            values = self.of.found(self.of.played({node: self.as_given(node)}))
            said = f"{node} worked out wrong; the rest is right for it"
            yield Mistake(said, "", lambda: replace(self.of.right, values=values))

    def _fit(self, family: Fitted) -> tuple[float, float]:
        """The number that suits best, and what it misses; a round one where that suits as well."""
        tried: dict[float, Array] = {}

        def numbers(at: float) -> Array:
            if at not in tried:
                tried[at] = self.flat_of(family.numbers(at))
            return tried[at]

        def far(at: float) -> float:
            return float(np.abs(self.flat - numbers(at)).max())

        def rate(low: float, high: float) -> float:
            return float(np.abs(numbers(high) - numbers(low)).max()) / (high - low)

        among = family.among
        k = min(range(len(among)), key=lambda k: far(among[k]))
        low, high = among[max(k - 1, 0)], among[min(k + 1, len(among) - 1)]
        a, b = (high - GOLDEN * (high - low), low + GOLDEN * (high - low))
        best, fastest = among[k], rate(low, high)
        while self._miss(numbers(best)) > 0 and high - low > 1e-9 * high:
            fastest = max(fastest, rate(low, a), rate(a, b), rate(b, high))
            best = min(best, a, b, key=far)
            if far(best) > HASTE * fastest * (high - low):
                break  # nothing between the two can come near enough
            if high - low < 1e-2 * high:
                best = min(best, *(float(f"{best:.{digits}g}") for digits in (1, 2)), key=far)
            if far(a) < far(b):
                high, a, b = b, b - GOLDEN * (b - low), a
            else:
                low, a, b = a, b, a + GOLDEN * (high - a)
        return best, self._miss(numbers(best))
