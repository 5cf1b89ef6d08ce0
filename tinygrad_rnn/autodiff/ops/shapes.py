"""Other shapes: repeated, added up, read in another shape, turned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..calling import from_last, shape_of, wanted_shape, wholes
from ..errors import ShapeError, UsageError
from ..form import Addend
from ..op import Array, Index, op
from ..worked import Part, Term, total
from . import arguments


def _stretched(shape: Sequence[int], to: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes, counted from the last, along which `shape` is repeated to become `to`: new ones, stretched ones."""
    new = tuple(range(-len(to), -len(shape)))
    old = tuple(k for k in range(-len(shape), 0) if shape[k] == 1 and to[k] != 1)
    return new, old


@op(
    label="each",
    latex=lambda x, source, to: x,
    moves=True,
    linear=(0,),
    view=True,
    repeats=True,
    numpy=lambda x, source, to: f"np.broadcast_to({x}, {to})",
)
def broadcast(x: Array, source: tuple[int, ...], to: tuple[int, ...], out: Array | None = None) -> Array:
    """An array of shape `source` repeated until its shape is `to`. On the tape this is always a node of its own."""
    front = x.shape[: x.ndim - len(source)]
    x = x.reshape(*front, *(1,) * (len(to) - len(source)), *source)
    return np.broadcast_to(x, (*front, *to))


@broadcast.called
def _(x: Any, *shape: Any, source: Any = None, to: Any = None) -> tuple[list[Any], dict[str, Any]]:
    if (to is None) == (not shape):
        raise UsageError("say the shape once: (x, (4, 2, 3))")
    return [x], {"source": shape_of(x) if source is None else source, "to": wanted_shape(shape) if to is None else to}


@broadcast.checked
def _(names: Sequence[object], args: Sequence[Array], source: tuple[int, ...], to: tuple[int, ...]) -> str | None:
    fits = len(source) <= len(to) and all(m in {1, n} for m, n in zip(source[::-1], to[::-1], strict=False))
    if args[0].shape != source or not fits:
        return f"{names[0]} is {args[0].shape}: as {source} it cannot be repeated to {to}."
    return None


def _repeated_latex(x: str, g: str, y: str, source: tuple[int, ...], to: tuple[int, ...]) -> str:
    # A row that all samples get hears from all of them.
    return rf"\sum_p {g}" if len(to) == 2 and source == to[1:] else rf"\sum {g}"


@broadcast.vjp(0, latex=_repeated_latex)
def _(g: Any, y: Array, x: Array, source: tuple[int, ...], to: tuple[int, ...]) -> Any:
    new, old = _stretched(source, to)
    g = g.sum(axis=old, keepdims=True) if old else g
    return g.sum(axis=new) if new else g


def _summed(x: Array, index: Index, axis: tuple[int, ...], keepdims: bool) -> Part:
    axes = sorted(k % x.ndim for k in axis)
    at: list[Any] = list(index)
    for k in axes:
        at[k : k + keepdims] = [slice(None)]
    return total(map(float, x[tuple(at)].ravel()))


def _along(x: str, how: str, axis: tuple[int, ...], keepdims: bool) -> str:
    along = f"axis={axis[0] if len(axis) == 1 else axis}"
    return f"{x}.{how}({along}{', keepdims=True' * keepdims})"


def _spread(g: Any, x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """What a sum along some axes received, given to every one of its terms."""
    kept = tuple(1 if k - x.ndim in axis else n for k, n in enumerate(x.shape))
    g = g if keepdims else reshape(g, source=g.shape, to=kept)
    return broadcast(g, source=kept, to=x.shape)


@op(
    label="Σ",
    latex=lambda x, axis, keepdims=False: rf"\sum {x}",
    unit=lambda index, x, axis, keepdims=False: _summed(x, index, axis, keepdims),
    moves=True,
    linear=(0,),
    terms=lambda n, axis, keepdims=False: [Addend((0,), summed=True)] if axis == (-2,) and not keepdims else [],
    numpy=lambda x, axis, keepdims=False: _along(x, "sum", axis, keepdims),
)
def sum(x: Array, axis: tuple[int, ...], keepdims: bool = False, out: Array | None = None) -> Array:
    """The sum along some axes, counted from the last one: -1, -2, ..."""
    return np.sum(x, axis=axis, keepdims=keepdims, out=out)


sum.checked(arguments.from_last)


@sum.called
def _(x: Any, axis: Any = None, keepdims: bool = False) -> tuple[list[Any], dict[str, Any]]:
    return [x], {"axis": from_last(shape_of(x), axis), "keepdims": keepdims}


@sum.vjp(0, latex=lambda x, g, y, axis, keepdims=False: g)
def _(g: Any, y: Array, x: Any, axis: tuple[int, ...], keepdims: bool = False) -> Any:
    return _spread(g, x, axis, keepdims)


def _count(x: Any, axis: tuple[int, ...]) -> int:
    return math.prod(x.shape[k] for k in axis)


@op(
    label="mean",
    latex=lambda x, axis, keepdims=False: rf"\tfrac1n \sum {x}",
    unit=lambda index, x, axis, keepdims=False: Term("/", (_summed(x, index, axis, keepdims), str(_count(x, axis)))),
    moves=True,
    linear=(0,),
    numpy=lambda x, axis, keepdims=False: _along(x, "mean", axis, keepdims),
)
def mean(x: Array, axis: tuple[int, ...], keepdims: bool = False, out: Array | None = None) -> Array:
    """The mean along some axes, counted from the last one: -1, -2, ..."""
    return np.mean(x, axis=axis, keepdims=keepdims, out=out)


@mean.checked
def _(names: Sequence[object], args: Sequence[Array], axis: tuple[int, ...], keepdims: bool = False) -> str | None:
    wrong = arguments.from_last(names, args, axis)
    if wrong is None and not _count(args[0], axis):
        wrong = f"{names[0]} is {args[0].shape}: there is no mean of no entries."
    return wrong


@mean.called
def _(x: Any, axis: Any = None, keepdims: bool = False) -> tuple[list[Any], dict[str, Any]]:
    return [x], {"axis": from_last(shape_of(x), axis), "keepdims": keepdims}


@mean.vjp(0, latex=lambda x, g, y, axis, keepdims=False: rf"\tfrac1n {g}")
def _(g: Any, y: Array, x: Any, axis: tuple[int, ...], keepdims: bool = False) -> Any:
    return _spread(g * (1 / _count(x, axis)), x, axis, keepdims)


@op(
    label="shape",
    latex=lambda x, source, to: x,
    moves=True,
    linear=(0,),
    view=True,
    numpy=lambda x, source, to: f"{x}.reshape({to})",
)
def reshape(x: Array, source: tuple[int, ...], to: tuple[int, ...], out: Array | None = None) -> Array:
    """The same numbers in the same order, in the shape `to`."""
    return x.reshape((*x.shape[: x.ndim - len(source)], *to))


@reshape.called
def _(x: Any, *shape: Any, source: Any = None, to: Any = None) -> tuple[list[Any], dict[str, Any]]:
    if (to is None) == (not shape):
        raise UsageError("say the shape once: (x, (3, 2)), or (x, 3, 2)")
    source = shape_of(x) if source is None else wholes("source", source)
    sizes = list(wanted_shape(shape) if to is None else wanted_shape([to]))
    left, others = math.prod(source), math.prod(n for n in sizes if n != -1)
    if sizes.count(-1) == 1 and others > 0 and left % others == 0:  # as in NumPy: the axis that is -1 takes the rest
        sizes[sizes.index(-1)] = left // others
    return [x], {"source": source, "to": tuple(sizes)}


@reshape.checked
def _(names: Sequence[object], args: Sequence[Array], source: tuple[int, ...], to: tuple[int, ...]) -> str | None:
    if args[0].shape != source or math.prod(source) != math.prod(to) or min(to, default=0) < 0:
        return f"{names[0]} is {args[0].shape}: as {source} it cannot take the shape {to}."
    return None


@reshape.vjp(0, latex=lambda x, g, y, source, to: g)
def _(g: Any, y: Array, x: Array, source: tuple[int, ...], to: tuple[int, ...]) -> Any:
    return reshape(g, source=to, to=source)


@op(
    label="ᵀ",
    latex=r"{0}^{{\top}}",
    moves=True,
    linear=(0,),
    view=True,
    terms=lambda n: [Addend((0,), (True, False))],
    numpy="{0}.T",
)
def transpose(x: Array, out: Array | None = None) -> Array:
    """A matrix with rows and columns exchanged."""
    return x.swapaxes(-1, -2)


@transpose.called
def _(x: Any, axes: Any = None) -> tuple[list[Any], dict[str, Any]]:
    if axes is not None and axes not in ((1, 0), [1, 0], (-1, -2), [-1, -2]):
        raise ShapeError(f"axes={axes}: only a matrix is transposed, and its two axes exchanged, (1, 0)")
    return [x], {}


@transpose.checked
def _(names: Sequence[object], args: Sequence[Array]) -> str | None:
    return None if args[0].ndim == 2 else f"{names[0]} is {args[0].shape}: only a matrix, with two axes, is transposed."


@transpose.vjp(0, latex=r"{g}^{{\top}}")
def _(g: Any, y: Array, x: Array) -> Any:
    return transpose(g)
