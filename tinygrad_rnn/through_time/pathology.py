"""Why gradients vanish or explode: how a disturbance of the state grows from step to step.

A state of several parts is one vector here, its parts side by side, and each part is moved alone: the derivative by
the memory of an LSTM leaves its hidden units where they are.

Source: Pascanu, Mikolov and Bengio (2013), section 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, ShapeError
from ..autodiff.asked import asked
from ..autodiff.calling import numbers, shortened
from ..unfold import Unfolded
from ..unfold.structure import flatten

Array = NDArray[Any]

STEEPEST: Mapping[str, float] = {"tanh": 1.0, "sigmoid": 0.25, "identity": 1.0, "relu": 1.0}
"""The largest slope of each activation of a simple cell."""


@asked
def jacobians(net: Unfolded, part: int | None = None, times: Iterable[int] | None = None) -> Array:
    """ds(t) / ds(t-1) at every time step, for every sample, from the tangents of the tape.

    Parameters
    ----------
    net : Unfolded
        Any network, its forward pass done.
    part : int, optional
        Only this part of the state by itself, counted from 0 through all layers; the whole state if none is named.
    times : iterable of int, optional
        The time steps t that are wanted; all from 1 to T if none are named.

    Returns
    -------
    ndarray, (T, B, n, n)
        ``[t - 1, p, j, h]`` is the derivative of unit j at t by unit h at t - 1.

    Raises
    ------
    ValueError
        If there is no such part or no such time step, or none is named, or a sample's state depends on other samples.
    TapeError
        If the forward pass was left before its end.
    """
    parts = len(flatten(net.states[0]))
    if part is not None and (isinstance(part, bool) or not isinstance(part, int) or not 0 <= part < parts):
        raise ValueError(f"part={part!r}: the state has {parts} parts, counted from 0")
    chosen = range(1, net.T + 1) if times is None else [_time("times", t, net.T) for t in times]
    if not chosen:
        raise ValueError(f"times is empty: name time steps, from 1 to {net.T}, or leave it out for all of them")
    found: list[Array] = []
    rng = np.random.default_rng(0)
    for t in chosen:
        before, after = flatten(net.states[t - 1]), flatten(net.states[t])
        if part is not None:
            before, after = [before[part]], [after[part]]
        step = range(net.inputs[t - 1].index, max(s.index for s in flatten(net.states[t])) + 1)
        columns = []
        for s in before:
            for unit in np.eye(s.shape[-1]):
                moved = net.tape.tangents({s: np.broadcast_to(unit, s.shape)}, among=step)
                columns.append(np.concatenate([moved[new] for new in after], axis=-1))
        found.append(np.stack(columns, axis=-1))
        moves = {s: rng.normal(size=s.shape) for s in before}  # of each sample another one
        moved = net.tape.tangents(moves, among=step)
        together = np.concatenate([moved[new] for new in after], axis=-1)
        alone = (found[-1] @ np.concatenate([*moves.values()], axis=-1)[..., None])[..., 0]
        if np.abs(together - alone).max() > 1e3 * np.finfo(alone.dtype).eps * np.abs(found[-1]).max():
            raise ValueError(
                f"at t={t} a sample's state depends on other samples' states, as with a mean over them: none has a "
                "Jacobian of its own. Unfold one sample"
            )
    return np.stack(found)


@asked
def products(jacobians: Array, to: int | None = None) -> Array:
    """ds(to) / ds(tau) for each tau from 0 to `to`, by the chain rule.

    Parameters
    ----------
    jacobians : ndarray, (T, B, n, n)
        What `jacobians` gives.
    to : int, optional
        The later time; T if none is named.

    Returns
    -------
    ndarray, (to + 1, B, n, n)
        The entry ``[tau]`` is the product of the Jacobians from tau + 1 to `to`; the last one is the identity.

    Raises
    ------
    ValueError
        If there is no such time.
    """
    if jacobians.ndim != 4 or jacobians.shape[2] != jacobians.shape[3] or not jacobians.size:
        raise ShapeError(f"jacobians is {jacobians.shape}: it must be (T, B, n, n), as pathology.jacobians gives it")
    T, _, n, _ = jacobians.shape
    to = _time("to", T if to is None else to, T)
    found = [np.broadcast_to(np.eye(n, dtype=jacobians.dtype), jacobians.shape[1:])]
    for jacobian in jacobians[:to][::-1]:
        found.append(found[-1] @ jacobian)
    return np.stack(found[::-1])


@asked
def singular_values(matrices: Array) -> Array:
    """The singular values of matrices (..., n, n), the largest first, (..., n): how far each direction is stretched."""
    _square(matrices)
    return np.linalg.svd(matrices, compute_uv=False)


@asked
def spectral_radius(matrices: Array) -> Array:
    """The largest size of an eigenvalue of matrices (..., n, n): what one repeated step grows by in the long run."""
    _square(matrices)
    return np.abs(np.linalg.eigvals(matrices)).max(axis=-1)


@asked
def vanishing_bound(cell: Any, params: Mapping[str, Any], lags: Any) -> Array:
    """``(gamma sigma_max(U))^lag``: no product of so many Jacobians of a simple cell has a larger norm.

    gamma is the largest slope of the cell's activation. Below 1 the gradient must vanish; above 1 it may explode, and
    need not.

    Parameters
    ----------
    cell : Guo
        A simple cell: its ``f`` is one of ``STEEPEST``.
    params : mapping of str to ndarray
        Its parameters, of which U is read.
    lags : array_like of int
        The numbers of steps.

    Raises
    ------
    ValueError
        If the cell is not a simple one.
    """
    f = str(getattr(cell, "f", ""))
    if f not in STEEPEST or "U" not in params:
        raise ValueError(
            f"vanishing_bound: cell={shortened(cell)} has no activation f of {', '.join(STEEPEST)} about a product "
            "with U: it is no simple cell"
        )
    U = numbers(params["U"], "params['U']")
    if U.ndim != 2 or not U.size:
        raise ShapeError(f"vanishing_bound: params['U'] is {U.shape}: it must be a matrix (m, m)")
    steps = numbers(lags, "lags")
    if not np.isfinite(steps).all() or (steps < 0).any():
        raise ValueError(f"lags={shortened(lags)}: they must be numbers of steps, from 0 up")
    return (STEEPEST[f] * float(np.linalg.norm(U, 2))) ** steps


def _square(matrices: Array) -> None:
    if matrices.ndim < 2 or matrices.shape[-1] != matrices.shape[-2] or not matrices.size:
        raise ShapeError(f"matrices is {matrices.shape}: it must be (..., n, n)")
    if not np.isfinite(matrices).all():
        raise ValueError(
            "matrices holds a number that is not finite: such a matrix has no singular value or eigenvalue"
        )


@asked
def state_errors(net: Unfolded, of: int | None = None) -> Array:
    """dC(of) / ds(of - lag) for each lag, for every sample, from a backward pass of the tape.

    The network's gradients are afterwards those of C(of) alone.

    Parameters
    ----------
    net : Unfolded
        Any network, its forward pass done.
    of : int, optional
        The time step whose cost it is; T if none is named.

    Returns
    -------
    ndarray, (of + 1, B, n)
        The entry ``[lag]`` for lag 0 to `of`; the last one is the error of s(0). The lengths of its rows,
        ``numpy.linalg.norm(..., axis=-1)``, are what vanishes or explodes.

    Raises
    ------
    ValueError
        If there is no such time step.
    """
    of = _time("of", net.T if of is None else of, net.T)
    like = flatten(net.states[0])
    ends = np.cumsum([s.shape[-1] for s in like])
    found = np.zeros((of + 1, like[0].shape[0], ends[-1]), net.cost.value.dtype)
    places: dict[Node, list[tuple[int, slice]]] = {}
    inside: list[set[Node]] = []
    for t, state in enumerate(net.states[: of + 1]):
        for s, end in zip(flatten(state), ends, strict=True):
            places.setdefault(s, []).append((t, slice(end - s.shape[-1], end)))
        inside.append(_making(flatten(state), t))
    for share in net.tape.pullback(net.losses[of - 1]):
        for t, units in places.get(share.parent, ()):
            # What one part of s(t) does to another one of the same time is no error of the first.
            if share.node.t is not None and (share.node.t > t or (share.node.t == t and share.node not in inside[t])):
                found[of - t, :, units] += np.asarray(share.value)
    return found


def _making(state: list[Node], t: int) -> set[Node]:
    """The nodes of time step t that its state is computed from, and the state."""
    found: set[Node] = set()
    rest = list(state)
    while rest:
        node = rest.pop()
        if node.t == t and node not in found:
            found.add(node)
            rest += node.parents
    return found


def _time(what: str, t: Any, last: int) -> int:
    if isinstance(t, bool) or not isinstance(t, int | np.integer) or not 1 <= t <= last:
        raise ValueError(f"{what}={t!r}: it is a time step, an integer from 1 to {last}")
    return int(t)
