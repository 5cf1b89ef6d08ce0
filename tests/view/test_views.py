"""Every view of every cell: what it shows is the tape's, no box lies on another, no line runs through a box."""

import re

import networkx as nx
import numpy as np
import pytest

import tinygrad_rnn as tg
from geometry import covered, loose, overlapping, through, written_out_of_its_box
from nets import ALL, FOLDABLE, OTHERS, network
from test_picture import read_back
from tinygrad_rnn.view.overlay import GREY
from tinygrad_rnn.view.redrawn import redrawn

OVERLAYS = [None, "values", "cotangents", "both", "gradient", "shares", "path", "jacobian"]


def fits(scene):
    names = {box.id: box.name for box in scene.boxes}
    assert [(a.name, b.name) for a, b in overlapping(scene.boxes)] == []
    assert [(names[line.source], names[line.target], box.name) for line, box in through(scene)] == []
    assert [(names[line.source], names[line.target]) for line in loose(scene)] == []
    assert [(a.id, b.id) for a, b in covered(scene)] == []
    assert written_out_of_its_box(scene) == []
    ids = [box.id for box in scene.boxes] + [line.id for line in scene.lines] + [frame.id for frame in scene.frames]
    assert len(ids) == len(set(ids))
    for frame in scene.frames:
        for box in scene.boxes:
            inside = frame.left <= box.left[0] and box.right[0] <= frame.right
            inside = inside and frame.bottom <= box.bottom[1] and box.top[1] <= frame.top
            assert inside == (box.id in frame.members), (frame.title, box.name)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"overlay": None},
        {"overlay": "gradient"},
        {"view": "backward", "overlay": "cotangents"},
        {"level": "layers"},
        {"view": "staircase", "overlay": None},
    ],
    ids=str,
)
def test_nothing_lies_on_anything_else(name, asked):
    fits(tg.draw(ALL[name](4), **asked).scene)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("window", [(2, 2), (0, 2), (2, 0), (1, 1)])
@pytest.mark.parametrize("level", ["ops", "layers"])
def test_nor_where_steps_are_left_out(name, window, level):
    fits(tg.draw(ALL[name](9), window=window, level=level).scene)


@pytest.mark.parametrize("name", FOLDABLE)
@pytest.mark.parametrize("T", [1, 2, 4])
@pytest.mark.parametrize("overlay", [None, "both"])
@pytest.mark.parametrize("level", ["ops", "layers"])
def test_nor_in_a_folded_network(name, T, overlay, level):
    fits(tg.draw(FOLDABLE[name](T), view="folded", overlay=overlay, level=level).scene)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("view", ["folded", "staircase"])
@pytest.mark.parametrize("level", ["ops", "layers"])
def test_what_is_more_or_reads_further_back_than_a_cell_is_drawn_or_refused(name, view, level):
    try:
        fits(tg.draw(OTHERS[name](9), view=view, level=level).scene)
    except ValueError as error:
        assert (name, view) == ("a cell that remembers", "folded")
        assert "cannot be folded" in str(error)  # noqa: PT017


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("view", ["unfolded", "folded", "staircase", "window", "backward"])
@pytest.mark.parametrize("level", ["ops", "layers", "figure"])
def test_every_view_takes_every_overlay(view, overlay, level):
    picture = tg.draw(FOLDABLE["LSTM"](4), view=view, overlay=overlay, level=level, of=3)
    fits(picture.scene)
    assert picture.svg.startswith("<svg")


@pytest.mark.parametrize("name", ALL)
def test_the_unfolded_picture_is_the_tape(name):
    net = ALL[name](3)
    nodes, edges, _ = read_back(tg.draw(net).dot)
    g = tg.graph(net.tape)
    assert set(nodes) == {f"n{i}" for i in g}
    assert edges == {(f"n{a}", f"n{b}", f"e{b}-{slot}") for a, b, slot in g.edges(keys=True)}


@pytest.mark.parametrize("name", FOLDABLE)
@pytest.mark.parametrize("T", [1, 3])
def test_the_folded_picture_is_the_folded_graph(name, T):
    net = FOLDABLE[name](T)
    nodes, edges, _ = read_back(tg.draw(net, view="folded").dot)
    timeless = {f"n{n.index}" for n in net.tape if n.t is None and n not in net.weights.values()}
    drawn = nx.MultiDiGraph()
    drawn.add_nodes_from(n for n in nodes if n not in timeless and not n.startswith("z"))
    delayed = {head: tail for tail, head, _ in edges if head.startswith("z")}
    for tail, head, name_of in edges:
        if head in drawn and tail not in timeless:
            drawn.add_edge(delayed.get(tail, tail), head, slot=int(name_of[-1]), delay=int(tail in delayed))
    folded = nx.MultiDiGraph()
    for a, b, slot, data in net.fold().edges(keys=True, data=True):
        folded.add_edge(a, b, slot=slot, delay=data["delay"])
    folded.add_nodes_from(net.fold())
    # A weight that no step reads, such as a trained initial state, is not in the folded graph.
    drawn.remove_nodes_from([n for n in list(drawn) if drawn.degree(n) == 0])
    folded.remove_nodes_from([n for n in list(folded) if folded.degree(n) == 0])

    def same(one, other):
        return sorted(tuple(d.values()) for d in one.values()) == sorted(tuple(d.values()) for d in other.values())

    assert nx.is_isomorphic(drawn, folded, edge_match=same)


def test_the_backward_picture_holds_each_share_that_was_handed_on():
    net = network(tg.cells.GRU(), 3)
    _, edges, _ = read_back(tg.draw(net, view="backward").dot)
    shares = {
        (f"n{s.node.index}", f"n{s.parent.index}", f"b{s.node.index}-{s.slot}") for s in net.tape.pullback(net.cost)
    }
    assert edges == shares


@pytest.mark.parametrize("of", [1, 3, 4])
def test_the_path_of_one_error_is_where_its_shares_go(of):
    net = network(tg.cells.LSTM(), 4)
    scene = tg.draw(net, overlay="path", of=of).scene
    red = {line.id for line in scene.lines if line.color == "#B3261E"}
    assert red == {f"e{s.node.index}-{s.slot}" for s in net.tape.pullback(net.losses[of - 1])}


def test_what_no_loss_reaches_is_grey():
    net = network(tg.cells.Guo(), 4, losses=[2])
    boxes = {box.id: box for box in tg.draw(net).scene.boxes}
    for node in net.tape:
        if node.active and node.name != "y":
            grey = boxes[f"n{node.index}"].border == "#B9B9B2"
            assert grey == (node.cotangent is None), str(node)


def test_the_shares_of_the_copies_add_up_to_the_whole():
    net = network(tg.cells.Guo(), 4)
    boxes = tg.draw(net, overlay="shares").scene.boxes
    for weight, shares in net.copies.items():
        told = [
            dict(b.numbers)["value"]
            for b in boxes
            if b.kind == "copy" and b.tooltip.startswith(f"{tg_name(net, weight)}(")
        ]
        assert len(told) == 4
        numbers = [float(text.replace("−", "-").rstrip(" %")) for text in told]
        total = net.grads[weight]
        np.testing.assert_allclose(
            numbers, [100 * np.vdot(g, total) / np.vdot(total, total) for g in shares], atol=0.06
        )
        assert abs(sum(numbers) - 100) < 0.3


def tg_name(net, weight):
    return str(net.weights[weight])


def test_the_scale_of_gradients_can_be_held_fixed():
    net = network(tg.cells.Guo(), 3)
    (low, high) = (1e-6, 1e2)
    scene = tg.draw(net, overlay="gradient", limits=(low, high)).scene
    assert (scene.legend[0][1], scene.legend[-1][1]) == ("1e−6", "1e2")
    cost = next(b for b in scene.boxes if b.id == f"n{net.cost.index}")
    net.backward(of=2)
    after = tg.draw(net, overlay="gradient", limits=(low, high)).scene
    loss = next(b for b in after.boxes if b.id == f"n{net.losses[1].index}")
    assert loss.fill == cost.fill  # both have the length 1
    assert after.legend == scene.legend
    for limits in ((0, 1), (1, 0.1), (1,), "wide", (float("nan"), 1)):
        with pytest.raises(ValueError, match="two lengths"):
            tg.draw(net, overlay="gradient", limits=limits)


def test_the_node_with_the_first_bad_number_is_red():
    net = network(tg.cells.Guo(), 4)
    x = np.stack([node.value for node in net.inputs])
    x[2, 0, 1] = np.nan
    net.replay(x, np.stack([node.value for node in net.targets]))
    boxes = tg.draw(net).scene.boxes
    assert (
        [b.id for b in boxes if b.border == "#D00000"]
        == [f"n{net.first_bad().node.index}"]
        == [f"n{net.inputs[2].index}"]
    )


def test_a_road_without_a_matrix_is_drawn_beside_those_with_one():
    scene = tg.draw(network(tg.cells.GRU(reset="before"), 2), level="layers", overlay=None).scene
    names = {box.id: box.name for box in scene.boxes}
    lines = {(names[line.source], names[line.target]) for line in scene.lines}
    assert {("s(1)", "s(2)"), ("s(1)", "U(2)"), ("s(1)", "Uₙ(2)"), ("U(2)", "s(2)"), ("Uₙ(2)", "s(2)")} < lines


def test_guos_figure_1():
    net = network(tg.cells.Guo(), 4)
    scene = tg.draw(net, view="folded", level="layers", overlay=None).scene
    names = {box.id: box.name for box in scene.boxes}
    lines = {(names[line.source], names[line.target]) for line in scene.lines}
    assert lines == {
        ("x(t)", "V(t)"),
        ("V(t)", "s(t)"),
        ("s(t − 1)", "U(t)"),
        ("U(t)", "s(t)"),
        ("s(t)", "W(t)"),
        ("W(t)", "y(t)"),
        ("s(t)", "s(t − 1)"),
    }


def test_guos_figure_2():
    net = network(tg.cells.Guo(), 12)
    scene = tg.draw(net, view="staircase", of=9, window=3, overlay=None).scene
    names = {box.id: box.name for box in scene.boxes}
    lines = {(names[line.source], names[line.target]) for line in scene.lines}
    expected = {("s(9)", "W(9)"), ("W(9)", "y(9)")}
    for t in (7, 8, 9):
        expected |= {(f"x({t})", f"V({t})"), (f"V({t})", f"s({t})"), (f"s({t - 1})", f"U({t})"), (f"U({t})", f"s({t})")}
    assert lines == expected
    heights = {box.name: box.y for box in scene.boxes}
    assert heights["s(6)"] < heights["s(7)"] < heights["s(8)"] < heights["s(9)"] < heights["y(9)"]
    assert heights["x(9)"] == heights["s(8)"]
    assert "6 earlier copies are not drawn" in scene.caption


def test_what_is_left_out_is_said_and_the_rest_is_the_tape():
    net = network(tg.cells.Guo(), 20)
    scene = tg.draw(net, window=(2, 1)).scene
    (gap,) = (box for box in scene.boxes if box.kind == "elided")
    assert [text for _, text in gap.numbers] == ["t = 3 … 19", "17 steps", "like these"]
    assert "3 to 19 are left out" in scene.description
    shown = {f"n{n.index}" for n in net.tape if n.t is None or n.t in (0, 1, 2, 20)}
    assert {box.id for box in scene.boxes} - {gap.id} == shown
    whole = {line.id: line for line in tg.draw(net, window="all").scene.lines}
    for line in scene.lines:
        if gap.id not in (line.source, line.target):
            assert (line.source, line.target) == (whole[line.id].source, whole[line.id].target)
    ends = {(line.source, line.target) for line in scene.lines if gap.id in (line.source, line.target)}
    expected = {(f"n{w.index}", gap.id) for w in net.weights.values()}
    expected |= {(f"n{net.states[2].index}", gap.id), (gap.id, f"n{net.cost.index}")}
    expected |= {(gap.id, f"n{net.states[20].parents[0].index}")}
    assert ends == expected


@pytest.mark.parametrize(("T", "columns"), [(8, 8), (9, 6), (30, 6)])
def test_a_long_network_is_shortened_by_itself(T, columns):
    net = network(tg.cells.Guo(), T, backward=False)
    frames = tg.draw(net).scene.frames
    assert len(frames) == columns + 1
    assert len(tg.draw(net, window="all").scene.frames) == T + 1


def test_more_than_a_page_can_show_is_shortened_with_a_message(monkeypatch):
    from tinygrad_rnn.view import views

    monkeypatch.setattr(views, "MOST_BOXES", 200)
    net = network(tg.cells.Guo(), 40, backward=False)
    with pytest.warns(UserWarning, match=r"more than 200.*window=\(first, last\)"):
        picture = tg.draw(net, window="all")
    assert len(picture.scene.boxes) < 300


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"view": "sideways"}, "view='sideways': it is one of 'unfolded', 'folded'"),
        ({"level": "atoms"}, "level='atoms': it is one of 'ops', 'layers', 'figure'"),
        ({"overlay": "heat"}, "overlay='heat': it is one of None, 'values'"),
        ({"of": 5}, "of=5: it is a time step, an integer from 1 to 4"),
        ({"of": True}, "of=True"),
        ({"window": 3}, "window=3: it is the number of first and of last steps"),
        ({"window": (0, 0)}, "at least one time step"),
        ({"window": (-1, 2)}, "such as"),
        ({"view": "staircase", "window": (1, 2)}, "number of copies"),
        ({"zoom": (9, "net_j")}, "the time step is an integer from 1 to 4"),
        ({"zoom": (2, "net_z")}, "at t=2 there are net_j, s, net_k, y, C"),
        ({"zoom": "net_j"}, "it is a time step and a node's name"),
    ],
)
def test_what_cannot_be_drawn_is_refused(asked, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(").replace(")", r"\)")):
        tg.draw(network(tg.cells.Guo(), 4), **asked)


def test_a_tape_has_no_folded_picture():
    with pytest.raises(ValueError, match="view='folded' is for a whole network"):
        tg.draw(network(tg.cells.Guo(), 4).tape, view="folded")
    with pytest.raises(ValueError, match="cannot be folded"):
        tg.draw(ALL["a cell that remembers"](4), view="folded")


def test_a_node_opened_into_its_units():
    net = network(tg.cells.Guo(), 3)
    scene = tg.draw(net, zoom=(2, "net_j")).scene
    units = {box.id: box.name for box in scene.boxes if box.kind == "unit"}
    lines = {(units[line.source], units[line.target]) for line in scene.lines}
    below = ["x₁(2)", "x₂(2)", "s₁(1)", "s₂(1)", "s₃(1)"]
    assert lines == {(p, f"net{j}(2)") for p in below for j in "₁₂₃"}
    assert {box.name for box in scene.boxes if box.kind == "label"} == {
        "netⱼ(2), j = 1 … 3",
        "x(2), i = 1 … 2",
        "s(1), h = 1 … 3",
    }
    V = net.weights["V"].value
    widest = max((line for line in scene.lines if line.id.startswith("u0")), key=lambda line: line.width)
    i, j = (int(k) for k in widest.id.split("-")[1:])
    assert abs(V[j, i]) == np.abs(V).max()
    assert overlapping(scene.boxes) == []


def test_units_of_what_works_entry_by_entry_are_tied_one_to_one():
    scene = tg.draw(network(tg.cells.Guo(), 3), zoom=(2, "s")).scene
    assert sorted(line.id for line in scene.lines) == ["u0-0-0", "u0-1-1", "u0-2-2"]
    with pytest.raises(ValueError, match="has 40 units, and 12"):
        tg.draw(network(tg.cells.Guo(), 3, sizes=(2, 40, 2)), zoom=(2, "net_j"))


def test_a_bias_that_was_computed_is_opened_too():
    def cell(params, x, s):
        s = tg.ops.linear(x, params["V"], s, params["U"], params["b"] * 2.0, name="s")
        return s, s

    rng = np.random.default_rng(0)
    params = {"V": rng.normal(size=(3, 2)), "U": rng.normal(size=(3, 3)), "b": rng.normal(size=3)}
    zeros = np.zeros((2, 1, 3))
    net = tg.unfold(cell, params, rng.normal(size=(2, 1, 2)), zeros, loss="squared_error", s0=zeros[0])
    lines = {line.id for line in tg.draw(net, zoom=(2, "s")).scene.lines}
    assert {line for line in lines if line.startswith("u4")} == {"u4-0-0", "u4-1-1", "u4-2-2"}


def test_scissors_stand_where_a_cut_holds_the_error_back():
    net = network(tg.cells.LSTM(), 5)
    tg.cut(net, 3)
    net.backward()
    for asked in ({}, {"overlay": "path"}, {"level": "layers"}, {"level": "figure"}):
        picture = tg.draw(net, **asked)
        cut = [line for line in picture.scene.lines if line.cut]
        names = {box.id: box.name for box in picture.scene.boxes}
        assert {names[line.source] for line in cut} == {"s(2)", "c(2)"}
        assert picture.svg.count('class="edge scissors"') == len(cut) + 1  # and one in the legend
        assert picture.dot.count("class=scissors") == len(cut) + 1
        assert "cut: no error comes back" in picture.svg
        assert "scissors" in redrawn(picture.svg)
    red = {line.id for line in tg.draw(net, overlay="path", of=4).scene.lines if line.color == "#B3261E"}
    assert red == {f"e{s.node.index}-{s.slot}" for s in net.tape.pullback(net.losses[3])}
    assert all(
        line.end != f"n{net.states[2][0].index}" or line.start != f"n{net.states[3][0].index}"
        for line in tg.draw(net, view="backward").scene.lines
    )


def test_the_singular_values_stand_in_the_states():
    net = network(tg.cells.Guo(), 4)
    boxes = {box.id: box for box in tg.draw(net, overlay="jacobian").scene.boxes}
    for t in range(1, 5):
        U, s = net.weights["U"].value, net.states[t].value[0]
        sizes = np.linalg.svd((1 - s**2)[:, None] * U, compute_uv=False)
        ((_, text),) = boxes[f"n{net.states[t].index}"].numbers
        told = [float(word.replace("−", "-")) for word in text.removeprefix("σ ").split(" … ")]
        np.testing.assert_allclose(told, [sizes.max(), sizes.min()], rtol=0.06)


def test_the_last_node_before_an_error_is_red():
    def failing(params, x, s):
        net = tg.ops.linear(x, params["V"], s, params["U"], name="net_j")
        return tg.ops.tanh(net, name="s"), tg.ops.linear(s, params["V"])

    params = {"V": np.ones((3, 2)), "U": np.ones((3, 3))}
    with pytest.raises(tg.ShapeError) as error:
        tg.unfold(failing, params, np.ones((2, 1, 2)), np.ones((2, 1, 3)), s0=np.ones((1, 3)))
    scene = tg.draw(error.value.tape).scene
    assert [box.name for box in scene.boxes if box.border == "#D00000"] == ["s(1)"]
    assert "the last node before ShapeError: linear at t=1" in scene.caption


def test_a_thousand_steps_in_full():
    net = network(tg.cells.Guo(), 1000, backward=False)
    picture = tg.draw(net, window="all", overlay=None)
    assert len(picture.scene.frames) == 1001
    assert picture.svg.count('class="node op') >= 5000


def test_the_window_of_a_very_long_network_does_not_walk_it():
    net = network(tg.cells.Guo(), 20_000, backward=False)
    net.replay()
    shown = {n.index for n in net.tape.nodes if n.t is not None and (n.t <= 3 or n.t > 19_997)}
    asked = []
    steps = type(net.tape).__iter__

    def walked(tape):
        asked.append(tape)
        return steps(tape)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(net.tape), "__iter__", walked)
        scene = tg.draw(net).scene
    assert asked == []
    assert {int(box.id[1:]) for box in scene.boxes if box.id[1:].isdigit()} >= shown


@pytest.mark.parametrize("losses", [None, [2], [2, 9], [12]])
@pytest.mark.parametrize("of", [None, 2, 9])
@pytest.mark.parametrize("cell", [tg.cells.Guo(), tg.cells.LSTM()])
def test_what_error_reaches_is_found_without_a_walk_over_a_long_tape(monkeypatch, cell, losses, of):
    net = network(cell, 12, losses=losses, backward=False)

    def grey():
        return {
            box.id for box in tg.draw(net, overlay="path", of=of, window=(3, 3)).scene.boxes if box.ink == "#B9B9B2"
        }

    walked = grey()
    monkeypatch.setattr("tinygrad_rnn.view.overlay.WALKED", 0)
    weights = {f"n{w.index}" for w in net.weights.values()}
    assert grey() - weights == walked - weights


@pytest.mark.parametrize(
    "asked", [{}, {"view": "folded"}, {"level": "layers"}, {"level": "figure"}, {"view": "backward"}], ids=str
)
@pytest.mark.parametrize("name", ["V", "U", "W"])
def test_one_weight_is_brought_forward(name, asked):
    net = network(tg.cells.Guo(), 4)
    plain, scene = (tg.draw(net, overlay="values", highlight=which, **asked).scene for which in (None, name))
    shared = [box for box in scene.boxes if box.kind in ("weight", "copy")]
    filled = {box.name for box in shared if box.fill not in ("", "#FFFFFF")}
    assert filled == {box.name for box in shared if box.name.partition("(")[0] == name}
    assert {box.ink for box in shared if box.name not in filled} == {GREY}
    thick = {line.id for line in scene.lines if line.width} - {line.id for line in plain.lines if line.width}
    ends = {box.id for box in shared if box.name in filled}
    assert thick == {line.id for line in scene.lines if {line.source, line.target} & ends} != set()
    for before, after in zip(plain.boxes, scene.boxes, strict=True):
        assert (before.x, before.y, before.numbers) == (after.x, after.y, after.numbers)
        assert before == after or after.kind in ("weight", "copy")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"highlight": "Q"}, "highlight='Q': it is the name of a weight, one of 'V', 'U'"),
        ({"highlight": "b_j", "level": "layers"}, "no box for it; level='ops' shows every weight"),
        ({"highlight": "U", "zoom": (2, "net_j")}, "give one of them"),
    ],
)
def test_a_weight_that_cannot_be_brought_forward(asked, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        tg.draw(network(tg.cells.Guo(), 4), **asked)


def test_no_picture_changes_a_number():
    net = network(tg.cells.GRU(), 4)
    nodes, passes = list(net.tape), (net.tape.values, net.tape.cotangents)
    before = [(n.value.copy(), None if n.cotangent is None else np.array(n.cotangent)) for n in nodes]
    for view in ("unfolded", "folded", "staircase", "window", "backward"):
        for overlay in OVERLAYS:
            tg.draw(net, view=view, overlay=overlay)
    tg.draw(net, zoom=(2, "s"))
    assert list(net.tape) == nodes
    assert (net.tape.values, net.tape.cotangents) == passes  # no other pass was run
    for node, (value, g) in zip(nodes, before, strict=True):
        np.testing.assert_array_equal(node.value, value)
        assert (node.cotangent is None) == (g is None)
        if g is not None:
            np.testing.assert_array_equal(np.asarray(node.cotangent), g)


def test_what_is_not_computed_is_a_dash_in_every_overlay():
    net = network(tg.cells.Guo(), 3, backward=False)
    for overlay, dashes in (("cotangents", "∂ —"), ("gradient", "‖∂‖ —"), ("shares", "—")):
        told = [
            text for box in tg.draw(net, overlay=overlay).scene.boxes for kind, text in box.numbers if kind != "caption"
        ]
        assert set(told) <= {dashes, "∂ —"}, overlay
        assert dashes in told
    steps = net.steps()
    next(steps)
    assert "σ —" in tg.draw(net, overlay="jacobian").dot


def test_no_two_matrices_of_two_layers_have_one_colour():
    net = network(tg.cells.Stacked(tg.cells.GRU(), tg.cells.GRU()), 3)
    colors = {}
    for box in tg.draw(net, level="layers", overlay=None).scene.boxes:
        if box.kind == "copy":
            colors.setdefault(box.name.partition("(")[0], set()).add(box.border)
    assert len(colors) == 5
    assert len(set().union(*colors.values())) == 5
