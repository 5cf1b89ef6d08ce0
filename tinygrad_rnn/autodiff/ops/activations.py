"""What a unit makes of its net input."""

from __future__ import annotations

import numpy as np

from ..kernels import in_turn
from ..op import Array, op


@op(label="id", latex="{0}", ufuncs=[(np.positive,)], linear=(0,), numpy="{0}")
def identity(net: Array, out: Array | None = None) -> Array:
    """The linear unit: its value is its net input."""
    return np.positive(net, out=out)


@identity.vjp(0, latex="{g}")
def _(g: Array, y: Array, net: Array) -> Array:
    return g


@op(label="tanh", latex=r"\tanh({0})", ufuncs=[(np.tanh,)], numpy="np.tanh({0})")
def tanh(net: Array, out: Array | None = None) -> Array:
    """The hyperbolic tangent, between -1 and 1.

    Its slope is taken from its value, as 1 - y y: right to the rounding of 1, about 1e-16, and so 0 where net is
    beyond 19, though it is 1e-16 there and less; in float32 6e-8, and 0 beyond 10.
    """
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
    numpy="def sigmoid(net):\n    return 0.5 * np.tanh(0.5 * net) + 0.5\nsigmoid({0})",
)
def sigmoid(net: Array, out: Array | None = None) -> Array:
    """The logistic function 1 / (1 + exp(-net)), Guo (2013), eq. (13), by tanh so that nothing overflows.

    Right to the rounding of 1, about 1e-16: far below 0 its last digits are gone, at -20 all but eight, and beyond -38
    it is 0, as is the slope y (1 - y) beyond 38 on either side; in float32 6e-8, and 0 beyond 20. So a cell's gates are
    computed in one sweep. For ln sigmoid(net), write -softplus(-net): that keeps its digits.
    """
    return in_turn(sigmoid.ufuncs, (net,), out)


@sigmoid.vjp(0, latex=r"{g} \odot ({y} \odot (1 - {y}))", equation="G14")
def _(g: Array, y: Array, net: Array) -> Array:
    # The slope stands in brackets of its own: it needs no error, so it is known before any comes back.
    return g * (y * (1 - y))


@sigmoid.jvp(0)
def _(dnet: Array, y: Array, net: Array) -> Array:
    return dnet * (y * (1 - y))


@op(label="relu", latex=r"\max(0, {0})", ufuncs=[(np.maximum, 0)], numpy="np.maximum({0}, 0)")
def relu(net: Array, out: Array | None = None) -> Array:
    """The rectifier max(0, net); its slope at 0 is taken as 0."""
    return np.maximum(net, 0, out=out)


@relu.vjp(0, latex=r"{g} \odot [{0} > 0]")
def _(g: Array, y: Array, net: Array) -> Array:
    return g * is_positive(net)


@relu.jvp(0)
def _(dnet: Array, y: Array, net: Array) -> Array:
    return dnet * is_positive(net)


@op(label="> 0", latex="[{0} > 0]", ufuncs=[(np.heaviside, 0)], numpy="np.where({0} > 0, 1.0, 0.0)")
def is_positive(net: Array, out: Array | None = None) -> Array:
    """1 where the entry is positive, else 0. It sends no error: its slope is 0 wherever it has one."""
    return np.heaviside(net, 0, out=out)


is_positive.reads(0)
