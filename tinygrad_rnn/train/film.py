"""The film of a run: how far back a gradient reaches, and what a text has come to, at some moments of training.

At a moment the weights are copied, which takes microseconds; the picture is developed from the copy later, as soon as
that keeps to a small share of the time that training has taken. What a picture shows depends on the weights alone, so
it does not matter when it is developed. Which moments there are is a matter of updates and not of time. The film is a
file of its own: a clock has a hand in how complete it is, and what a run goes on from must not know of one.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data import Text
from ..exchange.files import write_whole
from ..through_time.influence import influence_norms
from ..through_time.pieces import Pieces
from .folder import FILM, RunFolder
from .sampling import Writing

if TYPE_CHECKING:
    from .loop import TrainingLoop

Array = NDArray[Any]

MOMENTS = 20  # at most
FIRST, GROWTH = 10, 1.5  # the updates of the first moment, and by what they grow: most is learned early
STEPS, WINDOWS = 25, 4  # of the data that are looked at, at each moment the same
SHARE = 0.03  # of the time of training that may be spent
GUESS = 0.2  # seconds for the first picture: the network is recorded then
WAITING = 64_000_000  # bytes of weights that may wait to be developed
LETTERS, TEMPERATURE = 60, 0.5  # of a text, what is written at each moment, from one seed
GATES = 4  # up to so many matrices there is room for two numbers each


def moments(update: int) -> list[int]:
    """The updates after which there is a moment, of those that are done: the first is 0.

    They are spaced as a power; if there are too many, every other one goes.
    """
    planned = [0]
    while (following := round(FIRST * GROWTH ** (len(planned) - 1))) <= update:
        planned.append(following)
    apart = 1
    while -(-len(planned) // apart) > MOMENTS - 1:  # the last moment is that of the end
        apart *= 2
    return planned[::apart]


class Film:
    """The moments of a run.

    Parameters
    ----------
    loop : TrainingLoop
        The run, where it stands; nothing in it is changed.
    folder : RunFolder
        Its folder, which is held.

    Attributes
    ----------
    taken : dict of int to dict
        What is developed, by its update.
    spent : float
        The seconds that it has taken.
    """

    def __init__(self, loop: TrainingLoop, folder: RunFolder) -> None:
        self._loop, self._folder = loop, folder
        self.taken = {at: said for at, said in _read(folder).items() if at in moments(loop.update)}
        self.spent, self._longest = 0.0, GUESS
        self._waiting: dict[int, dict[str, Array]] = {}
        self._began = time.perf_counter()
        self._lens: Lens | None = None
        self._next = loop.update
        self.moved(loop.update)

    def moved(self, update: int) -> None:
        """Take note that so many updates are done."""
        if update < self._next:
            if self._waiting and update % 16 == 0 and self._affordable():
                self._develop()
            return
        wanted = moments(update)
        if update in wanted:
            self._expose(update)
        self._keep(wanted)
        self._next = _following(update)

    def end(self) -> None:
        """Take the moment of the end, as it is now."""
        self._expose(self._loop.update)
        while self._waiting and self._affordable():
            self._develop()

    def develop_all(self) -> None:
        """Develop what still waits, however long that takes: training is over."""
        while self._waiting:
            self._develop()

    def _affordable(self) -> bool:
        return self.spent + self._longest <= SHARE * (time.perf_counter() - self._began)

    def _expose(self, update: int) -> None:
        if update in self.taken or update in self._waiting:
            return
        size = self._loop.flat.vector.nbytes
        if size * (len(self._waiting) + 1) <= WAITING:
            self._waiting[update] = {name: w.copy() for name, w in self._loop.flat.params.items()}

    def _keep(self, wanted: list[int]) -> None:
        for each in (self.taken, self._waiting):
            for gone in [at for at in each if at not in wanted]:
                del each[gone]

    def _develop(self) -> None:
        """Develop the moment that is farthest from those that there are, so that a film that ends early is even."""
        began = time.perf_counter()
        at = max(
            self._waiting, key=lambda one: min((abs(math.log((one + 1) / (k + 1))) for k in self.taken), default=one)
        )
        if self._lens is None:
            self._lens = Lens(self._loop)
        self.taken[at] = self._lens.seen(self._waiting.pop(at))
        lines = [json.dumps({"update": k, **self.taken[k]}, separators=(",", ":")) for k in sorted(self.taken)]
        content = "".join(f"{line}\n" for line in lines).encode("ascii")
        with contextlib.suppress(OSError):  # training does not end for want of a picture
            write_whole(self._folder.path / FILM, lambda: content, overwrite=True)
        took = time.perf_counter() - began
        # The first one has recorded the network, which no other will.
        self._longest, self.spent = took, self.spent + took


class Lens:
    """What is looked at, at each moment: some windows of the training part, each from the initial state on."""

    def __init__(self, loop: TrainingLoop) -> None:
        task = loop.task
        T = min(STEPS, len(task.x))
        starts = [k * (len(task.x) - T) // max(WINDOWS - 1, 1) for k in range(WINDOWS)]
        rows = [k * loop.settings.batch // WINDOWS for k in range(WINDOWS)]
        where = list(dict.fromkeys(zip(starts, rows, strict=True)))
        self.x, self.d = (
            np.concatenate([each[start : start + T][:, row : row + 1] for start, row in where], axis=1)
            for each in (task.x, task.d)
        )
        self._weights = {name: w.copy() for name, w in loop.flat.params.items()}
        self._nets = Pieces(loop.cell, self._weights, task.loss, "sum")
        data = loop.task.data
        self._cell, self._alphabet = loop.cell, data.alphabet if isinstance(data, Text) else ()
        self.recurrent = [name for name in self._weights if name.partition("_")[0] == "U"]

    def norms(self, params: Mapping[str, Array]) -> Array:
        """How long dC(t) / d copy(tau) is, (T, T): of all recurrent matrices as one."""
        for name, w in params.items():
            self._weights[name][...] = w
        with np.errstate(all="ignore"):
            net = self._nets.over(self.x, self.d, None)
            squares: Array = sum((influence_norms(net, name) ** 2 for name in self.recurrent), np.zeros((net.T, net.T)))
            return np.sqrt(squares)

    def seen(self, params: Mapping[str, Array]) -> dict[str, Any]:
        """A moment: ``phi``, the mean length by lag, in decibels; ``sigma``, singular values in hundredths; ``text``.

        Of each recurrent matrix, gate by gate, the largest one and the median; of many only the largest.
        """
        norms = self.norms(params)
        after = norms[1:, 1:] if len(norms) > 1 else norms  # the first copy reads the initial state, which is mostly 0
        phi = [float(np.diagonal(after, -lag).mean()) for lag in range(len(after))]
        sizes = [np.linalg.svd(block, compute_uv=False) for block in self._gates(params)]
        hundredths = [
            [_hundredths(s.max()), _hundredths(np.median(s))][: 2 if len(sizes) <= GATES else 1] for s in sizes
        ]
        found = {"phi": [decibels(one) for one in phi], "sigma": hundredths}
        return found | ({"text": self.written(params)} if self._alphabet else {})

    def written(self, params: Mapping[str, Array]) -> str:
        """What the network writes, as long as its numbers are finite."""
        with np.errstate(all="ignore"), contextlib.suppress(ValueError):
            return "".join(Writing(self._cell, params, self._alphabet, length=LETTERS, temperature=TEMPERATURE))
        return ""

    def _gates(self, params: Mapping[str, Array]) -> list[Array]:
        found: list[Array] = []
        for name in self.recurrent:
            U = params[name].astype(float)
            found += list(U.reshape(-1, U.shape[1], U.shape[1])) if len(U) % U.shape[1] == 0 else [U]
        return [block for block in found if np.isfinite(block).all()]


def decibels(length: float) -> int | None:
    """20 log10 of a length; none of 0, and of what is not finite."""
    return round(20 * math.log10(length)) if length > 0 and math.isfinite(length) else None


def _hundredths(size: float) -> int:
    return round(100 * min(float(size), 1e6))


def _following(update: int) -> int:
    k = 0
    while (planned := round(FIRST * GROWTH**k)) <= update:
        k += 1
    return planned


def _read(folder: RunFolder) -> dict[int, dict[str, Any]]:
    return {int(said.pop("update")): said for said in read_film(folder)}


def read_film(folder: RunFolder) -> list[dict[str, Any]]:
    """The moments of a run that are kept; none if the file is not there, or is no film."""
    try:
        lines = [json.loads(line) for line in (folder.path / FILM).read_bytes().splitlines()]
        return [
            {
                "update": _whole(one["update"]),
                "phi": [None if each is None else _whole(each) for each in one["phi"]],
                "sigma": [[_whole(each) for each in sizes] for sizes in one["sigma"]],
                **({"text": _letters(one["text"])} if "text" in one else {}),
            }
            for one in lines
        ]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


def _whole(value: Any) -> int:
    if type(value) is not int or abs(value) > 10**9:
        raise ValueError(value)
    return value


def _letters(value: Any) -> str:
    if type(value) is not str or len(value) > LETTERS:
        raise ValueError(value)
    return value
