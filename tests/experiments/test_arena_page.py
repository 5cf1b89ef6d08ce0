"""What docs/arena.md says of its tables is what stands in them."""

import json
from pathlib import Path

import pytest

from tinygrad_rnn.experiments.arena.rivals import RIVALS, STREAMS
from tinygrad_rnn.experiments.arena.tasks import SHIPPED, task

KEPT = json.loads((Path(__file__).parents[2] / "docs/_data/arena.json").read_text("utf-8"))
WITHOUT = [name for name, rival in RIVALS.items() if rival.uses != "gradient"]
EVOLUTION = [name for name, rival in RIVALS.items() if rival.uses == "evolution"]


def rows(name, of=KEPT):
    return {row["rival"]: row for row in of["tasks"][name]}


def test_the_tables_are_whole_and_nobody_stands_at_an_edge():
    assert set(KEPT["tasks"]) == set(SHIPPED)
    assert set(KEPT["on_line"]["tasks"]) == {name for name in SHIPPED if task(name).on_line}
    assert all(rows(name).keys() == RIVALS.keys() for name in KEPT["tasks"])
    assert all(rows(name, KEPT["on_line"]).keys() > STREAMS.keys() for name in KEPT["on_line"]["tasks"])
    for table in (KEPT, KEPT["on_line"]):
        assert table["edges"] == []
        assert {row["runs"] for each in table["tasks"].values() for row in each} == {table["seeds"]} == {10}


@pytest.mark.parametrize("name", ["mackey_glass", "adding", "reber"])
def test_where_the_gradient_is_better_in_every_pair(name):
    found = rows(name)
    assert {found[rival]["better_than_adam"] for rival in WITHOUT} == {0}


def test_where_it_is_better_in_nearly_every_pair():
    found = rows("sunspots")
    assert 0 < max(found[rival]["better_than_adam"] for rival in WITHOUT) < 0.1


def test_where_it_is_not():
    found = rows("parity")
    ahead = [rival for rival in EVOLUTION if found[rival]["better_than_adam"] > 0.5]
    assert len(ahead) >= 3
    assert found["adam"]["train"] > 0.99
    assert min(found[rival]["train"] for rival in EVOLUTION) > 0.9
    learnt = [rival for rival, row in found.items() if row["quartiles"][0][-1] < 0.05]
    assert learnt == ["lm"]  # of nobody else is it a quarter of the runs


def test_first_in_training_and_last_in_the_test():
    found = rows("sunspots")
    assert sorted(found, key=lambda rival: found[rival]["train"])[:2] == ["lm", "lbfgs"]
    assert min(found[r]["test"] for r in ("lm", "lbfgs")) > max(found[r]["test"] for r in EVOLUTION)


def test_who_keeps_up_on_line():
    series, spots = (rows(name, KEPT["on_line"]) for name in ("mackey_glass", "sunspots"))
    low, high = series["adam"]["train_interval"]
    assert low < series["TBPTT"]["train"] < high
    assert spots["TBPTT"]["better_than_adam"] < 0.1
    assert max(each[m]["better_than_adam"] for each in (series, spots) for m in ("e-prop", "UORO", "RTRL")) < 0.05
