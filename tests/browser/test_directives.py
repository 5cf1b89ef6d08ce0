"""The directives on sites of others: a mistake is told where it stands, and every builder has something to show."""

import json
import re
import xml.etree.ElementTree as ET
import zipfile
from io import StringIO

import pytest
from sphinx.application import Sphinx

import tinygrad_rnn as tg
from tinygrad_rnn.view.sphinx import EquationDirective, LedgerTable, Stepper, Unroll

NET = """
   import numpy as np, tinygrad_rnn as tg
   cell = tg.cells.Guo()
   net = tg.unfold(cell, cell.init(2, 2, 2, rng=0), np.ones((2, 1, 2)), np.eye(2)[[0, 1]][:, None])
"""


@pytest.fixture
def build(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "conf.py").write_text('extensions = ["tinygrad_rnn.view.sphinx"]\nproject = version = "x"\n')

    def build(text, builder="html"):
        (source / "index.rst").write_text(f"Title\n=====\n\n{text}\n\nThe end of the page.\n")
        says = StringIO()
        Sphinx(source, source, tmp_path / builder, tmp_path / "trees", builder, status=None, warning=says).build(True)
        told = [part for part in re.split(r"\n(?=\S*(?:WARNING|ERROR|/))", says.getvalue()) if part.strip()]
        # All sites are built in one process here, which Sphinx takes note of; and a book wants to know its owner.
        passed_over = ("already registered", "mimetype", "epub_copyright")
        return tmp_path / builder, [part for part in told if not any(each in part for each in passed_over)]

    return build


WRONG = [
    (".. unroll::\n   :of: 9\n", "of=9"),
    (".. unroll::\n   :of: 0\n", "option"),
    (".. unroll::\n   :of: x\n", "option"),
    (".. unroll::\n   :of: 9\n   :overlay: values\n", "of=9"),
    (".. unroll::\n   :view: sideways\n", "view='sideways'"),
    (".. unroll::\n   :level: sideways\n", "level='sideways'"),
    (".. unroll::\n   :overlay: sideways\n", "overlay='sideways'"),
    (".. unroll::\n   :highlight: Q\n", "highlight='Q'"),
    (".. unroll::\n   :level: figure\n   :ledger: Q\n", "ledger='Q'"),
    (".. unroll::\n   :net: other\n", "a network called 'other'"),
    (".. unroll::\n   :sideways: 1\n", "sideways"),
    (".. stepper::\n   :of: 9\n", "of=9"),
    (".. stepper::\n   :of: -1\n", "option"),
    (".. stepper::\n   :trace: none.json\n", "none.json: "),
    (".. stepper::\n   :trace: conf.py\n", "conf.py: this is no trace"),
    (".. stepper::\n   :trace: .\n", "Is a directory"),
    (".. stepper::\n   :trace:\n", "option|trace"),
    (".. stepper::\n   :net: other\n", "a network called 'other'"),
    (".. stepper::\n   :start: Q 1\n", "it is a weight, one of V, U, b_j, W, b_k"),
    (".. stepper::\n   :start: U 9\n", "a time step from 1 to 2"),
    (".. stepper::\n   :start: U\n", "such as U 2"),
    (".. stepper::\n   :start:\n", "argument required|option"),
    (".. stepper::\n   :weight: Q\n", "it is a weight, one of V, U, b_j, W, b_k"),
    (".. stepper::\n   :compare: other\n", "a network called 'other'"),
    (".. stepper::\n   :width: wide\n", "option"),
    (".. stepper::\n   :file: none.py\n", "code of its own and a :file: too"),
    (".. stepper::\n   :predict: yes\n", "option"),
    (".. stepper::\n   :no-ops: yes\n", "option"),
    (".. stepper::\n   :show-code: yes\n", "option"),
    (".. unroll::\n   :show-code: yes\n", "option"),
    (".. unroll::\n   :file: none.py\n", "code of its own and a :file: too"),
    (".. ledger:: U\n   :file: none.py\n", "code of its own and a :file: too"),
    (".. ledger:: U\n   :show-code: yes\n", "option"),
    (".. ledger:: U\n   :net: other\n", "a network called 'other'"),
    (".. ledger:: U W\n", "maximum 1 argument"),
    (".. ledger:: U\n   :of: 9\n", "of=9"),
    (".. ledger:: Q\n", "there is no weight 'Q'"),
    (".. ledger::\n", "argument"),
    (".. equation:: 29\n", "1 to 28"),
    (".. equation:: x\n", "1 to 28"),
]
ALONE = [
    (".. stepper::\n   :file: none.py\n", "none.py: "),
    (".. unroll::\n   :file: .\n", "Is a directory"),
    (".. ledger:: U\n   :file:\n", "option|file"),
    (".. unroll::\n", "nothing of that name"),
    (".. stepper::\n   :trace: none.json\n   :compare: other\n", "compare: is said when a trace is made"),
    (".. equation:: 26\n   :net: other\n", "maximum 1 argument"),
]
CODE = [
    ("1 / 0", "failed: ZeroDivisionError"),
    ("raise SystemExit", "failed: SystemExit"),
    ("def f(:", "failed: SyntaxError"),
    ("net = 3", "it made int"),
    ("pass", "nothing of that name"),
    ("raise ValueError('\\x1b]0;owned\\x07')", "failed: ValueError"),
]


@pytest.mark.parametrize(("directive", "says"), WRONG)
def test_a_wrong_option_is_told_where_it_stands(build, directive, says):
    code = "" if "equation" in directive else NET
    out, told = build(f"Before.\n\n{directive}{code}\n")
    assert len(told) == 1
    assert "index.rst:6: " in told[0]
    assert any(each in told[0] for each in says.split("|")), told
    assert "The end of the page." in (out / "index.html").read_text("utf-8")


@pytest.mark.parametrize(("directive", "says"), ALONE)
def test_what_is_wrong_without_code_is_told_too(build, directive, says):
    _, told = build(f"Before.\n\n{directive}")
    assert len(told) == 1
    assert "index.rst:6: " in told[0]
    assert any(each in told[0] for each in says.split("|")), told


@pytest.mark.parametrize(("code", "says"), CODE)
@pytest.mark.parametrize("directive", [".. unroll::", ".. stepper::", ".. ledger:: U"])
def test_code_that_fails_is_told_where_it_stands(build, directive, code, says):
    out, told = build(f"Before.\n\n{directive}\n\n   {code}\n")
    assert len(told) == 1
    assert "index.rst:6: " in told[0]
    assert says in told[0]
    assert "\x1b]" not in told[0]
    assert "The end of the page." in (out / "index.html").read_text("utf-8")


OPTIONS = f"""
.. stepper::
   :weight: W
   :caption: A *player* of its own
   :name: mine
   :width: 600
   :no-ops:
{NET}
.. stepper::
   :start: V 1
   :compare: other
   :title: Two
{NET}   other = tg.unfold(cell, cell.init(2, 2, 2, rng=1), np.ones((2, 1, 2)), np.eye(2)[[0, 1]][:, None])

.. stepper::
   :file: net.py
   :compare: shares
"""


def test_the_options_of_a_stepper(build, tmp_path):
    code = "\n".join(line.strip() for line in NET.splitlines())
    (tmp_path / "source/net.py").write_text(f"{code}\nnet.backward()\nshares = dict(net.copies)\n")
    out, told = build(OPTIONS)
    assert told == []
    page = (out / "index.html").read_text("utf-8")
    data = [json.loads(each) for each in re.findall(r'class="bptt-data">(.*?)</script>', page)]
    assert [(d["weights"][d["start"][0]]["id"], d["start"][1]) for d in data] == [("W", 1), ("V", 0), ("U", 1)]
    assert '<div style="max-width:600px"><section class="bptt" id="mine"' in page
    assert "A <em>player</em> of its own" in page
    assert page.count('<template class="bptt-template"') == 2
    assert page.count('<option value="the other" selected="selected">') == 2
    assert (out / "_static/bptt-player.js").is_file()


def test_a_name_is_one_stepper_only(build):
    _, told = build(f".. stepper::\n   :name: a\n{NET}\n\n.. stepper::\n   :name: a\n{NET}")
    assert len(told) == 1
    assert "another stepper of the name 'a'" in told[0]


OTHER = "   other = tg.unfold(cell, cell.init(2, 2, 2, rng=1), np.ones((2, 1, 2)), np.eye(2)[[0, 1]][:, None])\n"
# Each directive with each of its options, and what a reader must find of it.
EVERYTHING = f"""
.. stepper::
   :title: A & <b>
   :of: 2
   :predict:
   :weight: W
   :caption: Below it
   :width: 50%
   :show-code:
{NET}
.. stepper::
   :name: mine
   :net: other
   :start: U 1
   :no-ops:
   :compare: net
{NET}{OTHER}
.. stepper::
   :file: net.py

.. stepper::
   :trace: net.json

.. unroll::
   :of: 1
   :level: figure
   :ledger: U
   :show-code:
{NET}
.. unroll::
   :net: other
   :view: backward
   :overlay: values
   :highlight: U
{NET}{OTHER}
.. unroll::
   :file: net.py

.. ledger:: U
   :of: 2
   :show-code:
{NET}
.. ledger:: V
   :file: net.py
   :net: net

.. equation:: 26
"""
STEPPERS, PICTURES, LEDGERS = 4, 3, 2
SVG, XHTML = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xhtml}"


@pytest.fixture
def everything(build, tmp_path):
    """What a builder makes of every option of every directive, told nothing."""
    code = "\n".join(line.strip() for line in NET.splitlines())
    (tmp_path / "source/net.py").write_text(code)
    names = {}
    exec(code, names)
    tg.trace(names["net"]).save(tmp_path / "source/net.json")

    def everything(builder):
        out, told = build(EVERYTHING, builder)
        assert told == []
        return out

    return everything


@pytest.mark.parametrize("directive", [Unroll, Stepper, LedgerTable, EquationDirective])
def test_no_option_is_left_out(directive):
    name = {Unroll: "unroll", Stepper: "stepper", LedgerTable: "ledger", EquationDirective: "equation"}[directive]
    used = {
        option
        for block in re.findall(rf"^\.\. {name}::.*\n((?:   :.*\n)*)", EVERYTHING, re.MULTILINE)
        for option in re.findall(r"   :([a-z-]+):", block)
    }
    assert used == set(directive.option_spec or ())


@pytest.mark.parametrize(("builder", "page"), [("html", "index"), ("dirhtml", "index"), ("singlehtml", "index")])
def test_a_page_has_all_of_it(everything, builder, page):
    text = (everything(builder) / f"{page}.html").read_text("utf-8")
    assert text.count('<section class="bptt"') == STEPPERS
    assert text.count('<figure class="tinygrad-rnn"') >= PICTURES
    assert len(re.findall(r'<table class="[^"]*bptt-ledger', text)) == LEDGERS
    assert 'id="equation-G26"' in text
    ids = re.findall(r'\sid="([^"]*)"', re.sub(r"<template.*?</template>", "", text, flags=re.DOTALL))
    assert sorted({each for each in ids if ids.count(each) > 1}) == []


def test_a_book_has_the_pictures_and_the_steps_as_a_list(everything):
    with zipfile.ZipFile(next(everything("epub").glob("*.epub"))) as book:
        pages = {name: book.read(name) for name in book.namelist() if name.endswith(".xhtml")}
    trees = {name: ET.fromstring(page) for name, page in pages.items()}  # well-formed, each of them
    index = trees["index.xhtml"]
    pictures = list(index.iter(f"{SVG}svg"))
    assert len(pictures) == STEPPERS + PICTURES
    for picture in pictures:  # in words too
        assert picture.get("role") == "img"
        assert picture.find(f"{SVG}title").text
    lists = [each for each in index.iter(f"{XHTML}ol") if "-step-" in (each[0].get("id") or "")]
    assert len(lists) == STEPPERS
    assert all(item.tag == f"{XHTML}li" and item.get("id") for each in lists for item in each)
    ids = [each.get("id") for each in index.iter() if each.get("id")]
    assert len(ids) == len(set(ids))
    inside = [a.get("href").partition("#")[2] for a in index.iter(f"{XHTML}a")]
    assert {each for each in inside if "-step-" in each} <= set(ids)
    assert b"<script" not in pages["index.xhtml"]


def test_paper_has_the_pictures_and_their_words(everything):
    out = everything("latex")
    text = next(out.glob("*.tex")).read_text("utf-8")
    pictures = re.findall(r"\\sphinxincludegraphics\[alt=\{(.*?)\}\]\{(\S+?)\}", text)
    assert len(pictures) == len({name for _, name in pictures}) == STEPPERS + PICTURES
    for says, name in pictures:
        assert len(says) > 3
        assert not re.search(r"(?<!\\)[&%$#_]", says)  # nothing that TeX would obey
        assert (out / name).read_bytes().startswith(b"%PDF")
    assert text.count(r"\begin{tabulary}") + text.count(r"\begin{tabular}") == LEDGERS


@pytest.mark.parametrize("builder", ["text", "man", "texinfo"])
def test_where_nothing_is_drawn_there_are_words(everything, builder):
    out = everything(builder)
    text = "".join(path.read_text("utf-8") for path in out.glob("*.*") if path.suffix in (".txt", ".1", ".texi"))
    flat = " ".join(text.split())
    assert flat.count("forward 1, t = 1") >= STEPPERS
    assert "[A & <b>]" in flat
    assert len(re.findall(r"\[[^\]]{20,}\.\]", flat)) >= PICTURES
    assert "Below it" in flat
