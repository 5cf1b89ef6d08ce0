"""Pictures for print are measured at the size at which they are printed."""

import re
import subprocess
from shutil import which
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner

import tinygrad_rnn as tg
from tinygrad_rnn.cli import main
from tinygrad_rnn.view import printed

C = tg.cells
NETWORKS = {
    "guo": (C.Guo(), 5),
    "lstm": (C.LSTM(), 3),
    "gru": (C.GRU(), 3),
    "two layers": (C.Stacked(C.Guo(), C.Guo()), 3),
    "long": (C.Guo(), 30),
}


def network(which):
    cell, T = NETWORKS[which]
    rng = np.random.default_rng(0)
    net = tg.unfold(
        cell, cell.init(3, 3, 2, rng=rng), rng.normal(size=(T, 1, 3)), rng.dirichlet(np.ones(2), size=(T, 1))
    )
    net.backward()
    return net


def measured(svg):
    """Width and height in millimetres, and the smallest letter in points."""
    root = ElementTree.fromstring(svg)
    scale = float(re.search(r"scale\((\S+)\)", svg)[1])
    sizes = [float(e.get("font-size")) for e in root.iter() if e.get("font-size")]
    assert float(root.get("viewBox").split()[2]) / 72 * 25.4 == pytest.approx(float(root.get("width")[:-2]), abs=0.01)
    return float(root.get("width").removesuffix("mm")), float(root.get("height").removesuffix("mm")), scale * min(sizes)


@pytest.fixture(params=NETWORKS, scope="module")
def net(request):
    return network(request.param)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"overlay": "path", "of": 2},
        {"overlay": "shares"},
        {"view": "folded"},
        {"level": "layers"},
        {"overlay": "both"},
    ],
    ids=str,
)
def test_a_printed_picture_is_narrow_enough_large_enough_and_black(net, options):
    svg = tg.draw(net, for_="print", **options).svg
    width, height, letters = measured(svg)
    assert width <= 160
    assert height <= 240
    assert letters >= 8 - 0.01
    for color in re.findall(r'(?:fill|stroke)="#(\w{6})"', svg):
        assert color[:2] == color[2:4] == color[4:], color
    assert 'class="number value"' not in svg or options.get("overlay") == "shares"


@pytest.mark.parametrize("which", ["guo", "lstm", "gru", "two layers"])
def test_no_step_of_a_short_network_is_left_out(which):
    net = network(which)
    assert [frame.id for frame in tg.draw(net, for_="print").scene.frames] == [f"t{t}" for t in range(1, net.T + 1)]


def test_of_a_long_one_the_ends_that_have_room_are_drawn():
    frames = [frame.id for frame in tg.draw(network("long"), for_="print").scene.frames]
    assert frames == ["t1", "t29", "t30"]


@pytest.mark.parametrize(
    ("asked", "do"),
    [
        ({"level": "ops"}, "ask for level='figure'"),
        ({"window": (4, 4)}, "ask for fewer time steps"),
        ({"view": "backward"}, "ask for another view"),
        ({"captions": {"x": ["long" * 30] * 30}}, "as wide as its longest names and captions"),
    ],
    ids=str,
)
def test_what_cannot_be_read_in_print_is_refused_with_what_to_do(asked, do):
    with pytest.raises(ValueError, match=rf"160 by 240 mm .* letters of [1-7]\.\d points, and print needs 8: .*{do}"):
        tg.draw(network("long"), for_="print", **asked)


@pytest.mark.parametrize(
    "asked",
    [{"overlay": "gradient"}, {"overlay": "jacobian"}, {"ledger": "U", "level": "figure"}, {"zoom": (1, "s")}],
    ids=str,
)
def test_what_only_colours_tell_is_refused(asked):
    with pytest.raises(ValueError, match="its colours say what black would not"):
        tg.draw(network("guo"), for_="print", **asked)


def test_it_is_for_a_page_or_for_print():
    with pytest.raises(ValueError, match="for_='poster': it is one of 'page', 'print'"):
        tg.draw(network("guo"), for_="poster")


def test_ops_of_a_small_tape_can_be_printed():
    tape = tg.Tape()
    x = tape.leaf(np.ones(2), "x")
    tg.ops.tanh(x)
    assert measured(tg.draw(tape, for_="print").svg)[2] >= 8 - 0.01


def test_a_weight_is_brought_forward_in_black_too():
    svg = tg.draw(network("guo"), for_="print", highlight="U").svg
    assert printed.PALE in svg


def test_a_legend_says_black_where_it_said_red():
    svg = tg.draw(network("guo"), for_="print", overlay="path", of=3).svg
    assert "black: what carries the error of C(3) back" in svg
    assert "red" not in re.sub(r"<(title|desc)>.*?</\1>", "", svg)


def test_the_files_have_the_size(tmp_path):
    pytest.importorskip("typst")
    picture = tg.draw(network("guo"), for_="print")
    width, height, _ = measured(picture.svg)
    png = picture.to_bytes(".png")
    pixels = [int.from_bytes(png[k : k + 4], "big") for k in (16, 20)]
    assert pixels == pytest.approx([side / 25.4 * printed.DPI for side in (width, height)], abs=2)
    pdf = picture.save(tmp_path / "p.pdf")
    if which("pdfinfo"):
        said = subprocess.run(["pdfinfo", pdf], capture_output=True, text=True, check=True).stdout
        page = [float(side) for side in re.search(r"Page size:\s+(\S+) x (\S+) pts", said).groups()]
        assert page == pytest.approx([side / 25.4 * 72 for side in (width, height)], abs=0.1)


def test_the_command_prints(tmp_path):
    path = tmp_path / "p.svg"
    done = CliRunner().invoke(main, ["draw", "--text", "we se", "--for", "print", "-o", str(path)])
    assert done.exit_code == 0, done.output
    assert measured(path.read_text("utf-8"))[0] <= 160
    refused = CliRunner().invoke(
        main, ["draw", "--text", "we see", "--for", "print", "--level", "ops", "-o", "-", "--format", "svg"]
    )
    assert refused.exit_code == 1
    assert "print needs 8" in refused.output


@pytest.mark.parametrize("overlay", ["values", "cotangents", "both", "gradient", "shares", "path", "jacobian"])
@pytest.mark.parametrize("level", ["ops", "figure"])
@pytest.mark.parametrize("swept", [True, False])
def test_a_legend_names_a_sign_where_it_is_and_each_once(overlay, level, swept):
    net = network("lstm")
    if not swept:
        net.replay()
    scene = tg.draw(net, overlay=overlay, level=level).scene
    said = [entry.strip() for entry in scene.caption.split("      ") if entry.strip()]
    numbers = " ".join(text for box in scene.boxes for _, text in box.numbers)
    assert len({entry.partition(":")[0] for entry in said}) == len(said)
    for sign in ("‖∂‖", "‖·‖", "—", "%", "σ"):
        assert any(entry.startswith(f"{sign}:") for entry in said) == (sign in numbers), (sign, said)
