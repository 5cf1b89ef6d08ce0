"""Pictures: what they show, that they equal the tape, and what happens when they cannot be drawn or saved."""

import json
import os
import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

import readme_picture
import tinygrad_rnn as tg
from canonical import problem
from tinygrad_rnn.view import engine


def network(backward=True, **kind):
    p = problem(**kind)
    net = tg.unfold(p.cell, p.params, p.x, p.d, loss=p.loss, s0=p.s0)
    if backward:
        net.backward()
    return net


def read_back(dot):
    """Nodes, edges and frames of the DOT text, as Graphviz itself reads them."""
    done = subprocess.run([engine.find(), "-Kneato", "-n2", "-Tjson"], input=dot.encode(), capture_output=True)
    parsed = json.loads(done.stdout)
    objects = parsed["objects"]
    nodes = {o["name"]: o for o in objects if "bb" not in o and not o.get("class", "").startswith("number")}
    frames = {
        o["name"]: {objects[k]["name"] for k in o["nodes"] if objects[k]["name"] in nodes} for o in objects if "bb" in o
    }
    edges = {(objects[e["tail"]]["name"], objects[e["head"]]["name"], e["id"]) for e in parsed["edges"]}
    return nodes, edges, frames


@pytest.mark.parametrize("kind", [{}, {"g": "identity", "loss": "squared_error"}, {"sizes": (1, 1, 1, 1, 2)}])
def test_the_graph_read_back_from_the_picture_is_the_tape(kind):
    net = network(**kind)
    nodes, edges, frames = read_back(tg.draw(net).dot)
    g = net.graph()
    assert set(nodes) == {f"n{i}" for i in g}
    assert edges == {(f"n{a}", f"n{b}", f"e{b}-{slot}") for a, b, slot in g.edges(keys=True)}
    assert len(edges) == g.number_of_edges()
    for t in range(1, net.T + 1):
        assert frames[f"cluster_t{t}"] == {f"n{i}" for i, at in g.nodes(data="t") if at == t}
    assert frames["cluster_weights"] == {f"n{w.index}" for w in net.weights.values()}


def test_the_picture_is_the_same_in_every_process():
    code = (
        "import sys; sys.path[:0] = ['tests', 'tests/view']\n"
        "import nets, test_picture as t, tinygrad_rnn as tg\n"
        "print(tg.draw(t.network()).dot)\n"
        "print(tg.draw(nets.ALL['two layers of GRU'](9)).dot)"  # many lines leave its elided steps
    )
    texts = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert texts[0] == texts[1]
    assert b"cluster_t5" in texts[0]


def texts(svg):
    # Graphviz writes the second of two spaces as one that does not break.
    return [
        "".join(e.itertext()).replace("\N{NO-BREAK SPACE}", " ")
        for e in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    ]


def test_what_is_not_computed_yet_is_a_dash_and_never_zero():
    before, after = (texts(tg.draw(network(backward)).svg) for backward in (False, True))
    marked = [t for t in before if t.startswith("∂ ")]
    assert marked
    assert set(marked) == {"∂ —"}
    assert "∂ —" not in after
    assert len([t for t in after if t.startswith("∂ ")]) == len(marked)


def test_the_numbers_are_the_tapes():
    net = network(sizes=(3, 1, 2, 3, 2))
    shown = texts(tg.draw(net).svg)
    values = "  ".join(f"{v:.2f}".replace("-", "−") for v in net.states[2].value[0])
    assert values in shown
    for g in net.copies["U"]:
        assert f"∂ ‖·‖ {np.linalg.norm(g):.3f}" in shown


@pytest.mark.parametrize(
    ("overlay", "value", "gradient"), [(None, 0, 0), ("values", 1, 0), ("cotangents", 0, 1), ("both", 1, 1)]
)
def test_overlays(overlay, value, gradient):
    dot = tg.draw(network(), overlay=overlay).dot
    assert ("number value" in dot) == bool(value)
    assert ("number cotangent" in dot) == bool(gradient)


def test_an_unknown_overlay_is_refused():
    with pytest.raises(ValueError, match="it is one of None, 'values', 'cotangents', 'both', 'gradient'"):
        tg.draw(network(), overlay="heat")


def test_drawing_changes_no_number():
    net = network()
    before = [(n.value.copy(), np.array(n.cotangent)) for n in net.tape if n.cotangent is not None]
    tg.draw(net).svg  # noqa: B018
    after = [(n.value, np.array(n.cotangent)) for n in net.tape if n.cotangent is not None]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old[0], new[0])
        np.testing.assert_array_equal(old[1], new[1])


def test_columns_stand_in_order_and_in_line():
    net = network()
    boxes = {b.id: b for b in tg.draw(net).scene.boxes}
    states = [boxes[f"n{s.index}"] for s in net.states]
    assert [s.x for s in states] == sorted(s.x for s in states)
    assert len({s.y for s in states}) == 1
    steps = np.diff([s.x for s in states[1:]])
    np.testing.assert_allclose(steps, steps[0])


def test_svg_scales_and_explains_itself():
    root = ElementTree.fromstring(tg.draw(network()).svg)
    assert root.get("viewBox")
    assert root.get("width") is None
    title, desc = list(root)[:2]
    assert (title.text, "5 columns" in desc.text) == ("A recurrent network unfolded over 5 time steps", True)
    ids = re.findall(r'\bid="([^"]+)"', tg.draw(network()).svg)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("file", readme_picture.PICTURES, ids=lambda file: file.stem)
def test_the_pictures_of_the_readme_are_up_to_date(file):
    drawn = readme_picture.PICTURES[file]()
    assert drawn.svg == file.read_text(encoding="utf-8"), "run tests/view/readme_picture.py"


def test_the_picture_of_the_readmes_run_is_drawn_from_its_log():
    drawn = readme_picture.first_run().alone()
    assert drawn == readme_picture.RUN.read_text(encoding="utf-8"), "run tests/view/readme_picture.py"


def test_two_pictures_in_one_page_share_no_id():
    pages = [tg.draw(network(), overlay=overlay)._repr_html_() for overlay in ("values", "cotangents")]
    ids = [set(re.findall(r'\bid="([^"]+)"', page)) for page in pages]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_a_half_played_network_shows_dashes():
    net = network()
    steps = net.steps()
    for _ in range(4):
        next(steps)
    shown = texts(tg.draw(net, overlay="values").svg)
    assert shown.count("—") == sum(node.op is not None for node in net.tape) - 4


def test_what_stands_behind_the_root_is_not_told_to_be_zero():
    net = network()
    net.backward(of=2)
    scene = tg.draw(net).scene
    told = {box.id: dict(box.numbers).get("cotangent") for box in scene.boxes}
    assert told[f"n{net.cost.index}"] == "∂ —"
    assert told[f"n{net.losses[0].index}"] == "∂ 0"
    assert told[f"n{net.losses[1].index}"] == "∂ 1"
    assert "dC(2) / d box" in scene.caption


def gated(params, x, s):
    o = tg.ops
    z = o.sigmoid(o.linear(x, params["V_gate"], s, params["U_gate"], name="net_gate"), name="z")
    c = o.tanh(o.linear(x, params["V_candidate"], z * s, params["U_candidate"]))
    s = (1 - z) * s + z * c
    return s, s * s


@pytest.mark.parametrize(
    "cell",
    [
        gated,
        lambda P, x, s: (s, tg.ops.copy(s)),
        lambda P, x, s: (tg.ops.tanh(tg.ops.linear(s, tg.ops.copy(P["U_gate"]))), s),
    ],
)
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_any_cell_can_be_drawn_without_overlaps(cell, reduction):
    rng = np.random.default_rng(0)
    params = {f"{w}_{g}": rng.normal(size=(3, 2 if w == "V" else 3)) for w in "VU" for g in ("gate", "candidate")}
    net = tg.unfold(
        cell,
        params,
        np.ones((3, 1, 2)),
        np.ones((3, 1, 3)),
        loss="squared_error",
        s0=np.ones((1, 3)),
        reduction=reduction,
    )
    net.backward()
    picture = tg.draw(net)
    assert len(read_back(picture.dot)[0]) == len(net.tape)
    boxes = picture.scene.boxes
    for k, a in enumerate(boxes):
        for b in boxes[:k]:
            apart = abs(a.x - b.x) >= (a.width + b.width) / 2 or abs(a.y - b.y) >= (a.height + b.height) / 2
            assert apart, (a.name, b.name)


def test_two_edges_between_the_same_nodes_are_two_lines():
    net = tg.unfold(
        lambda P, x, s: (s, s * s), {}, np.ones((2, 1, 1)), np.ones((2, 1, 2)), loss="squared_error", s0=np.ones((1, 2))
    )
    lines = [line for line in tg.draw(net).scene.lines if line.target == f"n{net.outputs[0].index}"]
    assert len({line.points for line in lines}) == 2


def test_a_tape_without_time_is_drawn_as_the_list_that_it_is():
    tape = tg.Tape()
    z_1 = tape.leaf(1.0, "z_1")
    z_2 = tg.ops.multiply(4.0, z_1, name="z_2")
    z_3 = tg.ops.add(3.0 * z_1, 5.0 * z_2, name="z_3")
    tape.backward(z_3 + z_3)
    nodes, edges, _ = read_back(tg.draw(tape).dot)
    assert set(nodes) == {f"n{node.index}" for node in tape}
    assert edges == {(f"n{a}", f"n{b}", f"e{b}-{slot}") for a, b, slot in tg.graph(tape).edges(keys=True)}
    assert "∂ 46" in tg.draw(tape).dot
    assert "∂" not in tg.draw(tape, overlay="values").dot
    row = [float(nodes[f"n{node.index}"]["pos"].split(",")[0]) for node in tape if node.active]
    assert row == sorted(row)
    for refused in ({"view": "folded"}, {"overlay": "path"}, {"level": "layers"}, {"zoom": (1, "z_2")}, {"of": 1}):
        with pytest.raises(ValueError, match="has no time steps"):
            tg.draw(tape, **refused)
