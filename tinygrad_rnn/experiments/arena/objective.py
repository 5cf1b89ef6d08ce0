"""What a rival sees: a cost of some weights, its gradient if it wants one, and a budget that is counted for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...autodiff import BatchedValues, record_pushforward
from ...data import Sequences
from ...through_time import eprop, rtrl, uoro
from ...through_time.pieces import Pieces
from ...through_time.stream import Window
from ...through_time.truncation import Truncation
from ...through_time.windows import Windows
from ...unfold import Unfolded, unfold
from .tasks import TASKS, Task

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
        The start weights, of the task's own network.
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

    Raises
    ------
    ValueError
        If the start weights are not those of the task's network.
    """

    def __init__(self, task: Task, start: Mapping[str, Array], budget: int, noise: int = 0) -> None:
        self.task, self.budget, self.spent, self.evaluations = task, budget, 0, 0
        given, own = ({name: np.shape(w) for name, w in each.items()} for each in (start, self._nets.params))
        if given != own:
            raise ValueError(f"the start weights are {given}, and those of the network of {task.name} {own}")
        self.start = np.concatenate([start[name].ravel() for name in own])
        self.n = len(self.start)
        self.best, self.best_at = np.inf, self.start
        self.marks = marks(budget)
        self.curve: list[float] = []
        self._noise = np.random.default_rng(noise)

    @property
    def _nets(self) -> TaskNetworks:
        """The networks of whatever thread asks; each question is done with them before another can begin."""
        return _HERE.networks(self.task)

    @cached_property
    def _streamed(self) -> TaskNetworks:
        """Networks of its own: between two windows anybody may ask something, which would change their weights."""
        return TaskNetworks(self.task)

    @property
    def net(self) -> Unfolded:
        """The task's network over the training set.

        All objectives of the task play the same one in a thread, so its numbers are those of whoever asked last.
        """
        return self._nets.train

    @property
    def params(self) -> dict[str, Array]:
        """The weights of that network, by name; also of whoever asked last."""
        return self._nets.params

    def cost(self, w: Array) -> float:
        """The normalised mean squared error over the training set: 1 is what saying the mean has."""
        self._charge(FORWARD)
        return self._seen(w, self._nets.cost(w))

    def gradient(self, w: Array) -> tuple[float, Array]:
        """The same, and its gradient (n,), by backpropagation through time."""
        self._charge(FORWARD + BACKWARD)
        cost = self._seen(w, self._nets.cost(w))
        return cost, self._nets.gradient()

    def residuals(self, w: Array) -> Array:
        """What is said less what should be, for everything paid for; the cost is the sum of their squares."""
        self.cost(w)
        return self._nets.residuals()

    def jacobian(self, w: Array) -> Array:
        """Their derivatives, (residuals, n), by forward mode: a tangent for each weight."""
        self._charge(FORWARD + self.n)
        return self._nets.jacobian(w)

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
        nets = self._streamed
        nets.w[:] = w
        for window in ONLINE[method](nets, self._noise):
            update(nets.params, dict(window.grads))
        return nets.w.copy()

    def tested(self) -> float:
        """The normalised mean squared error of the best weights over the test set."""
        return self._nets.test_cost(self.best_at)

    def finish(self) -> None:
        """Fill the curve up to the end of the budget."""
        self.curve += [self.best] * (len(self.marks) - len(self.curve))

    def _charge(self, passes: int) -> None:
        if self.spent + passes > self.budget:
            raise BudgetSpent
        while len(self.curve) < len(self.marks) and self.marks[len(self.curve)] < self.spent + passes:
            self.curve.append(self.best)
        self.spent += passes

    def _seen(self, w: Array, cost: float) -> float:
        self.evaluations += 1
        cost = cost if np.isfinite(cost) else np.inf
        if cost < self.best:
            self.best, self.best_at = cost, np.array(w)
        return cost


class TaskNetworks:
    """A task's networks: each is recorded once, and played with whatever weights stand in one vector.

    Parameters
    ----------
    task : Task
        What is to be learnt.

    Attributes
    ----------
    w : ndarray, (n,)
        The weights of all of them.
    params : dict of str to ndarray
        The same numbers, weight by weight.
    """

    def __init__(self, task: Task) -> None:
        self.task, shaped = task, task.start(0)
        self.w = np.concatenate([w.ravel() for w in shaped.values()])
        parts = np.split(self.w, np.cumsum([w.size for w in shaped.values()])[:-1])  # views
        self.params = {name: p.reshape(w.shape) for (name, w), p in zip(shaped.items(), parts, strict=True)}
        self._scale, self._test_scale = _scale(task.train), _scale(task.test)

    @cached_property
    def train(self) -> Unfolded:
        """The network over the training set."""
        return self._over(self.task.train)

    @cached_property
    def pieces(self) -> Pieces:
        """The networks over pieces of it."""
        return Pieces(self.task.cell, self.params, "squared_error")

    @cached_property
    def _test(self) -> Unfolded:
        return self._over(self.task.test)

    @cached_property
    def _jacobian(self) -> _Jacobian:
        return _Jacobian(self._over(self.task.train))

    def _over(self, examples: Sequences) -> Unfolded:
        how = examples.arguments
        if examples.mask is not None:
            # A sequence that is over goes on, unpaid: the same cost, without a state to be chosen at each step.
            how = {"x": examples.x, "d": examples.d, "weights": examples.paid}
        return unfold(self.task.cell, self.params, loss="squared_error", **how)

    def cost(self, w: Array) -> float:
        """The normalised mean squared error over the training set."""
        self.w[:] = w
        return self.train.replay() * self._scale

    def gradient(self) -> Array:
        """Its gradient, (n,), where the cost was asked for last."""
        self.train.backward()
        grads = self.train.grads
        return np.concatenate([grads[name].ravel() for name in self.params]) * self._scale

    def residuals(self) -> Array:
        """What was said less what should have been, where the cost was asked for last."""
        train = self.task.train
        said = np.stack([y.value for y in self.train.outputs])
        found: Array = ((said - train.d)[train.paid > 0]).ravel()
        return found * np.sqrt(self._scale / 2)

    def jacobian(self, w: Array) -> Array:
        """How these move with every weight, (residuals, n)."""
        self.w[:] = w
        moved = self._jacobian(self.params)[self.task.train.paid > 0]
        return moved.reshape(-1, len(w)) * np.sqrt(self._scale / 2)

    def test_cost(self, w: Array) -> float:
        """The normalised mean squared error over the test set."""
        self.w[:] = w
        return self._test.replay() * self._test_scale


class _OfThread(threading.local):
    """The networks of the tasks, each thread's own: two that play the same one at a time would mix their weights."""

    def __init__(self) -> None:
        self.networks = lru_cache(maxsize=len(TASKS))(TaskNetworks)


_HERE = _OfThread()


def _scale(examples: Sequences) -> float:
    """What makes the normalised mean squared error of half the sum of squares, which a network's cost is."""
    return 2 / (float(examples.paid.sum()) * examples.variance)


def marks(budget: int) -> list[int]:
    """The numbers of FE at which a curve is read: closer and closer together on the left."""
    return sorted({int(k) for k in np.geomspace(2, budget, MARKS)}) if budget >= 2 else [budget]


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


def _tbptt(net: TaskNetworks, _: np.random.Generator) -> Iterator[Window]:
    task, windows = net.task, Windows(5, 5)
    stream = Truncation(task.cell, net.params, task.train.x, task.train.d, windows, loss="squared_error", s0=None)
    return stream.run(net.pieces)


def _of_steps(method: Callable[..., Iterator[Window]], net: TaskNetworks, **more: Any) -> Iterator[Window]:
    return method(net.task.cell, net.params, net.task.train.x, net.task.train.d, loss="squared_error", **more)


ONLINE: dict[str, Callable[[TaskNetworks, np.random.Generator], Iterator[Window]]] = {
    "TBPTT": _tbptt,
    "RTRL": lambda net, _: _of_steps(rtrl, net),
    "UORO": lambda net, rng: _of_steps(uoro, net, rng=rng),
    "e-prop": lambda net, _: _of_steps(eprop, net),
}


def charge(method: str, n: int) -> int:
    """FE of one pass of an on-line method, by what it does at each step and not by how long Python takes for it.

    All go forwards once. TBPTT in windows side by side goes back once. RTRL carries a tangent for each of the n
    weights. UORO carries one, and goes back through a single step. E-prop carries a trace for each weight, which takes
    as many products as the forward pass, and goes back through a single step.
    """
    return {"TBPTT": 2, "RTRL": 1 + n, "UORO": 3, "e-prop": 3}[method]
