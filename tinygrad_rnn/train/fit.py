"""Training from the first line to the last: a cell, data, and a folder in which all of it is kept."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..autodiff.asked import asked
from ..autodiff.calling import shortened
from ..data import Table, Text
from ..exchange.described import in_words
from ..exchange.weights import load
from ..unfold import cells
from .folder import LOG, Log, RunFolder, path_of
from .kept_data import keep_data
from .listener import Listener
from .loop import TrainingLoop
from .machine import machine
from .run import TASKS, Run
from .settings import Settings, resolved

Array = NDArray[Any]


@asked
def fit(
    cell: Any,
    data: Any,
    *,
    out: str | os.PathLike[str],
    hidden: int | None = None,
    layers: int = 1,
    dtype: str = "float32",
    seed: int = 0,
    init_from: str | os.PathLike[str] | None = None,
    k1: int | None = None,
    k2: int | None = None,
    losses: str = "new",
    reduction: str = "mean",
    batch: int | None = None,
    optimiser: str = "adam",
    eta: float | None = None,
    decay: str | None = None,
    clip: float | None = 1.0,
    clip_by: str = "norm",
    updates: int | None = None,
    epochs: int | None = None,
    minutes: float | None = None,
    patience: int | None = None,
    validate: float = 0.1,
    test: float = 0.0,
    every: int | None = None,
    scale: str = "standard",
    horizon: int = 1,
    watch: Callable[[str], Any] | None = None,
) -> Run:
    """Train a network on a text or a series, in a folder from which it goes on whatever happens.

    Parameters
    ----------
    cell : Cell or {"guo", "elman", "irnn", "lstm", "gru"}
        One of `tinygrad_rnn.cells`; by name it has the output that fits.
    data : Text or Table
        See `tinygrad_rnn.data`. Of a text each character should tell the next one, at the price of a cross-entropy; of
        a series each row what the target is `horizon` rows later, at the price of a squared error.
    out : path-like
        The folder of the run; it is made.
    hidden, layers : int
        The size m of a layer, and how many there are; 128 units for a text, 32 for a series.
    dtype : {"float32", "float64"}
        Of all numbers.
    seed : int
        Where the weights are drawn from. Nothing else is drawn.
    init_from : path-like, optional
        A file with weights of this cell to begin with, as `tinygrad_rnn.load` reads it: of this library, PyTorch, Keras
        or ONNX.
    k1, k2, losses
        The windows, as in `tinygrad_rnn.truncated`: 50 steps; what overlaps is computed again. A last one that is
        shorter is left out, and each epoch begins with the initial state.
    reduction : {"mean", "sum"}
        Whether the gradient is that of the mean over a window's steps and rows, or of the sum.
    batch : int
        How many rows the training part is cut into, which are read side by side: 32 for a text, 1 for a series.
    optimiser : {"adam", "sgd", "momentum", "adagrad", "rmsprop"}
        One of `tinygrad_rnn.train`, with what is usual there but for eta; `Adagrad` has its epsilon under the root, as
        in min-char-rnn.
    eta : float
        The step size; 0.004 for a text and 0.01 for a series by Adam.
    decay : {"plateau", "none", "cosine", "cosine:N"}
        How it falls: halved whenever two evaluations in a row were no better than the best one; not at all; or along
        a cosine to a hundredth, over all updates that were asked for, or N.
    clip : float or None
        The largest length of the gradient, or size of its entries; None or 0 for none.
    clip_by : {"norm", "value"}
        Which of the two.
    updates, epochs, minutes, patience
        What ends it, whatever is first: so many updates, so often through the data, so long from its start, so many
        evaluations in a row that were no better than the best one. 2,000 updates if nothing is said.
    validate, test : float
        The shares of the data behind the training part that choose the best weights, and that are looked at once, at
        the end.
    every : int
        After how many updates there is an evaluation; if it is not given, so that they take little of the time.
    scale : {"standard", "minmax", "none"}
        To what size the numbers of a series are brought, by the training part alone.
    horizon : int
        How many rows ahead is told.
    watch : callable, optional
        Called with each line that there is to say, such as `print`.

    Returns
    -------
    Run
        The run; its folder has all of it.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, or the data are too short.
    FileExistsError
        If the folder holds anything.
    BlockingIOError
        If another process trains in it.
    DivergedError
        If a number is not finite; what there was before is kept.
    KeyboardInterrupt
        After Ctrl-C or SIGTERM: the update is finished, and all is kept. A second one ends at once.
    OSError
        If a file cannot be written; what was kept before is still there.
    """
    given = {
        "hidden": hidden,
        "layers": layers,
        "dtype": dtype,
        "seed": seed,
        "k1": k1,
        "k2": k2,
        "losses": losses,
        "reduction": reduction,
        "batch": batch,
        "optimiser": optimiser,
        "eta": eta,
        "decay": decay,
        "clip": clip,
        "clip_by": clip_by,
        "updates": updates,
        "epochs": epochs,
        "minutes": minutes,
        "patience": patience,
        "validate": validate,
        "test": test,
        "every": every,
        "scale": scale,
        "horizon": horizon,
        "init_from": None if init_from is None else str(path_of("init_from", init_from)),
    }
    tell = Listener(watch)
    for line in getattr(data, "understood", ()):
        tell.say(line)
    return begun(cell, data, out, given, tell)


def begun(cell: Any, data: Any, out: Any, given: Mapping[str, Any], tell: Listener) -> Run:
    """The same with a `Listener`; all is looked at before the folder is made."""
    if not isinstance(data, Text | Table):
        raise TypeError(
            f"data={shortened(data)}: pass a Text or a Table, as tinygrad_rnn.data.text and table read them, of "
            "a file or an io.BytesIO"
        )
    kind = "text" if isinstance(data, Text) else "series"
    settings = resolved(kind, given)
    folder = RunFolder(path_of("out", out))
    folder.refuse_what_is_there()
    task = TASKS[kind](data, settings)
    whole = made_cell(cell, settings.layers, task.head)
    loop = TrainingLoop(whole, task, settings, first_weights(whole, task, settings))
    settings = completed(settings, loop)
    loop.settings, loop.schedule.decay = settings, settings.decay
    folder.make()
    with folder.held():
        folder.refuse_what_is_there()  # somebody may have been first
        for line in [*task.lines(), *lines_of(loop)]:
            tell.say(line)
        words = {
            "versions": {"tinygrad_rnn": version(), **machine()},
            "cell": in_words(whole),
            "settings": settings.as_words(),
            "data": keep_data(data, folder),
            "known": task.as_words(),
            "understood": list(data.understood),
        }
        (folder.path / LOG).write_bytes(b"")
        log = Log(folder.path / LOG, 0)
        try:
            folder.write_state(loop.arrays(), loop.words(), log)
        finally:
            log.close()
        folder.write_words(words)  # from here on there is a run
        run = Run(folder.path)
        run._trained(loop, 0, tell)
    return run


def made_cell(cell: Any, layers: int, head: str) -> Any:
    """The cell, with so many layers and an output that fits."""
    if isinstance(cell, str):
        if cell not in cells.BY_NAME:
            known = ", ".join(cells.BY_NAME)
            raise ValueError(f"cell={shortened(cell)}: it is one of {known}, or one of tinygrad_rnn.cells")
        named: Any = cells.BY_NAME[cell]
        cell = named(g=head)
    try:
        in_words(cell)
    except ValueError as error:
        raise ValueError(f"cell={shortened(cell)}: {error}") from None
    if layers > 1:
        if isinstance(cell, cells.Stacked):
            raise ValueError(f"layers={layers}: {cell!r} has its layers already; leave layers out")
        cell = cells.Stacked(*[cell] * layers)
    top = cell
    while isinstance(top, cells.Stacked | cells.ErrorClipped):
        top = top.cells[-1] if isinstance(top, cells.Stacked) else top.cell
    if top.g != head:
        what = "a text, one of several symbols" if head == "softmax" else "a series, numbers of any size"
        raise ValueError(f"cell={cell!r}: its output is {top.g}, and what is told is {what}: choose g={head!r}")
    return cell


def first_weights(cell: Any, task: Any, settings: Settings) -> dict[str, Array]:
    """The weights to begin with: drawn, or read.

    Raises
    ------
    ImportError
        If the library that reads the file is not installed.
    ValueError
        If what is read are not weights of this cell, or too large for the type of the run's numbers.
    OSError
        If it cannot be read.
    """
    drawn = cell.init(task.n_in, settings.hidden, task.n_out, rng=settings.seed)
    if settings.init_from is None:
        return dict(drawn)
    try:
        read = load(settings.init_from, cell=cell)[1]
    except ValueError as error:
        raise ValueError(f"init_from={settings.init_from!r}: {error}") from None
    for name in {**drawn, **read}:
        theirs, ours = (np.shape(each[name]) if name in each else "not there" for each in (read, drawn))
        if theirs != ours:
            raise ValueError(
                f"init_from={settings.init_from!r}: {name} is {theirs} in the file and {ours} in this network, which "
                f"has {task.n_in} inputs, hidden={settings.hidden}, {task.n_out} outputs"
            )
    with np.errstate(over="ignore"):
        found = {name: read[name].astype(settings.dtype) for name in drawn}
    if bad := [name for name, w in found.items() if not np.isfinite(w).all()]:
        raise ValueError(f"init_from={settings.init_from!r}: {bad[0]} holds what is too large for {settings.dtype}")
    return found


def completed(settings: Settings, loop: TrainingLoop) -> Settings:
    """The settings with what depends on how much there is to learn."""
    known = loop.updates_asked_for
    decay, every = settings.decay, settings.every
    if decay == "cosine":
        if known is None:
            raise ValueError(
                "decay='cosine' falls over all updates: say how many by updates or epochs, or by 'cosine:N'"
            )
        decay = f"cosine:{known}"
    if every is None:
        every = max(100, 4 * loop.task.places("validate")) if settings.validate else 100
        every = min(every, max(1, known // 10)) if known else every
    completed = dataclasses.replace(settings, decay=decay, every=every)
    length = int(decay.partition(":")[2]) if decay.startswith("cosine:") else None
    if length is not None and known is not None and known > length:
        raise ValueError(
            f"{known:,} updates are asked for, and decay={decay!r} has come to its end before: choose N as large"
        )
    return completed


def lines_of(loop: TrainingLoop) -> list[str]:
    """What is to be known of the network and the windows."""
    settings, count = loop.settings, loop.flat.vector.size
    left = len(loop.task.x) % settings.k1
    rest = f"; the last {left} steps of each row are left out" if left else ""
    task, rows = loop.task, f"{settings.batch} row{'s' * (settings.batch > 1)}"
    sizes = f"{task.n_in} inputs, {settings.hidden} hidden, {task.n_out} outputs, {count:,} weights"
    windows = f"k1={settings.k1}, k2={settings.k2}: {loop.updates_in_an_epoch:,} updates in an epoch{rest}"
    step = f"{settings.optimiser}, eta={settings.eta:g}, decay={settings.decay}"
    return [
        f"{loop.cell!r}: {sizes}, {settings.dtype}",
        f"{rows} of {len(task.x):,} steps, {windows}",
        f"{step}; an evaluation every {settings.every:,} updates",
    ]


def version() -> str:
    """That of this package."""
    return str(sys.modules[__name__.partition(".")[0]].__version__)  # train imports nothing of the facade
