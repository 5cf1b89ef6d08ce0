"""Products of matrices: the net inputs of a layer, and what a weight receives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..form import Addend
from ..op import Array, Index, op
from ..terms import Outer
from ..worked import Part, dot, times, total
from . import shapes


def _product(a: Array, w: Array, out: Array | None = None) -> Array:
    """The product a w: one over all copies of `a` where these share the matrix, for one each would cost far more."""
    if out is None and a.ndim > 2 == w.ndim:
        flat: Array = a.reshape(-1, a.shape[-1]).dot(w)
        return flat.reshape(*a.shape[:-1], w.shape[-1])
    return np.matmul(a, w, out=out)


def _linear_latex(*args: str) -> str:
    pairs = [rf"{x}\,{w}^{{\top}}" for x, w in zip(args[0::2], args[1::2], strict=False)]
    return " + ".join([*pairs, args[-1]] if len(args) % 2 else pairs)


def _linear_unit(index: Index, *args: Array) -> Part:
    p, j = index
    pairs = zip(args[0::2], args[1::2], strict=False)
    terms: list[Part] = [times(x, w) for a, w_all in pairs for x, w in zip(a[p], w_all[j], strict=True)]
    return total([*terms, float(args[-1][j])] if len(args) % 2 else terms)


def _linear_terms(n: int) -> list[Addend]:
    pairs = [Addend((k, k + 1), (False, True)) for k in range(0, n - 1, 2)]
    return [*pairs, Addend((n - 1,), repeated=True)] if n % 2 else pairs


def _linear_line(*args: str) -> str:
    pairs = [f"{x} @ {w}.T" for x, w in zip(args[0::2], args[1::2], strict=False)]
    return " + ".join([*pairs, args[-1]] if len(args) % 2 else pairs)


@op(label="Σ", latex=_linear_latex, unit=_linear_unit, terms=_linear_terms, numpy=_linear_line)
def linear(*args: Array, out: Array | None = None) -> Array:
    """net[p, j] = sum_i x[p, i] V[j, i] + sum_h s[p, h] U[j, h] + b[j], Guo (2013), eqs. (2), (4).

    Called as ``linear(x, V)``, ``linear(x, V, b)``, ``linear(x, V, s, U, b)``, ...
    """
    net = _product(args[0], args[1].swapaxes(-1, -2), out)
    for x, w in zip(args[2::2], args[3::2], strict=False):
        net += _product(x, w.swapaxes(-1, -2))
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


def _linear_share_unit(index: Index, g: Array, y: Array, *args: Array, slot: int) -> Part:
    if slot == len(args) - 1 and len(args) % 2:
        return total(map(float, g[:, index[0]]))
    if slot % 2:
        return dot(g[:, index[0]], args[slot - 1][:, index[1]])
    return dot(g[index[0]], args[slot + 1][:, index[1]])


@linear.vjp(latex=_linear_share_latex, unit=_linear_share_unit)
def _(g: Array, y: Array, args: Sequence[Array], slot: int) -> Any:
    if slot == len(args) - 1 and len(args) % 2:
        return g.sum(axis=-2)
    return outer_product(g, args[slot - 1]) if slot % 2 else g @ args[slot + 1]


@linear.jvp()
def _(dx: Array, y: Array, args: Sequence[Array], slot: int) -> Any:
    if slot == len(args) - 1 and len(args) % 2:
        return shapes.broadcast(dx, source=dx.shape, to=y.shape)
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
    unit=lambda index, a, w: dot(a[index[0]], w[:, index[1]]),
    linear=(0, 1),
    terms=lambda n: [Addend((0, 1))],
    numpy="{0} @ {1}",
)
def matmul(a: Array, w: Array, out: Array | None = None) -> Array:
    """The product of two matrices: y[p, i] = sum_j a[p, j] w[j, i]."""
    return _product(a, w, out)


matmul.checked(_two_matrices)


@matmul.vjp(
    0,
    latex=r"{g}\,{1}^{{\top}}",
    unit=lambda index, g, y, a, w: dot(g[index[0]], w[index[1]]),
)
def _(g: Array, y: Array, a: Array, w: Array) -> Any:
    return linear(g, w)


@matmul.vjp(
    1,
    latex=r"{0}^{{\top}}\,{g}",
    unit=lambda index, g, y, a, w: dot(a[:, index[0]], g[:, index[1]]),
)
def _(g: Array, y: Array, a: Array, w: Array) -> Any:
    return outer_product(a, g)


@op(
    label="⊗",
    latex=r"{0}^{{\top}}\,{1}",
    unit=lambda index, g, x: dot(g[:, index[0]], x[:, index[1]]),
    linear=(0, 1),
    terms=lambda n: [Addend((0, 1), (True, False))],
    numpy="{0}.T @ {1}",
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
    unit=lambda index, g, y, a, x: dot(x[index[0]], g[index[1]]),
)
def _(g: Array, y: Array, a: Array, x: Array) -> Any:
    return linear(x, g)


@outer.vjp(
    1,
    latex=r"{0}\,{g}",
    unit=lambda index, g, y, a, x: dot(a[index[0]], g[:, index[1]]),
)
def _(g: Array, y: Array, a: Array, x: Array) -> Any:
    return a @ g
