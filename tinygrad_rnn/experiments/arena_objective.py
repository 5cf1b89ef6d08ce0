"""What a rival sees: a cost of some weights, its gradient if it wants one, and a budget that is counted for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import BatchedValues, record_pushforward
from ..data import Sequences
from ..through_time import eprop, rtrl, truncated, uoro
from ..unfold import Unfolded, unfold
from .tasks import Task

Array = NDArray[Any]

FORWARD, BACKWARD = 1, 1  # passes: measured, a gradient takes 1.7 to 2.3 times a forward pass over many sizes
MARKS = 60  # points of a curve


class BudgetSpent(Exception):  # noqa: N818  it is how every run ends, and no error
    """The budget would be exceeded: the run is over.

    It is no StopIteration, which `map` inside an optimiser would swallow.
    """


class Objective:
    """The cost of a task as a function of one vector of weights, with a budget of forward passes.

    The unit is the forward equivalent, FE: one pass over the whole training set. A cost takes 1, a gradient 2, a
    Jacobian 1 and one for each weight. What would exceed the budget is not done.

    Parameters
    ----------
    task : Task
        What is to be learnt.
    start : mapping of str to ndarray
        The start weights.
    budget : int
        FE.
    noise : int
        A seed for methods that draw as they go.

    Attributes
    ----------
    start : ndarray, (n,)
        The start weights.
    n : int
        How many there are.
    spent : int
        FE so far.
    best, best_at : float, ndarray
        The smallest normalised mean squared error met with, and its weights.
    evaluations : int
        How often a cost was found.
    """

    def __init__(self, task: Task, start: Mapping[str, Array], budget: int, noise: int = 0) -> None:
        self.task, self.budget, self.spent, self.evaluations = task, budget, 0, 0
        self.start = np.concatenate([w.ravel() for w in start.values()])
        self.n = len(self.start)
        self._w = self.start.copy()
        # The network's weights are views of one vector.
        ends = np.cumsum([w.size for w in start.values()])[:-1]
        parts = np.split(self._w, ends)
        self.params = {name: p.reshape(w.shape) for (name, w), p in zip(start.items(), parts, strict=True)}
        self.net = _unfolded(task, self.params, task.train)
        self.scale = _nmse(self.net, task.train) / self.net.loss
        self.best, self.best_at = np.inf, self.start
        self.marks = marks(budget)
        self.curve: list[float] = []
        self._jacobian: _Jacobian | None = None
        self._noise = np.random.default_rng(noise)

    def cost(self, w: Array) -> float:
        """The normalised mean squared error over the training set: 1 is what saying the mean has."""
        self._charge(FORWARD)
        self._w[:] = w
        self.net.replay()
        return self._seen(self.net.loss * self.scale)

    def gradient(self, w: Array) -> tuple[float, Array]:
        """The same, and its gradient (n,), by backpropagation through time."""
        self._charge(FORWARD + BACKWARD)
        self._w[:] = w
        self.net.replay()
        self.net.backward()
        grads = self.net.grads
        gradient = np.concatenate([grads[name].ravel() for name in self.params]) * self.scale
        return self._seen(self.net.loss * self.scale), gradient

    def residuals(self, w: Array) -> Array:
        """What is said less what should be, for everything paid for; the cost is the sum of their squares."""
        self.cost(w)
        said = np.stack([y.value for y in self.net.outputs])
        found: Array = ((said - self.task.train.d)[self.task.train.paid > 0]).ravel()
        return found * np.sqrt(self._per_residual)

    def jacobian(self, w: Array) -> Array:
        """Their derivatives, (residuals, n), by forward mode: a tangent for each weight."""
        self._charge(FORWARD + self.n)
        self._w[:] = w
        if self._jacobian is None:
            self._jacobian = _Jacobian(_unfolded(self.task, self.params, self.task.train))
        moved = self._jacobian(self.params)
        return moved[self.task.train.paid > 0].reshape(-1, self.n) * np.sqrt(self._per_residual)

    @property
    def _per_residual(self) -> float:
        return 1 / (float(self.task.train.paid.sum()) * self.task.train.variance)

    def online(self, method: str, w: Array, update: Callable[[dict[str, Array], dict[str, Array]], None]) -> Array:
        """One pass of a method that updates the weights on the way, at each window that it yields; the weights after.

        Parameters
        ----------
        method : str
            One of `ONLINE`; `charge` says what it takes.
        w : ndarray, (n,)
            The weights before.
        update : callable
            Given the weights and the gradients of a window, it changes the weights in place.
        """
        self._charge(charge(method, self.n))
        self._w[:] = w
        train = self.task.train
        for window in ONLINE[method](self.task.cell, self.params, train.x, train.d, self._noise):
            update(self.params, dict(window.grads))
        return self._w.copy()

    def tested(self) -> float:
        """The normalised mean squared error of the best weights over the test set."""
        self._w[:] = self.best_at
        return _nmse(_unfolded(self.task, self.params, self.task.test), self.task.test)

    def finish(self) -> None:
        """Fill the curve up to the end of the budget."""
        self.curve += [self.best] * (len(self.marks) - len(self.curve))

    def _charge(self, passes: int) -> None:
        if self.spent + passes > self.budget:
            raise BudgetSpent
        while len(self.curve) < len(self.marks) and self.marks[len(self.curve)] < self.spent + passes:
            self.curve.append(self.best)
        self.spent += passes

    def _seen(self, cost: float) -> float:
        self.evaluations += 1
        cost = float(cost) if np.isfinite(cost) else np.inf
        if cost < self.best:
            self.best, self.best_at = cost, self._w.copy()
        return cost


def marks(budget: int) -> list[int]:
    """The numbers of FE at which a curve is read: closer and closer together on the left."""
    return sorted({int(k) for k in np.geomspace(2, budget, MARKS)}) if budget >= 2 else [budget]


def _unfolded(task: Task, params: dict[str, Array], examples: Sequences) -> Unfolded:
    return unfold(task.cell, params, loss="squared_error", **examples.arguments)


def _nmse(net: Unfolded, examples: Sequences) -> float:
    """The normalised mean squared error of what a network has said: 1 is what saying the mean has."""
    said = np.stack([y.value for y in net.outputs])
    squares = float((((said - examples.d) ** 2).sum(axis=-1) * examples.paid).sum())
    return squares / (float(examples.paid.sum()) * examples.variance)


class _Jacobian:
    """Forward mode over a network, recorded once and played for all weights at the same time."""

    def __init__(self, net: Unfolded) -> None:
        self.net, tape = net, net.tape
        self.first = list(tape.nodes)
        self.seeds = {leaf: tape.leaf(np.zeros_like(leaf.value), active=False) for leaf in net.weights.values()}
        self.moved = record_pushforward(tape, self.first, self.seeds)
        moving = set(self.seeds.values())
        for node in tape.nodes[len(self.first) :]:
            if not moving.isdisjoint(node.parents):
                moving.add(node)
        self.moving = [n for n in tape.nodes if n in moving]
        self.still = [n for n in tape.nodes if n not in moving]  # the network, and the slopes at its values

    def __call__(self, params: dict[str, Array]) -> Array:
        """How every output moves with every weight, (T, B, o, n)."""
        net, n, at = self.net, sum(w.size for w in params.values()), 0
        given = {net.weights[name]: w.copy() for name, w in params.items()}
        now = BatchedValues(net.tape.values, given).run(self.still)
        seeds = {}
        for name, w in params.items():
            basis = np.zeros((n, w.size))
            basis[at : at + w.size] = np.eye(w.size)
            seeds[self.seeds[net.weights[name]]] = basis.reshape(n, *w.shape)
            at += w.size
        moved = BatchedValues(now, seeds).run(self.moving)
        return np.stack([np.moveaxis(moved[self.moved[y]], 0, -1) for y in net.outputs])


ONLINE: dict[str, Callable[..., Any]] = {
    "TBPTT": lambda cell, params, x, d, _: truncated(cell, params, x, d, k1=5, k2=5, loss="squared_error"),
    "RTRL": lambda cell, params, x, d, _: rtrl(cell, params, x, d, loss="squared_error"),
    "UORO": lambda cell, params, x, d, rng: uoro(cell, params, x, d, loss="squared_error", rng=rng),
    "e-prop": lambda cell, params, x, d, _: eprop(cell, params, x, d, loss="squared_error"),
}


def charge(method: str, n: int) -> int:
    """FE of one pass of an on-line method, by what it does at each step and not by how long Python takes for it.

    All go forwards once. TBPTT in windows side by side goes back once. RTRL carries a tangent for each of the n
    weights. UORO carries one, and goes back through a single step. E-prop carries a trace for each weight, which takes
    as many products as the forward pass, and goes back through a single step.
    """
    return {"TBPTT": 2, "RTRL": 1 + n, "UORO": 3, "e-prop": 3}[method]
