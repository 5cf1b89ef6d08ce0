"""Parts of an array, parts put back in their place, and wholes made of parts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from ..calling import from_last, shape_of, together, whole
from ..errors import ShapeError
from ..form import Joins, Puts, Takes
from ..op import Array, op
from . import arguments


@op(
    label="part",
    latex=lambda x, start, stop: f"{x}[{start}:{stop}]",
    moves=True,
    linear=(0,),
    view=True,
    block=Takes,
    numpy=lambda x, start, stop: f"{x}[..., {start}:{stop}]",
)
def part(x: Array, start: int, stop: int, out: Array | None = None) -> Array:
    """The entries from `start` to before `stop` along the last axis, such as one gate of four."""
    return x[..., start:stop]


@part.checked
def _(names: Sequence[object], args: Sequence[Array], start: int, stop: int) -> str | None:
    if not args[0].ndim or not 0 <= start < stop <= args[0].shape[-1]:
        return f"{names[0]} is {args[0].shape}: its last axis has no entries {start}:{stop}."
    return None


@part.vjp(0, latex=lambda x, g, y, start, stop: g)
def _(g: Any, y: Array, x: Any, start: int, stop: int) -> Any:
    return place(g, start=start, width=x.shape[-1])


def _place_line(x: str, start: int, width: int) -> str:
    return f"""
def place(x, start, width):
    whole = np.zeros((*x.shape[:-1], width), x.dtype)
    whole[..., start : start + x.shape[-1]] = x
    return whole
place({x}, {start}, {width})"""


@op(
    label="place",
    latex=lambda x, start, width: x,
    moves=True,
    linear=(0,),
    block=lambda start, width: Puts(start),
    numpy=_place_line,
)
def place(x: Array, start: int, width: int, out: Array | None = None) -> Array:
    """The array with zeros in front of it and behind it, `width` entries long along the last axis."""
    if out is None:
        out = np.empty((*x.shape[:-1], width), x.dtype)
    out[..., :start] = 0
    out[..., start : start + x.shape[-1]] = x
    out[..., start + x.shape[-1] :] = 0
    return out


@place.checked
def _(names: Sequence[object], args: Sequence[Array], start: int, width: int) -> str | None:
    if not args[0].ndim or not 0 <= start <= width - args[0].shape[-1]:
        return f"{names[0]} is {args[0].shape}: from {start} on it has no room in a last axis of {width}."
    return None


@place.vjp(0, latex=lambda x, g, y, start, width: g)
def _(g: Any, y: Array, x: Any, start: int, width: int) -> Any:
    return part(g, start=start, stop=start + x.shape[-1])


Key = tuple[int | str | tuple[int, ...], ...]


def index_key(index: Any, ndim: int) -> Key:
    """An index as Python takes it, as the setting of `getitem`: ``[0, ..., 1:]`` of 3 axes is ``(0, ":", "1:")``.

    Raises
    ------
    ShapeError
        For anything but numbers, slices, ``...`` and lists of numbers, and for more of them than there are axes.
    """
    entries = list(index) if isinstance(index, tuple) else [index]
    dots = [at for at, entry in enumerate(entries) if entry is ...] or [len(entries)]
    if any(entry is None for entry in entries):
        raise ShapeError("an index with None, for a new axis: use reshape")
    missing = ndim - len(entries) + (dots[0] < len(entries))
    entries[dots[0] : dots[0] + 1] = [slice(None)] * missing
    if missing < 0 or len(entries) != ndim or len(dots) > 1:
        raise ShapeError(f"an index of {len(entries)} entries does not fit an array of {ndim} axes")
    return tuple(_key_entry(entry) for entry in entries)


def _key_entry(entry: Any) -> int | str | tuple[int, ...]:
    if isinstance(entry, slice):
        ends = ["" if k is None else str(int(k)) for k in (entry.start, entry.stop, entry.step)]
        return ":".join(ends if ends[2] else ends[:2])
    chosen = np.asarray(entry)
    if chosen.dtype.kind not in "iu" or chosen.ndim > 1:
        raise ShapeError(
            f"an array is indexed by numbers, slices and lists of numbers, not by {entry!r}. "
            "A mask chooses by `where`, a new axis comes by `reshape`."
        )
    return tuple(chosen.tolist()) if chosen.ndim else int(chosen)


@cache
def _at(key: Key) -> tuple[Any, ...]:
    """The key as NumPy reads it: it says something about the last axes only."""
    return (..., *(_numpy_entry(entry) for entry in key))


def _numpy_entry(entry: int | str | tuple[int, ...]) -> Any:
    if isinstance(entry, str):
        return slice(*(int(end) if end else None for end in entry.split(":")))
    return np.array(entry) if isinstance(entry, tuple) else entry


def _key_latex(x: str, key: Key) -> str:
    return f"{x}[{', '.join(str(list(k)) if isinstance(k, tuple) else str(k) for k in key)}]"


def _key_line(x: str, key: Key) -> str:
    said = list(key)
    while said[:1] == [":"]:  # the dots stand for it
        said.pop(0)
    return _key_latex(x, ("...", *said))


@op(label="[ ]", latex=_key_latex, moves=True, linear=(0,), numpy=_key_line)
def getitem(x: Array, key: Key, out: Array | None = None) -> Array:
    """The entries that `key` names along the last axes: numbers, slices such as "1:3", or one tuple of numbers."""
    if out is None:
        return x[_at(key)]
    np.copyto(out, x[_at(key)])
    return out


@getitem.checked
def _no_key(names: Sequence[object], args: Sequence[Array], key: Key) -> str | None:
    x, lists = args[0], [k for k in key if isinstance(k, tuple)]
    given = f"{names[0]} is {x.shape} and is indexed by {_key_latex('', key)}: "
    if len(key) > x.ndim:
        return given + "these are more entries than axes."
    for k, n in zip(key, x.shape[x.ndim - len(key) :], strict=True):
        for i in () if isinstance(k, str) else k if isinstance(k, tuple) else (k,):
            if not -n <= i < n:
                return given + f"an axis of {n} entries has no entry {i}."
    # NumPy would pair several lists up and move their axis to the front, where the copies are.
    if len(lists) > 1 or (lists and any(isinstance(k, int) for k in key)):
        return given + "a list of numbers stands alone among slices. Index twice instead."
    return None


@getitem.vjp(0, latex=lambda x, g, y, key: g)
def _(g: Any, y: Any, x: Any, key: Key) -> Any:
    return scatter(g, key=key, sizes=x.shape[x.ndim - len(key) :])


def _scatter_line(x: str, key: Key, sizes: tuple[int, ...]) -> str:
    return f"""
def scatter(x, at, kept, sizes):
    whole = np.zeros((*x.shape[: x.ndim - kept], *sizes), x.dtype)
    np.add.at(whole, at, x)
    return whole
scatter({x}, {_key_line("np.s_", key)}, {_kept_axes(key)}, {sizes})"""


def _kept_axes(key: Key) -> int:
    return len(key) - [isinstance(k, int) for k in key].count(True)


@op(label="scatter", latex=lambda x, key, sizes: x, moves=True, linear=(0,), numpy=_scatter_line)
def scatter(x: Array, key: Key, sizes: tuple[int, ...], out: Array | None = None) -> Array:
    """Zeros of `sizes` along the last axes, to which `x` is added at `key`: what `getitem` took, put back."""
    kept = _kept_axes(key)
    if out is None:
        out = np.empty((*x.shape[: x.ndim - kept], *sizes), x.dtype)
    out[...] = 0
    np.add.at(out, _at(key), x)  # and not out[key] += x: an entry named twice gets both
    return out


@scatter.checked
def _(names: Sequence[object], args: Sequence[Array], key: Key, sizes: tuple[int, ...]) -> str | None:
    if min(sizes, default=0) < 0:
        return f"sizes are {sizes}: no size is below 0."
    room = np.broadcast_to(0.0, sizes)  # of these sizes, and no memory
    wrong = _no_key([f"an array of {sizes}"], [room], key)
    if wrong:
        return wrong
    kept = room[_at(key)].shape
    if args[0].shape[args[0].ndim - len(kept) :] != kept:
        return f"{names[0]} is {args[0].shape}: {_key_latex('', key)} of {sizes} has room for {kept}."
    return None


@scatter.vjp(0, latex=lambda x, g, y, key, sizes: _key_latex(g, key))
def _(g: Any, y: Any, x: Any, key: Key, sizes: tuple[int, ...]) -> Any:
    return getitem(g, key=key)


def _key_of(args: Sequence[Any], slot: int, axis: int) -> Key:
    """Where one of several arrays stands when they are joined along an axis."""
    start = sum(a.shape[axis] for a in args[:slot])
    return (f"{start}:{start + args[slot].shape[axis]}", *(":",) * (-axis - 1))


def _of_all_copies(args: Sequence[Array]) -> Sequence[Array]:
    """Arrays that all copies share, repeated in front beside those that differ: NumPy's joins repeat nothing."""
    most = max(args, key=np.ndim)
    return [np.broadcast_to(a, (*most.shape[: most.ndim - a.ndim], *a.shape)) for a in args]


@op(
    label="join",
    latex=lambda *args, axis: "[" + r",\,".join(args) + "]",
    moves=True,
    block=Joins,
    numpy=lambda *args, axis: f"np.concatenate([{', '.join(args)}], axis={axis})",
)
def concatenate(*args: Array, axis: int, out: Array | None = None) -> Array:
    """Arrays one behind the other along an axis, counted from the last one: -1, -2, ..."""
    return np.concatenate(_of_all_copies(args), axis=axis, out=out)


@concatenate.called
def _(*arrays: Any, axis: Any = None) -> tuple[list[Any], dict[str, Any]]:
    args, axis = together(arrays, axis)
    return args, {"axis": from_last(shape_of(args[0]), whole("axis", axis))[0]}


@concatenate.checked
def _(names: Sequence[object], args: Sequence[Array], axis: int) -> str | None:
    wrong = arguments.from_last(names, args, axis)
    for name, a in zip(names[1:], args[1:], strict=True):
        if wrong is None and (
            a.ndim != args[0].ndim or np.delete(a.shape, axis).tolist() != np.delete(args[0].shape, axis).tolist()
        ):
            wrong = f"{names[0]} is {args[0].shape} and {name} is {a.shape}: they may differ along axis {axis} only."
    return wrong


@concatenate.vjp(latex=lambda *args, g, y, slot, axis: rf"{g}\text{{ at }}{args[slot]}")
def _(g: Any, y: Any, args: Sequence[Any], slot: int, axis: int) -> Any:
    return getitem(g, key=_key_of(args, slot, axis))


@concatenate.jvp()
def _(dx: Any, y: Any, args: Sequence[Any], slot: int, axis: int) -> Any:
    return scatter(dx, key=_key_of(args, slot, axis), sizes=y.shape[axis:])


@op(
    label="stack",
    latex=lambda *args, axis: r"\operatorname{stack}(" + ", ".join(args) + ")",
    moves=True,
    numpy=lambda *args, axis: f"np.stack([{', '.join(args)}], axis={axis})",
)
def stack(*args: Array, axis: int, out: Array | None = None) -> Array:
    """Arrays of one shape side by side along a new axis, which is axis -1, -2, ... of the result."""
    return np.stack(_of_all_copies(args), axis=axis, out=out)


@stack.called
def _(*arrays: Any, axis: Any = None) -> tuple[list[Any], dict[str, Any]]:
    args, axis = together(arrays, axis)
    return args, {"axis": from_last(shape_of(args[0]), whole("axis", axis), more=1)[0]}


@stack.checked
def _(names: Sequence[object], args: Sequence[Array], axis: int) -> str | None:
    return arguments.same_shape(names, args) or arguments.from_last(names, [args[0][..., None]], axis)


@stack.vjp(latex=lambda *args, g, y, slot, axis: rf"{g}\text{{ at }}{args[slot]}")
def _(g: Any, y: Any, args: Sequence[Any], slot: int, axis: int) -> Any:
    return getitem(g, key=(slot, *(":",) * (-axis - 1)))


@stack.jvp()
def _(dx: Any, y: Any, args: Sequence[Any], slot: int, axis: int) -> Any:
    return scatter(dx, key=(slot, *(":",) * (-axis - 1)), sizes=y.shape[axis:])
