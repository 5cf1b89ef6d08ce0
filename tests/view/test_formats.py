"""Every format holds the same graph, whoever draws it; and a file is whole or not there."""

import json
import os
import re
import shutil
import stat
import struct
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import networkx as nx
import pytest

import gallery
import tinygrad_rnn as tg
from test_picture import network
from tinygrad_rnn.autodiff.notation import scripts
from tinygrad_rnn.exchange.files import write_whole
from tinygrad_rnn.view import engine, formats, svg
from tinygrad_rnn.view.dark import dark
from tinygrad_rnn.view.marks import INK
from tinygrad_rnn.view.palette import PALETTE

SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"


@pytest.fixture(scope="module")
def picture():
    return tg.draw(network())


@pytest.fixture
def no_engine(monkeypatch, tmp_path_factory):
    """A machine without Graphviz."""
    empty = str(tmp_path_factory.mktemp("empty"))
    monkeypatch.delenv(engine.VARIABLE, raising=False)
    monkeypatch.setattr(engine.sysconfig, "get_path", lambda _: empty)
    monkeypatch.setenv("PATH", empty)


# ---- files


@pytest.mark.parametrize(
    ("suffix", "start"),
    [
        (".svg", b"<svg"),
        (".png", b"\x89PNG"),
        (".pdf", b"%PDF-"),
        (".dot", b"digraph"),
        (".mmd", b"flowchart LR"),
        (".json", b"{"),
    ],
)
def test_the_suffix_says_how_to_write(picture, tmp_path, suffix, start):
    path = picture.save(tmp_path / f"a{suffix}")
    assert path.read_bytes().startswith(start)
    assert [f.name for f in tmp_path.iterdir()] == [path.name]


def test_what_cannot_be_saved_is_refused_in_words(picture, tmp_path):
    path = picture.save(tmp_path / "a.dot")
    with pytest.raises(FileExistsError, match="choose another name, or pass overwrite=True"):
        picture.save(path)
    picture.save(path, overwrite=True)
    with pytest.raises(ValueError, match=r"\.jpeg: .* choose one of \.svg, \.png, \.pdf, \.dot, \.mmd, \.json"):
        picture.save(tmp_path / "a.jpeg")
    with pytest.raises(ValueError, match="no suffix"):
        picture.save(tmp_path / "a")
    missing = tmp_path / "missing" / "a.dot"
    with pytest.raises(FileNotFoundError, match=re.escape(repr(str(missing)))):
        picture.save(missing)
    assert [f.name for f in tmp_path.iterdir()] == ["a.dot"]


def test_a_failed_save_leaves_the_old_file_and_nothing_else(picture, tmp_path, monkeypatch):
    path = picture.save(tmp_path / "a.dot")
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        picture.save(path, overwrite=True)
    assert path.read_text(encoding="utf-8") == picture.dot
    assert [f.name for f in tmp_path.iterdir()] == ["a.dot"]


def test_nothing_is_made_for_a_file_that_may_not_be_written(tmp_path):
    made = []
    with pytest.raises(IsADirectoryError, match="is a folder: name a file in it"):
        write_whole(tmp_path, lambda: made.append(1), overwrite=True)
    mine = tmp_path / "mine"
    mine.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="exists already"):
        write_whole(mine, lambda: made.append(1))
    assert not made


def test_a_file_that_came_while_we_were_busy_stays(tmp_path):
    path = tmp_path / "a"

    def make():
        path.write_bytes(b"another's")
        return b"ours"

    with pytest.raises(FileExistsError, match="exists already"):
        write_whole(path, make)
    assert path.read_bytes() == b"another's"
    assert [f.name for f in tmp_path.iterdir()] == ["a"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_device_is_told_and_stays_a_device():
    # To move a file to its place would, for root, put an end to the device.
    full = Path("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        write_whole(full, lambda: b"0" * 100_000)
    assert stat.S_ISCHR(full.stat().st_mode)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_a_link_is_followed_and_permissions_are_kept(picture, tmp_path):
    real = picture.save(tmp_path / "real.dot")
    assert stat.S_IMODE(real.stat().st_mode) & 0o600 == 0o600
    real.chmod(0o640)
    link = tmp_path / "link.dot"
    link.symlink_to(real)
    real.write_text("old")
    picture.save(link, overwrite=True)
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8") == picture.dot
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


# ---- engines


def test_the_engine_that_pip_installs_is_found_before_the_systems(monkeypatch, tmp_path):
    real = engine.find()
    assert real.stem == "graphviz-pure"
    assert "0.2" in engine.version(real)
    dot = tmp_path / "dot"
    shutil.copy(real, dot)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert engine.find() == real
    monkeypatch.setattr(engine.sysconfig, "get_path", lambda _: str(tmp_path / "none"))
    assert engine.find() == dot
    assert tg.draw(network()).to_bytes(".png").startswith(b"\x89PNG")
    monkeypatch.setenv(engine.VARIABLE, str(real))
    assert engine.find() == real


def test_a_wrong_engine_in_the_variable_is_named(picture, monkeypatch):
    monkeypatch.setenv(engine.VARIABLE, "no-such-program")
    ElementTree.fromstring(picture.to_bytes(".svg"))  # which asks no engine
    with pytest.raises(tg.EngineError, match="names 'no-such-program', which is not a program"):
        picture.to_bytes(".png")
    monkeypatch.setenv(engine.VARIABLE, sys.executable)
    with pytest.raises(tg.EngineError, match=r"python.* failed: "):
        picture.to_bytes(".png")


def test_without_any_engine_an_svg_appears_and_png_says_what_to_install(picture, no_engine, monkeypatch, tmp_path):
    picture.save(tmp_path / "a.svg")
    for suffix in (".dot", ".json", ".mmd"):
        picture.save(tmp_path / f"a{suffix}")
    assert picture.save(tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")  # by Typst
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(tg.EngineError, match=r"needs Graphviz or Typst: pip install graphviz-pure, or save a \.svg"):
        picture.save(tmp_path / "b.png")
    with pytest.raises(tg.EngineError, match=r"needs Typst: pip install 'tinygrad-rnn\[pdf\]', or save a \.svg"):
        picture.save(tmp_path / "b.pdf")
    assert not list(tmp_path.glob("b.*"))


def test_what_typst_refuses_is_told_in_words():
    with pytest.raises(tg.EngineError, match="Typst could not draw the picture"):
        formats.pdf('<svg viewBox="0 0 1 1"', "", "")


def written(element):
    """Its text: of a name, letters below the line are set, or signs that stand for them."""
    text = "".join(element.itertext())
    return "".join(run for run, _ in scripts(text)) if element.get("font-style") == "italic" else text


def parts(text):
    """What an SVG shows: the class of every id, and its title and text."""
    groups = [g for g in ElementTree.fromstring(text).iter(f"{SVG}g") if g.get("id")]
    return {
        g.get("id"): (g.get("class"), [written(e) for k in ("title", "text") for e in g.findall(f"{SVG}{k}")])
        for g in groups
        if g.get("class") != "graph"
    }


def by_graphviz(picture):
    """The same of what Graphviz draws from the DOT: there, what the pointer is told stands in a link."""
    groups = ElementTree.fromstring(engine.render(picture.dot, "svg")).iter(f"{SVG}g")
    return {
        g.get("id"): (
            g.get("class"),
            [
                said.replace("\N{NO-BREAK SPACE}", " ")
                for said in [a.get(f"{XLINK}title") for a in g.iter(f"{SVG}a")]
                + [written(e) for e in g.iter(f"{SVG}text")]
            ],
        )
        for g in groups
        if g.get("class") not in (None, "graph")
    }


def test_graphviz_draws_from_the_dot_what_the_svg_shows(picture):
    ours = parts(picture.svg)
    assert ours == by_graphviz(picture)
    kinds = Counter(kind.split()[0] for kind, _ in ours.values())
    assert kinds["cluster"] == len(picture.scene.frames)
    assert kinds["edge"] == len(picture.scene.lines)
    assert kinds["node"] > len(picture.scene.boxes)
    assert {b.id for b in picture.scene.boxes} | {e.id for e in picture.scene.lines} <= set(ours)


def mermaid_id(name):
    return name.replace("-", "_")


@pytest.mark.parametrize("network", ["guo", "own"])
def test_all_formats_hold_the_same_things_in_every_view(network):
    for shown in gallery.pictures(network):
        picture = shown.picture
        boxes, lines = {box.id for box in picture.scene.boxes}, {line.id for line in picture.scene.lines}
        theirs = by_graphviz(picture)
        assert parts(picture.svg) == theirs, shown.name
        assert boxes | lines <= set(theirs), shown.name
        data = json.loads(picture.to_bytes(".json"))
        assert {node["id"] for node in data["nodes"]} == boxes
        assert {edge["id"] for edge in data["edges"]} == lines
        g = nx.node_link_graph(data, edges="edges")
        assert (len(g), g.number_of_edges()) == (len(picture.scene.boxes), len(picture.scene.lines)), shown.name
        text = picture.to_bytes(".mmd").decode()
        assert set(re.findall(r'^ +(\w+)\("[^"]*"\):::\w+$', text, re.MULTILINE)) == set(map(mermaid_id, boxes)), (
            shown.name
        )
        arrows = re.findall(r"^ +(\w+) (?:-->|==>|-\.->|---|===) (\w+)$", text, re.MULTILINE)
        assert {frozenset(arrow) for arrow in arrows} == {
            frozenset(map(mermaid_id, (line.source, line.target))) for line in picture.scene.lines
        }


def test_our_own_pictures_have_the_size_of_graphvizs():
    for shown in gallery.pictures("own"):
        ours = svg.drawing(shown.picture.scene)
        width, height = svg.size(engine.render(shown.picture.dot, "svg").decode())
        assert abs(ours.width - width) < 3, shown.name
        assert abs(ours.height - height) < 3, shown.name


# ---- SVG


def test_every_colour_is_turned_over_where_the_page_is_dark(picture):
    root = ElementTree.fromstring(picture.svg)
    style = root.findtext(f"{SVG}style")
    used = {(k, e.get(k)) for e in root.iter() for k in ("fill", "stroke") if e.get(k)} - {
        ("fill", "none"),
        ("stroke", "none"),
        ("fill", "transparent"),
        ("stroke", "transparent"),
    }
    assert ("fill", "white") in used
    for kind, color in used:
        assert f'[{kind}="{color}"]{{{kind}:light-dark({color},' in style


def luminance(color):
    r, g, b = (int(color[k : k + 2], 16) / 255 for k in (1, 3, 5))
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (r, g, b))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def test_what_stands_out_on_white_stands_out_on_the_dark_paper():
    ladder = [f"#{v:02x}{v:02x}{v:02x}" for v in range(0, 256, 15)]
    turned = [luminance(dark(color)) for color in ladder]
    assert turned == sorted(turned, reverse=True)
    paper = luminance(dark("white"))
    assert paper < 0.02
    for color in ["#111111", *INK.values(), *PALETTE]:
        contrast = (luminance(dark(color)) + 0.05) / (paper + 0.05)
        assert contrast >= min(4.5, 1.05 / (luminance(color) + 0.05)), (color, dark(color), contrast)
    assert dark("none") == "none"


def test_a_notebook_gets_html_and_svg(picture):
    assert picture._repr_svg_() == picture.svg
    assert "viewBox" in picture._repr_html_()
    assert not re.search(r"<svg[^>]* (width|height)=", picture.svg + picture._repr_html_())
    assert repr(picture) == "<picture: A recurrent network unfolded over 5 time steps>"


# ---- JSON


def test_json_is_read_by_networkx_and_is_the_tape():
    net = network()
    data = json.loads(tg.draw(net).to_bytes(".json"))
    assert (data["graph"]["format"], data["graph"]["version"]) == ("tinygrad_rnn.graph", 1)
    g, tape = nx.node_link_graph(data, edges="edges"), net.graph()
    assert set(g) == {f"n{i}" for i in tape}
    assert set(g.edges(keys=True)) == {(f"n{a}", f"n{b}", slot) for a, b, slot in tape.edges(keys=True)}
    for i, wanted in tape.nodes(data=True):
        found = g.nodes[f"n{i}"]
        assert {key: found[key] for key in wanted} == wanted
        assert found["shape"] == list(net.tape[i].value.shape)
    boxes = {box.id: box for box in tg.draw(net).scene.boxes}
    assert all(g.nodes[name]["position"] == [round(b.x, 2), round(b.y, 2)] for name, b in boxes.items())


def test_two_edges_between_the_same_nodes_are_two_in_json():
    net = network()
    data = json.loads(tg.draw(net).to_bytes(".json"))
    triples = [(e["source"], e["target"], e["key"]) for e in data["edges"]]
    assert len(set(triples)) == len(triples) == sum(len(n.parents) for n in net.tape)


# ---- Mermaid


def test_mermaid_holds_every_node_edge_and_frame(picture):
    text = picture.to_bytes(".mmd").decode()
    scene = picture.scene
    nodes = re.findall(r'^ +(n\d+)\("([^"]*)"\):::(\w+)$', text, re.MULTILINE)
    assert sorted(name for name, _, _ in nodes) == sorted(box.id for box in scene.boxes)
    edges = re.findall(r"^ +(n\d+) (-->|==>|-\.->) (n\d+)$", text, re.MULTILINE)
    assert [(a, b) for a, _, b in edges] == [(line.source, line.target) for line in scene.lines]
    assert Counter(arrow for _, arrow, _ in edges)["-.->"] == sum(line.kind == "tie" for line in scene.lines)
    assert re.findall(r"^  subgraph (\w+) ", text, re.MULTILINE) == [frame.id for frame in scene.frames]
    assert len(re.findall(r"^  end$", text, re.MULTILINE)) == len(scene.frames)


# ---- PNG, PDF


def test_png_is_as_large_as_the_picture(picture, no_engine):
    width, height = struct.unpack(">II", picture.to_bytes(".png")[16:24])
    wanted = svg.drawing(picture.scene)
    assert abs(width - wanted.width * 96 / 72) < 2
    assert abs(height - wanted.height * 96 / 72) < 2


def test_pdf_has_the_pictures_size_and_is_the_same_twice(picture):
    first, second = picture.to_bytes(".pdf"), picture.to_bytes(".pdf")
    assert first == second
    (box,) = re.findall(rb"/MediaBox ?\[([^\]]+)\]", first)
    assert abs(float(box.split()[2]) - svg.size(picture.svg)[0]) < 1
