"""A training run in a folder: what it has come to, and how it goes on."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.asked import asked, counted
from ..autodiff.calling import shortened
from ..data import Table
from ..exchange.arrays import read_arrays
from ..exchange.described import checked, read_cell
from ..exchange.files import refuse_existing, write_whole
from ..view.text import says
from . import scaling
from .film import Film
from .folder import BEST, REPORT, STATE, RunFolder, path_of
from .forecasting import Forecast, told_of
from .kept_data import read_data
from .listener import Listener
from .loop import DivergedError, TrainingLoop, train
from .machine import differences, one_thread
from .parts import parts
from .sampling import Sample, Writing
from .series import SeriesTask
from .settings import STOPS, Settings, from_words, plain
from .texts import TextTask
from .validation import above_zero

Array = NDArray[Any]
TASKS: dict[str, Any] = {"text": TextTask, "series": SeriesTask}


class Run:
    """A training run, as its folder has it; each question is answered with what stands there now.

    Parameters
    ----------
    path : path-like
        The folder, as `fit` or ``tinygrad-rnn train`` has made it.

    Attributes
    ----------
    path : pathlib.Path
        The folder.
    cell : callable
        The cell.
    settings : dict
        Every choice of `fit`, and what was chosen where nothing was said.
    known : dict
        What the run knows of its data: ``alphabet``; or ``columns``, ``target`` and how they were scaled.
    words : dict
        All that ``run.json`` says, also of the data, the versions, and what was changed on the way.
    folder : RunFolder
        Its files.

    Raises
    ------
    FileNotFoundError
        If there is no run.
    ValueError
        If it is damaged, or of another version's format.
    """

    @asked
    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path_of("path", path)
        self._film: Film | None = None
        self.folder = RunFolder(self.path)
        self._read(self.folder.words())

    def _read(self, words: Mapping[str, Any]) -> None:
        try:
            self.cell, self.settings = read_cell(words["cell"]), dict(words["settings"])
            self.known = dict(words["known"])
            self._settings: Settings = from_words(self.settings)
            self.words = dict(words)
            self._refuse_sizes_that_differ()
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{self.path}: run.json is not complete, or not of this version: {error}") from None

    def _refuse_sizes_that_differ(self) -> None:
        """Raise ValueError if what is known is not that of the kind, or not of as many columns."""
        known = self.known
        if ("alphabet" in known) != (self._settings.kind == "text"):
            raise ValueError(f"a {self._settings.kind} is learned, and known are {', '.join(known)}")
        for columns, scale in (("columns", "inputs"), ("target", "targets")):
            for what in ("shift", "size"):
                if columns in known and len(known[scale][what]) != len(known[columns]):
                    raise ValueError(f"known.{scale}.{what} has {len(known[scale][what])}, and not one for each column")

    def __repr__(self) -> str:
        return f"<run in {self.path}: {self.cell}, {self.update} updates>"

    @property
    def update(self) -> int:
        """How many updates are done."""
        return int(self.folder.state()[1]["update"])

    @property
    def params(self) -> dict[str, Array]:
        """The weights as they are now, by name, in arrays of one's own."""
        arrays, words = self.folder.state()
        return self._ours(STATE, {name: arrays[f"param.{name}"] for name in words["order"]})

    @property
    def best(self) -> dict[str, Array]:
        """The weights that were best on the validation part; those of now, as long as there was no evaluation."""
        if self.folder.state()[1]["best"] is None:
            return self.params
        return self._ours(BEST, read_arrays(self.path / BEST)[0])

    def _ours(self, file: str, params: dict[str, Array]) -> dict[str, Array]:
        """The weights of a file, if they are those of this run's cell."""
        known = self.known
        one_each = ("alphabet", "alphabet") if "alphabet" in known else ("columns", "target")
        n_in, n_out = (len(known[what]) for what in one_each)
        wanted = {"l": n_in, "o": n_out}
        try:
            sizes = checked(self.cell, params)[1]
        except ValueError as error:
            raise ValueError(f"{self.path / file}: these are not the weights of this run: {error}") from None
        units = {letter: n for letter, n in sizes.items() if letter.startswith("m")}
        if sizes != {**wanted, **dict.fromkeys(units, self._settings.hidden)}:
            raise ValueError(
                f"{self.path / file}: these are not the weights of this run, which has l = {n_in}, "
                f"m = {self._settings.hidden}, o = {n_out}: there, {', '.join(f'{k} = {n}' for k, n in sizes.items())}"
            )
        return params

    @property
    def history(self) -> list[dict[str, Any]]:
        """What was found at each evaluation.

        ``update`` and ``epoch``; ``train``, the mean price since the evaluation before; ``validation`` and ``best``;
        ``gradient``, its mean length, and ``clipped``, the share of updates in which it was shortened; ``eta``.
        """
        return self.folder.history(self.folder.state()[1]["log_bytes"])

    @property
    def data(self) -> Any:
        """The data, read once more: a `Text` or a `Table`.

        Raises
        ------
        ValueError
            If the file has changed.
        OSError
            If it is gone.
        """
        return read_data(self._settings.kind, self.words["data"], self.known, self.folder)

    @property
    def read_with(self) -> dict[str, Any]:
        """The arguments that the data were read with, where they were not as usual."""
        return dict(self.words["data"].get("settings", {}))

    @asked
    @one_thread()
    def price(self, part: str = "validate", *, last: bool = False) -> float:
        """What a part of the data costs: nats a character, or the mean squared error in scaled numbers.

        Parameters
        ----------
        part : {"validate", "test"}
            Which part.
        last : bool
            Whether the weights are the last ones, and not the best.

        Raises
        ------
        ValueError
            If there is no such part, or the data have changed.
        """
        if part not in ("validate", "test") or not self.settings[part]:
            raise ValueError(f"part={part!r}: it is 'validate' or 'test', and a run has it if that was above 0 in fit")
        loop = TrainingLoop(self.cell, self.task(), self._settings, self.params if last else self.best)
        with np.errstate(all="ignore"):
            return loop.evaluated(part)

    @asked
    @one_thread()
    def report(self, path: str | os.PathLike[str] | None = None, *, overwrite: bool = False) -> Path:
        """Write a page that shows the run: prices, curves, the film of its influences, and what it writes or tells.

        Parameters
        ----------
        path : path-like, optional
            The file; ``report.html`` in the folder, which is replaced, unless given.
        overwrite : bool
            Whether another file may be replaced.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        FileExistsError
            If there is such a file, it is not the folder's own, and `overwrite` is not set.
        ValueError, OSError
            If the run cannot be read, or the file not be written.
        """
        from .reporting import page_of  # pages are for who asks for one

        file = self.path / REPORT if path is None else path_of("path", path)
        refuse_existing(file, overwrite or path is None)
        if self._film is not None:
            self._film.develop_all()
        content = page_of(self).page().encode("utf-8", "replace")
        return write_whole(file, lambda: content, overwrite=overwrite or path is None)

    def task(self) -> Any:
        """What is learned: the data, read once more, in the numbers that the network sees.

        Raises
        ------
        ValueError, OSError
            If the data have changed, or are gone.
        """
        task = TASKS[self._settings.kind](self.data, self._settings)
        if not task.same_as(self.known):
            raise ValueError(
                f"{self.path}: the data are read in another way than when the run was begun; it was written by another "
                "version, which goes on with it"
            )
        return task

    @asked
    @one_thread()
    def sample(
        self,
        length: int = 500,
        *,
        prime: str = "",
        temperature: float = 1.0,
        rng: int | np.random.Generator = 0,
        unknown: str = "refuse",
        last: bool = False,
    ) -> Sample:
        """Let the network write, if it was trained on a text.

        Parameters
        ----------
        length, prime, temperature, rng, unknown
            See `tinygrad_rnn.train.sample`.
        last : bool
            Whether the weights are the last ones, and not the best.

        Returns
        -------
        Sample
            The text, and how likely the network finds it.

        Raises
        ------
        ValueError
            If it was trained on a series, or an argument is out of its range.
        """
        how: dict[str, Any] = {"prime": prime, "temperature": temperature, "rng": rng, "unknown": unknown}
        return self.writing(length, last=last, **how).whole()

    def writing(self, length: int, *, last: bool = False, **how: Any) -> Writing:
        """The same as an iterator over the characters, for a text that is too long to wait for; see `sample`."""
        if self._settings.kind != "text":
            raise ValueError(f"{self.path} was trained on a series, which is no text: forecast tells how it goes on")
        return Writing(self.cell, self.params if last else self.best, self.known["alphabet"], length=length, **how)

    @asked
    @one_thread()
    def forecast(
        self,
        steps: int = 100,
        *,
        start: int | None = None,
        data: Any = None,
        season: int | None = None,
        order: int | str = "aic",
        variance: float | None = None,
        last: bool = False,
    ) -> Forecast:
        """Tell how a series goes on, one step ahead and by the network's own outputs, beside what costs nothing.

        Parameters
        ----------
        steps, season, order, variance
            See `tinygrad_rnn.train.forecast`.
        start : int, optional
            How many rows are known; unless given, those before the test part or, without one, the validation part. Of
            other data all.
        data : Table, optional
            Another table with the same columns; what the run was trained on unless given.
        last : bool
            Whether the weights are the last ones, and not the best.

        Returns
        -------
        Forecast
            What is told, in the data's unit, and how wrong it is. The baselines are fitted on the training part; on
            other data, on all rows that are known.

        Raises
        ------
        ValueError
            If the run was trained on a text, the data have changed or have other columns, or an argument is out of its
            range.
        OSError
            If the data are gone.
        """
        if self._settings.kind != "series":
            raise ValueError(f"{self.path} was trained on a text, which is no series: sample lets the network write")
        start = None if start is None else counted("start", start, 0)
        table = self.data if data is None else data
        columns, target = (tuple(self.known[what]) for what in ("columns", "target"))
        if not isinstance(table, Table) or (table.columns, table.target) != (columns, target):
            raise ValueError(
                f"data={shortened(data)}: it must be a Table, as tinygrad_rnn.data.table reads it, with the columns "
                f"{', '.join(columns)}, of which {', '.join(target)} are told"
            )
        trained = None
        if data is None:
            cut = parts(len(table.values), self._settings.validate, self._settings.test)
            start = (cut.test if self._settings.test else cut.validation) if start is None else start
            trained = cut.validation
            if start < trained:
                trained = None  # of the training part itself: what is told may not be fitted on
        return told_of(
            self.cell,
            self.params if last else self.best,
            table,
            (scaling.from_words(self.known["inputs"]), scaling.from_words(self.known["targets"])),
            start=len(table.values) if start is None else start,
            trained=trained,
            horizon=self._settings.horizon,
            steps=steps,
            season=season,
            order=order,
            variance=variance,
        )

    @asked
    def resume(
        self,
        *,
        updates: int | None = None,
        epochs: int | None = None,
        minutes: float | None = None,
        patience: int | None = None,
        eta: float | None = None,
        watch: Callable[[str], Any] | None = None,
    ) -> Run:
        """Go on as if there had been no break, bit by bit, on the same machine with the same libraries.

        Parameters
        ----------
        updates, epochs, minutes, patience
            Other ends than those that were asked for before, all of which they replace; see `fit`.
        eta : float, optional
            Another step size, from which it falls anew; what follows is then another run.
        watch : callable, optional
            Called with each line that there is to say.

        Returns
        -------
        Run
            This run.

        Raises
        ------
        ValueError
            If nothing is left to do, the data have changed, or a file is damaged.
        BlockingIOError
            If another process trains in the folder.
        DivergedError, KeyboardInterrupt, OSError
            See `fit`.
        """
        given = {"updates": updates, "epochs": epochs, "minutes": minutes, "patience": patience}
        return self.go_on({name: plain(v) for name, v in given.items() if v is not None}, plain(eta), Listener(watch))

    def go_on(self, stops: Mapping[str, Any], eta: float | None, tell: Listener) -> Run:
        """The same with a `Listener`."""
        with self.folder.held():
            self._read(self.folder.words())
            if stops:
                changed = {**self.settings, **dict.fromkeys(STOPS), **stops}
                if not stops.keys() & {"updates", "epochs", "minutes"}:
                    changed |= {name: self.settings[name] for name in ("updates", "epochs", "minutes")}
                self._settings = from_words(changed)
            if eta is not None:
                above_zero("eta", eta)
            arrays, words = self.folder.state()
            loop = TrainingLoop(self.cell, self.task(), self._settings, self.params)
            try:
                loop.restore(arrays, words)
            except ValueError as error:
                raise ValueError(f"{self.path}: {error}") from None
            length = loop.schedule.length
            if length is not None and (asked_for := loop.updates_asked_for or 0) > length:
                raise ValueError(
                    f"{asked_for:,} updates are asked for: eta falls over {length:,} updates, and has come to its end "
                    "there; a run that falls over more is another one"
                )
            if eta is not None:
                loop.schedule.eta, loop.schedule.halvings = eta, 0
            self._refuse_if_done(loop)
            self._note(loop.update, stops, eta)
            try:
                self.best  # noqa: B018  whether they can be read
            except (OSError, ValueError) as error:
                tell.say(f"NOTE: {says(error, self.path / BEST)}: the best weights are looked for anew")
                loop.best = None
            for difference in differences(self.words["versions"]):
                tell.say(f"NOTE: not bit-equal to a run that was never stopped: {difference}")
            tell.say(f"going on after update {loop.update:,}, in epoch {loop.epoch + 1}")
            self._trained(loop, words["log_bytes"], tell)
        return self

    def _refuse_if_done(self, loop: TrainingLoop) -> None:
        settings = self._settings
        ways = {
            "updates": settings.updates is not None and loop.update >= settings.updates,
            "epochs": settings.epochs is not None and loop.epoch >= settings.epochs,
            "patience": settings.patience is not None and loop.waited >= settings.patience,
        }
        if done := [name for name, reached in ways.items() if reached]:
            name = done[0]
            raise ValueError(
                f"{self.path}: nothing is left to do, by {name}={getattr(settings, name):,}: {loop.update:,} updates "
                f"and {loop.epoch:,} epochs are done, and {loop.waited} evaluations were no better. Ask for more {name}"
            )

    def _note(self, update: int, stops: Mapping[str, Any], eta: float | None) -> None:
        """Write down what was changed on the way."""
        if not stops and eta is None:
            return
        self.settings = self._settings.as_words()
        change = {"update": update, **stops, **({} if eta is None else {"eta": eta})}
        self.words |= {"settings": self.settings, "changed": [*self.words.get("changed", []), change]}
        self.folder.write_words({name: value for name, value in self.words.items() if name != "format"})

    @one_thread()
    def _trained(self, loop: TrainingLoop, log_bytes: int, tell: Listener) -> None:
        settings = self._settings
        stops = {name: getattr(settings, name) for name in STOPS}
        assert settings.every is not None  # it was resolved
        self._film, why = Film(loop, self.folder), "it was stopped"
        try:
            why = train(loop, self.folder, log_bytes, stops, settings.every, tell, self._film.moved)
        except DivergedError as error:
            why = str(error)
            raise
        finally:
            self._film.end()
            self.folder.take_time(update=loop.update, ended=why)
        tell.say(f"the end: {why}")
        if settings.test and loop.update:
            tell.say(f"test {self.price('test'):.4g} {loop.task.unit}, with the best weights")
