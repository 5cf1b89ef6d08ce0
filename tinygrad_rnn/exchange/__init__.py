"""Networks of other libraries. Each library is imported when it is asked for: this package needs none of them."""

from . import jax, onnx
from .flax import from_flax, to_flax
from .watching import watch
from .weights import load, save

__all__ = ["from_flax", "jax", "load", "onnx", "save", "to_flax", "watch"]
