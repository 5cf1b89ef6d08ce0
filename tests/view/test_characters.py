"""Pictures in characters."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.view.characters import in_characters


def drawn(cell, T=3, **how):
    x = np.zeros((T, 1, 2))
    net = tg.unfold(cell, cell.init(2, 2, 2, rng=0), x, x)
    net.backward()
    return tg.draw(net, **how).scene


def test_a_textbook_picture_in_characters():
    assert in_characters(drawn(tg.cells.Guo(f="tanh"), T=2, level="figure"), 80).split("\n") == [
        "              C(1)         C(2)",
        "               │            │",
        "              y(1)         y(2)",
        "               │            │",
        "              W(1)         W(2)",
        "               │            │",
        " s(0)──U(1)───s(1)──U(2)───s(2)",
        "               │            │",
        "              V(1)         V(2)",
        "               │            │",
        "              x(1)         x(2)",
    ]


def test_the_sum_stands_below_it():
    text = in_characters(drawn(tg.cells.Guo(f="tanh"), level="figure", ledger="U"), 80)
    assert text.count("=") == 1
    assert text.count("+") == 2
    assert "∂C/∂U" in text


@pytest.mark.parametrize("cell", [tg.cells.LSTM(), tg.cells.GRU()], ids=str)
def test_a_picture_whose_lines_cross_is_none_in_characters(cell):
    assert in_characters(drawn(cell, level="figure"), 200) == ""


def test_nor_is_one_that_is_wider_than_the_terminal():
    scene = drawn(tg.cells.Guo(f="tanh"), T=5, level="figure")
    wide = max(map(len, in_characters(scene, 80).split("\n")))
    assert in_characters(scene, wide)
    assert in_characters(scene, wide - 1) == ""
