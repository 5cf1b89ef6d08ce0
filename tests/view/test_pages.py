"""Pages that fit, code that is folded, and pictures in characters."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.view.characters import in_characters
from tinygrad_rnn.view.pages import folded, pages, parts


def test_blocks_fill_a_page_and_none_is_cut_that_fits():
    blocks = [["a"] * 3, ["b"] * 2, ["c"] * 4, ["d"] * 6]
    assert list(pages(blocks, 6)) == [["a"] * 3 + [""] + ["b"] * 2, ["c"] * 4, ["d"] * 6]


def test_what_is_higher_than_a_page_is_cut_at_an_empty_line_or_at_the_end():
    assert list(pages([[*"abcd", "", *"efgh"]], 6)) == [[*"abcd"], [*"efgh"]]
    assert list(pages([[*"abcdefg"]], 3)) == [[*"abc"], [*"def"], [*"g"]]
    assert list(pages([["a"], [*"bcde"]], 3)) == [["a"], [*"bcd"], ["e"]]


@pytest.mark.parametrize("room", [1, 2, 5, 24])
def test_no_line_is_lost(room):
    blocks = [[f"{k}-{j}" for j in range(k)] for k in range(1, 30)]
    shown = [line for page in pages(blocks, room) for line in page if line]
    assert shown == [line for block in blocks for line in block]


def test_a_heading_stays_with_what_it_is_about():
    text = "# Title\n\nfirst\n\n* one\n\n  more of it\n\n```\na\n\nb\n```\n\n## Next\n\nlast"
    assert parts(text) == [
        "# Title\n\nfirst",
        "* one\n\n  more of it",
        "```\na\n\nb\n```",
        "## Next\n\nlast",
    ]


CODE = """import numpy as np
import tinygrad_rnn as tg
x = np.ones(3)


def f(x):
    \"\"\"Twice.\"\"\"
    y = 2 * x
    return y


net = tg.unfold(
    cell, x
)
for k in range(3):
    print(k)
assert tg.ledger(net)
"""


def test_code_is_folded_to_what_it_asks_of_the_library():
    whole = CODE.strip()
    assert folded(whole, 17) == whole
    assert folded(whole, 12).split("\n") == [
        "# ...", "def f(x):", '    """Twice."""', "    # ...", "net = tg.unfold(", "    cell, x", ")", "# ..."
    ]  # fmt: skip
    for most in range(1, 17):
        assert folded(whole, most).count("\n") < most


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
