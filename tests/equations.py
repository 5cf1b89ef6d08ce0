"""Each of Guo's 28 equations, the step of the tape that computes it, its line in a cell, and Guo's oracle beside it.

`test_equations.py` holds the two against each other; the site shows the table and does not build without one of them.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np

import tinygrad_rnn as tg
from canonical import problem
from tinygrad_rnn import guo

LIMIT = 1e-12  # of the largest number
T = 4  # the newest step, whose cost is carried back, and after which weights are changed
ETA = 0.1


class Covered(NamedTuple):
    """An equation: what the tape did, where it comes from, what the oracle is called, and how far they are apart."""

    equation: str
    step: str
    source: str
    oracle: str
    difference: float


class Network:
    """A small network of some kind, the steps of the cost C(T) alone, and the oracle's numbers."""

    def __init__(self, f: str, g: str, loss: str) -> None:
        self.p = p = problem(f, g, loss)
        self.f, self.g = f, g
        self.net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0, loss=p.loss)
        self.steps = list(self.net.steps(of=T))
        self.lines = self.net.source_lines()
        self.hand = guo.forward(p.params, p.x, p.s0, f=f, g=g)
        self.one = guo.gradients_of_one_cost(p.params, p.x, p.d, p.s0, T, T - 1, f=f, g=g, loss=loss)

    def find(self, equation: str, t: int = T, weight: str = "") -> tg.Step:
        """The step at time t that computes the equation."""
        for step in self.steps:
            to = step.share.parent.name if step.share else ""
            if step.equation == equation and step.t == t and weight in ("", to):
                return step
        raise LookupError(f"no step at t = {t} computes {equation}")

    def source(self, step: tg.Step) -> str:
        """The line that the step comes from."""
        return str(self.lines.get(step.node.role, ""))


@cache
def network(f: str = "tanh", g: str = "softmax", loss: str = "cross_entropy") -> Network:
    """Made once."""
    return Network(f, g, loss)


def usual() -> Network:
    return network()


def sigmoid() -> Network:
    return network("sigmoid", "sigmoid", "cross_entropy")


def squared() -> Network:
    return network("sigmoid", "sigmoid", "squared_error")


def covered() -> Iterator[Covered]:
    """One line for each equation, in order."""
    for key, (made, equation, t, weight, oracle, compare) in TABLE.items():
        n = made()
        step = n.find(equation, t, weight)
        ours, theirs = (np.asarray(a) for a in compare(n, step))
        difference = float(np.abs(ours - theirs).max() / np.abs(theirs).max())
        yield Covered(key, step.text, n.source(step), oracle, difference)


def change(n: Network, weight: str) -> Any:
    """What a step of gradient descent adds to a weight."""
    params = {name: w.copy() for name, w in n.p.params.items()}
    n.net.backward(of=T)
    tg.train.SGD(ETA).step(params, n.net.grads)
    return params[weight] - n.p.params[weight]


def output_error(n: Network) -> Any:
    return n.one.deltas_k[T - 1]


def hidden_error(n: Network, t: int = T) -> Any:
    return n.one.deltas_j[t - 1]


def before(n: Network) -> Any:
    """The hidden error one step earlier, by (19) and (26)."""
    return guo.hidden_error_before(hidden_error(n), n.p.params["U"], n.hand.net_j[T - 2], n.f)


def tape_error(n: Network, name: str, t: int = T) -> Any:
    """Guo's delta of a net input, as the tape has it for C(T) alone."""
    n.net.backward(of=T)
    return tg.delta(next(node for node in n.net.tape if node.name == name and node.t == t))


Row = tuple[Callable[[], Network], str, int, str, str, Callable[[Network, tg.Step], tuple[Any, Any]]]

# By equation: a network, the step's equation, its time and the weight that it gives a share to; the oracle's function;
# what the tape has found and what the oracle finds. Where Guo writes one thing twice, with indices and with matrices,
# one step computes both.
TABLE: dict[str, Row] = {
    "G1": (usual, "G1", T, "", "activation", lambda n, s: (s.value, n.hand.s[T])),
    "G2": (usual, "G2", T, "", "net_hidden", lambda n, s: (s.value, n.hand.net_j[T - 1])),
    "G3": (usual, "G3", T, "", "activation", lambda n, s: (s.value, n.hand.y[T - 1])),
    "G4": (usual, "G4", T, "", "net_output", lambda n, s: (s.value, n.hand.net_k[T - 1])),
    "G5": (squared, "G5", T, "", "squared_error", lambda n, s: (
        s.value, guo.squared_error(n.hand.y[T - 1], n.p.d[T - 1]))),
    "G6": (usual, "G28", T, "U", "descent", lambda n, s: (change(n, "U"), guo.descent(n.one.grads["U"], ETA))),
    "G7": (usual, "G17", T, "", "output_error", lambda n, s: (tape_error(n, "net_k"), output_error(n))),
    "G8": (squared, "G8", T, "", "output_error_squared", lambda n, s: (
        tape_error(n, "net_k"), guo.output_error_squared(n.hand.y[T - 1], n.p.d[T - 1], n.g))),
    "G9": (usual, "G9", T, "", "hidden_error", lambda n, s: (
        -s.value, guo.hidden_error(output_error(n), n.p.params["W"], n.hand.net_j[T - 1], n.f))),
    "G10": (squared, "G18", T, "W", "weight_change", lambda n, s: (
        -s.value, guo.weight_change(output_error(n), n.hand.s[T]))),
    "G11": (usual, "G11", T, "V", "weight_change", lambda n, s: (
        -s.value, guo.weight_change(hidden_error(n), n.p.x[T - 1]))),
    "G12": (usual, "G12", T, "U", "weight_change", lambda n, s: (
        -s.value, guo.weight_change(hidden_error(n), n.hand.s[T - 1]))),
    "G13": (sigmoid, "G3", T, "", "activation", lambda n, s: (s.value, guo.activation("sigmoid", n.hand.net_k[T - 1]))),
    "G14": (sigmoid, "G9", T, "", "derivative", lambda n, s: (
        s.value / n.find("G22").value, guo.derivative("sigmoid", n.hand.net_j[T - 1]))),
    "G15": (usual, "G3", T, "", "activation", lambda n, s: (s.value, guo.activation("softmax", n.hand.net_k[T - 1]))),
    "G16": (sigmoid, "G16", T, "", "two_term_cross_entropy", lambda n, s: (
        s.value, guo.two_term_cross_entropy(n.hand.y[T - 1], n.p.d[T - 1]))),
    "G17": (usual, "G17", T, "", "output_error_cross_entropy", lambda n, s: (
        -s.value, guo.output_error_cross_entropy(n.hand.y[T - 1], n.p.d[T - 1], n.g))),
    "G18": (usual, "G18", T, "W", "weight_change", lambda n, s: (
        -s.value, guo.weight_change(n.p.d[T - 1] - n.hand.y[T - 1], n.hand.s[T]))),
    "G19": (usual, "G9", T - 1, "", "hidden_error_before", lambda n, s: (-s.value, before(n))),
    "G20": (usual, "G17", T, "", "output_error", lambda n, s: (tape_error(n, "net_k"), n.p.d[T - 1] - n.hand.y[T - 1])),
    "G21": (usual, "G18", T, "W", "weight_change", lambda n, s: (
        change(n, "W"), guo.weight_change(output_error(n), n.hand.s[T], ETA))),
    "G22": (usual, "G22", T, "", "hidden_error", lambda n, s: (
        -s.value * guo.derivative(n.f, n.hand.net_j[T - 1]),
        guo.hidden_error(output_error(n), n.p.params["W"], n.hand.net_j[T - 1], n.f))),
    "G23": (usual, "G9", T, "", "d_h", lambda n, s: (
        -s.value, guo.d_h(-n.find("G22").value, n.hand.net_j[T - 1], n.f))),
    "G24": (usual, "G11", T, "V", "weight_change", lambda n, s: (
        -ETA * s.value, guo.weight_change(hidden_error(n), n.p.x[T - 1], ETA))),
    "G25": (usual, "G12", T, "U", "weight_change", lambda n, s: (
        -ETA * s.value, guo.weight_change(hidden_error(n), n.hand.s[T - 1], ETA))),
    "G26": (usual, "G26", T, "", "hidden_error_before", lambda n, s: (
        -s.value * guo.derivative(n.f, n.hand.net_j[T - 2]), before(n))),
    "G27": (usual, "G27", 1, "V", "folded_weight_change", lambda n, s: (
        change(n, "V"), guo.folded_weight_change(n.one.deltas_j[:T], n.p.x[:T], ETA))),
    "G28": (usual, "G28", 1, "U", "folded_weight_change", lambda n, s: (
        change(n, "U"), guo.folded_weight_change(n.one.deltas_j[:T], n.hand.s[:T], ETA))),
}  # fmt: skip
