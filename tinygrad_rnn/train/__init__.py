"""Training: what is done with gradients once they are known."""

from .initialisers import identity, orthogonal, scale_to_radius, scaled_normal, spectral_radius
from .optimisers import SGD, Adam, Momentum, Optimiser

__all__ = [
    "SGD",
    "Adam",
    "Momentum",
    "Optimiser",
    "identity",
    "orthogonal",
    "scale_to_radius",
    "scaled_normal",
    "spectral_radius",
]
