"""A row of net inputs as probabilities: the softmax, its logarithm, and the sum they are divided by."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..kernels import Call, prepared_once, ready_exponentials
from ..op import Array, Index, op
from ..worked import Part, Term, dot, total
from . import arguments, elementary, shapes


def _power(net: float) -> Term:
    return Term("e^", (float(net),))


def _powers(net: Array) -> Part:
    return total(map(_power, net))


def _softmax_unit(index: Index, net: Array) -> Part:
    return Term("/", (_power(net[index]), _powers(net[index[:-1]])))


_SOFTMAX = """
def softmax(net):
    e = np.exp(net - net.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
softmax({0})"""


@op(label="softmax", latex=r"\operatorname{{softmax}}({0})", equation="G15", unit=_softmax_unit, numpy=_SOFTMAX)
def softmax(net: Array, out: Array | None = None) -> Array:
    """exp(net_k) / sum_q exp(net_q) for each sample, Guo (2013), eq. (15)."""
    return prepared_once(_ready_softmax, net.shape, (net,), out)


softmax.called(arguments.last_axis_only)
softmax.checked(arguments.something)


@softmax.prepares
def _ready_softmax(y: Array, net: Array) -> Call:
    width = net.shape[-1]
    rows = y.reshape(-1, width)
    exponentials = ready_exponentials(net.reshape(-1, width), rows)

    def call() -> None:
        np.divide(rows, exponentials()[0], rows)

    return call


@softmax.vjp(
    0,
    latex=r"{y} \odot ({g} - \langle {y}, {g} \rangle)",
    equation="G8",
    unit=lambda index, g, y, net: Term(
        "·", (float(y[index]), Term("−", (float(g[index]), dot(y[index[:-1]], g[index[:-1]]))))
    ),
)
def _(g: Array, y: Array, net: Array) -> Array:
    # The whole Jacobian diag(y) - y y^T: Guo's (14) holds for its diagonal only.
    return y * (g - (y * g).sum(axis=-1, keepdims=True))


@softmax.jvp(0)
def _(dnet: Array, y: Array, net: Array) -> Array:
    return y * (dnet - (y * dnet).sum(axis=-1, keepdims=True))


_LOGSUMEXP = """
def logsumexp(net):
    top = net.max(axis=-1, keepdims=True)
    return top[..., 0] + np.log(np.exp(net - top).sum(axis=-1))
logsumexp({0})"""


@op(
    label="ln Σ exp",
    latex=r"\ln \sum_k \exp({0})",
    unit=lambda index, net: Term("ln", (_powers(net[index]),)),
    numpy=_LOGSUMEXP,
)
def logsumexp(net: Array, out: Array | None = None) -> Array:
    """ln sum_k exp(net_k) along the last axis, which goes. The largest is taken out first, so nothing overflows."""
    top = net.max(axis=-1)
    return np.add(top, np.log(np.exp(net - top[..., None]).sum(axis=-1)), out=out)


logsumexp.called(arguments.last_axis_only)
logsumexp.checked(arguments.something)


def _each(g: Any) -> Any:
    """With a last axis of length 1, so that it meets every entry of a row."""
    return shapes.reshape(g, source=g.shape, to=(*g.shape, 1))


@logsumexp.vjp(
    0,
    latex=r"{g} \odot \operatorname{{softmax}}({0})",
    unit=lambda index, g, y, net: Term("·", (float(g[index[:-1]]), _softmax_unit(index, net))),
)
def _(g: Any, y: Any, net: Any) -> Any:
    return _each(g) * softmax(net)


@logsumexp.jvp(0)
def _(dnet: Any, y: Any, net: Any) -> Any:
    return (dnet * softmax(net)).sum(axis=-1)


_LOG_SOFTMAX = """
def log_softmax(net):
    low = net - net.max(axis=-1, keepdims=True)
    return low - np.log(np.exp(low).sum(axis=-1, keepdims=True))
log_softmax({0})"""


@op(
    label="ln softmax",
    latex=r"{0} - \ln \sum_k \exp({0})",
    unit=lambda index, net: Term("−", (float(net[index]), Term("ln", (_powers(net[index[:-1]]),)))),
    numpy=_LOG_SOFTMAX,
)
def log_softmax(net: Array, out: Array | None = None) -> Array:
    """ln softmax(net) along the last axis, exact where the softmax itself underflows."""
    y = np.subtract(net, net.max(axis=-1, keepdims=True), out=out)
    y -= np.log(np.exp(y).sum(axis=-1, keepdims=True))
    return y


log_softmax.called(arguments.last_axis_only)
log_softmax.checked(arguments.something)


@log_softmax.vjp(
    0,
    latex=r"{g} - \exp({y}) \odot \sum_k {g}",
    unit=lambda index, g, y, net: Term(
        "−", (float(g[index]), Term("·", (_power(y[index]), total(map(float, g[index[:-1]])))))
    ),
)
def _(g: Any, y: Any, net: Any) -> Any:
    return g - elementary.exp(y) * g.sum(axis=-1, keepdims=True)


@log_softmax.jvp(0)
def _(dnet: Any, y: Any, net: Any) -> Any:
    return dnet - (elementary.exp(y) * dnet).sum(axis=-1, keepdims=True)
