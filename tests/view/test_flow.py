"""The picture of a flow graph and its transpose: read back from its text, it is the two graphs."""

import re

import numpy as np
import pytest

import tinygrad_rnn as tg
from canonical import problem


def graph(sizes=(3, 1, 2, 3, 2), entry=(1, 2)):
    p = problem(sizes=sizes)
    net = tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0)
    return net, tg.flow_graph(net, "U", entry)


def edges(picture, panel):
    found = re.findall(rf"^\s*({panel}\w+) -> ({panel}\w+) ", picture.dot, re.MULTILINE)
    return {(a[1:], b[1:]) for a, b in found}


def test_both_graphs_stand_in_the_picture_and_one_is_the_other_turned_round():
    _, g = graph()
    picture = tg.draw_flow(g)
    names = {node: "_".join(map(str, [node[0], *node[1]])) for node in g}
    assert edges(picture, "a") == {(names[a], names[b]) for a, b in g.edges}
    assert edges(picture, "b") == {(names[b], names[a]) for a, b in g.edges}
    assert tg.draw_flow(tg.transposed(g)).dot == picture.dot


def test_a_box_says_what_has_arrived_and_a_line_its_gain():
    net, g = graph()
    scene = tg.draw_flow(g).scene
    boxes = {b.id: b for b in scene.boxes}
    above, below = tg.flow(g, {g.graph["source"]: 1.0}), tg.flow(tg.transposed(g), {g.graph["sink"]: 1.0})
    (net_j,) = (n for n in net.tape if str(n) == "netⱼ(2)")
    for panel, values in (("a", above), ("b", below)):
        box = boxes[f"{panel}{net_j.index}_0_2"]
        assert box.name == "netⱼ[3](2)"
        assert float(box.numbers[0][1].replace("−", "-")) == pytest.approx(values[net_j.index, (0, 2)], rel=5e-3)
    u = net.weights["U"].value
    state = next(line for line in scene.lines if line.kind == "state")
    assert float(state.label.replace("−", "-")) in np.round(u, 2)
    assert f"{tg.transfer(g):.6g}".replace("-", "−") in boxes["a_heading"].numbers[0][1]


def test_no_two_boxes_overlap():
    _, g = graph((3, 2, 2, 2, 3), (1, 1))
    boxes = tg.draw_flow(g).scene.boxes
    for k, a in enumerate(boxes):
        for b in boxes[:k]:
            apart = abs(a.x - b.x) >= (a.width + b.width) / 2 or abs(a.y - b.y) >= (a.height + b.height) / 2
            assert apart, (a.id, b.id)


def test_of_several_samples_the_sample_is_named():
    _, g = graph((2, 2, 2, 2, 3), (1, 1))
    names = {b.name for b in tg.draw_flow(g).scene.boxes}
    assert {"U[2,2]", "U[2,2](1)", "netⱼ[1,2](1)", "netⱼ[2,1](2)", "C"} <= names


def test_too_many_numbers_to_read():
    _, g = graph((5, 2, 3, 4, 6))
    with pytest.raises(ValueError, match="nobody could read a picture of more than 150"):
        tg.draw_flow(g)
