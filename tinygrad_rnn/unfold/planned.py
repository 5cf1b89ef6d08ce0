"""A plan in the place of a tape: it is handed what is new and played, and the tape's passes look at its rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Cotangents, Node, Outer, TapeError, Values
from ..autodiff.passes import frozen
from ..autodiff.traits import computes
from ..replay import Program, read_only

Array = NDArray[Any]


class RowValues(Values):
    """Values that are rows of a plan's buffers, for as long as no later pass has taken these.

    Parameters
    ----------
    planned : Planned
        Who plays.
    own : dict of int to ndarray
        What has no row, by the node's index.
    only : collection of int, optional
        The nodes that are played, by index, if not all are.

    Attributes
    ----------
    complete : bool
        Whether the pass has come to its end.
    """

    __slots__ = ("_number", "_only", "_planned", "_recorded", "complete")

    def __init__(self, planned: Planned, own: dict[int, Array], only: Collection[int] | None = None) -> None:
        super().__init__()
        self._values: Any = own
        self._planned = planned
        self._number = planned.forwards
        self._only = only
        self._recorded = planned.size  # how many nodes there are, those included that were recorded since
        self.complete = False

    @property
    def there(self) -> bool:
        """Whether the rows are still those of this pass."""
        return self.complete and self._number == self._planned.forwards

    @property
    def whole(self) -> bool:
        """Whether they are, and all nodes have been played."""
        return self.there and self._only is None

    def __getitem__(self, node: Any) -> Array:
        if node.index >= self._planned.size:
            return super().__getitem__(node)
        if node not in self:
            raise TapeError(
                f"the value of {node} is gone: it was not computed, or a pass begun later has taken its memory. "
                "Replay, with all that is given"
            )
        own: Array | None = self._values.get(node.index)
        return self._planned.row(node) if own is None else own

    def __contains__(self, node: Any) -> bool:
        if node.index >= self._planned.size:
            return super().__contains__(node)
        return node.index in self._values or (self.there and (self._only is None or node.index in self._only))

    def lasting(self, node: Any) -> Array:
        """See `Values.lasting`."""
        return self[node] if node.index in self._values else frozen(self[node].copy())

    @property
    def done(self) -> int:
        """See `Values.done`."""
        if not self.whole:
            return 0
        self._done = max(self._done, self._planned.size)
        while self._done < self._recorded and self._values[self._done] is not None:
            self._done += 1
        return self._done

    def append(self, value: Array | None) -> None:
        """See `Values.append`."""
        self._values[self._recorded] = value
        self._recorded += 1


class RowCotangents(Cotangents[Any]):
    """What came back, as rows of a plan's buffers, for as long as no later pass has taken these."""

    __slots__ = ("_numbers", "_planned")

    def __init__(self, planned: Planned, besides: bool) -> None:
        super().__init__(0, {}, planned.cost.index)
        self.besides = besides
        self._planned = planned
        self._numbers = planned.forwards, planned.backwards

    def __getitem__(self, node: Any) -> Any:
        planned = self._planned
        if node.index >= planned.size or not node.active:
            return None
        if self._numbers != (planned.forwards, planned.backwards):
            raise TapeError(
                f"the numbers that came back to {node} belong to an earlier backward pass, and a later one has taken "
                "their memory: ask the net again"
            )
        if not self.complete:
            raise TapeError(f"what comes back to {node} is not there: the backward pass was left before its end")
        return planned.error(node)


class Planned:
    """A network that a plan plays for its tape.

    Parameters
    ----------
    plan : Program
        The folded network, compiled for as many copies as the tape has.
    size : int
        How many nodes the network has.
    cost : Node
        What the error starts from.
    weights : mapping of str to Node
        The weights, those that are initial states among them.
    data : mapping of str to sequence of Node
        The leaves of each time step, by the names that the plan has for its data.
    start : sequence of Node
        The parts of s(0).
    states : collection of Node
        All parts of all states.
    initial : collection of str
        The parameters that are initial states.

    Attributes
    ----------
    forwards, backwards : int
        The numbers of the passes begun last.
    """

    def __init__(
        self,
        plan: Program,
        size: int,
        cost: Node,
        weights: Mapping[str, Node],
        data: Mapping[str, Sequence[Node]],
        start: Sequence[Node],
        states: Collection[Node],
        initial: Collection[str],
    ) -> None:
        self.plan = plan
        self.size = size
        self.tape = cost.tape
        self.cost = cost
        self.weights = weights
        self.data = data
        self.start = start
        self.initial = initial
        self.forwards = self.backwards = 0
        self.totals: dict[int, Callable[[], Array]] = {weights[n].index: total for n, total in plan.totals.items()}
        self.totals[cost.index] = partial(np.ones, (), plan.folded.dtype)
        self._shared = {weights[name].index: name for name in plan.weights}
        self._scaled: tuple[Node, Array] | None = None  # the sum of the costs, and 1/T
        if computes(cost, np.multiply):
            summed, weight = cost.parents
            self._scaled = summed, weight.value
            self.totals[summed.index] = weight.value.copy
        given = {s.index for s in start} | {w.index for w in weights.values()}
        self._fixed = {
            n.index: n.value for n in self.tape.nodes[:size] if n.op is None and n.t is None and n.index not in given
        }
        self._carried = {n.index for n in (*states, *weights.values(), *data["x"])}

    def row(self, node: Node) -> Array:
        """The value of a node that has a row."""
        name = self._shared.get(node.index)
        return self.plan.shared(name) if node.t is None and name else self.plan.value(node.role, node.t or 0)

    def error(self, node: Node) -> Array | Outer | None:
        """What came back to a node."""
        if node.t is not None:
            return self.plan.cotangent(node.role, node.t)
        total = self.totals.get(node.index)
        return None if total is None else read_only(total())

    @property
    def values(self) -> RowValues | None:
        """The values of the last forward pass, if they are this plan's and all there."""
        values = self._own
        return values if values is not None and values.whole else None

    @property
    def _own(self) -> RowValues | None:
        values = self.tape.values
        return values if isinstance(values, RowValues) and values._planned is self else None

    @property
    def cotangents(self) -> RowCotangents | None:
        """What the last backward pass has brought, if it is this plan's."""
        back = self.tape.cotangents
        return back if isinstance(back, RowCotangents) and back._planned is self else None

    def play(
        self,
        new: Mapping[str, Array],
        data: Mapping[str, Array],
        start: Mapping[Node, Array],
        states_only: bool = False,
        newest: int | None = None,
    ) -> None:
        """Hand the plan what is new, play forwards, and let the nodes look at the buffers' rows."""
        plan, old = self.plan, self.tape.values
        # What stays as it is: read before anything is written, and refused where a broken pass has left it half new.
        held = self._own is not None and self._own.there
        stay = [what for what in plan.data if what not in data and not held]
        kept = {what: np.stack([old[leaf] for leaf in self.data[what]]) for what in stay}
        own = dict(self._fixed)
        for s in self.start:
            if not s.parents:
                own[s.index] = read_only(start[s]) if s in start else old[s]
        own |= {self.weights[name].index: read_only(new[name].copy()) for name in self.initial}
        begun = [new[s.parents[0].name] if s.parents else own[s.index] for s in self.start]

        self.forwards += 1
        values = RowValues(self, own, self._carried if states_only else None)
        self.tape.run(values)
        for name, stack in plan.weights.items():
            stack[...] = new[name]
        for what, whole in kept.items():
            plan.data[what][...] = whole
        for row, part in zip(plan.start, begun, strict=True):
            row[...] = part
        if states_only:
            plan.carry(data)
        else:
            total = np.asarray(plan.run(data, newest))
            if self._scaled is not None:
                summed, share = self._scaled
                own[summed.index] = read_only(total)
                total = np.asarray(total * share)
            own[self.cost.index] = read_only(total)
        values.complete = True

    def take_over(self, before: Planned, kept: int) -> dict[Node, Array]:
        """Let the first steps be another network's last ones, or its own; the initial state that goes with them."""
        self.forwards += 1
        self.plan.take_over(before.plan, kept)
        return {s: self.plan.value(k, 0).copy() for k, s in enumerate(self.start)}

    def backward(self, later: Sequence[Array] | None, cuts: Sequence[int] = ()) -> None:
        """Play backwards, from the whole cost and from what comes back to s(T) from beyond, but over no cut."""
        self.backwards += 1
        back = RowCotangents(self, later is not None)
        self.tape.passes.cotangents = back
        self.plan.pull(later, cuts)
        back.complete = True
