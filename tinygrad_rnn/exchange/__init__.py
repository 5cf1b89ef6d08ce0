"""Networks of other libraries. Each library is imported when it is asked for: this package needs none of them."""

from . import jax
from .watching import watch

__all__ = ["jax", "watch"]
