"""Costs: one number for all samples of a time step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..kernels import Call, prepared_once, ready_exponentials, ready_sums
from ..op import Array, Index, op
from ..worked import Part, Term, times, total
from . import arguments, probabilities


def _same_samples(names: Sequence[object], args: Sequence[Array]) -> str | None:
    """What is wrong if the arguments are not all [p, k], of one shape."""
    if args[0].ndim != 2:
        one = f"One sample is (1, {args[0].size})."
        return f"{names[0]} is {args[0].shape}: it must have two axes, {names[0]}[p, k]. {one}"
    return arguments.same_shape(names, args)


def _squared_error_unit(index: Index, y: Array, d: Array) -> Part:
    errors = (Term("−", (float(a), float(b))) for a, b in zip(d.flat, y.flat, strict=True))
    return Term("½", (total(Term("^", (error, "2")) for error in errors),))


@op(
    label="½Σ(d−y)²",
    latex=r"\tfrac12 \lVert {1} - {0} \rVert^{{2}}",
    equation="G5",
    unit=_squared_error_unit,
    numpy="0.5 * (({1} - {0}) ** 2).sum()",
)
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


def _times_ln(d: float, y: float) -> Term:
    return Term("·", (float(d), Term("ln", (float(y),))))


def _cross_entropy_unit(index: Index, net: Array, y: Array, d: Array) -> Part:
    return Term("negative", (total(_times_ln(b, a) for a, b in zip(y.flat, d.flat, strict=True) if b),))


@op(
    label="−Σ d ln y",
    latex=r"-\sum_{{pk}} {2} \odot \ln {1}",
    unit=_cross_entropy_unit,
    numpy="-({2} * np.log({1})).sum()",
)
def cross_entropy(net: Array, y: Array, d: Array, out: Array | None = None) -> Array:
    """C = -sum_pk d[p, k] ln y[p, k] with y = softmax(net).

    This is the cost that makes delta = d - y true for a softmax; the cost (16) as Guo prints it
    does so for a sigmoid only. No logarithm is taken of a y that may have underflowed: one y of a sample
    that has not gives ln sum_q exp(net_q) = net_k - ln y_k, and that gives all the others.
    """
    return prepared_once(_ready_cross_entropy, net.shape[:-2], (net, y, d), out)


@cross_entropy.prepares
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


@cross_entropy.prepares_with(probabilities.softmax)
def _ready_cross_entropy_and_softmax(c: Array, net: Array, y: Array, d: Array) -> Call:
    """The sum that the softmax divides by has the logarithm that the cost asks for."""
    samples, width = net.shape[-2:]
    nets, ys, ds = (a.reshape(-1, width) for a in (net, y, d))
    exponentials = ready_exponentials(nets, ys)
    ones, all_samples = np.ones(width, net.dtype), np.ones(samples, net.dtype)
    log_sum, paid = np.empty((2, len(nets)), net.dtype)
    costs = c.reshape(-1)
    each, by_time = (costs if samples == 1 else paid), paid.reshape(-1, samples)

    def call() -> None:
        sums, top = exponentials()
        np.log(sums[:, 0], log_sum)
        if top is not None:
            np.add(log_sum, top[:, 0], log_sum)
        np.divide(ys, sums, ys)
        ds.dot(ones, paid)
        np.multiply(paid, log_sum, log_sum)
        np.vecdot(ds, nets, paid)
        np.subtract(log_sum, paid, each)
        if samples > 1:
            by_time.dot(all_samples, costs)

    return call


cross_entropy.checked(_same_samples)
cross_entropy.reads(1)


def _softmax_error_unit(index: Index, y: Array, d: Array) -> Part:
    paid = float(d[index[:-1]].sum())
    weighed = float(y[index]) if np.isclose(paid, 1, rtol=0, atol=1e-6) else times(y[index], paid)
    return Term("−", (weighed, float(d[index])))


@cross_entropy.vjp(
    0,
    latex=r"{g} \cdot ({1} \odot \sum_k {2} - {2})",
    equation="G17",
    unit=lambda index, g, c, net, y, d: Term("·", (float(g), _softmax_error_unit(index, y, d))),
)
def _(g: Array, c: Array, net: Array, y: Array, d: Array) -> Array:
    return g * softmax_error(y, d)


@cross_entropy.jvp(0)
def _(dnet: Any, c: Array, net: Array, y: Array, d: Array) -> Any:
    return (dnet * softmax_error(y, d)).sum(axis=(-2, -1))


@op(
    label="y − d",
    latex=r"{0} \odot \sum_k {1} - {1}",
    equation="G17",
    unit=_softmax_error_unit,
    numpy="{0} * {1}.sum(axis=-1, keepdims=True) - {1}",
)
def softmax_error(y: Array, d: Array, out: Array | None = None) -> Array:
    """y sum_q d_q - d: the slope of the cross-entropy in the net input of a softmax.

    Guo's d - y takes sum_q d_q = 1 for granted; without it the softmax part carries that sum.
    """
    return prepared_once(_ready_softmax_error, y.shape, (y, d), out)


@softmax_error.prepares
def _ready_softmax_error(e: Array, y: Array, d: Array) -> Call:
    width = y.shape[-1]
    es, ys, ds = (a.reshape(-1, width) for a in (e, y, d))
    ones, paid = ready_sums(ds)
    whole = es if es.flags.c_contiguous else np.empty_like(ys)  # one call with gaps between the rows is enough

    def call() -> None:
        ds.dot(ones, paid)
        np.multiply(ys, paid, whole)
        np.subtract(whole, ds, es)

    return call


softmax_error.checked(_same_samples)


@softmax_error.vjp(
    0,
    latex=r"{g} \sum_k {1}",
    unit=lambda index, g, y, p, d: Term("·", (float(g[index]), total(map(float, d[index[0]])))),
)
def _(g: Any, y: Array, p: Array, d: Any) -> Any:
    return g * d.sum(axis=-1, keepdims=True)


@softmax_error.jvp(0)
def _(dp: Any, y: Array, p: Array, d: Any) -> Any:
    return dp * d.sum(axis=-1, keepdims=True)


def _bernoulli_unit(index: Index, net: Array, y: Array, d: Array) -> Part:
    pairs = zip(y.flat, d.flat, strict=True)
    return Term("negative", (total(_times_ln(*p) for a, b in pairs for p in ((b, a), (1 - b, 1 - a)) if p[0]),))


@op(
    label="−Σ d ln y + (1−d) ln(1−y)",
    latex=r"-\sum_{{pk}} ({2} \odot \ln {1} + (1 - {2}) \odot \ln(1 - {1}))",
    equation="G16",
    unit=_bernoulli_unit,
    numpy="(np.logaddexp(0, {0}) - {2} * {0}).sum()",
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
