"""A trace in a terminal: what is on screen, and where the keys lead."""

import os
import pty
import re
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

import tinygrad_rnn as tg
from canonical import problem
from cli_terminal import at_a_terminal
from tinygrad_rnn.cli import main
from tinygrad_rnn.view.walk import Place, gone_to, gone_until, listing, screen, walk, without_unicode


@pytest.fixture(scope="module")
def shown():
    p = problem()
    return tg.trace(tg.unfold(p.cell, p.params, p.x, p.d, s0=p.s0))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 12), (30, 24), (9, 3)])
def test_every_screen_fits_the_terminal(shown, size):
    for k in range(len(shown)):
        lines = screen(shown, Place(k), *size).split("\n")
        assert len(lines) <= size[1]
        assert max(map(len, lines)) <= size[0]
        if size[0] >= 30:
            assert shown.moments[k].text[:20].split()[0] in lines[2]
            assert lines[-1].endswith("q quit")


def test_a_narrow_terminal_shows_formulas_and_verdicts_to_their_end(shown):
    for k, m in enumerate(shown.moments):
        says = f"   One term is missing: {m.worked}."
        text = screen(shown, Place(k, says=says), 30, 90)
        for whole in (m.text, m.worked, says):
            assert "".join(whole.split()) in "".join(text.split())


def test_marks_move_with_the_passes(shown):
    first, last = (screen(shown, Place(k), 100, 50) for k in (0, len(shown) - 1))
    assert "·" in first.split("t = ")[0] + first
    row = next(line for line in last.split("\n") if " netⱼ  " in line)
    assert row.count("●") == 5
    assert "●" not in "".join(line for line in first.split("\n") if " netⱼ  " in line)


def test_the_ledger_fills(shown):
    empty = screen(shown, Place(0, "U"), 120, 60)
    full = screen(shown, Place(len(shown) - 1, "U"), 120, 60)
    assert "The copies of U:" in empty
    assert [line.split()[1] for line in full.split("\n") if line.strip().startswith("sum so far")] != []
    assert sum(line.strip()[:1].isdigit() and "." in line[:24] for line in full.split("\n")) >= 5


def test_without_unicode(shown):
    for k in range(0, len(shown), 7):
        text = without_unicode(screen(shown, Place(k)))
        assert text.isascii()
        assert "?" not in text.replace("? keys", "")


def test_going_to_a_step(shown):
    assert gone_to(shown, Place(3), "12").at == 11
    for wish in ("0", "x", "", str(len(shown) + 1), "-1"):
        place = gone_to(shown, Place(3), wish)
        assert place.at == 3
        assert "numbered from 1 to" in place.says


@pytest.mark.parametrize(
    ("wish", "attribute", "value"),
    [
        ("t=3", "t", 3),
        ("G26", "equation", "G26"),
        ("(26)", "equation", "G26"),
        ("26", "equation", "G26"),
        ("tanh", "op", "tanh"),
        ("U", "weight", "U"),
        ("U(2)", "weight", "U"),
        ("backward", "phase", "backward"),
    ],
)
def test_going_on_until_something(shown, wish, attribute, value):
    place = gone_until(shown, Place(0), wish)
    assert getattr(shown.moments[place.at], attribute) == value
    assert (
        place.at == next(k for k, m in enumerate(shown.moments) if k and getattr(m, attribute) == value) or "(" in wish
    )


def test_nothing_of_that_kind(shown):
    place = gone_until(shown, Place(5), "nan")
    assert place.at == 5
    assert "nothing after this step is 'nan'" in place.says


def test_keys(shown):
    keys = iter(["\x1b[C", " ", "\x1b[D", "\x1b[F", "\x1b[C", "\x1b[H", "\x1b[D", "g", "u", "w", "?", "x", "q"])
    answers, seen = iter(["10", "G26"]), []
    walk(shown, lambda: next(keys), seen.append, lambda question: next(answers), size=lambda: (80, 24))
    explained = seen.pop(-2)
    assert "the step before" in explained
    at = [int(text.split("\n")[-1].split("/")[0]) for text in seen]
    n, until = len(shown), shown.find(9, equation="G26") + 1
    assert at == [1, 2, 3, 2, n, n, 1, 1, 10, until, until, until]
    assert "The copies of" in seen[-2]
    assert seen[-2] != seen[-3]


def test_w_shows_the_ledgers_in_turn(shown):
    names = [account.weight for account in shown.accounts]
    keys, seen = iter(["w", *"w" * len(names), "q"]), []
    walk(shown, lambda: next(keys), seen.append, input, size=lambda: (120, 60))
    after = names.index(shown.start[0]) + 1
    assert [re.search("The copies of (.+):", text)[1] for text in seen] == [
        *(names * 2)[after - 1 : after + len(names)],
        names[after % len(names)],
    ]
    last = next(m.result[0].partition("/∂")[2] for m in reversed(shown.moments) if m.weight)  # it has its ledger there
    keys, seen = iter(["\x1b[F", "w", "q"]), []
    walk(shown, lambda: next(keys), seen.append, input, size=lambda: (120, 60))
    after = names[(names.index(last) + 1) % len(names)]
    assert [re.search("The copies of (.+):", text)[1] for text in seen[1:]] == [last, after]


def test_guessing(shown):
    k = shown.find(-1, equation="G2")
    m = shown.moments[k]
    term, worth = max(m.terms, key=lambda pair: abs(pair[1]))
    guesses = iter(
        ["abc", f"{-m.value}", f"{m.value - worth}", f"{m.value - 2 * worth}", f"{m.value + 9}", f"{m.value:.3f}"]
    )
    keys, seen = iter(["g", "q"]), []

    def ask(asked):
        if "Go to" in asked:
            return str(k + 1)
        if seen[-1].startswith(f"── forward {m.number} "):
            return next(guesses)
        return ""

    walk(shown, lambda: next(keys), seen.append, ask, predict=True, size=lambda: (120, 40))
    said = [text.split("\n")[-1].strip() for text in seen]
    assert [line for line in said if "q quit" not in line] == [
        "Write a number, such as −0.25.",
        "The size is right, the sign is not.",
        f"One term is missing: {term}.",
        f"One term has the wrong sign: {term}.",
        f"Not {m.value + 9}. Work out {m.text} with the numbers of the step before.",
        f"Right: {m.worked.rpartition(' = ')[2]}.",
    ]
    hidden = [text for text in seen if text.startswith(f"── forward {m.number} ")]
    assert all(f"{m.result[0]} = ?" in text for text in hidden[:-1])
    assert f"{m.result[0]} = ?" not in hidden[-1]


def test_back_again_is_the_same_screen(shown):
    for k in range(1, len(shown)):
        assert screen(shown, Place(k - 1)) == screen(shown, Place(k - 1))


def test_the_command_prints_all_steps_where_nobody_sits(tmp_path):
    result = CliRunner().invoke(main, ["step", "--steps", "2", "--hidden", "2"])
    assert result.exit_code == 0
    assert result.output.count("── forward") > 10
    assert "sum so far" in result.output
    plain = CliRunner().invoke(main, ["step", "--steps", "2", "--ascii"])
    assert plain.output.isascii()


def test_pages_and_traces_from_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    assert "written: a.json" in run(main, ["step", "--steps", "2", "-o", "a.json"]).output
    assert "written: a.html" in run(main, ["step", "--trace", "a.json", "-o", "a.html"]).output
    assert (tmp_path / "a.html").read_text("utf-8").count("<li id=") > 20
    for args, said in [
        (["-o", "a.html"], "exists already"),
        (["-o", "a.txt"], "choose .html or .json"),
        (["-o", "none/a.html"], "there is no folder none"),
        (["--trace", "none.json"], "No such file"),
        (["--trace", "a.html"], "this is no trace"),
        (["--of", "9"], "the network has 3 time steps"),
    ]:
        result = run(main, ["step", *args])
        assert result.exit_code == 1
        assert said in result.output


def test_in_a_terminal(tmp_path):
    with at_a_terminal(["step", "--steps", "2"], (80, 24), tmp_path) as sitting:
        way = [("\x1b[C", "   1/"), ("\x1b[D", "   2/"), ("g", "   1/"), ("\x1b", "which step? "), ("q", "   1/")]
        for key, awaited in way:
            assert awaited in sitting.screen(r"(q quit|step\? +\x08*)$")
            sitting.press(key)
        assert sitting.ended()


def test_a_terminal_is_written_to_in_its_own_letters_and_a_pipe_in_utf_8():
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-c", "from tinygrad_rnn.cli import main; main()", "step", "--steps", "2"]
    piped = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=environment, check=True)
    assert "∂" in piped.stdout.decode("utf-8")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    text = b""
    try:
        while some := os.read(ours, 65536):
            text += some
    except OSError:  # the other end is closed: it has ended
        pass
    os.close(ours)
    assert process.wait(60) == 0
    assert text.isascii()
    assert b"?C/?" in text


def test_the_listing_is_all_of_it(shown):
    text = "\n".join(listing(shown))
    assert all(m.text in text for m in shown.moments)
    assert np.all([f"The copies of {account.weight}:" in text for account in shown.accounts])


def test_what_a_kept_trace_shows_cannot_be_asked_for_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    assert run(main, ["step", "--steps", "2", "-o", "kept.json"]).exit_code == 0
    for args, said in [(["--of", "2"], "--of"), (["--text", "abc", "--cell", "lstm"], "--text, --cell")]:
        result = run(main, ["step", "--trace", "kept.json", *args, "-o", "a.html"])
        assert result.exit_code == 2
        assert f"{said} and --trace" in result.output
    assert not (tmp_path / "a.html").exists()
