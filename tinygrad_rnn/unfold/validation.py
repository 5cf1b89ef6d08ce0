"""What is given to `unfold` and to a replay, checked before anything is done with it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff import Node, ShapeError
from ..autodiff.calling import as_array, numbers, shortened
from ..autodiff.errors import users_level
from .paying import Paying
from .recipe import Cell
from .structure import alike, flatten, outline, rebuild

Array = NDArray[Any]


def sequences(x: Any, d: Any) -> tuple[Array, Array]:
    """Inputs and targets as arrays, checked: time first, as many time steps and samples, and at least one of each."""
    x, d = as_array(x, "x"), as_array(d, "d")
    for name, array, last in (("x", x, "i"), ("d", d, "k")):
        numbers(array, name)  # text, complex numbers and the like are refused
        if array.ndim != 3:
            wider = {1: f"of single numbers pass {name}[:, None, None]", 2: f"pass {name}[:, None, :]"}.get(array.ndim)
            hint = f" For a single sequence {wider}." if wider else ""
            if name == "d" and array.dtype.kind in "iu":
                hint = " If d holds the numbers of classes, pass numpy.eye(number of classes)[d]."
            raise ShapeError(
                f"{name} is {array.shape}: {name}[t, p, {last}] has three axes, time, sample and unit.{hint}"
            )
    if x.shape[:2] != d.shape[:2]:
        raise ShapeError(
            f"x is {x.shape} and d is {d.shape}: x[t, p, i] and d[t, p, k] must agree on t and p, "
            f"{x.shape[:2]} is not {d.shape[:2]}."
        )
    if 0 in x.shape or 0 in d.shape:
        raise ShapeError(
            f"x is {x.shape} and d is {d.shape}: there must be at least one time step, one sample and one unit"
        )
    return x, d


def samples_first(given: Any, name: str) -> Any:
    """An array (B, T, ...) as (T, B, ...); None stays what it is."""
    array = None if given is None else as_array(given, name)
    if array is not None and array.ndim < 2:
        raise ShapeError(f"{name} is {array.shape}: with batch_first=True its axes are sample and time, then the rest")
    return None if array is None else np.swapaxes(array, 0, 1)


def turned(shape: tuple[int, ...], batch_first: bool | None) -> None:
    """Warn where samples and time look turned: one time step, and several samples."""
    if batch_first is None and shape[0] == 1 < shape[1]:
        warnings.warn(
            f"x is {shape}: that is 1 time step of {shape[1]} samples, for x[t, p, i] has time first. If samples come "
            "first, pass batch_first=True; if it is meant so, batch_first=False",
            UserWarning,
            stacklevel=users_level(),
        )


def as_mask(mask: Any, shape: tuple[int, int], dtype: Any) -> Array:
    """A mask as it goes on the tape, (T, B, 1), of zeros and ones.

    Raises
    ------
    ShapeError
        If it is not (T, B).
    ValueError
        If it holds anything else than 0 and 1.
    """
    array = as_array(mask, "mask")
    if array.shape != shape:
        raise ShapeError(
            f"mask is {array.shape} and x has {shape[0]} time steps of {shape[1]} samples: mask[t, p] must be {shape}, "
            "1 where sample p has a step t and 0 where it is over"
        )
    if array.dtype.kind not in "biuf" or not np.isin(array, (0, 1)).all():
        raise ValueError("mask holds something else than 0 and 1: 1 where sample p has a step t, 0 where it is over")
    return array.astype(dtype)[..., None]


def without_padding(array: Array, present: Array) -> Array:
    """Zeros where a sample is over, whatever stood there."""
    return np.where(present, array, np.zeros((), array.dtype))


def check_cell(cell: Any) -> None:
    """Raise TypeError if nobody can call it."""
    if not callable(cell):
        raise TypeError(
            f"the cell is {shortened(cell)}: it is one of tinygrad_rnn.cells, or a function (params, x, s) -> (s, y)"
        )


def initial_state(cell: Cell, params: Mapping[str, Any], s0: Any, n_samples: int) -> Any:
    """The initial state in its structure: arrays, and names of parameters.

    Raises
    ------
    ShapeError, ValueError
        If it has another structure than the cell's state, or names no parameter of one axis.
    TypeError
        If the cell is none.
    """
    check_cell(cell)
    usual = cell.initial_state(params, n_samples) if hasattr(cell, "initial_state") else s0
    if usual is None:
        raise ValueError("this cell has no initial_state(): pass s0, an array (B, m), or a tuple of such arrays")
    s0 = usual if s0 is None else s0
    if not alike(s0, usual):
        raise ShapeError(
            f"s0 is {f'the list {shortened(s0)}' if isinstance(s0, list) else outline(s0)}: the state is "
            f"{outline(usual)}, each an array s0[p, j] or the name of a parameter"
        )
    for name in flatten(s0):
        if isinstance(name, str) and name not in params:
            raise ValueError(f"s0 names the parameter {name!r}; params has {', '.join(map(str, params))}")
        if isinstance(name, str) and np.ndim(params[name]) != 1:
            raise ShapeError(
                f"s0 names the parameter {name!r}, which is {np.shape(params[name])}: an initial state that is trained "
                "is one row (m,), repeated over the samples"
            )
    found = [s if isinstance(s, str) else as_array(s, "s0") for s in flatten(s0)]
    for k, (s, known) in enumerate(zip(found, flatten(usual), strict=True)):
        if not isinstance(s, str) and not isinstance(known, str) and s.shape != np.shape(known):
            which = f"s0[{k}]" if len(found) > 1 else "s0"
            raise ShapeError(f"{which} is {s.shape}, and the state of {n_samples} samples is {np.shape(known)}")
    return rebuild(s0, found)


def same_dtype(weights: Mapping[str, Node], arrays: Mapping[str, Array]) -> None:
    """Raise ShapeError if not all numbers are of one dtype."""
    given = {name: leaf.value.dtype for name, leaf in weights.items()}
    given |= {name: array.dtype for name, array in arrays.items()}
    if len(set(given.values())) > 1:
        listed = ", ".join(f"{name} {dtype}" for name, dtype in given.items())
        raise ShapeError(f"all arrays must have one dtype; given are {listed}. Convert them with .astype(float).")


def check_untied(weights: Mapping[str, Node], T: int) -> None:
    """Raise ShapeError if a weight is not one for each time step."""
    for name, leaf in weights.items():
        if leaf.shape[:1] != (T,):
            raise ShapeError(
                f"untied weights: {name} is {leaf.shape}, and must be ({T}, ...), one weight for each time step; "
                f"untie(params, {T}) makes them"
            )


def check_keep(keep: str) -> None:
    """Raise ValueError if it is not a choice of what a replay keeps."""
    if keep not in ("needed", "all"):
        raise ValueError(f"keep={keep!r}: a replay keeps what is 'needed', or 'all'; say which")


def fitting(what: str, given: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """New numbers for a replay, as an array of the shape and dtype that the network was unfolded with."""
    array = given if type(given) is np.ndarray else as_array(given, what)
    if array.shape != shape or (array.dtype is not dtype and array.dtype != dtype):
        raise ShapeError(
            f"replay: {what} is {array.shape} {array.dtype}, and the network was unfolded over {shape} {dtype}. "
            "For another shape, unfold again."
        )
    return array


def fitting_weights(shapes: Mapping[str, tuple[int, ...]], params: Mapping[str, Any], dtype: Any) -> dict[str, Array]:
    """The parameters as they are at a replay, checked."""
    new = {}
    for name, shape in shapes.items():
        if name not in params:
            raise KeyError(f"replay: the parameter {name!r} is gone from params; put it back or unfold again")
        new[name] = fitting(name, params[name], shape, dtype)
    return new


def fitting_data(
    shapes: Mapping[str, tuple[int, ...]],
    masks: Sequence[Node],
    paying: Paying,
    dtype: Any,
    *,
    x: Any,
    d: Any,
    mask: Any,
    weights: Any,
) -> dict[str, Array]:
    """The data that a replay was given, checked, with zeros where a sample is over; `masks` are those of all steps."""
    data = {}
    if x is not None:
        data["x"] = fitting("x", x, shapes["x"], dtype)
    if d is not None:
        data["d"] = fitting("d", d, shapes["d"], dtype)
    if mask is None and weights is None and not (masks and data):
        return data
    if mask is not None and not masks:
        raise ValueError("replay: the network was unfolded without a mask; unfold again, with one")
    if mask is not None and len(data) < 2:
        raise ValueError("replay: a new mask belongs to new data: pass x and d with it")
    if weights is not None and not paying.weighted:
        raise ValueError("replay: the network was unfolded without weights; unfold again, with some")
    if mask is not None and weights is None and paying.weighted:
        raise ValueError("replay: a new mask belongs to new weights: pass weights with it")
    shape, present = (shapes["x"][0], shapes["x"][1]), None
    if masks:
        present = np.stack([m.value for m in masks]) if mask is None else as_mask(mask, shape, dtype)
        data = {what: without_padding(array, present) for what, array in data.items()}
    if mask is not None and present is not None:
        data["mask"] = present
    if mask is not None or weights is not None:
        pays = paying.of_samples(present, weights, shape, dtype)
        if pays is not None:
            data["weight"] = pays
    return data


def fitting_state(state: Any, s0: Any, dtype: Any) -> dict[Node, Array]:
    """The parts of the initial state that a replay was given, checked; `state` is s(0), in nodes."""
    parts = flatten(state)
    if not alike(s0, state):
        raise ShapeError(f"replay: s0 is {outline(s0)}, and the state is {outline(state)}")
    found = {}
    for k, (part, given) in enumerate(zip(parts, flatten(s0), strict=True)):
        if given is None:
            continue
        if part.parents:
            name = part.parents[0].name
            raise ValueError(
                f"replay: this initial state is the parameter {name!r}, which is trained: change params[{name!r}], "
                "or pass None for this part of s0"
            )
        found[part] = np.array(fitting(f"s0[{k}]" if len(parts) > 1 else "s0", given, part.shape, dtype))
    return found


def fitting_errors(state: Any, later: Any, dtype: Any) -> list[Array]:
    """What comes back to the parts of the last state, checked; `state` is s(T), in nodes."""
    if not alike(later, state):
        raise ShapeError(f"backward: later is {outline(later)}, and the state is {outline(state)}")
    errors = []
    for part, given in zip(flatten(state), flatten(later), strict=True):
        error = numbers(given, "later").astype(dtype)
        if error.shape != part.shape:
            raise ShapeError(f"backward: later is {error.shape} for {part}, which is {part.shape}: they must agree")
        errors.append(error)
    return errors
