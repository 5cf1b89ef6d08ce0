"""The front page: its lines print the numbers of the picture above them."""

import re
from pathlib import Path

import numpy as np

import tinygrad_rnn as tg

PAGE = (Path(__file__).parents[1] / "docs/index.md").read_text("utf-8")


def made_by(code):
    names = {}
    exec(code, names)
    return names["net"]


def test_the_lines_are_those_of_the_player():
    block = re.search(r"```\{stepper\}\n(.*?)```", PAGE, re.DOTALL)[1]
    options, code = block.split("\n\n", 1)
    start = re.search(r":start: (\w+) (\d+)", options)
    shown = tg.trace(made_by(code))
    account = next(a for a in shown.accounts if a.id == start[1])
    column = account.shares[int(start[2]) - 1]
    printed = re.search(r"```\{doctest\}\n(.*?)```", PAGE, re.DOTALL)[1]
    lines = re.findall(r"^>>> (.*)$", printed, re.MULTILINE)
    assert len(lines) <= 10
    net = made_by("\n".join(line for line in lines if not line.startswith("print")))
    np.testing.assert_array_equal(net.copies[account.id][int(start[2]) - 1].ravel(), column.share.values)
    numbers = re.findall(r"-?\d\.\d{3}", printed.partition("round(3)")[2])
    assert [f"{float(text.replace('−', '-')):.3f}" for text in column.share.texts] == numbers


def test_what_the_page_says_of_the_share_is_so():
    """Alone, C(2) would have turned it the other way."""
    code = re.search(r"```\{stepper\}\n(.*?)```", PAGE, re.DOTALL)[1].split("\n\n", 1)[1]
    account = next(a for a in tg.trace(made_by(code)).accounts if a.id == "U")
    of_2, of_3 = account.shares[1].costs[1:]
    assert of_2.startswith("−")
    assert not of_3.startswith("−")
    assert not account.shares[1].share.percent.startswith("−")
