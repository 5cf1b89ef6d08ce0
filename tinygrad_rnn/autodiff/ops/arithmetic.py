"""Sums, differences, products and quotients, entry by entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..form import Addend
from ..op import Array, op
from . import arguments


@op(
    label="+",
    latex=lambda *args: " + ".join(args),
    keeps_shape=True,
    terms=lambda n: [Addend((k,)) for k in range(n)],
    numpy=lambda *args: " + ".join(args),
)
def add(*terms: Array, out: Array | None = None) -> Array:
    """The sum of any number of arrays of one shape."""
    total = np.add(terms[0], terms[1], out=out) if len(terms) > 1 else np.positive(terms[0], out=out)
    for term in terms[2:]:
        total = np.add(total, term, out=out)
    return total


add.checked(arguments.same_shape)


@add.vjp(latex=lambda *args, g, y, slot: g)
def _(g: Array, y: Array, terms: Sequence[Array], slot: int) -> Array:
    return g


@add.jvp()
def _(dx: Array, y: Array, terms: Sequence[Array], slot: int) -> Array:
    return dx


@op(label="−", latex="{0} - {1}", ufuncs=[(np.subtract,)], numpy="{0} - {1}")
def subtract(a: Array, b: Array, out: Array | None = None) -> Array:
    """The difference a - b of two arrays of one shape."""
    return np.subtract(a, b, out=out)


subtract.checked(arguments.same_shape)


@subtract.vjp(0, latex="{g}")
def _(g: Array, y: Array, a: Array, b: Array) -> Array:
    return g


@subtract.vjp(1, latex="-{g}")
def _(g: Array, y: Array, a: Array, b: Array) -> Array:
    return -g


@subtract.jvp(0)
def _(da: Array, y: Array, a: Array, b: Array) -> Array:
    return da


@subtract.jvp(1)
def _(db: Array, y: Array, a: Array, b: Array) -> Array:
    return -db


@op(label="×", latex=r"{0} \odot {1}", ufuncs=[(np.multiply,)], linear=(0, 1), numpy="{0} * {1}")
def multiply(a: Array, b: Array, out: Array | None = None) -> Array:
    """The product of two arrays of one shape, entry by entry."""
    return np.multiply(a, b, out=out)


multiply.checked(arguments.same_shape)


@multiply.vjp(0, latex=r"{g} \odot {1}")
def _(g: Array, y: Array, a: Array, b: Array) -> Array:
    return g * b


@multiply.vjp(1, latex=r"{g} \odot {0}")
def _(g: Array, y: Array, a: Array, b: Array) -> Array:
    return g * a


@op(label="−", latex="-{0}", ufuncs=[(np.negative,)], linear=(0,), numpy="-{0}")
def negative(a: Array, out: Array | None = None) -> Array:
    """The array with every sign turned."""
    return np.negative(a, out=out)


@negative.vjp(0, latex="-{g}")
def _(g: Array, y: Array, a: Array) -> Array:
    return -g


@op(label="÷", latex="{0} / {1}", ufuncs=[(np.divide,)], linear=(0,), numpy="{0} / {1}")
def divide(a: Array, b: Array, out: Array | None = None) -> Array:
    """The quotient a / b of two arrays of one shape, entry by entry."""
    return np.divide(a, b, out=out)


divide.checked(arguments.same_shape)


@divide.vjp(0, latex="{g} / {1}")
def _(g: Any, y: Any, a: Any, b: Any) -> Any:
    return divide(g, b)


@divide.vjp(1, latex=r"-{g} \odot {y} / {1}")
def _(g: Any, y: Any, a: Any, b: Any) -> Any:
    return -g * divide(y, b)  # and not a / b^2: the square may overflow where the quotient does not


@divide.jvp(1)
def _(db: Any, y: Any, a: Any, b: Any) -> Any:
    return -db * divide(y, b)
