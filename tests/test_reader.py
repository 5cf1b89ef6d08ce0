"""A lesson at a terminal: pages that fit it, keys that turn them both ways, and what the keys open."""

import os
import re
import sys
from pathlib import Path

import pytest

from cli_terminal import CLEAR, Screen, at_a_terminal, bare
from tinygrad_rnn.cli import reader, screen
from tinygrad_rnn.view import lessons, prose, walk

SIZES = [(80, 24), (120, 40)]
NARROW = [(40, 12), (20, 6)]
RIGHT, LEFT, ESCAPE = "\x1b[C", "\x1b[D", "\x1b"
ALL = lessons.lessons()
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals in the standard library")


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Reads a lesson with these keys; gives the screen and the reader."""
    monkeypatch.chdir(tmp_path)

    def reads(keys, text=None, size=(80, 24), number=1, **how):
        lesson = ALL[number - 1]
        if text is not None:
            path = tmp_path / "01_short.py"
            path.write_text(text, encoding="utf-8")
            lesson = lessons.Lesson(1, path)
        shown = Screen(size, keys)
        reading = reader.Reader(lesson, "## Your turn", shown, **how)
        reading.read()
        return shown, reading

    return reads


SHORT = """# %% [markdown]
# # Short
# first text

# %%
print("first output")

# %% [markdown]
# second text

# %%
import numpy as np
import tinygrad_rnn as tg
tape = tg.Tape()
a = tape.leaf(np.ones(2), name="a")
b = tg.ops.copy(a, name="b")
tg.draw(tape)

# %% [markdown]
# ## Third
# third text
"""


# ---- every lesson


@pytest.mark.slow
@pytest.mark.parametrize("lesson", ALL, ids=lambda lesson: lesson.number)
def test_every_page_fits_and_the_left_arrow_goes_back_from_every_page(lesson, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = Screen((80, 24))
    reading = reader.Reader(lesson, "## Your turn", shown, quick=True)

    def there_and_back():
        while reading.at + 1 < len(reading.groups) or reading.page + 1 < len(
            reading.pages(reading.sections[-1], 80, 22)
        ):
            yield RIGHT
        while reading.at or reading.page:
            yield LEFT
        yield "q"

    shown.keys = there_and_back()
    reading.read()
    screens = [text for text in shown.shown if text]  # an empty one is for a bar
    count = (len(screens) + 1) // 2
    assert len(set(screens)) == count >= len(reading.groups)
    assert screens[count:] == screens[: count - 1][::-1]
    for width, height in (*SIZES, *NARROW):
        for section in reading.sections:
            for page in reading.pages(section, width, height - reader.FREE):
                assert len(page) <= height - reader.FREE
                assert max(len(bare(line)) for line in page) <= width
    printed = [source for section in reading.sections for kind, source in section.blocks if kind == "output"]
    in_columns = [
        line for text in printed for line in text.split("\n") if len(re.findall(r"\S +(?=[−\d])|──", line)) > 5
    ]
    assert not [line for line in in_columns if len(line) > 80], "a row of a table that a terminal breaks"


@pytest.mark.parametrize("lesson", ALL, ids=lambda lesson: lesson.number)
def test_in_a_terminal_nobody_is_told_to_move_a_picture(lesson):
    told = [prose.in_a_terminal(cell.source, Path("a.svg")) for cell in lesson.cells() if cell.kind == "markdown"]
    assert not [text for text in told if re.search("move the picture", text, re.IGNORECASE)]


def test_what_is_moved_on_a_page_is_opened_in_a_terminal():
    assert prose.in_a_terminal("(Move the picture sideways.)", Path("b/a.svg")) == "(Open b/a.svg.)"
    assert prose.in_a_terminal("Do move the picture sideways to see it.") == "Do open the picture to see it."


# ---- lesson 1


@posix
@pytest.mark.slow
@pytest.mark.parametrize(("size", "most"), [(SIZES[0], 18), (SIZES[1], 15)], ids=str)
def test_lesson_1_begins_with_the_question_and_the_ledger_and_is_short(size, most, tmp_path):
    screens = []
    with at_a_terminal(["lesson", "1"], size, tmp_path) as sitting:
        while "q quit" in (shown := sitting.screen(r"q quit$")):
            screens.append(bare(shown.rpartition(CLEAR)[2]))
            sitting.press("\r")
        assert sitting.ended()
    assert len(screens) == sitting.presses <= most <= 25
    assert all(text.count("\n") < size[1] for text in screens)
    assert all(max(map(len, text.split("\n"))) <= size[0] for text in screens)
    first = "".join(screens[:9])  # eight keys
    for part in ("How should U", "s(0)──U(1)──", "sum −0", "∂C/∂U −0", "The five copies are one U"):
        assert part in first, part
    assert "entry (1, 1)" in "".join(screens[9:])
    assert "Your turn" in screens[-1]


def test_no_row_of_the_ledger_of_lesson_1_is_broken(read):
    shown, reading = read(["s", "s", "q"])
    (ledger,) = [source for kind, source in reading.sections[2].blocks if kind == "output"]
    lines = ledger.split("\n")
    assert [len(line.split()) for line in lines] == [10, 1, 10, 10, 10, 10, 10, 1, 10, 10]
    assert max(map(len, lines)) <= 80
    assert ledger in "\n".join(line.rstrip() for line in shown.shown[-1].split("\n"))


def test_lesson_1_has_few_new_terms_and_names_each_when_it_comes():
    text = "\n".join(cell.source for cell in ALL[0].cells() if cell.kind == "markdown")
    text = re.sub(r"^\* |\*\*", "", text.partition("**Words**")[2].partition("\n")[2], flags=re.MULTILINE)
    marked = re.findall(r"\*([^*\n]+)\*", text)
    assert len(marked) == len(set(marked)) <= 12
    for term in _vocabulary():
        if re.search(rf"\b{re.escape(term)}(?:s|es)?\b", text, re.IGNORECASE):
            introduced = [word for word in marked if re.search(rf"\b{re.escape(term[:-1])}", word, re.IGNORECASE)]
            assert introduced, f"{term!r} is used and not introduced"
    assert {"copies", "share", "ledger", "gradient"} <= set(marked)


def _vocabulary():
    """The words of the glossary, and those under which somebody would look for a later lesson."""
    glossary = Path(__file__).parent.parent / "docs/glossary.md"
    terms = set(
        re.findall(r"^(\w[\w ]*)$", glossary.read_text(encoding="utf-8").partition("{glossary}")[2], re.MULTILINE)
    )
    assert len(terms) > 30
    for lesson in ALL[1:]:
        terms |= set(lesson.head["Words"].split(", "))
    return terms


# ---- keys


def test_pages_are_turned_both_ways(read):
    shown, _ = read([LEFT, RIGHT, RIGHT, LEFT, LEFT, "q"], SHORT)
    assert [text[-80:].split("/")[0].split()[-1] for text in shown.shown] == ["1", "1", "2", "3", "2", "1"]


def test_code_runs_once_however_often_its_page_is_seen(read):
    counting = "# %% [markdown]\n# # A\n\n# %%\nn = 0\n\n# %% [markdown]\n# b\n\n# %%\nn += 1\nprint('n =', n)\n"
    shown, _ = read([RIGHT, LEFT, RIGHT, LEFT, RIGHT, "q"], counting)
    assert sum("n = 1" in text for text in shown.shown) == 3
    assert not any("n = 2" in text for text in shown.shown)


def test_several_keys_that_come_at_once_are_several(read):
    shown, _ = read([RIGHT + RIGHT + LEFT, "q"], SHORT)
    assert [text.rpartition("/")[0][-1] for text in shown.shown] == ["1", "2", "3", "2"]


def test_s_goes_to_the_next_heading_and_home_to_the_first(read):
    shown, reading = read(["s", "\x1b[H", "s", "s", "q"], SHORT)
    assert [text.rpartition("/")[0][-1] for text in shown.shown] == ["1", "3", "1", "3", "3"]
    assert len(reading.sections) == 3


def test_the_last_page_ends_it_and_a_key_without_a_meaning_does_nothing(read):
    shown, _ = read(["x", "", "\r", "\r", " "], SHORT)
    assert [text.rpartition("/")[0][-1] for text in shown.shown] == ["1", "1", "2", "3"]


def test_the_keys_are_explained(read):
    shown, _ = read(["?", ESCAPE, "q"], SHORT)
    page, explained, again = shown.shown
    assert page == again
    named = set(re.findall(r"^(?:\w+ or )?(\S)  ", explained, re.MULTILINE)) | {"q", "?"}
    assert {key for key in reader.KEYS if key.isprintable() and len(key) == 1} - {" "} == named
    assert len(read(["?", "x", "q"], SHORT, size=(20, 6))[0].shown[1].split("\n")) <= 6


@pytest.mark.parametrize(("there", "says"), [(True, "opened: "), (False, "open it in a browser: ")])
def test_o_opens_the_picture_or_says_where_it_is(read, monkeypatch, there, says):
    asked = []
    monkeypatch.setattr(reader, "opened", lambda path: asked.append(path) or there)
    shown, _ = read(["o", RIGHT, "o", "x", "q"], SHORT)
    (path,) = asked
    assert path.is_file()
    feet = [text.rpartition("\n")[2].strip() for text in shown.shown]
    assert feet[1] == "there is no picture on this page"
    assert feet[3] == f"{says}{path.as_posix()}"
    assert feet[4] == feet[2]  # the next key is what it always is, and takes the message away


def test_long_code_is_folded_and_c_shows_all(read):
    code = "\n".join(["import tinygrad_rnn as tg", *(f"x_{k} = {k}" for k in range(14)), "tape = tg.Tape()"])
    shown, _ = read(["c", "c", "q"], f"# %% [markdown]\n# # A\n\n# %%\n{code}\n")
    folded, whole, again = shown.shown
    assert folded == again
    assert "# ..." in folded
    assert "tape = tg.Tape()" in folded
    assert "x_3" not in folded
    assert "x_3" in whole


def test_w_walks_through_the_players_steps_and_comes_back(read):
    shown, _ = read(["s", "s", "s", "s", "w", RIGHT, LEFT, "q", "q"])
    assert "o opens the player: tinygrad-rnn-output/lesson-01/player-1.html" in shown.shown[4]
    assert [text.rpartition("\n")[2].split()[0] for text in shown.shown[5:8]] == ["66/126", "67/126", "66/126"]
    assert "∂C/∂U(5) = " in shown.shown[5]
    assert shown.shown[8] == shown.shown[4]


def test_w_says_so_where_there_is_nothing_to_walk_through(read):
    shown, _ = read(["w", "x", "q"], SHORT)
    feet = [text.rpartition("\n")[2].strip() for text in shown.shown]
    assert feet[1] == "there are no steps to walk through on this page"
    assert feet[2] == feet[0]


@posix
def test_keys_that_are_pressed_too_early_are_not_written_and_the_end_names_the_next_lesson(tmp_path):
    with at_a_terminal(["lesson", "1"], (80, 24), tmp_path) as sitting:
        sitting.screen(r"q quit$")
        sitting.press("\r")
        sitting.press_too_early("zzz")
        shown = sitting.screen(r"q quit$")
        assert "zzz" not in shown
        while "q quit" in shown:
            last = shown
            sitting.press("\r")
            shown = sitting.screen(r"q quit$")
        assert sitting.ended()
    assert "Next comes lesson 2" in bare(last)
    assert shown.strip().endswith("tinygrad-rnn lesson 1 begins it again; tinygrad-rnn lesson 2 goes on.")


def test_a_player_is_a_page_that_can_be_opened(read, monkeypatch):
    asked = []
    monkeypatch.setattr(reader, "opened", lambda path: asked.append(path) or True)
    read(["s", "s", "s", "s", "o", "q"])
    assert "<html" in asked[0].read_text(encoding="utf-8")[:300]


def test_escape_leaves_a_prompt(shown_trace):
    keys = iter(["g", "1", "2", ESCAPE, "u", ESCAPE, "g", "1", "x", "\x7f", "2", "\r", "q"])
    terminal = Screen((80, 24))
    keyboard = reader.Keyboard(lambda: next(keys), terminal.over)
    walk.walk(shown_trace, keyboard.key, terminal.show, keyboard.line, size=terminal.size)
    at = [text.rpartition("\n")[2].split()[0] for text in terminal.shown]
    assert at == [f"{k}/{len(shown_trace)}" for k in (1, 1, 1, 12)]
    assert terminal.written[2].endswith("step? 12")


@pytest.fixture(scope="module")
def shown_trace():
    import tinygrad_rnn as tg
    from canonical import problem

    p = problem()
    return tg.trace(tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0))


def test_the_steps_begin_with_the_weight_that_is_read_with_the_state(shown_trace):
    first = walk.screen(shown_trace, walk.Place(), 120, 60)
    assert f"The copies of {shown_trace.start[0]}:" in first
    assert shown_trace.start[0] == "U"


# ---- other terminals


def test_no_other_characters_than_ascii(read):
    keys = [RIGHT] * 60
    for number in (1, 9):
        shown, _ = read(keys, number=number, plain=True)
        assert all(text.isascii() for text in shown.shown)
        assert all(max(map(len, text.split("\n"))) <= 80 for text in shown.shown)
        assert all(text.count("\n") < 24 for text in shown.shown)


@posix
def test_a_dumb_terminal_gets_pages_without_what_it_would_print(tmp_path):
    with at_a_terminal(["lesson", "1"], (80, 24), tmp_path, TERM="dumb") as sitting:
        first = sitting.screen(r"q quit$")
        sitting.press("\r")
        second = sitting.screen(r"q quit$")
        sitting.press("q")
        assert sitting.ended()
    assert "\x1b" not in first + second
    assert "How should U" in first
    assert "The picture" in second


def test_what_a_lesson_prints_is_cleaned(read):
    shown, _ = read(["q"], '# %% [markdown]\n# # A\x1b]0;b\x07\n\n# %%\nprint("\\x1b[2Jgone")\n')
    assert "␛[2Jgone" in shown.shown[0]
    assert "\x1b" not in shown.shown[0]
    assert "\x07" not in shown.shown[0]


def test_what_is_written_over_the_last_line_leaves_nothing_of_it(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    here = screen.Screen()
    here.show("page\nfoot of it")
    here.over("   ab\x1b")
    assert capsys.readouterr().out.rpartition("\n")[2] == "foot of it\r   ab␛    \b\b\b\b"
    here.over(30 * "c" + "d")
    assert capsys.readouterr().out == "\r" + 18 * "c" + "d"


def test_a_file_is_opened_by_the_systems_viewer(tmp_path, monkeypatch):
    monkeypatch.setattr(screen.sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not screen.opened(tmp_path / "a.svg")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not screen.opened(tmp_path / "a.svg")  # there is none
    viewer = tmp_path / "xdg-open"
    for status in (0, 3):
        viewer.write_text(f'#!/bin/sh\necho "$1" > "{tmp_path}/asked"\nexit {status}\n')
        viewer.chmod(0o755)
        assert screen.opened(tmp_path / "a.svg") == (status == 0)
    assert (tmp_path / "asked").read_text().strip() == os.fspath((tmp_path / "a.svg").resolve())


# ---- what takes long

LONG = """# %% [markdown]
# # Long
# before

# %% seconds=30 quick=4
from tinygrad_rnn.view.terminal import progress
count = 12  # quick: 5
print("done", len(list(progress(range(count), count))))
"""


@pytest.mark.parametrize(("quick", "seconds", "count"), [(False, 30, 12), (True, 4, 5)])
def test_what_takes_long_says_so_before_it_starts(read, capsys, quick, seconds, count):
    shown, _ = read([RIGHT, "q"], LONG, quick=quick)
    before, empty, after = shown.shown
    assert f"the computer needs {seconds} seconds or so" in before
    assert ("(4 with --quick)" in " ".join(before.split())) == (not quick)
    assert f"takes about {seconds} seconds to compute. Enter starts it." in " ".join(before.split())
    assert not empty
    assert f"done {count}" in after
    assert "100%" in capsys.readouterr().out


def test_elsewhere_nothing_is_said_of_progress(capsys):
    from tinygrad_rnn.view.terminal import progress

    assert list(progress(iter("abc"), 3)) == ["a", "b", "c"]
    assert capsys.readouterr().out == ""
