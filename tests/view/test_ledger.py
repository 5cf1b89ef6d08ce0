"""The ledger shows what the copies hold, and that it adds up."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

import tinygrad_rnn as tg
from canonical import problem


def network(sizes):
    p = problem(sizes=sizes)
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    net.backward()
    return net


def numbers(line):
    return [float(word.replace("−", "-")) for word in line.split()[1:]]


@pytest.mark.parametrize(
    ("weight", "heads"), [("U", "u₁₁ u₁₂ u₂₁ u₂₂"), ("b_j", "b₁ b₂"), ("V", "v₁₁ v₁₂ v₁₃ v₂₁ v₂₂ v₂₃")]
)
def test_small_weights_are_shown_entry_by_entry(weight, heads):
    net = network((4, 2, 3, 2, 3))
    lines = str(tg.view.ledger(net, weight)).split("\n")
    assert lines[0].split() == ["t", *heads.split()]
    rows = [line for line in lines[1:] if "─" not in line]
    for line, share in zip(rows, net.copies[weight], strict=False):
        np.testing.assert_allclose(numbers(line), share.ravel(), atol=0.0005)
    assert numbers(rows[-2]) == numbers(rows[-1])
    np.testing.assert_allclose(numbers(rows[-1]), net.grads[weight].ravel(), atol=0.0005)


def test_the_rows_of_a_ledger_fit_a_terminal_and_its_columns_stand_apart_if_there_is_room():
    net = network((4, 2, 3, 2, 3))
    near, far = (str(tg.view.ledger(net, weight)).split("\n") for weight in ("V", "b_j"))
    assert "  " in far[-1].strip()
    wide = tg.view.ledger(net, "V")
    wide.shares, wide.total = wide.shares[:, :1] * [[[1, 1, 1]] * 3] + 1 / 3e3, np.ones((3, 3))
    lines = str(wide).split("\n")
    assert max(map(len, near + far + lines)) <= 80
    assert len({len(line) for line in lines}) == 1
    assert all(len(line.split()) == 10 for line in lines if "─" not in line)


def test_large_weights_are_shown_by_their_length():
    net = network((4, 1, 3, 5, 3))
    lines = str(tg.view.ledger(net, "U")).split("\n")
    assert "‖share‖" in lines[0]
    np.testing.assert_allclose(numbers(lines[-1]), [np.linalg.norm(net.grads["U"])], atol=0.0005)
    last = numbers(lines[-3])
    np.testing.assert_allclose(last[1], np.linalg.norm(net.grads["U"]), atol=0.0005)
    assert max(map(len, lines)) <= 80


def test_what_a_notebook_shows():
    p = problem()
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    assert "<figure" in net._repr_html_()
    net.backward()
    table = ET.fromstring(tg.view.ledger(net, "b_j")._repr_html_())
    assert [len(row) for row in table.iter("tr")] == [1 + len(p.params["b_j"])] * 8
    shown = tg.trace(net)
    assert shown._repr_html_().count('<section class="bptt"') == 1
