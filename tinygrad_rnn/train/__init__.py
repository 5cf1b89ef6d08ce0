"""Training: what is done with gradients once they are known, and with a network once it has learnt."""

from typing import TYPE_CHECKING, NoReturn

from ..autodiff.elsewhere import no_attribute
from .baselines import autoregression, bigram, season_of, unigram
from .clipping import clip_by_norm, clip_by_value
from .fit import fit
from .forecasting import Forecast, forecast
from .initialisers import identity, orthogonal, scale_to_radius, scaled_normal, spectral_radius
from .loop import DivergedError
from .measures import mase, nmse, rmse
from .optimisers import SGD, Adagrad, Adam, AdamW, Momentum, Nesterov, Optimiser, RMSprop
from .run import Run
from .sampling import Sample, Writing, sample

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "DivergedError",
    "Forecast",
    "Momentum",
    "Nesterov",
    "Optimiser",
    "RMSprop",
    "Run",
    "Sample",
    "Writing",
    "autoregression",
    "bigram",
    "clip_by_norm",
    "clip_by_value",
    "fit",
    "forecast",
    "identity",
    "mase",
    "nmse",
    "orthogonal",
    "rmse",
    "sample",
    "scale_to_radius",
    "scaled_normal",
    "season_of",
    "spectral_radius",
    "unigram",
]

if not TYPE_CHECKING:  # a type checker would take every name for one of ours

    def __getattr__(name: str) -> NoReturn:
        raise no_attribute(__name__, name, [f"train.{ours}" for ours in __all__])
