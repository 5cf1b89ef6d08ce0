"""The laser of the Santa Fe competition, read from another package: we know of no licence to bring it."""

from __future__ import annotations

import hashlib
import importlib.util
import io
from pathlib import Path

import numpy as np

from ..autodiff.asked import asked
from .refusal import DataError
from .tables import Table

PACKAGE = "reservoirpy"
SHA256 = "8c07281200935596f8e28bc94e1bb25e9964ab7d7f63c5e27ac87b810ac3b33a"  # of reservoirpy 0.4.2
FILE = Path("datasets/santafe_laser.npy")


@asked
def laser() -> Table:
    """The intensity of a far-infrared laser in a chaotic state, 10,093 whole numbers from 0 to 255.

    The first 1,000 are set A of the Santa Fe competition (Weigend and Gershenfeld, 1994); the 100 behind them were to
    be told. The file is one of the package reservoirpy: ``pip install 'tinygrad-rnn[data]'``. That package is not
    imported.

    Returns
    -------
    Table
        10,093 rows of one column, ``intensity``.

    Raises
    ------
    ModuleNotFoundError
        If reservoirpy is not installed.
    DataError
        If its file is another one.
    OSError
        If the system does not read it.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"the laser's numbers come with the package {PACKAGE}, which is not installed: "
            "pip install 'tinygrad-rnn[data]'",
            name=PACKAGE,
        )
    path = Path(spec.submodule_search_locations[0]) / FILE
    raw = path.read_bytes()
    if hashlib.sha256(raw).hexdigest() != SHA256:
        raise DataError(
            f"{path} is another file than that of {PACKAGE} 0.4.2, by which this series is known: "
            f"pip install {PACKAGE}==0.4.2"
        )
    values = np.load(io.BytesIO(raw), allow_pickle=False).astype(float)
    understood = (
        f"{path}: {len(values):,} rows; the file of {PACKAGE} 0.4.2, by its sha256",
        f"column 1 'intensity': {values[0, 0]:.6g} ... {values[-1, 0]:.6g}",
    )
    names = ("intensity",)
    return Table(names, values, names, values.copy(), (), np.zeros((len(values), 2), dtype=bool), understood)
