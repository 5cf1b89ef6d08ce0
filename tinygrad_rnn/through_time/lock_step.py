"""Many errors at once, on their way back through a network: they take each step together, wherever they stand.

An op acts on its last axes, so errors that stand at different times stand in one array, in an axis in front, and the
backward pass of one step, as it was recorded when the network was folded, serves them all. What comes back is linear
in the errors that go in: those that have met at a time are added up before the weights are told of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import BatchedValues, Node, Values
from ..autodiff.traits import Summand, summands
from ..unfold import Folded, Unfolded
from .single_step import needed, reached

Array = NDArray[Any]
AT_ONCE = 32768  # numbers in an array that is worked on at once: more leaves the cache, and its memory is mapped anew
NOTHING = np.zeros(())  # the error of a cost that does not count, a term of a sum


class LockStep:
    """Errors on their way back through a network.

    Parameters
    ----------
    net : Unfolded
        The network, its forward pass done.
    shares : ndarray, (T,), optional
        What each step's cost weighs; what it weighs in the network if they are not given.
    links : ndarray, (T,), optional
        What the error is multiplied by that step t hands to the state before; 1 if they are not given.

    Attributes
    ----------
    folded : Folded
        One time step with its backward pass.
    met : list of ndarray, (T, B, ...)
        For each part of the state, the errors that have come to it from later steps, added up; row t - 1 is s(t)'s.
    counted : ndarray, (T,)
        How often each step's cost has sent its error.

    Raises
    ------
    ValueError
        If the network's steps are not copies of one step.
    TapeError
        If its forward pass was left before its end.
    """

    def __init__(self, net: Unfolded, shares: Array | None = None, links: Array | None = None) -> None:
        self._net = net
        self.folded, self._given = net.stacked()
        dtype = self.folded.shares.dtype
        self._shares = self.folded.shares if shares is None else shares.astype(dtype)
        self._links = None if links is None else links.astype(dtype)
        self._values = _AllTimes(self.folded, self._given, self._shares)
        self._errors = [self.folded.cotangents.get(b.index) for b in self.folded.before]
        self._back = self.played_for([e for e in self._errors if e is not None])
        self._together = max(16, AT_ONCE // max(a.value.size for a in self.folded.after))
        self.met = self._none(net.T)
        self.counted = np.zeros(net.T, dtype)

    def _none(self, times: int) -> list[Array]:
        """No error at so many times, for each part of the state."""
        return [np.zeros((times, *a.shape), self._shares.dtype) for a in self.folded.after]

    def played_for(self, wanted: Iterable[Node]) -> Played:
        """What gives nodes of the backward pass for errors that come in."""
        return Played(self.folded, self._values, list(wanted))

    def walk(self, ends: range, depth: int, counted: int) -> Iterator[tuple[int, slice, list[Array]]]:
        """Send errors back from many times at once.

        Parameters
        ----------
        ends : range
            The last time steps of the windows, counted from 1.
        depth : int
            How many time steps a window has; fewer where the sequence begins.
        counted : int
            How many of them, the newest ones, send the error of their own cost.

        Yields
        ------
        gone, times, later
            How many steps some windows have gone back; where they stand, counted from 0; and what has come to each
            part of the state there.
        """
        for k in range(0, len(ends), self._together):
            going = ends[k : k + self._together]
            times, later = slice(0), self._none(len(going))
            for gone in range(min(depth, going[-1])):
                if gone:
                    later = self._handed_on(times, later, gone <= counted)
                if going[0] == gone:  # that window has come to the beginning
                    going, later = going[1:], [error[1:] for error in later]
                times = slice(going[0] - gone - 1, going[-1] - gone, going.step)
                yield gone, times, later

    def _handed_on(self, times: slice, later: list[Array], counts: bool) -> list[Array]:
        """What comes to the state before, through the links that there are."""
        values, handed = self._back.at(times, later, counts), []
        for node, like in zip(self._errors, later, strict=True):
            error = NOTHING if node is None else values[node]
            if error.shape != like.shape:
                error = np.broadcast_to(error, like.shape)
            handed.append(error if self._links is None else _times(error, self._links[times]))
        return handed

    def send(self, ends: range, depth: int, counted: int) -> None:
        """Let errors walk back, see `walk`, and add up those that meet."""
        for gone, times, later in self.walk(ends, depth, counted):
            self.counted[times] += gone < counted
            for met, error in zip(self.met, later, strict=True):
                met[times] += error

    def gradients(self) -> dict[str, Array]:
        """The gradients of the weights, and of the initial states that are trained, by all errors that were sent."""
        if (self.counted != 1).any():
            self._values = _AllTimes(self.folded, self._given, self._shares * self.counted)
        terms = {name: summands(g) for name, g in self.folded.gradients.items()}
        played = self.played_for(n for each in terms.values() for term in each for n in term.nodes)
        found = {name: np.zeros(w.shape, self._shares.dtype) for name, w in self._net.weights.items()}
        for first in range(0, self._net.T, self._together):
            times = slice(first, min(first + self._together, self._net.T))
            values = played.at(times, [met[times] for met in self.met], True)
            for name, each in terms.items():
                for term in each:
                    found[name] += _added_up(term, [wide(values[n], times, n) for n in term.nodes])
        if any(self._net.trained):
            self._back = self.played_for([e for e in self._errors if e is not None])
            start = self._handed_on(slice(0, 1), [met[:1] for met in self.met], True)
            for part, error in zip(self._net.trained, start, strict=True):
                if part:
                    found[part] += error[0].sum(axis=0)
        return found


class Played:
    """What gives nodes of the backward pass at any times, for errors that come in there.

    Parameters
    ----------
    folded : Folded
        The step.
    values : Values
        What its nodes are at all times, but for those that depend on the errors that come in.
    wanted : list of Node
        The nodes that are asked for.
    """

    def __init__(self, folded: Folded, values: Values, wanted: list[Node]) -> None:
        nodes = folded.tape.nodes
        moving = reached(nodes, folded.after)
        from_costs = reached(nodes, [folded.share]) - moving
        self._after = folded.after
        self._nodes = [n for n in needed(nodes, wanted) if n in moving]
        read = {*wanted, *(p for n in self._nodes for p in n.parents)} - moving
        self._by_time = {n: value for n in read if (value := values[n]).ndim > n.ndim}
        self._found = BatchedValues(Values(), {n: values[n] for n in read if n not in self._by_time})
        sent = read & from_costs
        self._sent = {False: dict.fromkeys(sent, NOTHING), True: {n: values[n] for n in sent if n not in self._by_time}}
        terms = {n: [p for p in n.parents if p not in from_costs] for n in self._nodes if n.parents}
        # Sums of which one term is left if the costs do not count.
        self._alone = {n: left[0] for n, left in terms.items() if len(left) == 1 < len(n.parents)}

    def at(self, times: slice, later: Sequence[Array], counts: bool) -> Values:
        """What they are at some times, counted from 0; without the errors of the costs there, if these do not count.

        It is so until the next call.
        """
        found, known = self._found, self._found.changed
        for n, value in self._by_time.items():
            known[n] = value[times]
        known |= self._sent[counts]
        known |= zip(self._after, later, strict=True)
        for node in self._nodes:
            if node in self._alone and not counts:
                found[node] = found[self._alone[node]]
            else:
                found.compute(node)
        return found


class _AllTimes(Values):
    """What the nodes of a folded step are at all times, (T, ...), or one array where that is the same at each.

    Those of the forward pass are the network's, those of the backward pass are computed when they are first asked for.
    """

    def __init__(self, folded: Folded, given: Callable[[Node], Array], shares: Array) -> None:
        super().__init__([None] * len(folded.tape), lazy=True)
        self._size, self._given = folded.size, given
        for node in folded.tape.nodes[folded.size :]:
            if node.op is None:
                self[node] = node.value
        self[folded.share] = shares if (shares != shares[0]).any() else shares[0]

    def __contains__(self, node: Any) -> bool:
        return node.index < self._size or super().__contains__(node)

    def __getitem__(self, node: Any) -> Array:
        if self._values[node.index] is None and node.index < self._size:
            self[node] = self._given(node)
        return super().__getitem__(node)


def _added_up(term: Summand, factors: Sequence[Array]) -> Array:
    """What a weight receives at some times, added up: where it is a product, one of all errors and all inputs."""
    if term.kind == "array":
        return np.asarray(factors[0].sum(axis=0))
    flat = [f.reshape(-1, f.shape[-1]) for f in factors]
    return np.asarray(flat[0].T @ flat[1] if term.kind == "product" else np.ones(len(flat[0]), flat[0].dtype) @ flat[0])


def wide(value: Array, times: slice, node: Node) -> Array:
    """A node's value at each of some times, be it the same at all or not."""
    return value if value.ndim > node.ndim else np.broadcast_to(value, (times.stop - times.start, *node.shape))


def _times(values: Array, factors: Array) -> Array:
    """Each time's values times its factor."""
    return values * factors.reshape(-1, *(1,) * (values.ndim - 1))
