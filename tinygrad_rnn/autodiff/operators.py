"""How nodes are written like arrays. Where shapes differ, the repetition that NumPy would do in silence is a node."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import ops
from .errors import ShapeError
from .op import OPS, Op

# What an array's operator asks the node on its right for.
REFLECTED = {
    np.add: "__radd__",
    np.subtract: "__rsub__",
    np.multiply: "__rmul__",
    np.divide: "__rtruediv__",
    np.matmul: "__rmatmul__",
}


class Operators:
    """The operators and the methods that a node shares with arrays."""

    __slots__ = ()
    shape: tuple[int, ...]
    tape: Any

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        # Without it, ndarray + node would be an array of nodes, and np.tanh(node) an error that names no way out.
        if ufunc in (np.equal, np.not_equal):
            return ufunc is np.not_equal  # a node is no array
        if ufunc in REFLECTED and method == "__call__" and not options and inputs[1] is self:
            return getattr(self, REFLECTED[ufunc])(inputs[0])
        name = ufunc.__name__
        instead = f"tinygrad_rnn.ops.{name}" if name in OPS else "one of tinygrad_rnn.ops"
        raise TypeError(f"np.{name} of {self}: NumPy's functions are not recorded on a tape; use {instead}")

    def __add__(self, other: Any) -> Any:
        return _elementwise(ops.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return _elementwise(ops.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return _elementwise(ops.subtract, self, other)

    def __rsub__(self, other: Any) -> Any:
        return _elementwise(ops.subtract, other, self)

    def __mul__(self, other: Any) -> Any:
        return _elementwise(ops.multiply, self, other)

    def __rmul__(self, other: Any) -> Any:
        return _elementwise(ops.multiply, other, self)

    def __truediv__(self, other: Any) -> Any:
        return _elementwise(ops.divide, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _elementwise(ops.divide, other, self)

    def __pow__(self, exponent: float) -> Any:
        return ops.power(self, exponent=exponent)

    def __abs__(self) -> Any:
        return ops.absolute(self)

    def __getitem__(self, index: Any) -> Any:
        return ops.getitem(self, key=ops.index_key(index, self.ndim))

    __iter__ = None  # or Python would index without end

    def __neg__(self) -> Any:
        return ops.negative(self)

    def __matmul__(self, other: Any) -> Any:
        return ops.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return ops.matmul(other, self)

    @property
    def T(self) -> Any:  # as in NumPy
        """The matrix with rows and columns exchanged."""
        return ops.transpose(self)

    @property
    def ndim(self) -> int:
        """How many axes its value has."""
        return len(self.shape)

    def sum(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any:
        """The sum along an axis, some axes, or all of them."""
        axes = self._from_last(axis)
        return ops.sum(self, axis=axes, keepdims=keepdims) if axes else self

    def mean(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any:
        """The mean along an axis, some axes, or all of them."""
        axes = self._from_last(axis)
        return ops.mean(self, axis=axes, keepdims=keepdims) if axes else self

    def _from_last(self, axis: int | tuple[int, ...] | None) -> tuple[int, ...]:
        axes = range(self.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
        return tuple(sorted(k % self.ndim - self.ndim for k in axes))


def _elementwise(op: Op, a: Any, b: Any) -> Any:
    """An op on two arrays, at least one of them a node, after repeating the smaller one where shapes differ."""
    if np.shape(a) != np.shape(b):
        node = a if isinstance(a, Operators) else b
        a, b = (node.tape.constant(v) if not isinstance(v, Operators) else v for v in (a, b))
        try:
            to = np.broadcast_shapes(a.shape, b.shape)
        except ValueError:
            raise ShapeError(
                f"{op.name}: {a} is {a.shape} and {b} is {b.shape}: neither can be repeated to fit the other"
            ) from None
        a, b = (v if v.shape == to else ops.broadcast(v, source=v.shape, to=to) for v in (a, b))
    return op(a, b)
