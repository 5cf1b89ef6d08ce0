"""The cliff: an error surface of one unit with a wall in it, and the ways that optimisers take there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, ops
from ..autodiff.asked import asked, counted
from ..train import Optimiser, clip_by_norm
from ..unfold import Unfolded, losses, unfold, with_weights

Array = NDArray[Any]
START, TARGET = 0.5, 0.7


def logistic_unit(params: Mapping[str, Any], x: Any, s: Any) -> tuple[Node, Node]:
    """One unit on its own: ``s(t) = w sigma(s(t-1)) + b``, ``y(t) = sigma(s(t))``; it reads no input.

    Source: Pascanu, Mikolov and Bengio (2013), section 2 and figure 6.
    """
    del x
    s = ops.add(ops.multiply(params["w"], ops.sigmoid(s)), params["b"], name="s")
    return s, ops.sigmoid(s, name="y")


def _whole_square(y: Any, d: Any) -> Node:
    return ops.multiply(losses.squared_error(y, d), 2.0, name="C")


@asked
def cliff(w: float = 5.0, b: float = -2.5, T: int = 50) -> Unfolded:
    """One unit that has to come to 0.7 after T steps: ``C = (sigma(s(T)) - 0.7)^2``, from s(0) = 0.5.

    Parameters
    ----------
    w, b : float
        Its two weights.
    T : int
        How many time steps.

    Raises
    ------
    ValueError
        If a weight is not finite, or T is not an integer from 1 up.

    Notes
    -----
    Source: Pascanu, Mikolov and Bengio (2013), figure 6, whose axes have no ranges that could be taken over.
    """
    T = counted("cliff: T", T, 1, 10_000)
    for name, weight in (("w", w), ("b", b)):
        if not np.isfinite(float(weight)):
            raise ValueError(f"cliff: {name}={weight}: it must be finite")
    params = {"w": np.full((1, 1), float(w)), "b": np.full((1, 1), float(b))}
    x, d = np.zeros((T, 1, 1)), np.full((T, 1, 1), TARGET)
    return unfold(logistic_unit, params, x, d, s0=np.full((1, 1), START), loss=_whole_square, losses="last")


@dataclass(frozen=True, eq=False)
class Descent:
    """The way that an optimiser has taken.

    Attributes
    ----------
    params : mapping of str to ndarray, (steps + 1, *shape of the weight)
        Where it was, the start first.
    cost : ndarray, (steps + 1,)
        The cost there.
    gradient : ndarray, (steps + 1,)
        How long the gradient was there, before it was clipped.
    stopped : str
        Why it ended before its time; empty if it did not.
    """

    params: Mapping[str, Array]
    cost: Array
    gradient: Array
    stopped: str

    def __repr__(self) -> str:
        why = f", stopped: {self.stopped}" if self.stopped else ""
        return f"<a path of {len(self.cost) - 1} steps, cost {self.cost[0]:.3g} to {self.cost[-1]:.3g}{why}>"


@asked
def descend(net: Unfolded, optimiser: Optimiser, steps: int = 400, *, clip: float | None = None) -> Descent:
    """Let an optimiser go down a network's error surface, from the weights that it has. The network stays as it is.

    Parameters
    ----------
    net : Unfolded
        The network.
    optimiser : Optimiser
        One of `tinygrad_rnn.train` that has not taken a step yet.
    steps : int
        How many steps.
    clip : float, optional
        The gradient is shortened to this length where it is longer.

    Raises
    ------
    ValueError
        If `steps` is not an integer from 1 up, the optimiser has gone somewhere else before, or `clip` is not above 0.
    """
    steps = counted("descend: steps", steps, 1, 10**7)
    if optimiser.state():
        raise ValueError("descend: optimiser has gone somewhere before and remembers it: pass a new one")
    if clip is not None and not 0 < clip < np.inf:
        raise ValueError(f"descend: clip={clip}: a gradient is shortened to a length above 0 and finite")
    params = {name: leaf.value.copy() for name, leaf in net.weights.items()}
    here = with_weights(net, params)
    here.finite = False
    places: dict[str, list[Array]] = {name: [] for name in params}
    costs, lengths, stopped = [], [], ""
    for step in range(steps + 1):
        with np.errstate(over="ignore", invalid="ignore"):  # a way may leave the numbers, and ends there
            cost = here.replay() if step else here.loss
            here.backward()
            grads = dict(here.grads)
            lengths.append(float(np.sqrt(sum((g**2).sum() for g in grads.values()))))
        costs.append(cost)
        for name, w in params.items():
            places[name].append(w.copy())
        if step == steps:
            break
        try:
            if clip is not None:
                grads = clip_by_norm(grads, clip)
            optimiser.step(params, grads)
        except ValueError as error:
            stopped = str(error)
            break
    return Descent(
        MappingProxyType({name: np.stack(rows) for name, rows in places.items()}),
        np.array(costs),
        np.array(lengths),
        stopped,
    )
