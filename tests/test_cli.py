"""The commands draw and doctor, as somebody types them: what they make, and what they say when they cannot."""

import json
import os
import re
import shlex
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from click.testing import CliRunner

from tinygrad_rnn.cli import CELLS, main, network
from tinygrad_rnn.view import engine
from tinygrad_rnn.view.overlay import NAMES as OVERLAYS
from tinygrad_rnn.view.picture import SUFFIXES
from tinygrad_rnn.view.views import VIEWS

COMMAND = [sys.executable, "-W", "error", "-m", "tinygrad_rnn", "draw"]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(*words):
    return CliRunner().invoke(main, words)


def drawn(*words):
    result = run("draw", *words, "-o", "-", "--format", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(*words):
    """The one line that says why, after what was understood of a file."""
    result = run("draw", *words)
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit), result.exception
    *understood, line = result.output.strip().split("\n")
    assert line.startswith(("Error: ", "Try")), line
    assert not any(said.startswith("Error: ") for said in understood)
    assert not list(Path().glob(".unfinished*"))
    return line


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_sentence_becomes_a_file(suffix):
    result = run("draw", "--text", "we see", "-o", f"a{suffix}")
    assert (result.exit_code, result.output) == (0, f"written: a{suffix}\n")
    assert Path(f"a{suffix}").stat().st_size > 1000


def test_a_sentence_is_read_character_by_character_and_tells_the_next_one():
    nodes = {n["label"]: n for n in drawn("--text", "abca")["nodes"]}
    assert [nodes[f"x({t})"]["numbers"]["caption"] for t in (1, 2, 3)] == ["“a”", "“b”", "“c”"]
    assert [nodes[f"d({t})"]["numbers"]["caption"] for t in (1, 2, 3)] == ["“b”", "“c”", "“a”"]
    assert nodes["x(2)"]["numbers"]["value"] == "0  1  0"
    assert "x(4)" not in nodes


def test_a_table_is_read_row_by_row_and_tells_the_next_one():
    Path("a.csv").write_text("\ufeffdepth,level\n1,0.25\n\n3,-0.5\n5,0.75\n", encoding="utf-8")
    nodes = {n["label"]: n for n in drawn("--csv", "a.csv")["nodes"]}
    assert [nodes[f"x({t})"]["numbers"]["value"] for t in (1, 2)] == ["1.00  0.25", "3.00  −0.50"]
    assert [nodes[f"d({t})"]["numbers"]["value"] for t in (1, 2)] == ["3.00  −0.50", "5.00  0.75"]
    assert "x(3)" not in nodes


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_cells_layers_and_sizes(cell, layers):
    nodes = drawn("--cell", cell, "--layers", str(layers), "--hidden", "5", "--steps", "2", "--inputs", "3")["nodes"]
    names = {n["label"]: n for n in nodes}
    assert names["x(1)"]["shape"] == [1, 3]
    recurrent = [n for n in nodes if n["kind"] == "weight" and n["name"].startswith("U")]
    assert len(recurrent) >= layers
    assert all(n["shape"][-1] == 5 for n in recurrent)


def test_all_views_and_overlays_are_offered():
    for view in VIEWS:
        for overlay in OVERLAYS:
            drawn("--view", view, "--overlay", overlay or "none", "--steps", "2")


def test_levels_windows_and_the_step_that_is_meant():
    assert {n["label"] for n in drawn("--level", "layers", "--overlay", "none")["nodes"]} == {
        n["label"] for n in drawn("--level", "layers", "--overlay", "none", "--window", "all")["nodes"]
    }
    frames = drawn("--steps", "9", "--window", "2,1")["graph"]["frames"]
    assert [f["title"] for f in frames if f["id"] in ("t1", "t2", "t9")] == ["t = 1", "t = 2", "t = 9"]
    assert not [f for f in frames if f["id"] == "t5"]
    labels = {n["label"] for n in drawn("--view", "staircase", "--of", "2", "--steps", "4")["nodes"]}
    assert "y(2)" in labels
    assert "y(3)" not in labels


def test_the_seed_decides():
    assert drawn("--seed", "1") == drawn("--seed", "1")
    assert drawn("--seed", "1") != drawn("--seed", "2")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("1,2\n3,x\n", "a.csv, line 2, column 2: 'x' is not a finite number"),
        (
            "1,2\n3,nan\n",
            "line 2, column 2: 'nan' is no value.*pass --missing interpolate or --missing hold or --missing",
        ),
        ("y\n1,5\n2,5\n", "a.csv, line 3: is the comma .*; pass --sep ';' --decimal ,"),
        ("y\n1 000\n2 000\n", "a.csv, line 2, column 1 'y': '1 000' .*; pass --thousands space"),
        ("0\n112\n118\n", "a.csv, line 1: '0' may be names or data.*; pass --header yes or --header no"),
        ("1,2\n3|4\n", "a.csv, line 2: 1 field parted by commas, but 2 in most rows"),
        ("1,2\n3;x\n", "a.csv, line 2: 1 field parted by commas, but 2 in most rows"),
        ("1," * 600_000, "a.csv is no table: it has a line of more than 1,000,000 characters"),
        ("1,2\n" * 100_000, "time steps: .*, and at most 1 GB"),
        ("1,2\n3\n", "a.csv, line 2: 1 field parted by commas, but 2 in most rows"),
        ("a,b\n1,2\n", "a table needs two rows of numbers at least"),
        ("", "a.csv has no rows"),
        ('1,2\n"3,4\n', "a.csv, line 2: the row that begins there has quotes that do not end right"),
        (b"a,b\n1,\xb0\n", "a.csv, line 2: byte 6 .* means nothing in UTF-8.*; pass --encoding cp1252"),
        ("1,2\n1e200,2\n1,2\n", "inf"),
    ],
)
def test_a_bad_table_is_refused_in_one_line(content, why):
    Path("a.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    line = refused("--csv", "a.csv", "-o", "a.svg")
    assert re.search(why, line), line
    assert not Path("a.svg").exists()


def test_spaces_after_commas_are_no_other_way_to_part_columns():
    Path("a.csv").write_text("1, 2\n3,\t4\n 5 ,6\n")
    assert [n["numbers"]["value"] for n in drawn("--csv", "a.csv")["nodes"] if n["label"] == "d(2)"] == ["5  6"]


def values(label, *words):
    return next(n["numbers"]["value"] for n in drawn(*words)["nodes"] if n["label"] == label)


def test_the_options_of_tables_reach_the_table():
    Path("a.csv").write_text("above\nDatum;p;q\n1.2.2020;1.000,5;7\n2.2.2020;;8\n3.2.2020;3,5;9\n", encoding="utf-16")
    words = [
        "--csv",
        "a.csv",
        *["--skip-rows", "1", "--sep", ";", "--decimal", ",", "--thousands", ".", "--header", "yes"],
    ]
    words += ["--date-column", "Datum", "--date-format", "%d.%m.%Y", "--missing", "hold", "--encoding", "utf-16"]
    assert values("x(1)", *words) == "1e3  7.00"
    assert values("d(1)", *words) == "1e3  8.00"
    assert values("d(1)", *words, "--target", "q") == "8"
    assert values("x(2)", *words, "--columns", "2") == "1e3"


def test_what_was_understood_is_printed_beside_the_output():
    Path("a.csv").write_text("Year,Sunspots\n1700,5\n1701,11\n")
    for words in (["draw", "--format", "json"], ["step"]):
        result = run(*words, "--csv", "a.csv")
        assert result.exit_code == 0, result.output
        assert "a.csv: 2 rows, lines 2 to 3" in result.stderr
        assert "column 1 'Year' says when, from '1700' to '1701', and is no data" in result.stderr
        assert "column 2 'Sunspots': 5 ... 11" in result.stderr
        assert "Year" not in result.stdout


def test_a_text_is_read_from_a_file_or_from_the_standard_input():
    Path("a.txt").write_bytes(b"\xef\xbb\xbfab\r\na")
    assert values("x(1)", "--text-file", "a.txt") == "1  0  0"
    assert "1 line ends of Windows" in run("draw", "--text-file", "a.txt").stderr
    words = ["draw", "--format", "json", "--text-file", "-"]
    result = CliRunner().invoke(main, [*words, "--encoding", "cp1252"], input="aé".encode("cp1252"))
    assert result.exit_code == 0, result.output
    assert [n["numbers"]["caption"] for n in json.loads(result.stdout)["nodes"] if n["label"] == "d(1)"] == ["“é”"]
    result = CliRunner().invoke(main, ["draw", "--format", "json", "--csv", "-"], input="a,b\n1,5\n2,9\n")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("--sep ;", "--sep says how to read a table: name one by --csv"),
        ("--text ab --skip-rows 2", "--skip-rows says how to read a table: name one by --csv"),
        ("--text-file a.txt --columns 1", "--columns says how to read a table"),
        ("--encoding utf-8", "--encoding says how to read a file"),
        ("--csv a.csv --text-file a.txt", "--csv and --text-file both say what to read"),
        ("--text ab --text-file a.txt", "--text and --text-file both say what to read"),
        ("--csv a.csv --sep ab", "--sep='ab': it must be one sign"),
        ("--csv a.csv --thousands x", "--thousands='x': it must be one of"),
        ("--csv a.csv --columns b", "has no column 'b'"),
        ("--csv a.csv --columns a --date-column a", "--date-column='a' is also data"),
        ("--csv a.csv --encoding bytes", "encoding='bytes' is no encoding"),
        ("--csv .", "is a folder"),
    ],
)
def test_options_that_do_not_fit_are_refused(words, why):
    Path("a.csv").write_text("a\n1\n2\n")
    Path("a.txt").write_text("ab")
    assert why in refused(*words.split())


@pytest.mark.parametrize("command", ["draw", "step"])
@pytest.mark.parametrize(
    "sizes",
    [
        ["--steps", "100000000"],
        ["--hidden", "100000"],
        ["--layers", "1000000"],
        ["--inputs", "1000000000"],
        ["--outputs", "1000000000"],
        ["--cell", "lstm", "--layers", "3", "--steps", "30000"],
        ["--text", "we see" * 20_000],
    ],
)
def test_what_memory_cannot_hold_is_refused_before_it_is_made(command, sizes):
    result = run(command, *sizes)
    assert result.exit_code == 1
    assert re.search(
        r"All numbers of all steps are kept, here up to [\d,.]+ GB, and at most 1 GB is taken", result.output
    )


@pytest.mark.parametrize(("layers", "hidden", "steps"), [(1, 40, 400), (2, 3, 200), (1, 300, 2)])
def test_the_estimate_of_memory_is_about_what_a_network_takes(layers, hidden, steps):
    tracemalloc.start()
    net = network._network("lstm", layers, hidden, 0, network._noise(steps, 7, 2, 0))
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(net.losses) == steps
    assert 0.5 * taken < network.memory(layers, hidden, steps, 7, 2) < 2 * taken


@pytest.mark.parametrize("command", ["draw", "step"])
@pytest.mark.parametrize("steps", ["0", "-3", "x", "1e3", "2.5", "nan", ""])
def test_a_number_of_steps_is_a_number_from_one_on(command, steps):
    result = run(command, "--steps", steps)
    assert result.exit_code == 2
    assert "Invalid value for '--steps'" in result.output


@pytest.mark.parametrize(("command", "work"), [("draw", "draw_network"), ("step", "trace")])
def test_a_file_that_is_there_is_refused_before_the_work(monkeypatch, command, work):
    Path("there.html" if command == "step" else "there.svg").write_text("mine")
    monkeypatch.setattr(f"tinygrad_rnn.cli.{command}.{work}", lambda *_, **__: pytest.fail("it was worked"))
    result = run(command, "-o", str(*Path().glob("there.*")))
    assert "exists already" in result.output


def test_what_cannot_be_drawn_is_refused_in_one_line():
    Path("there.svg").write_text("mine")
    Path("folder.svg").mkdir()
    assert "there.svg exists already: choose another name, or pass --force" in refused("-o", "there.svg")
    assert Path("there.svg").read_text() == "mine"
    assert run("draw", "-o", "there.svg", "--force").exit_code == 0
    assert Path("there.svg").read_text(encoding="utf-8").startswith("<svg")
    assert "folder.svg is a folder" in refused("-o", "folder.svg", "--force")
    assert "choose one of .svg, .png, .pdf, .dot, .mmd, .json" in refused("-o", "a.gif")
    assert "choose one of" in refused("-o", "a")
    assert "missing/a.svg: there is no folder missing; make it first" in refused("-o", "missing/a.svg")
    assert "no.csv: No such file or directory" in refused("--csv", "no.csv", "-o", "a.svg")
    assert "two characters at least" in refused("--text", "a", "-o", "a.svg")
    assert "window='much'" in refused("--window", "much", "-o", "a.svg")
    assert "of=9" in refused("--of", "9", "-o", "a.svg")
    assert sorted(path.name for path in Path().iterdir()) == ["folder.svg", "there.svg"]
    assert "give one of them" in run("draw", "--text", "ab", "--csv", "no.csv").output


def test_a_missing_part_is_named_with_the_way_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    assert "a .pdf needs Typst: pip install 'tinygrad-rnn[pdf]'" in refused("-o", "a.pdf")
    assert not Path("a.pdf").exists()


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="Windows has other permissions")
def test_a_folder_that_may_not_be_written_to(tmp_path):
    run("draw", "-o", "first.dot")  # all that is imported when used, is
    folder = tmp_path / "readonly"
    folder.mkdir()
    folder.chmod(0o555)
    me = os.geteuid()
    if me == 0:  # root may write anywhere
        os.seteuid(65534)
    try:
        result = run("draw", "-o", str(folder / "a.dot"))
    finally:
        os.seteuid(me)
    assert result.exit_code == 1
    assert re.fullmatch(r"Error: .*a\.dot: Permission denied\n", result.output)
    assert not list(folder.iterdir())


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("output", ["-o-", "-o/dev/full"])
def test_a_full_disk(output):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*COMMAND, output, "--format=svg"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert re.fullmatch(r"Error: .*: No space left on device\n", done.stderr)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="pipes end otherwise on Windows")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_who_leaves(unbuffered):
    env = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen(
        [*COMMAND, "-o-", "--format=svg", "--steps=20"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
    ) as command:
        assert command.stdout.read(4) == b"<svg"
        command.stdout.close()
        complaints = command.stderr.read().decode()
    assert (command.returncode, complaints) == (1, "Error: the reader of the output has gone before its end.\n")


@pytest.mark.parametrize("command", ["draw", "step"])
def test_the_examples_in_the_help_can_be_copied(command):
    text = run(command, "--help").output
    examples = re.findall(r"^  (tinygrad-rnn .*)$", text, flags=re.MULTILINE)
    assert len(examples) >= 2
    assert all(line.startswith(f"tinygrad-rnn {command} ") for line in examples)
    assert "\\b" not in text


def test_a_weight_is_brought_forward():
    assert run("draw", "--highlight", "U", "-o", "u.svg").exit_code == 0
    assert "stands below the columns of level='figure'" in refused("--ledger", "U", "-o", "q.svg")
    assert "∂C/∂U" in {n["label"] for n in drawn("--level", "figure", "--ledger", "U")["nodes"]}
    assert "'Q': it is the name of a weight" in refused("--highlight", "Q", "-o", "q.svg")


TINYGRAD_RNN = COMMAND[:-1]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("words", [["step"], ["doctor"], ["lesson"], ["exercise", "6"], ["step", "--help"]])
def test_every_command_ends_with_a_line_where_nothing_more_can_be_written(words):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*TINYGRAD_RNN, *words], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, "Error: No space left on device\n")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no shell that closes streams")
@pytest.mark.parametrize("words", ["step --steps 1", "doctor", "draw --steps 1", "draw --steps 1 -o a.svg", "lesson 1"])
def test_streams_that_were_closed(words):
    command = shlex.join([*TINYGRAD_RNN, *words.split()])
    done = subprocess.run(f"{command} <&- >&-", shell=True, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no file without an end")
@pytest.mark.parametrize("words", [["--csv", "/dev/zero"], ["--trace", "/dev/zero"]])
def test_a_file_without_an_end_is_not_read_to_its_end(words):
    result = run("step", *words)
    assert result.exit_code == 1
    assert re.search(r"/dev/zero is a pipe, a device or the like|/dev/zero: this is no trace", result.output)


def test_a_png_of_too_many_boxes_is_refused_at_once():
    line = refused("-o", "a.png", "--steps", "300", "--window", "all")
    assert re.search(r"the picture has 3,\d+ boxes, and a .png of more than 3,000 takes minutes: draw fewer", line)


def test_a_picture_that_takes_graphviz_too_long(monkeypatch):
    monkeypatch.setattr(engine, "SECONDS", 0.001)
    assert re.search(r"graphviz-pure\S* was not done after 0.001 s: draw less$", refused("-o", "a.png"))


def test_without_o_it_goes_to_the_standard_output():
    result = run("draw", "--text", "ab")
    assert result.exit_code == 0
    assert result.output.startswith("<svg")


# ---- doctor


def test_the_doctor_names_what_is_there():
    result = run("doctor")
    assert result.exit_code == 0
    for word in (
        "Python",
        "NumPy",
        "BLAS",
        "graphviz-pure version 0.2",
        "typst",
        "matplotlib",
        "Pictures can be drawn.",
    ):
        assert word in result.output


def test_the_doctor_says_how_to_get_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.delenv(engine.VARIABLE, raising=False)
    monkeypatch.setattr(engine.sysconfig, "get_path", lambda _: str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tinygrad_rnn.view.doctor._installed", lambda _: "")
    result = run("doctor")
    assert result.exit_code == 0  # an SVG can be drawn
    for get in ("pip install graphviz-pure", "pip install 'tinygrad-rnn[pdf]'", "pip install 'tinygrad-rnn[plots]'"):
        assert get in result.output


def test_the_doctor_is_not_content_with_a_wrong_engine(monkeypatch):
    monkeypatch.setenv(engine.VARIABLE, "no-such-program")
    result = run("doctor")
    assert result.exit_code == 1
    assert "TINYGRAD_RNN_DOT names 'no-such-program'" in result.output


def test_a_network_is_written_out_as_a_file_that_checks_itself():
    result = run("write", "--text", "we see", "--cell", "lstm", "-o", "bptt.py")
    assert (result.exit_code, result.output) == (0, "written: bptt.py\n")
    assert Path("bptt.py").read_text(encoding="utf-8") == run("write", "--text", "we see", "--cell", "lstm").stdout
    alone = subprocess.run([sys.executable, "-I", "bptt.py"], capture_output=True, text=True, check=True)
    assert alone.stdout.startswith("largest difference from a measured slope: ")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["-o", "bptt.txt"], "bptt.txt: what is written is Python; call it something.py."),
        (["-o", "a.py"], "a.py exists already: choose another name, or pass --force."),
        (["-o", "no/a.py"], "no folder no"),
    ],
)
def test_what_cannot_be_written_out_so(words, why):
    Path("a.py").write_text("mine", encoding="utf-8")
    result = run("write", *words)
    assert result.exit_code == 1
    assert why in result.output
    assert Path("a.py").read_text(encoding="utf-8") == "mine"
    assert run("write", "-o", "a.py", "--force").exit_code == 0
