"""Unfolding: one copy of the network for each time step, all copies tied to one set of weights."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, ShapeError, Tape, TapeError, ops
from .fold import Folded, fold_step, steps_differ
from .graph import graph
from .losses import LOSSES
from .plan import Plan
from .steps import Step, walk

Array = NDArray[Any]
Cell = Callable[[Mapping[str, Any], Any, Any], tuple[Any, Any]]
Loss = Callable[[Node, Node], Node]


class Copies(Mapping[str, Node]):
    """The weights as one time step sees them: a copy is made when the cell first reads the weight."""

    def __init__(self, weights: Mapping[str, Node], t: int) -> None:
        self._weights = weights
        self._t = t
        self.made: dict[str, Node] = {}

    def __getitem__(self, name: str) -> Node:
        if name not in self.made:
            if name not in self._weights:
                raise KeyError(
                    f"the cell reads the parameter {name!r} at t={self._t}; params has {', '.join(self._weights)}"
                )
            self.made[name] = ops.copy(self._weights[name], name=name)
        return self.made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._weights  # a Mapping would look by reading, and make a copy

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)


class Gradients(Mapping[str, Array]):
    """Gradients by the weight's name; each is computed from its factors when it is first read."""

    def __init__(self, names: Sequence[str], read: Callable[[str], Array], tape: Tape) -> None:
        self._names = tuple(names)
        self._read = read
        self._known: dict[str, Array] = {}
        self._tape = tape
        self._sweep = tape.sweeps

    def __getitem__(self, name: str) -> Array:
        if name not in self._names:
            raise KeyError(f"there is no parameter {name!r}; there are {', '.join(self._names)}")
        if name not in self._known:
            if self._tape.swept is None or self._tape.sweeps != self._sweep:
                raise TapeError(
                    f"these gradients belong to an earlier backward pass, and that of {name} was not read while it "
                    "was the last one: ask the net again"
                )
            self._known[name] = self._read(name)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"<gradients of {', '.join(self._names)}>"


class Unfolded:
    """A recurrent network unfolded over one batch of sequences. Made by `unfold`.

    Attributes
    ----------
    tape : Tape
        Every node, in the order it was recorded.
    params : mapping
        The arrays that were passed in; a replay reads them again.
    weights : dict of str to Node
        The one set of weights that all copies are tied to.
    states, outputs, losses : tuple of Node
        s(0)..s(T), y(1)..y(T) and C(1)..C(T).
    cost : Node
        The sum, or the mean, of the losses.
    schedule : str
        How a replay is played: the loops over the copies, or why there is no plan. Empty before the
        first replay.
    """

    def __init__(
        self,
        tape: Tape,
        params: Mapping[str, Array],
        weights: dict[str, Node],
        copies: Sequence[Mapping[str, Node]],
        inputs: Sequence[Node],
        targets: Sequence[Node],
        states: Sequence[Node],
        outputs: Sequence[Node],
        losses: Sequence[Node],
        cost: Node,
        recipe: Recipe,
    ) -> None:
        self.tape = tape
        self.params = params
        self.weights = weights
        self.inputs = tuple(inputs)
        self.targets = tuple(targets)
        self.states = tuple(states)
        self.outputs = tuple(outputs)
        self.losses = tuple(losses)
        self.cost = cost
        self._copies = tuple(copies)
        self._recipe = recipe
        self._plan: Plan | None = None
        self.schedule = ""
        self._read: tuple[Gradients, Gradients] | None = None
        self._read_at = 0  # the number of the backward pass that `_read` belongs to

    @property
    def T(self) -> int:
        """How many time steps, and so how many copies, there are."""
        return len(self.losses)

    @property
    def loss(self) -> float:
        """The cost C.

        Raises
        ------
        TapeError
            If the forward pass was left before its end.
        """
        if not self.tape.computed(self.cost):
            raise TapeError("the forward pass was left before its end: run the steps to their end, or replay()")
        return float(self.cost.value)

    def __repr__(self) -> str:
        x = self.inputs[0].value
        return f"<network unfolded over {self.T} time steps, {x.shape[0]} samples, {len(self.tape)} nodes>"

    def backward(self, of: int | None = None) -> None:
        """Send the error back through every copy.

        Parameters
        ----------
        of : int, optional
            Start from the cost C(of) of this time step alone, as Guo does in (26)-(28); from the
            whole cost if none is named.
        """
        if of is None and self._plan is not None and self.tape.rows is self._plan:
            self._plan.backward()
            self.tape.received(self.cost)
        else:
            self.tape.backward(self._root(of))

    def _root(self, of: int | None) -> Node:
        if of is None:
            return self.cost
        if isinstance(of, bool) or not isinstance(of, int | np.integer) or not 1 <= of <= self.T:
            raise ValueError(f"of={of!r}: it is a time step, an integer from 1 to {self.T}")
        return self.losses[of - 1]

    @property
    def grads(self) -> Mapping[str, Array]:
        """dC / d weight by name: the sum of the gradients of the weight's copies."""
        return self._gradients()[0]

    @property
    def copies(self) -> Mapping[str, Array]:
        """dC / d copy by name, (T, ...): entry t - 1 is the gradient of the copy of time step t."""
        return self._gradients()[1]

    def _gradients(self) -> tuple[Gradients, Gradients]:
        if self.tape.swept is None:
            raise TapeError("there are no gradients yet: call backward() first, or let the steps run to their end")
        if self._read is None or self._read_at != self.tape.sweeps:
            self._read_at = self.tape.sweeps
            self._read = (
                Gradients(list(self.weights), self._of_weight, self.tape),
                Gradients(list(self.weights), self._of_copies, self.tape),
            )
        return self._read

    def _of_weight(self, name: str) -> Array:
        if self._plan is not None and self.tape.error_rows is self._plan:
            return self._plan.grads[name].copy()
        return cotangent(self.weights[name])

    def _of_copies(self, name: str) -> Array:
        whole = self.weights[name].value
        each = [made[name].cotangent if name in made else None for made in self._copies]
        return np.stack([np.zeros_like(whole) if g is None else np.asarray(g) for g in each])

    def steps(self, of: int | None = None) -> Iterator[Step]:
        """Run the forward and then the backward pass, yielding each step as it happens.

        The same passes that `replay` and `backward` run to their end.
        """
        return walk(self.tape, self._root(of))

    def replay(self, x: Any = None, d: Any = None) -> float:
        """Run the forward pass again, on new data if some is given, with the parameters as they are now.

        Parameters
        ----------
        x, d : array_like, optional
            New inputs and targets, of the shapes and dtype of the old ones.

        Returns
        -------
        float
            The cost.

        Raises
        ------
        ShapeError
            If a shape or a dtype differs; nothing is changed then.
        """
        for name in self.weights:
            if name not in self.params:
                raise KeyError(f"replay: the parameter {name!r} is gone from params; put it back or unfold again")
        # Everything is looked at before anything is changed.
        new = {name: _fitting(name, self.params[name], leaf.shape, leaf) for name, leaf in self.weights.items()}
        data = [
            (leaves, None if given is None else _fitting(what, given, (len(leaves), *leaves[0].shape), leaves[0]))
            for what, given, leaves in (("x", x, self.inputs), ("d", d, self.targets))
        ]
        if not self.schedule:
            self._make_plan()
        if self._plan is not None:
            self._play(self._plan, new, *(given for _, given in data))
            return self.loss
        for name, leaf in self.weights.items():
            self.tape.set(leaf, new[name])
        for leaves, given in data:
            if given is not None:
                for leaf, value in zip(leaves, given, strict=True):
                    self.tape.set(leaf, value)
        for _ in self.tape.play():
            pass
        return self.loss

    def _make_plan(self) -> None:
        """Lay the network out for replays, if its steps are all alike; say why not otherwise."""
        tape = self.tape
        different = steps_differ(tape, self.T)
        if different:
            self.schedule = f"no plan, every node is played by itself: {different}"
            return
        folded = self._fold_step()
        if folded.state is folded.before:
            self.schedule = "no plan, every node is played by itself: the cell hands its state on as it is"
            return
        step = [n for n in tape if n.t == 1]
        if [n.op for n in step] != [n.op for n in folded.tape.nodes[folded.first : folded.size]]:
            self.schedule = (
                "no plan, every node is played by itself: the cell computed something else when it was called again"
            )
            return
        self._plan = Plan(folded, self.T)
        self.schedule = "\n\n".join(self._plan.source)
        for leaves, node in ((self.inputs, folded.x), (self.targets, folded.d)):
            for row, leaf in zip(self._plan.stacks[node.index], leaves, strict=True):
                np.copyto(row, leaf.value)
        self._plan.long[folded.state.index][0] = self.states[0].value

    def _fold_step(self) -> Folded:
        recipe = self._recipe
        return fold_step(
            lambda weights, x, s: recipe.cell(Copies(weights, 1), x, s),
            recipe.loss,
            {name: leaf.value for name, leaf in self.weights.items()},
            self.inputs[0].value,
            self.targets[0].value,
            self.states[0].value,
            self.tape.equations,
            recipe.cost_share,
        )

    def fold(self) -> nx.MultiDiGraph[Any]:
        """The cell's own graph: the copies of each node merged into one, edges with the attribute ``delay``.

        Raises
        ------
        ValueError
            If the time steps are not copies of one step.
        """
        different = steps_differ(self.tape, self.T)
        if different:
            raise ValueError(f"this network cannot be folded: {different}")
        return self._fold_step().graph()

    def _play(self, plan: Plan, new: Mapping[str, Array], x: Array | None, d: Array | None) -> None:
        """Replay with the plan: copy in what is new, play, and let the nodes look at the buffers' rows."""
        folded = plan.folded
        for name, leaf in folded.weights.items():
            np.copyto(plan.stacks[leaf.index], new[name])
        for given, leaf in ((x, folded.x), (d, folded.d)):
            if given is not None:
                np.copyto(plan.stacks[leaf.index], given)
        plan.forward()
        total = np.add.reduce(plan.stacks[folded.cost.index])
        others = [] if self.tape.rows is plan else [(leaf, plan.shared(name)) for name, leaf in self.weights.items()]
        if self.cost.op is ops.multiply:  # by 1/T
            summed, weight = self.cost.parents
            others.append((summed, np.asarray(total)))
            total = total * weight.value
        self.tape.played_by(plan, [*others, (self.cost, np.asarray(total))])

    def graph(self) -> nx.MultiDiGraph[Any]:
        """The tape as a frozen networkx graph, see `tinygrad_rnn.unfold.graph`."""
        return graph(self.tape)


@dataclass(frozen=True)
class Recipe:
    """What a network was unfolded from, to record a step of it again."""

    cell: Cell
    loss: Loss
    cost_share: float


def _fitting(what: str, given: Any, shape: tuple[int, ...], like: Node) -> Array:
    """New numbers for a replay, as an array of the shape and dtype that the network was unfolded with."""
    array, dtype = np.asarray(given), like.value.dtype
    if array.shape != shape or array.dtype != dtype:
        raise ShapeError(
            f"replay: {what} is {array.shape} {array.dtype}, and the network was unfolded over {shape} {dtype}. "
            "For another shape, unfold again."
        )
    return array


def cotangent(node: Node) -> Array:
    """dC / d node as an array of its own; zeros if no error came.

    Raises
    ------
    TapeError
        If there was no complete backward pass.
    """
    if node.tape.swept is None:
        raise TapeError(f"{node} has no error yet: call backward() first, or let the steps run to their end")
    g = node.cotangent
    return np.zeros_like(node.value) if g is None else np.array(g)


def delta(node: Node) -> Array:
    """Guo's error delta = -dC / d node: the negative of the cotangent, Guo (2013), section 2.1.

    Parameters
    ----------
    node : Node
        A node that a backward pass has reached, such as a net input.

    Returns
    -------
    ndarray
        Of the node's shape.
    """
    return -cotangent(node)


def unfold(
    cell: Cell,
    params: Mapping[str, Any],
    x: Any,
    d: Any,
    *,
    loss: str | Loss = "cross_entropy",
    reduction: str = "sum",
    s0: Any = None,
) -> Unfolded:
    """Unfold a recurrent network over a batch of sequences: one copy of the cell for each time step.

    Parameters
    ----------
    cell : callable
        ``cell(params, x, s) -> (s, y)``, see `tinygrad_rnn.unfold.cells`.
    params : mapping of str to ndarray
        The weights, by name.
    x : array_like, (T, B, l)
        The inputs ``x[t, p, i]``: time first, then samples.
    d : array_like, (T, B, o)
        The targets ``d[t, p, k]``.
    loss : {"cross_entropy", "squared_error"} or callable
        The cost of one time step, ``loss(y, d)``; it is summed over the samples.
    reduction : {"sum", "mean"}
        Whether the costs of the time steps are summed, as in Guo, or averaged.
    s0 : array_like, (B, m), optional
        The initial state s(0); zeros if none is given.

    Returns
    -------
    Unfolded
        The network, its forward pass done.

    Raises
    ------
    ShapeError
        If arrays do not fit together.
    ValueError
        If `loss` or `reduction` is unknown.

    Notes
    -----
    Source: Guo (2013), section 3 and Figure 2.
    """
    if isinstance(loss, str) and loss not in LOSSES:
        raise ValueError(f"loss={loss!r}: it is one of {', '.join(LOSSES)}, or a function of y and d")
    if reduction not in ("sum", "mean"):
        raise ValueError(f"reduction={reduction!r}: the costs over time are combined by 'sum' or by 'mean'; say which")
    x, d = _sequences(x, d)
    cost_of = LOSSES[loss] if isinstance(loss, str) else loss
    tape = Tape(getattr(cell, "equations", None))
    weights = {name: tape.leaf(value, name) for name, value in params.items()}
    if s0 is None:
        if not hasattr(cell, "initial_state"):
            raise ValueError("this cell has no initial_state(): pass s0, an array (B, m)")
        s0 = cell.initial_state(params, x.shape[1])
    if isinstance(s0, tuple | list):
        raise ShapeError("s0 is a sequence: the state is one array s0[p, j]")
    s0 = np.asarray(s0)
    _same_dtype(weights, {"x": x, "d": d, "s0": s0})
    x, d = np.array(x), np.array(d)
    states = [tape.leaf(s0, "s", t=0)]
    inputs, targets, copies, outputs, losses = [], [], [], [], []
    with _collector_at_rest():
        for t in range(1, len(x) + 1):
            with tape.step(t):
                inputs.append(tape.leaf(x[t - 1], "x", active=False, varies=True, copy=False))
                made = Copies(weights, t)
                s, y = _state_and_output(cell(made, inputs[-1], states[-1]), states[-1])
                targets.append(tape.leaf(d[t - 1], "d", active=False, varies=True, copy=False))
                losses.append(_scalar(cost_of(y, targets[-1])))
            copies.append(made.made)
            states.append(s)
            outputs.append(y)
    cost = ops.add(*losses, name="C" if reduction == "sum" else "C_sum")
    if reduction == "mean":
        cost = ops.multiply(cost, tape.leaf(np.full((), 1 / len(x), x.dtype), "1/T", active=False), name="C")
    recipe = Recipe(cell, cost_of, 1.0 if reduction == "sum" else 1 / len(x))
    return Unfolded(tape, params, weights, copies, inputs, targets, states, outputs, losses, cost, recipe)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Keep Python's cycle collector from walking a tape over and over while it grows: there is nothing to collect."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _sequences(x: Any, d: Any) -> tuple[Array, Array]:
    x, d = np.asarray(x), np.asarray(d)
    for name, array, last in (("x", x, "i"), ("d", d, "k")):
        if array.ndim != 3:
            hint = f" For a single sequence pass {name}[:, None, :]." if array.ndim == 2 else ""
            if name == "d" and array.dtype.kind in "iu":
                hint = " If d holds the numbers of classes, pass numpy.eye(number of classes)[d]."
            raise ShapeError(
                f"{name} is {array.shape}: {name}[t, p, {last}] has three axes, time, sample and unit.{hint}"
            )
    if x.shape[:2] != d.shape[:2]:
        raise ShapeError(
            f"x is {x.shape} and d is {d.shape}: x[t, p, i] and d[t, p, k] must agree on t and p, "
            f"{x.shape[:2]} is not {d.shape[:2]}."
        )
    if 0 in x.shape or 0 in d.shape:
        raise ShapeError(
            f"x is {x.shape} and d is {d.shape}: there must be at least one time step, one sample and one unit"
        )
    return x, d


def _state_and_output(result: Any, before: Node) -> tuple[Node, Node]:
    if not (isinstance(result, tuple) and len(result) == 2 and all(isinstance(n, Node) for n in result)):
        raise TypeError(
            f"the cell returned {type(result).__name__}: it must return two nodes, the new state and the output, "
            "both computed with the ops of tinygrad_rnn.ops"
        )
    s, y = result
    if s.shape != before.shape:
        raise ShapeError(f"the cell turned a state of shape {before.shape} into one of {s.shape}: they must agree")
    return s, y


def _scalar(cost: Any) -> Node:
    if not isinstance(cost, Node) or cost.shape != ():
        given = f"a node of shape {cost.shape}" if isinstance(cost, Node) else type(cost).__name__
        raise TypeError(f"the loss returned {given}: it must return one number for the time step, a node of shape ()")
    return cost


def _same_dtype(weights: Mapping[str, Node], arrays: Mapping[str, Array]) -> None:
    given = {name: leaf.value.dtype for name, leaf in weights.items()}
    given |= {name: array.dtype for name, array in arrays.items()}
    if len(set(given.values())) > 1:
        listed = ", ".join(f"{name} {dtype}" for name, dtype in given.items())
        raise ShapeError(f"all arrays must have one dtype; given are {listed}. Convert them with .astype(float).")
