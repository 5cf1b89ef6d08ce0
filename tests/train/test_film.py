"""The film of a run: what it shows is what the network does, and taking it changes nothing and costs little."""

import json

import numpy as np
import pytest

import tinygrad_rnn as tg
from small_runs import a_table, copied, fitted, kept
from tinygrad_rnn.train import film as films
from tinygrad_rnn.train.film import MOMENTS, Film, moments
from tinygrad_rnn.train.loop import TrainingLoop
from tinygrad_rnn.view.lags import FilmRow, FilmStrip


@pytest.fixture
def at_once(monkeypatch):
    """All moments are developed when they come."""
    monkeypatch.setattr(films, "SHARE", 1e9)


def lines(run):
    return [json.loads(line) for line in (run.path / "film.jsonl").read_text().splitlines()]


def without(monkeypatch):
    monkeypatch.setattr(Film, "moved", lambda self, update: None)
    monkeypatch.setattr(Film, "end", lambda self: None)


@pytest.mark.parametrize("options", [{}, {"k1": 4, "k2": 9}, {"cell": "lstm", "layers": 2, "dtype": "float64"}])
def test_taking_a_film_changes_no_bit_of_a_run(options, at_once, tmp_path, monkeypatch):
    filmed = fitted(tmp_path / "a", **options)
    assert len(lines(filmed)) == 5
    without(monkeypatch)
    plain = fitted(tmp_path / "b", **options)
    assert not (plain.path / "film.jsonl").exists()
    assert kept(filmed) == kept(plain)


def test_moments_are_a_matter_of_updates_and_never_too_many():
    for update in [*range(200), *(10**k + 7 for k in range(3, 9))]:
        found = moments(update)
        assert found[0] == 0
        assert found == sorted(set(found))
        assert found[-1] <= update
        assert len(found) < MOMENTS
        assert set(found) <= {0} | set(moments(update - 1)) | {update}  # none comes back that was dropped
    assert moments(200) == [0, 10, 15, 22, 34, 51, 76, 114, 171]
    assert len(moments(10**7)) >= MOMENTS // 2 - 1


@pytest.mark.parametrize("cell", ["guo", "lstm", "gru", "elman", "irnn"])
def test_what_it_shows_is_the_influence_of_the_copies(cell, at_once, tmp_path):
    run = fitted(tmp_path / "run", cell=cell, dtype="float64")
    last = lines(run)[-1]
    assert last["update"] == run.update == 24
    lens = films.Lens(a_loop(run))
    net = tg.unfold(run.cell, run.params, lens.x, lens.d, loss="cross_entropy", reduction="sum", batch_first=False)
    G = tg.influence(net, "U")
    lengths = np.sqrt((G.reshape(net.T, net.T, -1) ** 2).sum(axis=-1))
    assert len(last["phi"]) == net.T - 1 == 24
    for lag, shown in enumerate(last["phi"]):
        mean = np.mean([lengths[t, t - lag] for t in range(lag + 1, net.T)])
        assert abs(shown - 20 * np.log10(mean)) <= 0.5 + 1e-6
    U = run.params["U"]
    largest = [np.linalg.norm(U[k : k + 5], 2) for k in range(0, len(U), 5)]
    assert np.allclose([each[0] / 100 for each in last["sigma"]], largest, atol=0.0051)


def a_loop(run):
    return TrainingLoop(run.cell, run.task(), run._settings, run.params)


@pytest.mark.parametrize(("cell", "layers"), [("guo", 1), ("guo", 3), ("gru", 2), ("lstm", 1), ("lstm", 3)])
def test_a_moment_is_small(cell, layers, at_once, tmp_path):
    run = fitted(tmp_path / "run", cell=cell, layers=layers, updates=12)
    assert max(map(len, (run.path / "film.jsonl").read_bytes().splitlines())) <= 200 + len(',"text":""') + films.LETTERS


def test_of_a_text_a_moment_shows_what_is_written_with_its_weights(at_once, tmp_path):
    run = fitted(tmp_path / "run")
    assert len({one["text"] for one in lines(run)}) > 1
    assert lines(run)[-1]["text"] == run.sample(films.LETTERS, temperature=films.TEMPERATURE, last=True).text
    seen = run.report().read_text("utf-8")
    for one in lines(run):
        assert f"<code>{one['text']}</code>" in seen
    series = fitted(tmp_path / "series", a_table(), "lstm", batch=1)
    assert not any("text" in one for one in lines(series))
    assert "as it learned" not in series.report().read_text("utf-8")


def test_a_film_of_before_there_were_texts_is_gone_on_with(at_once, tmp_path):
    run = fitted(tmp_path / "run")
    before = [{name: said for name, said in one.items() if name != "text"} for one in lines(run)]
    (run.path / "film.jsonl").write_text("".join(json.dumps(one) + "\n" for one in before))
    assert "as it learned" not in run.report().read_text("utf-8")
    run.resume(updates=60)
    assert [one.get("text") is None for one in lines(run)] == [True] * 4 + [False] * 3


def test_it_goes_on_where_a_run_was_stopped(at_once, tmp_path):
    whole = fitted(tmp_path / "whole", updates=60)
    half = fitted(tmp_path / "half", updates=24)
    assert [one["update"] for one in lines(half)] == [0, 10, 15, 22, 24]
    half.resume(updates=60)
    assert lines(half) == lines(whole)
    assert [one["update"] for one in lines(whole)] == [0, 10, 15, 22, 34, 51, 60]


def test_moments_behind_a_state_that_is_gone_on_from_are_taken_again(at_once, tmp_path):
    run = fitted(tmp_path / "run", updates=24)
    early = copied(run, tmp_path / "early")
    later = fitted(tmp_path / "later", updates=60)
    (early.path / "film.jsonl").write_bytes((later.path / "film.jsonl").read_bytes().replace(b'"phi":[', b'"phi":[99,'))
    early.resume(updates=60)
    assert [one["update"] for one in lines(early)] == [one["update"] for one in lines(later)]
    assert [one["phi"][0] == 99 for one in lines(early)] == [True] * 4 + [False] * 3


class Clock:
    """A clock that goes on when it is told to."""

    now = 0.0

    def perf_counter(self):
        return self.now


def test_it_takes_no_more_than_its_share_of_the_time(tmp_path, monkeypatch):
    clock, seen = Clock(), films.Lens.seen
    monkeypatch.setattr(films, "time", clock)

    def slowly(lens, params):
        clock.now += 3
        return seen(lens, params)

    monkeypatch.setattr(films.Lens, "seen", slowly)
    monkeypatch.setattr(films, "GUESS", 3.0)
    spent, moved = [], Film.moved

    def a_second_later(film, update):
        clock.now += 1
        moved(film, update)
        spent.append((film.spent, clock.now))

    monkeypatch.setattr(Film, "moved", a_second_later)
    run = fitted(tmp_path / "run", updates=400, every=400)
    assert all(took <= films.SHARE * now for took, now in spent)
    assert 0 < len(run._film.taken) < len(moments(400))
    run.report()
    assert [one["update"] for one in lines(run)] == [*moments(400), 400]


def test_what_waits_has_a_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(films, "WAITING", 10)
    run = fitted(tmp_path / "run")
    run.report()
    assert not (run.path / "film.jsonl").exists()


def test_a_run_does_not_end_for_want_of_a_picture(at_once, tmp_path, monkeypatch):
    def full(*given, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(films, "write_whole", full)
    assert fitted(tmp_path / "run").update == 24


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"no film\n",
        b"[]\n",
        b'{"update":1}\n',
        b'{"update":1,"phi":["<b>"],"sigma":[]}\n',
        b'{"update":1,"phi":[],"sigma":[],"text":1}',
    ],
)
def test_what_is_no_film_is_none(said, tmp_path):
    run = fitted(tmp_path / "run")
    (run.path / "film.jsonl").write_bytes(said)
    assert films.read_film(run.folder) == []
    assert run.resume(updates=30).update == 30


@pytest.mark.parametrize("rows", [3, 12, 90])
def test_short_series_have_films_too(rows, at_once, tmp_path):
    data = a_table(np.sin(np.arange(rows)))
    run = fitted(tmp_path / "run", data, "lstm", k1=1, batch=1, validate=0, decay="none", updates=4)
    assert len(lines(run)[0]["phi"]) == max(1, min(25, rows - 1) - 1)


def strip(*shares):
    """A film in which so much of all lengths lies at lag 5."""
    rows = []
    for k, share in enumerate(shares):
        far = None if share == 0 else round(20 * np.log10(share / (1 - share)) * 1e3)
        rows.append(FilmRow(10 * k, [0, None, None, None, None, None if far is None else far / 1e3], []))
    return FilmStrip(rows, 25)


@pytest.mark.parametrize(
    ("shares", "says"),
    [
        ([0, 0, 0, 0.1, 0.2, 0.3, 0.3], "at update 30"),
        ([0, 0, 0, 0.1, 0.01, 0.3, 0.3, 0.3], "at update 50"),  # it did not last
        ([0.1, 0.1, 0.1, 0.2, 0.25, 0.29], "not so far"),  # three times as much it never was
        ([0, 0, 0, 0.01, 0.015, 0.019], "not so far"),
        ([0, 0, 0, 0.5, 0.5], "too few moments to say"),
    ],
)
def test_when_a_long_lag_begins_to_count(shares, says):
    ((lag, found, first, last),) = strip(*shares).long()
    assert (lag, found) == (5, says)
    assert np.allclose([first, last], [shares[0], shares[-1]], atol=1e-3)
