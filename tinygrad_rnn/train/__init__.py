"""Training: what is done with gradients once they are known."""

from typing import TYPE_CHECKING, NoReturn

from ..autodiff.elsewhere import no_attribute
from .clipping import clip_by_norm, clip_by_value
from .fit import fit
from .initialisers import identity, orthogonal, scale_to_radius, scaled_normal, spectral_radius
from .loop import DivergedError
from .optimisers import SGD, Adagrad, Adam, AdamW, Momentum, Nesterov, Optimiser, RMSprop
from .run import Run

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "DivergedError",
    "Momentum",
    "Nesterov",
    "Optimiser",
    "RMSprop",
    "Run",
    "clip_by_norm",
    "clip_by_value",
    "fit",
    "identity",
    "orthogonal",
    "scale_to_radius",
    "scaled_normal",
    "spectral_radius",
]

if not TYPE_CHECKING:  # a type checker would take every name for one of ours

    def __getattr__(name: str) -> NoReturn:
        raise no_attribute(__name__, name, [f"train.{ours}" for ours in __all__])
