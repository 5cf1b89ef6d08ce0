"""How a training run is set: every choice, resolved, so that it can be written down and read again."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..autodiff.asked import counted, kinds_of, refuse_unless
from ..autodiff.calling import shortened
from ..exchange.described import DEEPEST
from ..through_time.windows import LOSSES, Windows, one_of
from ..unfold.paying import check_reduction
from . import optimisers
from .validation import above_zero, is_number, not_negative

DTYPES = {"float32": "half the memory, and about twice the speed", "float64": "some 16 digits"}
DECAYS = {
    "none": "eta stays as it is",
    "plateau": "eta is halved whenever two evaluations in a row were no better than the best one",
    "cosine": "eta falls to a hundredth along half a wave of a cosine; cosine:N says over how many updates",
}
CLIPS = {"norm": "all gradients together, as one vector", "value": "each entry"}
SCALES = {
    "standard": "mean 0 and standard deviation 1, of the training part",
    "minmax": "from 0 to 1, in the training part",
    "none": "numbers stay as they are",
}
OPTIMISERS: dict[str, Callable[[float], optimisers.Optimiser]] = {
    "adam": optimisers.Adam,
    "sgd": optimisers.SGD,
    "momentum": optimisers.Momentum,
    # As in min-char-rnn: of rare characters the gradients are tiny, and where epsilon stands makes another path.
    "adagrad": partial(optimisers.Adagrad, epsilon=1e-8, under_root=True),
    "rmsprop": optimisers.RMSprop,
}
USUAL: dict[str, dict[str, Any]] = {
    "text": {"cell": "gru", "hidden": 128, "batch": 32, "eta": 0.004},
    "series": {"cell": "lstm", "hidden": 32, "batch": 1, "eta": 0.01},
}
ETAS = {"sgd": 0.5, "momentum": 0.05, "adagrad": 0.1, "rmsprop": 0.002}
UPDATES = 2000
STOPS = ("updates", "epochs", "minutes", "patience")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every choice of a run.

    Attributes
    ----------
    kind : {"text", "series"}
        What is learned.
    every : int or None
        After how many updates there is an evaluation; None until it is known how much there is to evaluate.
    others
        As in `fit`.
    """

    kind: str
    hidden: int
    layers: int
    dtype: str
    seed: int
    init_from: str | None
    k1: int
    k2: int
    losses: str
    reduction: str
    batch: int
    optimiser: str
    eta: float
    decay: str
    clip: float | None
    clip_by: str
    updates: int | None
    epochs: int | None
    minutes: float | None
    patience: int | None
    validate: float
    test: float
    every: int | None
    scale: str
    horizon: int

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            refuse_unless(f"fit: {field.name}", getattr(self, field.name), kinds_of(str(field.type)))
        for name in ("hidden", "layers", "batch", "horizon"):
            counted(name, getattr(self, name))
        for name in ("updates", "epochs", "patience", "every"):
            if getattr(self, name) is not None:
                counted(name, getattr(self, name))
        if self.layers > DEEPEST:
            raise ValueError(f"layers={self.layers:,}: a cell of so many layers is not kept; choose {DEEPEST} or fewer")
        if self.minutes is not None:
            above_zero("minutes", self.minutes)
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or not 0 <= self.seed < 2**63:
            raise ValueError(f"seed={shortened(self.seed)}: it must be an integer from 0 up")
        for name in ("k1", "k2"):
            counted(name, getattr(self, name))
        if self.k2 < self.k1:
            raise ValueError(
                f"k2={self.k2} is below k1={self.k1}: {self.k1 - self.k2} of every {self.k1} steps would teach "
                "nothing; choose k2 from k1 up"
            )
        above_zero("eta", self.eta)
        if self.clip is not None:
            not_negative("clip", self.clip)
        one_of("kind", self.kind, dict.fromkeys(USUAL, "what is learned"))
        one_of("losses", self.losses, LOSSES)
        check_reduction(self.reduction)
        one_of("dtype", self.dtype, DTYPES)
        one_of("optimiser", self.optimiser, dict.fromkeys(OPTIMISERS, "of tinygrad_rnn.train"))
        one_of("clip_by", self.clip_by, CLIPS)
        one_of("scale", self.scale, SCALES)
        refuse_what_is_no_decay(self.decay)
        for name in ("validate", "test"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise ValueError(f"{name}={shortened(value)}: it is a share of the data, from 0 to below 1")
        if self.validate + self.test >= 1:
            raise ValueError(f"validate={self.validate} and test={self.test}: nothing is left to learn from")
        if self.patience is not None and not self.validate:
            raise ValueError("patience counts evaluations of a validation part, and validate=0 keeps none aside")
        if self.decay == "plateau" and not self.validate:
            raise ValueError(
                "decay='plateau' looks at a validation part, and validate=0 keeps none aside: choose 'none'"
            )
        if self.kind == "text" and self.horizon != 1:
            raise ValueError(f"horizon={self.horizon}: of a text the next character is told; horizon is for series")
        if self.kind == "text" and self.scale != "standard":
            raise ValueError(f"scale={self.scale!r}: a text has no numbers to scale; scale is for series")

    @property
    def windows(self) -> Windows:
        """The windows of an epoch; a last one that is shorter is left out."""
        return Windows(self.k1, self.k2, self.losses, tail="drop")

    @property
    def states(self) -> str:
        """How windows that overlap find their values; only what is computed again can be stopped and gone on with."""
        return "recomputed" if self.k2 > self.k1 else "stored"

    def made_optimiser(self) -> optimisers.Optimiser:
        """The optimiser, new."""
        return OPTIMISERS[self.optimiser](self.eta)

    def as_words(self) -> dict[str, Any]:
        """What is written down."""
        return dataclasses.asdict(self)


def refuse_what_is_no_decay(decay: str) -> None:
    """Raise ValueError unless a word says how eta falls."""
    one_of("decay", decay.partition(":")[0], DECAYS)
    if ":" in decay and not re.fullmatch(r"cosine:[1-9]\d{0,17}", decay):
        raise ValueError(f"decay={shortened(decay)}: it is a number of updates that follows, as in cosine:3000")


def resolved(kind: str, given: Mapping[str, Any]) -> Settings:
    """The settings of a run, what was not given as is usual for its kind.

    Raises
    ------
    TypeError, ValueError
        If a setting is of another kind, or has no such value.
    """
    chosen = {name: plain(value) for name, value in given.items() if value is not None}
    usual = USUAL[kind]
    chosen.setdefault("hidden", usual["hidden"])
    chosen.setdefault("batch", usual["batch"])
    named = chosen.get("optimiser")
    chosen.setdefault("eta", ETAS.get(named, usual["eta"]) if isinstance(named, str) else usual["eta"])
    chosen.setdefault("k1", min(50, chosen.get("k2", 50)) if isinstance(chosen.get("k2", 50), int) else 50)
    chosen.setdefault("k2", chosen["k1"])
    if "decay" not in chosen:
        chosen["decay"] = "none" if is_zero(chosen.get("validate")) else "plateau"
    if not any(name in chosen for name in ("updates", "epochs", "minutes")):
        chosen["updates"] = UPDATES
    if is_zero(chosen.get("clip")):
        del chosen["clip"]
    names = [field.name for field in dataclasses.fields(Settings)]
    return Settings(**{"kind": kind, **dict.fromkeys(names[1:]), **chosen})


def from_words(words: Mapping[str, Any]) -> Settings:
    """The settings that were written down.

    Raises
    ------
    ValueError
        If something is missing, or there is more.
    """
    try:
        return Settings(**words)
    except TypeError as error:
        raise ValueError(f"the settings are not complete, or not of this version: {error}") from None


def is_zero(value: Any) -> bool:
    """Whether a value is the number 0."""
    return is_number(value) and value == 0


def plain(value: Any) -> Any:
    """A number of NumPy's as Python's own, which can be written down; all else as it is."""
    return value.item() if isinstance(value, np.generic | np.ndarray) and not np.ndim(value) else value
