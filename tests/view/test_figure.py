"""The textbook figure: nothing lies on anything else, every error goes along some line, the ledger below it adds up."""

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import cell_cases
import own_cells
import tinygrad_rnn as tg
from geometry import overlapping
from nets import ALL, FOLDABLE, network, of_user
from test_views import fits
from tinygrad_rnn import ops
from tinygrad_rnn.autodiff.traits import is_tie
from tinygrad_rnn.view import svg
from tinygrad_rnn.view.figure import Stretch, figure
from tinygrad_rnn.view.overlay import NAMES
from tinygrad_rnn.view.redrawn import redrawn


def jordan(P, x, s):
    """The output is what comes back."""
    y = ops.tanh(ops.linear(ops.tanh(ops.linear(x, P["V"], s, P["U"]), name="h"), P["W"]), name="y")
    return y, y


def gamma(P, x, s):
    """A chain of leaky traces, each of the one before."""
    a, b, c = s
    new = ops.tanh(ops.linear(x, P["V"], a, P["U"], c, P["R"]), name="a")
    b, c = 0.5 * b + 0.5 * a, 0.5 * c + 0.5 * b
    return (new, b, c), new


def case(name):
    made = cell_cases.Case(cell_cases.CELLS[name])
    net = tg.unfold(made.cell, made.params, made.x, made.d, s0=made.s0, loss=made.loss)
    net.backward()
    return net


NETS = {name: (lambda T, make=make: make(T)) for name, make in ALL.items()}
NETS |= {name: (lambda _, name=name: case(name)) for name in cell_cases.CELLS}
NETS |= {
    "a single cost": lambda T: network(tg.cells.LSTM(), T, losses=[T]),
    "Jordan": lambda T: of_user(jordan, {"V": (3, 2), "U": (3, 3), "W": (3, 3)}, 0, T),
    "gamma": lambda T: of_user(gamma, {"V": (3, 2), "U": (3, 3), "R": (3, 3)}, 3, T),
    "many samples": lambda T: network(tg.cells.GRU(), T, samples=3),
    "errors of the inputs": lambda T: network(tg.cells.Guo(), T, input_grads=True),
    "each sample's last step": lambda T: network(tg.cells.Guo(), T, samples=2, mask=np.ones((T, 2)), losses="last"),
    "errors clipped on the way": lambda T: network(tg.cells.ErrorClipped(tg.cells.Guo(), 0.1), T),
}


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("T", [1, 3, 20])
def test_nothing_lies_on_anything_else(name, T):
    fits(tg.draw(NETS[name](T), level="figure").scene)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("window", [(2, 2), (0, 2), (2, 0), (1, 1)])
def test_nor_where_steps_are_left_out(name, window):
    fits(tg.draw(ALL[name](9), window=window, level="figure").scene)


@pytest.mark.parametrize("overlay", NAMES)
def test_nor_with_an_overlay_and_a_ledger(overlay):
    net = network(tg.cells.LSTM(), 5)
    fits(tg.draw(net, level="figure", overlay=overlay, captions={"x": ["“w”"] * 5}, of=3).scene)
    assert overlapping(tg.draw(net, level="figure", overlay=overlay, ledger="U", of=3).scene.boxes) == []


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("T", [1, 5])
def test_every_error_goes_along_a_line_or_stays_in_a_box(name, T):
    assert_errors_are_carried(NETS[name](T))


def assert_errors_are_carried(net):
    made = figure(net)
    shown = {column.first for column in made.columns if column.kind == "t"}
    carried = {edge for line in made.scene.lines for edge in line.carries}
    for share in net.tape.pullback(net.cost):
        if share.node.t in shown and share.parent.t is not None:
            box, of = made.boxes[f"n{share.node.index}"], made.boxes.get(f"n{share.parent.index}")
            assert of == box or f"{share.node.index}-{share.slot}" in carried, (str(share.node), str(share.parent))


@given(own_cells.cells(), own_cells.options())
@settings(max_examples=30, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_so_it_is_for_cells_that_nobody_wrote(cell, how):
    case = own_cells.Case(cell, how)
    net = case.unfold(*case.data()[:4])
    fits(figure(net).scene)
    assert_errors_are_carried(net)


@pytest.mark.parametrize("name", NETS)
def test_what_a_page_is_told(name):
    net = NETS[name](5)
    made = figure(net)
    ids = {box.id for box in made.scene.boxes}
    lines = {line.id: line for line in made.scene.lines}
    assert set(made.boxes.values()) <= ids
    copies = {box.id for box in made.scene.boxes if box.kind == "copy"}
    assert all(f"n{net.inputs[t - 1].index}" in made.boxes for t in range(1, net.T + 1))
    body = svg.drawing(made.scene, "p-").body
    assert set(re.findall(r'<g id="(?:p-)([nw][^"_]*)"', body)) >= {*lines} - {line for line in lines if "_" in line}
    assert body.count("data-c=") == sum(bool(line.carries) for line in lines.values())
    assert redrawn(svg.whole(made.scene), "p-").count(' data-via="p-n') == sum(
        line.source in copies for line in lines.values()
    )


@pytest.mark.parametrize("name", [*cell_cases.CELLS, "Jordan", "gamma", "errors clipped on the way"])
def test_each_copy_of_a_matrix_stands_in_one_place(name):
    net = NETS[name](5)
    standing = [box.id for box in figure(net).scene.boxes if box.kind == "copy"]
    matrices = {w.index for w in net.weights.values() if len(w.shape) == 2}
    copies = {f"n{n.index}" for n in net.tape if is_tie(n) and n.parents[0].index in matrices}
    assert len(standing) == len(set(standing))
    assert set(standing) == copies


def test_what_a_matrix_of_its_own_multiplies_is_a_layer():
    """A Jordan network has a hidden layer, though it is no part of the state."""
    scene = figure(NETS["Jordan"](3)).scene
    names = {box.id: box.name for box in scene.boxes}
    lines = {(names[line.source], names[line.target]) for line in scene.lines}
    assert {("y(1)", "U(2)"), ("U(2)", "h(2)"), ("V(2)", "h(2)"), ("h(2)", "W(2)"), ("W(2)", "y(2)")} < lines


def test_columns_and_their_places():
    net = network(tg.cells.Guo(), 200)
    made = figure(net)
    assert made.columns == (
        *(Stretch("t", t, t) for t in (1, 2, 3)),
        Stretch("gap", 4, 197),
        *(Stretch("t", t, t) for t in (198, 199, 200)),
    )
    assert len(figure(net, limit=200).columns) == 200
    drawing = svg.drawing(made.scene)
    assert (made.width, made.height) == (drawing.width, drawing.height)
    shift = float(re.search(r"translate\(([\d.]+)", drawing.body)[1])
    for k, column in enumerate(made.columns):
        left = (made.left + k * made.pitch) * made.width
        frame = next((f for f in made.scene.frames if f.id == f"t{column.first}"), None)
        if frame is not None:
            assert abs(frame.left + shift - 1.5 - left) < 0.1
            assert abs(frame.right + shift + 1.5 - left - made.pitch * made.width) < 0.1


@pytest.mark.parametrize("cell", [tg.cells.Guo(), tg.cells.GRU(), tg.cells.LSTM()])
def test_names_can_be_read_on_a_phone(cell):
    assert 15 * 390 / svg.drawing(tg.draw(network(cell, 5), level="figure", ledger="U").scene).width >= 9


def test_states_stand_on_one_line_and_the_matrix_between_them():
    scene = tg.draw(network(tg.cells.Guo(), 5), level="figure").scene
    at = {box.name: (box.x, box.y) for box in scene.boxes}
    assert len({at[f"s({t})"][1] for t in range(6)} | {at[f"U({t})"][1] for t in range(1, 6)}) == 1
    for t in range(1, 6):
        assert at[f"s({t - 1})"][0] < at[f"U({t})"][0] < at[f"s({t})"][0]
        assert len({at[f"{name}({t})"][0] for name in "xVsWyC"}) == 1
        heights = [at[f"{name}({t})"][1] for name in "xVsWyC"]
        assert heights == sorted(heights)


@pytest.mark.parametrize("level", ["layers", "figure"])
@pytest.mark.parametrize("cell", [tg.cells.Guo(), tg.cells.GRU(), tg.cells.LSTM()])
def test_no_box_lies_on_the_scissors(level, cell):
    net = network(cell, 4)
    tg.cut(net, 3)
    net.backward()
    scene = tg.draw(net, level=level).scene
    cut = [line.where_cut for line in scene.lines if line.cut]
    assert cut
    for x, y in cut:
        assert not [b for b in scene.boxes if abs(b.x - x) < b.width / 2 + 7 and abs(b.y - y) < b.height / 2 + 7]


def test_what_error_reaches_is_not_grey_though_the_output_itself_gets_none():
    scene = tg.draw(network(tg.cells.Guo(), 3), level="figure", overlay="path", of=2).scene
    grey = {box.name for box in scene.boxes if box.ink == "#B9B9B2"}
    assert {"x(1)", "C(1)", "W(1)", "y(1)", "s(3)", "U(3)"} <= grey
    assert not grey & {"y(2)", "W(2)", "s(2)", "U(2)", "V(1)", "C(2)"}


@pytest.mark.parametrize(("T", "gap"), [(5, ()), (20, (3,))])
def test_the_tiles_of_the_ledger_add_up(T, gap):
    net = network(tg.cells.Guo(), T)
    scene = tg.draw(net, level="figure", ledger="U").scene
    boxes = {box.id: box for box in scene.boxes}
    count = 1 + sum(box.id.endswith("-sign") for box in scene.boxes)
    assert count == 1 + (T if T <= 8 else 7)

    def tile(k):
        return np.array([[float(boxes[f"share{k}-{i}-{j}"].tooltip) for j in range(3)] for i in range(3)])

    whole = sum(tile(k) for k in range(1, count))
    np.testing.assert_allclose(whole, tile(0), atol=2e-3)
    np.testing.assert_allclose(tile(0), net.grads["U"], rtol=1e-3)
    for k, share in enumerate(net.copies["U"][:3], start=1):
        np.testing.assert_allclose(tile(k), share, rtol=1e-3)
    parts = [float(boxes[f"share{k}"].name.removesuffix(" %").replace("−", "-")) for k in range(count)]
    assert parts[0] == 100
    assert abs(sum(parts[1:]) - 100) < 0.05 * count
    signs = {box.id for box in scene.boxes if box.kind == "tile" and box.numbers}
    assert signs == {box.id for box in scene.boxes if box.kind == "tile" and float(box.tooltip) < 0}
    assert [boxes[f"share{k + 1}-name"].name for k in gap] == ["…"] * len(gap)


@pytest.mark.parametrize("weight", ["V", "b_j", "W"])
@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf", ".dot", ".mmd", ".json"])
def test_the_ledger_is_drawn_in_every_format(weight, suffix):
    net = network(tg.cells.Guo(), 2, sizes=(30, 14, 3))
    assert tg.draw(net, level="figure", ledger=weight).to_bytes(suffix)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"ledger": "U"}, "ledger='U': it stands below the columns of level='figure'"),
        ({"ledger": "U", "level": "figure", "view": "folded"}, "say so, and no view"),
        ({"ledger": "Q", "level": "figure"}, "ledger='Q': it is the name of a weight, one of 'V', 'U'"),
    ],
)
def test_what_is_refused(asked, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        tg.draw(network(tg.cells.Guo(), 2), **asked)


def test_what_has_no_shares_that_add_up_is_refused():
    with pytest.raises(ValueError, match="ledger='start': the parameter 'start' is an initial state"):
        tg.draw(FOLDABLE["a trained initial state"](2), level="figure", ledger="start")
    cell = tg.cells.Guo()
    params, x, d = cell.init(2, 3, 2, rng=0), np.ones((3, 1, 2)), np.ones((3, 1, 2)) / 2
    net = tg.unfold(cell, tg.untie(params, 3), x, d, untied=True)
    with pytest.raises(tg.TapeError, match="call backward"):
        tg.draw(net, level="figure", ledger="U")
    net.backward()
    with pytest.raises(ValueError, match="ledger='U': each step has a weight of its own"):
        tg.draw(net, level="figure", ledger="U")
    fits(tg.draw(net, level="figure").scene)


def spoilt(T, t, weight):
    """A network into which NaN comes at one time step, and the boxes of its figure by their ids."""
    net = network(tg.cells.Guo(), T)
    x = np.stack([node.value for node in net.inputs])
    x[t - 1] = np.nan
    net.replay(x, np.stack([node.value for node in net.targets]))
    net.backward()
    return net, {box.id: box for box in tg.draw(net, level="figure", ledger=weight).scene.boxes}


def test_numbers_that_are_not_finite_are_drawn():
    net, boxes = spoilt(3, 2, "V")
    assert boxes["share2"].name == "—"
    assert boxes[f"n{net.inputs[1].index}"].border == "#D00000"


def test_a_figure_is_of_a_whole_network():
    net = FOLDABLE["Guo"](2)
    with pytest.raises(ValueError, match="'figure' is for a whole network"):
        tg.draw(net.tape, level="figure")


def test_a_ledger_with_numbers_that_are_not_finite_colours_the_others_by_themselves():
    _, boxes = spoilt(4, 4, "b_k")
    assert boxes["share4-0-0"].fill == "#EFEFEA"
    assert {boxes[f"share{k}"].name for k in (0, 4)} == {"—"}
    shades = [boxes[f"share{k}-0-{j}"].fill for k in (1, 2, 3) for j in range(2)]
    assert len(set(shades)) > 2


@pytest.mark.parametrize("size", [1e-161, 1.0, 1e160])
def test_per_cents_of_very_small_and_very_large_gradients(size):
    net = network(tg.cells.Guo(), 3, weights=np.full((3, 1), size))
    boxes = {box.id: box for box in tg.draw(net, level="figure", ledger="U").scene.boxes}
    like = network(tg.cells.Guo(), 3)
    expected = {box.id: box for box in tg.draw(like, level="figure", ledger="U").scene.boxes}
    for k in range(4):
        assert boxes[f"share{k}"].name == expected[f"share{k}"].name
