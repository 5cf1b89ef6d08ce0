"""The commands sample and forecast, as somebody types them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import tinygrad_rnn as tg
from tinygrad_rnn.cli import main


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A text, a series, and a text of bytes, learnt a little."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "t.txt").write_text("we see what we see, " * 30)
    (folder / "s.csv").write_text("v\n" + "\n".join(f"{v:.3f}" for v in 9 + np.sin(np.arange(90))) + "\n")
    small = {"hidden": 4, "k1": 10, "updates": 20, "every": 10}
    tg.train.fit("gru", tg.data.text(folder / "t.txt"), out=folder / "text", batch=2, **small)
    tg.train.fit("gru", tg.data.text(folder / "t.txt", encoding="bytes"), out=folder / "bytes", batch=2, **small)
    tg.train.fit("gru", tg.data.table(folder / "s.csv"), out=folder / "series", **small)
    return folder


@pytest.fixture(autouse=True)
def in_the_folder(runs, monkeypatch):
    monkeypatch.chdir(runs)


def run(*words, code=0):
    result = CliRunner().invoke(main, words)
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def refused(*words, code=1):
    *_, line = run(*words, code=code).stderr.strip().splitlines()
    assert line.startswith("Error: ")
    return line


def test_a_text_goes_to_the_output_and_what_is_said_of_it_to_the_other():
    found = tg.train.Run("text").sample(40, prime="we", temperature=0.5, rng=3)
    result = run(
        "sample", "text", "--length", "40", "--prime", "we", "--temperature", "0.5", "--seed", "3", "--log-prob"
    )
    assert result.stdout == f"{found}\n"
    assert result.stderr == f"ln p = {found.log_probability:.4f}, {found.price:.4f} nats a character\n"
    last = run("sample", "text", "--length", "40", "--temperature", "0", "--last").stdout
    assert last == f"{tg.train.Run('text').sample(40, temperature=0, last=True)}\n"
    assert len(run("sample", "text", "--length", "9", "--temperature", "inf").stdout) == 10


def test_bytes_are_written_as_bytes():
    result = run("sample", "bytes", "--length", "60", "--prime", "é", "--temperature", "inf")
    assert result.stdout_bytes.startswith("é".encode())
    assert len(result.stdout_bytes) == 62


def test_what_the_network_does_not_know_is_refused_or_passed_over():
    assert refused("sample", "text", "--prime", "wéx") == (
        "Error: prime: its character 2, 'é', is not among the 8 that the network knows; pass --unknown skip"
    )
    result = run("sample", "text", "--prime", "wéé", "--unknown", "skip", "--length", "3")
    assert result.stderr == "passed over: 'é'\n"
    assert result.stdout.startswith("w")


def test_a_forecast_is_printed_as_a_table_as_json_and_row_by_row():
    found = tg.train.Run("series").forecast(5)
    assert run("forecast", "series", "--steps", "5").stdout == f"{found!r}\n"
    numbers = json.loads(run("forecast", "series", "--steps", "5", "--json").stdout)
    assert numbers["told"]["network"]["free"] == found.network.free.tolist()
    assert numbers["scores"][0]["nmse"] == found.score().nmse
    run("forecast", "series", "--steps", "5", "--csv-out", "told.csv")
    rows = list(csv.DictReader(Path("told.csv").read_text().splitlines()))
    assert [float(row["v, network on its own"]) for row in rows] == found.network.free[:, 0].tolist()
    assert [float(row["v"]) for row in rows] == found.true[:, 0].tolist()
    assert rows[0]["row"] == "81"
    assert "told.csv exists already" in refused("forecast", "series", "--csv-out", "told.csv")
    run("forecast", "series", "--csv-out", "told.csv", "--force")


def test_what_is_asked_for_is_done():
    found = tg.train.Run("series").forecast(4, start=80, season=6, order=2, variance=2.0, last=True)
    words = ("--steps", "4", "--from", "80", "--season", "6", "--ar", "2", "--variance", "2", "--last")
    assert run("forecast", "series", *words).stdout == f"{found!r}\n"
    assert "AR(2)" in repr(found)
    assert "6 before" in repr(found)


def test_another_file_is_told_from_its_end_on():
    Path("new.csv").write_text("v\n" + "\n".join(f"{v:.3f}" for v in np.sin(np.arange(50))) + "\n")
    numbers = json.loads(run("forecast", "series", "--csv", "new.csv", "--steps", "3", "--json").stdout)
    assert (numbers["start"], numbers["true"], len(numbers["told"]["network"]["free"])) == (50, [], 3)
    assert "no.csv" in refused("forecast", "series", "--csv", "no.csv")
    Path("bad.csv").write_text("v\n1\n\n2\n")
    assert "pass --missing" in refused("forecast", "series", "--csv", "bad.csv")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("sample", "nowhere"), "nowhere"),
        (("sample", "series"), "was trained on a series"),
        (("forecast", "text"), "was trained on a text"),
        (("forecast", "series", "--from", "91"), "--from 91: it must be a whole number from 3 to 90"),
        (("forecast", "series", "--ar", "70"), "--ar 70: of 81 rows at most"),
        (("forecast", "series", "--variance", "0"), "--variance 0.0: it must be above 0"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(words, why):
    assert why in refused(*words)


def test_a_temperature_that_is_no_number_is_a_slip_of_usage():
    assert "'--temperature': nan is not a number" in refused("sample", "text", "--temperature", "nan", code=2)


@pytest.mark.parametrize("words", [("--season", "x"), ("--ar", "-1"), ("--season", "0"), ("--steps", "0")])
def test_what_is_no_such_value_is_a_slip_of_usage(words):
    assert "Error: Invalid value" in refused("forecast", "series", *words, code=2)
