"""The ops. One op is one block: its value, the share of each argument, its formula and its label.

A rule is written with Python operators, so that it reads like the formula beside it, and works on
arrays and on nodes alike: on nodes it records the backward pass itself. In a formula ``g`` is the
cotangent of the value, + dC / d value: Guo's error delta is its negative.

Every op acts on its last axes; axes in front of them are copies, such as all time steps at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ShapeError
from .notation import factor, number, summed
from .op import Call, in_turn, op
from .outer import Outer

Array = NDArray[Any]
Index = tuple[int, ...]


def same_shape(names: Sequence[object], args: Sequence[Array]) -> str | None:
    """What is wrong if the arguments do not all have one shape."""
    for name, a in zip(names[1:], args[1:], strict=True):
        if a.shape != args[0].shape:
            return (
                f"{names[0]} is {args[0].shape} and {name} is {a.shape}: both must have one shape. "
                "Nothing is broadcast in silence: reshape or repeat the smaller one first."
            )
    return None


def _same_samples(names: Sequence[object], args: Sequence[Array]) -> str | None:
    """What is wrong if the arguments are not all [p, k], of one shape."""
    if args[0].ndim != 2:
        one = f"One sample is (1, {args[0].size})."
        return f"{names[0]} is {args[0].shape}: it must have two axes, {names[0]}[p, k]. {one}"
    return same_shape(names, args)


def _from_last(names: Sequence[object], args: Sequence[Array], axis: Any, keepdims: bool = False) -> str | None:
    """What is wrong if an axis is not one of the last ones, counted from the end."""
    wrong = [k for k in (axis if isinstance(axis, tuple) else (axis,)) if not -args[0].ndim <= k < 0]
    if wrong:
        return (
            f"{names[0]} is {args[0].shape} and the axis is {wrong[0]}: axes are counted from the last one, -1, -2, ..."
        )
    return None


# ---- copies ---------------------------------------------------------------------------------------------


@op(label="copy", latex="{0}", keeps_terms=True)
def copy(w: Array, out: Array | None = None) -> Array:
    """A time copy of a shared weight: the same numbers, one more place that collects its own error."""
    return w


@copy.vjp(0, latex="{g}")
def _(g: Array, y: Array, w: Array) -> Array:
    return g


@copy.jvp(0)
def _(dw: Array, y: Array, w: Array) -> Array:
    return dw


@op(label="detach", latex=r"\operatorname{{detach}}({0})", moves=True, ufunc=np.positive)
def detach(x: Array, out: Array | None = None) -> Array:
    """The same numbers, from which no error goes back: this is how a history is cut."""
    return np.positive(x, out=out)


detach.reads(0)


@op(label="clip ∂", latex=lambda x, bound: x, ufunc=np.positive)
def clip_error(x: Array, bound: float, out: Array | None = None) -> Array:
    """The same numbers, through which no error larger than `bound` goes back: Mikolov's clipping.

    Where it clips, what goes on is no derivative any more, and a check says so.
    """
    return np.positive(x, out=out)


@clip_error.checked
def _(names: Sequence[object], args: Sequence[Array], bound: float) -> str | None:
    return None if bound > 0 else f"the error of {names[0]} is clipped at +-{bound:g}: the bound must be above 0."


@clip_error.vjp(0, latex=lambda x, g, y, bound: rf"\min(\max({g}, {-bound:g}), {bound:g})")
def _(g: Any, y: Any, x: Any, bound: float) -> Any:
    return clip(g, low=-bound, high=bound)


@clip_error.jvp(0)
def _(dx: Any, y: Any, x: Any, bound: float) -> Any:
    return dx


# ---- arithmetic -----------------------------------------------------------------------------------------


@op(label="+", latex=lambda *args: " + ".join(args), keeps_shape=True)
def add(*terms: Array, out: Array | None = None) -> Array:
    """The sum of any number of arrays of one shape."""
    total = np.add(terms[0], terms[1], out=out) if len(terms) > 1 else np.positive(terms[0], out=out)
    for term in terms[2:]:
        total = np.add(total, term, out=out)
    return total


add.checked(same_shape)


@add.vjp(latex=lambda *args, g, y, slot: g)
def _(g: Array, y: Array, terms: Sequence[Array], slot: int) -> Array:
    return g


@add.jvp()
def _(dx: Array, y: Array, terms: Sequence[Array], slot: int) -> Array:
    return dx


@op(label="−", latex="{0} - {1}", ufunc=np.subtract)
def subtract(a: Array, b: Array, out: Array | None = None) -> Array:
    """The difference a - b of two arrays of one shape."""
    return np.subtract(a, b, out=out)


subtract.checked(same_shape)


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


@op(label="×", latex=r"{0} \odot {1}", ufunc=np.multiply)
def multiply(a: Array, b: Array, out: Array | None = None) -> Array:
    """The product of two arrays of one shape, entry by entry."""
    return np.multiply(a, b, out=out)


multiply.checked(same_shape)


@multiply.vjp(0, latex=r"{g} \odot {1}")
def _(g: Array, y: Array, a: Array, b: Array) -> Array:
    return g * b


@multiply.vjp(1, latex=r"{g} \odot {0}")
def _(g: Array, y: Array, a: Array, b: Array) -> Array:
    return g * a


@multiply.jvp(0)
def _(da: Array, y: Array, a: Array, b: Array) -> Array:
    return da * b


@multiply.jvp(1)
def _(db: Array, y: Array, a: Array, b: Array) -> Array:
    return a * db


@op(label="−", latex="-{0}", ufunc=np.negative)
def negative(a: Array, out: Array | None = None) -> Array:
    """The array with every sign turned."""
    return np.negative(a, out=out)


@negative.vjp(0, latex="-{g}")
def _(g: Array, y: Array, a: Array) -> Array:
    return -g


@negative.jvp(0)
def _(da: Array, y: Array, a: Array) -> Array:
    return -da


@op(label="÷", latex="{0} / {1}", ufunc=np.divide)
def divide(a: Array, b: Array, out: Array | None = None) -> Array:
    """The quotient a / b of two arrays of one shape, entry by entry."""
    return np.divide(a, b, out=out)


divide.checked(same_shape)


@divide.vjp(0, latex="{g} / {1}")
def _(g: Any, y: Any, a: Any, b: Any) -> Any:
    return divide(g, b)


@divide.vjp(1, latex=r"-{g} \odot {y} / {1}")
def _(g: Any, y: Any, a: Any, b: Any) -> Any:
    return -g * divide(y, b)  # and not a / b^2: the square may overflow where the quotient does not


@divide.jvp(0)
def _(da: Any, y: Any, a: Any, b: Any) -> Any:
    return divide(da, b)


@divide.jvp(1)
def _(db: Any, y: Any, a: Any, b: Any) -> Any:
    return -db * divide(y, b)


@op(label="power", latex=lambda x, exponent: f"{x}^{{{exponent:g}}}")
def power(x: Array, exponent: float, out: Array | None = None) -> Array:
    """The power x^n, n being a number.

    An array of exponents would have a slope only where x > 0; there, ``exp(n * log(x))`` says the same.
    """
    return np.power(x, exponent, out=out)


def _power_rule(g: Any, x: Any, exponent: float) -> Any:
    # x^0 is 1 everywhere, at 0 too, where the general rule would ask for 0^(-1).
    return g * (exponent * power(x, exponent=exponent - 1)) if exponent else 0 * g


@power.vjp(0, latex=lambda x, g, y, exponent: rf"{g} \odot ({exponent:g} \odot {x}^{{{exponent - 1:g}}})")
def _(g: Any, y: Any, x: Any, exponent: float) -> Any:
    return _power_rule(g, x, exponent)


@power.jvp(0)
def _(dx: Any, y: Any, x: Any, exponent: float) -> Any:
    return _power_rule(dx, x, exponent)


@op(label="exp", latex=r"\exp({0})", ufunc=np.exp)
def exp(x: Array, out: Array | None = None) -> Array:
    """The exponential, entry by entry."""
    return np.exp(x, out=out)


@exp.vjp(0, latex=r"{g} \odot {y}")
def _(g: Array, y: Array, x: Array) -> Array:
    return g * y


@exp.jvp(0)
def _(dx: Array, y: Array, x: Array) -> Array:
    return dx * y


@op(label="ln", latex=r"\ln({0})", ufunc=np.log)
def log(x: Array, out: Array | None = None) -> Array:
    """The natural logarithm, entry by entry, of what is above 0."""
    return np.log(x, out=out)


@log.vjp(0, latex="{g} / {0}")
def _(g: Any, y: Any, x: Any) -> Any:
    return divide(g, x)


@log.jvp(0)
def _(dx: Any, y: Any, x: Any) -> Any:
    return divide(dx, x)


@op(label="√", latex=r"\sqrt{{{0}}}", ufunc=np.sqrt)
def sqrt(x: Array, out: Array | None = None) -> Array:
    """The square root, entry by entry; at 0 its slope is infinite."""
    return np.sqrt(x, out=out)


@sqrt.vjp(0, latex=r"0.5 \odot {g} / {y}")
def _(g: Any, y: Any, x: Any) -> Any:
    return divide(0.5 * g, y)


@sqrt.jvp(0)
def _(dx: Any, y: Any, x: Any) -> Any:
    return divide(0.5 * dx, y)


@op(label="sgn", latex=r"\operatorname{{sgn}}({0})", ufunc=np.sign)
def sign(x: Array, out: Array | None = None) -> Array:
    """-1, 0 or 1. It sends no error: its slope is 0 wherever it has one."""
    return np.sign(x, out=out)


sign.reads(0)


@op(label="|x|", latex="|{0}|", ufunc=np.absolute)
def absolute(x: Array, out: Array | None = None) -> Array:
    """The absolute value; its slope at 0 is taken as 0."""
    return np.absolute(x, out=out)


@absolute.vjp(0, latex=r"{g} \odot \operatorname{{sgn}}({0})")
def _(g: Any, y: Any, x: Any) -> Any:
    return g * sign(x)


@absolute.jvp(0)
def _(dx: Any, y: Any, x: Any) -> Any:
    return dx * sign(x)


# ---- choices --------------------------------------------------------------------------------------------


@op(label="max", latex=r"\max({0}, {1})", ufunc=np.maximum)
def maximum(a: Array, b: Array, out: Array | None = None) -> Array:
    """The larger of two arrays of one shape, entry by entry; where they are equal, each gets half the error."""
    return np.maximum(a, b, out=out)


maximum.checked(same_shape)


@maximum.vjp(0, latex=r"{g} \odot [{0} > {1}]")
def _(g: Any, y: Any, a: Any, b: Any) -> Any:
    return g * (0.5 + 0.5 * sign(a - b))


@maximum.vjp(1, latex=r"{g} \odot [{1} > {0}]")
def _(g: Any, y: Any, a: Any, b: Any) -> Any:
    return g * (0.5 + 0.5 * sign(b - a))


@maximum.jvp(0)
def _(da: Any, y: Any, a: Any, b: Any) -> Any:
    return da * (0.5 + 0.5 * sign(a - b))


@maximum.jvp(1)
def _(db: Any, y: Any, a: Any, b: Any) -> Any:
    return db * (0.5 + 0.5 * sign(b - a))


@op(label="where", latex=r"[{0} \neq 0] \odot {1} + [{0} = 0] \odot {2}")
def where(condition: Array, a: Array, b: Array, out: Array | None = None) -> Array:
    """The entry of `a` where the condition is not 0, else that of `b`. The condition gets no error."""
    if out is None:
        return np.where(condition != 0, a, b)
    np.copyto(out, b)
    np.copyto(out, a, where=condition != 0)
    return out


where.checked(same_shape)
where.reads(0)


@where.vjp(1, latex=r"[{0} \neq 0] \odot {g}")
def _(g: Any, y: Any, condition: Any, a: Any, b: Any) -> Any:
    return where(condition, g, 0 * g)


@where.vjp(2, latex=r"[{0} = 0] \odot {g}")
def _(g: Any, y: Any, condition: Any, a: Any, b: Any) -> Any:
    return where(condition, 0 * g, g)


@where.jvp(1)
def _(da: Any, y: Any, condition: Any, a: Any, b: Any) -> Any:
    return where(condition, da, 0 * da)


@where.jvp(2)
def _(db: Any, y: Any, condition: Any, a: Any, b: Any) -> Any:
    return where(condition, 0 * db, db)


@op(label="clip", latex=lambda x, low, high: rf"\min(\max({x}, {low:g}), {high:g})")
def clip(x: Array, low: float, high: float, out: Array | None = None) -> Array:
    """The nearest number between `low` and `high`; its slope is 1 between them, and 0 at them and beyond."""
    return np.clip(x, low, high, out=out)


@clip.checked
def _(names: Sequence[object], args: Sequence[Array], low: float, high: float) -> str | None:
    return None if low < high else f"{names[0]} is clipped between {low:g} and {high:g}: low must be below high."


def _between(x: Any, low: float, high: float) -> Any:
    return is_positive(x - low) * is_positive(high - x)


@clip.vjp(0, latex=lambda x, g, y, low, high: rf"{g} \odot [{low:g} < {x} < {high:g}]")
def _(g: Any, y: Any, x: Any, low: float, high: float) -> Any:
    return g * _between(x, low, high)


@clip.jvp(0)
def _(dx: Any, y: Any, x: Any, low: float, high: float) -> Any:
    return dx * _between(x, low, high)


# ---- net inputs -----------------------------------------------------------------------------------------


def _linear_latex(*args: str) -> str:
    pairs = [rf"{x}\,{w}^{{\top}}" for x, w in zip(args[0::2], args[1::2], strict=False)]
    return " + ".join([*pairs, args[-1]] if len(args) % 2 else pairs)


def _linear_unit(index: Index, *args: Array) -> str:
    p, j = index
    terms = [
        (x, w) for a, w_all in zip(args[0::2], args[1::2], strict=False) for x, w in zip(a[p], w_all[j], strict=True)
    ]
    return summed([*terms, (args[-1][j],)] if len(args) % 2 else terms)


@op(label="Σ", latex=_linear_latex, unit=_linear_unit)
def linear(*args: Array, out: Array | None = None) -> Array:
    """net[p, j] = sum_i x[p, i] V[j, i] + sum_h s[p, h] U[j, h] + b[j], Guo (2013), eqs. (2), (4).

    Called as ``linear(x, V)``, ``linear(x, V, b)``, ``linear(x, V, s, U, b)``, ...
    """
    net = np.matmul(args[0], args[1].swapaxes(-1, -2), out=out)
    for x, w in zip(args[2::2], args[3::2], strict=False):
        net += x @ w.swapaxes(-1, -2)
    if len(args) % 2:
        net += args[-1][..., None, :]
    return net


@linear.checked
def _(names: Sequence[object], args: Sequence[Array]) -> str | None:
    if len(args) < 2:
        return f"{len(args)} argument given: it takes pairs of an input and a weight, then perhaps a bias."
    for k in range(0, len(args) - 1, 2):
        wrong = _unfit_pair(names, args, k)
        if wrong:
            return f"{names[k]} is {args[k].shape} and {names[k + 1]} is {args[k + 1].shape}: {wrong}"
    if len(args) % 2 and args[-1].shape != (args[1].shape[0],):
        wanted = (args[1].shape[0],)
        return f"{names[-1]} is {args[-1].shape}: as a bias of {names[1]} {args[1].shape} it must be {wanted}."
    return None


def _unfit_pair(names: Sequence[object], args: Sequence[Array], k: int) -> str | None:
    """What is wrong with argument k, an input, and the weight behind it."""
    x, w = args[k].shape, args[k + 1].shape
    if len(x) != 2 or len(w) != 2:
        return f"both must have two axes, {names[k]}[p, i] and {names[k + 1]}[j, i]."
    if x[1] != w[1]:
        turned = f" Did you pass {names[k + 1]}.T?" if x[1] == w[0] else ""
        return f"{names[k]}[p, i] and {names[k + 1]}[j, i] must agree on i, {x[1]} is not {w[1]}.{turned}"
    given, wanted = (x[0], w[0]), (args[0].shape[0], args[1].shape[0])
    if given != wanted:
        return f"beside {names[0]} {args[0].shape} and {names[1]} {args[1].shape} they must give {wanted}, not {given}."
    return None


def _linear_share_latex(*args: str, g: str, y: str, slot: int) -> str:
    if slot == len(args) - 1 and len(args) % 2:
        return rf"\sum_p {g}"
    return rf"{g}^{{\top}}\,{args[slot - 1]}" if slot % 2 else rf"{g}\,{args[slot + 1]}"


def _linear_share_unit(index: Index, g: Array, y: Array, *args: Array, slot: int) -> str:
    if slot == len(args) - 1 and len(args) % 2:
        return summed((v,) for v in g[:, index[0]])
    if slot % 2:
        return summed(zip(g[:, index[0]], args[slot - 1][:, index[1]], strict=True))
    return summed(zip(g[index[0]], args[slot + 1][:, index[1]], strict=True))


@linear.vjp(latex=_linear_share_latex, unit=_linear_share_unit)
def _(g: Array, y: Array, args: Sequence[Array], slot: int) -> Any:
    if slot == len(args) - 1 and len(args) % 2:
        return g.sum(axis=-2)
    return outer_product(g, args[slot - 1]) if slot % 2 else g @ args[slot + 1]


@linear.jvp()
def _(dx: Array, y: Array, args: Sequence[Array], slot: int) -> Any:
    if slot == len(args) - 1 and len(args) % 2:
        return broadcast(dx, source=dx.shape, to=y.shape)
    return linear(args[slot - 1], dx) if slot % 2 else linear(dx, args[slot + 1])


def outer_product(g: Any, x: Any) -> Any:
    """What a weight receives, delta times input: on arrays kept as its two factors until it is read."""
    return outer(g, x) if hasattr(g, "tape") else Outer.of(g, x)


def _two_matrices(names: Sequence[object], args: Sequence[Array]) -> str | None:
    a, b = args
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        return (
            f"{names[0]} is {a.shape} and {names[1]} is {b.shape}: both must have two axes, and the last "
            f"one of {names[0]} must be as long as the first one of {names[1]}."
        )
    return None


@op(
    label="·",
    latex=r"{0}\,{1}",
    unit=lambda index, a, w: summed(zip(a[index[0]], w[:, index[1]], strict=True)),
)
def matmul(a: Array, w: Array, out: Array | None = None) -> Array:
    """The product of two matrices: y[p, i] = sum_j a[p, j] w[j, i]."""
    return np.matmul(a, w, out=out)


matmul.checked(_two_matrices)


@matmul.vjp(
    0,
    latex=r"{g}\,{1}^{{\top}}",
    unit=lambda index, g, y, a, w: summed(zip(g[index[0]], w[index[1]], strict=True)),
)
def _(g: Array, y: Array, a: Array, w: Array) -> Any:
    return linear(g, w)


@matmul.vjp(
    1,
    latex=r"{0}^{{\top}}\,{g}",
    unit=lambda index, g, y, a, w: summed(zip(a[:, index[0]], g[:, index[1]], strict=True)),
)
def _(g: Array, y: Array, a: Array, w: Array) -> Any:
    return outer_product(a, g)


@matmul.jvp(0)
def _(da: Array, y: Array, a: Array, w: Array) -> Any:
    return da @ w


@matmul.jvp(1)
def _(dw: Array, y: Array, a: Array, w: Array) -> Any:
    return a @ dw


@op(
    label="⊗",
    latex=r"{0}^{{\top}}\,{1}",
    unit=lambda index, g, x: summed(zip(g[:, index[0]], x[:, index[1]], strict=True)),
)
def outer(g: Array, x: Array, out: Array | None = None) -> Array:
    """The sum over the samples of g[p, j] x[p, i], (m, l), Guo (2013), eqs. (10)-(12)."""
    return np.matmul(g.swapaxes(-1, -2), x, out=out)


@outer.checked
def _(names: Sequence[object], args: Sequence[Array]) -> str | None:
    g, x = args
    if g.ndim != 2 or x.ndim != 2 or len(g) != len(x):
        return f"{names[0]} is {g.shape} and {names[1]} is {x.shape}: both need two axes and the same samples p."
    return None


@outer.vjp(
    0,
    latex=r"{1}\,{g}^{{\top}}",
    unit=lambda index, g, y, a, x: summed(zip(x[index[0]], g[index[1]], strict=True)),
)
def _(g: Array, y: Array, a: Array, x: Array) -> Any:
    return linear(x, g)


@outer.vjp(
    1,
    latex=r"{0}\,{g}",
    unit=lambda index, g, y, a, x: summed(zip(a[index[0]], g[:, index[1]], strict=True)),
)
def _(g: Array, y: Array, a: Array, x: Array) -> Any:
    return a @ g


@outer.jvp(0)
def _(dg: Array, y: Array, g: Array, x: Array) -> Any:
    return outer(dg, x)


@outer.jvp(1)
def _(dx: Array, y: Array, g: Array, x: Array) -> Any:
    return outer(g, dx)


# ---- shapes ---------------------------------------------------------------------------------------------


def _stretched(shape: Sequence[int], to: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes, counted from the last, along which `shape` is repeated to become `to`: new ones, stretched ones."""
    new = tuple(range(-len(to), -len(shape)))
    old = tuple(k for k in range(-len(shape), 0) if shape[k] == 1 and to[k] != 1)
    return new, old


@op(label="repeat", latex=lambda x, source, to: x, moves=True)
def broadcast(x: Array, source: tuple[int, ...], to: tuple[int, ...], out: Array | None = None) -> Array:
    """An array of shape `source` repeated until its shape is `to`. On the tape this is always a node of its own."""
    front = x.shape[: x.ndim - len(source)]
    x = x.reshape(*front, *(1,) * (len(to) - len(source)), *source)
    return np.broadcast_to(x, (*front, *to))


@broadcast.checked
def _(names: Sequence[object], args: Sequence[Array], source: tuple[int, ...], to: tuple[int, ...]) -> str | None:
    fits = len(source) <= len(to) and all(m in {1, n} for m, n in zip(source[::-1], to[::-1], strict=False))
    if args[0].shape != source or not fits:
        return f"{names[0]} is {args[0].shape}: as {source} it cannot be repeated to {to}."
    return None


@broadcast.vjp(0, latex=lambda x, g, y, source, to: rf"\sum {g}")
def _(g: Any, y: Array, x: Array, source: tuple[int, ...], to: tuple[int, ...]) -> Any:
    new, old = _stretched(source, to)
    g = g.sum(axis=old, keepdims=True) if old else g
    return g.sum(axis=new) if new else g


@broadcast.jvp(0)
def _(dx: Any, y: Array, x: Array, source: tuple[int, ...], to: tuple[int, ...]) -> Any:
    return broadcast(dx, source=source, to=to)


def _summands(x: Array, index: Index, axis: tuple[int, ...], keepdims: bool) -> list[tuple[float]]:
    axes = sorted(k % x.ndim for k in axis)
    at: list[Any] = list(index)
    for k in axes:
        at[k : k + keepdims] = [slice(None)]
    return [(v,) for v in x[tuple(at)].ravel()]


def _spread(g: Any, x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """What a sum along some axes received, given to every one of its terms."""
    kept = tuple(1 if k - x.ndim in axis else n for k, n in enumerate(x.shape))
    g = g if keepdims else reshape(g, source=g.shape, to=kept)
    return broadcast(g, source=kept, to=x.shape)


@op(
    label="Σ",
    latex=lambda x, axis, keepdims=False: rf"\sum {x}",
    unit=lambda index, x, axis, keepdims=False: summed(_summands(x, index, axis, keepdims)),
    moves=True,
)
def sum(x: Array, axis: tuple[int, ...], keepdims: bool = False, out: Array | None = None) -> Array:
    """The sum along some axes, counted from the last one: -1, -2, ..."""
    return np.sum(x, axis=axis, keepdims=keepdims, out=out)


sum.checked(_from_last)


@sum.vjp(0, latex=lambda x, g, y, axis, keepdims=False: g)
def _(g: Any, y: Array, x: Any, axis: tuple[int, ...], keepdims: bool = False) -> Any:
    return _spread(g, x, axis, keepdims)


@sum.jvp(0)
def _(dx: Any, y: Array, x: Array, axis: tuple[int, ...], keepdims: bool = False) -> Any:
    return sum(dx, axis=axis, keepdims=keepdims)


def _count(x: Any, axis: tuple[int, ...]) -> int:
    return math.prod(x.shape[k] for k in axis)


@op(
    label="mean",
    latex=lambda x, axis, keepdims=False: rf"\tfrac1n \sum {x}",
    unit=lambda index, x, axis, keepdims=False: f"({summed(_summands(x, index, axis, keepdims))}) / {_count(x, axis)}",
    moves=True,
)
def mean(x: Array, axis: tuple[int, ...], keepdims: bool = False, out: Array | None = None) -> Array:
    """The mean along some axes, counted from the last one: -1, -2, ..."""
    return np.mean(x, axis=axis, keepdims=keepdims, out=out)


mean.checked(_from_last)


@mean.vjp(0, latex=lambda x, g, y, axis, keepdims=False: rf"\tfrac1n {g}")
def _(g: Any, y: Array, x: Any, axis: tuple[int, ...], keepdims: bool = False) -> Any:
    return _spread(g * (1 / _count(x, axis)), x, axis, keepdims)


@mean.jvp(0)
def _(dx: Any, y: Array, x: Array, axis: tuple[int, ...], keepdims: bool = False) -> Any:
    return mean(dx, axis=axis, keepdims=keepdims)


@op(label="shape", latex=lambda x, source, to: x, moves=True)
def reshape(x: Array, source: tuple[int, ...], to: tuple[int, ...], out: Array | None = None) -> Array:
    """The same numbers in the same order, in the shape `to`."""
    return x.reshape((*x.shape[: x.ndim - len(source)], *to))


@reshape.checked
def _(names: Sequence[object], args: Sequence[Array], source: tuple[int, ...], to: tuple[int, ...]) -> str | None:
    if args[0].shape != source or math.prod(source) != math.prod(to):
        return f"{names[0]} is {args[0].shape}: as {source} it cannot take the shape {to}."
    return None


@reshape.vjp(0, latex=lambda x, g, y, source, to: g)
def _(g: Any, y: Array, x: Array, source: tuple[int, ...], to: tuple[int, ...]) -> Any:
    return reshape(g, source=to, to=source)


@reshape.jvp(0)
def _(dx: Any, y: Array, x: Array, source: tuple[int, ...], to: tuple[int, ...]) -> Any:
    return reshape(dx, source=source, to=to)


@op(label="ᵀ", latex=r"{0}^{{\top}}", moves=True)
def transpose(x: Array, out: Array | None = None) -> Array:
    """A matrix with rows and columns exchanged."""
    return x.swapaxes(-1, -2)


@transpose.checked
def _(names: Sequence[object], args: Sequence[Array]) -> str | None:
    return None if args[0].ndim == 2 else f"{names[0]} is {args[0].shape}: only a matrix, with two axes, is transposed."


@transpose.vjp(0, latex=r"{g}^{{\top}}")
def _(g: Any, y: Array, x: Array) -> Any:
    return transpose(g)


@transpose.jvp(0)
def _(dx: Any, y: Array, x: Array) -> Any:
    return transpose(dx)


# ---- parts and wholes -----------------------------------------------------------------------------------


@op(label="part", latex=lambda x, start, stop: f"{x}[{start}:{stop}]", moves=True)
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


@part.jvp(0)
def _(dx: Any, y: Array, x: Array, start: int, stop: int) -> Any:
    return part(dx, start=start, stop=stop)


@op(label="place", latex=lambda x, start, width: x, moves=True)
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


@place.jvp(0)
def _(dx: Any, y: Array, x: Array, start: int, width: int) -> Any:
    return place(dx, start=start, width=width)


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


@op(label="[ ]", latex=_key_latex, moves=True)
def getitem(x: Array, key: Key, out: Array | None = None) -> Array:
    """The entries that `key` names along the last axes: numbers, slices such as "1:3", or one tuple of numbers."""
    if out is None:
        return x[_at(key)]
    np.copyto(out, x[_at(key)])
    return out


@getitem.checked
def _(names: Sequence[object], args: Sequence[Array], key: Key) -> str | None:
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


@getitem.jvp(0)
def _(dx: Any, y: Any, x: Any, key: Key) -> Any:
    return getitem(dx, key=key)


@op(label="scatter", latex=lambda x, key, sizes: x, moves=True)
def scatter(x: Array, key: Key, sizes: tuple[int, ...], out: Array | None = None) -> Array:
    """Zeros of `sizes` along the last axes, to which `x` is added at `key`: what `getitem` took, put back."""
    kept = len(key) - [isinstance(k, int) for k in key].count(True)
    if out is None:
        out = np.empty((*x.shape[: x.ndim - kept], *sizes), x.dtype)
    out[...] = 0
    np.add.at(out, _at(key), x)  # and not out[key] += x: an entry named twice gets both
    return out


@scatter.checked
def _(names: Sequence[object], args: Sequence[Array], key: Key, sizes: tuple[int, ...]) -> str | None:
    kept = np.empty(sizes)[_at(key)].shape
    if args[0].shape[args[0].ndim - len(kept) :] != kept:
        return f"{names[0]} is {args[0].shape}: {_key_latex('', key)} of {sizes} has room for {kept}."
    return None


@scatter.vjp(0, latex=lambda x, g, y, key, sizes: _key_latex(g, key))
def _(g: Any, y: Any, x: Any, key: Key, sizes: tuple[int, ...]) -> Any:
    return getitem(g, key=key)


@scatter.jvp(0)
def _(dx: Any, y: Any, x: Any, key: Key, sizes: tuple[int, ...]) -> Any:
    return scatter(dx, key=key, sizes=sizes)


def _key_of(args: Sequence[Any], slot: int, axis: int) -> Key:
    """Where one of several arrays stands when they are joined along an axis."""
    start = int(np.sum([a.shape[axis] for a in args[:slot]], dtype=int))
    return (f"{start}:{start + args[slot].shape[axis]}", *(":",) * (-axis - 1))


@op(label="join", latex=lambda *args, axis: "[" + r",\,".join(args) + "]", moves=True)
def concatenate(*args: Array, axis: int, out: Array | None = None) -> Array:
    """Arrays one behind the other along an axis, counted from the last one: -1, -2, ..."""
    return np.concatenate(args, axis=axis, out=out)


@concatenate.checked
def _(names: Sequence[object], args: Sequence[Array], axis: int) -> str | None:
    wrong = _from_last(names, args, axis)
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


@op(label="stack", latex=lambda *args, axis: r"\operatorname{stack}(" + ", ".join(args) + ")", moves=True)
def stack(*args: Array, axis: int, out: Array | None = None) -> Array:
    """Arrays of one shape side by side along a new axis, which is axis -1, -2, ... of the result."""
    return np.stack(args, axis=axis, out=out)


@stack.checked
def _(names: Sequence[object], args: Sequence[Array], axis: int) -> str | None:
    return same_shape(names, args) or _from_last(names, [args[0][..., None]], axis)


@stack.vjp(latex=lambda *args, g, y, slot, axis: rf"{g}\text{{ at }}{args[slot]}")
def _(g: Any, y: Any, args: Sequence[Any], slot: int, axis: int) -> Any:
    return getitem(g, key=(slot, *(":",) * (-axis - 1)))


@stack.jvp()
def _(dx: Any, y: Any, args: Sequence[Any], slot: int, axis: int) -> Any:
    return scatter(dx, key=(slot, *(":",) * (-axis - 1)), sizes=y.shape[axis:])


# ---- rows of a table ------------------------------------------------------------------------------------


def _no_row(name: object, indices: Array, width: int) -> str | None:
    wrong = indices[~((indices >= 0) & (indices < width) & (indices == np.floor(indices)))]
    return f"{name} holds {wrong.flat[0]:g}: it must be a whole number from 0 to {width - 1}." if wrong.size else None


@op(label="table", latex="{1}[{0}]", moves=True)
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
    return outer_product(one_hot(indices, width=table.shape[0]), g)


@embedding.jvp(1)
def _(dtable: Any, y: Any, indices: Any, table: Any) -> Any:
    return embedding(indices, dtable)


@op(label="one-hot", latex=lambda indices, width: rf"\operatorname{{onehot}}({indices})", moves=True)
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


# ---- activations ----------------------------------------------------------------------------------------


@op(label="id", latex="{0}", ufunc=np.positive)
def identity(net: Array, out: Array | None = None) -> Array:
    """The linear unit: its value is its net input."""
    return np.positive(net, out=out)


@identity.vjp(0, latex="{g}")
def _(g: Array, y: Array, net: Array) -> Array:
    return g


@identity.jvp(0)
def _(dnet: Array, y: Array, net: Array) -> Array:
    return dnet


@op(label="tanh", latex=r"\tanh({0})", ufunc=np.tanh)
def tanh(net: Array, out: Array | None = None) -> Array:
    """The hyperbolic tangent, between -1 and 1."""
    return np.tanh(net, out=out)


@tanh.vjp(0, latex=r"{g} \odot (1 - {y} \odot {y})")
def _(g: Array, y: Array, net: Array) -> Array:
    return g * (1 - y * y)


@tanh.jvp(0)
def _(dnet: Array, y: Array, net: Array) -> Array:
    return dnet * (1 - y * y)


@op(
    label="σ",
    latex=r"\sigma({0})",
    equation="G13",
    ufuncs=[(np.multiply, 0.5), (np.tanh,), (np.multiply, 0.5), (np.add, 0.5)],
)
def sigmoid(net: Array, out: Array | None = None) -> Array:
    """The logistic function 1 / (1 + exp(-net)), Guo (2013), eq. (13), by tanh so that nothing overflows."""
    return in_turn(sigmoid.ufuncs, (net,), out)


@sigmoid.vjp(0, latex=r"{g} \odot ({y} \odot (1 - {y}))", equation="G14")
def _(g: Array, y: Array, net: Array) -> Array:
    # The slope stands in brackets of its own: it needs no error, so it is known before any comes back.
    return g * (y * (1 - y))


@sigmoid.jvp(0)
def _(dnet: Array, y: Array, net: Array) -> Array:
    return dnet * (y * (1 - y))


@op(label="relu", latex=r"\max(0, {0})", ufuncs=[(np.maximum, 0)])
def relu(net: Array, out: Array | None = None) -> Array:
    """The rectifier max(0, net); its slope at 0 is taken as 0."""
    return np.maximum(net, 0, out=out)


@relu.vjp(0, latex=r"{g} \odot [{0} > 0]")
def _(g: Array, y: Array, net: Array) -> Array:
    return g * is_positive(net)


@relu.jvp(0)
def _(dnet: Array, y: Array, net: Array) -> Array:
    return dnet * is_positive(net)


@op(label="> 0", latex="[{0} > 0]", ufuncs=[(np.heaviside, 0)])
def is_positive(net: Array, out: Array | None = None) -> Array:
    """1 where the entry is positive, else 0. It sends no error: its slope is 0 wherever it has one."""
    return np.heaviside(net, 0, out=out)


is_positive.reads(0)


def _powers(net: Array) -> str:
    return " + ".join(f"e^{{{number(v)}}}" for v in net)


def _softmax_unit(index: Index, net: Array) -> str:
    return f"e^{{{number(net[index])}}} / ({_powers(net[index[:-1]])})"


@op(label="softmax", latex=r"\operatorname{{softmax}}({0})", equation="G15", unit=_softmax_unit)
def softmax(net: Array, out: Array | None = None) -> Array:
    """exp(net_k) / sum_q exp(net_q) for each sample, Guo (2013), eq. (15)."""
    return _played(_ready_softmax, net.shape, (net,), out)


def _played(ready: Callable[..., Call], shape: tuple[int, ...], args: Sequence[Array], out: Array | None) -> Array:
    """The value of an op that is written as a prepared call: prepared, and called once."""
    same = args if len({a.shape for a in args}) == 1 else np.broadcast_arrays(*args)
    value = np.empty(shape, np.result_type(*args))
    ready(value, *map(np.ascontiguousarray, same))()
    if out is None:
        return value
    np.copyto(out, value)
    return out


@softmax.prepared
def _ready_softmax(y: Array, net: Array) -> Call:
    width = net.shape[-1]
    nets, rows, flat, ones = net.reshape(-1, width), y.reshape(-1, width), net.reshape(-1), np.ones(width, net.dtype)
    sums = np.empty((len(rows), 1), net.dtype)
    column, most = sums[:, 0], 300 if net.dtype == np.float64 else 35
    biggest, smallest = np.maximum.reduce, np.minimum.reduce

    def call() -> None:
        # Two looks at the whole array cost a fraction of finding the largest entry of every short row.
        if biggest(flat) < most and smallest(flat) > -most:
            np.exp(nets, rows)
        else:
            np.subtract(nets, nets.max(axis=-1, keepdims=True), rows)
            np.exp(rows, rows)
        rows.dot(ones, column)  # adds up short rows several times faster than a sum
        np.divide(rows, sums, rows)

    return call


@softmax.vjp(
    0,
    latex=r"{y} \odot ({g} - \langle {y}, {g} \rangle)",
    equation="G8",
    unit=lambda index, g, y, net: (
        f"{number(y[index])} \\cdot ({factor(g[index])} - ({summed(zip(y[index[:-1]], g[index[:-1]], strict=True))}))"
    ),
)
def _(g: Array, y: Array, net: Array) -> Array:
    # The whole Jacobian diag(y) - y y^T: Guo's (14) holds for its diagonal only.
    return y * (g - (y * g).sum(axis=-1, keepdims=True))


@softmax.jvp(0)
def _(dnet: Array, y: Array, net: Array) -> Array:
    return y * (dnet - (y * dnet).sum(axis=-1, keepdims=True))


@op(
    label="ln Σ exp",
    latex=r"\ln \sum_k \exp({0})",
    unit=lambda index, net: rf"\ln({_powers(net[index])})",
)
def logsumexp(net: Array, out: Array | None = None) -> Array:
    """ln sum_k exp(net_k) along the last axis, which goes. The largest is taken out first, so nothing overflows."""
    top = net.max(axis=-1)
    return np.add(top, np.log(np.exp(net - top[..., None]).sum(axis=-1)), out=out)


def _each(g: Any) -> Any:
    """With a last axis of length 1, so that it meets every entry of a row."""
    return reshape(g, source=g.shape, to=(*g.shape, 1))


@logsumexp.vjp(
    0,
    latex=r"{g} \odot \operatorname{{softmax}}({0})",
    unit=lambda index, g, y, net: rf"{factor(g[index[:-1]])} \cdot {_softmax_unit(index, net)}",
)
def _(g: Any, y: Any, net: Any) -> Any:
    return _each(g) * softmax(net)


@logsumexp.jvp(0)
def _(dnet: Any, y: Any, net: Any) -> Any:
    return (dnet * softmax(net)).sum(axis=-1)


@op(
    label="ln softmax",
    latex=r"{0} - \ln \sum_k \exp({0})",
    unit=lambda index, net: rf"{number(net[index])} - \ln({_powers(net[index[:-1]])})",
)
def log_softmax(net: Array, out: Array | None = None) -> Array:
    """ln softmax(net) along the last axis, exact where the softmax itself underflows."""
    y = np.subtract(net, net.max(axis=-1, keepdims=True), out=out)
    y -= np.log(np.exp(y).sum(axis=-1, keepdims=True))
    return y


@log_softmax.vjp(
    0,
    latex=r"{g} - \exp({y}) \odot \sum_k {g}",
    unit=lambda index, g, y, net: (
        rf"{factor(g[index])} - e^{{{number(y[index])}}} \cdot ({summed((v,) for v in g[index[:-1]])})"
    ),
)
def _(g: Any, y: Any, net: Any) -> Any:
    return g - exp(y) * g.sum(axis=-1, keepdims=True)


@log_softmax.jvp(0)
def _(dnet: Any, y: Any, net: Any) -> Any:
    return dnet - (exp(y) * dnet).sum(axis=-1, keepdims=True)


# ---- costs ----------------------------------------------------------------------------------------------


def _squared_error_unit(index: Index, y: Array, d: Array) -> str:
    squares = " + ".join(f"({factor(a)} - {factor(b)})^{{2}}" for a, b in zip(d.flat, y.flat, strict=True))
    return rf"\tfrac12 ({squares})"


@op(label="½Σ(d−y)²", latex=r"\tfrac12 \lVert {1} - {0} \rVert^{{2}}", equation="G5", unit=_squared_error_unit)
def squared_error(y: Array, d: Array, out: Array | None = None) -> Array:
    """C = 1/2 sum_pk (d[p, k] - y[p, k])^2, Guo (2013), eq. (5)."""
    e = d - y
    return np.multiply(0.5, np.einsum("...pk,...pk->...", e, e), out=out)


squared_error.checked(_same_samples)


@squared_error.vjp(0, latex=r"{g} \cdot ({0} - {1})", equation="G8")
def _(g: Array, c: Array, y: Array, d: Array) -> Array:
    return g * (y - d)


@squared_error.vjp(1, latex=r"{g} \cdot ({1} - {0})")
def _(g: Array, c: Array, y: Array, d: Array) -> Array:
    return g * (d - y)


@squared_error.jvp(0)
def _(dy: Any, c: Array, y: Array, d: Array) -> Any:
    return (dy * (y - d)).sum(axis=(-2, -1))


@squared_error.jvp(1)
def _(dd: Any, c: Array, y: Array, d: Array) -> Any:
    return (dd * (d - y)).sum(axis=(-2, -1))


def _terms_of_ln(index: Index, net: Array, y: Array, d: Array) -> str:
    with np.errstate(divide="ignore"):
        return (
            "-("
            + " + ".join(rf"{number(b)} \cdot \ln {number(a)}" for a, b in zip(y.flat, d.flat, strict=True) if b)
            + ")"
        )


@op(label="−Σ d ln y", latex=r"-\sum_{{pk}} {2} \odot \ln {1}", unit=_terms_of_ln)
def cross_entropy(net: Array, y: Array, d: Array, out: Array | None = None) -> Array:
    """C = -sum_pk d[p, k] ln y[p, k] with y = softmax(net).

    This is the cost that makes delta = d - y true for a softmax; the cost (16) as Guo prints it
    does so for a sigmoid only. No logarithm is taken of a y that may have underflowed: one y of a sample
    that has not gives ln sum_q exp(net_q) = net_k - ln y_k, and that gives all the others.
    """
    return _played(_ready_cross_entropy, net.shape[:-2], (net, y, d), out)


@cross_entropy.prepared
def _ready_cross_entropy(c: Array, net: Array, y: Array, d: Array) -> Call:
    samples, width = net.shape[-2:]
    nets, ys, ds = (a.reshape(-1, width) for a in (net, y, d))
    first_net, first_y = nets[:, 0], ys[:, 0]
    ones, all_samples = np.ones(width, net.dtype), np.ones(samples, net.dtype)
    paid, log_sum = np.empty((2, len(nets)), net.dtype)
    costs = c.reshape(-1)
    each, by_time = (costs if samples == 1 else paid), paid.reshape(-1, samples)
    least = np.finfo(net.dtype).tiny

    def call() -> None:
        if np.minimum.reduce(first_y) >= least:
            np.log(first_y, log_sum)
            np.subtract(first_net, log_sum, log_sum)
        else:
            np.subtract(nets.max(axis=-1), np.log(ys.max(axis=-1)), log_sum)
        ds.dot(ones, paid)
        np.multiply(paid, log_sum, log_sum)
        np.vecdot(ds, nets, paid)
        np.subtract(log_sum, paid, each)
        if samples > 1:
            by_time.dot(all_samples, costs)

    return call


cross_entropy.checked(_same_samples)
cross_entropy.reads(1)


@cross_entropy.vjp(0, latex=r"{g} \cdot ({1} - {2})", equation="G17")
def _(g: Array, c: Array, net: Array, y: Array, d: Array) -> Array:
    return g * softmax_error(y, d)


@cross_entropy.jvp(0)
def _(dnet: Any, c: Array, net: Array, y: Array, d: Array) -> Any:
    return (dnet * softmax_error(y, d)).sum(axis=(-2, -1))


@op(label="y − d", latex="{0} - {1}", equation="G17")
def softmax_error(y: Array, d: Array, out: Array | None = None) -> Array:
    """y sum_q d_q - d: the slope of the cross-entropy in the net input of a softmax.

    Guo's d - y takes sum_q d_q = 1 for granted; without it the softmax part carries that sum.
    """
    return _played(_ready_softmax_error, y.shape, (y, d), out)


@softmax_error.prepared
def _ready_softmax_error(e: Array, y: Array, d: Array) -> Call:
    width = y.shape[-1]
    es, ys, ds = (a.reshape(-1, width) for a in (e, y, d))
    paid, ones = np.empty((len(ys), 1), y.dtype), np.ones(width, y.dtype)
    column = paid[:, 0]

    def call() -> None:
        ds.dot(ones, column)
        np.multiply(ys, paid, es)
        np.subtract(es, ds, es)

    return call


softmax_error.checked(_same_samples)


@softmax_error.vjp(
    0,
    latex=r"{g} \sum_k {1}",
    unit=lambda index, g, y, p, d: rf"{number(g[index])} \cdot ({summed((v,) for v in d[index[0]])})",
)
def _(g: Any, y: Array, p: Array, d: Any) -> Any:
    return g * d.sum(axis=-1, keepdims=True)


@softmax_error.jvp(0)
def _(dp: Any, y: Array, p: Array, d: Any) -> Any:
    return dp * d.sum(axis=-1, keepdims=True)


def _bernoulli_unit(index: Index, net: Array, y: Array, d: Array) -> str:
    return (
        "-("
        + " + ".join(
            rf"{number(b)} \cdot \ln {number(a)} + {number(1 - b)} \cdot \ln {number(1 - a)}"
            for a, b in zip(y.flat, d.flat, strict=True)
        )
        + ")"
    )


@op(
    label="−Σ d ln y + (1−d) ln(1−y)",
    latex=r"-\sum_{{pk}} ({2} \odot \ln {1} + (1 - {2}) \odot \ln(1 - {1}))",
    equation="G16",
    unit=_bernoulli_unit,
)
def bernoulli_cross_entropy(net: Array, y: Array, d: Array, out: Array | None = None) -> Array:
    """C = -sum_pk d ln y + (1 - d) ln(1 - y) with y = sigmoid(net), Guo (2013), eq. (16).

    Computed from `net`, as max(net, 0) - d net + ln(1 + exp(-abs(net))): nothing overflows, and nothing
    cancels where y or 1 - y underflows.
    """
    top = np.maximum(net, 0)
    return np.sum(top - d * net + np.log1p(np.exp(net - 2 * top)), axis=(-2, -1), out=out)


bernoulli_cross_entropy.checked(_same_samples)
bernoulli_cross_entropy.reads(1)


@bernoulli_cross_entropy.vjp(0, latex=r"{g} \cdot ({1} - {2})", equation="G17")
def _(g: Array, c: Array, net: Array, y: Array, d: Array) -> Array:
    return g * (y - d)


@bernoulli_cross_entropy.jvp(0)
def _(dnet: Any, c: Array, net: Array, y: Array, d: Array) -> Any:
    return (dnet * (y - d)).sum(axis=(-2, -1))
