"""The copies of a scan's parameters, for models written in JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autodiff.asked import asked

INSTALL = "pip install jax"


@asked
def copies(step: Callable[..., Any], params: Any, carry: Any, xs: Any, loss: Callable[..., Any]) -> Any:
    """What each time copy of a scan's parameters gives to their gradient: their sum over time is ``jax.grad``'s.

    Parameters
    ----------
    step : callable
        ``step(params, carry, x) -> (carry, y)``, one step of ``jax.lax.scan`` with its parameters as an argument.
    params : pytree of arrays
    carry : pytree of arrays
        The initial state.
    xs : pytree of arrays, (T, ...)
    loss : callable
        ``loss(carry, ys) -> scalar``, of the last state and all outputs.

    Returns
    -------
    pytree of arrays, (T, ...)
        As `params`, with an axis of time in front.

    Raises
    ------
    ImportError
        If JAX is not installed.
    ValueError
        If `xs` holds no array, or arrays of several lengths.
    """
    try:
        import jax
    except ImportError as error:
        raise ImportError(f"copies of a scan need JAX: {INSTALL}") from error
    shapes = [jax.numpy.shape(x) for x in jax.tree.leaves(xs)]
    if not all(shapes) or len({shape[0] for shape in shapes}) != 1:
        raise ValueError(f"xs has arrays of the shapes {shapes}: they must be (T, ...), with one T")
    untied = jax.tree.map(lambda p: jax.numpy.broadcast_to(p, (shapes[0][0], *jax.numpy.shape(p))), params)

    def cost(untied: Any) -> Any:
        return loss(*jax.lax.scan(lambda c, each: step(each[0], c, each[1]), carry, (untied, xs)))

    return jax.grad(cost)(untied)
