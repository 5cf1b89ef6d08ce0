"""The page of a run: its numbers are those of the run, and whatever a run was, there is a page or a line."""

import html
import json
import re

import numpy as np
import pytest
from click.testing import CliRunner

import tinygrad_rnn as tg
from small_runs import a_table, a_text, copied, fitted
from tinygrad_rnn.cli import main
from tinygrad_rnn.view.charts import number

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&<b> \u202e"


def page(run, **options):
    return run.report(**options).read_text("utf-8")


def words(text):
    """What is read on a page."""
    return html.unescape(
        re.sub(r"\s+", " ", re.sub(r"<(style|title|desc)\b.*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL))
    )


def cells(text, label):
    """The rows of the table in the region of that name."""
    region = re.search(rf'aria-label="{label}".*?<tbody>(.*?)</tbody>', text, re.DOTALL)[1]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", region, re.DOTALL)
    return [[html.unescape(cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)] for row in rows]


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    return fitted(tmp_path_factory.mktemp("runs") / "text")


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    return fitted(tmp_path_factory.mktemp("runs") / "series", a_table(), "lstm", batch=1)


@pytest.mark.parametrize("kind", ["texts", "series"])
def test_the_numbers_are_those_of_the_log(kind, request):
    run = request.getfixturevalue(kind)
    shown = cells(page(run), "The log of the run")
    assert len(shown) == len(run.history) == 6
    for row, line in zip(shown, run.history, strict=True):
        assert row[0] == f"{line['update']:,}"
        assert row[2:6] == [number(line[what]) for what in ("train", "validation", "best", "gradient")]


def test_a_text_is_shown_beside_what_costs_nothing(texts):
    data = a_text()
    codes = np.array([data.alphabet.index(c) for c in data.text])
    known = len(codes) - round(0.1 * len(codes))
    K = len(data.alphabet)
    seen = words(page(texts))
    for name, price in (
        ("ln K", np.log(K)),
        ("unigram", tg.train.unigram(codes[:known], codes[known:], K)),
        ("bigram", tg.train.bigram(codes[:known], codes[known:], K)),
        ("this network", min(line["validation"] for line in texts.history)),
    ):
        assert f" {name} {number(price)} " in seen
    assert f"{tg.train.sample(texts.cell, texts.best, texts.known['alphabet'], length=600).text[:40]}" in seen


def test_a_series_is_shown_beside_what_costs_nothing(series):
    table = a_table()
    x = (table.values[:, 0] - table.values[:81].mean()) / table.values[:81].std()
    seen = words(page(series))
    AR = tg.train.autoregression(x[:81])
    assert f" last value {number(np.mean((x[81:] - x[80:-1]) ** 2))} " in seen
    assert f" {AR} {number(np.mean((x[81:] - AR.ahead(x, 81, 90)) ** 2))} " in seen
    assert f" this network {number(min(line['validation'] for line in series.history))} " in seen
    # One step ahead, in the data's unit, the error is that of the validation part once more.
    rmse = np.sqrt(series.price()) * table.values[:81].std()
    (told, *_) = cells(page(series).replace("From the true values: a", "told", 1), "told")
    assert (told[0], told[3]) == ("network", number(rmse))


def test_a_page_is_the_same_each_time(texts, tmp_path):
    assert page(texts) == page(tg.train.Run(texts.path)) == page(texts, path=tmp_path / "page.html")


def test_a_page_says_what_was_trained(texts):
    seen = words(page(texts))
    for said in ("24 of 24", "k1 4", "optimiser adam", tg.__version__, np.__version__, "24 updates are done"):
        assert said in seen


def test_a_page_needs_nothing_else(texts, series):
    for run in (texts, series):
        text = page(run)
        assert "default-src 'none'" in text
        assert not re.findall(r"<script|<link|<img|<iframe|https?:|url\(|@import|\bon\w+=", text)
        ids = re.findall(r'\bid="([^"]+)"', text)
        assert len(ids) == len({*ids})
        for points_to in re.findall(r'aria-labelledby="([^"]+)"|\bfor="([^"]+)"', text):
            assert {*" ".join(points_to).split()} <= {*ids}


SERIES = {"data": a_table(), "cell": "lstm", "batch": 1}


@pytest.mark.parametrize("kind", [{}, SERIES], ids=["text", "series"])
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"updates": 1}, "1 of 1"),
        ({"validate": 0, "decay": "none"}, "No part of the data was evaluated"),
        ({"updates": 3, "every": 10, "validate": 0, "decay": "none"}, "The run has come to no evaluation"),
        ({"updates": 3, "every": 10}, "The run has come to no evaluation"),
        ({"k1": 1}, "k1 1"),
        ({"test": 0.1}, "test 0.1"),
        ({"clip": 0}, "clip none"),
        ({"clip_by": "value", "layers": 2}, "2 layers of 5 units"),
        ({"decay": "cosine"}, "decay cosine:24"),
    ],
)
def test_whatever_a_run_was_there_is_a_page(options, says, kind, tmp_path):
    text = page(fitted(tmp_path / "run", **kind | options))
    assert says in words(text)
    assert "nan" not in re.findall(r"\w+", words(text))


def test_a_run_that_has_left_all_bounds_says_where(tmp_path):
    with pytest.raises(tg.train.DivergedError):
        fitted(tmp_path / "run", a_table(), "irnn", batch=1, optimiser="sgd", eta=1e9, clip=0, every=1)
    seen = words(page(tg.train.Run(tmp_path / "run")))
    assert "is not finite" in seen or "too large" in seen


def test_a_run_that_was_killed_is_shown_as_it_stands(texts, tmp_path):
    run = copied(texts, tmp_path / "run")
    times = (run.path / "times.jsonl").read_bytes().splitlines(keepends=True)
    (run.path / "times.jsonl").write_bytes(b"".join(line for line in times if b"ended" not in line) + b'{"upd')
    (run.path / "film.jsonl").unlink(missing_ok=True)
    seen = words(page(run))
    assert "After 24 updates it was stopped without a word" in seen
    assert "There is no moment yet" in seen


def test_a_run_whose_data_are_gone_is_shown_without_them(texts, tmp_path):
    run = copied(texts, tmp_path / "run")
    (run.path / "data.txt").write_text("something else")
    seen = words(page(run))
    assert "The data cannot be read any more" in seen
    assert "has changed since the run began" in seen
    assert number(run.history[0]["train"]) in seen
    assert "What it writes" in seen  # the alphabet is known


def test_what_strangers_have_written_is_text(tmp_path):
    text = fitted(tmp_path / HOSTILE.replace("/", ""), a_text(HOSTILE * 40))
    values = np.sin(np.arange(180.0)).reshape(90, 2)
    table = a_table(values, header='"{}",b'.format(HOSTILE.replace('"', '""')))
    numbers = fitted(tmp_path / "series", table, "lstm", batch=1)
    (text.path / "times.jsonl").write_text(json.dumps({"update": 24, "ended": HOSTILE}) + "\n")
    for run in (text, numbers):
        seen = page(run)
        assert not re.findall(r"<img|<script|</script|<b> ", seen)
        assert "onerror" in words(seen)


def test_no_file_is_replaced_unasked(texts, tmp_path):
    file = tmp_path / "page.html"
    file.write_text("mine")
    with pytest.raises(FileExistsError):
        texts.report(file)
    assert file.read_text() == "mine"
    assert texts.report(file, overwrite=True) == file
    assert texts.report() == texts.report()  # the folder's own is


def test_many_evaluations_are_thinned_and_that_is_said(texts, tmp_path):
    run = copied(texts, tmp_path / "run")
    line = run.history[-1]
    run.folder.history = lambda length: [line | {"update": k, "gradient": k / 7} for k in range(1, 5001)]
    text = page(run)
    shown = cells(text, "The log of the run")
    assert len(shown) == 100
    assert shown[-1][0] == "5,000"
    assert "100 of 5,000 lines of the log" in words(text)
    assert len(text) < 200_000


def test_the_command(texts, tmp_path):
    run = copied(texts, tmp_path / "run")
    said = CliRunner().invoke(main, ["report", str(run.path)])
    assert (said.exit_code, said.output) == (0, f"written: {run.path / 'report.html'}\n")
    other = tmp_path / "other.html"
    for options, code in (([], 0), ([], 1), (["--force"], 0)):
        said = CliRunner().invoke(main, ["report", str(run.path), "-o", str(other), *options])
        assert said.exit_code == code, said.output
    assert other.read_bytes() == (run.path / "report.html").read_bytes()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: (path / "run.json").unlink(), "holds no run"),
        (lambda path: (path / "run.json").write_text("{"), "is damaged"),
        (lambda path: (path / "state.safetensors").write_bytes(b"x"), "state.safetensors"),
        (lambda path: (path / "state.safetensors").unlink(), "state.safetensors"),
    ],
)
def test_what_is_no_run_is_a_line(spoil, says, texts, tmp_path):
    run = copied(texts, tmp_path / "run")
    spoil(run.path)
    said = CliRunner().invoke(main, ["report", str(run.path)])
    assert said.exit_code == 1
    assert says in said.output
    assert said.output.count("\n") == 1


@pytest.mark.parametrize("kind", ["texts", "series"])
def test_a_run_whose_best_weights_are_gone_is_shown_without_them(kind, request, tmp_path):
    run = copied(request.getfixturevalue(kind), tmp_path / "run")
    (run.path / "best.safetensors").unlink()
    seen = words(page(run))
    assert "best.safetensors: No such file or directory" in seen
    assert "Errno" not in seen
    assert "The price, and what others pay" in seen


@pytest.mark.parametrize(("seconds", "said"), [(0.312, "0.31 s"), (17.6, "18 s"), (150, "2.5 min")])
def test_a_short_run_has_taken_some_time(seconds, said, texts, tmp_path):
    run = copied(texts, tmp_path / "run")
    (run.path / "times.jsonl").write_text(f'{{"seconds": {seconds}}}\n')
    assert said in words(page(run))
