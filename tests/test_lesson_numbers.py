"""Every number in every step of every network of every lesson is recomputed from the shown formula's own numbers."""

import math

import pytest

from ledgers_told import chains_end_at_a_cost, roads_are_the_tapes, they_add_up
from recomputed import open_sums, wrong
from tinygrad_rnn import Unfolded
from tinygrad_rnn.view import lessons, trace

MOST_NODES = 3000  # of a larger network a lesson shows no steps
MOST_STEPS = 60  # of a longer one the player shows no more than of a shorter one
LEARN_LONG = {21}  # a minute of training, a network too wide to be worked out by hand, and no steps shown


@pytest.mark.slow
@pytest.mark.parametrize(
    "lesson",
    [found for found in lessons.lessons() if found.number not in LEARN_LONG],
    ids=lambda lesson: f"{lesson.number:02}",
)
def test_what_the_steps_show_is_so(lesson, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = lessons.fresh_names(lesson)
    for cell in lesson.cells():
        if cell.kind == "code":
            lessons.execute(cell, lesson, names)
    capsys.readouterr()
    nets = {id(net): net for net in names.values() if isinstance(net, Unfolded) and len(net.tape) <= MOST_NODES}
    for net in nets.values():
        shown = [step for step in net.steps() if all(map(math.isfinite, step.value.flat))]
        assert [said for said in map(wrong, shown) if said] == []
        if net.T <= MOST_STEPS:
            net.replay()  # a lesson may have changed the weights
            told = trace(net)
            assert open_sums(told) == []
            they_add_up(net, told)
            roads_are_the_tapes(net, told)
            chains_end_at_a_cost(net, told)
