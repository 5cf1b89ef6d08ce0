"""Rows of a table, by their number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..op import Array, op
from . import products


def _no_row(name: object, indices: Array, width: int) -> str | None:
    if indices.dtype.kind == "c":
        return f"{name} holds complex numbers: they must be whole numbers from 0 to {width - 1}."
    wrong = indices[~((indices >= 0) & (indices < width) & (indices == np.floor(indices)))]
    return f"{name} holds {wrong.flat[0]:g}: it must be a whole number from 0 to {width - 1}." if wrong.size else None


@op(label="table", latex="{1}[{0}]", moves=True, linear=(1,), numpy="{1}[{0}.astype(int)]")
def embedding(indices: Array, table: Array, out: Array | None = None) -> Array:
    """The rows of `table` (n, m) that `indices` (B,) name, (B, m); whole numbers in any dtype, as a tape holds floats.

    It is ``one_hot(indices) @ table``, without the product.
    """
    rows = indices.astype(np.intp)
    if rows.size and rows.min() < 0:  # NumPy would count from the end: a padding of -1 would go unseen
        raise IndexError(f"embedding: {rows.min()} is the number of no row")
    if table.ndim == 2 or rows.ndim == 1:  # one table, or one set of rows, for all copies
        return np.take(table, rows, axis=-2, out=out)
    return np.positive(np.take_along_axis(table, rows[..., None], axis=-2), out=out)


@embedding.checked
def _(names: Sequence[object], args: Sequence[Array]) -> str | None:
    indices, table = args
    if indices.ndim != 1 or table.ndim != 2:
        return f"{names[0]} is {indices.shape} and {names[1]} is {table.shape}: they must be [p] and [row, i]."
    return _no_row(names[0], indices, len(table))


embedding.reads(0)
embedding.checks_values = True


@embedding.vjp(1, latex=r"\operatorname{{onehot}}({0})^{{\top}}\,{g}")
def _(g: Any, y: Any, indices: Any, table: Any) -> Any:
    return products.outer_product(one_hot(indices, width=table.shape[0]), g)


@op(
    label="one-hot",
    latex=lambda indices, width: rf"\operatorname{{onehot}}({indices})",
    moves=True,
    numpy=lambda indices, width: f"np.eye({width})[{indices}.astype(int)]",
)
def one_hot(indices: Array, width: int, out: Array | None = None) -> Array:
    """Rows of zeros with a 1 at the place that each index names, (B, width). The indices get no error."""
    if out is None:
        out = np.empty((*indices.shape, width), indices.dtype if indices.dtype.kind == "f" else float)
    return np.equal(indices[..., None], np.arange(width), out=out, casting="unsafe")


@one_hot.checked
def _(names: Sequence[object], args: Sequence[Array], width: int) -> str | None:
    return _no_row(names[0], args[0], width)


one_hot.reads(0)
one_hot.checks_values = True
