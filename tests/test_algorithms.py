"""The table of algorithms says nothing that is not so, and leaves out nothing that is public."""

import pytest

import algorithms
import tinygrad_rnn as tg
from tinygrad_rnn import through_time, train

ROWS = list(algorithms.algorithms())
# What is no algorithm of its own: what one yields or is made of, and the plain cells that all of them run on.
PARTS = {
    "Carry",
    "Checkpointed",
    "Diagnosis",
    "DivergedError",
    "Explanation",
    "Optimiser",
    "Ordered",
    "Window",
    "Wrong",
    "fewest_plays",
    "flow_graph",
    "spectral_radius",
    "stream",
}
PLAIN = {"Cell", "Elman", "Guo", "IRNN"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_is_true(row):
    assert list(algorithms.missing(row)) == []


def test_every_algorithm_is_in_the_table():
    listed = {part for row in ROWS for name in row.public for part in name.split(".")}
    assert {*through_time.__all__, *train.__all__, *tg.cells.__all__} - listed == PARTS | PLAIN


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"public": ["lost"]}, "tg.lost is not public"),
        ({"public": ["train.lost"]}, "tg.train.lost does not exist"),
        ({"lessons": [99]}, "lesson 99 does not exist"),
        ({"lessons": [1]}, "lesson 1 uses none of artbp, artbp_gradient"),
        ({"tests": ["lost"]}, "the test lost does not exist"),
        ({"pages": ["teach"]}, "the page teach uses none of artbp, artbp_gradient"),
        ({"lessons": [], "pages": []}, "a row has a public name, a test, and a lesson or a page"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_there_is_noticed(change, complaint):
    row = next(row for row in ROWS if "artbp" in row.public)
    assert complaint in list(algorithms.missing(row._replace(**change)))
