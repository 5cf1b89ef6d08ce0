"""Training: what is done with gradients once they are known."""

from .clipping import clip_by_norm, clip_by_value
from .initialisers import identity, orthogonal, scale_to_radius, scaled_normal, spectral_radius
from .optimisers import SGD, Adagrad, Adam, AdamW, Momentum, Nesterov, Optimiser, RMSprop

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Momentum",
    "Nesterov",
    "Optimiser",
    "RMSprop",
    "clip_by_norm",
    "clip_by_value",
    "identity",
    "orthogonal",
    "scale_to_radius",
    "scaled_normal",
    "spectral_radius",
]
