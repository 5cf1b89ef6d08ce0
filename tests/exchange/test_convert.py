"""The command `convert`: from one file to another, with one line on what was understood, and nothing overwritten."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import tinygrad_rnn as tg
from kept_cells import CELLS, alike, same
from tinygrad_rnn.cli import main

C = tg.cells


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def convert(*words):
    return CliRunner().invoke(main, ["convert", *map(str, words)])


def test_it_says_what_it_understood_and_what_is_lost():
    cell = CELLS["two gru"]
    tg.save("a.keras", cell, alike(cell))
    result = convert("a.keras", "b.safetensors", "--names", "torch")
    assert result.exit_code == 0, result.output
    first, *_, last = result.stdout.splitlines()
    assert first.startswith("read: Stacked(GRU(reset='after', g='identity'), GRU(")
    assert first.endswith("2 layers, l = 4, m = 5, o = 2, float64, in the form of Keras")
    assert last == "written: b.safetensors"
    back, params = tg.load("b.safetensors")
    assert same(back, cell)
    for name, w in alike(cell).items():
        np.testing.assert_array_equal(params[name], w)


def test_what_a_file_has_no_place_for_is_said_or_refused():
    tg.save("a.safetensors", CELLS["gru"], alike(CELLS["gru"]))
    result = convert("a.safetensors", "b.npz", "--names", "flax")
    assert result.exit_code == 0
    assert result.stderr == (
        "Note: g='softmax' of the head is not in such a file: what reads it applies it to the outputs\n"
    )
    mixed = tg.cells.Stacked(tg.cells.LSTM(), tg.cells.Guo(f="tanh"))
    tg.save("m.safetensors", mixed, mixed.init(2, 3, 2, rng=0))
    result = convert("m.safetensors", "n.npz", "--names", "flax")
    assert "f='tanh' of the units is not in such a file" in result.stderr
    tg.save("c.safetensors", CELLS["gru before"], alike(CELLS["gru before"]))
    result = convert("c.safetensors", "d.npz", "--names", "flax")
    assert result.exit_code == 1
    assert "Flax has no such layer: its GRU resets after the recurrent product" in result.stderr
    assert not Path("d.npz").exists()


def test_numbers_are_rounded_only_if_asked_for_and_that_is_said():
    tg.save("a.safetensors", CELLS["lstm"], alike(CELLS["lstm"]))
    result = convert("a.safetensors", "b.onnx", "--dtype", "float32")
    assert "Note: the numbers are rounded to float32" in result.stderr
    assert tg.load("b.onnx")[1]["V"].dtype == np.float32
    assert convert("a.safetensors", "c.onnx").stderr == ""


def test_nothing_is_overwritten_without_a_word():
    tg.save("a.safetensors", CELLS["lstm"], alike(CELLS["lstm"]))
    Path("b.npz").write_bytes(b"mine")
    for file in ("b.npz", "a.safetensors"):
        result = convert("a.safetensors", file)
        assert result.exit_code == 1
        assert result.output == f"Error: {file} exists already: choose another name, or pass --force.\n"
    assert Path("b.npz").read_bytes() == b"mine"
    for word in ("--overwrite", "--force"):
        Path("b.npz").write_bytes(b"mine")
        assert convert("a.safetensors", "b.npz", word).exit_code == 0
        assert tg.load("b.npz")[0] == CELLS["lstm"]


def test_what_a_file_does_not_say_is_asked_for():
    tg.save("a.safetensors", CELLS["tanh"], alike(CELLS["tanh"]), names="torch")
    result = convert("a.safetensors", "b.npz")
    assert result.exit_code == 1
    assert "does not say which activation its units have" in result.output
    assert convert("a.safetensors", "b.npz", "--f", "tanh").exit_code == 2
    assert convert("a.safetensors", "b.npz", "--cell", "lstm", "--f", "tanh").exit_code == 2
    result = convert("a.safetensors", "b.npz", "--cell", "guo", "--f", "tanh", "--g", "softmax")
    assert result.exit_code == 0, result.output
    assert tg.load("b.npz")[0] == CELLS["tanh"]
    assert convert("a.safetensors", "c.npz", "--cell", "guo", "--only", "rnn").exit_code == 0
    assert "W" not in tg.load("c.npz")[1]


@pytest.mark.parametrize(
    "words",
    [
        ("missing.npz", "b.npz"),
        ("a.safetensors", "b.txt"),
        ("a.txt", "b.npz"),
        (".", "b.npz"),
        ("a.safetensors", "nowhere/b.npz"),
        ("a.safetensors", "b.keras", "--names", "torch"),
        ("/dev/zero", "b.npz"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(words):
    tg.save("a.safetensors", CELLS["lstm"], alike(CELLS["lstm"]))
    before = sorted(Path().iterdir())
    result = convert(*words)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert isinstance(result.exception, SystemExit)
    assert sorted(Path().iterdir()) == before
