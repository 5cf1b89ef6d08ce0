"""Elementary functions of one array, entry by entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..op import Array, op
from . import arguments, arithmetic


@op(
    label="power",
    latex=lambda x, exponent: f"{x}^{{{exponent:g}}}",
    numpy=lambda x, exponent: f"{x} ** {arguments.number(exponent)}",
)
def power(x: Array, exponent: float, out: Array | None = None) -> Array:
    """The power x^n, n being a number.

    For an array of exponents there is `raised`.
    """
    return np.power(x, exponent, out=out)


def _power_rule(g: Any, x: Any, exponent: float) -> Any:
    # x^0 is 1 everywhere, at 0 too, where the general rule would ask for 0^(-1).
    return g * (exponent * power(x, exponent=exponent - 1)) if exponent else 0 * g


def _power_rule_latex(x: str, g: str, y: str, exponent: float) -> str:
    return rf"{g} \odot ({exponent:g} \odot {x}^{{{exponent - 1:g}}})" if exponent else rf"0 \odot {g}"


@power.vjp(0, latex=_power_rule_latex)
def _(g: Any, y: Any, x: Any, exponent: float) -> Any:
    return _power_rule(g, x, exponent)


@power.jvp(0)
def _(dx: Any, y: Any, x: Any, exponent: float) -> Any:
    return _power_rule(dx, x, exponent)


@op(label="x^n", latex=r"\exp({1} \odot \ln({0}))", numpy="{0} ** {1}")
def raised(x: Array, n: Array, out: Array | None = None) -> Array:
    """The power x^n of two arrays of one shape, entry by entry, of x above 0: elsewhere it has no slope in n.

    For an n that is one number there is `power`, which takes every x.
    """
    return np.power(x, n, out=out)


@raised.checked
def _(names: Sequence[object], args: Sequence[Array]) -> str | None:
    wrong, least = arguments.same_shape(names, args), np.min(args[0], initial=np.inf)
    if wrong is None and not least > 0:
        wrong = (
            f"{names[0]} holds {least:g}: what is raised to an array of powers must be above 0, or it has no slope. "
            "A power that is one number, as in x ** 2, takes every x."
        )
    return wrong


raised.checks_values = True


@raised.vjp(0, latex=r"{g} \odot ({1} \odot {y} / {0})")
def _(g: Any, y: Any, x: Any, n: Any) -> Any:
    return g * (n * arithmetic.divide(y, x))


@raised.vjp(1, latex=r"{g} \odot ({y} \odot \ln({0}))")
def _(g: Any, y: Any, x: Any, n: Any) -> Any:
    return g * (y * log(x))


@raised.jvp(0)
def _(dx: Any, y: Any, x: Any, n: Any) -> Any:
    return dx * (n * arithmetic.divide(y, x))


@raised.jvp(1)
def _(dn: Any, y: Any, x: Any, n: Any) -> Any:
    return dn * (y * log(x))


@op(label="exp", latex=r"\exp({0})", ufuncs=[(np.exp,)], numpy="np.exp({0})")
def exp(x: Array, out: Array | None = None) -> Array:
    """The exponential, entry by entry."""
    return np.exp(x, out=out)


@exp.vjp(0, latex=r"{g} \odot {y}")
def _(g: Array, y: Array, x: Array) -> Array:
    return g * y


@exp.jvp(0)
def _(dx: Array, y: Array, x: Array) -> Array:
    return dx * y


@op(label="ln", latex=r"\ln({0})", ufuncs=[(np.log,)], numpy="np.log({0})")
def log(x: Array, out: Array | None = None) -> Array:
    """The natural logarithm, entry by entry, of what is above 0."""
    return np.log(x, out=out)


@log.vjp(0, latex="{g} / {0}")
def _(g: Any, y: Any, x: Any) -> Any:
    return arithmetic.divide(g, x)


@log.jvp(0)
def _(dx: Any, y: Any, x: Any) -> Any:
    return arithmetic.divide(dx, x)


@op(label="softplus", latex=r"\ln(1 + \exp({0}))", numpy="np.logaddexp(0, {0})")
def softplus(x: Array, out: Array | None = None) -> Array:
    """The smooth ramp ln(1 + e^x), whose slope is the sigmoid."""
    return np.add(np.maximum(x, 0), np.log1p(np.exp(np.minimum(x, -x))), out=out)  # nothing overflows


@softplus.vjp(0, latex=r"{g} / (1 + \exp(-{0}))")
def _(g: Any, y: Any, x: Any) -> Any:
    return g * exp(-softplus(-x))


@softplus.jvp(0)
def _(dx: Any, y: Any, x: Any) -> Any:
    return dx * exp(-softplus(-x))


@op(label="√", latex=r"\sqrt{{{0}}}", ufuncs=[(np.sqrt,)], numpy="np.sqrt({0})")
def sqrt(x: Array, out: Array | None = None) -> Array:
    """The square root, entry by entry; at 0 its slope is infinite."""
    return np.sqrt(x, out=out)


@sqrt.vjp(0, latex=r"0.5 \odot {g} / {y}")
def _(g: Any, y: Any, x: Any) -> Any:
    return arithmetic.divide(0.5 * g, y)


@sqrt.jvp(0)
def _(dx: Any, y: Any, x: Any) -> Any:
    return arithmetic.divide(0.5 * dx, y)


@op(label="sgn", latex=r"\operatorname{{sgn}}({0})", ufuncs=[(np.sign,)], numpy="np.sign({0})")
def sign(x: Array, out: Array | None = None) -> Array:
    """-1, 0 or 1. It sends no error: its slope is 0 wherever it has one."""
    return np.sign(x, out=out)


sign.reads(0)


@op(label="|x|", latex="|{0}|", ufuncs=[(np.absolute,)], numpy="np.abs({0})")
def absolute(x: Array, out: Array | None = None) -> Array:
    """The absolute value; its slope at 0 is taken as 0."""
    return np.absolute(x, out=out)


@absolute.vjp(0, latex=r"{g} \odot \operatorname{{sgn}}({0})")
def _(g: Any, y: Any, x: Any) -> Any:
    return g * sign(x)


@absolute.jvp(0)
def _(dx: Any, y: Any, x: Any) -> Any:
    return dx * sign(x)
