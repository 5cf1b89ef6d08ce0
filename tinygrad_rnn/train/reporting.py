"""What the page of a run shows, gathered from its folder: the log, the film, others' prices, and what it tells now."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..view.charts import Chart, Trend, number
from ..view.lags import FilmRow, FilmStrip
from ..view.report import Passage, Price, RunPage, Scores
from ..view.text import says
from .baselines import Average, Seasonal
from .film import LETTERS, SHARE, TEMPERATURE, read_film
from .folder import TIMES, RunFolder
from .forecasting import NETWORK, Forecast
from .sampling import Sample
from .series import SeriesTask
from .texts import TextTask

Array = NDArray[Any]

LENGTH = 600  # characters that are written
TEMPERATURES = (1.0, 0.5)
STEPS = 100  # rows that are told
BEFORE = 40  # rows that are shown before them
FITTED = 20_000  # rows at most that an autoregression is fitted on, the last ones
SHOWN = 3  # columns of a forecast
DEARER = 1.02  # times the best price, from which on the validation part has become dearer


class KeptRun(Protocol):
    """What is asked of a run, which is a `Run`."""

    path: Path
    cell: Any
    settings: dict[str, Any]
    known: dict[str, Any]
    words: dict[str, Any]
    folder: RunFolder

    @property
    def params(self) -> dict[str, Array]:
        """The weights as they are now."""

    @property
    def history(self) -> list[dict[str, Any]]:
        """The log."""

    @property
    def task(self) -> Callable[[], Any]:
        """Reads the data once more."""

    @property
    def sample(self) -> Callable[..., Sample]:
        """Lets the network write."""

    @property
    def forecast(self) -> Callable[..., Forecast]:
        """Tells how a series goes on."""


def page_of(run: KeptRun) -> RunPage:
    """What there is to show of a run, read from its folder.

    Raises
    ------
    ValueError, OSError
        If the run cannot be read. If only its data or its best weights cannot, that is said on the page.
    """
    state = run.folder.state()[1]
    history = run.history
    said = [remark for remark in [_ended(run, int(state["update"]))] if remark]
    task, gone = None, ""
    try:
        task = run.task()
    except (ValueError, OSError) as error:
        gone = f"The data cannot be read any more, so the prices of others are missing: {says(error)}"
    prices = list(_prices(task)) if task is not None else []
    best = state["best"]
    if best is not None:
        at = f"{_cell(run)}, after {best['update']:,} updates"
        prices.append(Price("this network", float(best["validation"]), at, ours=True))
    lead = [_verdict(run, prices, best), _since(best, history), *said, *([gone] if gone else [])]
    shown: dict[str, Any] = {}
    if run.settings["kind"] == "text":
        shown = _written(run)
    elif task is not None:
        shown = _foretold(run, task)
    film = FilmStrip([FilmRow(**one) for one in read_film(run.folder)], run.settings["k2"])
    return RunPage(
        title=f"{_cell(run)} on {_data(run)}",
        lead=[sentence for sentence in lead if sentence],
        facts=list(_facts(run, state, best, history)),
        unit=_unit(run),
        factors=False if run.settings["kind"] == "text" else None,
        best=None if best is None else (int(best["update"]), float(best["validation"])),
        part="on the validation part" if run.settings["validate"] else "on the training part",
        prices=prices,
        history=history,
        film=film,
        film_says=_of_film(film, int(state["update"])),
        tables=list(_tables(run)),
        **shown,
    )


# ---- in words


def _unit(run: KeptRun) -> str:
    task = TextTask if run.settings["kind"] == "text" else SeriesTask
    return str(task.unit)


def _cell(run: KeptRun) -> str:
    cell = run.cell
    inner = list(getattr(cell, "cells", [getattr(cell, "cell", cell)]))
    names = list(dict.fromkeys(type(each).__name__ for each in inner))
    layers = f"{len(inner)} layers of " if len(inner) > 1 else ""
    return f"{' and '.join(names)}, {layers}{run.settings['hidden']:,} units"


def _data(run: KeptRun) -> str:
    """What the data are called: their file, or what was said first of them."""
    said = [line.partition(":")[0] for line in run.words["understood"][:1]]
    path = run.words["data"].get("path") or next(iter(said), "") or run.words["data"]["copy"]
    return str(path).replace("\\", "/").rpartition("/")[2] or "data"


def _verdict(run: KeptRun, prices: list[Price], best: Mapping[str, Any] | None) -> str:
    """Whether something was learned, in a sentence."""
    if best is None:
        return "No part of the data was evaluated, so nothing can be said of what was learned."
    others = sorted((price for price in prices if not price.ours), key=lambda price: price.value)
    mine, what = float(best["validation"]), "character" if run.settings["kind"] == "text" else "value"
    unit = f"nats ({mine / math.log(2):.3g} bits)" if run.settings["kind"] == "text" else f"({_unit(run)})"
    start = f"A {what} of the validation part costs {number(mine)} {unit}"
    if not others:
        return f"{start}."
    nearest = others[0]
    if mine < nearest.value:
        factor = "" if run.settings["kind"] == "text" else f", {number(nearest.value / mine)} times as much"
        return f"{start}; the best of those who cost nothing, {nearest.name}, pays {number(nearest.value)}{factor}."
    return (
        f"{start}, and {nearest.name}, which costs nothing, pays {number(nearest.value)}: the network has not learned "
        "more than that."
    )


def _since(best: Mapping[str, Any] | None, history: list[dict[str, Any]]) -> str:
    """Whether what was learned since the best holds for the training part alone."""
    then = next((line for line in history if best and line["update"] == best["update"]), None)
    if not best or not then or not history:
        return ""
    now, before = history[-1], float(best["validation"])
    if now.get("validation", 0.0) < DEARER * before or now["train"] >= then["train"]:
        return ""
    return (
        f"Since update {best['update']:,} the validation part has become dearer, {number(before)} to "
        f"{number(now['validation'])}, and the training part cheaper, {number(then['train'])} to "
        f"{number(now['train'])}: what was learned since holds for the training part alone."
    )


def _ended(run: KeptRun, update: int) -> str:
    """Why the run has ended."""
    last: dict[str, Any] = {}
    try:
        lines = [json.loads(line) for line in (run.path / TIMES).read_bytes().splitlines()]
        last = next((one for one in reversed(lines) if "ended" in one), {})
    except (OSError, ValueError, TypeError):
        pass
    if last.get("update") == update:
        return f"The end: {last['ended']}."
    return f"After {update:,} updates it was stopped without a word, or goes on as this is written."


def _facts(
    run: KeptRun, state: Mapping[str, Any], best: Mapping[str, Any] | None, history: list[dict[str, Any]]
) -> Iterator[tuple[str, str]]:
    asked = run.settings["updates"]
    yield "updates", f"{state['update']:,}" + (f" of {asked:,}" if asked else "")
    yield "epochs done", f"{state['epoch']:,}"
    if best is not None:
        yield "best price", f"{number(float(best['validation']))} at update {best['update']:,}"
    if history:
        yield "price in training", number(float(history[-1]["train"]))
    yield "weights", f"{sum(w.size for w in run.params.values()):,}"
    if seconds := _seconds(run):
        several = f"{seconds:,.0f} s" if seconds < 120 else f"{seconds / 60:,.1f} min"
        yield "time", f"{seconds:.2g} s" if seconds < 10 else several


def _seconds(run: KeptRun) -> float:
    """How long it has taken; each time that it went on, the clock began anew."""
    whole = last = 0.0
    try:
        for line in (run.path / TIMES).read_bytes().splitlines():
            seconds = float(json.loads(line).get("seconds", last))
            whole, last = (whole + last, seconds) if seconds < last else (whole, seconds)
    except (OSError, ValueError, TypeError, AttributeError):
        return 0.0
    return whole + last


def _tables(run: KeptRun) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    yield "The data, as they were understood", [("", str(line)) for line in _understood(run)]
    yield "Settings", [("cell", repr(run.cell)), *((name, _said(value)) for name, value in run.settings.items())]
    if changed := run.words.get("changed"):
        yield "Changed on the way", [(f"at update {one['update']:,}", _said(one)) for one in changed]
    yield "Versions and machine", [(name, _said(value)) for name, value in run.words["versions"].items()]


def _understood(run: KeptRun) -> Iterator[str]:
    yield from run.words.get("understood", [])
    if "sha256" in run.words["data"]:
        yield f"{run.words['data']['bytes']:,} bytes, sha256 {run.words['data']['sha256']}"
    if run.settings["kind"] == "series":
        yield f"columns {', '.join(run.known['columns'])}; told: {', '.join(run.known['target'])}"


def _said(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(each)}" for name, each in value.items() if name != "update")
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _of_film(film: FilmStrip, update: int) -> str:
    if film.rows and film.rows[-1].update >= update:
        return ""
    share = f"The film may take {100 * SHARE:.0f} % of the time of training"
    if not film.rows:
        return f"There is no moment yet. {share}; what was not developed when the program ended is lost."
    return f"{share}, so it is not complete."


# ---- prices


def _prices(task: TextTask | SeriesTask) -> Iterator[Price]:
    part = "validate" if task.settings.validate else "train"
    begin, end = task.parts.of(part)
    if isinstance(task, TextTask):
        counted = task.counted(part)
        yield Price("ln K", math.log(task.n_in), f"nothing but the {task.n_in:,} symbols")
        yield Price("unigram", counted[0], "how often each comes")
        yield Price("bigram", counted[1], "how often each comes behind each other one")
        return
    if end <= max(begin, task.settings.horizon):
        return
    means = [Average(float(column.mean())) for column in task.told[: task.parts.validation].astype(float).T]
    yield Price("mean", task.paid_by(means, part), "the mean of the training part")
    yield Price("last value", task.paid_by([Seasonal()] * task.n_out, part), "that all stays as it is")
    fitted = task.fitted(FITTED)
    error = task.paid_by(fitted, part)
    names = list(dict.fromkeys(str(one) for one in fitted))
    name = names[0] if len(names) == 1 else "AR"
    yield Price(name, error if math.isfinite(error) else math.inf, "the linear law of the values before")


# ---- what it writes and tells


def _written(run: KeptRun) -> dict[str, Any]:
    """Samples with the best weights."""
    passages, remarks = [], []
    for temperature in TEMPERATURES:
        try:
            one = run.sample(LENGTH, temperature=temperature)
        except (ValueError, OSError) as error:
            remarks.append(f"Nothing could be written: {says(error)}")
            break
        caption = f"Temperature {temperature:g}, seed 0: {number(one.price)} nats a character, to itself"
        passages.append(Passage(caption, one.prime, one.text))
    drafts = f"{LETTERS} characters at temperature {TEMPERATURE:g} from one seed, at each moment of the film."
    return {"passages": passages, "remarks": remarks, "drafts_say": drafts}


def _foretold(run: KeptRun, task: SeriesTask) -> dict[str, Any]:
    """A forecast with the best weights, of rows that were not trained on, if there are."""
    N, cut, ahead = len(task.data.values), task.parts, task.settings.horizon
    part = "test" if cut.end > cut.test else "validate"
    start, seen = cut.of(part)[0], cut.validation == cut.end
    if seen:
        start = max(N - STEPS, N // 2, ahead, 3)
    if start >= N:
        return {"remarks": ["The series is too short for a forecast."]}
    try:
        with np.errstate(all="ignore"):
            found = run.forecast(min(STEPS, N - start), start=start)
    except (ValueError, OSError) as error:
        return {"remarks": [f"There is no forecast: {says(error)}"]}
    where = "test part" if part == "test" else "validation part"
    said = "These rows were trained on, too" if seen else f"The first {len(found.true):,} rows of the {where}"
    remarks = [f"{said}, in the data's own unit, with the best weights.", *(_sentence(one) for one in found.remarks)]
    return {
        "forecasts": list(_charts(found, task.data.targets)),
        "scores": list(_scores(found)),
        "remarks": remarks,
    }


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _charts(found: Forecast, targets: Array) -> Iterator[Chart]:
    first = max(0, found.start - BEFORE)
    stop = found.start + len(found.true)
    for k, column in enumerate(found.columns[:SHOWN]):
        true = Trend("true", range(first, stop), targets[first:stop, k].tolist(), 4)
        ways = [(found.network.ahead, f"{found.horizon} ahead" if found.horizon > 1 else "one step ahead")]
        if found.network.free is not None:
            ways.append((found.network.free, "on its own, from its own outputs"))
        for n, (told, how) in enumerate(ways):
            rows = range(found.start, found.start + len(found.true))
            network = Trend("network", rows, told[: len(found.true), k].tolist(), 1)
            title = f"{column}, {how}"
            yield Chart(f"told-{k}-{n}", title, "row", column, [true, network], factors=False, mark=found.start)


def _scores(found: Forecast) -> Iterator[Scores]:
    for column in found.columns[:SHOWN]:
        for how, said in (("ahead", "From the true values"), ("free", "On its own")):
            rows = [one for one in found.scores if (one.how, one.column) == (how, column)]
            rows.sort(key=lambda one: one.name != NETWORK)
            if rows:
                caption = f"{said}: {column}"
                yield Scores(
                    caption,
                    ("who", "NMSE", "MASE", "RMSE"),
                    [(one.name, (one.nmse, one.mase, one.rmse)) for one in rows],
                )
