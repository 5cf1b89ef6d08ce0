"""How the value of an op is computed into memory that is there already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from .op import Array, Op, Ufuncs

Call = Callable[[], Any]
NARROW = 8  # entries of a row whose sum is made for each of them; measured
BY_NAME = {np.maximum, np.minimum}  # NumPy warns when `out` is given to these by its place


def in_turn(ufuncs: Ufuncs, args: Sequence[Array], out: Array | None) -> Array:
    """The value of the NumPy functions, called one after the other."""
    (first, *numbers), *rest = ufuncs
    value: Array = first(*args, *numbers, out=out)
    for ufunc, *numbers in rest:
        value = ufunc(value, *numbers, out=value if value.ndim else out)
    return value


def prepared_once(
    ready: Callable[..., Call], shape: tuple[int, ...], args: Sequence[Array], out: Array | None
) -> Array:
    """The value of an op that is written as a prepared call: prepared, and called once."""
    same = args if len({a.shape for a in args}) == 1 else np.broadcast_arrays(*args)
    front = same[0].shape[: same[0].ndim - args[0].ndim]
    value = np.empty((*front, *shape), np.result_type(*args))  # `shape` is that of the first argument as it is
    ready(value, *map(np.ascontiguousarray, same))()
    if out is None:
        return value
    np.copyto(out, value)
    return out


def into(op: Op, out: Array, *args: Array) -> Call:
    """The call that computes the value of these very arrays into `out`."""
    if len(op.ufuncs) == 1:
        ((ufunc, *numbers),) = op.ufuncs
        args = (*args, *(np.array(n, out.dtype) for n in numbers))
        return partial(ufunc, *args, out=out) if ufunc in BY_NAME else partial(ufunc, *args, out)
    side_by_side = all(a.flags.c_contiguous for a in args) and len({a.shape for a in args}) == 1
    if op.prepared is not None and side_by_side and np.may_share_memory(out, out.reshape(-1, *out.shape[-1:])):
        return op.prepared(out, *args)

    def call() -> None:
        value = op.value(*args, out=out)
        if value is not out:  # an op whose value is its argument, seen differently
            np.copyto(out, value)

    return call


def ready_sums(rows: Array) -> tuple[Array, Array]:
    """Ones whose product with the rows is their sums, and room for these: several times faster than a sum.

    Of narrow rows, each sum stands there once for every entry: nothing has to be repeated in what it is divided by.
    """
    width = rows.shape[-1]
    times = width if width <= NARROW else 1
    return np.ones((width, times), rows.dtype), np.empty((len(rows), times), rows.dtype)


def ready_exponentials(nets: Array, rows: Array) -> Callable[[], tuple[Array, Array | None]]:
    """What fills the rows with exp(net) and gives their sums, and the largest of each row where it was taken out."""
    flat, (ones, sums) = nets.reshape(-1), ready_sums(nets)
    most = 300 if nets.dtype == np.float64 else 35
    square = most**2

    def call() -> tuple[Array, Array | None]:
        # Looks at the whole array cost a fraction of finding the largest entry of every short row. No entry is larger
        # than the root of the sum of squares, which is the quickest to find; vdot does not warn where it overflows.
        top = None
        if np.vdot(flat, flat) < square or (np.maximum.reduce(flat) < most and np.minimum.reduce(flat) > -most):
            np.exp(nets, rows)
        else:
            top = nets.max(axis=-1, keepdims=True)
            np.subtract(nets, top, rows)
            np.exp(rows, rows)
        rows.dot(ones, sums)
        return sums, top

    return call
