"""The folder of a run: nobody's work is overwritten, nothing in it is torn, and what is wrong is named."""

import dataclasses
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_rnn as tg
from small_runs import SENTENCES, a_table, a_text, copied, fitted, kept, same_weights
from tinygrad_rnn.exchange.arrays import read_arrays, write_arrays
from tinygrad_rnn.train.folder import OURS, RunFolder


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return fitted(tmp_path_factory.mktemp("done") / "run")


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    return fitted(tmp_path_factory.mktemp("series") / "run", a_table(), "lstm", batch=1)


def test_a_run_says_what_it_is(done):
    run = tg.train.Run(done.path)
    assert repr(run).endswith("24 updates>")
    assert run.cell == tg.cells.GRU(g="softmax")
    assert run.settings["hidden"] == 5
    assert run.settings["k2"] == 4
    assert run.settings["eta"] == 0.004
    assert "".join(sorted(run.known["alphabet"])) == "".join(sorted(set(SENTENCES)))
    assert run.data.text == SENTENCES
    assert [entry["update"] for entry in run.history] == [4, 8, 12, 16, 20, 24]
    assert {w.dtype for w in run.params.values()} == {np.dtype("float32")}
    best = min(run.history, key=lambda entry: entry["validation"])
    assert run.price() == best["validation"] == run.history[-1]["best"]
    last = run.price(last=True)
    assert last == run.history[-1]["validation"]


def test_the_best_weights_can_be_read_by_anybody(done):
    arrays, words = read_arrays(done.path / "best.safetensors")
    assert arrays.keys() == done.params.keys()
    assert json.loads(words["cell"])["kind"] == "GRU"
    assert float(words["validation"]) == done.history[-1]["best"]
    cell, params = tg.load(done.path / "best.safetensors")
    assert cell == done.cell
    assert all(np.array_equal(params[name], w) for name, w in done.best.items())


def test_a_folder_that_holds_something_is_left_alone(done, tmp_path):
    before = kept(done)
    with pytest.raises(FileExistsError, match=r"holds a run already: .*tinygrad-rnn resume"):
        fitted(done.path)
    assert kept(done) == before
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"holds mine\.txt"):
        fitted(tmp_path)
    with pytest.raises(FileExistsError, match="is a file"):
        fitted(tmp_path / "mine.txt")
    assert [each.name for each in tmp_path.iterdir()] == ["mine.txt"]
    (tmp_path / "empty").mkdir()
    assert fitted(tmp_path / "empty", updates=1).update == 1


def test_what_is_refused_leaves_no_folder(tmp_path):
    with pytest.raises(ValueError, match="k1=400 needs 401"):
        fitted(tmp_path / "run", k1=400)
    assert not (tmp_path / "run").exists()


def test_what_was_left_before_a_run_began_is_taken_over(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for name in (".lock", ".unfinished-0123", "state.safetensors", "log.jsonl"):
        (folder / name).write_bytes(b"half")
    assert kept(fitted(folder)) == kept(fitted(tmp_path / "whole"))


def test_two_do_not_train_in_one_folder(done, tmp_path):
    run = copied(done, tmp_path / "run")
    with RunFolder(run.path).held():
        with pytest.raises(BlockingIOError, match="another process trains in this folder"):
            run.resume(updates=30)
        assert run.update == 24  # who only looks is let in
    run.resume(updates=30)
    assert run.update == 30


def test_nothing_left_to_do_is_said(done):
    with pytest.raises(ValueError, match=r"nothing is left to do, by updates=24: .*Ask for more updates"):
        done.resume()


def test_a_changed_file_is_named_with_both_hashes(tmp_path):
    file = tmp_path / "t.txt"
    file.write_text(SENTENCES)
    run = fitted(tmp_path / "run", tg.data.text(file))
    assert not (run.path / "data.txt").exists()
    was = json.loads((run.path / "run.json").read_text())["data"]["sha256"]
    file.write_text(SENTENCES + "!")
    with pytest.raises(ValueError, match=rf"has changed .*{was}.* is [0-9a-f]{{64}}"):
        run.resume(updates=30)
    file.unlink()
    with pytest.raises(FileNotFoundError):
        run.resume(updates=30)
    assert run.update == 24


def changed(run, of_run=None, of_state=None):
    """A run whose files were changed by hand."""
    if of_run:
        words = json.loads((run.path / "run.json").read_text())
        of_run(words)
        (run.path / "run.json").write_text(json.dumps(words))
    arrays, metadata = read_arrays(run.path / "state.safetensors")
    words = json.loads(metadata["tinygrad_rnn"])
    if of_state:
        of_state(words, arrays)
        write_arrays(run.path / "state.safetensors", arrays, {"tinygrad_rnn": json.dumps(words)}, overwrite=True)
    return run


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda words: words.pop("known"), "run.json is not complete, or was changed by hand: there is no known"),
        (lambda words: words["data"].pop("sha256"), "there is no data.sha256"),
        (lambda words: words.update(data=3), "data is 3, and must be a JSON object"),
        (lambda words: words["known"]["inputs"]["size"].pop(), "known.inputs.size has 0, and not one for each column"),
        (
            lambda words: words["known"]["inputs"].update(size=["x"]),
            r"known.inputs.size\[0\] is 'x'",
        ),
        (lambda words: words["known"].update(target=[None]), r"known.target\[0\] is None, and must be a text"),
        (lambda words: words.update(known={"alphabet": ["a"]}), "a series is learned, and known are alphabet"),
        (lambda words: words["settings"].update(hidden=6), "these are not the weights of this run, which has .*m = 6"),
        (lambda words: words["settings"].update(kind="word"), "run.json is not complete"),
    ],
)
def test_what_was_changed_by_hand_is_refused_before_a_number_comes_of_it(series, tmp_path, change, says):
    run = changed(copied(series, tmp_path / "run"), change)
    for asked in (lambda: tg.train.Run(run.path).forecast(), lambda: tg.train.Run(run.path).resume(updates=30)):
        with pytest.raises(ValueError, match=says):
            asked()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda words, arrays: words.pop("order"), "state.safetensors is not complete, or was changed.*no order"),
        (lambda words, arrays: words["order"].pop(), "order does not name the weights that are there, each once"),
        (lambda words, arrays: words.update(epoch=None), "epoch is None, and must be a whole number from 0 up"),
        (lambda words, arrays: words["sums"].update(count=float("inf")), "sums.count is inf, and must be a number"),
        (lambda words, arrays: words["best"].update(validation=[1]), r"best.validation is \[1\], and must be a number"),
        (lambda words, arrays: words.update(log_bytes=-1), "log_bytes is -1"),
        (lambda words, arrays: words["schedule"].update(waited=""), "schedule.waited is ''"),
        (
            lambda words, arrays: arrays.update({"param.U": np.ones((2, 2), "float32")}),
            "not the weights of this run: ",
        ),
        (lambda words, arrays: arrays.pop("param.U"), "order does not name"),
    ],
)
def test_where_a_run_stands_is_looked_at_before_it_goes_on(series, tmp_path, change, says):
    run = changed(copied(series, tmp_path / "run"), of_state=change)
    with pytest.raises(ValueError, match=says):
        run.resume(updates=30)


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "has 0 bytes"), (b'{"upd', "has 5 bytes"), (b"[1]\n" * 300, "not JSON"), (b"{" * 2000, "not JSON")],
)
def test_a_history_that_is_damaged_is_no_shorter_one(series, tmp_path, content, says):
    run = copied(series, tmp_path / "run")
    (run.path / "log.jsonl").unlink() if content is None else (run.path / "log.jsonl").write_bytes(content)
    with pytest.raises(ValueError, match=rf"log\.jsonl.*{says}"):
        _ = run.history


def test_best_weights_of_another_network_are_not_used(series, tmp_path):
    run = copied(series, tmp_path / "run")
    other = fitted(tmp_path / "other", a_table(), "lstm", batch=1, hidden=3)
    shutil.copy(other.path / "best.safetensors", run.path)
    with pytest.raises(ValueError, match=r"best\.safetensors: these are not the weights of this run"):
        run.forecast()


@pytest.mark.parametrize(("size", "scale"), [(1e300, "standard"), (1e-310, "standard"), (1e-310, "minmax")])
def test_numbers_whose_spread_is_lost_are_refused(tmp_path, size, scale):
    with pytest.raises(ValueError, match=r"column 1 goes from .*: give it in another unit"):
        fitted(tmp_path / "run", a_table(size * (1 + np.arange(90) % 7)), "lstm", batch=1, scale=scale)
    with pytest.raises(ValueError, match=r"too large for float32: choose another scale, or dtype='float64'"):
        fitted(tmp_path / "run", a_table(1e300 * (1 + np.arange(90) % 7)), "lstm", batch=1, scale="none")
    assert not (tmp_path / "run").exists()


def test_more_layers_than_are_read_again_are_not_written(tmp_path):
    with pytest.raises(ValueError, match=r"layers=65: .* choose 64 or fewer"):
        fitted(tmp_path / "run", layers=65)
    assert not (tmp_path / "run").exists()


def test_data_that_were_changed_after_they_had_been_read_are_kept_beside_the_run(tmp_path):
    """The file has others, with which it would go on as if nothing had happened."""
    (tmp_path / "t.csv").write_text("\n".join(["a", *(str(k % 7) for k in range(90))]))
    read = tg.data.table(tmp_path / "t.csv", header="yes")
    turned = dataclasses.replace(read, values=read.values[::-1].copy(), targets=read.targets[::-1].copy())
    run = fitted(tmp_path / "run", turned, "lstm", batch=1)
    assert np.array_equal(run.data.values, turned.values)
    assert not (fitted(tmp_path / "as it is", read, "lstm", batch=1).path / "data.safetensors").exists()
    (tmp_path / "t.txt").write_text(SENTENCES)
    text = tg.data.text(tmp_path / "t.txt")
    run = fitted(tmp_path / "text", dataclasses.replace(text, text=text.text[::-1]))
    assert run.data.text == SENTENCES[::-1]


def test_a_table_in_no_file_is_kept_beside_the_run(tmp_path):
    table = a_table()
    run = fitted(tmp_path / "run", table, "lstm", batch=1)
    assert np.array_equal(run.data.values, table.values)
    assert run.data.columns == ("a",)
    scale = run.known["inputs"]
    assert scale["shift"] == [table.values[:81].mean()]
    assert scale["size"] == [table.values[:81].std()]


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("run.json", b'{"format": 2}', r"is of format 2, and this version .* reads format 1"),
        ("run.json", b"{", "is damaged: it is not JSON"),
        ("run.json", b'{"format": 1}', "is not complete"),
        ("state.safetensors", b"torn", "cannot be read as a safetensors file"),
        ("log.jsonl", b"", r"has 0 bytes, and \d+ were written: a part of it is gone"),
    ],
)
def test_what_is_damaged_is_named(done, tmp_path, file, content, says):
    run = copied(done, tmp_path / "run")
    (run.path / file).write_bytes(content)
    with pytest.raises(ValueError, match=says):
        tg.train.Run(run.path).resume(updates=30)


def test_a_folder_without_a_run_is_none(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no run: there is no run\.json"):
        tg.train.Run(tmp_path)
    with pytest.raises(FileNotFoundError, match="holds no run"):
        tg.train.Run(tmp_path / "nothing")


def test_another_machine_goes_on_and_says_so(done, tmp_path):
    run = copied(done, tmp_path / "run")
    words = json.loads((run.path / "run.json").read_text())
    words["versions"]["numpy"] = "1.0"
    (run.path / "run.json").write_text(json.dumps(words))
    said = []
    tg.train.Run(run.path).resume(updates=30, watch=said.append)
    assert said[0].startswith("NOTE: not bit-equal to a run that was never stopped: numpy was 1.0 and is ")
    said = []
    copied(done, tmp_path / "other").resume(updates=30, watch=said.append)
    assert not any("NOTE" in line for line in said)


def test_a_cosine_falls_over_what_ends_the_run_first(tmp_path):
    assert fitted(tmp_path / "a", decay="cosine", updates=20, epochs=9).settings["decay"] == "cosine:20"
    one = fitted(tmp_path / "b", decay="cosine", updates=2000, epochs=1)
    assert one.settings["decay"] == f"cosine:{one.update}"
    assert one.update < 2000
    with pytest.raises(ValueError, match="2,000 updates are asked for, and decay='cosine:30' has come to its end"):
        fitted(tmp_path / "c", decay="cosine:30", updates=2000, epochs=999)


def test_a_cosine_that_has_ended_is_not_drawn_out(tmp_path):
    run = fitted(tmp_path / "run", decay="cosine", updates=12)
    assert run.settings["decay"] == "cosine:12"
    with pytest.raises(ValueError, match="eta falls over 12 updates"):
        run.resume(updates=13)


def test_what_was_changed_on_the_way_is_written_down(done, tmp_path):
    run = copied(done, tmp_path / "run")
    run.resume(updates=28, eta=0.001)
    assert run.history[-1]["eta"] <= 0.001
    assert json.loads((run.path / "run.json").read_text())["changed"] == [{"update": 24, "updates": 28, "eta": 0.001}]
    assert tg.train.Run(run.path).settings["updates"] == 28


def test_a_run_begins_with_weights_from_a_file(done, tmp_path):
    run = fitted(tmp_path / "run", init_from=done.path / "best.safetensors", eta=1e-9, updates=4)
    assert all(np.allclose(run.params[name], done.best[name], atol=1e-6) for name in done.best)
    cell = tg.cells.GRU()
    tg.save(tmp_path / "theirs.npz", cell, done.best, names="torch")
    other = fitted(tmp_path / "theirs", init_from=tmp_path / "theirs.npz", eta=1e-9, updates=4)
    assert same_weights(run, other)
    large = {name: np.full(w.shape, 1e300) for name, w in done.best.items()}
    tg.save(tmp_path / "large.npz", cell, large)
    with pytest.raises(ValueError, match=r"large.npz': V holds what is too large for float32"):
        fitted(tmp_path / "large", init_from=tmp_path / "large.npz")
    with pytest.raises(ValueError, match=r"init_from=.* is of GRU.*, and cell=LSTM.* is another one"):
        fitted(tmp_path / "lstm", cell="lstm", init_from=done.path / "best.safetensors")
    with pytest.raises(ValueError, match=r"init_from=.* is .* in the file and .* in this network"):
        fitted(tmp_path / "other", init_from=done.path / "best.safetensors", hidden=6)


# ---- ends that nobody has planned


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_is_asked_to_stop_keeps_all_and_goes_on(done, tmp_path, number):
    def ask(line):
        if line.startswith("update 8,"):
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt, match=r"stopped after update [89], which is kept"):
        fitted(tmp_path / "run", watch=ask)
    assert signal.getsignal(number) is before
    run = tg.train.Run(tmp_path / "run")
    assert run.update in (8, 9)
    run.resume()
    assert kept(run) == kept(done)


def test_a_number_that_is_not_finite_ends_it_and_nothing_is_lost(tmp_path):
    options = {"optimiser": "sgd", "eta": 1e25, "clip": None, "every": 24}
    with pytest.raises(tg.train.DivergedError, match=r"update \d+, epoch 1, steps .*What there was after update"):
        fitted(tmp_path / "run", a_table(), "irnn", batch=1, **options)
    run = tg.train.Run(tmp_path / "run")
    assert all(np.isfinite(w).all() for w in run.params.values())
    clean = fitted(tmp_path / "clean", a_table(), "irnn", batch=1, **options | {"updates": max(run.update, 1)})
    assert run.update == 0 or same_weights(run, clean)
    with pytest.raises(tg.train.DivergedError, match="after update 1 the price of the validation part is not finite"):
        fitted(tmp_path / "other", a_table(), "irnn", batch=1, **options | {"every": 1})
    assert tg.train.Run(tmp_path / "other").update == 1


PROGRAM = """
import resource, sys
sys.path[:0] = {path!r}
import tinygrad_rnn as tg
from small_runs import fitted, a_text
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    tg.train.Run(sys.argv[1]).resume(updates=60)
except OSError as error:
    print(error.strerror, error.filename)
"""


def test_on_a_full_disk_what_was_kept_is_still_there(done, tmp_path):
    run = copied(done, tmp_path / "run")
    folder = str(Path(__file__).parents[1])
    code = PROGRAM.format(path=[folder])
    there = (run.path / "state.safetensors").stat().st_size
    for limit in (there // 2,):
        ran = subprocess.run([sys.executable, "-c", code, str(run.path), str(limit)], capture_output=True, text=True)
        assert "File too large" in ran.stdout, ran.stderr
        assert run.update >= 24
    run.resume(updates=60)
    assert kept(run) == kept(fitted(tmp_path / "whole", updates=60))
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_where_nothing_can_be_written_is_said():
    with pytest.raises(OSError, match="/proc"):
        fitted("/proc/run")


def test_a_text_with_characters_that_its_alphabet_has_not_is_refused(tmp_path):
    """Each would be taken for another one: a text that was changed after it had been read has its old alphabet."""
    changed = dataclasses.replace(a_text(), text=a_text().text.replace("t", "T", 1))
    with pytest.raises(ValueError, match=r"data: character \d+ of the text is 'T', which its alphabet has not"):
        fitted(tmp_path / "a", data=changed)
    assert not (tmp_path / "a").exists()


def test_a_text_of_any_characters_comes_back(tmp_path):
    strange = "a\u2028bc\ufeffe\u0301é\U0001f469\u200d\U0001f467\rz" * 20
    run = fitted(tmp_path / "run", a_text(strange), updates=2)
    assert run.data.text == strange
    assert tuple(run.known["alphabet"]) == run.data.alphabet


def test_what_a_killed_process_has_left_is_swept_even_if_nothing_is_left_to_do(done, tmp_path):
    run = copied(done, tmp_path / "run")
    (run.path / ".unfinished-0123").write_bytes(b"half")
    with pytest.raises(ValueError, match="nothing is left to do"):
        run.resume()
    assert not list(run.path.glob(".unfinished*"))


def test_the_page_says_what_each_file_of_a_run_is():
    page = (Path(__file__).parents[2] / "docs/training.md").read_text("utf-8")
    assert [name for name in sorted(OURS) if f"`{name}`" not in page] == []


def test_what_stands_behind_the_state_in_the_log_is_not_counted(done, tmp_path):
    """A full disk or a kill between the two leaves a line of which the state knows nothing."""
    run = copied(done, tmp_path / "run")
    with (run.path / "log.jsonl").open("a") as file:
        file.write('{"update": 25}\n')
    run.resume(updates=25)  # and no evaluation on the way, which would have moved on in the file
    assert tg.train.Run(run.path).history == done.history


@pytest.mark.parametrize("spoiled", [True, False])
def test_best_weights_that_are_gone_are_looked_for_anew(done, tmp_path, spoiled):
    run = copied(done, tmp_path / "run")
    file = run.path / "best.safetensors"
    if spoiled:
        file.write_bytes(b"spoiled")
    else:
        file.unlink()
    told = []
    run.resume(updates=32, watch=told.append)
    assert f"NOTE: {file}" in told[0]
    assert "the best weights are looked for anew" in told[0]
    again = tg.train.Run(run.path)
    assert again.history[-1]["best"] == min(one["validation"] for one in again.history[len(done.history) :])
    assert len(again.sample(5).text) == 5
