"""The ops. One op is one block: its value, the share of each argument, its formula and its label.

A rule is written with Python operators only where it can be, so that it reads like the formula
beside it. In a formula ``g`` is the cotangent of the value, + dC / d value: Guo's error delta is
its negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .notation import factor, number, summed
from .op import op
from .outer import outer

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


# ---- copies ---------------------------------------------------------------------------------------------


@op(label="copy", latex="{0}", keeps_terms=True)
def copy(w: Array) -> Array:
    """A time copy of a shared weight: the same numbers, one more place that collects its own error."""
    return w


@copy.vjp(0, latex="{g}")
def _(g: Array, y: Array, w: Array) -> Array:
    return g


# ---- arithmetic -----------------------------------------------------------------------------------------


@op(label="+", latex=lambda *args: " + ".join(args))
def add(*terms: Array) -> Array:
    """The sum of any number of arrays of one shape."""
    total: Array = terms[0] + terms[1] if len(terms) > 1 else terms[0].copy()
    for term in terms[2:]:
        total = total + term
    return total


add.checked(same_shape)


@add.vjp(latex=lambda *args, g, y, slot: g)
def _(g: Array, y: Array, terms: Sequence[Array], slot: int) -> Array:
    return g


@op(label="-", latex="{0} - {1}")
def subtract(a: Array, b: Array) -> Array:
    """The difference a - b of two arrays of one shape."""
    return a - b


subtract.checked(same_shape)


@subtract.vjp(0, latex="{g}")
def _(g: Array, y: Array, a: Array, b: Array) -> Array:
    return g


@subtract.vjp(1, latex="-{g}")
def _(g: Array, y: Array, a: Array, b: Array) -> Array:
    return -g


@op(label="⊙", latex=r"{0} \odot {1}")
def multiply(a: Array, b: Array) -> Array:
    """The product of two arrays of one shape, entry by entry."""
    return a * b


multiply.checked(same_shape)


@multiply.vjp(0, latex=r"{g} \odot {1}")
def _(g: Array, y: Array, a: Array, b: Array) -> Array:
    return g * b


@multiply.vjp(1, latex=r"{g} \odot {0}")
def _(g: Array, y: Array, a: Array, b: Array) -> Array:
    return g * a


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
def linear(*args: Array) -> Array:
    """net[p, j] = sum_i x[p, i] V[j, i] + sum_h s[p, h] U[j, h] + b[j], Guo (2013), eqs. (2), (4).

    Called as ``linear(x, V)``, ``linear(x, V, b)``, ``linear(x, V, s, U, b)``, ...
    """
    net = args[0] @ args[1].T
    for x, w in zip(args[2::2], args[3::2], strict=False):
        net += x @ w.T
    if len(args) % 2:
        net += args[-1]
    return net


@linear.checked
def _(names: Sequence[object], args: Sequence[Array]) -> str | None:
    if len(args) < 2:
        return f"{len(args)} argument given: it takes pairs of an input and a weight, then perhaps a bias."
    for k in range(0, len(args) - 1, 2):
        x, w = args[k], args[k + 1]
        given = f"{names[k]} is {x.shape} and {names[k + 1]} is {w.shape}: "
        if x.ndim != 2 or w.ndim != 2:
            return given + f"both must have two axes, {names[k]}[p, i] and {names[k + 1]}[j, i]."
        if x.shape[1] != w.shape[1]:
            turned = f" Did you pass {names[k + 1]}.T?" if x.shape[1] == w.shape[0] else ""
            return given + (
                f"{names[k]}[p, i] and {names[k + 1]}[j, i] must agree on i, {x.shape[1]} is not {w.shape[1]}.{turned}"
            )
        if (x.shape[0], w.shape[0]) != (args[0].shape[0], args[1].shape[0]):
            return given + (
                f"beside {names[0]} {args[0].shape} and {names[1]} {args[1].shape} they must give "
                f"({args[0].shape[0]}, {args[1].shape[0]}), not ({x.shape[0]}, {w.shape[0]})."
            )
    if len(args) % 2 and args[-1].shape != (args[1].shape[0],):
        wanted = (args[1].shape[0],)
        return f"{names[-1]} is {args[-1].shape}: as a bias of {names[1]} {args[1].shape} it must be {wanted}."
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
        return g.sum(axis=0)
    return outer(g, args[slot - 1]) if slot % 2 else g @ args[slot + 1]


# ---- activations ----------------------------------------------------------------------------------------


@op(label="id", latex="{0}")
def identity(net: Array) -> Array:
    """The linear unit: its value is its net input."""
    return net.copy()


@identity.vjp(0, latex="{g}")
def _(g: Array, y: Array, net: Array) -> Array:
    return g


@op(label="tanh", latex=r"\tanh({0})")
def tanh(net: Array) -> Array:
    """The hyperbolic tangent, between -1 and 1."""
    return np.tanh(net)


@tanh.vjp(0, latex=r"{g} \odot (1 - {y} \odot {y})")
def _(g: Array, y: Array, net: Array) -> Array:
    return g * (1 - y * y)


@op(label="σ", latex=r"\sigma({0})", equation="G13")
def sigmoid(net: Array) -> Array:
    """The logistic function 1 / (1 + exp(-net)), Guo (2013), eq. (13), by tanh so that nothing overflows."""
    y: Array = 0.5 * (np.tanh(0.5 * net) + 1)
    return y


@sigmoid.vjp(0, latex=r"{g} \odot {y} \odot (1 - {y})", equation="G14")
def _(g: Array, y: Array, net: Array) -> Array:
    return g * y * (1 - y)


@op(label="relu", latex=r"\max(0, {0})")
def relu(net: Array) -> Array:
    """The rectifier max(0, net); its slope at 0 is taken as 0."""
    return np.maximum(net, 0)


@relu.vjp(0, latex=r"{g} \odot [{0} > 0]")
def _(g: Array, y: Array, net: Array) -> Array:
    return g * (net > 0)


def _softmax_unit(index: Index, net: Array) -> str:
    p, k = index
    powers = " + ".join(f"e^{{{number(v)}}}" for v in net[p])
    return f"e^{{{number(net[p, k])}}} / ({powers})"


@op(label="softmax", latex=r"\operatorname{{softmax}}({0})", equation="G15", unit=_softmax_unit)
def softmax(net: Array) -> Array:
    """exp(net_k) / sum_q exp(net_q) for each sample, Guo (2013), eq. (15)."""
    y: Array = np.exp(net - net.max(axis=-1, keepdims=True))
    y /= y.sum(axis=-1, keepdims=True)
    return y


@softmax.vjp(
    0,
    latex=r"{y} \odot ({g} - \langle {y}, {g} \rangle)",
    equation="G8",
    unit=lambda index, g, y, net: (
        f"{number(y[index])} \\cdot ({factor(g[index])} - ({summed(zip(y[index[0]], g[index[0]], strict=True))}))"
    ),
)
def _(g: Array, y: Array, net: Array) -> Array:
    # The whole Jacobian diag(y) - y y^T: Guo's (14) holds for its diagonal only.
    return y * (g - (y * g).sum(axis=-1, keepdims=True))


# ---- costs ----------------------------------------------------------------------------------------------


def _squared_error_unit(index: Index, y: Array, d: Array) -> str:
    squares = " + ".join(f"({factor(a)} - {factor(b)})^{{2}}" for a, b in zip(d.flat, y.flat, strict=True))
    return rf"\tfrac12 ({squares})"


@op(label="½Σ(d−y)²", latex=r"\tfrac12 \lVert {1} - {0} \rVert^{{2}}", equation="G5", unit=_squared_error_unit)
def squared_error(y: Array, d: Array) -> Array:
    """C = 1/2 sum_pk (d[p, k] - y[p, k])^2, Guo (2013), eq. (5)."""
    e = (d - y).ravel()
    return np.asarray(0.5 * e.dot(e))


squared_error.checked(same_shape)


@squared_error.vjp(0, latex=r"{g} \cdot ({0} - {1})", equation="G8")
def _(g: Array, c: Array, y: Array, d: Array) -> Array:
    return g * (y - d)


@squared_error.vjp(1, latex=r"{g} \cdot ({1} - {0})")
def _(g: Array, c: Array, y: Array, d: Array) -> Array:
    return g * (d - y)


def _terms_of_ln(index: Index, net: Array, y: Array, d: Array) -> str:
    with np.errstate(divide="ignore"):
        return (
            "-("
            + " + ".join(rf"{number(b)} \cdot \ln {number(a)}" for a, b in zip(y.flat, d.flat, strict=True) if b)
            + ")"
        )


@op(label="−Σ d ln y", latex=r"-\sum_{{pk}} {2} \odot \ln {1}", equation="G16", unit=_terms_of_ln)
def cross_entropy(net: Array, y: Array, d: Array) -> Array:
    """C = -sum_pk d[p, k] ln y[p, k] with y = softmax(net).

    Computed from `net`, so that it stays exact where y underflows; `y` is read by the rule alone.
    This is the cost that makes delta = d - y true for a softmax; the cost (16) as Guo prints it
    does so for a sigmoid only.
    """
    top = net.max(axis=-1, keepdims=True)
    shifted = net - top
    log_sum = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return np.asarray((d * (log_sum - shifted)).sum())


cross_entropy.checked(same_shape)
cross_entropy.reads(1)


@cross_entropy.vjp(0, latex=r"{g} \cdot ({1} - {2})", equation="G17")
def _(g: Array, c: Array, net: Array, y: Array, d: Array) -> Array:
    # Guo's d - y takes sum_k d_k = 1 for granted; without it the softmax part carries that sum.
    return g * (y * d.sum(axis=-1, keepdims=True) - d)


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
def bernoulli_cross_entropy(net: Array, y: Array, d: Array) -> Array:
    """C = -sum_pk d ln y + (1 - d) ln(1 - y) with y = sigmoid(net), Guo (2013), eq. (16).

    Computed from `net`, so that it stays exact where y or 1 - y underflows.
    """
    return np.asarray((np.logaddexp(0, net) - d * net).sum())


bernoulli_cross_entropy.checked(same_shape)
bernoulli_cross_entropy.reads(1)


@bernoulli_cross_entropy.vjp(0, latex=r"{g} \cdot ({1} - {2})", equation="G17")
def _(g: Array, c: Array, net: Array, y: Array, d: Array) -> Array:
    return g * (y - d)
