"""How nodes are written like arrays, and that they are none.

Where shapes differ, the repetition that NumPy would do in silence is a node. What would take a node for an array, and
do something else with it, or leave the tape without a word, is refused, with what to write instead.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from . import ops
from .calling import shape_of
from .errors import ShapeError, UsageError
from .op import OPS, Op

# What an array's operator asks the node on its right for.
REFLECTED = {
    np.add: "__radd__",
    np.subtract: "__rsub__",
    np.multiply: "__rmul__",
    np.divide: "__rtruediv__",
    np.power: "__rpow__",
    np.matmul: "__rmatmul__",
}

# These record nothing.
ASKED = {np.shape: "shape", np.ndim: "ndim", np.size: "size"}

# What NumPy calls otherwise.
INSTEAD = {
    **dict.fromkeys(("dot", "inner", "vdot", "tensordot", "einsum"), "tinygrad_rnn.ops.matmul, or a @ b"),
    **dict.fromkeys(("max", "amax", "min", "amin", "minimum", "fmax"), "tinygrad_rnn.ops.maximum of two arrays"),
    **dict.fromkeys(("less", "less_equal", "greater", "greater_equal"), "tinygrad_rnn.ops.is_positive(a - b)"),
    **dict.fromkeys(("equal", "not_equal"), "node.value for its numbers"),
    **dict.fromkeys(("hstack", "vstack", "append", "column_stack"), "tinygrad_rnn.ops.concatenate([a, b], axis=-1)"),
    **dict.fromkeys(("take", "compress", "delete", "split"), "an index, as in a[1:]"),
    **dict.fromkeys(("ravel", "squeeze", "expand_dims"), "tinygrad_rnn.ops.reshape"),
    **dict.fromkeys(("swapaxes", "moveaxis"), "tinygrad_rnn.ops.transpose, or a.T"),
    **dict.fromkeys(("abs", "fabs"), "tinygrad_rnn.ops.absolute, or abs(a)"),
    **dict.fromkeys(("repeat", "tile", "broadcast_to"), "tinygrad_rnn.ops.broadcast"),
    "average": "tinygrad_rnn.ops.mean",
    "square": "a ** 2",
    "reciprocal": "1 / a",
    "heaviside": "tinygrad_rnn.ops.is_positive",
    "positive": "tinygrad_rnn.ops.identity",
    "float_power": "a ** b",
}

RECORDED = "tinygrad_rnn.ops to record, and .value for numbers"


class Operators:
    """The operators and the methods that a node shares with arrays."""

    __slots__ = ()
    shape: tuple[int, ...]
    tape: Any

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

    def __pow__(self, exponent: Any, modulus: Any = None) -> Any:
        if modulus is not None:
            self._refuse("power modulo a number", RECORDED)
        if isinstance(exponent, Operators | list | tuple | np.ndarray) and shape_of(exponent) != ():
            return _elementwise(ops.raised, self, exponent)
        return ops.power(self, exponent=exponent)

    def __rpow__(self, base: Any) -> Any:
        return _elementwise(ops.raised, base, self)

    def __eq__(self, other: object) -> bool:
        # Whether it is the same node, as graphs, sets and lists ask. With numbers it would be False, always and unseen.
        if isinstance(other, (int, float, complex, list, np.ndarray, np.generic)):
            self._refuse("comparison with numbers (==, !=)", "node.value == ... for its numbers")
        return self is other

    __hash__ = object.__hash__

    def __abs__(self) -> Any:
        return ops.absolute(self)

    def __getitem__(self, index: Any) -> Any:
        if any(isinstance(k, Operators) for k in (index if isinstance(index, tuple | list) else [index])):
            self._refuse("entries named by a node", "tinygrad_rnn.ops.embedding, or numbers")
        return ops.getitem(self, key=ops.index_key(index, self.ndim))

    def __neg__(self) -> Any:
        return ops.negative(self)

    def __pos__(self) -> Any:
        return self

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

    @property
    def size(self) -> int:
        """How many entries its value has."""
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0] if self.shape else self._refuse("length, being one number", ".value")

    def sum(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any:
        """The sum along an axis, some axes, or all of them."""
        return ops.sum(self, axis=axis, keepdims=keepdims) if self.shape or axis is not None else self

    def mean(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any:
        """The mean along an axis, some axes, or all of them."""
        return ops.mean(self, axis=axis, keepdims=keepdims) if self.shape or axis is not None else self

    def reshape(self, *shape: int | tuple[int, ...]) -> Any:
        """The same numbers in the same order, in another shape; one size may be -1, for what is left."""
        return ops.reshape(self, *shape)

    def flatten(self) -> Any:
        """The same numbers in the same order, along one axis."""
        return ops.reshape(self, -1)

    def transpose(self, *axes: Any) -> Any:
        """The matrix with rows and columns exchanged."""
        return ops.transpose(self, axes=(axes[0] if len(axes) == 1 else axes) if axes else None)

    def dot(self, other: Any) -> Any:
        """The product of two matrices."""
        return ops.matmul(self, other)

    def clip(self, min: float | None = None, max: float | None = None) -> Any:
        """The nearest number between two."""
        return ops.clip(self, low=-np.inf if min is None else min, high=np.inf if max is None else max)

    # ---- what would take it for an array

    def _refuse(self, what: str, instead: str) -> NoReturn:
        where = self.tape.where()
        raise UsageError(f"{self} is a node of the tape and no array{where}: it has no {what}; use {instead}")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        # Without it, ndarray + node would be an array of nodes, and np.tanh(node) an error that names no way out.
        if ufunc in REFLECTED and method == "__call__" and not options and inputs[1] is self:
            return getattr(self, REFLECTED[ufunc])(inputs[0])
        return self._refuse_function(ufunc.__name__)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        # Without it, np.dot(node, node) would multiply entry by entry, and np.where would give an array of nodes.
        if function in ASKED and len(args) == 1 and not kwargs and args[0] is self:
            return getattr(self, ASKED[function])
        return self._refuse_function(function.__name__)

    def _refuse_function(self, name: str) -> NoReturn:
        where = self.tape.where()
        instead = INSTEAD.get(name) or (f"tinygrad_rnn.ops.{name}" if name in OPS else "one of tinygrad_rnn.ops")
        raise UsageError(f"np.{name} of {self}{where}: NumPy's functions are not recorded on a tape; use {instead}")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        # Code of NumPy that asks nobody, such as array.dot(node) and np.asarray(node), comes here.
        self._refuse("numbers of its own to be read", "node.value for numbers; a @ b or tinygrad_rnn.ops to record")

    def __format__(self, spec: str) -> str:
        return f"{self!s}" if not spec else self._refuse(f"number to be written as {spec!r}", ".value")


def _refused(what: str, instead: str) -> Any:
    def refuse(self: Operators, *_: Any) -> NoReturn:
        self._refuse(what, instead)

    return refuse


# What Python does with arrays, has no meaning on a tape, or another one; by what stands in for it.
for _what, _instead, *_names in (
    (
        "truth value, as `if`, `and`, `or` and `not` ask for",
        ".value for numbers, tinygrad_rnn.ops.where to choose",
        "bool",
    ),
    (
        "order (<, <=, >, >=)",
        "tinygrad_rnn.ops.is_positive(a - b), maximum or where; .value for numbers",
        "lt le gt ge",
    ),
    ("iterator, as `for`, list() and unpacking ask for", "an index: a[0], a[1], ...", "iter reversed"),
    ("members (`in`)", ".value for its numbers; a list of nodes to look for a node", "contains"),
    (
        "one number, as float(), int(), round() and an index ask for",
        ".value",
        "float int complex index trunc floor ceil round",
    ),
    (
        "entries that are assigned to",
        "tinygrad_rnn.ops.where, place or concatenate: a tape only grows",
        "setitem delitem",
    ),
    ("//, %, divmod()", RECORDED, "floordiv rfloordiv mod rmod divmod rdivmod"),
    ("<<, >>, &, |, ^, ~", RECORDED, "lshift rlshift rshift rrshift and rand or ror xor rxor invert"),
):
    for _name in _names[0].split():
        setattr(Operators, f"__{_name}__", _refused(_what, _instead))


def _missing(name: str) -> property:
    record = INSTEAD.get(name) or (f"tinygrad_rnn.ops.{name}" if name in OPS else "")

    def refuse(self: Operators) -> NoReturn:
        use = f"node.value.{name} for the numbers{record and f', and {record} to record'}"
        raise AttributeError(f"{self} is a node of the tape and no array: it has no {name!r}; use {use}")

    return property(refuse)


# What arrays have besides. No __getattr__: with one, Python reads every attribute of every node more slowly.
for _name in {name for name in dir(np.ndarray) if not name.startswith("_")} - {*dir(Operators), "shape"}:
    setattr(Operators, _name, _missing(_name))


def _elementwise(op: Op, a: Any, b: Any) -> Any:
    """An op on two arrays, at least one of them a node, after repeating the smaller one where shapes differ."""
    node = a if isinstance(a, Operators) else b
    try:
        a, b = (v if isinstance(v, Operators) else node.tape.constant(v) for v in (a, b))
    except ShapeError as error:
        raise ShapeError(f"{op.name}{node.tape.where()}: {error}") from None
    if a.shape != b.shape:
        try:
            to = np.broadcast_shapes(a.shape, b.shape)
        except ValueError:
            raise ShapeError(
                f"{op.name}{node.tape.where()}: {a} is {a.shape} and {b} is {b.shape}: "
                "neither can be repeated to fit the other"
            ) from None
        a, b = (v if v.shape == to else ops.broadcast(v, source=v.shape, to=to) for v in (a, b))
    return op(a, b)
