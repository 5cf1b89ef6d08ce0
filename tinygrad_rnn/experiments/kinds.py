"""Functions to sweep that are ready: what the command knows by one word."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ..data import Text, table, text
from ..data.by_name import BY_NAME
from ..train import SGD, clip_by_norm, fit, scale_to_radius
from ..train.settings import USUAL
from .arena.objective import Objective
from .arena.tasks import task

DIVERGED = 10.0  # times its own start


def descent(
    *, radius: float, eta: float, clip: float | None = None, seed: int = 0, updates: int = 200
) -> dict[str, Any]:
    """Gradient descent by BPTT on the adding problem, from a recurrent matrix of a given spectral radius.

    Parameters
    ----------
    radius : float
        The spectral radius of U at the start.
    eta : float
        The step down half the mean squared error.
    clip : float, optional
        The longest gradient; none is shortened without it, or with 0.
    seed : int
        Of the weights. The 100 sequences are the same for all.
    updates : int
        How many steps are taken.

    Returns
    -------
    dict
        ``start`` and ``cost``, the normalised mean squared errors before and after, and ``diverged``: whether the
        second is not finite, or more than ten times the first. A clipped run never gets infinite; it wanders.
    """
    adding = task("adding")
    params = adding.start(seed)
    params["U"] = scale_to_radius(params["U"], radius)
    objective = Objective(adding, params, 3 * (updates + 1))
    half = adding.train.variance / 2  # a step goes down half the mean squared error, as Guo's cost has it
    w, optimiser = {"w": objective.start.copy()}, SGD(eta)
    with np.errstate(all="ignore"):  # of runs that diverge
        start = objective.cost(w["w"])
        for _ in range(updates):
            found = objective.gradient(w["w"])[1] * half
            if not np.isfinite(found).all():
                break
            optimiser.step(w, clip_by_norm({"w": found}, clip) if clip else {"w": found})
        cost = objective.cost(w["w"])
    return {"start": start, "cost": cost, "diverged": not cost <= DIVERGED * start}


def train(
    *,
    data: str | None = None,
    csv: str | None = None,
    text_file: str | None = None,
    cell: str | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """A training run, as ``tinygrad-rnn train`` does it, in a folder that is thrown away.

    Parameters
    ----------
    data, csv, text_file : str, optional
        What is learnt: data that the package brings along, by name, or a file. One of the three.
    cell : str, optional
        A GRU for a text and an LSTM for a series if it is not given.
    **settings
        Those of `tinygrad_rnn.train.fit`, such as ``hidden``, ``eta``, ``seed`` and ``updates``, and those of
        `tinygrad_rnn.data.table` or `tinygrad_rnn.data.text` for a file, such as ``target``.

    Returns
    -------
    dict
        ``best``, the smallest price on the validation part, or without one ``train``, the last price in training;
        ``test``, that of the same weights on the test part, if there is one; and ``updates``, how many there were.
    """
    given = {name: what for name, what in (("data", data), ("csv", csv), ("text_file", text_file)) if what is not None}
    if len(given) != 1:
        raise ValueError(f"train: {', '.join(given) or 'nothing'} says what to learn: give one of data, csv, text_file")
    if data is not None and data not in BY_NAME:
        raise ValueError(f"train: data={data!r}: it must be one of {', '.join(BY_NAME)}; files are csv or text_file")
    name, what = next(iter(given.items()))
    if name == "data":
        found = BY_NAME[what]()
    else:
        reader = table if name == "csv" else text
        how = (signature(reader).parameters.keys() - signature(fit).parameters.keys()) & settings.keys()
        found = reader(what, **{each: settings.pop(each) for each in how})
    usual = USUAL["text" if isinstance(found, Text) else "series"]
    with TemporaryDirectory() as place:
        run = fit(cell or usual["cell"], found, out=place, **settings)
        test = {"test": run.price("test")} if run.settings["test"] else {}
        what = "best" if run.settings["validate"] else "train"
        return {what: run.history[-1][what], **test, "updates": run.update}


KINDS: dict[str, Callable[..., Any]] = {"descent": descent, "train": train}
