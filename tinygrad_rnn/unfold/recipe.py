"""What one time step is made of, and how it is recorded: the cell on its copies of the weights, then the cost."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from numpy.typing import NDArray

from ..autodiff import Node, ShapeError, ops
from .copies import Copies
from .recording import Recording
from .structure import alike, flatten, outline, rebuild

Array = NDArray[Any]
Cell = Callable[[Mapping[str, Any], Any, Any], tuple[Any, Any]]
Loss = Callable[..., Node]


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """One time step, as it was recorded; `state` has the structure that the cell gave it.

    The data are x, d and, where there are such, the mask and the weight of each sample's cost.
    """

    data: Mapping[str, Node]
    copies: Mapping[str, Node]
    state: Any
    output: Node
    cost: Node


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a network is unfolded from, step by step, and folded from again.

    Attributes
    ----------
    cell, loss : callable
        As they were given to `unfold`.
    shares : ndarray, (T,)
        What each step's cost weighs in the whole: 1, or 1/T for a mean; 0 where it is not counted.
    initial : frozenset of str
        The parameters that are initial states.
    untied : bool
        Whether each time step has weights of its own.
    input_grads : bool
        Whether the inputs have gradients.
    """

    cell: Cell
    loss: Loss
    shares: Array
    initial: frozenset[str] = frozenset()
    untied: bool = False
    input_grads: bool = False

    def record(
        self, tape: Recording, t: int, weights: Mapping[str, Node], data: Mapping[str, Array], before: Any
    ) -> Recorded:
        """Record time step `t` from the state before and its data: x (B, l), d (B, o), perhaps mask and weight (B, 1).

        The data are not copied.

        Raises
        ------
        TypeError
            If the cell or the loss returns something else than nodes.
        ShapeError
            If the cell returns a state of another structure or shape than it was given.
        """

        def leaf(what: str, active: bool = False) -> Node:
            return tape.leaf(data[what], what, active=active, varies=True, copy=False)

        with tape.step(t, watched=True):
            leaves = {"x": leaf("x", self.input_grads)}
            if "mask" in data:
                leaves["mask"] = leaf("mask")
            copies = Copies(weights, t, self.initial, self.untied)
            state, y = _state_and_output(self.cell(copies, leaves["x"], before), before)
            parts, old = flatten(state), flatten(before)
            if not y.name or "" in [s.name for s in parts]:
                _name(parts, old, y)
            handed_on = len({*parts, *old}) < len(parts) + len(old)
            names = _part_names(parts, old) if handed_on else [s.name for s in parts]
            if "mask" in data:
                parts = _kept_where_over(leaves["mask"], parts, old, names)
            if handed_on:
                parts = _nodes_of_their_own(parts, old, names)
            state = rebuild(state, parts)
            leaves["d"] = leaf("d")
            if "weight" in data:
                leaves["weight"] = leaf("weight")
            pays = [leaves[what] for what in ("weight", "mask") if what in leaves][:1]
            cost = _scalar(self.loss(y, leaves["d"], *pays))
            if not cost.name:
                cost.name = "C"
        return Recorded(leaves, copies.made, state, y, cost)


def _name(parts: Sequence[Node], before: Sequence[Node], y: Node) -> None:
    """Give the state and the output the usual letters where the cell has left them without a name."""
    taken = {s.name for s in parts if s not in before}
    for k, s in enumerate(parts, 1):
        if not s.name:
            numbers = [""] if len(parts) == 1 else [f"_{n}" for n in range(k, 2 * len(parts) + 1)]
            s.name = next(name for name in (f"s{number}" for number in numbers) if name not in taken)
            taken.add(s.name)
    if not y.name:
        y.name = "y"


def _part_names(parts: Sequence[Node], before: Sequence[Node]) -> list[str]:
    """What the parts of the new state are called: as the cell calls them, and as no other part where it hands one on.

    A part that was called s one step before is called s_before, and s_before2 another step later; what is handed back
    twice is called s_again where it stands for the second time.
    """
    handed = {k: before.index(s) for k, s in enumerate(parts) if s in before}
    names: dict[int, str] = {}
    for k, s in enumerate(parts):
        if k not in handed:
            names[k] = _not_taken(s.name, names) if s in parts[:k] else s.name
    for _ in handed:
        for k, j in handed.items():
            if j in names and k not in names:
                names[k] = _not_taken(_lagged(names[j]), names)
    for k in handed:  # parts that change places and nothing else
        names.setdefault(k, _not_taken(f"s_{k + 1}", names))
    return [names[k] for k in range(len(parts))]


def _lagged(name: str) -> str:
    lagged = re.fullmatch(r"(.*)_before(\d*)", name)
    return f"{lagged[1]}_before{int(lagged[2] or 1) + 1}" if lagged else name and f"{name}_before"


def _not_taken(name: str, names: Mapping[int, str]) -> str:
    others = (f"{name}_again{k if k > 1 else ''}" for k in count(1))
    return next(each for each in chain([name], others) if not each or each not in names.values())


def _kept_where_over(mask: Node, new: Sequence[Node], before: Sequence[Node], names: Sequence[str]) -> list[Node]:
    """The new state where a sample has this step, the state before where it is over: ``s_kept`` chooses from ``s``."""
    wide: dict[tuple[int, ...], Node] = {}
    kept = []
    for s, old, name in zip(new, before, names, strict=True):
        if s is old:
            kept.append(s)
            continue
        if s.shape not in wide:
            wide[s.shape] = ops.broadcast(mask, source=mask.shape, to=s.shape)
        kept.append(ops.where(wide[s.shape], s, old, name=name and f"{name}_kept"))
    return kept


def _nodes_of_their_own(new: Sequence[Node], before: Sequence[Node], names: Sequence[str]) -> list[Node]:
    """The new state, a part that the cell hands on as it is, or twice, as a node of this step.

    Then whatever is read was computed one step before, and a step has as many nodes of state as the state has parts.
    """
    own: list[Node] = []
    for s, name in zip(new, names, strict=True):
        own.append(ops.identity(s, name=name) if s in before or s in own else s)
    return own


def masked_equations(equations: Mapping[Any, str]) -> dict[Any, str]:
    """The cell's equations, of what reads a state's kept value too."""
    kept = {(key[0], f"{key[1]}_kept"): eq for key, eq in equations.items() if isinstance(key, tuple)}
    return {**equations, **kept}


def _state_and_output(result: Any, before: Any) -> tuple[Any, Node]:
    whole = isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], Node)
    if not whole or not (isinstance(result[0], Node) or all(isinstance(s, Node) for s in flatten(result[0]))):
        raise TypeError(
            f"the cell returned {type(result).__name__}: it must return two nodes, the new state and the output, "
            "both computed with the ops of tinygrad_rnn.ops; a state may also be a tuple of nodes"
        )
    state, y = result
    if not alike(state, before):
        raise ShapeError(
            f"the cell turned a state {outline(before, 'node')} into {outline(state, 'node')}: a state comes out "
            "with the structure with which it went in"
        )
    for s, old in zip(flatten(state), flatten(before), strict=True):
        if s.shape != old.shape:
            raise ShapeError(f"the cell turned a state of shape {old.shape} into one of {s.shape}: they must agree")
    return state, y


def _scalar(cost: Any) -> Node:
    if not isinstance(cost, Node) or cost.shape != ():
        given = f"a node of shape {cost.shape}" if isinstance(cost, Node) else type(cost).__name__
        raise TypeError(f"the loss returned {given}: it must return one number for the time step, a node of shape ()")
    return cost
