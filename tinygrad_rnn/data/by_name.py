"""The data that a name is enough for, as a command and a file of settings have it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from .laser import laser
from .shipped import co2, constitution, nile, sunspots
from .tables import Table
from .texts import Text

BY_NAME: dict[str, Callable[[], Table | Text]] = {
    "constitution": constitution,
    "sunspots": sunspots,
    "nile": nile,
    "co2": partial(co2, missing="interpolate"),
    "laser": laser,
}
