"""The influence of every copy of a weight on every cost: what each method here sums up in its own way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.asked import asked, room_for
from ..autodiff.traits import summands
from ..unfold import Unfolded
from .lock_step import NOTHING, LockStep, wide

Array = NDArray[Any]


@asked
def influence(net: Unfolded, name: str) -> Array:
    """The influence G of a weight's copies on the costs, (T, T, ...): ``G[t - 1, tau - 1]`` is dC(t) / d copy at tau.

    It is zero where tau > t. A row's sum over tau is the gradient of C(t); the sum of all is the gradient of
    the sum of the costs, ``net.grads[name]`` if the network's cost is that sum. It is T^2 times as large as the weight:
    for long sequences, see `influence_norms`.

    Parameters
    ----------
    net : Unfolded
        The network, its forward pass done.
    name : str
        The weight.

    Raises
    ------
    KeyError
        If there is no weight of that name, or it is an initial state, which has no copies.
    ValueError
        If the network's steps are not copies of one step.

    Notes
    -----
    All T costs send their errors back at once: after z steps, that of C(t) stands at t - z.
    """
    whole = net.weights[name].value if name in net.weights else np.empty(0)
    room_for(f"the influence of {name}", (net.T, net.T, *whole.shape), "see influence_norms, or take fewer steps")
    G = np.zeros((net.T, net.T, *whole.shape), whole.dtype)
    for t, tau, share in _diagonals(net, name, as_factors=False):
        G[t, tau] = share[0]
    return G


@asked
def influence_norms(net: Unfolded, name: str) -> Array:
    """The norms of `influence`, (T, T), of long sequences too: only one diagonal of G is looked at at a time.

    Parameters
    ----------
    net : Unfolded
        The network, its forward pass done.
    name : str
        The weight.

    Raises
    ------
    KeyError, ValueError
        As `influence`.

    Notes
    -----
    Where a copy's share is a sum of products of an error and an input, only these factors are made: the square of
    its norm is the sum over two samples p and q of the errors' inner product times the inputs'.
    """
    room_for("the influence's norms", (net.T, net.T), "take fewer steps")
    norms = np.zeros((net.T, net.T))
    for t, tau, share in _diagonals(net, name, as_factors=True):
        norms[t, tau] = _norm(*share)
    return norms


def _diagonals(net: Unfolded, name: str, as_factors: bool) -> Iterator[tuple[Array, Array, list[Array]]]:
    """Diagonal by diagonal of G, its rows, its columns, and the shares that stand there: whole, or as two factors."""
    if name not in net.weights:
        raise KeyError(f"there is no parameter {name!r}; there are {', '.join(net.weights)}")
    errors = LockStep(net, shares=np.ones(net.T))
    if name not in errors.folded.weights:
        raise KeyError(f"the parameter {name!r} is an initial state: it is read once, and has no copies in time")
    g = errors.folded.gradients.get(name)
    if g is None:
        return
    terms = summands(g)
    samples, size = sum(n.shape[0] for term in terms for n in term.nodes[:1] if n.ndim), net.weights[name].value.size
    as_factors &= {term.kind for term in terms} == {"product"} and samples**2 < size
    wanted = [term.nodes for term in terms] if as_factors else [(g,)]
    played = errors.played_for(n for nodes in wanted for n in nodes)
    for gone, times, later in errors.walk(range(1, net.T + 1), net.T, 1):
        values = played.at(times, later, gone == 0)
        sent = [nodes for nodes in wanted if all(values[n] is not NOTHING for n in nodes)]
        if sent:
            tau = np.arange(times.start, times.stop)
            factors = zip(*([wide(values[n], times, n) for n in nodes] for nodes in sent), strict=True)
            shares = [np.concatenate(each, axis=1) if as_factors else each[0] for each in factors]
            yield tau + gone, tau, shares


def _norm(share: Array, other: Array | None = None) -> Array:
    """The norm of each share, given whole or as its two factors over the samples."""
    if other is None:
        return np.sqrt((share.reshape(len(share), -1) ** 2).sum(axis=-1))
    return np.sqrt(((share @ share.swapaxes(-1, -2)) * (other @ other.swapaxes(-1, -2))).sum(axis=(-2, -1)).clip(0))
