"""The loop: a window, a step, and now and then an evaluation; it can be stopped after any update."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..exchange.described import in_words
from ..through_time.pieces import Pieces
from ..through_time.stream import Carry, Window
from ..through_time.truncation import Truncation
from ..unfold.structure import flatten, rebuild
from .flat_parameters import FlatParameters
from .folder import LOG, Log, RunFolder
from .listener import Listener
from .schedules import EtaSchedule
from .series import SeriesTask
from .settings import Settings
from .stopping import RunEnds, StopRequest
from .texts import TextTask

Array = NDArray[Any]

SECONDS = 30.0  # between two checkpoints, if no evaluation comes before
KEPT = 8  # networks of different lengths: those at the beginning of an epoch need not be recorded in each


class DivergedError(ValueError):
    """A number that is not finite has come up, and the run has ended with what it had before."""


class TrainingLoop:
    """A run that goes on: its weights, its optimiser, where it is in the data, and what it has counted.

    Parameters
    ----------
    cell : callable
        The cell.
    task : TextTask or SeriesTask
        What is learned.
    settings : Settings
        How.
    params : mapping of str to ndarray
        The weights that it begins with; they are copied.
    """

    def __init__(self, cell: Any, task: TextTask | SeriesTask, settings: Settings, params: Mapping[str, Array]) -> None:
        self.cell, self.task, self.settings, self.windows = cell, task, settings, settings.windows
        self.flat = FlatParameters({name: np.asarray(w, settings.dtype) for name, w in params.items()})
        self.optimiser = settings.made_optimiser()
        self.schedule = EtaSchedule(settings.decay, settings.eta)
        self.update = self.epoch = self.waited = 0
        self.carry: Carry | None = None
        self.best: dict[str, Any] | None = None
        self.sums = dict.fromkeys(("price", "length", "clipped", "count"), 0.0)
        self._gradient = np.empty_like(self.flat.vector)
        self._blocks = self.flat.cut(self._gradient)
        self._stream: Iterator[Window] | None = None
        self._nets = self._new_nets()

    def _new_nets(self) -> dict[str, Pieces]:
        """The networks that learn, and those that are paid for: over whole blocks, and over the last one."""
        made = partial(Pieces, self.cell, self.flat.params, self.task.loss)
        paid = [f"{part}{rest}" for part in ("validate", "test") for rest in ("", ", rest")]
        return {"train": made(self.settings.reduction, kept=KEPT), **{what: made("sum") for what in paid}}

    @property
    def updates_in_an_epoch(self) -> int:
        """How many windows an epoch has; what is left over at its end is not learned from."""
        return len(self.task.x) // self.settings.k1

    @property
    def updates_asked_for(self) -> int | None:
        """After how many updates it ends at the latest, by `updates` and `epochs`; None if neither says."""
        epochs = self.settings.epochs
        ends = (self.settings.updates, None if epochs is None else epochs * self.updates_in_an_epoch)
        return min((end for end in ends if end is not None), default=None)

    # ---- where it stands

    def arrays(self) -> dict[str, Array]:
        """The numbers that it needs to go on."""
        weights = {f"param.{name}": w for name, w in self.flat.params.items()}
        state_of = self.optimiser.state()
        remembered = {
            f"optimiser.{what}": state_of[f"{what}/0"]
            if what == "t"
            else np.concatenate([state_of[f"{what}/{block}"] for block in self.flat.blocks])
            for what in self.optimiser.remembers
            if state_of
        }
        state = flatten(self.carry.states[0]) if self.carry else []
        return {**weights, **remembered, **{f"state.{k}": part for k, part in enumerate(state)}}

    def words(self) -> dict[str, Any]:
        """The rest of it."""
        return {
            "update": self.update,
            "epoch": self.epoch,
            "step": self.carry.last if self.carry else 0,
            "window": self.carry.first if self.carry else 0,
            "waited": self.waited,
            "best": self.best,
            "sums": self.sums,
            "schedule": {"eta": self.schedule.eta, "halvings": self.schedule.halvings, "waited": self.schedule.waited},
            "order": list(self.flat.params),
        }

    def restore(self, arrays: Mapping[str, Array], words: Mapping[str, Any]) -> None:
        """Go on from there.

        Raises
        ------
        ValueError
            If it is another run's, or not complete.
        """
        try:
            weights = {name: arrays[f"param.{name}"] for name in words["order"]}
            shapes = {name: (w.shape, w.dtype) for name, w in weights.items()}
            if shapes != {name: (w.shape, w.dtype) for name, w in self.flat.params.items()}:
                raise ValueError("its weights are not those of this cell")
            of_state = flatten(self.cell.initial_state(weights, self.settings.batch))
            self.update, self.epoch, self.waited = words["update"], words["epoch"], words["waited"]
            self.best, self.sums = words["best"], dict(words["sums"])
            self.schedule = EtaSchedule(self.settings.decay, **words["schedule"])
            state = [arrays[f"state.{k}"] for k in range(len(of_state))] if words["step"] else []
            remembered = {what: arrays[f"optimiser.{what}"] for what in self.optimiser.remembers if words["update"]}
        except (KeyError, TypeError) as error:
            raise ValueError(f"what was kept of the run is not complete: {error}") from None
        self.flat = FlatParameters(weights)
        self._blocks = self.flat.cut(self._gradient)
        self._nets = self._new_nets()
        cut = {what: {} if what == "t" else self.flat.cut(array) for what, array in remembered.items()}
        self.optimiser.restore(
            {
                f"{what}/{block}": cut[what].get(block, remembered[what])
                for block in self.flat.blocks
                for what in remembered
            }
        )
        self.carry = None
        if words["step"]:
            like = self.cell.initial_state(self.flat.params, self.settings.batch)
            self.carry = Carry(words["step"], words["window"], (rebuild(like, state),))
        self._stream = None

    # ---- one update

    def step(self) -> float:
        """Learn from the next window, and return at what price it was told.

        Raises
        ------
        DivergedError
            If a number is not finite; all is then as before this update.
        """
        settings, windows = self.settings, self.windows
        if self._stream is None:
            self._stream = Truncation(
                self.cell,
                self.flat.params,
                self.task.x,  # type: ignore[arg-type]  # what has slices need not be gone through
                self.task.d,  # type: ignore[arg-type]
                windows,
                loss=self.task.loss,
                s0=None,
                reduction=settings.reduction,
                states=settings.states,
                carry=self.carry,
            ).run(self._nets["train"])
        window = next(self._stream)
        n, counted = settings.batch, min(windows.counted(windows.k1), window.last - window.first + 1)
        price = self.task.price * window.loss / (n if settings.reduction == "mean" else n * counted)
        gradient = self.flat.gathered(window.grads, self._gradient)
        if settings.reduction == "mean" and n > 1:
            gradient /= n
        length = _length(gradient)
        if not math.isfinite(price) or not math.isfinite(length):
            raise self._diverged(window, gradient)
        clipped = self._clip(gradient, length)
        self.optimiser.eta = self.schedule.at(self.update + 1)  # type: ignore[attr-defined]  # all that are offered have one
        try:
            self.optimiser.step(self.flat.blocks, self._blocks)
        except ValueError as error:
            raise self._diverged(window, gradient, str(error)) from None
        self.carry = window.carry
        self.update += 1
        for what, value in (("price", price), ("length", length), ("clipped", clipped), ("count", 1)):
            self.sums[what] += value
        if window.last == self.updates_in_an_epoch * settings.k1:
            self.epoch, self.carry, self._stream = self.epoch + 1, None, None
        return price

    def _clip(self, gradient: Array, length: float) -> bool:
        clip = self.settings.clip
        if clip is None:
            return False
        if self.settings.clip_by == "value":
            gradient.clip(-clip, clip, out=gradient)
            return False
        if length <= clip:
            return False
        gradient *= gradient.dtype.type(clip / length)
        return True

    def _diverged(self, window: Window, gradient: Array, says: str = "") -> DivergedError:
        bad = ~np.isfinite(gradient)
        place = int(np.argmax(bad if bad.any() else np.abs(gradient)))
        name = self.flat.name_of(place)
        what = (
            f"the gradient of {name} is not finite"
            if bad.any()
            else f"the step is too large, by {name} most of all: {says.partition('(')[2].partition(')')[0] or says}"
            if says
            else "the cost is not finite"
        )
        return DivergedError(
            f"update {self.update + 1:,}, epoch {self.epoch + 1}, steps {window.first:,} to {window.last:,}: {what}"
        )

    # ---- an evaluation

    def evaluated(self, part: str) -> float:
        """The price of a part with the weights as they are."""
        return self.task.evaluated(self._nets[part], self._nets[f"{part}, rest"], part)

    def entry(self) -> dict[str, Any]:
        """What there is to say after so many updates; the best is kept in mind, and sums begin anew.

        Raises
        ------
        DivergedError
            If the price of the validation part is not finite.
        """
        sums, count = self.sums, max(self.sums["count"], 1)
        said: dict[str, Any] = {
            "update": self.update,
            "epoch": self.epoch,
            "train": sums["price"] / count,
            "gradient": sums["length"] / count,
            "eta": self.schedule.at(self.update),
        }
        if self.settings.clip is not None and self.settings.clip_by == "norm":
            said["clipped"] = sums["clipped"] / count
        if self.settings.validate:
            price = self.evaluated("validate")
            if not math.isfinite(price):
                raise DivergedError(f"after update {self.update:,} the price of the validation part is not finite")
            better = self.best is None or price < self.best["validation"]
            self.best = {"update": self.update, "validation": price} if better or self.best is None else self.best
            self.waited = 0 if better else self.waited + 1
            self.schedule.evaluated(better)
            said |= {"validation": price, "best": self.best["validation"]}
        self.sums = dict.fromkeys(sums, 0.0)
        return said


def _length(gradient: Array) -> float:
    """The length of a vector; where squares overflow, its largest entry is taken out first."""
    length = math.sqrt(float(gradient.dot(gradient)))
    if math.isfinite(length) and length > 1e-15:  # squares of what is much smaller would be lost in float32
        return length
    largest = float(np.abs(gradient).max(initial=0))
    if not math.isfinite(largest) or largest == 0:
        return largest
    scaled = gradient / gradient.dtype.type(largest)
    return largest * math.sqrt(float(scaled.dot(scaled)))


def train(
    loop: TrainingLoop,
    folder: RunFolder,
    log_bytes: int,
    stops: Mapping[str, Any],
    every: int,
    tell: Listener,
    film: Callable[[int], None] | None = None,
) -> str:
    """Train until an end is reached, with a checkpoint at each evaluation, every half minute and at the end.

    Parameters
    ----------
    loop : TrainingLoop
        The run, where it stands.
    folder : RunFolder
        Its folder, which is held.
    log_bytes : int
        How much of the log there is.
    stops : mapping of str to Any
        What ends it, see `RunEnds`.
    every : int
        After how many updates there is an evaluation.
    tell : Listener
        Who hears of it.
    film : callable, optional
        Called with the number of updates after each, see `Film`.

    Returns
    -------
    str
        Why it has ended.

    Raises
    ------
    DivergedError
        If a number is not finite: what it had before is kept.
    KeyboardInterrupt
        If somebody wanted it to end: where it stands is kept.
    OSError
        If a file cannot be written: the one before is still there.
    """
    log = Log(folder.path / LOG, log_bytes)
    began, begun_at = time.perf_counter(), loop.update
    kept = time.monotonic()

    def keep() -> None:
        nonlocal kept
        folder.write_state(loop.arrays(), loop.words(), log)
        kept = time.monotonic()

    try:
        with StopRequest() as asked, np.errstate(all="ignore"):  # what is not finite is looked for by name
            ends, why = RunEnds(stops), ""
            try:
                while not asked.by and not (why := ends.reached(loop.update, loop.epoch, loop.waited)):
                    price = loop.step()
                    tell.moved(loop.update, price)
                    if film is not None:
                        film(loop.update)
                    if loop.update % every == 0:
                        entry = loop.entry()
                        log.write(entry)
                        if loop.best and loop.best["update"] == loop.update:
                            words = {name: str(value) for name, value in loop.best.items()}
                            folder.write_best(loop.flat.params, {"cell": in_words(loop.cell), **words})
                        keep()
                        took = time.perf_counter() - began
                        folder.take_time(update=loop.update, seconds=round(took, 3), processor=time.process_time())
                        tell.say(line_of(entry, loop, (loop.update - begun_at) / took))
                    elif time.monotonic() - kept > SECONDS:
                        keep()
            except DivergedError as error:
                keep()
                raise DivergedError(
                    f"{error}. What there was after update {loop.update:,} is kept in {folder.path}: go on from "
                    "it with a smaller eta, or begin anew with a smaller one"
                ) from None
            keep()
            if why and loop.settings.validate and loop.update % every:
                # Not in the log: a run that is told to go on further has no evaluation here.
                tell.say(f"validation {loop.evaluated('validate'):.4g} {loop.task.unit}, with the last weights")
        if asked.by:
            raise KeyboardInterrupt(f"stopped after update {loop.update:,}, which is kept in {folder.path}")
        return why
    finally:
        log.close()


def line_of(entry: Mapping[str, Any], loop: TrainingLoop, speed: float) -> str:
    """An entry as one line."""
    steps = speed * loop.settings.k1 * loop.settings.batch
    parts = [f"update {entry['update']:,}", f"epoch {entry['epoch'] + 1}", f"train {entry['train']:.4g}"]
    if "validation" in entry:
        star = "*" if loop.best and loop.best["update"] == entry["update"] else ""
        parts += [f"validation {entry['validation']:.4g}{star}", f"best {entry['best']:.4g}"]
    parts.append(f"gradient {entry['gradient']:.3g}")
    if "clipped" in entry:
        parts.append(f"clipped {100 * entry['clipped']:.0f} %")
    return ", ".join([*parts, f"eta {entry['eta']:.3g}", f"{steps:,.0f} steps/s"])
