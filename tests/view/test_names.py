"""Whatever a reader calls a weight is shown, and nothing else: no file breaks, nothing runs."""

import html.parser
import json
import re
from xml.etree import ElementTree

import networkx as nx
import pytest

import hostile
from test_picture import read_back
from tinygrad_rnn.autodiff.notation import scripts
from tinygrad_rnn.view.text import printable

SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "title", "desc", "style", "g", "path", "polygon", "ellipse", "rect", "text", "tspan", "figure"}


@pytest.fixture(params=hostile.NAMES, ids=lambda name: ascii(name)[:30], scope="module")
def case(request):
    return request.param, *hostile.picture(request.param)


def shown(text):
    """As a reader sees it, who does not see how lines are broken."""
    return re.sub(r"\s+", "", text.replace("\u200b", ""))


def wanted(name):
    return shown(printable(name))


def test_what_is_printable_is_what_xml_allows_without_controls():
    kept = {c for c in range(0x10100) if printable(chr(c)) == chr(c)}
    assert kept == {
        ord("\n"),
        *range(0x20, 0x7F),
        *range(0xA0, 0xD800),
        *range(0xE000, 0xFFFE),
        *range(0x10000, 0x10100),
    }


def test_svg(case):
    name, _, picture = case
    root = ElementTree.fromstring(picture.svg.encode())
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= ALLOWED
    assert not [key for e in root.iter() for key in e.attrib if key.startswith("on") or "href" in key]
    for box in picture.scene.boxes:
        assert len([g for g in root.iter(f"{SVG}g") if g.get("id") == box.id]) == 1
        (its_name,) = (g for g in root.iter(f"{SVG}g") if g.get("id") == f"{box.id}_name")
        read = "".join("".join(t.itertext()) for t in its_name.iter(f"{SVG}text"))
        assert shown(read) == wanted("".join(run for run, _ in scripts(box.name.replace("⊙", "·"))))
    captions = [g for g in root.iter(f"{SVG}g") if "caption" in (g.get("class") or "")]
    assert [shown("".join(t.text or "" for t in g.iter(f"{SVG}text"))) for g in captions] == [wanted(name)] * len(
        captions
    )
    assert len(captions) == 2 * bool(name)


def test_a_weights_box_bears_its_name(case):
    name, net, picture = case
    letters = re.sub(r"[\W_]", "", name)
    boxes = {box.id: box.name for box in picture.scene.boxes}
    assert letters in re.sub(r"[\W_]", "", boxes[f"n{net.weights[name].index}"])


def test_dot(case):
    _, net, picture = case
    nodes, edges, _ = read_back(picture.dot)
    assert set(nodes) == {f"n{node.index}" for node in net.tape}
    assert len(edges) == net.graph().number_of_edges()


def test_json(case):
    name, net, picture = case
    text = picture.to_bytes(".json")
    assert text.isascii()
    g = nx.node_link_graph(json.loads(text), edges="edges")
    assert g.nodes[f"n{net.weights[name].index}"]["name"] == name
    assert len(g) == len(net.tape)


def test_html(case):
    _, _, picture = case
    tags = []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.append(tag)
            assert not [key for key, _ in attrs if key.startswith("on")]

    Reader().feed(picture._repr_html_())
    assert set(tags) <= ALLOWED


def test_mermaid(case):
    _, _, picture = case
    text = picture.to_bytes(".mmd").decode()
    labels = re.findall(r'"([^"]*)"', text.partition("subgraph")[2])
    assert len(labels) == len(picture.scene.boxes) + len(picture.scene.frames)
    for label in labels:
        assert not re.search(r"[<>\\`\[\]{}|%]", label.replace("<br/>", ""))
    # Nothing but what we write begins a line.
    for line in text.split("\n")[3:]:
        assert re.match(r"(  subgraph |  end$|  classDef |  linkStyle |  style n\d| +n\d+[( ]|$)", line), line


def test_pdf_and_png(case):
    _, _, picture = case
    assert picture.to_bytes(".pdf").startswith(b"%PDF")
    assert picture.to_bytes(".png").startswith(b"\x89PNG")
