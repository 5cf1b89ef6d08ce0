"""A program in the place of a tape: it is handed what is new and played, and the tape's passes look at its rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Cotangents, Node, TapeError, Values
from ..autodiff.passes import frozen
from ..autodiff.traits import computes
from ..replay import Program, read_only
from .gradients import Named

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class BufferRows:
    """Where the numbers of a network's nodes lie in a program. No node is held: nodes hold passes, and these hold this.

    Attributes
    ----------
    program : Program
        Whose buffers they are.
    size : int
        How many nodes the network has.
    cost : int
        The index of the cost.
    weights : mapping of int to str
        The weights, by the node's index.
    constants : mapping of int to ndarray
        What comes back, in every pass, to the cost and to the sum that it is the mean of.
    """

    program: Program
    size: int
    cost: int
    weights: Mapping[int, str]
    constants: Mapping[int, Array]

    def value(self, node: Any) -> Array:
        """The value of a node that has a row."""
        if node.t is None and node.index in self.weights:
            return self.program.shared(self.weights[node.index])
        return self.program.value(node.role, node.t or 0)


class BufferValues(Values):
    """Values that are rows of a program's buffers, for as long as no later pass has taken these.

    Parameters
    ----------
    rows : BufferRows
        Where they lie.
    own : dict of int to ndarray
        What has no row, by the node's index.
    only : collection of int, optional
        The nodes that are played, by index, if not all are.

    Attributes
    ----------
    complete : bool
        Whether the pass has come to its end.
    """

    __slots__ = ("_number", "_only", "_recorded", "complete", "rows")

    def __init__(self, rows: BufferRows, own: dict[int, Array], only: Collection[int] | None = None) -> None:
        super().__init__()
        self._values: Any = own
        self.rows = rows
        self._number = rows.program.runs + 1  # that of the pass that is about to begin
        self._only = only
        self._recorded = rows.size  # how many nodes there are, those included that were recorded since
        self.complete = False

    @property
    def own(self) -> dict[int, Array]:
        """The values of what has no row, by the node's index."""
        return self._values

    @property
    def there(self) -> bool:
        """Whether the rows are still those of this pass."""
        return self.complete and self._number == self.rows.program.runs

    @property
    def whole(self) -> bool:
        """Whether they are, and all nodes have been played."""
        return self.there and self._only is None

    def __getitem__(self, node: Any) -> Array:
        own = self._values.get(node.index)
        if own is not None:
            return own
        if node.index >= self.rows.size:
            return super().__getitem__(node)
        if node not in self:
            raise TapeError(
                f"the value of {node} is gone: it was not computed, or a pass begun later has taken its memory. "
                "Replay, with all that is given"
            )
        return self.rows.value(node)

    def __contains__(self, node: Any) -> bool:
        if node.index >= self.rows.size:
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
        self._done = max(self._done, self.rows.size)
        while self._done < self._recorded and self._values[self._done] is not None:
            self._done += 1
        return self._done

    def append(self, value: Array | None) -> None:
        """See `Values.append`."""
        self._values[self._recorded] = value
        self._recorded += 1


class BufferCotangents(Cotangents[Any]):
    """What came back, as rows of a program's buffers, for as long as no later pass has taken these."""

    __slots__ = ("_numbers", "_shown", "gradients", "rows")

    def __init__(self, rows: BufferRows, besides: bool) -> None:
        # No shares arrive one by one: what came back is in the rows.
        self.arrived, self.totals, self.root, self.complete = [], [], rows.cost, False
        self.besides = besides
        self.rows = rows
        self._numbers = rows.program.runs, rows.program.pulls + 1
        self.gradients: Mapping[str, Array] = {}
        self._shown: dict[str, Array] = {}  # the same, which nobody has clipped in place; added up when first asked for

    def __getitem__(self, node: Any) -> Any:
        rows = self.rows
        if node.index >= rows.size or not node.active:
            return None
        if not self.complete:
            raise TapeError(f"what comes back to {node} is not there: the backward pass was left before its end")
        name = rows.weights.get(node.index) if node.t is None else None
        if node.t is None and name is None:
            return rows.constants.get(node.index)
        if name in self._shown:
            return self._shown[name]
        if self._numbers != (rows.program.runs, rows.program.pulls):
            raise TapeError(
                f"the numbers that came back to {node} belong to an earlier backward pass, and a later one has taken "
                "their memory: ask the net again"
            )
        if name is None:
            return rows.program.cotangent(node.role, node.t)
        self._shown = {each: read_only(g) for each, g in rows.program.gradients().items()}
        return self._shown[name]


class Executor:
    """A network that a program plays for its tape.

    Parameters
    ----------
    program : Program
        The folded network, compiled for as many copies as the tape has.
    size : int
        How many nodes the network has.
    cost : Node
        What the error starts from.
    weights : mapping of str to Node
        The weights, those that are initial states among them.
    data : mapping of str to sequence of Node
        The leaves of each time step, by the names that the program has for its data.
    start : sequence of Node
        The parts of s(0).
    states : collection of Node
        All parts of all states.
    initial : collection of str
        The parameters that are initial states.

    Attributes
    ----------
    rows : BufferRows
        Where the numbers of its nodes lie.
    """

    def __init__(
        self,
        program: Program,
        size: int,
        cost: Node,
        weights: Mapping[str, Node],
        data: Mapping[str, Sequence[Node]],
        start: Sequence[Node],
        states: Collection[Node],
        initial: Collection[str],
    ) -> None:
        self.program = program
        self.size = size
        self.cost = cost
        self.passes = cost.tape.passes
        self.weights = weights
        self.data = data
        self.start = start
        self.initial = initial
        constants = {cost.index: read_only(np.ones((), program.folded.dtype))}
        self._scaled: tuple[Node, Array] | None = None  # the sum of the costs, and 1/T
        if computes(cost, np.multiply):
            summed, weight = cost.parents
            self._scaled = summed, weight.value
            constants[summed.index] = weight.value
        self.rows = BufferRows(program, size, cost.index, {leaf.index: n for n, leaf in weights.items()}, constants)
        given = {s.index for s in start} | {w.index for w in weights.values()}
        self._leaves = {
            n.index: n.value for n in cost.tape.nodes[:size] if n.op is None and n.t is None and n.index not in given
        }
        self._carried = {n.index for n in (*states, *weights.values(), *data["x"])}

    @property
    def values(self) -> BufferValues | None:
        """The values of the last forward pass, if they are this program's and all there."""
        values = self._own
        return values if values is not None and values.whole else None

    @property
    def _own(self) -> BufferValues | None:
        values = self.passes.values
        return values if isinstance(values, BufferValues) and values.rows is self.rows else None

    @property
    def cotangents(self) -> BufferCotangents | None:
        """What the last backward pass has brought, if it is this program's."""
        back = self.passes.cotangents
        return back if isinstance(back, BufferCotangents) and back.rows is self.rows else None

    def play(
        self,
        new: Mapping[str, Array],
        data: Mapping[str, Array],
        start: Mapping[Node, Array],
        states_only: bool = False,
        newest: int | None = None,
    ) -> Any:
        """Hand the program what is new, play forwards, and let the nodes look at the buffers' rows.

        Returns
        -------
        float or None
            The cost, where it was played.
        """
        program, old = self.program, self._own
        held = old is not None and old.there
        if old is not None and held:
            own = {index: value for index, value in old.own.items() if index not in self.rows.constants}
        else:
            # Read before anything is written, and refused where a broken pass has left it half new.
            values, stay = self.passes.values, [what for what in program.data if what not in data]
            data = {what: np.stack([values[leaf] for leaf in self.data[what]]) for what in stay} | dict(data)
            own = self._leaves | {s.index: values[s] for s in self.start if not s.parents and s not in start}
        begun: Sequence[Array] = ()
        if start or self.initial or not held:
            own |= {s.index: read_only(part) for s, part in start.items()}
            own |= {self.weights[name].index: read_only(new[name].copy()) for name in self.initial}
            begun = [new[s.parents[0].name] if s.parents else own[s.index] for s in self.start]

        here = BufferValues(self.rows, own, self._carried if states_only else None)
        self.passes.make_last(here)
        if states_only:
            program.carry(new, data, begun)
            here.complete = True
            return None
        total = program.run(new, data, begun, newest)
        if self._scaled is not None:
            summed, share = self._scaled
            own[summed.index] = frozen(total)
            total = total * share
        own[self.cost.index] = frozen(total)
        here.complete = True
        return total

    def take_over(self, before: Executor, kept: int) -> dict[Node, Array]:
        """Let the first steps be another network's last ones, or its own; the initial state that goes with them."""
        self.program.take_over(before.program, kept)
        return {s: self.program.value(k, 0).copy() for k, s in enumerate(self.start)}

    def can_go_back(self, later: Sequence[Array] | None, cuts: Sequence[int]) -> bool:
        """Whether the program can play the backward pass through the last values; else the tape has to."""
        able = (self.program.can_be_cut or not cuts) and (self.program.later_apart or later is None)
        return able and self.values is not None

    def backward(self, later: Sequence[Array] | None, cuts: Sequence[int] = ()) -> None:
        """Play backwards, from the whole cost and from what comes back to s(T) from beyond, but over no cut."""
        back = BufferCotangents(self.rows, later is not None)
        self.passes.cotangents = back
        self.program.pull(later, cuts)
        back.gradients = MappingProxyType(Named(self.program.gradients()))
        back.complete = True
