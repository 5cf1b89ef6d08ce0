"""Truncation at random places, whose gradient is right on average."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Cotangents, Node, by_rule, pullback, received
from ..autodiff.asked import asked
from ..autodiff.calling import as_array, numbers, shortened
from ..unfold import Unfolded, unfold
from ..unfold.losses import known_loss
from ..unfold.recipe import Cell, Loss
from ..unfold.structure import copied
from .lock_step import LockStep
from .stream import Window, stream

Array = NDArray[Any]
Pairs = list[tuple[Array, Array]]


@asked
def artbp_gradient(
    net: Unfolded, *, c: Any, rng: int | np.random.Generator | None = None, cuts: Any = None
) -> dict[str, Array]:
    """A gradient whose mean over all random cuts is the whole one: anticipated reweighted truncated backpropagation.

    The link from step t to the step before is cut with probability c; if it is not, the error that passes is
    multiplied by 1 / (1 - c), to make up for the times when it is.

    Parameters
    ----------
    net : Unfolded
        The network, its forward pass done; neither it nor its gradients are changed.
    c : float or array_like, (T - 1,)
        The probability of a cut, of all links or of each: entry t - 2 is that of the link from t to t - 1.
    rng : int or numpy.random.Generator, optional
        Where the cuts come from.
    cuts : array_like of bool, (T - 1,), optional
        Which links are cut, instead of any that are drawn.

    Returns
    -------
    dict of str to ndarray
        By the weights' names.

    Raises
    ------
    ValueError
        If a probability is not from 0 up to below 1, there are not as many as links, or the network's steps are not
        copies of one step.

    Notes
    -----
    Source: Tallec and Ollivier (2017), "Unbiasing truncated backpropagation through time", equation (5) on.
    """
    p = numbers(c, "c")
    if p.shape not in ((), (net.T - 1,)):
        raise ValueError(f"c is {p.shape}: it is one probability, or one for each of the {net.T - 1} links")
    _probabilities(p)
    p = np.broadcast_to(p, (net.T - 1,))
    if cuts is None:
        cuts = np.random.default_rng(rng).random(net.T - 1) < p
    cuts = as_array(cuts, "cuts")
    if cuts.shape != p.shape or cuts.dtype != bool:
        raise ValueError(
            f"cuts is {cuts.shape} {cuts.dtype}: it says of each of the {net.T - 1} links whether it is cut"
        )
    links = np.ones(net.T)
    links[1:] = np.where(cuts, 0, 1 / (1 - p))
    errors = LockStep(net, links=links)
    errors.send(range(net.T, net.T + 1), net.T, net.T)
    return errors.gradients()


@asked
def artbp(
    cell: Cell,
    params: Mapping[str, Any],
    x: Iterable[Any],
    d: Iterable[Any],
    *,
    c: Any,
    rng: int | np.random.Generator | None = None,
    loss: str | Loss = "cross_entropy",
    s0: Any = None,
) -> Iterator[Window]:
    """Randomly truncated backpropagation through time over a stream, without bias: windows of random lengths.

    After each step a window ends with probability c; the state is handed on. Within a window, each step that an error
    goes back multiplies it by 1 / (1 - c). With weights that stay as they are, the mean over all
    cuts of the sum of the windows is the gradient of full backpropagation through time.

    Parameters
    ----------
    cell, params, x, d, loss, s0
        As in `truncated`; but `s0` may name a parameter, which the first window trains. Parameters that are changed
        between windows are read anew.
    c : float
        The probability of a cut; a window has 1 / c steps on average, and memory is that of the longest one.
    rng : int or numpy.random.Generator, optional
        Where the cuts come from.

    Yields
    ------
    Window

    Raises
    ------
    ValueError
        If c is not from 0 up to below 1, `loss` is unknown, or the stream is empty.

    Notes
    -----
    Source: Tallec and Ollivier (2017), "Unbiasing truncated backpropagation through time".
    """
    if as_array(c, "c").ndim:
        raise ValueError(f"c has shape {np.shape(c)}: of a stream, it is one probability")
    _probabilities(c)
    known_loss(loss)
    chance = np.random.default_rng(rng)

    def window(block: Pairs, last: int, state: Any) -> Window:
        net = unfold(cell, params, *map(np.stack, zip(*block, strict=True)), loss=loss, s0=state, batch_first=False)
        return Window(last - len(block) + 1, last, net.loss, _reweighted(net, 1 / (1 - c)), net.last_state)

    def run() -> Iterator[Window]:
        block, state, t = list[tuple[Array, Array]](), s0, 0
        for t, x_t, d_t in stream(x, d):
            block.append((x_t, d_t))
            if chance.random() < c:
                made = window(block, t, state)
                state, block = copied(made.state), []  # what is yielded is the reader's, to be written to
                yield made
        if block:
            yield window(block, t, state)

    return run()


def _reweighted(net: Unfolded, factor: float) -> dict[str, Array]:
    """The gradients, where an error is multiplied by a factor for each time step that it goes back.

    By the tape: the windows are as long as chance will have them, and the cell may do something else at each step.
    """

    def hand(node: Node, slot: int, g: Any, y: Any, args: Sequence[Any]) -> Any:
        share, t = by_rule(node, slot, g, y, args), node.parents[slot].t
        return np.asarray(share) * factor if t and node.t and t < node.t else share

    cost, values = net.cost, net.tape.values
    back = Cotangents(cost.index + 1, {cost: [np.ones_like(cost.value)]})
    for _ in pullback(net.tape.nodes[: cost.index + 1], back, values.__getitem__, received, hand=hand):
        pass
    return {name: np.zeros_like(w.value) if (g := back[w]) is None else np.array(g) for name, w in net.weights.items()}


def _probabilities(c: Any) -> None:
    each = numbers(c, "c")
    if not np.all((each >= 0) & (each < 1)):
        raise ValueError(
            f"c={shortened(c)}: a cut's probability is from 0 up to below 1; at 1, nothing could make up for the cuts"
        )
