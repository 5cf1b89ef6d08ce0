"""One time step of a stream on a tape of its own: all that a method needs which never looks back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, ShapeError, Values
from ..unfold.losses import known_loss
from ..unfold.recipe import Cell, Loss, Recipe
from ..unfold.recording import Recording
from ..unfold.structure import flatten, rebuild
from ..unfold.validation import initial_state, same_dtype

Array = NDArray[Any]
Data = tuple[Array, Array]  # an input (B, l) and a target (B, o)
M = TypeVar("M")


class SingleStep:
    """One time step: the weights and the state before it as leaves, the new state and the cost as nodes.

    Attributes
    ----------
    tape : Recording
        The step's own nodes, `size` of them; a method may record more behind them.
    weights : dict of str to Node
        The weights, as they are in `params` at this time.
    x, d : Node
        The input and the target.
    before, parts : tuple of Node
        The parts of the state before the step, and after it.
    output, cost : Node
        The step's output and its cost.
    leaves : tuple of Node
        The weights, the state before, x and d.
    """

    def __init__(
        self, recipe: Recipe, params: Mapping[str, Any], t: int, data: Data, before: Any, like: SingleStep | None = None
    ) -> None:
        given = {f"s0{f'[{k}]' if k else ''}": s for k, s in enumerate(flatten(before))}
        self.tape = Recording(getattr(recipe.cell, "equations", {}), like=like.nodes if like else ())
        self.weights = {name: self.tape.leaf(value, name, varies=True) for name, value in params.items()}
        shapes = {name: w.shape for name, w in (like or self).weights.items()}
        for name, w in self.weights.items():
            if w.shape != shapes.get(name):
                raise ShapeError(
                    f"at t={t} the parameter {name} is {w.shape}, and at t=1 it was {shapes.get(name)}: a stream is "
                    "read with weights of the same names and shapes"
                )
        same_dtype(self.weights, dict(zip("xd", data, strict=True)) | given)
        self.before = tuple(self.tape.leaf(s, "s", t=t - 1, varies=True) for s in given.values())
        weights = {name: w for name, w in self.weights.items() if name not in recipe.initial}
        step = recipe.record(self.tape, t, weights, dict(zip("xd", data, strict=True)), rebuild(before, self.before))
        self.x, self.d, self.output, self.cost = step.data["x"], step.data["d"], step.output, step.cost
        self.parts = tuple(flatten(step.state))
        self.leaves = (*self.weights.values(), *self.before, self.x, self.d)
        self.size = len(self.tape)

    @property
    def nodes(self) -> Sequence[Node]:
        """The step's own nodes."""
        return self.tape.nodes[: self.size]


class SingleSteps(Generic[M]):
    """The steps of a stream: each is recorded, and where it repeats the one before, nothing is recorded behind it.

    What a method adds to a step, such as its pushforward, is then played again for other leaves. A cell may do
    what it likes at any step, count or draw: it is called once for each, and a step that is no copy is a new one.

    Parameters
    ----------
    cell, params, loss, s0
        See `tinygrad_rnn.unfold`.
    n_samples : int
        The number of samples.
    extend : callable
        What a method makes of a `SingleStep`, which it may record behind.

    Attributes
    ----------
    start : ndarray or tuple
        The state that the stream starts from, arrays throughout.
    """

    def __init__(
        self,
        cell: Cell,
        params: Mapping[str, Any],
        loss: str | Loss,
        s0: Any,
        n_samples: int,
        extend: Callable[[SingleStep], M],
    ) -> None:
        start = initial_state(cell, params, s0, n_samples)
        self.start = with_rows(start, params, n_samples)
        for k, s in enumerate(flatten(self.start)):
            if s.ndim < 1 or len(s) != n_samples:
                raise ShapeError(f"part {k} of s0 is {s.shape} and the stream has {n_samples} samples: s0[p, j]")
        trained = frozenset(s for s in flatten(start) if isinstance(s, str))
        self._recipe = Recipe(cell, known_loss(loss), np.ones(1), trained)
        self._extend = extend
        self._usual: tuple[SingleStep, M] | None = None

    def record(self, params: Mapping[str, Any], t: int, x: Array, d: Array, before: Any) -> tuple[M, dict[Node, Array]]:
        """Record time step `t`, with the weights as they are now.

        Returns
        -------
        made : M
            What the method has made of this step, or of the one that it repeats.
        leaves : dict of Node to ndarray
            What that one's leaves are at this time.

        Raises
        ------
        ShapeError
            If a weight has another shape than it had, or arrays do not fit together.
        """
        usual = self._usual
        step = SingleStep(self._recipe, params, t, (x, d), before, usual and usual[0])
        if usual is None or not step.tape.repeats:
            usual = self._usual = step, self._extend(step)
        return usual[1], {n: now.value for n, now in zip(usual[0].leaves, step.leaves, strict=True)}


def with_rows(start: Any, params: Mapping[str, Any], n_samples: int) -> Any:
    """An initial state, arrays throughout: where it names a parameter, that one repeated over the samples."""
    rows = [np.repeat(np.asarray(params[s])[None], n_samples, 0) if isinstance(s, str) else s for s in flatten(start)]
    return rebuild(start, rows)


def reached(nodes: Iterable[Node], sources: Iterable[Node]) -> set[Node]:
    """The sources, and the nodes that depend on them."""
    found = set(sources)
    for node in nodes:
        if not found.isdisjoint(node.parents):
            found.add(node)
    return found


def needed(nodes: Sequence[Node], wanted: Iterable[Node]) -> list[Node]:
    """What has to be played for the nodes that are wanted, in order."""
    found = set(wanted)
    for node in reversed(nodes):
        if node in found:
            found.update(node.parents)
    return [node for node in nodes if node in found and node.op is not None]


def state_of(values: Values, step: SingleStep, like: Any) -> Any:
    """The state after a step, in the structure of `like`, in arrays of its own."""
    return rebuild(like, [np.array(values[part]) for part in step.parts])


def by_part(several: bool, name: str, k: int) -> str:
    """What a method carries along for part `k` of the state is called this."""
    return f"{name}[{k}]" if several else name


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
