"""Pages that fit, and code that is folded."""

import pytest

from tinygrad_rnn.cli.pages import folded, pages, parts


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
