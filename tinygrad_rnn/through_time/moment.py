"""One time step of a stream on a tape of its own: all that a method needs which never looks back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import ShapeError
from ..unfold.given import initial_state, same_dtype
from ..unfold.losses import known_loss
from ..unfold.recipe import Cell, Loss, Recipe
from ..unfold.recording import Recording
from ..unfold.structure import flatten, rebuild

Array = NDArray[Any]


class Moment:
    """One time step: the weights and the state before it as leaves, the new state and the cost as nodes.

    Attributes
    ----------
    tape : Tape
        The step's own nodes, `size` of them; a method may record more behind them.
    weights : dict of str to Node
        The weights, as they are in `params` at this time.
    x, d : Node
        The input and the target.
    before, parts : tuple of Node
        The parts of the state before the step, and after it.
    cost : Node
        The step's cost.
    """

    def __init__(self, recipe: Recipe, params: Mapping[str, Any], t: int, x: Array, d: Array, before: Any) -> None:
        self.tape = Recording(getattr(recipe.cell, "equations", {}))
        self.weights = {name: self.tape.leaf(value, name) for name, value in params.items()}
        self._before = before
        given = flatten(before)
        same_dtype(self.weights, {"x": x, "d": d} | {f"s0{f'[{k}]' if k else ''}": s for k, s in enumerate(given)})
        self.before = tuple(self.tape.leaf(s, "s", t=t - 1) for s in given)
        weights = {name: w for name, w in self.weights.items() if name not in recipe.initial}
        step = recipe.record(self.tape, t, weights, (x, d, None), rebuild(before, self.before))
        self.x, self.d, self.cost = step.x, step.d, step.cost
        self.parts = tuple(flatten(step.state))
        self.size = len(self.tape)

    @property
    def state(self) -> Any:
        """The new state, in the cell's structure."""
        return rebuild(self._before, [part.value for part in self.parts])


@dataclass(frozen=True)
class Steps:
    """What the steps of a stream are recorded from.

    Attributes
    ----------
    recipe : Recipe
        The cell and the loss.
    shapes : mapping of str to tuple of int
        The shapes that the weights had when it began.
    """

    recipe: Recipe
    shapes: Mapping[str, tuple[int, ...]]

    def record(self, params: Mapping[str, Any], t: int, x: Array, d: Array, before: Any) -> Moment:
        """Record time step `t`, with the weights as they are now.

        Raises
        ------
        ShapeError
            If a weight has another shape than it had, or arrays do not fit together.
        """
        for name, value in params.items():
            if np.shape(value) != self.shapes.get(name):
                raise ShapeError(
                    f"at t={t} the parameter {name} is {np.shape(value)}, and at t=1 it was {self.shapes.get(name)}: "
                    "a stream is read with weights of the same names and shapes"
                )
        return Moment(self.recipe, params, t, x, d, before)


def prepared(cell: Cell, params: Mapping[str, Any], loss: str | Loss, s0: Any, n_samples: int) -> tuple[Steps, Any]:
    """What a stream's steps are recorded from, and the state that it starts from, arrays throughout."""
    start = initial_state(cell, params, s0, n_samples)
    trained = frozenset(s for s in flatten(start) if isinstance(s, str))
    rows = [np.repeat(np.asarray(params[s])[None], n_samples, 0) if isinstance(s, str) else s for s in flatten(start)]
    for k, s in enumerate(rows):
        if s.ndim < 1 or len(s) != n_samples:
            raise ShapeError(f"part {k} of s0 is {s.shape} and the stream has {n_samples} samples: s0[p, j]")
    shapes = {name: np.shape(value) for name, value in params.items()}
    return Steps(Recipe(cell, known_loss(loss), np.ones(1), trained), shapes), rebuild(start, rows)


def only_arrays(s0: Any) -> Any:
    """The initial state as it was given, unless it names parameters.

    Raises
    ------
    ValueError
        If it does.
    """
    named = [s for s in flatten(s0) if isinstance(s, str)]
    if named:
        raise ValueError(f"s0 names the parameter {named[0]!r}: this method takes arrays; rtrl trains an initial state")
    return s0
