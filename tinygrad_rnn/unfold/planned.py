"""A plan in the place of a tape: it is handed what is new and played, and the tape's nodes look at its rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node
from ..autodiff.traits import computes
from ..replay import Program, read_only

Array = NDArray[Any]


class Planned:
    """A network that a plan plays for its tape.

    Parameters
    ----------
    plan : Program
        The folded network, compiled for as many copies as the tape has.
    cost : Node
        What the error starts from.
    weights : mapping of str to Node
        The weights, those that are initial states among them.
    data : mapping of str to sequence of Node
        The leaves of each time step, by the names that the plan has for its data.
    start : sequence of Node
        The parts of s(0).
    initial : collection of str
        The parameters that are initial states.

    Attributes
    ----------
    totals : dict of Node to callable
        What computes what came back to the nodes that have no row in the plan.
    """

    def __init__(
        self,
        plan: Program,
        cost: Node,
        weights: Mapping[str, Node],
        data: Mapping[str, Sequence[Node]],
        start: Sequence[Node],
        initial: Collection[str],
    ) -> None:
        self.plan = plan
        self.tape = cost.tape
        self.cost = cost
        self.weights = weights
        self.data = data
        self.start = start
        self.initial = initial
        self.totals: dict[Node, Callable[[], Array]] = {weights[name]: total for name, total in plan.totals.items()}
        self.totals[cost] = partial(np.ones, (), plan.folded.dtype)  # its value would compute every node
        if computes(cost, np.multiply):  # by 1/T
            summed, weight = cost.parents
            self.totals[summed] = weight.value.copy

    @property
    def has_values(self) -> bool:
        """Whether the nodes' values are the plan's."""
        return self.tape.rows is self.plan

    @property
    def has_errors(self) -> bool:
        """Whether what came back last is the plan's."""
        return self.tape.error_rows is self.plan

    def play(
        self,
        new: Mapping[str, Array],
        data: Mapping[str, Array],
        start: Mapping[Node, Array],
        states_only: bool = False,
        newest: int | None = None,
    ) -> None:
        """Hand the plan what is new, play forwards, and let the nodes look at the buffers' rows."""
        plan, tape = self.plan, self.tape
        for name, stack in plan.weights.items():
            stack[...] = new[name]
        for what, stack in plan.data.items():
            if what not in data and not self.has_values:  # a leaf may have been set since
                for row, leaf in zip(stack, self.data[what], strict=True):
                    row[...] = leaf.value
        for row, s in zip(plan.start, self.start, strict=True):
            row[...] = new[s.parents[0].name] if s.parents else start.get(s, s.value)
        others = [(s, read_only(value)) for s, value in start.items()]
        others += [(self.weights[name], read_only(new[name].copy())) for name in self.initial]
        if not self.has_values:
            others += [(self.weights[name], plan.shared(name)) for name in plan.weights]
        if states_only:
            plan.carry(data)
            tape.played_by(plan, others, complete=False)
            return
        total = plan.run(data, newest)
        if computes(self.cost, np.multiply):  # by 1/T
            summed, weight = self.cost.parents
            others.append((summed, np.asarray(total)))
            total = total * weight.value
        tape.played_by(plan, [*others, (self.cost, np.asarray(total))])

    def backward(self, later: Sequence[Array] | None) -> None:
        """Play backwards, from the whole cost and from what comes back to s(T) from beyond."""
        self.plan.pull(later)
        self.tape.received(self.cost, self.totals)
