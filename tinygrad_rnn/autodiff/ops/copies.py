"""The same numbers again: what differs is which error goes back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..op import Array, op
from . import choices


@op(label="copy", latex="{0}", linear=(0,), view=True, ties=True, numpy="{0}")
def copy(w: Array, out: Array | None = None) -> Array:
    """A time copy of a shared weight: the same numbers, one more place that collects its own error."""
    return w


@copy.vjp(0, latex="{g}")
def _(g: Array, y: Array, w: Array) -> Array:
    return g


@op(label="detach", latex=r"\operatorname{{detach}}({0})", moves=True, ufuncs=[(np.positive,)], numpy="{0}")
def detach(x: Array, out: Array | None = None) -> Array:
    """The same numbers, from which no error goes back: this is how a history is cut."""
    return np.positive(x, out=out)


detach.reads(0)


@op(label="clip ∂", latex=lambda x, bound: x, ufuncs=[(np.positive,)], linear=(0,), numpy=lambda x, bound: x)
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
    return choices.clip(g, low=-bound, high=bound)
