"""A run that was stopped and gone on with is, bit by bit, the run that was not stopped."""

import json

import numpy as np
import pytest

import tinygrad_rnn as tg
from small_runs import SENTENCES, a_table, a_text, copied, fitted, kept, state_of
from tinygrad_rnn.exchange.arrays import write_arrays
from tinygrad_rnn.train import run as run_module

CELLS = {
    "guo": "guo",
    "irnn": "irnn",
    "lstm": "lstm",
    "gru": "gru",
    "layers": tg.cells.Stacked(tg.cells.Elman(), tg.cells.LSTM(peepholes=True)),
}
OPTIMISERS = ("adam", "sgd", "momentum", "adagrad", "rmsprop")
WAYS = ({"k2": 4}, {"k2": 10})
DECAYS = ("plateau", "cosine:24", "none")
WORSE = a_text(SENTENCES + "zyx" * 11)  # of which the validation part gets dearer, the more is learned
# Each cell with each optimiser; both ways, all decays and both kinds of data in turn.
EACH = [(cell, optimiser, i + j) for i, cell in enumerate(CELLS) for j, optimiser in enumerate(OPTIMISERS)]


@pytest.mark.parametrize(("cell", "optimiser", "number"), EACH)
def test_to_stop_changes_nothing(tmp_path, cell, optimiser, number):
    options = {"optimiser": optimiser, "decay": DECAYS[number % 3], **WAYS[number // 2 % 2]}
    data = None
    if number % 5 == 4 and cell != "layers":
        data, options["batch"] = a_table(), 1
    whole = fitted(tmp_path / "whole", data, CELLS[cell], **options)
    stopped = fitted(tmp_path / "stopped", data, CELLS[cell], **options | {"updates": 9 + number})
    stopped.resume(updates=24)
    assert kept(stopped) == kept(whole)
    assert whole.history[-1]["update"] == 24


@pytest.mark.parametrize("at", [1, 3, 4, 8, 20, 23])
def test_nor_does_it_matter_where(tmp_path, at):
    """Inside an epoch, at its end, before and at an evaluation."""
    options = {"epochs": 3, "updates": None, "batch": 4, "k1": 5, "k2": 10}
    whole = fitted(tmp_path / "whole", **options)
    assert whole.folder.state()[1]["epoch"] == 3
    in_an_epoch = whole.update // 3
    run = fitted(tmp_path / "run", **options | {"updates": at if at != 20 else in_an_epoch})
    run.resume(epochs=3)
    assert kept(run) == kept(whole)


def test_before_the_first_update(tmp_path, monkeypatch):
    def fails(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as here:
        here.setattr(run_module, "train", fails)
        with pytest.raises(OSError, match="No space"):
            fitted(tmp_path / "run")
    run = tg.train.Run(tmp_path / "run")
    assert run.update == 0
    assert run.history == []
    assert run.best.keys() == run.params.keys()
    run.resume()
    assert kept(run) == kept(fitted(tmp_path / "whole"))


def test_often_is_the_same_as_once(tmp_path):
    whole = fitted(tmp_path / "whole", test=0.1)
    run = fitted(tmp_path / "run", updates=1, test=0.1)
    for updates in (2, 5, 8, 17, 24):
        run.resume(updates=updates)
    assert kept(run) == kept(whole)
    assert run.price("test") == whole.price("test")


def test_patience_is_counted_on(tmp_path):
    """What was waited before the break counts after it."""
    options = {"every": 2, "patience": 3, "updates": 100}
    whole = fitted(tmp_path / "whole", WORSE, **options)
    assert whole.update == 8
    run = fitted(tmp_path / "run", WORSE, **options | {"updates": 5})
    run.resume(updates=100, patience=3)
    assert kept(run) == kept(whole)
    run = tg.train.Run(run.path)
    with pytest.raises(ValueError, match="nothing is left to do, by patience=3"):
        run.resume()
    run.resume(updates=whole.update + 1)
    assert tg.train.Run(run.path).settings["patience"] is None  # other ends replace those before


# ---- mistakes that must be noticed


def t_is_forgotten(arrays, words):
    arrays["optimiser.t"] = np.array(1)


def moments_are_forgotten(arrays, words):
    for name in [name for name in arrays if name.startswith("optimiser.")]:
        del arrays[name]


def state_is_forgotten(arrays, words):
    for name in [name for name in arrays if name.startswith("state.")]:
        arrays[name] = np.zeros_like(arrays[name])


def names_are_sorted(arrays, words):
    words["order"].sort()


def place_is_forgotten(arrays, words):
    words["step"] = words["window"] = 0


def epoch_is_forgotten(arrays, words):
    words["epoch"] = 0


def eta_is_forgotten(arrays, words):
    words["schedule"]["halvings"] += 1


def waiting_is_forgotten(arrays, words):
    words["schedule"]["waited"] = words["waited"] = 5


def sums_are_forgotten(arrays, words):
    words["sums"] = dict.fromkeys(words["sums"], 0.0)


def best_is_forgotten(arrays, words):
    words["best"] = None


def log_is_longer(arrays, words):
    words["log_bytes"] = 0


PLANTED = [value for value in list(globals().values()) if callable(value) and value.__module__ == __name__]
PLANTED = [each for each in PLANTED if each.__code__.co_varnames[:2] == ("arrays", "words")]


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted")
    whole, before = (fitted(folder / str(updates), WORSE, batch=6, updates=updates) for updates in (24, 18))
    stood = before.folder.state()[1]
    assert stood["epoch"] == 1
    assert stood["waited"] > 1
    return whole, before


@pytest.mark.parametrize("mistake", PLANTED, ids=lambda mistake: mistake.__name__)
def test_a_planted_mistake_is_noticed(tmp_path, stopped, mistake):
    whole, before = stopped
    run = copied(before, tmp_path / "run")
    arrays, metadata = state_of(run)
    words = json.loads(metadata["tinygrad_rnn"])
    mistake(arrays, words)
    write_arrays(run.path / "state.safetensors", arrays, {"tinygrad_rnn": json.dumps(words)}, overwrite=True)
    try:
        run.resume(updates=24)
    except ValueError:
        return
    assert kept(run) != kept(whole)


def test_without_one_nothing_is(tmp_path, stopped):
    whole, before = stopped
    run = copied(before, tmp_path / "run")
    run.resume(updates=24)
    assert kept(run) == kept(whole)
    assert len(PLANTED) == 11
