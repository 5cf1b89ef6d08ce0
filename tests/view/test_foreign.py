"""A trace of a stranger: refused in a line that says where, or shown as text and shapes and nothing else."""

import json
import os
import pty
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from copy import deepcopy
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import gallery
import hostile_traces
import tinygrad_rnn as tg
from hostile import NAMES
from tinygrad_rnn.cli import main
from tinygrad_rnn.view import redrawn as redrawing
from tinygrad_rnn.view.foreign import parsed
from tinygrad_rnn.view.redrawn import redrawn
from tinygrad_rnn.view.walk import Place, gone_to, gone_until, screen

SMALL = hostile_traces.small()
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{}</svg>'


@pytest.fixture(scope="module")
def shown():
    return SMALL


@pytest.fixture(scope="module")
def data(shown):
    return json.loads(shown.to_json())


def refusal(text):
    """The one line that says why."""
    with pytest.raises(ValueError, match=r"this trace|this is no trace") as caught:
        tg.Trace.from_json(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
    return str(caught.value)


# ---- numbers, names and types


def at(data, *keys):
    """A copy of the data, and its part in which the last key stands."""
    whole = part = deepcopy(data)
    for key in keys[:-1]:
        part = part[key]
    return whole, part


PLACES = [
    ("T",), ("steps",), ("cost",), ("shown", 0), ("moments", 0, "number"), ("moments", 2, "t"), ("moments", 1, "value"),
    ("moments", 0, "shape", 0), ("parts", 0, "t"), ("accounts", 0, "rows", 0, "arrives"), ("accounts", 0, "sums", 0, 0),
]  # fmt: skip
NO_NUMBERS = ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 5000, "1" + "0" * 400, "true", '"1"', "[]", "{}"]
NO_INTEGERS = ["1.5", "1e3", "-1", "-9007199254740993", "9007199254740993", "1000000000", "null"]


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize("number", NO_NUMBERS + NO_INTEGERS, ids=lambda text: text[:20])
def test_a_number_is_one_that_the_rest_bears_out(data, place, number):
    if (place[-1] in ("cost", "value") and number in NO_INTEGERS) or (place[-1] == "t" and number == "null"):
        return  # a number, or no time
    if place == ("moments", 0, "shape", 0) and number == "1000000000":
        return  # nothing is made of this size
    whole, part = at(data, *place)
    part[place[-1]] = "HERE"
    begun = time.monotonic()
    said = refusal(json.dumps(whole).replace('"HERE"', number))
    assert time.monotonic() - begun < 2
    assert place[0] in said


PRODUCT = [{"label": "", "error": ["a", ["1"] * 99], "read": ["b", ["1"]], "entries": []}]
OTHER = [
    {"name": "a", "reach": 1, "shares": [], "total": json.loads(SMALL.to_json())["accounts"][0]["total"], "cosine": ""}
]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda d: d.update(shown=[]), "trace.shown"),
        (lambda d: d.update(shown=[1, 1], T=1), "trace.shown"),
        (lambda d: d.update(shown=[2], T=2), "trace.moments[0].t"),
        (lambda d: d.update(T=10**9, shown=[1, 10**9]), "trace.steps"),
        (lambda d: d.update(steps=d["steps"] + 1), "trace.steps"),
        (lambda d: d["moments"].append(d["moments"][-1]), "trace.moments["),
        (lambda d: d["moments"][3].update(number=2), "trace.moments[3].number"),
        (lambda d: d["parts"].append(d["parts"][0]), "].id"),
        (lambda d: d["parts"][1].update(id=d["parts"][0]["id"]), "trace.parts[1].id"),
        (lambda d: d.update(parts=[p for p in d["parts"] if p["t"] == 0]), "trace.parts"),
        (lambda d: d["moments"][0].update(equation="G" + "1" * 5000), "trace.moments[0]"),
        (lambda d: d["moments"][0].update(equation="G١"), "trace.moments[0]"),
        (lambda d: d["moments"][0].update(shape=[1] * 100), "trace.moments[0].shape"),
        (lambda d: d["moments"][0].update(text="x" * 300_000), "trace.moments[0]"),
        (lambda d: d["accounts"][0].update(columns=[]), "trace.accounts[0]"),
        (lambda d: d["accounts"][0]["rows"][0].update(cells=["1"] * 999), "trace.accounts[0]"),
        (lambda d: d.update(title="\ud83d"), "trace.title"),
        (lambda d: d["moments"][2].update(op="a\udc00"), "trace.moments[2].op"),
        (lambda d: d["accounts"][0].update(weight="\ud83d"), "trace.accounts[0].weight"),
        (lambda d: d.update(svg="\ud83d"), "trace.svg"),
        (lambda d: d.update(moments={"0": d["moments"][0]}), "trace.moments"),
        (lambda d: d.update(moments=[None]), "trace.moments[0]"),
        (lambda d: d.update(moments=[[]]), "trace.moments[0]"),
        (lambda d: d["moments"][0].update(read=[["a", "b", "c"]]), "trace.moments[0].read[0]"),
        (lambda d: d["moments"][0].update(terms=[["a", None]]), "trace.moments[0].terms[0][1]"),
        (lambda d: d.update(svg=None), "trace.svg"),
        (lambda d: d["figure"].update(left=1.5), "trace.figure"),
        (lambda d: d["figure"].update(pitch=0.0), "trace.figure"),
        (lambda d: d["figure"].update(pitch=-1), "trace.figure"),
        (lambda d: d["figure"].update(width=1e300), "trace.figure"),
        (lambda d: d["figure"].update(height=0), "trace.figure"),
        (lambda d: d["figure"].update(svg="<svg/>"), "its picture"),
        (lambda d: d["figure"].pop("boxes"), "'boxes'"),
        (lambda d: d.update(start=["U", 10**9]), "trace.start"),
        (lambda d: d.update(bridges=[["a"]]), "trace.bridges[0]"),
        (lambda d: d["moments"][1].update(origins=[["n1", "value"]] * 9), "trace.moments[1]"),
        (lambda d: d["moments"][1].update(alone=[1.0] * 9), "trace.moments[1]"),
        (lambda d: d["moments"][1].update(entries=[{"value": "1", "worked": "1", "reads": [1] * 9}]), "moments[1]"),
        (lambda d: d["moments"][1].update(entries=[{"value": "1", "worked": "", "reads": []}] * 99), "moments[1]"),
        (lambda d: d["accounts"][0].update(shape=[10**9, 10**9]), "trace.accounts[0]"),
        (lambda d: d["accounts"][0].update(shape=[-1]), "trace.accounts[0]"),
        (lambda d: d["accounts"][0].update(shape=[1] * 100), "trace.accounts[0]"),
        (lambda d: d["accounts"][0].update(entries=["a"] * 99), "trace.accounts[0]"),
        (lambda d: d["accounts"][0].update(total=None), "trace.accounts[0]"),
        (lambda d: d["accounts"][0]["total"].update(values=[1.0] * 99), "trace.accounts[0]"),
        (lambda d: d["accounts"][0]["shares"].append(d["accounts"][0]["shares"][0]), "trace.accounts[0].shares"),
        (lambda d: d["accounts"][0]["shares"][0].update(first=0), "trace.accounts[0].shares"),
        (lambda d: d["accounts"][0]["shares"][0].update(arrives=10**6), "trace.accounts[0].shares[0]"),
        (lambda d: d["accounts"][0]["shares"][0].update(costs=["1 %"] * 99), "trace.accounts[0].shares[0]"),
        (lambda d: d["accounts"][0]["shares"][0].update(products=PRODUCT), "trace.accounts[0].shares[0]"),
        (lambda d: d["accounts"][0].update(others=OTHER), "trace.accounts[0].others"),
        (lambda d: d.pop("parts"), "'parts'"),
        (lambda d: d["parts"][0].pop("name"), "trace.parts[0]"),
    ],
)
def test_what_does_not_fit_the_rest_is_refused_where_it_stands(data, change, where):
    whole = deepcopy(data)
    change(whole)
    assert where in refusal(json.dumps(whole))


@pytest.mark.parametrize("name", ["T", "moments", "title", "svg"])
def test_a_name_that_stands_twice_is_two_things(data, name):
    text = json.dumps(data).replace(f'"{name}": ', f'"{name}": 0, "{name}": ', 1)
    assert f"'{name}' stands there twice" in refusal(text)
    inner = json.dumps(data).replace('"phase": ', '"phase": "forward", "phase": ', 1)
    assert "trace.moments[0].'phase' stands there twice" in refusal(inner)


@pytest.mark.parametrize("text", ["[" * 400_000, '{"a":' * 100_000, "[[]," * 200_000, "", "\0", "{", "NaN", "\ufeff{}"])
def test_what_is_nested_or_broken_is_no_trace(text):
    assert refusal(text).startswith("this is no trace")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(value=json_values, random=st.randoms(use_true_random=False))
def test_anything_anywhere_is_shown_or_refused_in_a_line(value, random):
    whole = part = json.loads(SMALL.to_json())
    while True:
        key = random.choice(list(part) if isinstance(part, dict) else range(len(part)))
        if not isinstance(part[key], dict | list) or not part[key] or random.random() < 0.2:
            break
        part = part[key]
    part[key] = value
    try:
        trace = tg.Trace.from_json(json.dumps(whole))
    except ValueError as error:
        assert len(str(error).split("\n")) == 1  # noqa: PT017  some are taken
        return
    tg.player(trace).page().encode()
    for k in (0, len(trace) - 1):
        screen(trace, Place(k)).encode()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the memory is read from /proc")
@pytest.mark.parametrize("output", [["--ascii"], ["-o", "page.html"]], ids=" ".join)
@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(T=10**9),
        lambda d: d.update(title=[[]] * 4_000_000),
        lambda d: d["moments"][0].update(terms=[["a", 1.5]] * 80_000),
        lambda d: d["moments"][0].update(read=[["a", "b"]] * 100_000),
        lambda d: d["moments"][0].update(read=[["a" * 100_000, "1\n" * 900]] * 20),
        lambda d: d["moments"][0].update(shape=[1] * 900_000),
        lambda d: d.update(accounts=[d["accounts"][0]] * 5000),
        lambda d: d.update(parts=[d["parts"][0] | {"id": f"q{k}", "name": f"q{k}", "t": 1} for k in range(50_000)]),
        lambda d: d.update(title="\U0001f600" * 1_000_000),
        lambda d: d.update(svg=SVG.format("<text>" + "\n" * 3_000_000 + "</text>")),
        lambda d: d.update(svg=SVG.format("\n" * 3_000_000)),
        lambda d: d.update(svg=SVG.format("<g/>" * 150_000)),
        lambda d: d.update(svg=SVG.format("<g>" * 500_000)),
        lambda d: d.update(svg=SVG.format("<text>" + ">" * 3_000_000 + "</text>")),
        lambda d: d.update(svg=SVG.format("".join(f'<g fill="#{k:06x}"/>' for k in range(90_000)))),
        lambda d: d.update(svg=SVG.format('<path d="' + "1" * 400_000 + 'x"/>')),
        lambda d: d["figure"].update(svg=SVG.format('<g data-c="' + "1-1 " * 100_000 + 'x"/>')),
        lambda d: d["figure"].update(boxes=[["a", "b"]] * 150_000),
        lambda d: d.update(bridges=[["a", "b"]] * 150_000),
        lambda d: d["accounts"][0].update(shape=[10**5, 10**5]),
        lambda d: d["accounts"][0].update(entries=["a"] * 400_000),
        lambda d: d["accounts"][0]["shares"][0].update(costs=["1 %"] * 400_000),
        lambda d: d["moments"][1].update(entries=[{"value": "1", "worked": "1" * 10**5, "reads": []}] * 100),
        lambda d: d.update(svg=SVG.format('<g transform="' + "rotate(1)" * 50_000 + 'x"/>')),
    ],
)
def test_no_trace_takes_more_than_200_mb_or_long(data, change, output, tmp_path):
    whole = deepcopy(data)
    change(whole)
    (tmp_path / "a.json").write_text(json.dumps(whole))
    call = """
import sys, time
from tinygrad_rnn.cli import main
try:
    main()
finally:
    took = time.process_time()
    sum(k * k for k in range(2_000_000))
    pace = time.process_time() - took
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(peak.split()[1], took / pace, file=sys.stderr)
"""
    command = [sys.executable, "-c", call, "step", "--trace", "a.json", *output]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    *said, (*_, figures) = [[line] for line in done.stderr.strip().split("\n")]
    kilobytes, times = map(float, figures.split())
    assert kilobytes < 200_000
    # Of two million squares, which take a tenth of a second or two: what grows with a square takes thousands.
    assert times < 40
    assert len(said) <= 1
    assert all(line[0].startswith("Error: a.json: this ") for line in said)


# ---- pictures


def test_our_own_pictures_are_drawn_again_as_they_are():
    for network in ("guo", "own"):
        for each in gallery.pictures(network):
            assert redrawn(each.picture.svg) == each.picture.svg, each.name


@pytest.mark.parametrize(
    ("name", "text"), hostile_traces.traces(), ids=lambda text: text[:60] if text[:1] != "{" else ""
)
def test_whatever_stands_in_a_picture_or_a_text_is_a_picture_or_a_text(name, text):
    try:
        trace = tg.Trace.from_json(text)
    except ValueError as error:
        assert len(str(error).split("\n")) == 1  # noqa: PT017  most are taken
        return
    root = ET.fromstring(trace.svg)
    for element in root.iter():
        space, _, tag = element.tag.rpartition("}")
        assert space == "{http://www.w3.org/2000/svg"
        assert tag in redrawing._SHAPES | redrawing._WRITING | {"svg", "title", "desc", "style"}
        assert all(not len(element) for _ in [0] if tag in ("title", "desc", "style"))
        assert not [a for a in element.attrib if a.startswith("on") or a.endswith("href")]
    style = "".join(element.text for element in root.iter("{http://www.w3.org/2000/svg}style"))
    assert "127.0.0.1" not in style
    assert "@import" not in style
    page = tg.player(trace).page()
    assert page.count("<script") == page.count('<script type="application/json"') + 1
    assert "<!--" not in page.replace(page[page.index("<style") : page.index("</style>")], "")


def test_a_picture_is_drawn_again_wherever_it_comes_from(shown):
    wrong = replace(shown, svg=shown.svg.replace("</svg>", "<script>1</script></svg>"))
    with pytest.raises(ValueError, match="holds <script>"):
        tg.player(wrong).page()


@pytest.mark.parametrize(
    ("inside", "says"),
    [
        ('<g id="a"/><g id="a"/>', "two elements of the id 'a'"),
        ('<g x="1"/><g id="a"/><rect id="a"/>', "two elements of the id 'a'"),
        ('<rect width="-1"/>', "width='-1'"),
        ('<rect width="1e9999"/>', "width="),
        ('<rect width="NaN"/>', "width='NaN'"),
        ('<rect width="1px"/>', "width='1px'"),
        ('<path d="M0 0 L calc(1)"/>', "d="),
        ('<text font-size="9em">a</text>', "font-size='9em'"),
        ("<svg/>", "holds <svg>"),
        ("<text><rect/></text>", "holds <rect> in <text>"),
        ("<g>" * 40 + "</g>" * 40, "deep"),
    ],
)
def test_values_have_their_form(inside, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        redrawn(SVG.format(inside))


def test_what_a_picture_says_is_kept():
    again = redrawn(
        SVG.format('<title>A &amp; B</title><g id="a"><title>1 &lt; 2</title><text x="1">x<!-- --> y</text></g>'), "p-"
    )
    assert 'aria-label="A &amp; B"' in again
    assert '<g id="p-a"><title>1 &lt; 2</title>' in again
    assert '<text x="1">x y</text>' in again


# ---- the terminal

CONTROLS = (
    "\x1b]0;owned\x07\x1b]52;c;b3duZWQ=\x07\x1b[2J\x1b[8m\x9b31m\x90q\x9c\x07\x08\r\x0b\x0c\x7f\u202e\u2066\u200b\x00"
)
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize("place", hostile_traces.PLACES)
@pytest.mark.parametrize("plain", [[], ["--ascii"]])
def test_no_control_reaches_a_terminal_from_a_trace(shown, tmp_path, monkeypatch, place, plain):
    monkeypatch.chdir(tmp_path)
    Path("a.json").write_text(hostile_traces.written(shown, place, f"{CONTROLS}x\ny"))
    result = CliRunner().invoke(main, ["step", "--trace", "a.json", *plain], standalone_mode=True)
    assert not RAW.search(result.output)
    assert result.exit_code == 0
    assert result.output.isascii() or not plain
    for k in range(len(shown)):
        screen(tg.Trace.load("a.json"), Place(k))


@pytest.mark.parametrize(
    "words",
    [
        ["step", "--trace", f"no{CONTROLS[:-1]}.json"],
        ["step", "-o", f"no{CONTROLS[:-1]}.json"],
        ["step", "-o", f"no{CONTROLS[:-1]}.txt"],
        ["draw", "-o", f"no\n{CONTROLS[:-1]}.svg"],
        ["draw", "--csv", f"no{CONTROLS[:-1]}.csv"],
        ["draw", "--highlight", CONTROLS, "-o", "a.svg"],
        ["draw", "--view", CONTROLS],
        ["draw", f"--{CONTROLS}"],
        [CONTROLS],
        ["lesson", CONTROLS],
        ["exercise", "6", "--file", f"no\n{CONTROLS[:-1]}.py"],
        ["exercise", "6", "--file", f"no{CONTROLS[:-1]}.py", "--start"],
    ],
)
def test_no_control_reaches_a_terminal_from_a_name(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, words)
    assert not RAW.search(result.output)
    assert isinstance(result.exception, SystemExit | None)


def test_no_control_reaches_a_terminal_from_what_a_file_prints_or_raises(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for source in (
        f"print({CONTROLS!r})",
        f"raise ValueError({CONTROLS!r})",
        f"import sys; sys.stderr.write({CONTROLS!r})",
    ):
        Path("exercise_06.py").write_text(source)
        result = CliRunner().invoke(main, ["exercise", "6", "--check"])
        assert result.exit_code == 1
        assert "owned" in result.output
        assert not RAW.search(result.output)


def test_no_control_reaches_a_real_terminal(shown, tmp_path):
    (tmp_path / "a.json").write_text(hostile_traces.written(shown, "title", CONTROLS))
    (tmp_path / "b.py").write_text(
        f"import tinygrad_rnn as tg\nprint(tg.Trace.load('a.json').title)\nraise OSError({CONTROLS!r})"
    )
    for words in (["step", "--trace", "a.json"], ["draw", "--text", f"a{CONTROLS[:-1]}", "--format", "svg"]):
        ours, theirs = pty.openpty()
        command = [sys.executable, "-c", "from tinygrad_rnn.cli import main; main()", *words]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, cwd=tmp_path)
        os.close(theirs)
        text = b""
        try:
            while piece := os.read(ours, 65536):
                text += piece
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        assert process.wait(20) == 0
        found = RAW.search(text.decode().replace("\r\n", "\n"))
        assert not found, repr(found)


def test_names_of_any_kind_make_a_trace_that_can_be_read():
    for name in NAMES:

        def cell(params, x, s, name=name):
            return tg.ops.tanh(tg.ops.linear(s, params[name]), name=name), s

        net = tg.unfold(
            cell,
            {name: np.ones((2, 2))},
            np.ones((1, 1, 1)),
            np.ones((1, 1, 2)),
            loss="squared_error",
            s0=np.ones((1, 2)),
        )
        trace = tg.trace(net, title=name)
        assert tg.Trace.from_json(trace.to_json()) == trace
        tg.player(trace).page().encode()


@pytest.mark.parametrize(
    "wish", ["9" * 5000, "9" * 19, "t=" + "9" * 5000, "U(" + "9" * 5000 + ")", "G" + "9" * 5000, "(" * 5000]
)
def test_what_is_typed_at_the_prompt_is_a_step_or_none(shown, wish):
    for place in (go(shown, Place(1), wish.format("9" * 5000)) for go in (gone_to, gone_until)):
        assert place.at == 1
        assert len(place.says) < 120
        assert "\n" not in place.says


# ---- a look changes nothing, and a wrong word is told


def test_a_look_leaves_the_gradients_as_they_were(shown):
    cell = tg.cells.LSTM()
    for replayed in (False, True):
        net = tg.unfold(cell, cell.init(2, 3, 2, rng=0), np.ones((3, 2, 2)), np.eye(2)[np.zeros((3, 2), int)])
        if replayed:
            net.replay()
        net.backward()
        before, loss = {name: g.copy() for name, g in net.grads.items()}, net.loss
        copies = {name: g.copy() for name, g in net.copies.items()}
        for look, how in [(tg.trace, {"of": 2}), (tg.player, {"of": 1}), (tg.trace, {}), (tg.draw, {})]:
            look(net, **how)
            assert net.loss == loss
            for name, g in net.grads.items():
                np.testing.assert_array_equal(g, before[name])
                np.testing.assert_array_equal(net.copies[name], copies[name])


def test_a_look_that_fails_leaves_the_net_as_it_was(monkeypatch):
    cell = tg.cells.Guo()
    net = tg.unfold(cell, cell.init(2, 3, 2, rng=0), np.ones((3, 1, 2)), np.eye(2)[np.zeros((3, 1), int)])
    net.backward()
    before = {name: g.copy() for name, g in net.grads.items()}
    for wrong in ("moment", "draw"):
        with monkeypatch.context() as patch:
            patch.setattr(f"tinygrad_rnn.view.tracing.{wrong}", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                tg.player(net, of=2)
        for name, g in net.grads.items():
            np.testing.assert_array_equal(g, before[name])
        net.backward()


def test_a_look_before_any_backward_pass_leaves_none():
    cell = tg.cells.Guo()
    net = tg.unfold(cell, cell.init(2, 3, 2, rng=0), np.ones((3, 1, 2)), np.eye(2)[np.zeros((3, 1), int)])
    tg.trace(net)
    with pytest.raises(tg.TapeError, match="no gradients yet"):
        net.grads["U"]


@pytest.mark.parametrize("wrong", [None, 3, "net", [1], tg.Tape, np.ones(2), {1: 2}, b"x"], ids=str)
@pytest.mark.parametrize(
    "call",
    [
        tg.trace,
        tg.draw,
        tg.player,
        tg.show,
        lambda wrong: tg.show([wrong]),
        lambda wrong: tg.view.ledger(wrong, "U"),
        lambda wrong: tg.draw(small_net(), captions={"x": [wrong, 1]}),
        lambda wrong: tg.draw(small_net(), captions=[wrong]),
        lambda wrong: tg.Trace.from_json([wrong]),
        lambda wrong: tg.Trace.load([wrong]),
        lambda wrong: SMALL.save([wrong]),
        lambda wrong: tg.draw(small_net()).save([wrong]),
        lambda wrong: tg.player(SMALL).save([wrong]),
        lambda wrong: tg.trace(small_net(), title=[wrong]),
    ],
)
def test_what_is_no_network_is_refused_in_our_words(call, wrong):
    with pytest.raises(TypeError, match=r"pass |it is a |it must be") as caught:
        call(wrong)
    assert caught.traceback[-1].path.name in ("asked.py", "calling.py", "files.py", "terminal.py")


@pytest.mark.parametrize("of", [0, -1, 2, 99, True, 1.5, "a", [1]])
@pytest.mark.parametrize("look", [tg.trace, tg.player, tg.draw])
def test_what_is_no_time_step_is_refused_in_our_words(look, of):
    with pytest.raises(ValueError, match="it is a time step, an integer from 1 to 1"):
        look(small_net(), of=of)


@pytest.mark.parametrize("name", ["a\0b.svg", "\0.json"])
def test_no_file_has_such_a_name(name):
    for thing in (SMALL, tg.draw(small_net()), tg.player(SMALL)):
        with pytest.raises(ValueError, match="no file can have a name with a NUL"):
            thing.save(name)


def small_net():
    cell = tg.cells.Guo()
    return tg.unfold(cell, cell.init(1, 1, 2, rng=0), np.ones((1, 1, 1)), np.eye(2)[:1, None])


def test_the_trace_is_the_same_as_its_parts(shown):
    assert parsed(shown.to_json())["title"] == asdict(shown)["title"]
